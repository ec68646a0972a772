"""Versions registered and groups created through the portal."""

from __future__ import annotations

import json
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from portal.core.filters import Filters, exactly, one_of, since, until
from portal.core.preferences import APPLIED, RESPOND_ASYNC, prefers
from portal.core.serializers import LONGEST_TEXT, Input, Output, shown_by, text, word
from portal.core.viewsets import ByPublicId, Detailed, Listed, Resource
from registry.api import groups as registry_groups
from registry.api.serializers import PersonField, ProjectField, UseCasesField, username
from registry.aws.records import ContainerRecord
from registry.choices import AskedState
from registry.models import AwsAccount, GroupCreation, ModelGroup, Registration, User
from registry.selectors import registrations as selectors
from registry.services.group_creations import NewGroup
from registry.services.registrations import NewVersion

from ..selectors import registrations as orders
from ..services import registration as services
from .group_views import GroupViews


@extend_schema_field(OpenApiTypes.STR)
class GroupField(serializers.Field):
    """A model group by its name, or by its ARN; one that is hidden from the actor does not exist for him."""

    def to_representation(self, value: ModelGroup) -> str:
        return value.name

    def to_internal_value(self, data: Any) -> ModelGroup:
        found = selectors.group_named(self.context["actor"], data) if isinstance(data, str) else None
        if found is None:
            raise serializers.ValidationError("There is no such model group, or several of this name; give its ARN.")
        return found


@extend_schema_field(OpenApiTypes.STR)
class HubField(serializers.Field):
    """A hub by its twelve digits."""

    def to_representation(self, value: AwsAccount) -> str:
        return value.account_id

    def to_internal_value(self, data: Any) -> AwsAccount:
        found = selectors.hub(data) if isinstance(data, str) else None
        if found is None:
            raise serializers.ValidationError("No enabled hub has this number.")
        return found


@extend_schema_field(OpenApiTypes.OBJECT)
class ObjectField(serializers.JSONField):
    """A JSON object."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, dict):
            raise serializers.ValidationError("Give a JSON object.")
        return super().to_internal_value(data)


@extend_schema_field({"oneOf": [{"type": "object", "additionalProperties": {}}, {"type": "string"}]})
class PolicyField(serializers.Field):
    """A policy document: a JSON object, or its text."""

    def to_representation(self, value: str) -> str:
        return value

    def to_internal_value(self, data: Any) -> str:
        if isinstance(data, str) and "\x00" not in data:
            return data
        if isinstance(data, dict):
            return json.dumps(data)
        raise serializers.ValidationError("Give the policy as a JSON object or as its text.")


def _texts(**kwargs: Any) -> serializers.DictField:
    return serializers.DictField(
        child=serializers.CharField(allow_blank=True, max_length=1024), required=False, default=dict, **kwargs
    )


def _types() -> serializers.ListField:
    return serializers.ListField(child=serializers.CharField(max_length=256), max_length=100)


@extend_schema_field(
    {
        "oneOf": [
            {"type": "string", "maxLength": 2048},
            {
                "type": "object",
                "properties": {"run": {"type": "string"}, "server": {"type": "string"}},
                "required": ["run"],
                "additionalProperties": False,
            },
        ]
    }
)
class RunField(serializers.Field):
    """An MLflow run: its id, `runs:/<id>` or its page's address; or {run, server} with a tracking server's name."""

    def to_representation(self, value: dict[str, str]) -> str:
        return value["run"]

    def to_internal_value(self, data: Any) -> dict[str, str]:
        given = {"run": data} if isinstance(data, str) else data
        if not isinstance(given, dict) or not set(given) <= {"run", "server"} or "run" not in given:
            raise serializers.ValidationError("Give the run as text, or as {run, server}.")
        for value in given.values():
            if not isinstance(value, str) or not value.strip() or len(value) > 2048 or not value.isprintable():
                raise serializers.ValidationError("Give the run and its server as short plain text.")
        return {name: value.strip() for name, value in given.items()}


class ContainerInput(Input):
    """One inference container. An artifact that ends in a slash is a prefix of uncompressed files."""

    image = serializers.CharField(max_length=255)
    image_digest = text(max_length=72)
    model_data_url = text(max_length=1024)
    framework = text(max_length=100)
    framework_version = text(max_length=10)
    environment = _texts()


class VersionInput(Input):
    """A version to be registered; it waits for approval in development."""

    group = GroupField()
    description = text(max_length=1024)
    containers = ContainerInput(many=True)
    content_types = _types()
    response_types = _types()
    metadata = _texts()
    card = ObjectField(required=False, allow_null=True, default=None)
    metric_sources = ObjectField(required=False, default=dict, help_text="ModelMetrics, as SageMaker writes them.")
    drift_baselines = ObjectField(required=False, default=dict, help_text="DriftCheckBaselines, likewise.")
    source_uri = text(max_length=1024)
    training_job = text(max_length=1024)
    skip_validation = serializers.BooleanField(required=False, default=False)
    reference = text(max_length=128, help_text="Your own name for this; the same one never registers twice.")
    mlflow_run = RunField(
        required=False,
        allow_null=True,
        default=None,
        help_text="The MLflow run it comes from: an id, `runs:/<id>`, the address of its page, or {run, server}.",
    )


class GroupInput(Input):
    """A model group to be created in the hub."""

    name = serializers.CharField(max_length=63)
    description = text(max_length=1024)
    account = HubField(required=False, default=None, help_text="Left out: the only hub there is.")
    region = text(max_length=30, help_text="Left out: the hub's first one.")
    project = ProjectField()
    owner = PersonField(required=False, allow_null=True, default=None)
    use_cases = UseCasesField(required=False, default=list)
    tags = _texts()
    policy = PolicyField(required=False, default="", help_text="The group's resource policy.")
    reason = text(max_length=LONGEST_TEXT, help_text="An ML admin's, for a policy that lets others approve or delete.")


class CarryingOutput(Output):
    """How far the outbox has come with it."""

    id = serializers.IntegerField(source="pk")
    state = serializers.CharField()
    attempts = serializers.IntegerField()
    waiting_for = serializers.CharField()
    last_error = serializers.CharField()
    next_attempt_at = serializers.DateTimeField()


class RegistrationOutput(Output):
    """One version somebody had the portal register."""

    id = serializers.CharField(source="public_id")
    group = serializers.CharField(source="group.name")
    group_id = serializers.IntegerField()
    state = word(AskedState)
    error = serializers.CharField()
    reference = serializers.CharField()
    requested_by = username("requested_by")
    requested_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    model_package_arn = serializers.CharField(source="arn")
    version = serializers.IntegerField(source="version_id", allow_null=True)


class RegistrationDetail(RegistrationOutput):
    """One registration, with what is sent and how far it has come."""

    request = serializers.JSONField(source="payload")
    order = serializers.SerializerMethodField()

    @extend_schema_field(CarryingOutput(allow_null=True))
    def get_order(self, row: Registration) -> dict[str, Any] | None:
        found = self.context.get("order") or orders.order_of_registration(row)
        return None if found is None else shown_by(CarryingOutput, found)


class CreationOutput(Output):
    """One model group somebody had the portal create."""

    id = serializers.CharField(source="public_id")
    name = serializers.CharField()
    account = serializers.CharField(source="account.account_id")
    region = serializers.CharField()
    description = serializers.CharField()
    tags = serializers.JSONField()
    policy = serializers.CharField()
    reason = serializers.CharField()
    project = serializers.CharField(source="project.key")
    owner = username("owner")
    state = word(AskedState)
    error = serializers.CharField()
    requested_by = username("requested_by")
    requested_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    group = serializers.IntegerField(source="group_id", allow_null=True)


class CreationDetail(CreationOutput):
    """One creation, with how far it has come."""

    order = serializers.SerializerMethodField()

    @extend_schema_field(CarryingOutput(allow_null=True))
    def get_order(self, row: GroupCreation) -> dict[str, Any] | None:
        found = orders.order_of_creation(row)
        return None if found is None else CarryingOutput(found).data


class RegistrationFilters(Filters):
    """Filters of the list."""

    group = exactly("group__name", "The name of a model group.")
    state = one_of(AskedState, "state")
    reference = exactly("reference", "The reference it was asked with.")
    since = since("requested_at")
    until = until("requested_at")
    requested_by = exactly("requested_by__username", "A sign-in name.")


class CreationFilters(Filters):
    """Filters of the list."""

    name = exactly("name", "The name of the group.")
    state = one_of(AskedState, "state")
    project = exactly("project__key", "The key of a project.")
    requested_by = exactly("requested_by__username", "A sign-in name.")


class Registrations(ByPublicId, Listed, Detailed):
    """Registrations: versions people had the portal register."""

    noun = "registration"
    lookup_field = "number"
    public_id_prefix = "REG"
    serializer_class = RegistrationDetail
    list_serializer_class = RegistrationOutput
    filterset_class = RegistrationFilters
    search_fields = ("group__name", "reference", "error")
    ordering_fields = {"id": "number", "group": "group__name", "state": "state", "requested_at": "requested_at"}

    def get_queryset(self) -> QuerySet[Registration]:
        return selectors.registrations(self.actor)


class GroupCreations(ByPublicId, Listed, Detailed):
    """Group creations: model groups people had the portal create."""

    noun = "group creation"
    lookup_field = "number"
    public_id_prefix = "GC"
    serializer_class = CreationDetail
    list_serializer_class = CreationOutput
    filterset_class = CreationFilters
    search_fields = ("name", "description", "error")
    ordering_fields = {"id": "number", "name": "name", "state": "state", "requested_at": "requested_at"}

    def get_queryset(self) -> QuerySet[GroupCreation]:
        return selectors.creations(self.actor)


PREFER = OpenApiParameter(
    "Prefer",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="`respond-async` (RFC 7240): answer 202 as soon as it is written down, without waiting for AWS; the"
    " answer's Preference-Applied says so.",
)
WORKER_GOES_ON = "AWS was not quick, or refused: a worker goes on, and the address in Location tells how far it is."


class Registers(Resource):
    """The POST of model versions."""

    def register(self) -> Response:
        """Have the version of the body registered; answer with it, or with the registration that is under way."""
        given = self.read(VersionInput)
        reference, group, of_run = given.pop("reference"), given.pop("group"), given.pop("mlflow_run") or {}
        containers = tuple(ContainerRecord(**one) for one in given.pop("containers"))
        given |= {name: tuple(given[name]) for name in ("content_types", "response_types")}
        is_async = prefers(self.request.headers.get("Prefer", ""), RESPOND_ASYNC)
        new = NewVersion(containers=containers, **given)
        asked = {"actor": self.actor, "group_id": group.pk, "seen": group, "new": new, "reference": reference, **of_run}
        message = None
        if is_async:
            ordered = services.order_version(**asked)
            row, message = ordered.row, ordered.message
        else:
            row = services.register_version(**asked)
        if row.state == AskedState.DONE and row.version is not None:
            return _at(
                self.show(row.version, status.HTTP_201_CREATED), "model-version-detail", row.version.pk, self.request
            )
        if isinstance(self.request.user, User) and self.request.user.pk == row.requested_by_id:
            row.requested_by = self.request.user
        answer = Response(shown_by(RegistrationDetail, row, {"order": message}), status=202)
        if is_async:
            answer[APPLIED] = RESPOND_ASYNC
        return _at(answer, "registration-detail", row.public_id, self.request)


class ModelGroups(GroupViews, registry_groups.ModelGroups):
    """Model groups: SageMaker's model package groups."""

    @extend_schema(
        request=GroupInput,
        responses={
            201: registry_groups.GroupOutput,
            202: OpenApiResponse(CreationDetail, description=WORKER_GOES_ON),
        },
    )
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Create a group in the hub, with tags and policy, for a project."""
        row = services.create_group(actor=self.actor, new=NewGroup(**self.read(GroupInput)))
        if row.state == AskedState.DONE and row.group is not None:
            return _at(self.show(row.group, status.HTTP_201_CREATED), "model-group-detail", row.group.pk, request)
        answer = Response(CreationDetail(row).data, status=status.HTTP_202_ACCEPTED)
        return _at(answer, "group-creation-detail", row.public_id, request)


def _at(answer: Response, name: str, key: int | str, request: Request) -> Response:
    answer["Location"] = reverse(name, kwargs={"id": key}, request=request)
    return answer
