"""Approvals: the queue, one request in full, decisions on it."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django_filters import ChoiceFilter
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from portal.core.filters import Filters, arn_filter, exactly, one_of, use_case_filter
from portal.core.serializers import LONGEST_TEXT, Input, Output, text, word
from portal.core.viewsets import ByPublicId, Detailed, Listed
from registry.api.serializers import username
from registry.models import UseCase, User

from ..choices import (
    LIVING_STAGE_CHOICES,
    REQUEST_STATE_CHOICES,
    DecisionSource,
    RiskRating,
    Role,
    Stage,
    SubjectKind,
    Verdict,
)
from ..lifecycle import RequestState
from ..models import ApprovalRequest, Decision
from ..policies.engine import waiting_for
from ..policies.facts import Requirements
from ..selectors import resources
from ..selectors.binding import moved_since
from ..services import approvals
from .many import ManyApprovals
from .outlook import Foreseen
from .requirements import NeedOutput, as_needs


class SubjectOutput(Output):
    """What a request asks about."""

    kind = word(SubjectKind)
    id = serializers.CharField(help_text="UC-0001 for a use case, the number of a model version.")
    name = serializers.CharField()
    model_package_arn = serializers.CharField(allow_null=True)
    url = serializers.URLField()


class DecisionOutput(Output):
    """One person's word on a request."""

    decision = word(Verdict, source="verdict")
    decided_by = username("decider")
    role = word(Role)
    on_behalf_of = username("on_behalf_of")
    comment = serializers.CharField()
    back_to = serializers.CharField(help_text='The stage a rejection goes back to, "" otherwise.')
    decided_at = serializers.DateTimeField()
    source = word(  # type: ignore[assignment]  # a field of that name
        DecisionSource, help_text="`adopted`: made in SageMaker and taken over as this person's decision."
    )
    aws_principal = serializers.CharField(help_text='Who made it in SageMaker, "" for one made here.')
    aws_at = serializers.DateTimeField(allow_null=True, help_text="When it was made in SageMaker.")


class ApprovalOutput(Output):
    """One request: what is asked, what it needs, who has decided, and whether you may."""

    id = serializers.CharField(source="public_id")
    kind = word(SubjectKind)
    subject = serializers.SerializerMethodField()
    stage = word(Stage)
    to_stage = serializers.CharField(help_text='The stage it goes on to, "" after the last.')
    state = serializers.ChoiceField(choices=REQUEST_STATE_CHOICES)
    requester = username("requester")
    registrant = username("registrant")
    modifier = username("modifier")
    renews = serializers.BooleanField(help_text="Whether it asks for a standing approval again that is outdated.")
    note = serializers.CharField()
    policy_version = serializers.IntegerField(source="policy.number")
    risk_tier = word(RiskRating, source="tier")
    digest = serializers.CharField(help_text="Of what was submitted; a decision is bound to it.")
    requirements = serializers.SerializerMethodField()
    missing = serializers.SerializerMethodField()
    waiting_for = serializers.SerializerMethodField()
    decisions = DecisionOutput(many=True, source="decisions.all")
    due_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    escalated_at = serializers.DateTimeField(allow_null=True)
    is_overdue = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField()
    closed_at = serializers.DateTimeField(allow_null=True)
    closing_note = serializers.CharField()
    may_decide = serializers.SerializerMethodField()
    why_not = serializers.SerializerMethodField()

    @extend_schema_field(SubjectOutput)
    def get_subject(self, request: ApprovalRequest) -> dict[str, Any]:
        subject, http = request.subject, self.context["request"]
        if isinstance(subject, UseCase):
            address = reverse("use-case-detail", kwargs={"id": subject.public_id}, request=http)
            return {
                "kind": request.kind,
                "id": subject.public_id,
                "name": subject.name,
                "model_package_arn": None,
                "url": address,
            }
        return {
            "kind": request.kind,
            "id": str(subject.pk),
            "name": subject.name,
            "model_package_arn": subject.arn,
            "url": reverse("model-version-detail", kwargs={"id": subject.pk}, request=http),
        }

    @extend_schema_field(NeedOutput(many=True))
    def get_requirements(self, request: ApprovalRequest) -> list[dict[str, Any]]:
        return as_needs(Requirements.from_json(request.requirements).approvals)

    @extend_schema_field(NeedOutput(many=True))
    def get_missing(self, request: ApprovalRequest) -> list[dict[str, Any]]:
        return as_needs(approvals.missing_approvals(request)) if request.state == RequestState.OPEN else []

    def get_waiting_for(self, request: ApprovalRequest) -> str:
        return _waiting(request)

    def get_is_overdue(self, request: ApprovalRequest) -> bool:
        return request.state == RequestState.OPEN and request.due_at < timezone.now()

    def get_may_decide(self, request: ApprovalRequest) -> bool:
        return not self.get_why_not(request)

    def get_why_not(self, request: ApprovalRequest) -> str:
        return approvals.refusal_for(self.context["actor"], request)


def _waiting(request: ApprovalRequest, *given: Decision) -> str:
    if request.state != RequestState.OPEN:
        return ""
    needs = Requirements.from_json(request.requirements).approvals
    return waiting_for(needs, approvals.missing_approvals(request, *given))


class DecisionInput(Input):
    """One person's word."""

    decision = word(Verdict)
    comment = text(help_text="Needed unless you approve.")
    back_to = serializers.ChoiceField(
        choices=LIVING_STAGE_CHOICES,
        required=False,
        allow_null=True,
        default=None,
        help_text="The stage a rejection goes back to; development unless you say otherwise.",
    )


class RequestStanding(Output):
    """A request after a decision."""

    id = serializers.CharField(source="public_id")
    state = serializers.ChoiceField(choices=REQUEST_STATE_CHOICES)
    waiting_for = serializers.SerializerMethodField()

    def get_waiting_for(self, request: ApprovalRequest) -> str:
        return _waiting(request, *self.context.get("given", ()))


class DecidedOutput(DecisionOutput):
    """A decision, and what became of its request."""

    request = RequestStanding()


class DifferenceOutput(Output):
    """One field of what is decided that is no longer what it was; null where it is absent."""

    field = serializers.CharField()
    before = serializers.JSONField(allow_null=True)
    after = serializers.JSONField(allow_null=True)


class WithdrawInput(Input):
    """Why a request is taken back."""

    reason = serializers.CharField(required=False, allow_blank=True, default="", max_length=LONGEST_TEXT)


class ApprovalFilters(Filters):
    """Filters of the list."""

    queue = ChoiceFilter(
        choices=[(name, name) for name in resources.QUEUES],
        method="in_queue",
        help_text="`mine`: waits for a decision you may give. `role`: waits for a role of yours."
        " `overdue`: open past its due date. `decided`: you have decided on it. `asked`: you asked for it.",
    )
    state = one_of(REQUEST_STATE_CHOICES, "state")
    stage = one_of(Stage, "stage")
    kind = one_of(SubjectKind, "kind")
    risk_tier = one_of(RiskRating, "tier")
    requester = exactly("requester__username", "A sign-in name.")
    use_case = use_case_filter("use_case__number")
    model_package_arn = arn_filter("version__arn")

    def in_queue(self, rows: QuerySet[ApprovalRequest], name: str, value: str) -> QuerySet[ApprovalRequest]:
        return resources.in_queue(rows, self.request.user.actor, value)


class Approvals(Foreseen, ManyApprovals, ByPublicId, Listed, Detailed):
    """Approval requests."""

    noun = "approval request"
    lookup_field = "pk"
    public_id_prefix = "AR"
    id_example = "AR-000001"
    serializer_class = ApprovalOutput
    filterset_class = ApprovalFilters
    search_fields = ("note", "use_case__name", "version__group__name")
    ordering_fields = {
        "id": "pk",
        "requester": "requester__username",
        "risk_tier": "tier",
        "due_at": "due_at",
        "expires_at": "expires_at",
        "created_at": "created_at",
        "stage": "stage",
        "state": "state",
    }

    def get_queryset(self) -> QuerySet[ApprovalRequest]:
        return resources.approval_requests(self.actor)

    @extend_schema(request=DecisionInput, responses={201: DecidedOutput})
    @action(detail=True, methods=["post"])
    def decisions(self, request: Request, **kwargs: Any) -> Response:
        """Decide. The last approval that is missing moves the subject on; a rejection sends it back."""
        try:
            values = self.read(DecisionInput)
        except serializers.ValidationError:
            # What one may not see is not there, whatever was sent; the service says so too.
            self.get_object()
            raise
        decision = approvals.decide(
            actor=self.actor,
            request_id=int(self.lookup()[self.lookup_field]),
            verdict=Verdict(values["decision"]),
            comment=values["comment"],
            back_to=Stage(values["back_to"]) if values["back_to"] else None,
        )
        if isinstance(request.user, User) and request.user.pk == decision.decider_id:
            decision.decider = request.user
        # The service holds what it has just written; nothing is read again.
        context = {**self.get_serializer_context(), "given": (decision,)}
        return Response(DecidedOutput(decision, context=context).data, status=201)

    @extend_schema(responses=DifferenceOutput(many=True))
    @action(detail=True, methods=["get"], pagination_class=None, filter_backends=[])
    def difference(self, request: Request, **kwargs: Any) -> Response:
        """Show field by field what of the subject is no longer as it was when it was submitted."""
        return Response(DifferenceOutput(moved_since(self.get_object()), many=True).data)

    @extend_schema(request=WithdrawInput)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, **kwargs: Any) -> Response:
        """Take your own request back."""
        asked = self.get_object()
        values = self.read(WithdrawInput)
        return self.show(approvals.withdraw(actor=self.actor, request_id=asked.pk, reason=values["reason"]))
