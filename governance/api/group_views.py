"""How the metrics of a model group went from version to version, and claiming several groups at once."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.errors import InvalidInput
from portal.core.many import OutcomesOutput, RowsInput
from portal.core.permissions import Act, require_anywhere
from portal.core.serializers import Output
from registry.api.serializers import ProjectField, VersionReference
from registry.selectors.people import shown_group
from registry.services import groups

from ..choices import Stage
from ..lifecycle import MODEL_STAGES
from ..selectors import timeline, version_metrics
from ..selectors.timeline import Entry
from .history import Storied
from .many import Several
from .use_case_views import ShownToOutput
from .version_views import MetricReadingOutput

METRIC, STAGE = "metric", "stage"


class OfferedOutput(Output):
    """A metric that was reported or is asked for."""

    metric = serializers.CharField(source="name")
    words = serializers.CharField()


class OfVersionOutput(Output):
    """One version and what it says of the metric."""

    model_version = VersionReference(source="version")
    number = serializers.IntegerField(source="version.number")
    reading = MetricReadingOutput(allow_null=True, help_text="null: not reported.")


class GroupMetricsOutput(Output):
    """One metric over the newest versions of a group, oldest first."""

    offered = OfferedOutput(many=True)
    metric = OfferedOutput(allow_null=True, help_text="null: no version reported any.")
    versions = OfVersionOutput(many=True)


class ClaimManyInput(RowsInput):
    """Which groups, and the project they are claimed for."""

    project = ProjectField()


class GroupViews(Storied, Several):
    """A model group with the sections of its page."""

    def story(self, row: Any) -> list[Entry]:
        return timeline.history_of_group(row)

    @extend_schema(
        responses=GroupMetricsOutput,
        parameters=[
            OpenApiParameter(METRIC, OpenApiTypes.STR, description="Its path, such as `auc`; the first unless given."),
            OpenApiParameter(
                STAGE,
                OpenApiTypes.STR,
                enum=[stage.value for stage in MODEL_STAGES],
                description="At this stage; by default at the latest stage where a version has it.",
            ),
        ],
    )
    @action(detail=True, methods=["get"], query_parameters=(METRIC, STAGE), pagination_class=None, filter_backends=[])
    def metrics(self, request: Request, **kwargs: Any) -> Response:
        """Show how one metric went over the versions of a group, against what the policy asks for."""
        group = self.get_object()
        name, stage = request.query_params.get(METRIC, ""), request.query_params.get(STAGE)
        if stage is not None and stage not in MODEL_STAGES:
            known = ", ".join(MODEL_STAGES)
            raise InvalidInput("There is no such stage.", errors={STAGE: [f"Give one of {known}."]})
        found = version_metrics.of_group(self.actor, group, name, None if stage is None else Stage(stage))
        if name and found.metric is None:
            raise InvalidInput("There is no such metric.", errors={METRIC: ["No version of the group reported it."]})
        return Response(GroupMetricsOutput(found).data)

    @extend_schema(responses=ShownToOutput(many=True))
    @action(detail=True, methods=["get"], url_path="shown-to", pagination_class=None, filter_backends=[])
    def shown_to(self, request: Request, **kwargs: Any) -> Response:
        """Show to whom the group is shown by name, beside those who work on its project."""
        return Response(ShownToOutput(shown_group(self.get_object()), many=True).data)

    @extend_schema(request=ClaimManyInput, responses={200: OutcomesOutput})
    @action(detail=False, methods=["post"], url_path="bulk-claim")
    def bulk_claim(self, request: Request) -> Response:
        """Claim several groups that belong to no project for one."""
        require_anywhere(self.actor, Act.EDIT_GROUP)
        given = self.read(ClaimManyInput)

        def claim(row: Any) -> str:
            groups.claim(actor=self.actor, group_id=row.pk, revision=row.revision, project=given["project"])
            return ""

        return self.each(given["ids"], claim)
