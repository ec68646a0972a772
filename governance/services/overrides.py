"""Break-glass: overriding a check of the policy that fails, for a while, in full view."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone

from portal.core import access
from portal.core.actors import Actor
from portal.core.errors import Forbidden, InvalidInput, WrongState
from portal.core.operations import operation
from portal.core.permissions import Act, require
from portal.core.vocabulary import Stage
from registry.models import ModelVersion, UseCase

from ..choices import FindingKind
from ..lifecycle import STAGES
from ..models import ApprovalRequest, Override
from ..policies.facts import Check, Outcome
from ..policies.rules import NoRule
from ..selectors import policy as policies
from ..selectors.overrides import checks_now
from . import findings
from .entitlement import SelfApproval, part_in
from .locking import lock_use_case, lock_version

LONGEST = timedelta(days=30)
Subject = UseCase | ModelVersion


def break_glass(
    *,
    actor: Actor,
    subject_type: type[Subject],
    subject_id: int,
    stage: Stage,
    check_key: str,
    reason: str,
    expires_at: datetime,
) -> Override:
    """Count one failing check of a subject at a stage as passed until `expires_at`, at most 30 days from now.

    A governance officer without a part in the subject may; separation of duties itself is no check and cannot be
    overridden. A finding is opened by this. Raises NotFound, SelfApproval, Forbidden, InvalidInput without a reason or
    for a check that is none, WrongState for a check that does not fail or is overridden already.
    """
    with operation(actor, reason or "break glass"):
        seen = access.get(subject_type, actor, pk=subject_id)
        subject: Subject = lock_use_case(seen.pk) if isinstance(seen, UseCase) else lock_version(seen.pk)
        if actor.user_id is None or actor.is_service:
            raise Forbidden("A rule is overridden by a person.")
        require(actor, Act.BREAK_GLASS, subject.scope_project_id)
        waiting = ApprovalRequest.objects.open().about(subject).filter(stage=stage).first()
        if refusal := part_in(subject, actor.user_id, actor.name, request=waiting, keeps=actor.grants.accounts):
            raise SelfApproval(refusal)
        _refuse_without_reason(subject, stage, reason, expires_at)
        check = _failing(subject, stage, check_key)
        row = Override.objects.create(
            kind=policies.kind_of(subject),
            use_case=subject if isinstance(subject, UseCase) else None,
            version=subject if isinstance(subject, ModelVersion) else None,
            stage=stage,
            check_key=check.key,
            check_label=check.label,
            reason=reason.strip(),
            granted_by_id=actor.user_id,
            granted_by_name=actor.name,
            expires_at=expires_at,
        )
        findings.observe(
            FindingKind.BREAK_GLASS_USED,
            subject,
            f"{actor.name} overrode a rule for {stage.label} until {expires_at:%Y-%m-%d %H:%M} UTC: {check.detail}",
            {
                "override": row.public_id,
                "check": check.key,
                "reason": row.reason,
                "stage": stage.value,
                # Whoever broke the glass does not close the finding about it.
                "granted_by_id": actor.user_id,
            },
            stage=stage,
            mark=row.public_id,
        )
        return row


def revoke(*, actor: Actor, override_id: int) -> Override:
    """End an override now; the check counts as it stands again.

    Raises NotFound, Forbidden, WrongState when it is over.
    """
    with operation(actor, "revoke override"):
        row = access.for_update(Override, actor, Act.BREAK_GLASS, pk=override_id)
        if not row.is_in_force(timezone.now()):
            raise WrongState(f"{row.public_id} is over already.")
        row.revoked_at, row.revoked_by = timezone.now(), actor.name
        row.save(update_fields=["revoked_at", "revoked_by"])
        return row


def _refuse_without_reason(subject: Subject, stage: Stage, reason: str, expires_at: datetime) -> None:
    problems: dict[str, list[str]] = {}
    now = timezone.now()
    if not reason.strip():
        problems["reason"] = ["Say why the rule cannot be met now."]
    if stage not in STAGES[policies.kind_of(subject)]:
        problems["stage"] = ["This is no stage of it."]
    if expires_at <= now:
        problems["expires_at"] = ["This has passed."]
    elif expires_at > now + LONGEST:
        problems["expires_at"] = [f"An override lasts at most {LONGEST.days} days."]
    if problems:
        raise InvalidInput("A rule is not overridden without saying why and for how long.", errors=problems)


def _failing(subject: Subject, stage: Stage, key: str) -> Check:
    try:
        checks = {check.key: check for check in checks_now(subject, stage)}
    except NoRule as error:
        raise WrongState(str(error)) from error
    if key not in checks:
        names = ", ".join(sorted(checks)) or "none"
        raise InvalidInput("There is no such check.", errors={"check": [f"The checks for {stage.label} are: {names}."]})
    if checks[key].outcome is Outcome.OVERRIDDEN:
        raise WrongState(f"This is overridden already: {checks[key].detail}")
    if checks[key].outcome is Outcome.PASS:
        raise WrongState(f"This check passes, so there is nothing to override: {checks[key].detail}")
    return checks[key]
