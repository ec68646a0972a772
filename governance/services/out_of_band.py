"""Answering what was changed in SageMaker past the portal: reported, adopted as a decision, or written back.

Every change is answered once, known by AWS's LastModifiedTime, under the policy in force when it was noticed. It is
answered in a transaction of its own, after the one that took it in, so that a refusal undoes no sync.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from django.db import DatabaseError
from django.utils import timezone

from portal.core.actors import Actor
from portal.core.errors import DomainError
from portal.core.jobs import enqueue_on_commit
from portal.core.operations import operation
from portal.core.vocabulary import Stage, Status
from registry.models import ModelVersion, User
from registry.services.versions import VersionChange

from ..choices import OutboxKind, OutsideOutcome, OutsideResponse, Verdict
from ..models import ApprovalRequest, Decision, OutboxMessage, OutsideChange, PolicyVersion
from ..policies.out_of_band import UNCLAIMED_STAGES, UNCLAIMED_STATUSES, Said, moment, response_to
from ..selectors import out_of_band
from ..selectors import policy as policies
from ..selectors.out_of_band import Judged
from . import approvals, findings, outbox, review, write_back
from .locking import lock_version

logger = logging.getLogger(__name__)

ACTOR = Actor.system("out-of-band")
ANSWER = "governance.answer_outside_changes"
_AT_ONCE = 500
_STAGE_OF = {words: stage for stage, words in write_back.AWS_STAGE.items()}


@dataclass(frozen=True)
class Answer:
    """What was done about a change, and why not what the policy asks for."""

    outcome: OutsideOutcome
    reason: str = ""
    decision: Decision | None = None
    message: OutboxMessage | None = None
    is_war: bool = False


class NotAdopted(Exception):
    """A change that cannot be taken for a decision; the text says why."""


def look_at_all(*, actor: Actor, changes: Iterable[VersionChange]) -> None:
    """Judge what was just described, and have what was changed past the portal answered when this commits.

    A new version that claims nothing costs nothing; the rest costs the same number of queries however many they are.
    Runs in the caller's operation.
    """
    ids = [change.version.pk for change in changes if _may_disagree(change)]
    if not ids:
        return
    review.look_at_all(actor=actor, version_ids=ids, kinds=out_of_band.OUTSIDE_KINDS)
    unanswered = [one.version.pk for one in out_of_band.judged(ids) if one.is_unanswered]
    for start in range(0, len(unanswered), _AT_ONCE):
        enqueue_on_commit(ANSWER, version_ids=tuple(unanswered[start : start + _AT_ONCE]))


def answer_all(*, actor: Actor, version_ids: Collection[int] | None = None) -> int:
    """Answer every change that was not answered yet, of these versions or of all; returns how many were.

    What is only reported is written down many at once; anything else in a transaction of its own: one that fails is
    logged, keeps no other back, and is tried again next time.
    """
    policy = policies.in_force()
    waiting = [one for one in out_of_band.judged(version_ids) if one.is_unanswered]
    reported = [one for one in waiting if _response(policy, one) is OutsideResponse.REPORT]
    answered = len(reported)
    for start in range(0, len(reported), _AT_ONCE):
        _report_all(actor, policy, reported[start : start + _AT_ONCE])
    for one in waiting:
        if _response(policy, one) is OutsideResponse.REPORT:
            continue
        try:
            answered += answer(actor=actor, version_id=one.version.pk) is not None
        except DatabaseError:
            logger.exception("A change of version %s made outside the portal was not answered", one.version.pk)
    return answered


def answer(*, actor: Actor, version_id: int) -> OutsideChange | None:
    """Do about a version's change what the policy in force asks for, and write down what was done; once per change.

    None when by now nothing was changed past the portal, or it has been answered. Judged again on the locked version:
    whoever decided in the portal meanwhile comes first.
    """
    with operation(actor, "answer a change made outside the portal"):
        version = lock_version(version_id)
        found = next(iter(out_of_band.judged([version_id])), None)
        if found is None or not found.is_unanswered:
            return None
        policy = policies.in_force()
        response = _response(policy, found)
        change = _row(found, policy, response, _ANSWERS[response](version, found))
        change.save(force_insert=True)
        # Told here: once its word is on its way the portal no longer judges, and leaves the finding as it is.
        told = out_of_band.observation(replace(found, change=change))
        findings.record(out_of_band.KIND_OF[found.judgement.verdict], [told], timezone.now())
        return change


def _may_disagree(change: VersionChange) -> bool:
    """Whether a description is worth comparing: a new version has no word of the portal's and no finding yet."""
    if not change.is_new:
        return change.aws_changed or change.came_back
    version = change.version
    return (
        version.aws_approval_status != write_back.AWS_APPROVAL[Status.PENDING]
        or version.aws_stage not in UNCLAIMED_STAGES
        or version.aws_stage_status not in UNCLAIMED_STATUSES
    )


def _report(version: ModelVersion, found: Judged) -> Answer:
    return Answer(OutsideOutcome.REPORTED)


def _adopt(version: ModelVersion, found: Judged) -> Answer:
    try:
        request, person, verdict = _adoptable(version, found)
        decision = approvals.decide(
            actor=person.actor,
            request_id=request.pk,
            verdict=verdict,
            comment=_comment(version, found),
            adopted=approvals.Adoption(version.modifier_arn or found.facts.by.words[:2048], version.aws_modified_at),
        )
    except NotAdopted as refusal:
        return Answer(OutsideOutcome.REPORTED, str(refusal))
    except DomainError as refusal:
        return Answer(OutsideOutcome.REPORTED, refusal.detail)
    return Answer(OutsideOutcome.ADOPTED, decision=decision)


def _adoptable(version: ModelVersion, found: Judged) -> tuple[ApprovalRequest, User, Verdict]:
    """Return the request a change may be a decision on, whose decision it is and what it says. Raises NotAdopted."""
    claim, who = found.judgement.claim, found.facts.by
    if claim is None:
        raise NotAdopted("Only an approval or a rejection can be taken over; this says neither.")
    if who.doubt or who.person is None:
        raise NotAdopted(who.doubt)
    person = User.objects.get(pk=who.person.user_id)
    if not person.is_active:
        raise NotAdopted(f"{person} may not sign in any more.")
    stage = Stage(version.stage)
    if claim.stage and _STAGE_OF.get(claim.stage) is not stage:
        raise NotAdopted(f"It speaks of {claim.stage}, and the version stands at {stage.label}.")
    request = ApprovalRequest.objects.open().filter(version=version, stage=stage).first()
    if request is None:
        raise NotAdopted(f"Nobody has asked for approval at {stage.label}.")
    if found.facts.modified_at < request.created_at:
        raise NotAdopted(f"It was done before {request.public_id} asked for it, at {moment(request.created_at)}.")
    return request, person, claim.verdict


def _comment(version: ModelVersion, found: Judged) -> str:
    said = version.aws_approval_description.replace("\x00", "").strip()
    comment = f"Adopted from SageMaker: {found.facts.aws}, set at {moment(found.facts.modified_at)}."
    return f"{comment} {said}" if said else comment


def _write_back(version: ModelVersion, found: Judged) -> Answer:
    lately = out_of_band.written_back_lately(version, timezone.now())
    if lately >= out_of_band.MOST_WRITE_BACKS:
        return Answer(
            OutsideOutcome.REPORTED,
            f"It was written back {lately} times within a day, and somebody keeps changing it.",
            is_war=True,
        )
    last = out_of_band.last_words([version.pk]).get(version.pk)
    if last is None:
        message = write_back.order_write_back(
            version=version,
            stage=Stage(version.stage),
            status=Status.PENDING,
            who="the model governance portal",
            request=None,
            note="It was changed outside the portal.",
        )
    else:
        message = outbox.put(
            kind=OutboxKind.WRITE_BACK,
            ordering_key=version.arn,
            version=version,
            request_id=last.request_id_copy,
            summary=f"Set {version.name} back to {out_of_band.said_by(last)} in SageMaker",
            # Word by word, with the content it was decided on: an approval is not written onto another.
            payload=dict(last.payload),
        )
    return Answer(OutsideOutcome.WRITTEN_BACK, message=message)


def _report_all(actor: Actor, policy: PolicyVersion, found: Sequence[Judged]) -> None:
    """Write down that these are only reported. Whoever answers the same at once writes it first or not at all."""
    with operation(actor, "report changes made outside the portal"):
        nothing = Answer(OutsideOutcome.REPORTED)
        OutsideChange.objects.bulk_create(
            [_row(one, policy, OutsideResponse.REPORT, nothing) for one in found], ignore_conflicts=True
        )
        ids = [one.version.pk for one in found]
        review.look_at_all(actor=actor, version_ids=ids, kinds=out_of_band.OUTSIDE_KINDS)


def _response(policy: PolicyVersion, found: Judged) -> OutsideResponse:
    return response_to(
        found.judgement,
        approval=OutsideResponse(policy.on_outside_approval),
        rejection=OutsideResponse(policy.on_outside_rejection),
    )


def _row(found: Judged, policy: PolicyVersion, response: OutsideResponse, given: Answer) -> OutsideChange:
    version, word = found.version, found.facts.word
    return OutsideChange(
        version=version,
        aws_modified_at=found.facts.modified_at,
        verdict=found.judgement.verdict,
        aws_said=str(found.facts.aws)[:200],
        aws_description=version.aws_approval_description,
        portal_said=str(word.said if word else Said())[:200],
        principal=version.modifier_arn,
        person_id=found.facts.by.person.user_id if found.facts.by.person else None,
        policy=policy,
        response=response,
        outcome=given.outcome,
        reason=given.reason,
        is_war=given.is_war,
        decision=given.decision,
        message=given.message,
    )


_ANSWERS = {
    OutsideResponse.REPORT: _report,
    OutsideResponse.ADOPT: _adopt,
    OutsideResponse.WRITE_BACK: _write_back,
}
