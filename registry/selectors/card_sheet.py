"""Every section of a model card for reading: labelled fields, lists, and metric groups in their own shapes. Pure.

What a card says beyond the schema, or in another shape than it asks for, is shown as it stands: nothing is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .card_view import flat, in_order, path_words

_TITLES = {
    "model_overview": ("Overview", "info-circle"),
    "model_package_details": ("Model package", "package"),
    "intended_uses": ("Intended uses", "target-arrow"),
    "business_details": ("Business", "building"),
    "training_details": ("Training", "flask"),
    "evaluation_details": ("Evaluation", "chart-bar"),
    "additional_information": ("Additional information", "note"),
}
_WORDS = {
    "model_id": "Model id",
    "model_artifact": "Model artifacts",
    "container_image": "Container images",
    "training_arn": "Training job",
    "training_datasets": "Training data sets",
    "evaluation_job_arn": "Evaluation job",
    "datasets": "Data sets",
    "model_package_arn": "Model package ARN",
    "explanations_for_risk_rating": "Why this risk rating",
    "factors_affecting_model_efficiency": "What affects the model",
    "evaluation_observation": "Observation",
    "user_provided_training_metrics": "Further training metrics",
    "user_provided_hyper_parameters": "Further hyperparameters",
    "hyper_parameters": "Hyperparameters",
    "custom_details": "Custom details",
}
# The width and height of a line's drawing, in its own units.
_WIDTH, _HEIGHT = 320.0, 140.0


@dataclass(frozen=True)
class Field:
    """A labelled value; several values are `lines`."""

    label: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Grid:
    """A small table: heads, and rows whose first cell says what the row is."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: str = ""


@dataclass(frozen=True)
class Line:
    """A line through points: `drawn` is the points of a polyline in a box of 320 by 140, `grid` the same as a table."""

    title: str
    drawn: str
    x_axis: str
    y_axis: str
    grid: Grid


@dataclass(frozen=True)
class Bars:
    """Named lengths: each with its value and how much of the longest it is, in percent."""

    title: str
    bars: tuple[tuple[str, str, float], ...]
    notes: str = ""


@dataclass
class Group:
    """One group of metrics: the plain ones in a table, and the charts after it."""

    name: str
    simple: list[tuple[str, str, str]] = field(default_factory=list)
    charts: list[Grid | Line | Bars] = field(default_factory=list)


@dataclass
class Evaluation:
    """One evaluation: what was observed, on which data, with which metrics."""

    name: str
    fields: list[Field] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)


@dataclass
class Section:
    """One section of a card; `rest` is what is not in the shape that the schema asks for, as JSON."""

    key: str
    title: str
    icon: str
    fields: list[Field] = field(default_factory=list)
    grids: list[Grid] = field(default_factory=list)
    evaluations: list[Evaluation] = field(default_factory=list)
    rest: list[tuple[str, Any]] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        return not (self.fields or self.grids or self.evaluations or self.rest)


def sheet(content: Mapping[str, Any] | None) -> list[Section]:
    """Return every section of a card that holds anything, in the schema's order and then in the card's."""
    content = content or {}
    shown = []
    for key in [*(key for key in _TITLES if key in content), *(key for key in content if key not in _TITLES)]:
        title, icon = _TITLES.get(key, (label(key), "note"))
        section = Section(key, title, icon)
        value = content[key]
        if key == "evaluation_details" and isinstance(value, list):
            _evaluations(section, value)
        elif isinstance(value, Mapping):
            _fields(section, value)
        elif value not in (None, "", []):
            section.rest.append((title, value))
        if not section.is_empty:
            shown.append(section)
    return shown


def label(key: str) -> str:
    """Return a field's name in plain words."""
    words = _WORDS.get(key) or str(key).replace("_", " ")
    return words[:1].upper() + words[1:]


def differences(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """Return field by field what two contents say differently, in the order of a card's sections."""
    old, new = flat(before or {}), flat(after or {})
    order = list(_TITLES)
    paths = sorted({*old, *new}, key=lambda path: (_place(order, path), path))
    return [
        {"field": path_words(path), "before": _said(old.get(path)), "after": _said(new.get(path))}
        for path in paths
        if (path in old, old.get(path)) != (path in new, new.get(path))
    ]


def text(value: Any) -> str:
    """Return a plain value as people read it; "" where there is none."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _place(order: list[str], path: str) -> int:
    head = path.split(".", maxsplit=1)[0].split(" ", maxsplit=1)[0]
    return order.index(head) if head in order else len(order)


def _said(value: Any) -> str | None:
    return None if value is None or isinstance(value, dict | list) else text(value)


def _fields(section: Section, values: Mapping[str, Any]) -> None:
    for key, value in in_order(values):
        if value in (None, "", [], {}):
            continue
        if isinstance(value, Mapping):
            _fields(section, value)
        elif not isinstance(value, list):
            section.fields.append(Field(label(key), (text(value),)))
        elif all(not isinstance(item, Mapping | list) for item in value):
            section.fields.append(Field(label(key), tuple(text(item) for item in value)))
        elif all(isinstance(item, Mapping) and "name" in item for item in value):
            section.grids.append(_named(label(key), value))
        else:
            section.rest.append((label(key), value))


def _named(title: str, rows: list[Any]) -> Grid:
    has_notes = any(row.get("notes") for row in rows)
    cells = tuple(
        (text(row["name"]), _plain(row.get("value")), *([text(row.get("notes"))] if has_notes else [])) for row in rows
    )
    return Grid(title, ("Name", "Value", *(["Notes"] if has_notes else [])), cells)


def _plain(value: Any) -> str:
    return "" if isinstance(value, Mapping | list) else text(value)


def _evaluations(section: Section, entries: list[Any]) -> None:
    for place, entry in enumerate(entries, start=1):
        if not isinstance(entry, Mapping):
            section.rest.append((f"Evaluation {place}", entry))
            continue
        shown = Evaluation(text(entry.get("name")) or f"Evaluation {place}")
        beside = Section("", "", "")
        _fields(beside, {key: value for key, value in entry.items() if key not in ("name", "metric_groups")})
        shown.fields = beside.fields
        section.rest += beside.rest
        groups = entry.get("metric_groups")
        for group in groups if isinstance(groups, list) else ():
            if isinstance(group, Mapping):
                shown.groups.append(_group(section, group))
            else:
                section.rest.append((f"{shown.name}: metrics", group))
        section.evaluations.append(shown)


def _group(section: Section, group: Mapping[str, Any]) -> Group:
    shown = Group(text(group.get("name")) or "Metrics")
    data = group.get("metric_data")
    for metric in data if isinstance(data, list) else ():
        if not isinstance(metric, Mapping):
            section.rest.append((shown.name, metric))
            continue
        name, value = text(metric.get("name")) or "unnamed", metric.get("value")
        chart = _chart(name, metric, value)
        if chart is not None:
            shown.charts.append(chart)
        elif isinstance(value, Mapping | list):
            section.rest.append((f"{shown.name}: {name}", value))
        else:
            shown.simple.append((name, text(value), text(metric.get("notes"))))
    return shown


def _chart(name: str, metric: Mapping[str, Any], value: Any) -> Grid | Line | Bars | None:
    if not isinstance(value, list) or not value:
        return None
    if all(_is_number(item) for item in value):
        return _bars(name, metric, value)
    if not all(isinstance(row, list) and row and all(_is_number(item) for item in row) for row in value):
        return None
    if metric.get("type") == "linear_graph" and all(len(row) == 2 for row in value):
        return _line(name, metric, value)
    return _matrix(name, metric, value)


def _bars(name: str, metric: Mapping[str, Any], values: list[Any]) -> Bars:
    longest = max(abs(value) for value in values) or 1
    names = _names(metric.get("x_axis_name"), len(values))
    bars = tuple((names[at], text(value), round(abs(value) / longest * 100, 1)) for at, value in enumerate(values))
    return Bars(name, bars, text(metric.get("notes")))


def _line(name: str, metric: Mapping[str, Any], points: list[Any]) -> Line:
    columns = [[point[0] for point in points], [point[1] for point in points]]
    lows, spans = [min(c) for c in columns], [(max(c) - min(c)) or 1 for c in columns]
    drawn = " ".join(
        f"{(x - lows[0]) / spans[0] * _WIDTH:.1f},{_HEIGHT - (y - lows[1]) / spans[1] * _HEIGHT:.1f}" for x, y in points
    )
    axes = [_plain(metric.get(key)) or other for key, other in (("x_axis_name", "x"), ("y_axis_name", "y"))]
    rows = tuple((text(x), text(y)) for x, y in points)
    return Line(name, drawn, axes[0], axes[1], Grid(name, (axes[0], axes[1]), rows, text(metric.get("notes"))))


def _matrix(name: str, metric: Mapping[str, Any], rows: list[Any]) -> Grid:
    width = max(len(row) for row in rows)
    heads = _names(metric.get("x_axis_name"), width)
    sides = _names(metric.get("y_axis_name"), len(rows))
    cells = tuple(
        (sides[at], *(text(item) for item in row), *([""] * (width - len(row)))) for at, row in enumerate(rows)
    )
    return Grid(name, ("", *heads), cells, text(metric.get("notes")))


def _names(given: Any, count: int) -> list[str]:
    names = [text(item) for item in given] if isinstance(given, list) else []
    return [names[at] if at < len(names) and names[at] else str(at + 1) for at in range(count)]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
