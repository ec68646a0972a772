"""Deployments: what was ordered to run where. They are reported through the governance app."""

from __future__ import annotations

from django.db.models import QuerySet
from rest_framework import serializers

from portal.core.filters import Filters, account_filter, arn_filter, one_of
from portal.core.orderings import moment_or_never
from portal.core.serializers import Output, word
from portal.core.viewsets import ROW_ID, Detailed, Listed

from ..choices import DeploymentMode, DeploymentState, Stage
from ..models import Deployment
from ..selectors import resources


class DeploymentOutput(Output):
    """One version ordered into one account for one stage."""

    id = serializers.IntegerField(source="pk")
    model_version = serializers.IntegerField(source="version_id", help_text="The id of the model version.")
    name = serializers.CharField(source="version.name")
    model_package_arn = serializers.CharField(source="version.arn")
    account = serializers.CharField(source="account.account_id")
    region = serializers.CharField()
    stage = word(Stage)
    mode = word(DeploymentMode)
    status = word(DeploymentState, source="state")
    endpoint = serializers.CharField()
    detail = serializers.CharField()
    ordered_at = serializers.DateTimeField()
    reported_at = serializers.DateTimeField(allow_null=True)


class DeploymentFilters(Filters):
    """Filters of the list."""

    model_package_arn = arn_filter("version__arn")
    stage = one_of(Stage, "stage")
    status = one_of(DeploymentState, "state")
    state = one_of(DeploymentState, "state", help_text="The same as `status`.")
    account = account_filter("account__account_id")
    mode = one_of(DeploymentMode, "mode")


class Deployments(Listed, Detailed):
    """Deployments."""

    noun = "deployment"
    lookup_field = "pk"
    lookup_value_regex = ROW_ID
    serializer_class = DeploymentOutput
    filterset_class = DeploymentFilters
    search_fields = ("version__group__name", "endpoint", "detail")
    ordering_fields = {
        "id": "pk",
        "group": "version__group__name",
        "ordered_at": "ordered_at",
        "reported_at": moment_or_never("reported_at"),
        "stage": "stage",
        "status": "state",
    }

    def get_queryset(self) -> QuerySet[Deployment]:
        return resources.deployments(self.actor)
