"""Evidence: what stands for a subject, what an actor may see of it, and where it was decided on."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet

from portal.core import access
from portal.core.actors import Actor
from registry.models import ModelVersion, UseCase
from registry.selectors.catalogue import HEAVY

from ..models import ApprovalRequest, Decision, Evidence

Subject = UseCase | ModelVersion


def standing(subject: Subject) -> list[Evidence]:
    """Return the evidence that counts for a subject: latest editions that are not withdrawn, in the order they came.

    Every row has `.kind`, `.public_id`, `.sha256` and `.fingerprint`, which pins its content.
    """
    return list(Evidence.objects.about(subject).standing().order_by("pk"))


def everything_about(actor: Actor, subject: Subject) -> QuerySet[Any]:
    """Return all evidence about a subject the actor sees, also what was superseded or withdrawn, newest first."""
    return evidence(actor).about(subject).order_by("-pk")  # type: ignore[attr-defined]  # our queryset


def evidence(actor: Actor) -> QuerySet[Any]:
    """Return the evidence an actor may see, newest first: that about the subjects he may see."""
    return (
        Evidence.objects.visible_to(actor)
        .select_related(
            "use_case__project",
            "version__group__project",
            "version__group__account",
            "author",
            "withdrawn_by",
            "account",
        )
        .defer(*(f"version__{name}" for name in HEAVY))
        .order_by("-pk")
    )


def that_count(rows: QuerySet[Any], *, counts: bool) -> QuerySet[Any]:
    """Return those of the rows that count, or those that do not (any more)."""
    counting = Q(superseded_at=None, withdrawn_at=None)
    return rows.filter(counting if counts else ~counting)


def one(actor: Actor, pk: int) -> Evidence:
    """Return one piece of evidence. Raises NotFound."""
    access.get(Evidence, actor, pk=pk)
    found: Evidence = evidence(actor).get(pk=pk)
    return found


def editions_of(actor: Actor, row: Evidence) -> list[Evidence]:
    """Return every edition of the same evidence, latest first."""
    return list(evidence(actor).filter(series=row.series).order_by("-edition"))


def asked_about(actor: Actor, request: ApprovalRequest) -> list[Evidence]:
    """Return the evidence a request is bound to, as the actor may see it, in the order it came.

    The request keeps it by kind and public id, whatever became of it since.
    """
    bound = request.facts.get("evidence", {}) if isinstance(request.facts, dict) else {}
    numbers = [key.rpartition(" EV-")[2] for key in bound]
    return list(evidence(actor).filter(pk__in=[int(number) for number in numbers if number.isdecimal()]).order_by("pk"))


def decisions_on(row: Evidence) -> list[Decision]:
    """Return the decisions that were bound to this edition, oldest first: requests keep what they asked about."""
    asked = {"request__facts__evidence__has_key": f"{row.kind} {row.public_id}"}
    about = Q(request__use_case_id=row.use_case_id, request__version_id=row.version_id)
    found = Decision.objects.filter(about, **asked).select_related("request", "decider")
    return list(found.order_by("decided_at", "pk"))
