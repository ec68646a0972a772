"""AWS accounts, and the passes over them. A sync is asked for through the governance app."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django_filters import ChoiceFilter
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.filters import Filters, account_filter, exactly, one_of, since, until, yes_or_no
from portal.core.orderings import moment_or_never
from portal.core.serializers import Input, NoInput, Output, word
from portal.core.viewsets import Listed, Marked

from ..choices import AccountPurpose, HourOfSync, PermissionOutcome, PreflightMethod, SyncHealth, SyncKind, SyncState
from ..models import AwsAccount, SyncRun
from ..selectors import personas, resources, sync_health
from ..selectors.events import health_of
from ..selectors.sync_strip import strips
from ..services import accounts, preflight
from .events import EventHealthOutput
from .personas import PersonaPolicyOutput


class PermissionOutput(Output):
    """One action the portal needs, on what, what for, and whether its role may do it."""

    action = serializers.CharField()
    resource = serializers.CharField()
    outcome = word(PermissionOutcome)
    needed_for = serializers.CharField()
    detail = serializers.CharField()


class PreflightOutput(Output):
    """What was found out about one region's permissions, and how; `error` says why something was not."""

    region = serializers.CharField()
    method = word(PreflightMethod)
    checked_at = serializers.DateTimeField()
    error = serializers.CharField()
    results = PermissionOutput(many=True)


class AccountOutput(Output):
    """One account and how the portal reaches it. The external id is never shown."""

    account_id = serializers.CharField()
    alias = serializers.CharField()
    purposes = serializers.ListField(child=word(AccountPurpose))
    regions = serializers.ListField(child=serializers.CharField())
    role_arn = serializers.CharField()
    has_external_id = serializers.SerializerMethodField()
    organisation_id = serializers.CharField()
    event_queue_url = serializers.CharField()
    event_bus = serializers.CharField()
    artifact_buckets = serializers.ListField(child=serializers.CharField())
    is_enabled = serializers.BooleanField()
    checked_at = serializers.DateTimeField(allow_null=True)
    check_error = serializers.CharField()
    preflights = PreflightOutput(many=True)

    def get_has_external_id(self, account: AwsAccount) -> bool:
        return bool(account.external_id)


class RegionHealthOutput(Output):
    """How well the portal knows one region of an account.

    Every change up to `known_as_of` is known; `lag_seconds` is how old the last change was when it was taken in;
    `failing` counts the passes that failed since one succeeded, the last with `error`.
    """

    region = serializers.CharField()
    state = word(SyncHealth)
    known_as_of = serializers.DateTimeField(allow_null=True)
    full_pass_at = serializers.DateTimeField(source="full.started_at", allow_null=True, default=None)
    search_at = serializers.DateTimeField(source="incremental.started_at", allow_null=True, default=None)
    lag_seconds = serializers.FloatField(allow_null=True)
    failing = serializers.IntegerField()
    error = serializers.CharField()


class AccountDetail(AccountOutput):
    """One account, how well its regions are known, and how its registry events are doing."""

    sync = serializers.SerializerMethodField()
    events = serializers.SerializerMethodField()

    @extend_schema_field(RegionHealthOutput(many=True))
    def get_sync(self, account: AwsAccount) -> Any:
        return RegionHealthOutput(sync_health.health_of(account), many=True).data

    @extend_schema_field(EventHealthOutput)
    def get_events(self, account: AwsAccount) -> Any:
        return EventHealthOutput(health_of(account)).data


class AccountEdit(Input):
    """What may be set on an account; what is left out stays."""

    alias = serializers.CharField(max_length=63, required=False)
    purposes = serializers.ListField(child=word(AccountPurpose), required=False, max_length=10)
    regions = serializers.ListField(child=serializers.CharField(max_length=30), required=False, max_length=50)
    role_arn = serializers.CharField(required=False, allow_blank=True, max_length=2048)
    external_id = serializers.CharField(required=False, allow_blank=True, max_length=1224, write_only=True)
    organisation_id = serializers.CharField(required=False, allow_blank=True, max_length=34)
    event_queue_url = serializers.CharField(required=False, allow_blank=True, max_length=500)
    event_bus = serializers.CharField(required=False, max_length=256)
    artifact_buckets = serializers.ListField(child=serializers.CharField(max_length=63), required=False, max_length=50)
    is_enabled = serializers.BooleanField(required=False)


class AccountRegistration(AccountEdit):
    """A new account."""

    account_id = serializers.RegexField(r"^[0-9]{12}\Z", error_messages={"invalid": "An account id has twelve digits."})
    alias = serializers.CharField(max_length=63)
    purposes = serializers.ListField(child=word(AccountPurpose), max_length=10)


class Accepted(Output):
    """Work was handed to a worker."""

    detail = serializers.CharField()
    account_id = serializers.CharField()


class AccountFilters(Filters):
    """Filters of the list."""

    purpose = ChoiceFilter(choices=AccountPurpose.choices(), method="holding", help_text="One thing it is for.")
    region = exactly("regions", "A region it is read in.", method="reading")
    is_enabled = yes_or_no("is_enabled", "Whether the portal reads and writes it.")

    def holding(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(purposes__contains=[value])

    def reading(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(regions__contains=[value])


class Accounts(Listed, Marked):
    """AWS accounts."""

    noun = "AWS account"
    problem_statuses = (403,)
    lookup_field = "account_id"
    lookup_value_regex = r"[0-9]{12}"
    id_example = "111111111111"
    serializer_class = AccountDetail
    list_serializer_class = AccountOutput
    search_fields = ("alias", "account_id")
    ordering = ("account_id",)
    filterset_class = AccountFilters
    ordering_fields = {
        "account_id": "account_id",
        "alias": "alias",
        "is_enabled": "is_enabled",
        "checked_at": moment_or_never("checked_at"),
    }
    tie_breaker = ("account_id",)

    def get_queryset(self) -> QuerySet[AwsAccount]:
        return resources.account_list(self.actor) if self.is_list else resources.accounts(self.actor)

    def mark_of(self, row: AwsAccount) -> str:
        return accounts.mark_of(row)

    @extend_schema(request=AccountRegistration, responses={201: AccountDetail})
    def create(self, request: Request) -> Response:
        """Register an account."""
        values = self.read(AccountRegistration)
        return self.show(accounts.register(actor=self.actor, **values), 201)

    @extend_schema(request=AccountEdit)
    def partial_update(self, request: Request, **kwargs: Any) -> Response:
        """Change how the portal reaches an account; If-Match says on which state."""
        account = self.get_object()
        read_mark = self.agreed_mark(account)
        values = self.read(AccountEdit, partial=True)
        return self.show(accounts.edit(actor=self.actor, account=account, read_mark=read_mark, **values))

    @extend_schema(request=NoInput, responses={200: AccountDetail})
    @action(detail=True, methods=["post"])
    def test(self, request: Request, **kwargs: Any) -> Response:
        """Ask AWS who the portal is in this account; `check_error` says what went wrong, "" when nothing did."""
        self.read(NoInput)
        return self.show(accounts.test_connection(actor=self.actor, account_id=self.kwargs["id"]))

    @extend_schema(request=NoInput, responses={200: AccountDetail})
    @action(detail=True, methods=["post"])
    def preflight(self, request: Request, **kwargs: Any) -> Response:
        """Ask AWS in every region which of the actions the portal needs its role may do: see `preflights`."""
        self.read(NoInput)
        return self.show(preflight.check_permissions(actor=self.actor, account_id=self.kwargs["id"]))

    @extend_schema(
        parameters=[OpenApiParameter("execution_roles", str, description="Roles models run as, by commas: model-*.")],
        responses={200: PersonaPolicyOutput(many=True)},
    )
    @action(detail=True, methods=["get"], pagination_class=None, filter_backends=[])
    def personas(self, request: Request, **kwargs: Any) -> Response:
        """Show the IAM policies of the personas for this account: the least each of them needs there."""
        given = request.query_params.get("execution_roles", "")
        found = personas.persona_policies(self.actor, self.get_object(), given)
        return Response(PersonaPolicyOutput(found, many=True).data)


class SyncRunOutput(Output):
    """What one pass did and what it cost."""

    id = serializers.IntegerField(source="pk")
    account = serializers.CharField(source="account.account_id")
    region = serializers.CharField()
    kind = word(SyncKind)
    state = word(SyncState)
    requested_by = serializers.CharField()
    started_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    calls = serializers.IntegerField()
    pages = serializers.IntegerField()
    throttles = serializers.IntegerField()
    groups = serializers.IntegerField()
    groups_done = serializers.IntegerField()
    resumed = serializers.IntegerField()
    since = serializers.DateTimeField(allow_null=True)
    lag_seconds = serializers.FloatField(allow_null=True)
    created = serializers.IntegerField()
    updated = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    missing = serializers.IntegerField()
    error = serializers.CharField()


class HourOutput(Output):
    """The passes that began within one hour; `lag_seconds` is the worst any of them told, null when none did."""

    begins = serializers.DateTimeField()
    state = word(HourOfSync)
    passes = serializers.IntegerField()
    succeeded = serializers.IntegerField()
    failed = serializers.IntegerField()
    throttles = serializers.IntegerField()
    lag_seconds = serializers.FloatField(allow_null=True)


class StripOutput(Output):
    """One region of an account: how it stands now, and its last 24 hours, the running one last."""

    account = serializers.CharField(source="account.account_id")
    alias = serializers.CharField(source="account.alias")
    health = RegionHealthOutput()
    hours = HourOutput(many=True)


class SyncRunFilters(Filters):
    """Filters of the list."""

    account = account_filter("account__account_id")
    region = exactly("region", "A region of AWS.")
    kind = one_of(SyncKind, "kind")
    state = one_of(SyncState, "state")
    since = since("started_at")
    until = until("started_at")


class SyncRuns(Listed):
    """Passes over accounts, newest first."""

    noun = "sync run"
    problem_statuses = (403,)
    serializer_class = SyncRunOutput
    filterset_class = SyncRunFilters
    search_fields = ("account__alias", "requested_by", "error")
    ordering_fields = {
        "id": "pk",
        "account": "account__account_id",
        "region": "region",
        "kind": "kind",
        "state": "state",
        "calls": "calls",
        "requested_by": "requested_by",
        "started_at": "started_at",
        "finished_at": moment_or_never("finished_at"),
    }

    def get_queryset(self) -> QuerySet[SyncRun]:
        return resources.sync_run_list(self.actor)

    @extend_schema(responses=StripOutput(many=True))
    @action(detail=False, methods=["get"], url_path="last-day", pagination_class=None, filter_backends=[])
    def last_day(self, request: Request) -> Response:
        """Show how the passes over each account and region went in the last day, hour by hour."""
        return Response(
            StripOutput(strips(list(resources.account_list(self.actor).order_by("account_id"))), many=True).data
        )
