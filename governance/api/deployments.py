"""Deployments, reported back by people and pipelines."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.serializers import Input, text
from registry.api import deployments as registry_api
from registry.choices import DeploymentState

from ..services import deployments


class StatusInput(Input):
    """What became of an ordered deployment."""

    status = serializers.ChoiceField(choices=[(word.value, word.label) for word in deployments.REPORTABLE])
    endpoint = text(max_length=2048)
    detail = text()


class Deployments(registry_api.Deployments):
    """Deployments."""

    @extend_schema(request=StatusInput, responses={200: registry_api.DeploymentOutput})
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
