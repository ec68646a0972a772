"""What an actor may see of Model Monitor."""

from __future__ import annotations

from typing import Any, Self

from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Concat

from portal.core.actors import Actor

from .querysets import seen_versions, sees_operations


def _watches_what_is_seen(actor: Actor, path: str) -> Q:
    """The filter for schedules, at `path`, of an endpoint that a version the actor sees was deployed on."""
    deployments, name = f"{path}account__deployments__", F(f"{path}endpoint")
    # A deployment was reported with the endpoint's name or with its ARN, in which AWS writes the name small.
    named = Q(**{f"{deployments}endpoint__iexact": name}) | Q(
        **{f"{deployments}endpoint__iendswith": Concat(Value(":endpoint/"), name)}
    )
    here = Q(**{f"{deployments}region": F(f"{path}region")}) & named & ~Q(**{f"{path}endpoint": ""})
    return here & (seen_versions(actor, f"{deployments}version__") or Q())


class MonitoringScheduleQuerySet(models.QuerySet[Any]):
    path = ""

    def visible_to(self, actor: Actor) -> Self:
        """Those of the accounts one sees, or of an endpoint that a version one sees is deployed on."""
        if sees_operations(actor):
            return self.all()
        watching = self.model._default_manager.filter(_watches_what_is_seen(actor, self.path))
        return self.filter(pk__in=watching.values("pk"))


class MonitoringPartQuerySet(MonitoringScheduleQuerySet):
    """Executions and alerts: as visible as their schedule."""

    path = "schedule__"
