"""The pipeline executions a version comes from, step by step, and those that wait for it."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.serializers import Output, word
from portal.core.viewsets import Detailed

from ..choices import CallbackOutcome, EvidenceKind, Stage
from ..selectors.pipeline_runs import ShownRun, ShownStep, runs_of


class StepViolation(Output):
    """One line of a violation report."""

    feature = serializers.CharField(help_text="The feature, facet or metric it is about; empty where it names none.")
    words = serializers.CharField(help_text="What the check found, in plain words.")
    description = serializers.CharField(help_text="In the report's own words.")


class StepProof(Output):
    """Evidence of the version that a check wrote."""

    id = serializers.IntegerField(source="pk")
    public_id = serializers.CharField()
    kind = word(EvidenceKind)
    title = serializers.CharField()


class StepNumber(Output):
    """One number a check calculated; null where it could not be computed."""

    what = serializers.CharField(help_text="The metric and what it is about: DI of gender = 1.")
    value = serializers.FloatField(allow_null=True)
    note = serializers.CharField(help_text="What it is, and whether it lies outside what is usual.")


class PipelineStepOutput(Output):
    """One step of an execution that has begun."""

    name = serializers.CharField(source="step.name")
    display_name = serializers.CharField(source="step.display_name")
    type = serializers.CharField(
        source="step.kind", help_text="The type of the pipeline's definition: Training, ClarifyCheck; empty: unknown."
    )
    status = serializers.CharField(source="step.status", help_text="In SageMaker's words.")
    failure_reason = serializers.CharField(source="step.failure_reason")
    started_at = serializers.DateTimeField(source="step.started_at", allow_null=True)
    ended_at = serializers.DateTimeField(source="step.ended_at", allow_null=True)
    attempts = serializers.IntegerField(source="step.attempts", allow_null=True)
    cached_from = serializers.CharField(
        source="step.cached_from", help_text="The execution whose result was taken; empty: it ran itself."
    )
    outcome = serializers.CharField(source="step.outcome", help_text="True or False of a condition, else empty.")
    resource_arn = serializers.CharField(source="link", help_text="What it made or ran; empty where it names none.")
    check = serializers.DictField(
        source="step.check_details", help_text="What a check tells of itself, in SageMaker's names; empty of others."
    )
    found = serializers.CharField(help_text="What a check found, in one sentence; empty of others.")
    violations = serializers.SerializerMethodField()
    violations_left_out = serializers.IntegerField(source="more", help_text="How many more the report has.")
    report_problem = serializers.CharField(
        source="step.report_problem", help_text="Why the violation report could not be read."
    )
    report_read_at = serializers.DateTimeField(source="step.report_read_at", allow_null=True)
    result = serializers.SerializerMethodField()
    result_left_out = serializers.IntegerField(source="more_results", help_text="How many more numbers the file has.")
    result_problem = serializers.CharField(
        source="step.result_problem", help_text="Why what it calculated could not be read."
    )
    result_read_at = serializers.DateTimeField(source="step.result_read_at", allow_null=True)
    evidence = StepProof(many=True)
    evidence_problem = serializers.CharField(
        source="not_evidence", help_text="Why what it wrote is not evidence yet; empty: all of it is."
    )

    @extend_schema_field(StepViolation(many=True, allow_null=True, help_text="null: no report was read."))
    def get_violations(self, shown: ShownStep) -> list[dict[str, Any]] | None:
        if shown.step.violations is None:
            return None
        return [dict(StepViolation(row, context=self.context).data) for row in shown.violations]

    @extend_schema_field(StepNumber(many=True, allow_null=True, help_text="null: nothing it calculated was read."))
    def get_result(self, shown: ShownStep) -> list[dict[str, Any]] | None:
        if shown.step.result is None:
            return None
        return [dict(StepNumber(row, context=self.context).data) for row in shown.results]


class WaitingStepOutput(Output):
    """A step that waits for a decision about the version, or waited."""

    step_name = serializers.CharField(help_text="Empty where nobody named it.")
    since = serializers.DateTimeField()
    stage = word(Stage, source="callback.stage")
    account = serializers.CharField(source="callback.account.account_id")
    outcome = word(CallbackOutcome, source="callback.outcome")
    answered_at = serializers.DateTimeField(source="callback.answered_at", allow_null=True)
    note = serializers.CharField(source="callback.note")


class PipelineExecutionOutput(Output):
    """One execution; `registered` tells that the version came of it, else it waits for a decision about it."""

    id = serializers.IntegerField(source="execution.pk")
    arn = serializers.CharField(source="execution.arn")
    pipeline = serializers.CharField(source="execution.pipeline")
    account = serializers.CharField(source="execution.account.account_id")
    region = serializers.CharField(source="execution.region")
    display_name = serializers.CharField(source="execution.display_name")
    description = serializers.CharField(source="execution.description")
    status = serializers.CharField(source="execution.status", help_text="In SageMaker's words; empty: not told.")
    failure_reason = serializers.CharField(source="execution.failure_reason")
    started_by = serializers.CharField(source="execution.started_by", help_text="The principal's ARN; empty: unknown.")
    begun_at = serializers.DateTimeField(source="execution.begun_at", allow_null=True)
    ended_at = serializers.DateTimeField(source="execution.ended_at", allow_null=True)
    read_at = serializers.DateTimeField(source="execution.read_at")
    missing_since = serializers.DateTimeField(
        source="execution.missing_since", allow_null=True, help_text="Since when AWS does not know it any more."
    )
    problem = serializers.CharField(source="execution.problem", help_text="What could not be read of it.")
    selected_from = serializers.CharField(
        source="execution.selected_from",
        help_text="The execution whose results it took where only some steps were asked for; empty: all were.",
    )
    registered = serializers.BooleanField()
    steps = PipelineStepOutput(many=True)
    waiting = WaitingStepOutput(many=True, source="waits")


class PipelineRuns(Detailed):
    """What pipelines have to do with a version."""

    @extend_schema(responses=PipelineExecutionOutput(many=True), filters=False)
    @action(
        detail=True,
        methods=["get"],
        url_path="pipeline-executions",
        url_name="pipeline-executions",
        pagination_class=None,
        filter_backends=[],
    )
    def pipeline_executions(self, request: Request, **kwargs: Any) -> Response:
        """Show the executions that registered a version, then those that wait for a decision about it.

        Empty where no execution is known: the accounts' pipelines are read every few minutes.
        """
        found: list[ShownRun] = runs_of(self.actor, self.get_object())
        return Response(PipelineExecutionOutput(found, many=True, context=self.get_serializer_context()).data)
