"""What a subject needs at a stage, and what of it is missing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.errors import InvalidInput, WrongState
from portal.core.serializers import Input, Output, text, word
from portal.core.viewsets import Detailed
from portal.core.vocabulary import Provenance
from registry.models import ModelVersion, UseCase

from ..choices import EvidenceKind, MetricKind, RiskRating, Role, Stage
from ..models import ApprovalRequest, PolicyVersion
from ..policies.engine import waiting_for
from ..policies.facts import ApprovalNeed, Check, Operator, Outcome, Requirements, Tier
from ..policies.metrics import is_number
from ..policies.rules import NoRule
from ..selectors import policy as policies
from ..selectors import resources
from ..selectors.overrides import overrides_of
from ..selectors.version_now import VersionNow, checks_now
from ..services import approvals

STAGE = OpenApiParameter(
    "stage", OpenApiTypes.STR, enum=[stage.value for stage in Stage], description="By default the one it is in."
)
_NUMBER = {"type": "number"}


class NeedOutput(Output):
    """So many people in that role must approve."""

    role = word(Role)
    count = serializers.IntegerField()


@extend_schema_field({"oneOf": [_NUMBER, {"type": "array", "items": _NUMBER, "minItems": 2, "maxItems": 2}]})
class ThresholdField(serializers.Field):
    """One number, or the two ends of `between`."""

    def to_internal_value(self, data: Any) -> Any:
        ends = data if isinstance(data, list) else [data]
        if len(ends) not in (1, 2) or not all(map(is_number, ends)):
            raise serializers.ValidationError("Send a number, or a list of the two ends of `between`.")
        return data

    def to_representation(self, value: Any) -> Any:
        return list(value) if isinstance(value, tuple) else value


class MetricRuleOutput(Output):
    """A metric that must be reported and within its threshold."""

    path = serializers.CharField(help_text="Such as `auc` or `bias.post_training.DI[gender]`.")
    operator = serializers.ChoiceField(choices=[(operator.value, operator.value) for operator in Operator])
    value = ThresholdField(help_text="A number, or the two ends of `between`.")
    segment = serializers.CharField(help_text='The part of the data it was measured on, "" for all of it.')
    max_age_days = serializers.IntegerField(allow_null=True)
    kind = word(MetricKind)


class MetricRuleInput(Input):
    """A metric that must be reported and within its threshold."""

    path = serializers.CharField()
    operator = serializers.ChoiceField(choices=[(operator.value, operator.value) for operator in Operator])
    value = ThresholdField()
    segment = text()
    max_age_days = serializers.IntegerField(required=False, allow_null=True, default=None)
    kind = word(MetricKind, required=False, default=MetricKind.VALIDATION)


class CheckOutput(Output):
    """One thing a policy asks for and how it stands; a break-glass override names the key."""

    key = serializers.CharField(help_text="Such as `evidence:bias_report`, `metric:auc>=0.75`, `provenance:data_set`.")
    label = serializers.CharField()  # type: ignore[assignment]  # a field of that name
    outcome = serializers.ChoiceField(choices=[(outcome.value, outcome.value) for outcome in Outcome])
    detail = serializers.CharField(help_text="In plain words, with the number and its threshold.")
    actual = serializers.CharField()
    threshold = serializers.CharField()


class RequirementsOutput(Output):
    """What an approval at a stage needs: by the policy in force, or by the copy in the request that waits."""

    stage = word(Stage)
    policy_version = serializers.IntegerField()
    risk_tier = word(RiskRating)
    risk_tier_source = serializers.CharField()
    approvals = NeedOutput(many=True)
    evidence = serializers.ListField(child=word(EvidenceKind))
    metrics = MetricRuleOutput(many=True)
    provenance = serializers.ListField(child=word(Provenance), help_text="What must be known of where it comes from.")
    days_until_due = serializers.IntegerField()
    days_until_expiry = serializers.IntegerField()
    open_request = serializers.CharField(allow_null=True, help_text="The request that waits, such as AR-000001.")
    missing = NeedOutput(many=True)
    waiting_for = serializers.CharField(help_text="Who the open request waits for, in plain words.")
    checks = CheckOutput(many=True, help_text="Evidence and metrics that are asked for, and how it stands.")


class Asked(Detailed):
    """A subject that approvals are asked for."""

    @extend_schema(responses=RequirementsOutput, parameters=[STAGE])
    @action(detail=True, methods=["get"], query_parameters=("stage",), problem_statuses=(409,))
    def requirements(self, request: Request, **kwargs: Any) -> Response:
        """Show what an approval at a stage needs, and what of it is missing."""
        subject = self.get_object()
        asked = request.query_params.get("stage", subject.stage)
        if "stage" not in request.query_params and asked == Stage.RETIRED:
            raise WrongState(f"{subject} is retired; there is nothing to approve any more.")
        return Response(RequirementsOutput(requirements_of(subject, stage_of(subject, asked))).data)


def stage_of(subject: UseCase | ModelVersion, asked: str) -> Stage:
    """Return the stage a query names. Raises InvalidInput for one this kind of subject never walks."""
    stages = resources.stages_to_ask_for(subject)
    if asked not in stages:
        raise InvalidInput("There is no such stage.", errors={"stage": [f"Give one of {', '.join(stages)}."]})
    return Stage(asked)


def as_checks(checks: Sequence[Check]) -> list[dict[str, Any]]:
    """Return checks as they are shown."""
    return [
        {
            "key": check.key,
            "label": check.label,
            "outcome": check.outcome.value,
            "detail": check.detail,
            "actual": check.actual,
            "threshold": check.threshold,
        }
        for check in checks
    ]


def as_needs(needs: tuple[ApprovalNeed, ...]) -> list[dict[str, Any]]:
    """Return needs as they are shown."""
    return [{"role": need.role.value, "count": need.count} for need in needs]


def as_requirements(needs: Requirements) -> dict[str, Any]:
    """Return everything that is needed as it is shown."""
    return {
        "approvals": as_needs(needs.approvals),
        "evidence": [kind.value for kind in needs.evidence],
        "metrics": needs.metrics,
        "provenance": [kind.value for kind in needs.provenance],
        "days_until_due": needs.days_until_due,
        "days_until_expiry": needs.days_until_expiry,
    }


def requirements_of(subject: UseCase | ModelVersion, stage: Stage) -> dict[str, Any]:
    """Return what a subject needs at a stage. Raises WrongState where nothing can be asked for."""
    waiting = resources.open_request_of(subject, stage)
    tier = policies.tier_of(subject)
    policy = policies.in_force()
    try:
        needs = _needs(subject, stage, policy, waiting)
    except NoRule as error:
        raise WrongState(str(error)) from error
    checks = policies.checks(subject, stage, needs, overrides_of(subject, stage))
    return _described(stage, tier, policy, needs, checks, waiting)


def _needs(
    subject: UseCase | ModelVersion, stage: Stage, policy: PolicyVersion, waiting: ApprovalRequest | None
) -> Requirements:
    """Return what was needed when it was submitted, or is by the policy. Raises NoRule."""
    if waiting is not None:
        return Requirements.from_json(waiting.requirements)
    return policies.requirements_for(subject, policy, stage)


def _described(
    stage: Stage,
    tier: Tier,
    policy: PolicyVersion,
    needs: Requirements,
    checks: Sequence[Check],
    waiting: ApprovalRequest | None = None,
) -> dict[str, Any]:
    missing = approvals.missing_approvals(waiting) if waiting is not None else needs.approvals
    return {
        "stage": stage.value,
        "policy_version": waiting.policy.number if waiting is not None else policy.number,
        "risk_tier": tier.value.value,
        "risk_tier_source": tier.source,
        **as_requirements(needs),
        "open_request": waiting.public_id if waiting is not None else None,
        "missing": as_needs(missing),
        "waiting_for": waiting_for(needs.approvals, missing) if waiting is not None else "",
        "checks": as_checks(checks),
    }


def requirements_read(found: VersionNow) -> dict[str, Any] | None:
    """Return what `requirements_now` does of a version that was read with the policy in force."""
    stage, version = Stage(found.version.stage), found.version
    if stage not in resources.stages_to_ask_for(version):
        return None
    waiting = resources.open_request_of(version, stage) if found.has_open_request else None
    tier = policies.tier_of(version)
    try:
        needs = _needs(version, stage, found.policy, waiting)
    except NoRule:
        return None
    return _described(stage, tier, found.policy, needs, checks_now(found, stage, needs), waiting)


def requirements_now(subject: UseCase | ModelVersion) -> dict[str, Any] | None:
    """Return what a subject needs where it stands, None where nothing can be asked for."""
    stage = Stage(subject.stage)
    if stage not in resources.stages_to_ask_for(subject):
        return None
    try:
        return requirements_of(subject, stage)
    except WrongState:
        return None
