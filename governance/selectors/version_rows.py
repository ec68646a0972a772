"""Model versions as plain rows, with the tier of risk that policies look at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any

from django.db.models import QuerySet

from portal.core.actors import Actor
from portal.core.vocabulary import RiskRating
from registry.models import ModelVersion
from registry.selectors import version_rows
from registry.selectors.version_rows import SERVES, Row, Served

from ..policies.facts import Tier, UseCaseRisk
from ..policies.rules import tier_of_version

_TIER = ("risk_rating", SERVES)
_MADE: dict[str, Callable[[Row], str]] = {
    "risk_tier": lambda row: tier_of(row).value.value,
    "risk_tier_source": lambda row: tier_of(row).source,
}


def visible(actor: Actor) -> QuerySet[ModelVersion]:
    """Return the versions an actor sees, to be filtered and then made plain."""
    return version_rows.visible(actor)


def plain(rows: QuerySet[ModelVersion], names: Sequence[str], also: Sequence[str] = ()) -> QuerySet[ModelVersion, Row]:
    """Return versions as plain rows with what these names are made of, and the columns `also`."""
    needed = (*also, *_TIER) if any(name in _MADE for name in names) else also
    return version_rows.plain(rows, names, needed)


def shown(rows: Iterable[Row], names: Sequence[str]) -> list[dict[str, Any]]:
    """Return what these names say of rows that `plain` made for them; one query for all the rows."""
    getters = [(name, _MADE[name] if name in _MADE else version_rows.getter(name)) for name in names]
    return [{name: read(row) for name, read in getters} for row in version_rows.with_use_cases(rows)]


def shown_one(row: Row, names: Sequence[str]) -> dict[str, Any]:
    """Return what these names say of one row that has its use cases already."""
    return {name: (_MADE[name] if name in _MADE else version_rows.getter(name))(row) for name in names}


def tier_of(row: Row) -> Tier:
    """Return the tier of risk of a row, and where it comes from."""
    return _tier(row["risk_rating"], row[SERVES])


@lru_cache(maxsize=4096)
def _tier(rating: str, serves: tuple[Served, ...]) -> Tier:
    risks = [UseCaseRisk(use_case.public_id, use_case.risk_class) for use_case in serves]
    return tier_of_version(RiskRating(rating), risks)
