"""Use cases, governed: registered, submitted, retired; what blocks them and what they need."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from registry.api import use_cases as registry_api
from registry.api.attributes import exports
from registry.models import UseCase

from ..choices import Stage
from ..selectors import as_of
from ..services import lifecycle
from ..services import use_cases as services
from .as_of import AS_OF_PARAMETER, Dated, PastUseCaseFilters, UseCaseThen, UseCaseThenInFull, either
from .lifecycle import Governed
from .requirements import Asked, RequirementsOutput, requirements_now
from .use_case_views import UseCaseViews


class UseCaseOutput(registry_api.UseCaseDetail):
    """A use case in full, with what keeps it where it is and what its approval there needs."""

    blockers = serializers.SerializerMethodField()
    requirements = serializers.SerializerMethodField()

    def get_blockers(self, use_case: UseCase) -> list[str]:
        return [] if use_case.stage == Stage.RETIRED else list(lifecycle.blockers(use_case))

    @extend_schema_field(RequirementsOutput(allow_null=True))
    def get_requirements(self, use_case: UseCase) -> dict[str, Any] | None:
        found = requirements_now(use_case)
        return None if found is None else RequirementsOutput(found).data


class UseCases(Dated, Asked, Governed, UseCaseViews, registry_api.UseCases):
    """Use cases."""

    serializer_class = UseCaseOutput
    dated = ("list", "retrieve")
    past = {
        "filterset_class": PastUseCaseFilters,
        "list_serializer_class": UseCaseThen,
        "search_fields": ("name",),
        "ordering_fields": {
            "id": "number",
            "name": "name",
            "stage": "stage",
            "status": "status",
            "risk_class": "risk_class",
        },
        "export_columns": as_of.USE_CASE_COLUMNS,
    }

    def get_queryset(self) -> QuerySet[Any]:
        if self.is_list and self.moment is not None:
            return as_of.use_cases_as_of(self.actor, self.moment)
        return super().get_queryset()

    def export_row(self, row: Any) -> dict[str, Any]:
        return super().export_row(row) if self.moment is None else as_of.past_use_case_row(row)

    @extend_schema(
        parameters=[AS_OF_PARAMETER],
        responses={
            (200, "application/json"): either(
                "UseCaseRowNowOrThen", registry_api.UseCaseSummary, UseCaseThen, many=True
            ),
            (200, "text/csv"): OpenApiTypes.STR,
        },
    )
    @exports(registry_api.UseCaseSummary)
    def list(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Show the use cases, page by page as JSON, or all that match as CSV; also as of a moment."""
        return super().list(request, *args, **kwargs)

    @extend_schema(
        parameters=[AS_OF_PARAMETER], responses=either("UseCaseNowOrThen", UseCaseOutput, UseCaseThenInFull, many=False)
    )
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Show a use case; as of a moment with its records, what waited and what had been decided then."""
        if self.moment is None:
            return super().retrieve(request, *args, **kwargs)
        return self.show_then(self.get_object(), UseCaseThenInFull)

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
