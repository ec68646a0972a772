"""Model versions, governed: submitted, retired; their tier of risk and what they need."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.errors import InvalidInput, WrongState
from portal.core.serializers import word
from registry.api import versions as registry_api
from registry.models import ModelVersion

from ..choices import RiskRating, Stage
from ..lifecycle import MODEL_STAGES
from ..selectors import policy as policies
from .lifecycle import Governed
from .requirements import RequirementsOutput, requirements_now, requirements_of


class _Tier(serializers.Serializer):
    risk_tier = serializers.SerializerMethodField()
    risk_tier_source = serializers.SerializerMethodField()

    @extend_schema_field(word(RiskRating))
    def get_risk_tier(self, version: ModelVersion) -> str:
        return policies.tier_of(version).value.value

    def get_risk_tier_source(self, version: ModelVersion) -> str:
        return policies.tier_of(version).source


class VersionRow(_Tier, registry_api.VersionSummary):
    """A model version as a list shows it, with the tier of risk that policies look at."""


class VersionOutput(_Tier, registry_api.VersionDetail):
    """A model version in full, with what its approval needs where it stands."""

    requirements = serializers.SerializerMethodField()

    @extend_schema_field(RequirementsOutput(allow_null=True))
    def get_requirements(self, version: ModelVersion) -> dict[str, Any] | None:
        return requirements_now(version)


class ModelVersions(Governed, registry_api.ModelVersions):
    """Model versions."""

    serializer_class = VersionOutput
    list_serializer_class = VersionRow

    @extend_schema(
        responses=RequirementsOutput,
        parameters=[
            OpenApiParameter(
                "stage",
                OpenApiTypes.STR,
                enum=[stage.value for stage in MODEL_STAGES],
                description="By default its own.",
            )
        ],
    )
    @action(detail=True, methods=["get"], query_parameters=("stage",), problem_statuses=(409,))
    def requirements(self, request: Request, **kwargs: Any) -> Response:
        """Show what an approval at a stage needs, and what of it is missing."""
        version = self.get_object()
        asked = request.query_params.get("stage", version.stage)
        if "stage" not in request.query_params and asked == Stage.RETIRED:
            raise WrongState(f"{version.name} is retired; there is nothing to approve any more.")
        if asked not in MODEL_STAGES:
            raise InvalidInput(
                "There is no such stage.",
                errors={"stage": [f"Give one of {', '.join(MODEL_STAGES)}."]},
            )
        return Response(RequirementsOutput(requirements_of(version, Stage(asked))).data)
