"""The two accessors every surface and service goes through: see, and lock for writing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, TypeVar, cast

from django.core.exceptions import ObjectDoesNotExist
from django.db import models

from .actors import Actor
from .errors import NotFound
from .permissions import Act, require

M = TypeVar("M", bound=models.Model)


class Scoped(Protocol):
    """A governed row knows the project its grants come from."""

    @property
    def scope_project_id(self) -> int | None: ...


def visible(model: type[M], actor: Actor) -> models.QuerySet[M]:
    """Return the rows of a model that this actor may see."""
    return cast("models.QuerySet[M]", model._default_manager.visible_to(actor))  # type: ignore[attr-defined]  # our managers


def get(model: type[M], actor: Actor, *, only: Sequence[str] = (), related: Sequence[str] = (), **lookup: Any) -> M:
    """Return one visible row, with all its columns or `only` those named, and with the `related` rows.

    Raises NotFound for what is missing and for what is hidden, alike.
    """
    rows = visible(model, actor)
    if related:
        rows = rows.select_related(*related)
    try:
        return (rows.only(*only) if only else rows).get(**lookup)
    except (ObjectDoesNotExist, ValueError, OverflowError):
        raise NotFound(f"There is no such {model._meta.verbose_name}.") from None


def for_update(model: type[M], actor: Actor, act: Act, **lookup: Any) -> M:
    """Return one visible row, locked until the transaction ends.

    Raises NotFound for missing and hidden alike, Forbidden when it is visible but not his to change.
    """
    row = get(model, actor, **lookup)
    locked = model._default_manager.select_for_update(of=("self",), no_key=True).get(pk=row.pk)
    require(actor, act, cast("Scoped", locked).scope_project_id)
    return locked
