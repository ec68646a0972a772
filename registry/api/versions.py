"""Model versions: what AWS and their cards say. Their lifecycle's verbs are added by the governance app."""

from __future__ import annotations

from django.db.models import QuerySet
from rest_framework import serializers

from portal.core.filters import Filters, arn_filter, exactly, one_of, use_case_filter
from portal.core.serializers import Output, word
from portal.core.viewsets import ROW_ID, Detailed, Listed

from ..choices import RiskRating, Stage, Status
from ..models import ModelVersion
from ..selectors import resources
from .serializers import username


class VersionSummary(Output):
    """One ModelPackage as a list shows it."""

    id = serializers.IntegerField(source="pk")
    name = serializers.CharField()
    model_package_arn = serializers.CharField(source="arn")
    group = serializers.CharField(source="group.name")
    group_id = serializers.IntegerField()
    version = serializers.IntegerField(source="number")
    description = serializers.CharField()
    project = serializers.CharField(source="group.project.key", allow_null=True)
    owner = serializers.SerializerMethodField()
    line_of_business = serializers.SerializerMethodField()
    purpose = serializers.CharField()
    use_cases = serializers.SerializerMethodField()
    stage = word(Stage)
    status = word(Status)
    risk = word(RiskRating, source="risk_rating")
    aws_status = serializers.CharField()
    aws_approval_status = serializers.CharField()
    aws_approval_description = serializers.CharField()
    aws_stage = serializers.CharField()
    aws_stage_status = serializers.CharField()
    aws_created_at = serializers.DateTimeField()
    aws_modified_at = serializers.DateTimeField()
    artifact_url = serializers.CharField()
    artifact_etag = serializers.CharField()
    hub_artifact_url = serializers.CharField()
    hub_artifact_sha256 = serializers.CharField()
    hub_artifact_copied_at = serializers.DateTimeField(allow_null=True)
    content_digest = serializers.CharField()
    registered_by = username("registered_by")
    registrant_arn = serializers.CharField()
    modifier_arn = serializers.CharField()
    missing_since = serializers.DateTimeField(allow_null=True)
    seen_at = serializers.DateTimeField()
    revision = serializers.IntegerField()

    def get_owner(self, version: ModelVersion) -> str | None:
        return version.owner_name or (str(version.group.owner) if version.group.owner else None)

    def get_line_of_business(self, version: ModelVersion) -> str | None:
        project = version.group.project
        return version.line_of_business or (project.line_of_business.name if project else None)

    def get_use_cases(self, version: ModelVersion) -> list[str]:
        return [use_case.public_id for use_case in version.use_cases.all()]


class VersionDetail(VersionSummary):
    """One ModelPackage in full: containers, metadata, card."""

    containers = serializers.JSONField()
    metric_sources = serializers.JSONField()
    drift_baselines = serializers.JSONField()
    metadata = serializers.JSONField()
    card = serializers.JSONField(allow_null=True)
    card_status = serializers.CharField()
    source_uri = serializers.CharField()
    training_job_arn = serializers.CharField()


class VersionFilters(Filters):
    """Filters of the list."""

    model_package_arn = arn_filter("arn")
    group = exactly("group__name", "The name of a model group.")
    project = exactly("group__project__key", "The key of a project.")
    stage = one_of(Stage, "stage")
    status = one_of(Status, "status")
    use_case = use_case_filter("use_cases__number")
    risk = one_of(RiskRating, "risk_rating")


class ModelVersions(Listed, Detailed):
    """Model versions: SageMaker's model packages."""

    noun = "model version"
    lookup_field = "pk"
    lookup_value_regex = ROW_ID
    serializer_class = VersionDetail
    list_serializer_class = VersionSummary
    filterset_class = VersionFilters
    search_fields = ("group__name", "description", "purpose")
    ordering_fields = {
        "id": "pk",
        "group": "group__name",
        "version": "number",
        "stage": "stage",
        "status": "status",
        "risk": "risk_rating",
        "aws_created_at": "aws_created_at",
        "aws_modified_at": "aws_modified_at",
    }

    def get_queryset(self) -> QuerySet[ModelVersion]:
        read = resources.model_versions if self.is_list else resources.model_versions_in_detail
        return read(self.actor)
