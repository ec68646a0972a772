"""What an actor may see of Model Monitor."""

from __future__ import annotations

from typing import Any, Self

from django.apps import apps
from django.db import models
from django.db.models import Exists, OuterRef, Q, Value
from django.db.models.functions import Concat

from portal.core.actors import Actor

from .querysets import sees_operations


class MonitoringScheduleQuerySet(models.QuerySet[Any]):
    def visible_to(self, actor: Actor) -> Self:
        """Schedules of the accounts one sees, or of an endpoint that a version one sees is deployed on."""
        return self.all() if sees_operations(actor) else self.filter(self._watches_what_is_seen(actor, ""))

    @staticmethod
    def _watches_what_is_seen(actor: Actor, path: str) -> Q:
        deployments = apps.get_model("registry", "Deployment")._default_manager.visible_to(actor)
        name = OuterRef(f"{path}endpoint")
        # A deployment was reported with the endpoint's name or with its ARN, in which AWS writes the name small.
        named = Q(endpoint=name) | Q(endpoint__iendswith=Concat(Value(":endpoint/"), name))
        here = deployments.filter(named, account=OuterRef(f"{path}account"), region=OuterRef(f"{path}region"))
        return ~Q(**{f"{path}endpoint": ""}) & Q(Exists(here))


class MonitoringPartQuerySet(MonitoringScheduleQuerySet):
    """Executions and alerts: as visible as their schedule."""

    def visible_to(self, actor: Actor) -> Self:
        """Those of the schedules one sees."""
        return self.all() if sees_operations(actor) else self.filter(self._watches_what_is_seen(actor, "schedule__"))
