"""Acts on several approval requests, findings, write-backs or registry events at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.errors import Forbidden
from portal.core.many import OutcomesOutput, RowsInput, one_by_one
from portal.core.permissions import Act, require_anywhere
from portal.core.serializers import LONGEST_TEXT, text
from portal.core.viewsets import Resource
from registry.api.serializers import PersonField
from registry.choices import ParkedEventState

from ..choices import RequestState
from ..selectors import inbox
from ..services import bulk_approval, findings, outbox, parked_events

# Each replay asks AWS, one after another.
_MOST_REPLAYS = 20
_DONE = {200: OutcomesOutput}


class ApproveManyInput(RowsInput):
    """Which requests, and what was looked at; it stands in the history of each."""

    comment = serializers.CharField(max_length=LONGEST_TEXT)


class AssignManyInput(RowsInput):
    """Which findings, and who deals with them; null is nobody."""

    owner = PersonField(allow_null=True)
    reason = text()


class DueManyInput(RowsInput):
    """Which findings, and by when they are to be dealt with; null takes the date away."""

    due_on = serializers.DateField(allow_null=True)
    reason = text()


class ReplayManyInput(RowsInput):
    """Which events; AWS is asked about each."""

    ids = serializers.ListField(
        child=serializers.CharField(max_length=30), min_length=1, max_length=_MOST_REPLAYS, help_text="Their ids."
    )


class DismissManyInput(RowsInput):
    """Which events need not be taken in, and why."""

    reason = serializers.CharField(max_length=LONGEST_TEXT)


class Several(Resource):
    """A resource of which several rows can be acted on at once."""

    def each(self, ids: list[str], carry_out: Callable[[Any], str]) -> Response:
        """Do something with each row that is named as its address would; hidden and missing are one refusal."""

        def one(given: str) -> str:
            self.kwargs[self.lookup_url_kwarg] = given
            return carry_out(self.get_object())

        return one_by_one(ids, one)


class ManyApprovals(Several):
    """Approving several requests of low or medium risk."""

    @extend_schema(request=ApproveManyInput, responses=_DONE)
    @action(detail=False, methods=["post"], url_path="bulk-approve")
    def bulk_approve(self, request: Request) -> Response:
        """Approve several requests of low or medium risk with one comment; anything else is decided on alone."""
        if not inbox.may_decide(self.actor):
            raise Forbidden("No request waits for a role of yours.")
        given = self.read(ApproveManyInput)

        def approve(row: Any) -> str:
            decision = bulk_approval.approve_among_many(actor=self.actor, request_id=row.pk, comment=given["comment"])
            closed = decision.request.state != RequestState.OPEN
            return "" if closed else "Your approval is recorded; others are still missing."

        return self.each(given["ids"], approve)


class ManyFindings(Several):
    """Handling several findings."""

    @extend_schema(request=RowsInput, responses=_DONE)
    @action(detail=False, methods=["post"], url_path="bulk-acknowledge")
    def bulk_acknowledge(self, request: Request) -> Response:
        """Take several findings on; whoever does owns them."""
        require_anywhere(self.actor, Act.HANDLE_FINDINGS)
        given = self.read(RowsInput)

        def acknowledge(row: Any) -> str:
            findings.acknowledge(actor=self.actor, finding_id=row.pk)
            return ""

        return self.each(given["ids"], acknowledge)

    @extend_schema(request=AssignManyInput, responses=_DONE)
    @action(detail=False, methods=["post"], url_path="bulk-assign")
    def bulk_assign(self, request: Request) -> Response:
        """Give several findings to somebody who can see them, or to nobody."""
        require_anywhere(self.actor, Act.HANDLE_FINDINGS)
        given = self.read(AssignManyInput)

        def assign(row: Any) -> str:
            findings.assign(actor=self.actor, finding_id=row.pk, owner=given["owner"], reason=given["reason"])
            return ""

        return self.each(given["ids"], assign)

    @extend_schema(request=DueManyInput, responses=_DONE)
    @action(detail=False, methods=["post"], url_path="bulk-due")
    def bulk_due(self, request: Request) -> Response:
        """Change by when several findings are to be dealt with."""
        require_anywhere(self.actor, Act.HANDLE_FINDINGS)
        given = self.read(DueManyInput)

        def due(row: Any) -> str:
            findings.set_due(actor=self.actor, finding_id=row.pk, due_on=given["due_on"], reason=given["reason"])
            return ""

        return self.each(given["ids"], due)


class ManyMessages(Several):
    """Trying several write-backs again."""

    @extend_schema(request=RowsInput, responses=_DONE)
    @action(detail=False, methods=["post"], url_path="bulk-retry")
    def bulk_retry(self, request: Request) -> Response:
        """Give several failed or waiting messages their next attempt now."""
        require_anywhere(self.actor, Act.RETRY_OUTBOX)
        given = self.read(RowsInput)

        def retry(row: Any) -> str:
            outbox.retry(actor=self.actor, message_id=row.pk)
            return ""

        return self.each(given["ids"], retry)


class ManyParkedEvents(Several):
    """Replaying or dismissing several registry events."""

    @extend_schema(request=ReplayManyInput, responses=_DONE)
    @action(detail=False, methods=["post"], url_path="bulk-replay")
    def bulk_replay(self, request: Request) -> Response:
        """Take several events in anew; what still cannot be taken in stays, with the new error."""
        require_anywhere(self.actor, Act.HANDLE_EVENTS)
        given = self.read(ReplayManyInput)

        def replay(row: Any) -> str:
            event = parked_events.replay(actor=self.actor, event_id=row.pk)
            taken = event.state == ParkedEventState.REPLAYED
            return "" if taken else f"It could not be taken in and stays. {event.error[:200]}"

        return self.each(given["ids"], replay)

    @extend_schema(request=DismissManyInput, responses=_DONE)
    @action(detail=False, methods=["post"], url_path="bulk-dismiss")
    def bulk_dismiss(self, request: Request) -> Response:
        """Say that several events need not be taken in, and why; they are kept."""
        require_anywhere(self.actor, Act.HANDLE_EVENTS)
        given = self.read(DismissManyInput)

        def dismiss(row: Any) -> str:
            parked_events.dismiss(actor=self.actor, event_id=row.pk, reason=given["reason"])
            return ""

        return self.each(given["ids"], dismiss)
