"""Registry events that could not be taken in: looked at, replayed, dismissed."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.filters import Filters, account_filter, arn_filter, one_of
from portal.core.serializers import LONGEST_TEXT, Input, NoInput, Output, word
from portal.core.viewsets import ROW_ID, Detailed, Listed
from registry.api.serializers import username
from registry.choices import EventProblem, ParkedEventState
from registry.models import ParkedEvent
from registry.selectors import events

from ..services import parked_events
from .many import ManyParkedEvents


class ParkedEventOutput(Output):
    """One message of an event queue that could not be taken in, and what became of it."""

    id = serializers.IntegerField(source="pk")
    account = serializers.CharField(source="account.account_id", help_text="Whose queue it lay in.")
    message_id = serializers.CharField()
    model_package_arn = serializers.CharField(help_text="Empty when the message names no version.")
    problem = word(EventProblem)
    error = serializers.CharField()
    attempts = serializers.IntegerField()
    queued_at = serializers.DateTimeField(allow_null=True)
    first_seen_at = serializers.DateTimeField()
    last_seen_at = serializers.DateTimeField()
    state = word(ParkedEventState)
    settled_at = serializers.DateTimeField(allow_null=True)
    settled_by = username("settled_by")
    reason = serializers.CharField(source="note", help_text="Why it was dismissed.")


class ParkedEventDetail(ParkedEventOutput):
    """One message with its body; what UTF-8 cannot show, and NUL, shows as U+FFFD. What is kept is exact."""

    body = serializers.CharField(source="text")


class DismissInput(Input):
    """Why it need not be taken in."""

    reason = serializers.CharField(max_length=LONGEST_TEXT)


class ParkedEventFilters(Filters):
    """Filters of the list."""

    account = account_filter("account__account_id")
    state = one_of(ParkedEventState, "state")
    problem = one_of(EventProblem, "problem")
    model_package_arn = arn_filter("model_package_arn")


class ParkedEvents(ManyParkedEvents, Listed, Detailed):
    """Registry events that could not be taken in."""

    noun = "parked event"
    problem_statuses = (403,)
    lookup_field = "pk"
    lookup_value_regex = ROW_ID
    list_serializer_class = ParkedEventOutput
    serializer_class = ParkedEventDetail
    filterset_class = ParkedEventFilters
    search_fields = ("model_package_arn", "message_id", "error")
    ordering_fields = {
        "id": "pk",
        "account": "account__account_id",
        "problem": "problem",
        "state": "state",
        "attempts": "attempts",
        "last_seen_at": "last_seen_at",
        "first_seen_at": "first_seen_at",
    }

    def get_queryset(self) -> QuerySet[ParkedEvent]:
        return events.parked_events(self.actor) if self.is_list else events.parked_events_in_detail(self.actor)

    @extend_schema(request=NoInput, responses={200: ParkedEventDetail})
    @action(detail=True, methods=["post"])
    def replay(self, request: Request, **kwargs: Any) -> Response:
        """Take an event in anew: `state` says whether that worked, `error` why not."""
        event = self.get_object()
        self.read(NoInput)
        return self.show(parked_events.replay(actor=self.actor, event_id=event.pk))

    @extend_schema(request=DismissInput, responses={200: ParkedEventDetail})
    @action(detail=True, methods=["post"])
    def dismiss(self, request: Request, **kwargs: Any) -> Response:
        """Say that an event need not be taken in, and why; it is kept."""
        event = self.get_object()
        reason = self.read(DismissInput)["reason"]
        return self.show(parked_events.dismiss(actor=self.actor, event_id=event.pk, reason=reason))
