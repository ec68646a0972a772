"""The portal's own running: accounts synced, the outbox looked at and tried again."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.db.models.functions import Left
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.filters import Filters, account_filter, arn_filter, one_of
from portal.core.serializers import Input, NoInput, Output, public_id, word
from portal.core.viewsets import ROW_ID, Detailed, Listed
from registry.api import accounts as registry_api

from ..choices import OutboxKind, OutboxState
from ..models import OutboxMessage
from ..selectors import outbox_message, resources
from ..selectors.outbox_health import account_outbox
from ..services import outbox, parked_events, sync
from .many import ManyMessages


class OutboxHealthOutput(Output):
    """The undelivered messages of one account: `waiting` of the pending merely wait, `stuck` have lost their worker."""

    pending = serializers.IntegerField()
    waiting = serializers.IntegerField()
    failed = serializers.IntegerField()
    stuck = serializers.IntegerField()
    oldest_pending_at = serializers.DateTimeField(allow_null=True)
    oldest_pending_seconds = serializers.FloatField(allow_null=True)


class Accounts(registry_api.Accounts):
    """AWS accounts."""

    @extend_schema(request=NoInput, responses={202: registry_api.Accepted})
    @action(detail=True, methods=["post"])
    def sync(self, request: Request, **kwargs: Any) -> Response:
        """Have a worker sync the account now; see `sync-runs/` for what it did."""
        self.read(NoInput)
        account = sync.request_sync(actor=self.actor, account_id=self.kwargs["id"])
        detail = f"A sync of {account} was asked for."
        return Response(registry_api.Accepted({"detail": detail, "account_id": account.account_id}).data, status=202)

    @extend_schema(responses={200: OutboxHealthOutput})
    @action(detail=True, methods=["get"])
    def outbox(self, request: Request, **kwargs: Any) -> Response:
        """How the outbox of the account is doing: what waits, since when, and what was given up."""
        _, health = account_outbox(self.actor, self.kwargs["id"])
        return Response(OutboxHealthOutput(health).data)

    @extend_schema(request=NoInput, responses={202: registry_api.Accepted})
    @action(detail=True, methods=["post"], url_path="redrive-events")
    def redrive_events(self, request: Request, **kwargs: Any) -> Response:
        """Have a worker take in the dead letters of the account's event queue; see `parked-events/`."""
        self.read(NoInput)
        account = parked_events.request_redrive(actor=self.actor, account_id=self.kwargs["id"])
        detail = f"A worker was asked to read the dead letters of {account}."
        return Response(registry_api.Accepted({"detail": detail, "account_id": account.account_id}).data, status=202)


class MessageOutput(Output):
    """One thing to be done in AWS, and how far it has come.

    `waiting_for` says what it awaits while nothing is wrong; `superseded_by` names the later word that took its place;
    `is_stuck`: its worker is gone, and the next one takes it up.
    """

    id = serializers.IntegerField(source="pk")
    kind = word(OutboxKind)
    state = word(OutboxState)
    summary = serializers.CharField()
    model_version = serializers.IntegerField(source="version_id", allow_null=True)
    model_package_arn = serializers.CharField(source="version.arn", allow_null=True)
    model_group = serializers.IntegerField(source="group_id", allow_null=True)
    account = serializers.CharField(source="lane_account_id")
    request = serializers.SerializerMethodField()
    attempts = serializers.IntegerField()
    next_attempt_at = serializers.DateTimeField()
    waiting_for = serializers.CharField()
    waiting_since = serializers.DateTimeField(allow_null=True)
    last_error = serializers.CharField()
    note = serializers.CharField()
    superseded_by = serializers.IntegerField(source="superseded_by_id", allow_null=True)
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    delivered_at = serializers.DateTimeField(allow_null=True)
    is_stuck = serializers.BooleanField()

    def get_request(self, message: OutboxMessage) -> str | None:
        return public_id(message.request_id_copy, "AR")


class AskedOfAws(Output):
    """One thing a message asks for."""

    name = serializers.CharField()
    value = serializers.JSONField()


class MessageAttemptOutput(Output):
    """One attempt, or somebody's wish for another; one that waited for the same several times is told once."""

    at = serializers.DateTimeField()
    outcome = serializers.CharField(help_text="Such as `delivered`, `failed`, `given_up` or `waiting`.")
    number = serializers.IntegerField()
    ended_at = serializers.DateTimeField(allow_null=True)
    said = serializers.CharField(help_text="In the words of AWS, or how it ended.")
    by = serializers.CharField()
    times = serializers.IntegerField()


class MessageDetail(MessageOutput):
    """One message with what it asks of AWS, without what may be a secret, every attempt, and what stands before it."""

    asked = serializers.SerializerMethodField()
    history = serializers.SerializerMethodField()
    ahead = serializers.SerializerMethodField(help_text="Undelivered messages before it in its order, by their ids.")

    @extend_schema_field(AskedOfAws(many=True))
    def get_asked(self, message: OutboxMessage) -> list[dict[str, Any]]:
        return [{"name": name, "value": value} for name, value in outbox_message.asked_of(message)]

    @extend_schema_field(MessageAttemptOutput(many=True))
    def get_history(self, message: OutboxMessage) -> Any:
        return MessageAttemptOutput(outbox_message.attempts_of(message), many=True).data

    def get_ahead(self, message: OutboxMessage) -> list[int]:
        return [one.pk for one in outbox_message.ahead_of(self.context["actor"], message)[:20]]


class MessageFilters(Filters):
    """Filters of the list."""

    kind = one_of(OutboxKind, "kind")
    state = one_of(OutboxState, "state")
    model_package_arn = arn_filter("version__arn")
    account = account_filter("lane_account")

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return super().filter_queryset(queryset.annotate(lane_account=Left("lane", 12)))


class FailedIn(Input):
    """The account whose messages are meant."""

    account = serializers.RegexField(r"^[0-9]{12}\Z", error_messages={"invalid": "An account id has twelve digits."})


class RetriedOutput(Output):
    """How many messages were given their next attempt, and how many were left because of their projects."""

    retried = serializers.IntegerField()
    left = serializers.IntegerField()


class Outbox(ManyMessages, Listed, Detailed):
    """What the portal has still to do in AWS, and what it has done."""

    noun = "outbox message"
    lookup_field = "pk"
    lookup_value_regex = ROW_ID
    serializer_class = MessageDetail
    list_serializer_class = MessageOutput
    filterset_class = MessageFilters
    search_fields = ("summary", "last_error", "waiting_for")
    ordering_fields = {
        "id": "pk",
        "kind": "kind",
        "state": "state",
        "attempts": "attempts",
        "created_at": "created_at",
        "next_attempt_at": "next_attempt_at",
    }

    def get_queryset(self) -> QuerySet[OutboxMessage]:
        return resources.outbox(self.actor)

    @extend_schema(request=NoInput, responses={200: MessageDetail})
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, **kwargs: Any) -> Response:
        """Give a failed or waiting message its next attempt now."""
        message = self.get_object()
        self.read(NoInput)
        return self.show(outbox.retry(actor=self.actor, message_id=message.pk))

    @extend_schema(request=FailedIn, responses={200: RetriedOutput})
    @action(detail=False, methods=["post"], url_path="retry-failed", problem_statuses=(404,))
    def retry_failed(self, request: Request, **kwargs: Any) -> Response:
        """Give every message that was given up in one account its next attempt now."""
        asked = self.read(FailedIn)
        return Response(RetriedOutput(outbox.retry_failed(actor=self.actor, account_id=asked["account"])).data)
