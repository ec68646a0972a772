"""The verbs that use cases and model versions share: submitted, retired, their ledger read."""

from __future__ import annotations

from typing import Any

from django.http.response import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.serializers import LONGEST_TEXT, Input, NoteInput
from portal.core.viewsets import Detailed

from ..choices import Stage
from ..selectors import overrides as selectors
from ..selectors import resources
from ..services import approvals, overrides, retirement
from .approvals import ApprovalOutput
from .overrides import BreakGlassInput, OverrideOutput
from .timeline import TIMELINE, EventOutput


class RetireInput(Input):
    """Why something is taken out of service for good."""

    reason = serializers.CharField(max_length=LONGEST_TEXT)
    force = serializers.BooleanField(default=False, help_text="Also while deployments of it are running.")


class Governed(Detailed):
    """A subject with a lifecycle."""

    @extend_schema(request=NoteInput, responses={201: ApprovalOutput})
    @action(detail=True, methods=["post"])
    def submit(self, request: Request, **kwargs: Any) -> Response:
        """Ask that it be approved at the stage it is in; a rejected one is taken up again by this."""
        subject = self.get_object()
        values = self.read(NoteInput)
        asked = approvals.submit(
            actor=self.actor, subject_type=type(subject), subject_id=subject.pk, note=values["note"]
        )
        shown = resources.approval_requests(self.actor).get(pk=asked.pk)
        return Response(ApprovalOutput(shown, context=self.get_serializer_context()).data, status=201)

    @extend_schema(request=RetireInput)
    @action(detail=True, methods=["post"])
    def retire(self, request: Request, **kwargs: Any) -> Response:
        """Take it out of service for good, on a governance officer's word."""
        subject = self.get_object()
        values = self.read(RetireInput)
        retired = retirement.retire(
            actor=self.actor,
            subject_type=type(subject),
            subject_id=subject.pk,
            reason=values["reason"],
            force=values["force"],
        )
        return self.show(retired)

    @extend_schema(request=BreakGlassInput, responses={201: OverrideOutput})
    @action(detail=True, methods=["post"], url_path="break-glass")
    def break_glass(self, request: Request, **kwargs: Any) -> Response:
        """Override a failing check of the policy for a while, on a governance officer's word; it opens a finding."""
        subject = self.get_object()
        values = self.read(BreakGlassInput)
        made = overrides.break_glass(
            actor=self.actor,
            subject_type=type(subject),
            subject_id=subject.pk,
            stage=Stage(values["stage"]),
            check_key=values["check"],
            reason=values["reason"],
            expires_at=values["expires_at"],
        )
        shown = selectors.register(self.actor).get(pk=made.pk)
        return Response(OverrideOutput(shown, context=self.get_serializer_context()).data, status=201)

    @extend_schema(responses=EventOutput(many=True))
    @action(methods=["get"], **TIMELINE)  # type: ignore[arg-type]  # one dict for two actions
    def timeline(self, request: Request, **kwargs: Any) -> HttpResponseBase:
        """Show its ledger: every move, newest first."""
        return self.paginated(self.filter_queryset(resources.events_of(self.get_object())), EventOutput)
