"""What a subject needs at a stage, and what of it is missing."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from portal.core.errors import WrongState
from portal.core.serializers import Output, word
from registry.models import ModelVersion, UseCase

from ..choices import RiskRating, Role, Stage
from ..policies.engine import waiting_for
from ..policies.facts import ApprovalNeed, Requirements
from ..policies.rules import NoRule
from ..selectors import policy as policies
from ..selectors import resources
from ..services import approvals


class NeedOutput(Output):
    """So many people in that role must approve."""

    role = word(Role)
    count = serializers.IntegerField()


class RequirementsOutput(Output):
    """What an approval at a stage needs: by the policy in force, or by the copy in the request that waits."""

    stage = word(Stage)
    policy_version = serializers.IntegerField()
    risk_tier = word(RiskRating)
    risk_tier_source = serializers.CharField()
    approvals = NeedOutput(many=True)
    days_until_due = serializers.IntegerField()
    days_until_expiry = serializers.IntegerField()
    open_request = serializers.CharField(allow_null=True, help_text="The request that waits, such as AR-000001.")
    missing = NeedOutput(many=True)
    waiting_for = serializers.CharField(help_text="Who the open request waits for, in plain words.")


def as_needs(needs: tuple[ApprovalNeed, ...]) -> list[dict[str, Any]]:
    """Return needs as they are shown."""
    return [{"role": need.role.value, "count": need.count} for need in needs]


def requirements_of(subject: UseCase | ModelVersion, stage: Stage) -> dict[str, Any]:
    """Return what a subject needs at a stage. Raises WrongState where nothing can be asked for."""
    waiting = resources.open_request_of(subject, stage)
    tier = policies.tier_of(subject)
    policy = policies.in_force()
    try:
        needs = (
            Requirements.from_json(waiting.requirements)
            if waiting is not None
            else policies.requirements_for(subject, policy, stage)
        )
    except NoRule as error:
        raise WrongState(str(error)) from error
    missing = approvals.missing_approvals(waiting) if waiting is not None else needs.approvals
    return {
        "stage": stage.value,
        "policy_version": waiting.policy.number if waiting is not None else policy.number,
        "risk_tier": tier.value.value,
        "risk_tier_source": tier.source,
        "approvals": as_needs(needs.approvals),
        "days_until_due": needs.days_until_due,
        "days_until_expiry": needs.days_until_expiry,
        "open_request": waiting.public_id if waiting is not None else None,
        "missing": as_needs(missing),
        "waiting_for": waiting_for(needs.approvals, missing) if waiting is not None else "",
    }


def requirements_now(subject: UseCase | ModelVersion) -> dict[str, Any] | None:
    """Return what a subject needs where it stands, None where nothing can be asked for."""
    stage = Stage(subject.stage)
    if stage not in resources.stages_to_ask_for(subject):
        return None
    try:
        return requirements_of(subject, stage)
    except WrongState:
        return None
