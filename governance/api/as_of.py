"""Asking the API as of a moment: which lists and details know it, and what they answer then.

Rights are those of today; a moment before the portal knew something has no row of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpRequest
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, PolymorphicProxySerializer, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.as_of import moment_of
from portal.core.errors import NotFound
from portal.core.filters import Filters, PublicIdFilter, account_filter, arn_filter, exactly, one_of, use_case_filter
from portal.core.serializers import Output, public_id, public_number, word
from portal.core.viewsets import Resource
from registry.api.attributes import AttributeFilters, AttributesOutput
from registry.choices import ObjectKind, RiskClass
from registry.models import ModelVersion, UseCase

from ..choices import RiskRating, Role, Stage, Status, Verdict
from ..models import Decision, PastUseCase, PastVersion
from ..selectors import as_of

AS_OF = "as_of"
AS_OF_PARAMETER = OpenApiParameter(
    AS_OF,
    OpenApiTypes.STR,
    description="As it stood then: a time with its offset (`2026-05-01T14:30:00Z`), or a day, which means its end in"
    " UTC. Of what you may see today.",
)


class Dated(Resource):
    """A resource whose `dated` actions take `as_of`; `past` is what its list is then, in place of its own."""

    dated: ClassVar[tuple[str, ...]] = ("list",)
    past: ClassVar[Mapping[str, Any]] = {}
    moment: datetime | None = None

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        prepared = super().initialize_request(request, *args, **kwargs)
        if self.action in self.dated:
            self.query_parameters = (*self.query_parameters, AS_OF)
            if self.is_list and AS_OF in prepared.query_params:
                # The past has columns of its own: its filters and orderings carry the same names.
                for name, value in self.past.items():
                    setattr(self, name, value)
        return prepared

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if AS_OF in self.query_parameters and AS_OF in request.query_params:
            self.moment = moment_of(request.query_params[AS_OF], name=AS_OF)

    def show_then(self, subject: UseCase | ModelVersion, serializer: type[serializers.Serializer]) -> Response:
        """Answer with what was known of a subject then. Raises NotFound when the portal did not know it yet."""
        assert self.moment is not None
        found = as_of.then(self.actor, subject, self.moment)
        if found.position is None:
            raise NotFound(f"The portal did not know this {self.noun} yet at {self.moment:%Y-%m-%d %H:%M:%S} UTC.")
        shown = serializer(found.position, context={**self.get_serializer_context(), "then": found})
        return Response(self.narrowed(shown).data)


def either(name: str, now: type[serializers.Serializer], then: type[serializers.Serializer], many: bool) -> Any:
    """Return the description of an answer that is one thing now and another as of a moment."""
    return PolymorphicProxySerializer(
        component_name=name, serializers=[now, then], resource_type_field_name=None, many=many
    )


class PastStageRecordFilters(AttributeFilters):
    """Filters of the table as of a moment: what is filtered is what was so then."""

    attribute_kind = ObjectKind.STAGE_RECORD
    model_package_arn = arn_filter("arn")
    model_group = exactly("model_group", "The name of a model group.")
    model_stage = one_of(Stage, "model_stage")
    model_status = one_of(Status, "model_status")
    model_risk = one_of(RiskRating, "model_risk")
    model_project = exactly("model_project", "The key of a project.")
    use_case_id = use_case_filter("use_case_number")
    account = account_filter("account_id")


class _Served(PublicIdFilter):
    """Versions that served a use case then."""

    def filter(self, qs: QuerySet[Any], value: str) -> QuerySet[Any]:
        if not value:
            return qs
        number = public_number(value, self.prefix, self.width)
        return qs.none() if number is None else qs.filter(use_cases__contains=[number])


class PastVersionFilters(Filters):
    """Filters of the versions as of a moment."""

    model_package_arn = arn_filter("arn")
    group = exactly("group", "The name of a model group.")
    project = exactly("project", "The key of a project.")
    stage = one_of(Stage, "stage")
    status = one_of(Status, "status")
    use_case = _Served("use_cases", "UC", 4)
    risk = one_of(RiskRating, "risk")


class PastUseCaseFilters(AttributeFilters):
    """Filters of the use cases as of a moment."""

    attribute_kind = ObjectKind.USE_CASE
    stage = one_of(Stage, "stage")
    status = one_of(Status, "status")
    risk_class = one_of(RiskClass, "risk_class")
    project = exactly("project", "The key of a project.")


class VersionThen(Output):
    """A model version as of a moment: what the portal keeps the past of."""

    as_of = serializers.SerializerMethodField()
    id = serializers.IntegerField(source="pk")
    name = serializers.CharField()
    model_package_arn = serializers.CharField(source="arn")
    group = serializers.CharField()
    group_id = serializers.IntegerField()
    version = serializers.IntegerField(source="number")
    project = serializers.CharField(allow_null=True)
    owner = serializers.CharField(allow_null=True)
    line_of_business = serializers.CharField(allow_null=True)
    use_cases = serializers.SerializerMethodField()
    stage = word(Stage)
    status = word(Status)
    risk = word(RiskRating)
    artifact_url = serializers.CharField()
    hub_artifact_url = serializers.CharField()

    def get_as_of(self, version: PastVersion) -> datetime:
        return moment_asked(self)

    def get_use_cases(self, version: PastVersion) -> list[str]:
        return [f"UC-{number:04d}" for number in version.use_cases]


class UseCaseThen(Output):
    """A use case as of a moment: what the portal keeps the past of."""

    as_of = serializers.SerializerMethodField()
    id = serializers.CharField(source="public_id")
    name = serializers.CharField()
    project = serializers.CharField(allow_null=True)
    line_of_business = serializers.CharField(allow_null=True)
    risk_class = word(RiskClass)
    stage = word(Stage)
    status = word(Status)
    attributes = AttributesOutput(ObjectKind.USE_CASE)

    def get_as_of(self, use_case: PastUseCase) -> datetime:
        return moment_asked(self)


class RequestThen(Output):
    """An approval request that was open then."""

    id = serializers.CharField(source="public_id")
    stage = word(Stage)
    requested_by = serializers.CharField(source="requester.username")
    created_at = serializers.DateTimeField()
    due_at = serializers.DateTimeField()


class DecisionThen(Output):
    """A decision that had been given by then."""

    request = serializers.SerializerMethodField()
    stage = word(Stage, source="request.stage")
    decision = word(Verdict, source="verdict")
    decided_by = serializers.CharField(source="decider_name")
    on_behalf_of = serializers.CharField(source="on_behalf_of.username", allow_null=True)
    role = word(Role)
    comment = serializers.CharField()
    decided_at = serializers.DateTimeField()
    policy_version = serializers.IntegerField(source="request.policy.number")
    digest = serializers.CharField()

    def get_request(self, decision: Decision) -> str | None:
        return public_id(decision.request_id, "AR")


class UseCaseRecordThenOutput(Output):
    """A use case's record of one stage as of a moment."""

    stage = word(Stage)
    status = word(Status)
    audit_timestamp = serializers.DateTimeField(source="audit_at")
    audit_user = serializers.CharField()


class _Standing(serializers.Serializer):
    open_requests = serializers.SerializerMethodField()
    decisions = serializers.SerializerMethodField()

    @extend_schema_field(RequestThen(many=True))
    def get_open_requests(self, row: Any) -> Any:
        return RequestThen(self.context["then"].waiting, many=True).data

    @extend_schema_field(DecisionThen(many=True))
    def get_decisions(self, row: Any) -> Any:
        return DecisionThen(self.context["then"].decisions, many=True).data


class VersionThenInFull(_Standing, VersionThen):
    """A model version as of a moment, with its rows of the stage table, what waited and what had been decided."""

    records = serializers.SerializerMethodField()

    @extend_schema_field(serializers.ListField(child=serializers.DictField()))
    def get_records(self, version: PastVersion) -> list[dict[str, Any]]:
        return [as_of.past_row(row) for row in self.context["then"].rows]


class UseCaseThenInFull(_Standing, UseCaseThen):
    """A use case as of a moment, with its records, what waited and what had been decided."""

    records = serializers.SerializerMethodField()

    @extend_schema_field(UseCaseRecordThenOutput(many=True))
    def get_records(self, use_case: PastUseCase) -> Any:
        return UseCaseRecordThenOutput(self.context["then"].records, many=True).data


def moment_asked(serializer: serializers.Serializer) -> datetime:
    """Return the moment that the address asks for."""
    moment: datetime = serializer.context["view"].moment
    return moment
