"""Drafts of use cases as their author finds them again, and what a new use case can be built from."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch, QuerySet

from portal.core import access
from portal.core.actors import Actor

from ..models import ModelGroup, Project, UseCase, UseCaseDraft


def mine(actor: Actor) -> QuerySet[UseCaseDraft]:
    """Return the actor's own drafts, what he saved last first."""
    return UseCaseDraft.objects.visible_to(actor).order_by("-saved_at", "-pk")


def draft(actor: Actor, pk: int) -> UseCaseDraft:
    """Return one draft. Raises NotFound for one there is not, also somebody else's."""
    return access.get(UseCaseDraft, actor, pk=pk)


def groups_to_build_from(actor: Actor, project: Project | None) -> QuerySet[Any]:
    """Return the model groups of a project that AWS still has, with what they serve; none without a project."""
    rows = ModelGroup.objects.visible_to(actor).filter(missing_since=None)
    rows = rows.none() if project is None else rows.filter(project=project)
    served = UseCase.objects.visible_to(actor).order_by("number")
    return rows.select_related("account").prefetch_related(Prefetch("use_cases", queryset=served)).order_by("name")
