"""What the data behind a model look like, as SageMaker Model Monitor's data quality jobs report it.

Source: SageMaker Developer Guide, "Schema for statistics (statistics.json file)", "Schema for constraints
(constraints.json file)".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from . import values
from .values import Number


@dataclass(frozen=True, slots=True)
class FeatureStatistics:
    """What was counted of one column; a measure that does not apply, or was not computed, is None."""

    name: str
    inferred_type: str
    present: Number | None
    missing: Number | None
    mean: Number | None
    deviation: Number | None
    least: Number | None
    most: Number | None
    distinct: Number | None
    total: Number | None = None


@dataclass(frozen=True, slots=True)
class DataStatistics:
    """What a statistics file says of a data set of `items` rows."""

    items: Number | None
    features: tuple[FeatureStatistics, ...]


@dataclass(frozen=True, slots=True)
class FeatureConstraint:
    """What is asked of one column: type, the share of values that must be there (0 to 1), the values allowed."""

    name: str
    inferred_type: str
    completeness: Number | None
    is_non_negative: bool | None
    domain: tuple[str, ...]


def statistics(content: Mapping[str, Any]) -> DataStatistics:
    """Return what a statistics file says, column by column."""
    items = values.number(values.section(content.get("dataset")).get("item_count"))
    return DataStatistics(items, tuple(map(_feature, values.sections(content.get("features")))))


def constraints(content: Mapping[str, Any]) -> tuple[FeatureConstraint, ...]:
    """Return what a constraints file asks of each column."""
    return tuple(map(_constraint, values.sections(content.get("features"))))


def has_features(content: Mapping[str, Any]) -> bool:
    """Whether this is a file about columns at all."""
    return isinstance(content.get("features"), list)


def _feature(one: Mapping[str, Any]) -> FeatureStatistics:
    numerical, text = values.section(one.get("numerical_statistics")), values.section(one.get("string_statistics"))
    common = values.section((numerical or text).get("common"))
    return FeatureStatistics(
        name=values.name(one.get("name")),
        inferred_type=values.name(one.get("inferred_type")),
        present=values.number(common.get("num_present")),
        missing=values.number(common.get("num_missing")),
        mean=values.number(numerical.get("mean")),
        deviation=values.number(numerical.get("std_dev")),
        least=values.number(numerical.get("min")),
        most=values.number(numerical.get("max")),
        distinct=values.number(text.get("distinct_count")),
        total=values.number(numerical.get("sum")),
    )


def _constraint(one: Mapping[str, Any]) -> FeatureConstraint:
    numbers, text = values.section(one.get("num_constraints")), values.section(one.get("string_constraints"))
    non_negative, domain = numbers.get("is_non_negative"), text.get("domains")
    return FeatureConstraint(
        name=values.name(one.get("name")),
        inferred_type=values.name(one.get("inferred_type")),
        completeness=values.number(one.get("completeness")),
        is_non_negative=non_negative if isinstance(non_negative, bool) else None,
        domain=tuple(map(values.name, domain)) if isinstance(domain, list) else (),
    )
