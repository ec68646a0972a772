"""What the sections of a version's page show: where it comes from, how it compares, how its metrics went."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.errors import InvalidInput
from portal.core.serializers import Output, word
from registry.api.serializers import VersionReference
from registry.api.training import TrainingOutput, training_of

from ..choices import MetricKind, RiskRating, Stage
from ..selectors import comparison, version_metrics
from .history import Storied
from .lineage import LineageOutput, lineage_of

_NO_LIST: dict[str, Any] = {"pagination_class": None, "filter_backends": []}
WITH, ONLY, DIFFERENCES = "with", "only", "differences"


class ComparedCell(Output):
    """One version's value in words."""

    value = serializers.CharField(source="text", allow_null=True, help_text="null: not reported.")
    delta = serializers.CharField(help_text="By how much a number differs from the first version's.")
    is_best = serializers.BooleanField()


class ComparedLine(Output):
    """One field of every version, in the order of `versions`."""

    field = serializers.CharField()
    differs = serializers.BooleanField()
    direction = serializers.CharField(help_text="Which way is better, where that is known and they differ.")
    cells = ComparedCell(many=True)


class ComparedSection(Output):
    """One section of all of them."""

    title = serializers.CharField()
    same = serializers.IntegerField(help_text="In how many fields all agree.")
    lines = ComparedLine(many=True)


class CompareOutput(Output):
    """Two to four versions beside each other."""

    versions = VersionReference(many=True)
    sections = ComparedSection(many=True)


@extend_schema_field({"type": ["number", "null"]})
class ReportedField(serializers.Field):
    """A number as it was reported; null: it was not."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(read_only=True, **kwargs)

    def to_representation(self, value: Any) -> Any:
        return value


class MetricReadingOutput(Output):
    """One number against what the policy in force asks; `holds` is null where it asks nothing of it."""

    stage_record = serializers.IntegerField()
    stage = word(Stage)
    account = serializers.CharField(allow_null=True)
    value = ReportedField(help_text="null: not reported.")
    captured_at = serializers.DateTimeField(allow_null=True)
    needed = serializers.CharField(help_text="What the policy asks for, in plain words; empty: nothing.")
    holds = serializers.BooleanField(allow_null=True)


class SeriesOutput(Output):
    """One metric: validated stage by stage, or monitored over time, oldest first."""

    kind = word(MetricKind)
    metric = serializers.CharField(help_text="Its path, such as `auc`.")
    words = serializers.CharField()
    readings = MetricReadingOutput(many=True)


class VersionMetricsOutput(Output):
    """Every metric that was reported of a version or is asked for."""

    risk_tier = word(RiskRating)
    risk_tier_source = serializers.CharField()
    series = SeriesOutput(many=True)
    reports_left_out = serializers.IntegerField(help_text="Older monitoring reports that are not among the readings.")


class VersionViews(Storied):
    """A version with the sections of its page."""

    @extend_schema(responses=LineageOutput)
    @action(detail=True, methods=["get"], **_NO_LIST)
    def lineage(self, request: Request, **kwargs: Any) -> Response:
        """Show what it was made of and what became of it: by what the portal knows, and by SageMaker's lineage."""
        return Response(LineageOutput(lineage_of(self.actor, self.get_object())).data)

    @extend_schema(
        responses=CompareOutput,
        parameters=[
            OpenApiParameter(
                WITH,
                OpenApiTypes.STR,
                required=True,
                description="The ids of one to three other versions, separated by commas: `17,18`.",
            ),
            OpenApiParameter(
                ONLY, OpenApiTypes.STR, enum=[DIFFERENCES], description="Leaves out the fields in which all agree."
            ),
        ],
    )
    @action(detail=True, methods=["get"], query_parameters=(WITH, ONLY), **_NO_LIST)
    def compare(self, request: Request, **kwargs: Any) -> Response:
        """Show it beside one to three others: metrics, parameters, containers, metadata, card, evidence, position."""
        version = self.get_object()
        if request.query_params.get(ONLY, DIFFERENCES) != DIFFERENCES:
            raise _unusable(ONLY, f"Give {DIFFERENCES}, or leave it out.")
        others = [given.strip() for given in request.query_params.get(WITH, "").split(",") if given.strip()]
        if not others:
            raise _unusable(WITH, "Give the ids of one to three other versions, separated by commas.")
        try:
            versions = comparison.chosen(self.actor, [str(version.pk), *others])
        except InvalidInput as refusal:
            raise _unusable(WITH, refusal.detail) from None
        differing = ONLY in request.query_params
        sections = [
            {
                "title": section.title,
                "same": section.same,
                "lines": [line for line in section.lines if line.differs or not differing],
            }
            for section in comparison.side_by_side(self.actor, versions)
        ]
        return Response(CompareOutput({"versions": versions, "sections": sections}).data)

    @extend_schema(responses=TrainingOutput)
    @action(detail=True, methods=["get"], **_NO_LIST)
    def training(self, request: Request, **kwargs: Any) -> Response:
        """Show how it was trained: the job, what that began with, and who labeled the data."""
        return Response(TrainingOutput(training_of(self.get_object())).data)

    @extend_schema(responses=VersionMetricsOutput)
    @action(detail=True, methods=["get"], **_NO_LIST)
    def metrics(self, request: Request, **kwargs: Any) -> Response:
        """Show what was validated stage by stage and monitored over time, against what the policy asks for."""
        return Response(VersionMetricsOutput(version_metrics.of_version(self.get_object())).data)


def _unusable(name: str, text: str) -> InvalidInput:
    return InvalidInput("Some query parameters cannot be used; nothing was done.", errors={name: [text]})
