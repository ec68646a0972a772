"""Numbers of several versions beside each other: which way is better, by how much they differ. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Any

from .facts import MetricRule, Number, Operator
from .metrics import is_number, path_of


class Direction(StrEnum):
    """Which of two values of a metric is the better one; nobody knows for most."""

    HIGHER = "higher is better"
    LOWER = "lower is better"
    UNKNOWN = ""


_HIGHER = frozenset(
    {"accuracy", "auc", "balanced_accuracy", "f1", "f0_5", "f2", "gini", "ks", "ndcg", "precision", "r2", "recall"}
)
_LOWER = frozenset(
    {"brier", "error", "latency", "latency_ms", "log_loss", "logloss", "loss", "mae", "mape", "mse", "psi", "rmse"}
)
_OF_OPERATOR = {
    Operator.AT_LEAST: Direction.HIGHER,
    Operator.MORE_THAN: Direction.HIGHER,
    Operator.AT_MOST: Direction.LOWER,
    Operator.LESS_THAN: Direction.LOWER,
}
# Differences of floats carry noise behind the digits people reported.
_DIGITS = 10
_LARGEST = 10**15


def direction_of(name: str, rules: Iterable[MetricRule] = ()) -> Direction:
    """Return which way a metric is better: as the policy's rules about it say, or else as its name is known for.

    `name` is the dotted path it was reported under; rules that contradict each other, or ask for a value between two
    ends, leave it unknown.
    """
    words = _tokens(name)
    said = [_OF_OPERATOR.get(rule.operator) for rule in rules if _is_about(_tokens(path_of(rule)), words)]
    if said:
        first = said[0]
        return first if first is not None and all(one is first for one in said) else Direction.UNKNOWN
    last = words[-1] if words else ""
    known = next((word for word in (last, last.split("_", 1)[-1]) if word in _HIGHER | _LOWER), "")
    if not known:
        return Direction.UNKNOWN
    return Direction.HIGHER if known in _HIGHER else Direction.LOWER


def best_of(values: Sequence[Any], direction: Direction) -> tuple[bool, ...]:
    """Return which of the values are the best: none where nobody knows which way is better or all agree."""
    numbers = [value for value in values if is_number(value)]
    if direction is Direction.UNKNOWN or len(numbers) < 2 or all(number == numbers[0] for number in numbers):
        return tuple(False for _ in values)
    best = max(numbers) if direction is Direction.HIGHER else min(numbers)
    return tuple(is_number(value) and value == best for value in values)


def delta_words(before: Any, after: Any) -> str:
    """Say by how much a number changed: "+0.02", "-3"; "" where one of them is no number or they agree."""
    if not (is_number(before) and is_number(after)) or max(abs(before), abs(after)) > _LARGEST:
        return ""
    change: Number = after - before
    if not isinstance(change, int):
        change = round(change, _DIGITS)
    if change == 0:
        return ""
    return f"{change:+}" if isinstance(change, int) else f"{change:+.6g}"


def verdict_words(before: Any, after: Any, direction: Direction) -> str:
    """Say whether a change of a number is one for the better: "better", "worse"; "" where nobody can say."""
    if direction is Direction.UNKNOWN or not delta_words(before, after):
        return ""
    return "better" if (after > before) is (direction is Direction.HIGHER) else "worse"


def _tokens(path: str) -> tuple[str, ...]:
    # A card says a metric as {name, value}: the leaf's own word says nothing.
    found = tuple(part.lower() for part in re.split(r"[.\[\]\s]+", path) if part)
    return found[:-1] if len(found) > 1 and found[-1] == "value" else found


def _is_about(rule: Sequence[str], metric: Sequence[str]) -> bool:
    return bool(rule) and tuple(metric[-len(rule) :]) == tuple(rule)
