"""What an actor may see of model cards of their own."""

from __future__ import annotations

from typing import Any, Self

from django.db import models
from django.db.models import Q

from portal.core.actors import Actor

from .choices import AskedState
from .querysets import reach_of_groups, sees_unclaimed_groups


class _OfCardsQuerySet(models.QuerySet[Any]):
    """Rows of model cards: as visible as the group a card is about; of none, as groups that nobody claimed."""

    path = ""

    def visible_to(self, actor: Actor) -> Self:
        """Those of the groups the actor may see; those of no group for who sees unclaimed groups."""
        reach = reach_of_groups(actor)
        if reach is None or actor.user_id is None:
            return self.all()
        of = f"{self.path}group"
        condition = Q(**{f"{of}__project_id__in": list(reach.projects)}) | Q(**{f"{of}_id__in": list(reach.shown)})
        if sees_unclaimed_groups(actor):
            condition |= Q(**{of: None}) | Q(**{f"{of}__isnull": False, f"{of}__project": None})
        return self.filter(condition)


class ModelCardQuerySet(_OfCardsQuerySet):
    def present(self) -> Self:
        """Cards that AWS still lists."""
        return self.filter(missing_since=None)


class ModelCardVersionQuerySet(_OfCardsQuerySet):
    path = "card__"


class ModelCardExportQuerySet(_OfCardsQuerySet):
    path = "card__"


class ModelCardEditQuerySet(_OfCardsQuerySet):
    def pending(self) -> Self:
        """What is on its way to AWS."""
        return self.filter(state=AskedState.PENDING)
