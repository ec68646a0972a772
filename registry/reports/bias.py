"""Bias as SageMaker Clarify reports it, before and after training, per facet of the data.

Source: SageMaker Developer Guide, "Analyze your data and model for bias"; the analysis.json of a processing job.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from portal.core.vocabulary import Word

from . import values
from .values import Number

_DEEPEST = 12
# What a part of a facet may say beside what is nested in it.
_OWN = frozenset({"metrics", "value_or_threshold", "facets"})


class Phase(Word):
    """Whether bias was measured in the data or in what the model makes of it."""

    PRE_TRAINING = "pre_training"
    POST_TRAINING = "post_training"

    @property
    def label(self) -> str:
        return self.value.replace("_", "-").capitalize()


@dataclass(frozen=True, slots=True)
class BiasMetric:
    """One metric of one part of a facet; `value` is None where Clarify could not compute it, `note` then says why."""

    code: str
    description: str
    value: Number | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class FacetPart:
    """What was measured for one value, or range of values, of a facet, for one label."""

    phase: Phase
    facet: str
    part: str
    label: str
    label_value: str
    metrics: tuple[BiasMetric, ...]


def parse(content: Mapping[str, Any]) -> tuple[FacetPart, ...]:
    """Return every measured part of a bias report, those before training first, in the order of the report.

    Several labels come as a list of sections or as sections by label; facets nested in facets are named "a / b".
    """
    return tuple(
        part
        for phase in Phase
        for label in _labels(content.get(f"{phase}_bias_metrics"))
        for part in _parts(phase, label)
    )


def has_bias(content: Mapping[str, Any], *phases: Phase) -> bool:
    """Whether this is a report of bias at all (of one of these phases), be it without a single number."""
    return any(isinstance(content.get(f"{phase}_bias_metrics"), Mapping | list) for phase in phases or Phase)


def left_out(content: Mapping[str, Any]) -> int:
    """Return how many values the bias sections have that `parse` found no facet for: shapes nobody knew of."""
    held = sum(values.count(content.get(f"{phase}_bias_metrics"), "value") for phase in Phase)
    return max(0, held - sum(len(part.metrics) for part in parse(content)))


def _labels(found: Any) -> Iterator[Mapping[str, Any]]:
    for one in values.sections(found):
        if "facets" in one:
            yield one
        for label, deeper in one.items():
            if label != "facets":
                for inner in values.sections(deeper):
                    if "facets" in inner:
                        yield {"label": label, **inner}


def _parts(phase: Phase, found: Mapping[str, Any]) -> Iterator[FacetPart]:
    label, label_value = values.name(found.get("label")), values.name(found.get("label_value_or_threshold"))
    for facet, one in _facets(found.get("facets"), ()):
        yield FacetPart(
            phase,
            " / ".join(facet),
            values.name(one.get("value_or_threshold")),
            label,
            label_value,
            tuple(_metrics(one.get("metrics"))),
        )


def _facets(found: Any, above: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    if len(above) > _DEEPEST:
        return
    for facet, inside in values.section(found).items():
        path = (*above, values.name(facet))
        for one in values.sections(inside):
            nested = {
                name: deeper for name, deeper in one.items() if name not in _OWN and isinstance(deeper, Mapping | list)
            }
            if "metrics" in one or ("value_or_threshold" in one and not nested and "facets" not in one):
                yield path, one
            yield from _facets(one.get("facets"), path)
            yield from _facets(nested, path)


def _metrics(found: Any) -> Iterator[BiasMetric]:
    if isinstance(found, Mapping):
        # Some write the metrics by name.
        found = [{**one, "name": name} if isinstance(one, Mapping) else {"name": name, "value": one}
                 for name, one in found.items()]  # fmt: skip
    for one in values.sections(found):
        code = values.name(one.get("name") or one.get("description"))
        if code:
            value = one.get("value")
            note = values.name(one.get("error") or one.get("errors")) or values.said_instead(value)
            yield BiasMetric(code, values.name(one.get("description")), values.number(value), note)
