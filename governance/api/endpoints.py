"""Endpoints across accounts: what runs where, as far as the portal was told, against what is approved to run there."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django_filters import BooleanFilter, MultipleChoiceFilter
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from portal.core.filters import exactly
from portal.core.serializers import word
from portal.core.viewsets import ROW_ID, Detailed, Listed
from registry.api import deployments as registry_api
from registry.models import Deployment

from ..choices import InPlace, Status
from ..selectors import endpoints


class EndpointOutput(registry_api.DeploymentOutput):
    """One deployment, with the status of the record that speaks for it there and what follows from both."""

    project = serializers.CharField(source="version.group.project.key", allow_null=True, default=None)
    record_status = serializers.SerializerMethodField(help_text="null: there is no record of that stage there.")
    in_place = word(InPlace, help_text="How it stands to the portal's word about its version at that stage.")

    seen_running_at = serializers.DateTimeField(
        allow_null=True, help_text="When AWS was last seen to serve the version in the account; null: it was not."
    )

    @extend_schema_field(word(Status, allow_null=True))
    def get_record_status(self, row: Any) -> str | None:
        found: str | None = row.record_status
        return found


class EndpointFilters(registry_api.DeploymentFilters):
    """Filters of the list."""

    project = exactly("version__group__project__key", "The key of a project.")
    in_place = MultipleChoiceFilter(choices=InPlace.choices(), method="standing", help_text="One or more of these.")
    disagrees = BooleanFilter(method="disagreeing", help_text="`true`: what runs and must not.")

    def standing(self, rows: QuerySet[Any], name: str, value: list[str]) -> QuerySet[Any]:
        return endpoints.standing(rows, *map(InPlace, value))

    def disagreeing(self, rows: QuerySet[Any], name: str, value: bool) -> QuerySet[Any]:
        words = endpoints.DISAGREEING if value else tuple(set(InPlace) - set(endpoints.DISAGREEING))
        return endpoints.standing(rows, *words)


class Endpoints(Listed, Detailed):
    """Deployments the portal ordered, by what was reported or seen of them; all AWS shows is `observed-endpoints/`."""

    noun = "endpoint"
    lookup_field = "pk"
    lookup_value_regex = ROW_ID
    serializer_class = EndpointOutput
    filterset_class = EndpointFilters
    search_fields = ("endpoint", "version__group__name", "account__alias", "account__account_id")
    ordering_fields = {"id": "pk", "ordered_at": "ordered_at", "stage": "stage", "status": "state"}

    def get_queryset(self) -> QuerySet[Deployment]:
        return endpoints.endpoints(self.actor)
