"""Metrics as policy reads them: found by path in whatever shape they were reported, and compared. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ..choices import MetricKind
from .facts import MetricRule, MetricsFact, Number, Operator, Outcome

# What an entry of a list may be known by; the last is how SageMaker Clarify names the part of a facet.
_NAMES = ("name", "segment", "facet", "group", "value_or_threshold")
_ACRONYMS = frozenset({"auc", "roc", "f1", "mae", "mse", "rmse", "mape", "r2", "psi", "ks", "di", "dpl"})
_EXACT = 10**18
# What the first word of a path is where a file that a SageMaker job wrote speaks of it.
_OF_FILES = frozenset({"bias", "explainability", "model_quality"})
# Deeper than a report may be, and a bound for what was stored before that was checked.
_DEEPEST = 8


@dataclass(frozen=True)
class Reading:
    """How one rule stands against one report; `actual` is the number in words, or why there is none."""

    outcome: Outcome
    actual: str
    problem: str = ""


def key_of(rule: MetricRule) -> str:
    """Return the stable name of a rule's check: "metric:auc>=0.75", "metric:auc[gender=female]>=0.7"."""
    kind = "" if rule.kind is MetricKind.VALIDATION else f"{rule.kind}:"
    return f"metric:{kind}{path_of(rule)}{threshold_of(rule)}"


def path_of(rule: MetricRule) -> str:
    """Return the whole path of a rule, its segment in brackets."""
    return f"{rule.path}[{rule.segment}]" if rule.segment else rule.path


def threshold_of(rule: MetricRule) -> str:
    """Return operator and threshold: ">=0.75", "between 0.8 and 1.25"."""
    if isinstance(rule.value, tuple):
        return f" {rule.operator} {number_words(rule.value[0])} and {number_words(rule.value[1])}"
    return f"{rule.operator}{number_words(rule.value)}"


def needed_words(rule: MetricRule) -> str:
    """Say a threshold for people: "at least 0.75 is needed"."""
    if isinstance(rule.value, tuple):
        return f"between {number_words(rule.value[0])} and {number_words(rule.value[1])} is needed"
    words = {
        Operator.AT_LEAST: "at least {} is needed",
        Operator.MORE_THAN: "more than {} is needed",
        Operator.AT_MOST: "at most {} is allowed",
        Operator.LESS_THAN: "less than {} is needed",
        Operator.EQUAL: "exactly {} is needed",
    }
    return words[rule.operator].format(number_words(rule.value))


def metric_words(rule: MetricRule) -> str:
    """Name a metric for people: "AUC", "Validation AUC", "bias.post_training.DI for gender"."""
    name = rule.path
    if len(_tokens(name)) == 1:
        words = [word.upper() if word in _ACRONYMS else word for word in name.split("_")]
        name = " ".join(words)
        name = name[:1].upper() + name[1:]
    return f"{name} for {rule.segment}" if rule.segment else name


def metric_label(rule: MetricRule) -> str:
    """Name a metric beside others: what is monitored is told from what was validated."""
    name = metric_words(rule)
    return name if rule.kind is MetricKind.VALIDATION else f"{name} ({rule.kind})"


def number_words(value: Number) -> str:
    """Return a number as short as it can be told apart: 0.75, 3, 1e+22."""
    if isinstance(value, int) and abs(value) >= _EXACT:
        # Numbers come in JSON, which knows no limit; Python refuses to write out thousands of digits.
        return "more than 1e18" if value > 0 else "less than -1e18"
    return repr(value).removesuffix(".0")


def is_number(value: object) -> bool:
    """Whether this is a finite number; true, false and text are none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and _is_finite(value)


def has_number(values: object) -> bool:
    """Whether a report holds any number at all, however deep."""
    if isinstance(values, Mapping):
        return any(map(has_number, values.values()))
    if isinstance(values, list):
        return any(map(has_number, values))
    return is_number(values)


def numbers(values: object, prefix: str = "", depth: int = 0) -> dict[str, Number]:
    """Return every number of a report by its dotted path, in the order of the report; the first of one path counts."""
    found: dict[str, Number] = {}
    if depth > _DEEPEST:
        return found
    for name, value in _entries(values):
        path = f"{prefix}.{name}" if prefix else name
        inner = value["value"] if isinstance(value, Mapping) and "value" in value else value
        if is_number(inner):
            found.setdefault(path, inner)
        else:
            for deeper, number in numbers(inner, path, depth + 1).items():
                found.setdefault(deeper, number)
    return found


def number_for(rule: MetricRule, values: Mapping[str, Any]) -> Number | None:
    """Return the one number a report has for a rule; None where it has none, or several that differ."""
    found = _values(rule, values)
    return found[0] if found and is_number(found[0]) and all(value == found[0] for value in found) else None


def number_at(name: str, values: Mapping[str, Any]) -> Number | None:
    """Return the one number a report has under a dotted path, as `number_for`."""
    return number_for(MetricRule(name, Operator.AT_LEAST, 0), values)


def within(rule: MetricRule, number: Number) -> bool:
    """Whether a number meets the rule's threshold."""
    if isinstance(rule.value, tuple):
        low, high = rule.value
        return low <= number <= high
    return {
        Operator.AT_LEAST: number >= rule.value,
        Operator.MORE_THAN: number > rule.value,
        Operator.AT_MOST: number <= rule.value,
        Operator.LESS_THAN: number < rule.value,
        Operator.EQUAL: number == rule.value,
    }[rule.operator]


def read(rule: MetricRule, report: MetricsFact, now: datetime) -> Reading:
    """Compare one report with a rule. Nothing but one finite number, fresh enough, can pass."""
    found = _values(rule, report.values)
    if all(value is None for value in found):
        return Reading(Outcome.MISSING, "not reported")
    odd = [value for value in found if not is_number(value)]
    if odd:
        return Reading(Outcome.FAIL, _shown(odd[0]), "which is not a number")
    actual = " and ".join(dict.fromkeys(map(number_words, found)))
    if any(value != found[0] for value in found):
        return Reading(Outcome.FAIL, actual, "so it is reported with different values")
    if not within(rule, found[0]):
        return Reading(Outcome.FAIL, actual)
    return Reading(Outcome.PASS, actual) if _is_fresh(rule, report, now) else _too_old(rule, report, now, actual)


def asks_files(rule: MetricRule) -> bool:
    """Whether the files of SageMaker's jobs can say something of a rule: of bias, explainability, model quality."""
    return rule.kind is MetricKind.VALIDATION and first_word(rule) in _OF_FILES


def first_word(rule: MetricRule) -> str:
    """Return the first word of a rule's path: "bias" of `bias.post_training.DI[gender]`."""
    return (_tokens(rule.path) or ("",))[0]


def asks_training(rule: MetricRule) -> bool:
    """Whether a rule is about what a training job measured itself: `training.validation:auc`."""
    return rule.kind is MetricKind.VALIDATION and (_tokens(rule.path) or ("",))[0] == "training"


def is_named(rule: MetricRule, report: MetricsFact) -> bool:
    """Whether a report names what a rule is about, be it with a value or as not computed."""
    return bool(_values(rule, report.values))


def _is_fresh(rule: MetricRule, report: MetricsFact, now: datetime) -> bool:
    if rule.max_age_days is None:
        return True
    return report.captured_at is not None and now - report.captured_at <= timedelta(days=rule.max_age_days)


def _too_old(rule: MetricRule, report: MetricsFact, now: datetime, actual: str) -> Reading:
    if report.captured_at is None:
        return Reading(Outcome.FAIL, actual, f"but nobody said when it was captured (at most {_days(rule)} ago)")
    age = math.ceil((now - report.captured_at) / timedelta(days=1))
    return Reading(Outcome.FAIL, actual, f"but {age} days old, which is more than {_days(rule)}")


def _days(rule: MetricRule) -> str:
    return "1 day" if rule.max_age_days == 1 else f"{rule.max_age_days} days"


def _is_finite(value: Number) -> bool:
    return isinstance(value, int) or math.isfinite(value)


def _shown(value: object) -> str:
    if isinstance(value, Mapping | list):
        return "a group of metrics"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return f"{str(value)[:40]!r}" if isinstance(value, str) else str(value)


def _tokens(text: str) -> tuple[str, ...]:
    return tuple(part for part in re.split(r"[.\[\]]+", text) if part)


def _values(rule: MetricRule, values: Mapping[str, Any]) -> list[Any]:
    """Return everything a report says under a rule's path: nested, in lists, or under dotted keys.

    A segment stands behind the metric, `DI[gender]`, or the metric below it: `segments.gender.DI`.
    """
    found = [*_find(values, _tokens(path_of(rule)))]
    if rule.segment:
        found += _find(values, ("segments", *_tokens(rule.segment), *_tokens(rule.path)))
    return [value["value"] if isinstance(value, Mapping) and "value" in value else value for value in found]


def _find(node: object, path: Sequence[str]) -> Iterator[Any]:
    if not path:
        yield node
        return
    for name, value in _entries(node):
        head = _tokens(name)
        if head and tuple(path[: len(head)]) == head:
            yield from _find(value, path[len(head) :])


def _entries(node: object) -> Iterator[tuple[str, Any]]:
    """The named parts of a node: the keys of an object; the names of a list's entries, or else their numbers."""
    if isinstance(node, Mapping):
        yield from ((str(key), value) for key, value in node.items())
    elif isinstance(node, list):
        for index, item in enumerate(node):
            names = {str(item[key]) for key in _NAMES if key in item} if isinstance(item, Mapping) else set()
            for name in names or {str(index)}:
                yield name, item
