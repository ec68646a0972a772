"""What a report holds as a table: the columns of the data, the limits for drift, the bias a baseline was taken at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from portal.core.figures import Cell, Grid
from portal.core.templatetags.wording import number_words

from ..reports import bias, data_quality, explainability, model_quality
from ..reports.kinds import ReportKind
from ..reports.values import Number

MOST_ROWS = 200


@dataclass(frozen=True)
class ReportTable:
    """Rows of text under headings, None for what was not reported; `left_out` rows more are in the report."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str | None, ...], ...]
    left_out: int = 0

    @property
    def grid(self) -> Grid:
        """The same, ready to be drawn."""
        return Grid(self.headings, tuple(tuple(map(Cell, row)) for row in self.rows))


def table_of(kind: ReportKind, content: Mapping[str, Any]) -> ReportTable | None:
    """Return what a report holds that no other part of a page shows, None where there is nothing of the kind."""
    name = kind.value.removeprefix("baseline_")
    if name == "data_quality":
        headings = ("Column", "Type", "Present", "Missing", "Mean", "Sum", "Deviation", "Least", "Most", "Different")
        return _table(headings, [*_columns(content)])
    if name == "data_quality_constraints":
        return _table(("Column", "Type", "At least present", "Values"), [*_constraints(content)])
    if name == "model_quality_constraints":
        return _table(("Measure", "Limit"), [(one.name, limit_words(one)) for one in model_quality.limits(content)])
    if not kind.is_baseline:
        return None
    if name == "model_quality":
        found = [(one.name, number(one.value)) for said in model_quality.parse(content) for one in said.metrics]
        return _table(("Measure", "Value"), found)
    if name == "explainability":
        return _table(("Label", "Feature", "Weight"), [*_weights(content)])
    if name in ("bias_pre_training", "bias_post_training"):
        return _table(("Group", "Metric", "Value"), [*_biases(name, content)])
    return None


def limit_words(limit: model_quality.QualityLimit | None) -> str:
    """Say a limit for people: "at least 0.8"; "" for none."""
    if limit is None or limit.threshold is None:
        return ""
    words = {"LessThanThreshold": "at least", "GreaterThanThreshold": "at most"}.get(limit.operator, limit.operator)
    return f"{words} {limit.threshold:.6g}".strip()


def number(value: Number | None) -> str | None:
    """Return a number as people read it, None for none."""
    return None if value is None else number_words(value)


def _table(headings: tuple[str, ...], rows: Sequence[tuple[str | None, ...]]) -> ReportTable | None:
    if not rows:
        return None
    return ReportTable(headings, tuple(rows[:MOST_ROWS]), max(0, len(rows) - MOST_ROWS))


def _columns(content: Mapping[str, Any]) -> Iterator[tuple[str | None, ...]]:
    for one in data_quality.statistics(content).features:
        numbers = (one.present, one.missing, one.mean, one.total, one.deviation, one.least, one.most, one.distinct)
        yield one.name, one.inferred_type or None, *map(number, numbers)


def _constraints(content: Mapping[str, Any]) -> Iterator[tuple[str | None, ...]]:
    for one in data_quality.constraints(content):
        values = ", ".join(one.domain) or ("not negative" if one.is_non_negative else "any")
        share = None if one.completeness is None else f"{one.completeness:.4%}".replace(".0000", "")
        yield one.name, one.inferred_type or None, share, values


def _weights(content: Mapping[str, Any]) -> Iterator[tuple[str | None, ...]]:
    for said in explainability.parse(content):
        for one in said.attributions:
            yield said.label or said.method, one.feature, number(one.value)


def _biases(name: str, content: Mapping[str, Any]) -> Iterator[tuple[str | None, ...]]:
    for part in bias.parse(content):
        if name == f"bias_{part.phase}":
            for one in part.metrics:
                yield f"{part.facet} {part.part}".strip(), one.code, number(one.value)
