"""The register of decisions: every word anybody gave on a request, as far as an actor may see what it was about."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from portal.core.actors import Actor
from registry.querysets import seen_use_cases, seen_versions
from registry.selectors.catalogue import HEAVY

from ..models import Decision, StageRecord, UseCaseStageRecord


def register(actor: Actor) -> QuerySet[Any]:
    """Return the decisions on what the actor may see, newest first.

    `is_outdated` says that it was given for content that is not there any more: the approval does not stand as it was.
    """
    use_cases = seen_use_cases(actor, "request__use_case__")
    versions = seen_versions(actor, "request__version__")
    rows = Decision.objects.all()
    if use_cases is not None and versions is not None:
        rows = rows.filter(use_cases | versions)
    changed = {"approved_digest": OuterRef("digest"), "outdated_at__isnull": False, "stage": OuterRef("request__stage")}
    of_version = StageRecord.objects.filter(version_id=OuterRef("request__version_id"), **changed)
    of_use_case = UseCaseStageRecord.objects.filter(use_case_id=OuterRef("request__use_case_id"), **changed)
    return (
        rows.select_related(
            "request__use_case__project",
            "request__version__group__project",
            "request__policy",
            "decider",
            "on_behalf_of",
        )
        .defer("request__facts", "request__requirements", *(f"request__version__{name}" for name in HEAVY))
        .annotate(is_outdated=Exists(of_version) | Exists(of_use_case))
        .order_by("-pk")
    )


def outdated(rows: QuerySet[Any], *, are: bool) -> QuerySet[Any]:
    """Return those of the register that are outdated, or those that are not."""
    return rows.filter(is_outdated=are)


def searched(rows: QuerySet[Any], words: str) -> QuerySet[Any]:
    """Return the decisions whose subject, request or comment has these words."""
    condition = (
        Q(request__version__group__name__icontains=words)
        | Q(request__use_case__name__icontains=words)
        | Q(comment__icontains=words)
    )
    number = words.upper().removeprefix("AR-").removeprefix("UC-")
    if number.isascii() and number.isdecimal() and len(number) < 10:
        condition |= Q(request_id=int(number)) | Q(request__use_case__number=int(number))
    return rows.filter(condition)


def by(rows: QuerySet[Any], words: str) -> QuerySet[Any]:
    """Return the decisions of a person, or in his name, by a part of his name or user name."""
    condition = Q(decider_name__icontains=words)
    for path in ("decider", "on_behalf_of"):
        condition |= Q(**{f"{path}__username__icontains": words}) | Q(**{f"{path}__display_name__icontains": words})
    return rows.filter(condition)


def delegated(rows: QuerySet[Any], *, are: bool) -> QuerySet[Any]:
    """Return the decisions made in somebody else's name, or those of one's own."""
    return rows.filter(on_behalf_of__isnull=not are)


def of_project(rows: QuerySet[Any], key: str) -> QuerySet[Any]:
    """Return the decisions on use cases and models of the project with this key."""
    return rows.filter(Q(request__use_case__project__key=key) | Q(request__version__group__project__key=key))
