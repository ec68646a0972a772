"""The violation report of a pipeline's check: which features or metrics miss their baseline, in its own words.

QualityCheck names features, ClarifyCheck facets and metrics or labels; both list `violations`. Source: SageMaker
pipelines, QualityCheck and ClarifyCheck steps; the shape is Model Monitor's constraint_violations.json.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .document import ReportProblem, Unreadable

MOST = 500
_LONGEST = 1000
_SUBJECTS = ("feature_name", "feature", "facet", "metric_name", "metric", "label", "label_name")


@dataclass(frozen=True)
class Violation:
    """One line of a report: what is concerned ("" where it names nothing), which check, and the report's words."""

    feature: str
    check: str
    description: str


@dataclass(frozen=True)
class Violations:
    """What a report lists, at most `MOST`; `left_out` says how many more there are."""

    rows: tuple[Violation, ...]
    left_out: int = 0


def read_violations(content: Mapping[str, Any]) -> Violations:
    """Return the violations of a report; one that lists none has none. Raises Unreadable for another kind of report."""
    listed = content.get("violations")
    if not isinstance(listed, list):
        raise Unreadable(ReportProblem.WRONG_TYPE, "It is JSON, but no violation report: it lists no violations.")
    rows = [row for row in listed if isinstance(row, dict)]
    if len(rows) < len(listed):
        raise Unreadable(
            ReportProblem.WRONG_TYPE, "It is JSON, but no violation report: what it lists are no violations."
        )
    return Violations(tuple(_violation(row) for row in rows[:MOST]), max(0, len(rows) - MOST))


def _violation(row: Mapping[str, Any]) -> Violation:
    named = [_text(row[name]) for name in _SUBJECTS if row.get(name) not in (None, "")]
    facet = _text(row.get("facet_value"))
    return Violation(
        feature=", ".join(dict.fromkeys(named)) + (f" = {facet}" if facet and "facet" in row else ""),
        check=_text(row.get("constraint_check_type")),
        description=_text(row.get("description")),
    )


def _text(value: Any) -> str:
    return "" if value is None or isinstance(value, dict | list) else str(value).strip()[:_LONGEST]
