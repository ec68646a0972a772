"""How much each feature weighs in a model's predictions, as SageMaker Clarify reports it.

Source: SageMaker Developer Guide, "Feature attributions that use Shapley values"; analysis.json of a processing job.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from . import values
from .values import Number

_GLOBAL = "global_shap_values"
# What a label's section may hold beside its attributions.
_EXPECTED = "expected_value"
_DEEPEST_LABEL = 3


@dataclass(frozen=True, slots=True)
class Attribution:
    """How much one feature weighs; None where it was not computed, `note` then says what stands there instead."""

    feature: str
    value: Number | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Explanation:
    """The features of one label by one method, the weightiest first; `expected` is the prediction without any."""

    method: str
    label: str
    expected: Number | None
    attributions: tuple[Attribution, ...]


def parse(content: Mapping[str, Any]) -> tuple[Explanation, ...]:
    """Return the attributions of every method and label, in the order of the report."""
    return tuple(
        explanation
        for method, found in values.section(content.get("explanations")).items()
        for explanation in _labels(values.name(method), (), found)
    )


def has_explanations(content: Mapping[str, Any]) -> bool:
    """Whether this is a report of explanations at all."""
    return isinstance(content.get("explanations"), Mapping)


def others(content: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the methods of a report that say nothing of how much features weigh, such as partial dependence (pdp)."""
    weighed = {one.method for one in parse(content)}
    methods = map(values.name, values.section(content.get("explanations")))
    return tuple(method for method in methods if method not in weighed)


def _labels(method: str, path: tuple[str, ...], found: Any) -> Iterator[Explanation]:
    if len(path) > _DEEPEST_LABEL:
        return
    for one in values.sections(found):
        if _GLOBAL in one:
            label = " / ".join(path) or values.name(one.get("label"))
            yield Explanation(method, label, _expected(one.get(_EXPECTED)), _attributions(one[_GLOBAL]))
        else:
            for name, deeper in one.items():
                yield from _labels(method, (*path, values.name(name)), deeper)


def _expected(value: Any) -> Number | None:
    return values.number(_single(value))


def _single(value: Any) -> Any:
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _attributions(found: Any) -> tuple[Attribution, ...]:
    if isinstance(found, list):
        pairs = [(one.get("feature_name") or one.get("name"), one.get("value")) for one in values.sections(found)]
    else:
        pairs = list(values.section(found).items())
    read = [
        Attribution(values.name(feature), _expected(value), values.said_instead(_single(value)))
        for feature, value in pairs
        if feature
    ]
    return tuple(sorted(read, key=lambda one: -abs(one.value) if one.value is not None else 1))
