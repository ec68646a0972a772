"""Use cases, governed: registered, submitted, retired; what blocks them and what they need."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from registry.api import use_cases as registry_api
from registry.models import UseCase

from ..choices import Stage
from ..services import lifecycle
from ..services import use_cases as services
from .lifecycle import Governed
from .requirements import Asked, RequirementsOutput, requirements_now


class UseCaseOutput(registry_api.UseCaseDetail):
    """A use case in full, with what keeps it where it is and what its approval there needs."""

    blockers = serializers.SerializerMethodField()
    requirements = serializers.SerializerMethodField()

    def get_blockers(self, use_case: UseCase) -> list[str]:
        return [] if use_case.stage == Stage.RETIRED else list(lifecycle.blockers(use_case))

    @extend_schema_field(RequirementsOutput(allow_null=True))
    def get_requirements(self, use_case: UseCase) -> dict[str, Any] | None:
        return requirements_now(use_case)


class UseCases(Asked, Governed, registry_api.UseCases):
    """Use cases."""

    serializer_class = UseCaseOutput

    @extend_schema(request=registry_api.UseCaseRegistration, responses={201: UseCaseOutput})
    def create(self, request: Request) -> Response:
        """Register a use case: POC, pending."""
        values = self.read(registry_api.UseCaseRegistration)
        registered = services.register(
            actor=self.actor,
            project_id=values["project"].pk,
            text=registry_api.text_of(values),
            attributes=values.get("attributes"),
        )
        return self.show(registered, 201)
