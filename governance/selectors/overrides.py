"""Break-glass overrides: which count for a subject, and the register of all of them."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from portal.core.actors import Actor
from portal.core.vocabulary import Stage
from registry.models import ModelVersion, UseCase
from registry.selectors.catalogue import HEAVY

from ..models import Override
from ..policies.facts import OverrideFact

Subject = UseCase | ModelVersion


def overrides_of(subject: Subject, stage: Stage) -> tuple[OverrideFact, ...]:
    """Return the overrides of a subject's checks at a stage that are not revoked, as frozen facts."""
    rows = Override.objects.about(subject).filter(stage=stage, revoked_at=None).order_by("pk")
    return tuple(OverrideFact(row.check_key, row.public_id, row.expires_at) for row in rows)


def register(actor: Actor) -> QuerySet[Any]:
    """Return every override the actor may see, newest first."""
    return (
        Override.objects.visible_to(actor)
        .select_related("use_case__project", "version__group__project", "granted_by")
        .defer(*(f"version__{name}" for name in HEAVY))
        .order_by("-pk")
    )


def standing_for(subject: Subject) -> list[Override]:
    """Return the overrides in force about a subject, newest first."""
    return list(Override.objects.about(subject).in_force().select_related("granted_by").order_by("-pk"))
