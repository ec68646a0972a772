"""Approvals: asked for, decided on, withdrawn, outdated."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError
from django.utils import timezone

from portal.core import access
from portal.core.actors import Actor
from portal.core.errors import DomainError, Forbidden, InvalidInput, WrongState
from portal.core.operations import operation
from portal.core.permissions import ROLES, Act, require
from portal.core.vocabulary import RiskClass, Role, Stage, Status, SubjectKind
from registry.models import ModelVersion, UseCase
from registry.services.digests import digest
from registry.services.positions import announced

from ..choices import Verdict
from ..lifecycle import RequestState, Verb, default_stage_back
from ..models import ApprovalRequest, Decision
from ..policies.engine import waiting_for
from ..policies.facts import ApprovalNeed, Requirements, Vote
from ..policies.rules import NoRule, outstanding
from ..selectors import policy as policies
from . import lifecycle
from .closing import close
from .locking import lock_request, lock_subject, lock_use_case, lock_version

Subject = UseCase | ModelVersion


class SelfApproval(Forbidden):
    """Nobody decides on what he requested or brought in himself."""

    code = "self-approval"
    title = "Somebody else must decide"


class AlreadyDecided(WrongState):
    """One decision per person and request."""

    code = "already-decided"


class RequestClosed(WrongState):
    """A closed request takes no more decisions."""

    code = "request-closed"


class StaleRequest(WrongState):
    """What was asked about is no longer what it was."""

    code = "stale-request"
    title = "It changed since it was submitted"


class AlreadyOpen(WrongState):
    """One open request per subject and stage."""

    code = "already-open"


def submit(*, actor: Actor, subject_type: type[Subject], subject_id: int, note: str = "") -> ApprovalRequest:
    """Ask that a use case or version be approved at the stage it is in; a rejected one is taken up again by this.

    Policy, requirements, digest and registrant are copied into the request. Raises NotFound, Forbidden, AlreadyOpen,
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
        _refuse_unless_askable(subject)
        if subject.status == Status.REJECTED:
            lifecycle.resubmit(actor=actor, subject=subject, reason=note.strip())
        policy = policies.in_force()
        try:
            needs = policies.requirements_for(subject, policy)
        except NoRule as error:
            raise WrongState(f"{error} An ML admin must complete the policy first.") from error
        following = policies.stage_after(subject, policy)
        now = timezone.now()
        with announced(Verb.REGISTER):
            return ApprovalRequest.objects.create(
                kind=policies.kind_of(subject),
                use_case=subject if isinstance(subject, UseCase) else None,
                version=subject if isinstance(subject, ModelVersion) else None,
                stage=stage,
                to_stage=following or "",
                requester_id=actor.user_id,
                registrant_id=subject.registered_by_id,
                note=note.strip(),
                policy=policy,
                requirements=needs.as_json(),
                waiting_roles=_roles(outstanding(needs.approvals, ())),
                tier=policies.tier_of(subject).value,
                digest=subject_digest(subject),
                due_at=now + timedelta(days=needs.days_until_due),
                expires_at=now + timedelta(days=needs.days_until_expiry),
            )


def decide(
    *, actor: Actor, request_id: int, verdict: Verdict, comment: str = "", back_to: Stage | None = None
) -> Decision:
    """Give one person's word on a request; the last word that is missing moves the subject, in this transaction.

    One rejection or request for changes closes the request. Raises NotFound, SelfApproval, Forbidden without a role
    the request waits for, RequestClosed, AlreadyDecided, StaleRequest when the subject is not what was asked
    about (the request becomes outdated), InvalidInput without the comment that a refusal needs.
    """
    comment = comment.strip()
    stale: ApprovalRequest | None = None
    decision: Decision | None = None
    with operation(actor, comment or f"{verdict.label} AR-{request_id:06d}"):
        seen = access.get(ApprovalRequest, actor, pk=request_id)
        subject = lock_subject(seen)
        request = lock_request(request_id)
        role = _role_to_decide_in(actor, request, subject)
        if request.state != RequestState.OPEN:
            raise RequestClosed(
                f"{request.public_id} is {RequestState(request.state).replace('_', ' ')} and takes no more decisions."
            )
        if request.expires_at <= timezone.now():
            raise RequestClosed(f"{request.public_id} has expired. It may be submitted again.")
        if Decision.objects.filter(request=request, decider_id=actor.user_id).exists():
            raise AlreadyDecided(f"You have already decided on {request.public_id}.")
        if verdict is not Verdict.APPROVE and not comment:
            raise InvalidInput("Say why.", errors={"comment": ["A comment is needed unless you approve."]})
        if back_to is not None and verdict is not Verdict.REJECT:
            raise InvalidInput("Only a rejection goes back.", errors={"back_to": ["Leave this out unless you reject."]})
        if subject.stage != request.stage or subject_digest(subject) != request.digest:
            close(request, Verb.OUTDATE, RequestState.OUTDATED, "It changed after it was submitted.")
            stale = request
        else:
            decision = _record(actor, request, role, verdict, comment, back_to)
            _carry_out(actor, request, subject, decision)
    if stale is not None:
        raise StaleRequest(
            f"What {stale.public_id} asks about has changed since it was submitted."
            " Look at it again and submit it anew."
        )
    assert decision is not None
    return decision


def withdraw(*, actor: Actor, request_id: int, reason: str = "") -> ApprovalRequest:
    """Take one's own request back. Raises NotFound, Forbidden for somebody else's, RequestClosed."""
    with operation(actor, reason or "withdraw request"):
        seen = access.get(ApprovalRequest, actor, pk=request_id)
        lock_subject(seen)
        request = lock_request(request_id)
        if request.requester_id != actor.user_id:
            raise Forbidden(f"Only {request.requester} who asked may withdraw {request.public_id}.")
        if request.state != RequestState.OPEN:
            raise RequestClosed(f"{request.public_id} is {request.state} and cannot be withdrawn.")
        close(request, Verb.WITHDRAW, RequestState.WITHDRAWN, reason.strip())
        return request


def expire_due(*, actor: Actor, now: datetime | None = None) -> list[ApprovalRequest]:
    """Close the open requests nobody decided before they expired, each in a transaction of its own.

    The subject stays where it is and may be submitted again. `now` is the moment to judge by, by default this one.
    """
    moment = now or timezone.now()
    expired = []
    for request_id in ApprovalRequest.objects.expired(moment).values_list("pk", flat=True):
        with operation(actor, "expire request"):
            lock_subject(ApprovalRequest.objects.get(pk=request_id))
            request = lock_request(request_id)
            # Somebody may have decided while this waited for the lock.
            if request.state == RequestState.OPEN:
                close(request, Verb.EXPIRE, RequestState.EXPIRED, "Nobody decided in time. It may be submitted again.")
                expired.append(request)
    return expired


def subject_digest(subject: Subject) -> str:
    """Return the digest a decision about this subject is bound to: its content and its risk."""
    if isinstance(subject, ModelVersion):
        return digest(
            {
                "content": subject.content_digest,
                "risk_rating": subject.risk_rating,
                "use_cases": sorted([use_case.public_id, use_case.risk_class] for use_case in subject.use_cases.all()),
            }
        )
    return digest(
        {
            "name": subject.name,
            "description": subject.description,
            "intended_purpose": subject.intended_purpose,
            "business_owner": subject.business_owner,
            "risk_class": subject.risk_class,
            "documents": sorted([document.kind, document.text] for document in subject.documents.all()),
        }
    )


def missing_approvals(request: ApprovalRequest) -> tuple[ApprovalNeed, ...]:
    """Return the approvals a request still waits for."""
    votes = [
        Vote(decision.decider_id, Role(decision.role))
        for decision in request.decisions.all()
        if decision.verdict == Verdict.APPROVE
    ]
    return outstanding(Requirements.from_json(request.requirements).approvals, votes)


def refusal_for(actor: Actor, request: ApprovalRequest) -> str:
    """Say why this actor may not decide on a request now, "" when he may. The page asks; `decide` enforces."""
    try:
        _role_to_decide_in(actor, request, request.subject)
    except Forbidden as refusal:
        return refusal.detail
    if request.state != RequestState.OPEN:
        return f"This request is {RequestState(request.state).replace('_', ' ')}."
    if any(decision.decider_id == actor.user_id for decision in request.decisions.all()):
        return "You have decided on this request."
    return ""


def submission_refusal(actor: Actor, subject: Subject) -> str:
    """Say why this actor may not submit a subject now, "" when he may. The page asks; `submit` enforces."""
    try:
        require(actor, Act.SUBMIT, subject.scope_project_id)
        _refuse_if_open(subject)
        _refuse_unless_askable(subject)
        policies.requirements_for(subject, policies.in_force())
    except DomainError as refusal:
        return refusal.detail
    except NoRule as missing:
        return f"{missing} An ML admin must complete the policy first."
    return ""


def _refuse_if_open(subject: Subject) -> None:
    standing = ApprovalRequest.objects.open().about(subject).filter(stage=subject.stage).first()
    if standing is not None:
        raise AlreadyOpen(f"{standing.public_id} already asks for this and is {_waiting(standing)}.")


def _refuse_unless_askable(subject: Subject) -> None:
    if subject.status not in (Status.PENDING, Status.REJECTED):
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
        return
    if subject.risk_class == RiskClass.UNACCEPTABLE:
        raise WrongState("Its risk is unacceptable: it can never leave POC.")
    if subject.stage == Stage.POC and subject.risk_class == RiskClass.UNCLASSIFIED:
        raise WrongState("Its risk is not classified yet. A governance officer must classify it first.")


def _role_to_decide_in(actor: Actor, request: ApprovalRequest, subject: Subject) -> Role:
    """Return the role a decision counts in. Separation of duties comes before roles: no role overrides it."""
    if actor.user_id is None:
        raise Forbidden("Only a person can decide.")
    if actor.user_id == request.requester_id:
        raise SelfApproval(f"You asked for {request.public_id} yourself, so somebody else must decide.")
    if actor.user_id in (request.registrant_id, subject.registered_by_id):
        raise SelfApproval("You brought this in yourself, so somebody else must decide.")
    if isinstance(subject, ModelVersion) and subject.registered_by_id is None and actor.name == subject.registrant_name:
        raise SelfApproval(
            f"It was registered in AWS by a session named {actor.name}, which nobody has linked to a person yet."
            " An ML admin must say who that is, or somebody else must decide."
        )
    if Role.ML_ADMIN in actor.roles_on(subject.scope_project_id):
        raise Forbidden("An ML admin administers roles and accounts, so he decides on nothing.")
    held = actor.roles_on(subject.scope_project_id) & ROLES[Act.DECIDE]
    needed = [need.role for need in Requirements.from_json(request.requirements).approvals]
    missing = {need.role for need in missing_approvals(request)}
    for role in sorted(held.intersection(needed), key=lambda role: role not in missing):
        return role
    raise Forbidden.for_act(Act.DECIDE.value, [role.label for role in dict.fromkeys(needed)])


def _record(
    actor: Actor, request: ApprovalRequest, role: Role, verdict: Verdict, comment: str, back_to: Stage | None
) -> Decision:
    assert actor.user_id is not None
    if verdict is Verdict.REJECT and back_to is None:
        back_to = default_stage_back(SubjectKind(request.kind), Stage(request.stage))
    try:
        return Decision.objects.create(
            request=request,
            decider_id=actor.user_id,
            decider_name=actor.name,
            role=role,
            verdict=verdict,
            comment=comment,
            back_to=back_to or "",
            digest=request.digest,
            requester_id_copy=request.requester_id,
            registrant_id_copy=request.registrant_id,
        )
    except IntegrityError as error:  # pragma: no cover - the locks above make this unreachable; the database is the net
        raise AlreadyDecided(f"The database refused this decision: {error}") from error


def _carry_out(actor: Actor, request: ApprovalRequest, subject: Subject, decision: Decision) -> None:
    if decision.verdict == Verdict.REJECT:
        close(request, Verb.REJECT, RequestState.REJECTED, decision.comment)
        lifecycle.reject(
            actor=actor,
            subject=subject,
            request=request,
            back_to=Stage(decision.back_to),
            reason=decision.comment,
        )
        return
    if decision.verdict == Verdict.REQUEST_CHANGES:
        close(request, Verb.REQUEST_CHANGES, RequestState.CHANGES_REQUESTED, decision.comment)
        return
    missing = missing_approvals(request)
    if missing:
        request.waiting_roles = _roles(missing)
        request.save(update_fields=["waiting_roles"])
        return
    close(request, Verb.APPROVE, RequestState.APPROVED, "")
    lifecycle.approve(actor=actor, subject=subject, request=request, reason=decision.comment)


def _waiting(request: ApprovalRequest) -> str:
    return waiting_for(Requirements.from_json(request.requirements).approvals, missing_approvals(request))


def _roles(needs: Sequence[ApprovalNeed]) -> list[Any]:
    return [need.role.value for need in needs]
