"""What happened to a thing in plain words, as its page tells it: moves, requests, decisions, reports, edits."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.serializers import Output, public_id
from portal.core.viewsets import Detailed

from ..selectors import timeline
from ..selectors.timeline import Entry


class EditOutput(Output):
    """One field that was edited, in words; null: it was not set."""

    field = serializers.CharField()
    before = serializers.CharField(allow_null=True)
    after = serializers.CharField(allow_null=True)


class HistoryOutput(Output):
    """One thing that happened, with everything that happened in the same operation."""

    at = serializers.DateTimeField()
    title = serializers.CharField()
    person = serializers.CharField(help_text="Who did it, in words; empty: nobody is named.")
    role = serializers.CharField(help_text="In which role, where that matters.")
    text = serializers.CharField()
    request = serializers.SerializerMethodField(help_text="The approval request it belongs to; null: none.")
    changes = EditOutput(many=True)

    def get_request(self, entry: Entry) -> str | None:
        return public_id(entry.request_id, "AR")


class Storied(Detailed):
    """A resource whose rows have a history."""

    def story(self, row: Any) -> list[Entry]:
        """Return what happened to a row, newest first."""
        return timeline.history(row)

    @extend_schema(responses=HistoryOutput(many=True))
    @action(detail=True, methods=["get"], pagination_class=None, filter_backends=[])
    def history(self, request: Request, **kwargs: Any) -> Response:
        """Tell what happened to it in plain words, newest first; the audit trail has all of it."""
        return Response(HistoryOutput(self.story(self.get_object()), many=True).data)
