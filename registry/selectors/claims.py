"""Model groups that wait to be claimed, and what their versions' cards say about whose they are."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, Q, QuerySet
from django.db.models.fields.json import KeyTextTransform, KeyTransform

from portal.core.actors import Actor

from ..models import ModelGroup, Project, UseCase

# Of a group's versions, so many are asked what their cards name.
_ASKED = 20
_PUBLIC_ID = re.compile(r"UC-([0-9]{1,9})", re.ASCII)


@dataclass(frozen=True)
class Hint:
    """Whose a group seems to be: use cases that cards of its newest versions name, and their project if it is one."""

    use_cases: tuple[UseCase, ...] = ()
    project: Project | None = None


def unclaimed(actor: Actor) -> QuerySet[Any]:
    """Return the groups an actor sees that belong to no project, what AWS made last first; AWS still has them."""
    return (
        ModelGroup.objects.visible_to(actor)
        .unlinked()
        .filter(missing_since=None)
        .select_related("account")
        .annotate(version_count=Count("versions", filter=Q(versions__missing_since=None)))
        .order_by(F("aws_created_at").desc(nulls_last=True), "name", "pk")
    )


def unclaimed_count(actor: Actor) -> int:
    """Return how many groups the actor sees that belong to no project."""
    return ModelGroup.objects.visible_to(actor).unlinked().filter(missing_since=None).count()


def hint(actor: Actor, group: ModelGroup) -> Hint:
    """Return whose a group seems to be, by what the cards of its newest versions name and the actor may see."""
    card = KeyTransform("custom_details", KeyTransform("additional_information", "card"))
    newest = group.versions.order_by("-number", "-pk").annotate(named=KeyTextTransform("UseCaseId", card))
    numbers = {
        int(match[1])
        for name in newest.values_list("named", flat=True)[:_ASKED]
        if name and (match := _PUBLIC_ID.fullmatch(name.strip()))
    }
    if not numbers:
        return Hint()
    rows = UseCase.objects.visible_to(actor).active().filter(number__in=numbers).select_related("project")
    found = tuple(rows.order_by("number"))
    projects = {use_case.project for use_case in found}
    return Hint(found, projects.pop() if len(projects) == 1 else None)


def versions_words(group: ModelGroup) -> str:
    """Say how many versions of a group AWS has: "1 version", "4 versions"; "" for none."""
    count = group.versions.filter(missing_since=None).count()
    return f"{count} version{'' if count == 1 else 's'}" if count else ""
