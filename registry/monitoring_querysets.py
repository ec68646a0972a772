"""What an actor may see of Model Monitor."""

from __future__ import annotations

from typing import Any, Self

from django.apps import apps
from django.db import models
from django.db.models import Exists, OuterRef, Q, Value
from django.db.models.functions import Concat

from portal.core.actors import Actor

from .querysets import seen_versions, sees_operations


def _watching_what_is_seen(schedules: Any, actor: Actor) -> Any:
    """Keep the schedules of an endpoint that a version the actor sees was deployed on, or is seen to serve from."""
    # A deployment was reported with the endpoint's name or with its ARN, in which AWS writes the name small.
    named = Q(endpoint__iexact=OuterRef("endpoint")) | Q(
        endpoint__iendswith=Concat(Value(":endpoint/"), OuterRef("endpoint"))
    )
    reported = apps.get_model("registry", "Deployment")._default_manager.filter(
        named, seen_versions(actor, "version__") or Q(), account=OuterRef("account"), region=OuterRef("region")
    )
    shown = apps.get_model("registry", "EndpointVariant")._default_manager.filter(
        seen_versions(actor, "version__") or Q(),
        version__isnull=False,
        endpoint__account=OuterRef("account"),
        endpoint__region=OuterRef("region"),
        endpoint__name__iexact=OuterRef("endpoint"),
    )
    return schedules.exclude(endpoint="").filter(Exists(reported) | Exists(shown))


class MonitoringScheduleQuerySet(models.QuerySet[Any]):
    def visible_to(self, actor: Actor) -> Self:
        """Those of the accounts one sees, or of an endpoint that a version one sees runs on."""
        return self.all() if sees_operations(actor) else _watching_what_is_seen(self, actor)


class MonitoringPartQuerySet(models.QuerySet[Any]):
    def visible_to(self, actor: Actor) -> Self:
        """Executions and alerts: as visible as their schedule."""
        if sees_operations(actor):
            return self.all()
        schedules = apps.get_model("registry", "MonitoringSchedule")._default_manager.all()
        return self.filter(schedule__in=_watching_what_is_seen(schedules, actor).values("pk"))
