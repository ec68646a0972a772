"""MLflow tracking servers: where runs are read from, and the best of what is tracked there."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.errors import InvalidInput
from portal.core.filters import Filters, exactly
from portal.core.serializers import Input, NoInput, Output, word
from portal.core.viewsets import ROW_ID, Listed, Revised

from ..choices import TrackingLogin
from ..models import Project, TrackingServer
from ..selectors import resources
from ..selectors import tracking as selectors
from ..services import tracking_search, tracking_servers

EXPERIMENT, ORDER_BY, FILTER, MOST = "experiment", "order_by", "filter", "most"
_NO_LIST: dict[str, Any] = {"pagination_class": None, "filter_backends": []}


@extend_schema_field(serializers.ListField(child=serializers.CharField()))
class ProjectsField(serializers.Field):
    """Projects by their keys; those hidden from the actor do not exist for him."""

    def to_representation(self, value: Any) -> list[str]:
        return sorted(project.key for project in value.all())

    def to_internal_value(self, data: Any) -> list[Project]:
        if not isinstance(data, list) or not all(isinstance(key, str) and "\x00" not in key for key in data):
            raise serializers.ValidationError("Give a list of keys of projects.")
        found = [resources.project_by_key(self.context["actor"], key) for key in dict.fromkeys(data)]
        if None in found:
            raise serializers.ValidationError("There is no such project.")
        return [project for project in found if project is not None]


class TrackingServerOutput(Output):
    """One MLflow tracking server. Its token or password is never shown."""

    id = serializers.IntegerField(source="pk")
    name = serializers.CharField()
    url = serializers.CharField()
    login = word(TrackingLogin)
    username = serializers.CharField()
    has_secret = serializers.SerializerMethodField()
    projects = ProjectsField(help_text="Those that may use it; empty: every project.")
    is_enabled = serializers.BooleanField()
    checked_at = serializers.DateTimeField(allow_null=True, help_text="When it was tried last.")
    check_error = serializers.CharField(help_text="What that came to; empty: it answered.")
    revision = serializers.IntegerField()

    def get_has_secret(self, server: TrackingServer) -> bool:
        return bool(server.secret)


class TrackingServerEdit(Input):
    """What may be set on a tracking server; what is left out stays, the secret too."""

    name = serializers.CharField(required=False, max_length=63)
    url = serializers.CharField(required=False, max_length=2048, help_text="Such as https://mlflow.example.com.")
    login = word(TrackingLogin, required=False)
    username = serializers.CharField(required=False, allow_blank=True, max_length=200)
    secret = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=4096,
        trim_whitespace=False,
        write_only=True,
        help_text="The token, or the password; stored encrypted.",
    )
    projects = ProjectsField(required=False, help_text="Those that may use it; empty: every project.")
    is_enabled = serializers.BooleanField(required=False)


class TrackingServerInput(TrackingServerEdit):
    """A new tracking server."""

    name = serializers.CharField(max_length=63)
    url = serializers.CharField(max_length=2048, help_text="Such as https://mlflow.example.com.")


class ExperimentOutput(Output):
    """One experiment."""

    id = serializers.CharField(source="experiment_id")
    name = serializers.CharField()


class FoundRun(Output):
    """One run as the server shows it now. Nothing of it is kept."""

    run_id = serializers.CharField()
    name = serializers.CharField()
    experiment_id = serializers.CharField()
    status = serializers.CharField()
    started_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    user = serializers.CharField()
    artifact_uri = serializers.CharField()
    source_name = serializers.CharField()
    git_commit = serializers.CharField()
    metrics = serializers.DictField(
        child=serializers.JSONField(), help_text='Numbers, or "NaN", "Infinity", "-Infinity".'
    )
    params = serializers.DictField(child=serializers.CharField())


class BestRuns(Output):
    """The best runs of an experiment, the best one first."""

    runs = FoundRun(many=True)
    has_more = serializers.BooleanField()


class TrackingServerFilters(Filters):
    """Filters of the list."""

    name = exactly("name", "The name of a tracking server.")


def _parameter(name: str, description: str, **more: Any) -> OpenApiParameter:
    return OpenApiParameter(name, more.pop("type", OpenApiTypes.STR), description=description, **more)


class TrackingServers(Listed, Revised):
    """MLflow tracking servers, as far as the projects of the one who asks may use them."""

    noun = "tracking server"
    lookup_field = "pk"
    lookup_value_regex = ROW_ID
    serializer_class = TrackingServerOutput
    filterset_class = TrackingServerFilters
    search_fields = ("name", "url")
    ordering_fields = {"id": "pk", "name": "name"}
    ordering = ("name",)

    @property
    def query_parameters(self) -> tuple[str, ...]:  # type: ignore[override]  # by action
        return (EXPERIMENT, ORDER_BY, FILTER, MOST) if self.action == "best_run" else ()

    def get_queryset(self) -> QuerySet[TrackingServer]:
        return selectors.servers(self.actor)

    @extend_schema(request=TrackingServerInput, responses={201: TrackingServerOutput})
    def create(self, request: Request, **kwargs: Any) -> Response:
        """Register a tracking server. Its secret is never shown again."""
        return self.show(tracking_servers.register(actor=self.actor, **self.read(TrackingServerInput)), 201)

    @extend_schema(request=TrackingServerEdit, responses=TrackingServerOutput)
    def partial_update(self, request: Request, **kwargs: Any) -> Response:
        """Change a tracking server; another host asks for its secret anew."""
        row = self.get_object()
        values = self.read(TrackingServerEdit, partial=True)
        revision = self.agreed_revision(row)
        return self.show(tracking_servers.edit(actor=self.actor, server_id=row.pk, revision=revision, **values))

    @extend_schema(request=None, responses={204: None})
    def destroy(self, request: Request, **kwargs: Any) -> Response:
        """Take away a tracking server that no version's run was read from."""
        server = self.get_object()
        tracking_servers.remove(actor=self.actor, server_id=server.pk, revision=self.agreed_revision(server))
        return Response(status=204)

    @extend_schema(request=NoInput, responses=TrackingServerOutput)
    @action(detail=True, methods=["post"])
    def test(self, request: Request, **kwargs: Any) -> Response:
        """Ask the server for its experiments; `check_error` says what came of it."""
        row = self.get_object()
        self.read(NoInput)
        return self.show(tracking_servers.try_out(actor=self.actor, server_id=row.pk))

    @extend_schema(responses={200: ExperimentOutput(many=True)})
    @action(detail=True, methods=["get"], problem_statuses=(409,), **_NO_LIST)
    def experiments(self, request: Request, **kwargs: Any) -> Response:
        """Show the active experiments, those changed last first, at most 200."""
        found = tracking_search.experiments(actor=self.actor, server_id=self.get_object().pk)
        return Response(ExperimentOutput(found, many=True).data)

    @extend_schema(
        parameters=[
            _parameter(EXPERIMENT, "The name or the id of an experiment.", required=True),
            _parameter(
                ORDER_BY,
                "Up to 5 orders, comma separated, such as `metrics.auc DESC`; a bare name is a metric's, largest"
                " first.",
                required=True,
            ),
            _parameter(FILTER, "In MLflow's search syntax, such as `metrics.auc > 0.7 and params.depth = '8'`."),
            _parameter(MOST, "How many, 1 to 50; 10 unless said.", type=OpenApiTypes.INT),
        ],
        responses=BestRuns,
    )
    @action(detail=True, methods=["get"], url_path="best-run", url_name="best-run", problem_statuses=(409,), **_NO_LIST)
    def best_run(self, request: Request, **kwargs: Any) -> Response:
        """Show the best runs of an experiment with their metrics and parameters, the best one first."""
        row, given = self.get_object(), request.query_params
        found = tracking_search.best_runs(
            actor=self.actor,
            server_id=row.pk,
            experiment=given.get(EXPERIMENT, ""),
            order_by=[part for part in given.get(ORDER_BY, "").split(",") if part.strip()],
            filter_string=given.get(FILTER, ""),
            most=_number(given.get(MOST)),
        )
        return Response(BestRuns(found).data)


def _number(given: str | None) -> int:
    if given is None:
        return tracking_search.USUAL
    if not (given.isascii() and given.isdecimal() and len(given) < 4):
        raise InvalidInput("This cannot be looked for.", errors={MOST: [f"Give 1 to {tracking_search.MOST}."]})
    return int(given)
