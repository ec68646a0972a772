"""What Model Monitor found, and what it compared with: violations, and the limits of a constraints file.

Source: SageMaker Developer Guide, "Schema for violations (constraint_violations.json file)", "Schema for constraints
(constraints.json file)", and those of model quality, bias and attribution drift.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from . import values
from .document import ReportProblem, Unreadable

# So many are kept of one report, the count is of all.
MOST_VIOLATIONS = 500
MOST_LIMITS = 5000
_LONGEST = 1000
# Says in which form a file is written, not what it limits.
_NO_LIMITS = frozenset({"version"})
_NAMES = ("name", "value_or_threshold", "label")
# Where a version says what it was approved with (DriftCheckBaselines), by the type of monitoring.
_BASELINES = {
    "DataQuality": (("ModelDataQuality", "Constraints"),),
    "ModelQuality": (("ModelQuality", "Constraints"),),
    "ModelBias": (("Bias", "PostTrainingConstraints"), ("Bias", "PreTrainingConstraints")),
    "ModelExplainability": (("Explainability", "Constraints"),),
}

Limit = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that is not within its constraint: a column or a metric, which check found it, and in which words."""

    subject: str
    check: str
    description: str


@dataclass(frozen=True, slots=True)
class Difference:
    """One limit that two constraints files do not have alike; None where a file does not have it."""

    name: str
    approved: Limit
    now: Limit


def violations(content: Mapping[str, Any]) -> tuple[Violation, ...]:
    """Return every violation a report lists. Raises Unreadable (wrong_type) for what is no such report."""
    listed = content.get("violations")
    if not isinstance(listed, list):
        raise Unreadable(ReportProblem.WRONG_TYPE, "It is JSON, but has no list of violations.")
    return tuple(_violation(one) for one in listed)


def limits(content: Mapping[str, Any]) -> dict[str, Limit]:
    """Return what a constraints file limits by what it is about: "features / age / completeness" is 1.0.

    Columns, facets and metrics are named, whatever their order in the file. Raises Unreadable (wrong_type) for a file
    that limits nothing, (too_large) for one with more limits than can be compared.
    """
    found: dict[str, Limit] = {}
    for name, limit in _flat(content, ""):
        if len(found) >= MOST_LIMITS:
            raise Unreadable(ReportProblem.TOO_LARGE, f"It has more than {MOST_LIMITS:,} limits.")
        found[name] = limit
    if not found:
        raise Unreadable(ReportProblem.WRONG_TYPE, "It is JSON, but has no constraints.")
    return found


def differences(approved: Mapping[str, Limit], now: Mapping[str, Limit]) -> tuple[Difference, ...]:
    """Return what is limited differently from what was approved, by name."""
    return tuple(
        Difference(name, approved.get(name), now.get(name))
        for name in sorted({*approved, *now})
        if name not in approved or name not in now or approved[name] != now[name]
    )


def approved_addresses(monitor_type: str, drift_baselines: Mapping[str, Any]) -> tuple[str, ...]:
    """Return where a version's drift baselines point for a type of monitoring (S3 addresses of constraints)."""
    found = []
    for section, name in _BASELINES.get(monitor_type, ()):
        part = values.section(values.section(drift_baselines).get(section)).get(name)
        address = values.section(part).get("S3Uri")
        if isinstance(address, str) and address:
            found.append(address[:1024])
    return tuple(found)


def endpoint_name(reported: str) -> str:
    """Return the name of an endpoint that was reported by its name or its ARN, in small letters as AWS compares it."""
    return reported.strip().rsplit(":endpoint/", 1)[-1].lower()


def _violation(one: Any) -> Violation:
    if not isinstance(one, Mapping):
        return Violation("", "", values.name(one))
    facet = " = ".join(values.name(one[name]) for name in ("facet", "facet_value") if one.get(name) is not None)
    subject = ", ".join(
        part
        for part in (
            values.name(one.get("feature_name")),
            values.name(one.get("metric_name")),
            facet,
            values.name(one.get("label")),
        )
        if part
    )
    return Violation(
        subject, values.name(one.get("constraint_check_type")), str(one.get("description") or "").strip()[:_LONGEST]
    )


def _flat(value: Any, path: str) -> Iterator[tuple[str, Limit]]:
    if isinstance(value, Mapping):
        for name, part in value.items():
            if path or name not in _NO_LIMITS:
                yield from _flat(part, _below(path, name))
    elif isinstance(value, list):
        if any(isinstance(part, Mapping | list) for part in value):
            for place, part in enumerate(value, 1):
                yield from _flat(_rest(part), _below(path, _called(part) or str(place)))
        else:
            yield path, ", ".join(map(values.name, value))[:_LONGEST]
    elif path:
        yield path, value if isinstance(value, bool | int | float) or value is None else str(value)[:_LONGEST]


def _below(path: str, name: Any) -> str:
    return f"{path} / {values.name(name)}" if path else values.name(name)


def _called(part: Any) -> str:
    return next((values.name(part[n]) for n in _NAMES if part.get(n) is not None), "") if isinstance(part, dict) else ""


def _rest(part: Any) -> Any:
    if not isinstance(part, dict):
        return part
    named = next((n for n in _NAMES if part.get(n) is not None), None)
    return {name: value for name, value in part.items() if name != named}
