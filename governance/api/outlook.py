"""What a decision would rest on and lead to: who could sign, what each answer does, what changed since the last one."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.serializers import Output, word
from portal.core.viewsets import Resource
from registry.api.serializers import VersionReference
from registry.models import ModelVersion

from ..choices import RequestState, Role, Stage
from ..models import ApprovalRequest
from ..selectors import comparison
from ..services import approvals, outlook, preview
from .requirements import CheckOutput, as_checks


class SignerOutput(Output):
    """Somebody who could give the next signature of a role."""

    username = serializers.CharField(source="person.username")
    on_behalf_of = serializers.CharField(
        source="in_the_name_of.username",
        allow_null=True,
        default=None,
        help_text="For whom he stands in; null: nobody.",
    )


class SeatOutput(Output):
    """The signatures of one role: needed, given, and who could give the rest."""

    role = word(Role)
    count = serializers.IntegerField()
    given = serializers.IntegerField()
    could = SignerOutput(many=True)


class EffectsOutput(Output):
    """What an answer would do, in plain words."""

    portal = serializers.ListField(child=serializers.CharField())
    aws = serializers.ListField(child=serializers.CharField())
    first = serializers.CharField(help_text='What has to happen before any of it, "" when this is the last word.')


class MovedFieldOutput(Output):
    """One field against the version approved last; null: not reported."""

    field = serializers.CharField()
    before = serializers.CharField(allow_null=True)
    after = serializers.CharField(allow_null=True)
    note = serializers.CharField(help_text="By how much a number changed, and whether that is better.")


class MovedSectionOutput(Output):
    """The fields of one section that differ."""

    title = serializers.CharField()
    compared = serializers.IntegerField(help_text="How many fields were compared.")
    rows = MovedFieldOutput(many=True)


class PredecessorOutput(Output):
    """The version of the group a decision compares with, and where it was approved."""

    version = VersionReference()
    stage = word(Stage)


class OutlookOutput(Output):
    """Everything the decision page shows beside the request itself; effects are null once it is closed."""

    signatures = SeatOutput(many=True)
    checks = CheckOutput(many=True)
    approval = EffectsOutput(allow_null=True)
    rejection = EffectsOutput(allow_null=True)
    changes = EffectsOutput(allow_null=True)
    stages_back = serializers.ListField(
        child=word(Stage), help_text="Where a rejection may go back to, the usual one first."
    )
    predecessor = PredecessorOutput(allow_null=True)
    differences = MovedSectionOutput(many=True, help_text="Against the predecessor.")


class Foreseen(Resource):
    """An approval request whose consequences can be asked for."""

    @extend_schema(responses=OutlookOutput)
    @action(detail=True, methods=["get"], pagination_class=None, filter_backends=[])
    def outlook(self, request: Request, **kwargs: Any) -> Response:
        """Show who could sign, how the checks stand, what each answer would do, and what changed since the last one."""
        asked: ApprovalRequest = self.get_object()
        is_open = asked.state == RequestState.OPEN
        found = {
            "signatures": outlook.signatures_of(asked),
            "checks": as_checks(approvals.checks_of(asked)),
            "approval": preview.of_approval(asked) if is_open else None,
            "rejection": preview.of_rejection(asked) if is_open else None,
            "changes": preview.of_changes(asked) if is_open else None,
            "stages_back": [stage.value for stage in preview.stages_to_go_back_to(asked)] if is_open else [],
            **self._compared(asked),
        }
        return Response(OutlookOutput(found).data)

    def _compared(self, asked: ApprovalRequest) -> dict[str, Any]:
        subject = asked.subject
        nothing: dict[str, Any] = {"predecessor": None, "differences": []}
        if not isinstance(subject, ModelVersion):
            return nothing
        found = comparison.predecessor(subject, Stage(asked.stage))
        if found is None:
            return nothing
        groups = comparison.compare(self.actor, found.version, subject)
        return {"predecessor": found, "differences": [group for group in groups if group.rows]}
