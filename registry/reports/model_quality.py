"""How well a model predicts, as SageMaker Model Monitor's model quality jobs report it.

Source: SageMaker Developer Guide, "Model quality metrics and Amazon CloudWatch monitoring"; statistics.json and
constraints.json of a baselining or monitoring job.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from portal.core.vocabulary import Word

from . import values
from .values import Number

_CONFUSION = "confusion_matrix"
MOST_CLASSES = 50
_MOST_POINTS = 400


class Task(Word):
    """What the model is asked for."""

    REGRESSION = "regression"
    BINARY = "binary_classification"
    MULTICLASS = "multiclass_classification"


@dataclass(frozen=True, slots=True)
class QualityMetric:
    """One measure of quality with its standard deviation; None where it was not computed, `note` says what is there."""

    name: str
    value: Number | None
    deviation: Number | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Confusion:
    """How often each true class was predicted as each: `counts[i][j]` of true class i predicted as j, None unknown."""

    classes: tuple[str, ...]
    counts: tuple[tuple[Number | None, ...], ...]


@dataclass(frozen=True, slots=True)
class Curve:
    """A curve over all thresholds, as points of x and y, each between 0 and 1."""

    name: str
    x_name: str
    y_name: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class ModelQuality:
    """What one statistics file says; `items` is the number of predictions it rests on.

    `untold` says, for people, which parts of it could not be taken as what they are called.
    """

    task: Task
    items: Number | None
    metrics: tuple[QualityMetric, ...]
    confusion: Confusion | None
    curves: tuple[Curve, ...]
    untold: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class QualityLimit:
    """One limit of a constraints file: "LessThanThreshold" means that lower values violate it."""

    name: str
    threshold: Number | None
    operator: str


_CURVES = {
    "receiver_operating_characteristic_curve": (
        "ROC curve", "false_positive_rates", "True cases found", "true_positive_rates", "False alarms"
    ),
    "precision_recall_curve": ("Precision and recall", "recalls", "Precision", "precisions", "Recall"),
}  # fmt: skip


def parse(content: Mapping[str, Any]) -> tuple[ModelQuality, ...]:
    """Return what a statistics file says, one for each kind of task it holds; usually that is one."""
    items = values.number(values.section(content.get("dataset")).get("item_count"))
    return tuple(
        _quality(task, items, content[f"{task}_metrics"])
        for task in Task
        if isinstance(content.get(f"{task}_metrics"), Mapping)
    )


def limits(content: Mapping[str, Any]) -> tuple[QualityLimit, ...]:
    """Return the limits of a constraints file, in its order."""
    return tuple(
        QualityLimit(
            values.name(name), values.number(one.get("threshold")), values.name(one.get("comparison_operator"))
        )
        for task in Task
        for name, one in values.section(content.get(f"{task}_constraints")).items()
        if isinstance(one, Mapping)
    )


def has_metrics(content: Mapping[str, Any]) -> bool:
    """Whether this is a statistics file of model quality at all."""
    return any(isinstance(content.get(f"{task}_metrics"), Mapping) for task in Task)


def has_limits(content: Mapping[str, Any]) -> bool:
    """Whether this is a constraints file of model quality at all."""
    return any(isinstance(content.get(f"{task}_constraints"), Mapping) for task in Task)


def _quality(task: Task, items: Number | None, found: Mapping[str, Any]) -> ModelQuality:
    metrics: list[QualityMetric] = []
    curves: list[Curve] = []
    untold: list[str] = []
    confusion = None
    for name, one in found.items():
        if name == _CONFUSION:
            confusion = _confusion(one)
            if confusion is None:
                untold.append(f"The confusion matrix has no classes, or more than {MOST_CLASSES}.")
        elif name in _CURVES:
            curve, why = _curve(name, values.section(one))
            curves += [curve] if curve else []
            untold += [f"{_CURVES[name][0]}: {why}"] if why else []
        else:
            metrics.append(_metric(values.name(name), one))
    return ModelQuality(task, items, tuple(metrics), confusion, tuple(curves), tuple(untold))


def _metric(name: str, one: Any) -> QualityMetric:
    measured = isinstance(one, Mapping)
    value, deviation = (one.get("value"), one.get("standard_deviation")) if measured else (one, None)
    return QualityMetric(name, values.number(value), values.number(deviation), values.said_instead(value))


def _confusion(found: Any) -> Confusion | None:
    rows = {values.name(true): values.section(row) for true, row in values.section(found).items()}
    classes = dict.fromkeys([*rows, *(values.name(said) for row in rows.values() for said in row)])
    if not classes or len(classes) > MOST_CLASSES:
        return None
    return Confusion(
        tuple(classes),
        tuple(tuple(values.number(rows.get(true, {}).get(said)) for said in classes) for true in classes),
    )


def _curve(name: str, found: Mapping[str, Any]) -> tuple[Curve | None, str]:
    """Return a curve, if there is one, and what of it is not drawn, in words."""
    words, x, y_name, y, x_name = _CURVES[name]
    xs, ys = found.get(x), found.get(y)
    if not (isinstance(xs, list) and isinstance(ys, list)) or len(xs) != len(ys):
        return None, "its two lists of values are missing, or not of the same length."
    points = [
        (float(a), float(b))
        for a, b in zip(map(values.number, xs), map(values.number, ys), strict=True)
        if a is not None and b is not None and 0 <= a <= 1 and 0 <= b <= 1
    ]
    odd = len(xs) - len(points)
    why = f"{odd} of {len(xs)} points are not drawn, they are no numbers between 0 and 1." if odd else ""
    if len(points) < 2:
        return None, why or "it has fewer than two points."
    step = -(-len(points) // _MOST_POINTS)
    return Curve(words, x_name, y_name, tuple(dict.fromkeys([*points[::step], points[-1]]))), why
