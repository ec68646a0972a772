"""Model versions as plain rows: what a list of them or one of them says, without model objects.

Making an object and asking a serializer for each field of it is nine tenths of what a page of a hundred versions costs.
The names are those of the REST API, whose serializers remain what documents them; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, QuerySet

from portal.core.actors import Actor
from portal.core.vocabulary import RiskClass

from ..models import ModelVersion, UseCase, User, VersionUseCase

Row = dict[str, Any]


@lru_cache(maxsize=4096)
def _person(username: str | None, first_name: str, last_name: str, display_name: str) -> str | None:
    """Return how a person is named, None for nobody."""
    if username is None:
        return None
    return str(User(username=username, first_name=first_name, last_name=last_name, display_name=display_name))


# Names whose value is a column's: the API's name, and the path to the column.
COLUMNS: dict[str, str] = {
    "id": "pk",
    "model_package_arn": "arn",
    "group": "group__name",
    "version": "number",
    "project": "group__project__key",
    "risk": "risk_rating",
    "registered_by": "registered_by__username",
    **{
        name: name
        for name in (
            "group_id", "description", "purpose", "stage", "status", "aws_status", "aws_approval_status",
            "aws_approval_description", "aws_stage", "aws_stage_status", "aws_created_at", "aws_modified_at",
            "artifact_url", "artifact_etag", "hub_artifact_url", "hub_artifact_sha256", "hub_artifact_copied_at",
            "content_digest", "registrant_arn", "modifier_arn", "missing_since", "seen_at", "revision", "containers",
            "metric_sources", "drift_baselines", "metadata", "card", "card_status", "source_uri", "training_job_arn",
        )
    },
}  # fmt: skip
SERVES = "serves"
_PERSON = ("username", "first_name", "last_name", "display_name")
_OWNER = tuple(f"group__owner__{name}" for name in _PERSON)
_LINE = "group__project__line_of_business__name"
# Names that are made of several columns, with those.
_MADE: dict[str, tuple[tuple[str, ...], Callable[[Row], Any]]] = {
    "name": (("group__name", "number"), lambda row: f"{row['group__name']}/{row['number']}"),
    "owner": (("owner_name", *_OWNER), lambda row: row["owner_name"] or _person(*(row[path] for path in _OWNER))),
    "line_of_business": (("line_of_business", _LINE), lambda row: row["line_of_business"] or row[_LINE]),
    "use_cases": ((SERVES,), lambda row: [use_case.public_id for use_case in row[SERVES]]),
}


class Served(NamedTuple):
    """What a version's row says of a use case it serves."""

    number: int
    public_id: str
    risk_class: RiskClass


def visible(actor: Actor) -> QuerySet[ModelVersion]:
    """Return the versions an actor sees, to be filtered and then made plain."""
    return ModelVersion.objects.visible_to(actor)


def plain(rows: QuerySet[ModelVersion], names: Sequence[str], also: Sequence[str] = ()) -> QuerySet[ModelVersion, Row]:
    """Return versions as plain rows with the columns that these names are made of, and the columns `also`.

    Of use cases a row has the keys alone, until `with_use_cases` puts the use cases in their place.
    """
    paths = dict.fromkeys(also)
    for name in names:
        paths.update(dict.fromkeys([COLUMNS[name]] if name in COLUMNS else _MADE[name][0] if name in _MADE else ()))
    bare: QuerySet[Any] = rows
    if SERVES in paths:
        links = VersionUseCase.objects.filter(version=OuterRef("pk")).values("use_case_id")
        bare = bare.annotate(**{SERVES: ArraySubquery(links)})
    return bare.values(*paths)


def with_use_cases(rows: Iterable[Row]) -> list[Row]:
    """Put the use cases in the place of their keys, in the order of their numbers: one query for all the rows."""
    found = list(rows)
    keys = {key for row in found for key in row.get(SERVES, ())}
    known = {
        key: Served(number, UseCase(number=number).public_id, RiskClass(risk_class))
        for key, number, risk_class in (
            UseCase.objects.filter(pk__in=keys).values_list("pk", "number", "risk_class") if keys else ()
        )
    }
    for row in found:
        if SERVES in row:
            row[SERVES] = tuple(sorted(known[key] for key in row[SERVES]))
    return found


def getter(name: str) -> Callable[[Row], Any]:
    """Return what reads the value of a name from a row that `plain` and `with_use_cases` made for it."""
    return itemgetter(COLUMNS[name]) if name in COLUMNS else _MADE[name][1]
