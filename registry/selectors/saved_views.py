"""Saved views as lists offer them and as their owners look after them."""

from __future__ import annotations

from typing import Any

from django.db.models import Case, Exists, OuterRef, QuerySet, Value, When

from portal.core import access
from portal.core.actors import Actor
from portal.core.saved_views import View

from ..choices import ViewAudience
from ..models import Project, SavedView, UsualView
from .catalogue import visible_projects


def views_for(actor: Actor, list_key: str) -> list[View]:
    """Return the views an actor may apply to a list: his own by name, then those of others."""
    rows = views(actor).filter(list_key=list_key)
    mine = Case(When(owner_id=actor.user_id, then=Value(0)), default=Value(1))
    return [_shown(row, actor) for row in rows.order_by(mine, "name", "pk")]


def views(actor: Actor) -> QuerySet[Any]:
    """Return every view an actor may apply, with `is_usual`: whether its list opens with it for him."""
    usual = UsualView.objects.filter(person_id=actor.user_id, view_id=OuterRef("pk"))
    return (
        SavedView.objects.visible_to(actor)
        .select_related("owner", "project")
        .annotate(is_usual=Exists(usual))
        .order_by("list_key", "name", "pk")
    )


def view(actor: Actor, pk: int) -> SavedView:
    """Return one view. Raises NotFound."""
    return access.get(SavedView, actor, pk=pk)


def projects_to_share_with(actor: Actor) -> QuerySet[Project]:
    """Return the projects an actor may offer a view to."""
    return visible_projects(actor)


def shared_words(row: SavedView, actor: Actor) -> str:
    """Return who else may apply a view, and whose it is; "" for what is one's own alone."""
    audience = {
        ViewAudience.OWNER.value: "",
        ViewAudience.PROJECT.value: f"for {row.project.name}" if row.project else "",
        ViewAudience.EVERYBODY.value: "for everybody",
    }[row.audience]
    if row.owner_id == actor.user_id:
        return audience[:1].upper() + audience[1:]
    return f"By {row.owner}, {audience}"


def _shown(row: Any, actor: Actor) -> View:
    return View(
        pk=row.pk,
        name=row.name,
        query=row.query,
        is_mine=row.owner_id == actor.user_id,
        is_default=row.is_usual,
        shared_with=shared_words(row, actor),
        revision=row.revision,
    )
