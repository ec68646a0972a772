"""The MLflow run a version comes from: named, read again, taken off."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.errors import NotFound
from portal.core.serializers import Input, NoInput, Output
from portal.core.viewsets import Detailed
from registry.api.serializers import username
from registry.models import ModelVersion
from registry.selectors import tracking

from ..services import runs


class RunInput(Input):
    """Which run a version comes from."""

    run = serializers.CharField(
        max_length=2048, help_text="Its id, `runs:/<id>`, or the address of its page on the tracking server."
    )
    server = serializers.CharField(
        max_length=63,
        required=False,
        allow_blank=True,
        default="",
        help_text="The name of the tracking server; left out where the address tells it or there is only one.",
    )


class ReadingOutput(Output):
    """What the tracking server said of a run at a time."""

    id = serializers.IntegerField(source="pk")
    server = serializers.CharField(source="run.server.name")
    run_id = serializers.CharField(source="run.run_id")
    read_at = serializers.DateTimeField()
    read_by = serializers.CharField()
    name = serializers.CharField()
    experiment_id = serializers.CharField()
    experiment_name = serializers.CharField()
    status = serializers.CharField(help_text="In MLflow's words; only what is FINISHED counts for rules.")
    lifecycle_stage = serializers.CharField(help_text="active or deleted.")
    started_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    user = serializers.CharField(source="user_name")
    source_name = serializers.CharField()
    source_type = serializers.CharField()
    git_commit = serializers.CharField()
    artifact_uri = serializers.CharField()
    params = serializers.DictField(child=serializers.CharField())
    metrics = serializers.DictField(
        child=serializers.JSONField(), help_text='Numbers, or "NaN", "Infinity", "-Infinity".'
    )
    tags = serializers.DictField(child=serializers.CharField())
    cut = serializers.DictField(
        child=serializers.IntegerField(), help_text="How much was left out, by its part, and how many texts were cut."
    )
    digest = serializers.CharField()


class RunOutput(Output):
    """The run that stands on a version, and what was read of it last: null before the server answered."""

    server = serializers.CharField(source="run.server.name")
    run_id = serializers.CharField(source="run.run_id")
    page_url = serializers.CharField(help_text="Its page on the tracking server; empty before it was read.")
    attached_by = username("run.attached_by")
    attached_at = serializers.DateTimeField(source="run.attached_at")
    read_at = serializers.DateTimeField(
        source="run.read_at", allow_null=True, help_text="When the server last said what `reading` says."
    )
    failing_since = serializers.DateTimeField(
        source="run.failing_since", allow_null=True, help_text="Since when it does not answer; null: it did."
    )
    last_error = serializers.CharField(source="run.last_error")
    reading = ReadingOutput(allow_null=True)


class RunInFull(RunOutput):
    """The run with every reading there was, of former runs too, newest first: at most 50."""

    history = ReadingOutput(many=True)


class WithRun(serializers.Serializer):
    """A version's representation with its run."""

    mlflow_run = serializers.SerializerMethodField()

    @extend_schema_field(RunOutput(allow_null=True))
    def get_mlflow_run(self, version: ModelVersion) -> dict[str, Any] | None:
        # Read with the version, so that those without a run cost nothing more.
        found = tracking.run_of(self.context["actor"], version) if getattr(version, "has_run", True) else None
        return None if found is None else dict(RunOutput(found, context=self.context).data)


class Runs(Detailed):
    """The verbs of a version's run."""

    @extend_schema(responses=RunInFull)
    @action(detail=True, methods=["get"], url_path="mlflow-run", url_name="mlflow-run")
    def mlflow_run(self, request: Request, **kwargs: Any) -> Response:
        """Show the MLflow run a version comes from and everything that was read; 404 for one without."""
        version = self.get_object()
        found = tracking.run_of(self.actor, version)
        if found is None:
            raise NotFound("No MLflow run is named for this version.")
        return self._shown(version)

    @extend_schema(request=RunInput, responses={201: RunInFull})
    @mlflow_run.mapping.post
    def attach_run(self, request: Request, **kwargs: Any) -> Response:
        """Name the run a version comes from, in place of the one before, and read it.

        A server that does not answer now is asked again: `last_error` says what came of it.
        """
        version = self.get_object()
        runs.attach(actor=self.actor, version_id=version.pk, **self.read(RunInput))
        return self._shown(version, 201)

    @extend_schema(request=None, responses={204: None})
    @mlflow_run.mapping.delete
    def detach_run(self, request: Request, **kwargs: Any) -> Response:
        """Take the run off; its numbers count no more, and what was read stays in the history."""
        runs.detach(actor=self.actor, version_id=self.get_object().pk)
        return Response(status=204)

    @extend_schema(request=NoInput, responses=RunInFull)
    @action(detail=True, methods=["post"], url_path="mlflow-run/refresh", url_name="mlflow-run-refresh")
    def refresh_run(self, request: Request, **kwargs: Any) -> Response:
        """Read the run again; other numbers outdate what was asked or approved, as any change of content does."""
        version = self.get_object()
        self.read(NoInput)
        runs.refresh(actor=self.actor, version_id=version.pk)
        return self._shown(version)

    def _shown(self, version: ModelVersion, code: int = 200) -> Response:
        shown = tracking.run_in_full(self.actor, version)
        return Response(RunInFull(shown, context=self.get_serializer_context()).data, status=code)
