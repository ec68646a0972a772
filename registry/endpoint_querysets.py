"""What an actor may see of what serves requests."""

from __future__ import annotations

from typing import Any, Self

from django.db import models
from django.db.models import Q

from portal.core.actors import Actor

from .choices import COMPONENT_SERVING, SERVING
from .querysets import seen_versions, sees_operations


class EndpointQuerySet(models.QuerySet[Any]):
    def visible_to(self, actor: Actor) -> Self:
        """Endpoints of an actor's versions; those with a model nobody registered for who sees the portal's running."""
        condition = seen_versions(actor, "variants__version__")
        if condition is None:
            return self.all()
        rows = self.model._default_manager.filter(variants__version__isnull=False)
        seen = Q(pk__in=rows.filter(condition).values("pk"))
        return self.filter(seen | ~Q(pk__in=rows.values("pk"))) if sees_operations(actor) else self.filter(seen)

    def standing(self) -> Self:
        """Endpoints that the last complete listing still had."""
        return self.filter(missing_since=None)


def idle() -> Q:
    """The condition for what AWS does not, or not yet, let serve at an endpoint that does.

    A variant an update brings up before it has an instance, and a component that failed or is being made or removed.
    """
    return Q(is_pending=True, instance_count=0) | ~Q(component_status__in=COMPONENT_SERVING)


class EndpointVariantQuerySet(models.QuerySet[Any]):
    def visible_to(self, actor: Actor) -> Self:
        """What serves versions the actor may see, and what serves no version at endpoints he may see."""
        condition = seen_versions(actor, "version__")
        if condition is None:
            return self.all()
        rows = self.model._default_manager.filter(version__isnull=False)
        seen = Q(endpoint__in=rows.filter(condition).values("endpoint"))
        if sees_operations(actor):
            seen |= ~Q(endpoint__in=rows.values("endpoint"))
        return self.filter(Q(version__isnull=False) & condition | Q(version=None) & seen)

    def standing(self) -> Self:
        """What is still there, of endpoints that are."""
        return self.filter(missing_since=None, endpoint__missing_since=None)

    def serving(self) -> Self:
        """What answers requests, or hears them as a shadow does: not what an update has yet to start."""
        return self.standing().filter(endpoint__status__in=SERVING).exclude(idle())

    def answering(self) -> Self:
        """What is asked when somebody calls the endpoint: no shadow, nothing that is sent no share of the requests."""
        return self.serving().filter(is_shadow=False, is_pending=False).exclude(weight=0)
