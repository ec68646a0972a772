"""Approvals: asked for, decided on, withdrawn, outdated."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.utils import timezone

from portal.core import access
from portal.core.actors import Actor
from portal.core.database import prepared
from portal.core.errors import DomainError, Forbidden, InvalidInput, WrongState
from portal.core.operations import operation
from portal.core.permissions import Act, require
from portal.core.vocabulary import NotificationKind, RiskClass, Stage, Status
from registry.models import ModelVersion, UseCase
from registry.services.digests import digest
from registry.services.positions import announced

from ..choices import Verdict
from ..lifecycle import RequestState, Verb
from ..models import ApprovalRequest, Decision, PolicyVersion, StageRecord
from ..policies.engine import waiting_for
from ..policies.facts import ApprovalNeed, Check, Requirements
from ..policies.rules import NoRule, outstanding
from ..selectors import policy as policies
from ..selectors.asked import asked_about
from ..selectors.binding import decided_content, difference, digest_of
from ..selectors.gathered import Gathered, gather
from ..selectors.overrides import overrides_of
from ..selectors.standing import is_outdated_here
from . import ledger, lifecycle
from .closing import close
from .entitlement import SelfApproval, entitlement, missing_approvals, modifier_of
from .locking import lock_request, lock_subject, lock_use_case, lock_version
from .notifications import tell
from .recording import Adoption, AlreadyDecided, record

__all__ = [
    "Adoption",
    "AlreadyDecided",
    "AlreadyOpen",
    "RequestClosed",
    "RequirementsUnmet",
    "SelfApproval",
    "StaleRequest",
    "checks_of",
    "decide",
    "missing_approvals",
    "refusal_for",
    "refuse_unless_met",
    "submission_refusal",
    "submit",
    "withdraw",
]

Subject = UseCase | ModelVersion
# The page shows every difference; a refusal names the first of them.
MOST_DIFFERENCES = 50


class RequestClosed(WrongState):
    """A closed request takes no more decisions."""

    code = "request-closed"


class StaleRequest(WrongState):
    """What was asked about is no longer what it was."""

    code = "stale-request"
    title = "It changed since it was submitted"
    is_recorded = True  # the request is outdated from now on


class AlreadyOpen(WrongState):
    """One open request per subject and stage."""

    code = "already-open"


class RequirementsUnmet(WrongState):
    """The policy asks for more than there is; `errors` names every check that failed, by its key."""

    code = "requirements-unmet"
    title = "The policy asks for more"


def submit(*, actor: Actor, subject_type: type[Subject], subject_id: int, note: str = "") -> ApprovalRequest:
    """Ask that a use case or version be approved at the stage it is in; a rejected one is taken up again by this.

    Policy, requirements, the content with its digest, registrant and last modifier are copied into the request. Where
    a standing approval is outdated, the request asks for it anew. Raises NotFound, Forbidden, AlreadyOpen,
    WrongState when nothing can be asked for where it stands.
    """
    with operation(actor, note or "submit for approval"):
        seen = access.get(subject_type, actor, pk=subject_id)
        subject: Subject = lock_use_case(seen.pk) if isinstance(seen, UseCase) else lock_version(seen.pk)
        require(actor, Act.SUBMIT, subject.scope_project_id)
        if actor.user_id is None:
            raise Forbidden("An approval is asked for by a person.")
        stage = Stage(subject.stage)
        _refuse_if_open(subject)
        renews = _refuse_unless_askable(subject)
        if subject.status == Status.REJECTED:
            lifecycle.resubmit(actor=actor, subject=subject, reason=note.strip())
        policy = policies.in_force()
        try:
            needs = policies.requirements_for(subject, policy)
        except NoRule as error:
            raise WrongState(f"{error} An ML admin must complete the policy first.") from error
        following = None if renews else policies.stage_after(subject, policy)
        content = decided_content(subject, stage)
        now = timezone.now()
        with announced(Verb.REGISTER):
            request = ApprovalRequest.objects.create(
                kind=policies.kind_of(subject),
                use_case=subject if isinstance(subject, UseCase) else None,
                version=subject if isinstance(subject, ModelVersion) else None,
                stage=stage,
                to_stage=following or "",
                requester_id=actor.user_id,
                registrant_id=subject.registered_by_id,
                modifier_id=modifier_of(subject),
                renews=renews,
                note=note.strip(),
                policy=policy,
                requirements=needs.as_json(),
                waiting_roles=_roles(outstanding(needs.approvals, ())),
                tier=policies.tier_of(subject).value,
                digest=digest(content),
                facts=content,
                due_at=now + timedelta(days=needs.days_until_due),
                expires_at=now + timedelta(days=needs.days_until_expiry),
            )
        tell(NotificationKind.REQUEST_WAITS, key=f"request:{request.pk}:waits", about=request, actor=actor)
        return request


def decide(
    *,
    actor: Actor,
    request_id: int,
    verdict: Verdict,
    comment: str = "",
    back_to: Stage | None = None,
    adopted: Adoption | None = None,
) -> Decision:
    """Give one person's word on a request; the last word that is missing moves the subject, in this transaction.

    One rejection or request for changes closes the request. A delegate's word is given in the delegator's name, and
    never when it was `adopted` from SageMaker, where nobody can say for whom he speaks.
    Raises NotFound, SelfApproval, Forbidden without a role the request waits for, RequestClosed, AlreadyDecided,
    StaleRequest when the subject is not what was asked about (the request becomes outdated), RequirementsUnmet when
    approving while a check of the policy fails that nobody overrode, InvalidInput without the comment that a refusal
    needs.
    """
    comment = comment.strip()
    stale: StaleRequest | None = None
    decision: Decision | None = None
    with prepared(), operation(actor, comment or f"{verdict.label} AR-{request_id:06d}"):
        asked = asked_about(actor, request_id)
        request = lock_request(request_id, subject := lock_subject(asked))
        entitled = entitlement(actor, request, subject)
        if adopted is not None and entitled.delegation is not None:
            raise Forbidden("A delegate decides in the portal, where he says for whom.")
        _refuse_unless_open(actor, request, subject)
        _refuse_without_words(verdict, comment, back_to)
        # The content, its checks and the moves below rest on the same records.
        records = ledger.records_of_version(subject) if isinstance(subject, ModelVersion) else None
        known = gather([subject], known=records)
        if subject.stage != request.stage or digest_of(subject, Stage(request.stage), known) != request.digest:
            close(request, Verb.OUTDATE, RequestState.OUTDATED, "It changed after it was submitted.", actor=actor)
            stale = _stale(request, subject)
        else:
            if verdict is Verdict.APPROVE:
                refuse_unless_met(request, subject, known)
            decision = record(actor, request, entitled, verdict, comment, back_to, adopted)
            _carry_out(actor, request, subject, decision, records)
    if stale is not None:
        raise stale
    assert decision is not None
    return decision


def withdraw(*, actor: Actor, request_id: int, reason: str = "") -> ApprovalRequest:
    """Take one's own request back. Raises NotFound, Forbidden for somebody else's, RequestClosed."""
    with operation(actor, reason or "withdraw request"):
        seen = access.get(ApprovalRequest, actor, pk=request_id)
        request = lock_request(request_id, lock_subject(seen))
        if request.requester_id != actor.user_id:
            raise Forbidden(f"Only {request.requester} who asked may withdraw {request.public_id}.")
        if request.state != RequestState.OPEN:
            raise RequestClosed(f"{request.public_id} is {request.state} and cannot be withdrawn.")
        close(request, Verb.WITHDRAW, RequestState.WITHDRAWN, reason.strip(), actor=actor)
        return request


def refusal_for(actor: Actor, request: ApprovalRequest) -> str:
    """Say why this actor may not decide on a request now, "" when he may. The page asks; `decide` enforces."""
    try:
        entitlement(actor, request, request.subject)
    except Forbidden as refusal:
        return refusal.detail
    if request.state != RequestState.OPEN:
        return f"This request is {RequestState(request.state).replace('_', ' ')}."
    if any(actor.user_id in (word.decider_id, word.on_behalf_of_id) for word in request.decisions.all()):
        return "You have decided on this request."
    return ""


def submission_refusal(actor: Actor, subject: Subject, policy: PolicyVersion | None = None) -> str:
    """Say why this actor may not submit a subject now, "" when he may. The page asks; `submit` enforces."""
    try:
        require(actor, Act.SUBMIT, subject.scope_project_id)
        _refuse_if_open(subject)
        _refuse_unless_askable(subject)
        policies.requirements_for(subject, policy or policies.in_force())
    except DomainError as refusal:
        return refusal.detail
    except NoRule as missing:
        return f"{missing} An ML admin must complete the policy first."
    return ""


def _refuse_if_open(subject: Subject) -> None:
    standing = ApprovalRequest.objects.open().about(subject).filter(stage=subject.stage).first()
    if standing is not None:
        raise AlreadyOpen(f"{standing.public_id} already asks for this and is {_waiting(standing)}.")


def checks_of(
    request: ApprovalRequest, subject: Subject | None = None, known: Gathered | None = None
) -> tuple[Check, ...]:
    """Return what the policy a request runs under asks for beside approvals, each check with how it stands now."""
    asked, stage, needs = subject or request.subject, Stage(request.stage), Requirements.from_json(request.requirements)
    if not needs.has_checks:
        return ()
    return policies.checks(asked, stage, needs, overrides=overrides_of(asked, stage), known=known)


def refuse_unless_met(request: ApprovalRequest, subject: Subject, known: Gathered | None = None) -> None:
    """Raise RequirementsUnmet naming every check that fails or has nothing to judge by, unless overridden."""
    unmet = [check for check in checks_of(request, subject, known) if not check.holds]
    if unmet:
        raise RequirementsUnmet(
            f"{request.public_id} cannot be approved yet: {' '.join(check.detail for check in unmet)}",
            errors={check.key: [check.detail] for check in unmet},
        )


def _stale(request: ApprovalRequest, subject: Subject) -> StaleRequest:
    moved = difference(request.facts, decided_content(subject, Stage(request.stage)))
    return StaleRequest(
        f"What {request.public_id} asks about has changed since it was submitted. Look at it again and submit it anew.",
        errors={
            change.field: [f"It was {json.dumps(change.before)} and is now {json.dumps(change.after)}."]
            for change in moved[:MOST_DIFFERENCES]
        },
    )


def _refuse_unless_open(actor: Actor, request: ApprovalRequest, subject: Subject) -> None:
    if request.state == RequestState.OUTDATED and digest_of(subject, Stage(request.stage)) != request.digest:
        raise _stale(request, subject)
    if request.state != RequestState.OPEN:
        raise RequestClosed(
            f"{request.public_id} is {RequestState(request.state).replace('_', ' ')} and takes no more decisions."
        )
    if request.expires_at <= timezone.now():
        raise RequestClosed(f"{request.public_id} has expired. It may be submitted again.")
    if any(actor.user_id in (word.decider_id, word.on_behalf_of_id) for word in request.decisions.all()):
        raise AlreadyDecided(f"You have already decided on {request.public_id}, yourself or by a delegate.")


def _refuse_without_words(verdict: Verdict, comment: str, back_to: Stage | None) -> None:
    if verdict is not Verdict.APPROVE and not comment:
        raise InvalidInput("Say why.", errors={"comment": ["A comment is needed unless you approve."]})
    if back_to is not None and verdict is not Verdict.REJECT:
        raise InvalidInput("Only a rejection goes back.", errors={"back_to": ["Leave this out unless you reject."]})


def _refuse_unless_askable(subject: Subject) -> bool:
    """Refuse where nothing can be asked for; returns whether a standing approval would be asked for anew."""
    renews = is_outdated_here(subject)
    if subject.status not in (Status.PENDING, Status.REJECTED) and not renews:
        raise WrongState(
            f"It is {Status(subject.status).label.lower()} in {Stage(subject.stage).label};"
            " there is nothing to approve there."
        )
    if isinstance(subject, ModelVersion):
        if subject.missing_since is not None:
            raise WrongState("AWS no longer has this version, so nobody can decide on it.")
        prohibited = [
            use_case.public_id for use_case in subject.use_cases.all() if use_case.risk_class == RiskClass.UNACCEPTABLE
        ]
        if prohibited:
            raise WrongState(f"The risk of {', '.join(prohibited)}, which it serves, is unacceptable.")
        return renews
    if subject.risk_class == RiskClass.UNACCEPTABLE:
        raise WrongState("Its risk is unacceptable: it can never leave POC.")
    if subject.stage == Stage.POC and subject.risk_class == RiskClass.UNCLASSIFIED:
        raise WrongState("Its risk is not classified yet. A governance officer must classify it first.")
    return renews


def _carry_out(
    actor: Actor, request: ApprovalRequest, subject: Subject, decision: Decision, records: Sequence[StageRecord] | None
) -> None:
    if decision.verdict == Verdict.REJECT:
        close(request, Verb.REJECT, RequestState.REJECTED, decision.comment, actor=actor)
        if request.renews:
            # What stands stays, outdated as it is: only retirement or a rollback takes it out of service.
            return
        lifecycle.reject(
            actor=actor,
            subject=subject,
            request=request,
            back_to=Stage(decision.back_to),
            reason=decision.comment,
        )
        return
    if decision.verdict == Verdict.REQUEST_CHANGES:
        close(request, Verb.REQUEST_CHANGES, RequestState.CHANGES_REQUESTED, decision.comment, actor=actor)
        return
    missing = missing_approvals(request, decision)
    if missing:
        request.waiting_roles = _roles(missing)
        request.save(update_fields=["waiting_roles"])
        news = NotificationKind.REQUEST_PROGRESS
        tell(news, key=f"decision:{decision.pk}", about=request, actor=actor, decision=decision.pk)
        return
    if request.renews:
        close(request, Verb.APPROVE, RequestState.APPROVED, "", actor=actor)
        lifecycle.renew(actor=actor, subject=subject, request=request, reason=decision.comment)
        return
    with announced(Verb.APPROVE):
        close(request, Verb.APPROVE, RequestState.APPROVED, "", actor=actor)
        lifecycle.approve(actor=actor, subject=subject, request=request, reason=decision.comment, known=records)
    lifecycle.go_on(actor=actor, subject=subject, request=request, reason=decision.comment, known=records)


def _waiting(request: ApprovalRequest) -> str:
    return waiting_for(Requirements.from_json(request.requirements).approvals, missing_approvals(request))


def _roles(needs: Sequence[ApprovalNeed]) -> list[Any]:
    return [need.role.value for need in needs]
