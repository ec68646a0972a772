"""What the sections of a use case's page show: reviews, monitoring, people, who decides next; and sending it back."""

from __future__ import annotations

from typing import Any

from django.http.response import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.serializers import LONGEST_TEXT, Input, Output, text, word
from portal.core.viewsets import Revised
from registry.api.organisation import WorkerOutput
from registry.api.serializers import VersionReference, username
from registry.models import UseCase
from registry.selectors.people import shown_use_case, who_works_on

from ..choices import LIVING_STAGE_CHOICES, FindingKind, FindingState, Stage
from ..selectors import monitoring
from ..selectors import use_case_reviews as selectors
from ..services import deciders, reject_back, use_case_reviews
from .approvals import DecidedOutput
from .history import Storied
from .outlook import SeatOutput

_NO_LIST: dict[str, Any] = {"pagination_class": None, "filter_backends": []}


class ReviewOutput(Output):
    """That somebody looked at a use case again, what he found, and when the next look is due. Never edited."""

    id = serializers.IntegerField(source="pk")
    reviewed_on = serializers.DateField()
    note = serializers.CharField()
    next_review_on = serializers.DateField()
    reviewer = username("reviewer")
    recorded_at = serializers.DateTimeField()


class ReviewInput(Input):
    """What a review found, and when the next one is due."""

    reviewed_on = serializers.DateField()
    note = serializers.CharField(max_length=10_000)
    next_review_on = serializers.DateField()


class ReviewPlanInput(Input):
    """When the next review is due (null: none is planned); a reason where one that is overdue is put off."""

    next_review_on = serializers.DateField(allow_null=True)
    reason = text(max_length=2000)


class RejectBackInput(Input):
    """Why it goes back, and to which stage; the usual one unless given."""

    reason = serializers.CharField(max_length=LONGEST_TEXT)
    back_to = serializers.ChoiceField(choices=LIVING_STAGE_CHOICES, required=False, allow_null=True, default=None)


class WatchedOutput(Output):
    """One metric: `value` is null where it is not reported, `holds` where the policy asks nothing of it as well."""

    name = serializers.CharField()
    value = serializers.CharField(allow_null=True)
    asked = serializers.CharField()
    holds = serializers.BooleanField(allow_null=True)


class WatchedVersionOutput(Output):
    """One version in one production account with its latest monitoring report."""

    model_version = VersionReference(source="record.version")
    stage_record = serializers.IntegerField(source="record.pk")
    account = serializers.CharField(source="record.account.account_id", allow_null=True, default=None)
    endpoint = serializers.CharField()
    captured_at = serializers.DateTimeField(allow_null=True)
    broken = serializers.IntegerField(help_text="How many metrics are beyond their thresholds.")
    metrics = WatchedOutput(many=True)


class MonitoringFinding(Output):
    """One standing finding about monitoring."""

    id = serializers.CharField(source="public_id")
    kind = word(FindingKind)
    state = word(FindingState)
    summary = serializers.CharField()
    owner = username("owner")
    first_seen_at = serializers.DateTimeField()


class MonitoringOutput(Output):
    """What the versions of a use case report while they run in production."""

    running = WatchedVersionOutput(many=True)
    findings = MonitoringFinding(many=True)


class ShownToOutput(Output):
    """Somebody to whom a use case is shown by name."""

    username = serializers.CharField()
    display_name = serializers.CharField()


class UseCasePeopleOutput(Output):
    """Who works on a use case, and to whom else it is shown."""

    workers = WorkerOutput(many=True)
    shown_to = ShownToOutput(many=True)


class DecidersOutput(Output):
    """Who decides next; without a request, who would if it were asked for. Empty where nothing can be asked."""

    stage = word(Stage)
    request = serializers.CharField(source="request.public_id", allow_null=True, default=None)
    signatures = SeatOutput(many=True, source="seats")


class UseCaseViews(Storied, Revised):
    """A use case with the sections of its page."""

    conditional_actions = frozenset({"partial_update", "record_review", "review_plan"})

    @extend_schema(responses=ReviewOutput(many=True))
    @action(
        detail=True, methods=["get"], is_list=True, filterset_class=None, search_fields=(),
        ordering_fields={"reviewed_on": "reviewed_on"}, ordering=("-reviewed_on",), tie_breaker=("pk",),
    )  # fmt: skip
    def reviews(self, request: Request, **kwargs: Any) -> HttpResponseBase:
        """Show what earlier reviews found, newest first."""
        return self.paginated(selectors.of_use_case(self.get_object()), ReviewOutput)

    @extend_schema(request=ReviewInput, responses={201: ReviewOutput})
    @reviews.mapping.post
    def record_review(self, request: Request, **kwargs: Any) -> Response:
        """Record a review; it ends the finding that it was overdue."""
        use_case: UseCase = self.get_object()
        revision = self.agreed_revision(use_case)
        values = self.read(ReviewInput)
        row = use_case_reviews.record(actor=self.actor, use_case_id=use_case.pk, revision=revision, **values)
        return Response(ReviewOutput(row).data, status=201)

    @extend_schema(request=ReviewPlanInput)
    @action(detail=True, methods=["put"], url_path="review-plan")
    def review_plan(self, request: Request, **kwargs: Any) -> Response:
        """Say when it is to be reviewed next."""
        use_case: UseCase = self.get_object()
        revision = self.agreed_revision(use_case)
        values = self.read(ReviewPlanInput)
        return self.show(use_case_reviews.plan(actor=self.actor, use_case_id=use_case.pk, revision=revision, **values))

    @extend_schema(request=RejectBackInput, responses={201: DecidedOutput})
    @action(detail=True, methods=["post"], url_path="reject-back")
    def reject_back(self, request: Request, **kwargs: Any) -> Response:
        """Reject the request that waits about it and send it back to a stage for rework: your decision on that request.

        It can be submitted again once it was reworked.
        """
        use_case: UseCase = self.get_object()
        values = self.read(RejectBackInput)
        decision = reject_back.reject_back(
            actor=self.actor,
            use_case_id=use_case.pk,
            reason=values["reason"],
            back_to=Stage(values["back_to"]) if values["back_to"] else None,
        )
        return Response(DecidedOutput(decision, context=self.get_serializer_context()).data, status=201)

    @extend_schema(responses=MonitoringOutput)
    @action(detail=True, methods=["get"], **_NO_LIST)
    def monitoring(self, request: Request, **kwargs: Any) -> Response:
        """Show what its versions in production report, and what is beyond its threshold."""
        use_case: UseCase = self.get_object()
        found = {
            "running": monitoring.in_production(self.actor, use_case),
            "findings": monitoring.findings_about(self.actor, use_case),
        }
        return Response(MonitoringOutput(found).data)

    @extend_schema(responses=UseCasePeopleOutput)
    @action(detail=True, methods=["get"], **_NO_LIST)
    def people(self, request: Request, **kwargs: Any) -> Response:
        """Show who works on it, and to whom else it is shown by name."""
        use_case: UseCase = self.get_object()
        found = {"workers": who_works_on(use_case.project), "shown_to": shown_use_case(use_case)}
        return Response(UseCasePeopleOutput(found).data)

    @extend_schema(responses=DecidersOutput)
    @action(detail=True, methods=["get"], **_NO_LIST)
    def deciders(self, request: Request, **kwargs: Any) -> Response:
        """Show who decides on it next: on what is asked, or on what would be asked where it stands."""
        return Response(DecidersOutput(deciders.of_use_case(self.get_object())).data)
