"""What a pipeline's check calculated itself, as the lines people look at: bias, explanations, quality of the model.

The file is that of the jobs behind the checks: Clarify's analysis.json, Model Monitor's statistics.json. Source:
SageMaker pipelines, ClarifyCheck (CalculatedBaselineConstraints) and QualityCheck (CalculatedBaselineStatistics) steps.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from . import bias, data_quality, explainability, model_quality
from .bias_words import Verdict, meaning_of, verdict_of
from .document import ReportProblem, Unreadable
from .values import Number

MOST = 200


@dataclass(frozen=True)
class ResultRow:
    """One number of a result: what it is about, None where it was not computed, and what people should know of it."""

    what: str
    value: Number | None
    note: str = ""


@dataclass(frozen=True)
class CheckResult:
    """The numbers of a result, at most `MOST`; `left_out` says how many more there are."""

    rows: tuple[ResultRow, ...]
    left_out: int = 0


def read_result(content: Mapping[str, Any]) -> CheckResult:
    """Return what a check calculated. Raises Unreadable for a file that holds none of what checks calculate."""
    readers = (
        (bias.has_bias, _bias),
        (explainability.has_explanations, _explanations),
        (model_quality.has_metrics, _quality),
        (model_quality.has_limits, _limits),
        (data_quality.has_features, _columns),
    )
    fitting = [read for is_there, read in readers if is_there(content)]
    if not fitting:
        raise Unreadable(
            ReportProblem.WRONG_TYPE,
            "It is JSON, but no result of a check: it has no bias metrics, explanations, metrics or columns.",
        )
    rows = [row for read in fitting for row in read(content)]
    return CheckResult(tuple(rows[:MOST]), max(0, len(rows) - MOST))


def _bias(content: Mapping[str, Any]) -> Iterator[ResultRow]:
    for part in bias.parse(content):
        about = f"{part.facet} = {part.part}" if part.part else part.facet
        for metric in part.metrics:
            meaning = meaning_of(metric.code)
            told = [meaning.name if meaning else metric.description, metric.note]
            if verdict_of(metric.code, metric.value) is Verdict.OUTSIDE:
                told.append("outside what is usual")
            yield ResultRow(f"{metric.code} of {about}", metric.value, "; ".join(one for one in told if one))


def _explanations(content: Mapping[str, Any]) -> Iterator[ResultRow]:
    for found in explainability.parse(content):
        told = ", ".join(one for one in (found.method, found.label) if one)
        yield from (ResultRow(f"Weight of {one.feature}", one.value, told) for one in found.attributions)


def _quality(content: Mapping[str, Any]) -> Iterator[ResultRow]:
    for found in model_quality.parse(content):
        for metric in found.metrics:
            spread = f"standard deviation {metric.deviation:g}" if metric.deviation is not None else ""
            yield ResultRow(metric.name, metric.value, spread)


def _limits(content: Mapping[str, Any]) -> Iterator[ResultRow]:
    for limit in model_quality.limits(content):
        yield ResultRow(limit.name, limit.threshold, limit.operator)


def _columns(content: Mapping[str, Any]) -> Iterator[ResultRow]:
    """Of each column what statistics count as missing, or how complete constraints want it."""
    asked = data_quality.constraints(content)
    for found, one in zip(data_quality.statistics(content).features, asked, strict=True):
        if one.completeness is not None:
            yield ResultRow(f"Share of {one.name} that is there", one.completeness, one.inferred_type)
        else:
            yield ResultRow(f"Missing values of {found.name}", found.missing, found.inferred_type)
