"""Deployments, reported back by people and pipelines."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.serializers import Input, Output, text, word
from registry.api import deployments as registry_api
from registry.choices import DeploymentState
from registry.models import Deployment

from ..choices import ChannelKind, OrderAction, OutboxState
from ..selectors.channels import with_orders
from ..services import deployments


class StatusInput(Input):
    """What became of an ordered deployment."""

    status = serializers.ChoiceField(choices=[(word.value, word.label) for word in deployments.REPORTABLE])
    endpoint = text(max_length=2048)
    detail = text()


class OrderOutput(Output):
    """How a deployment was ordered last: through which channel, and what the other side calls it."""

    id = serializers.UUIDField(source="message.token", help_text="The `orderId` a receiver knows it by.")
    action = word(OrderAction)
    kind = word(ChannelKind)
    through = serializers.CharField()
    state = word(OutboxState, source="message.state")
    pipeline_execution_arn = serializers.CharField(source="execution_arn")
    reference = serializers.CharField()
    note = serializers.CharField()
    ordered_at = serializers.DateTimeField()
    carried_at = serializers.DateTimeField(allow_null=True)


class DeploymentOutput(registry_api.DeploymentOutput):
    """One version ordered into one account for one stage, and how it was ordered last."""

    order = serializers.SerializerMethodField()

    @extend_schema_field(OrderOutput(allow_null=True))
    def get_order(self, deployment: Deployment) -> dict[str, Any] | None:
        orders = list(deployment.orders.all())
        return dict(OrderOutput(orders[0]).data) if orders else None


class Deployments(registry_api.Deployments):
    """Deployments."""

    serializer_class = DeploymentOutput

    def get_queryset(self) -> QuerySet[Deployment]:
        return with_orders(super().get_queryset())

    @extend_schema(request=StatusInput, responses={200: DeploymentOutput})
    @action(detail=True, methods=["post"], url_path="status", url_name="status")
    def report(self, request: Request, **kwargs: Any) -> Response:
        """Report a deployment; one in approved production makes its record deployed."""
        deployment = self.get_object()
        values = self.read(StatusInput)
        reported = deployments.report(
            actor=self.actor,
            deployment_id=deployment.pk,
            state=DeploymentState(values["status"]),
            endpoint=values["endpoint"],
            detail=values["detail"],
        )
        return self.show(reported)
