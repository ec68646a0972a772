"""What SageMaker says of a version against the portal's word about it: one verdict, in plain words. Pure.

The portal's word is the last write-back ordered. Before the first one a version is pending, and its ModelLifeCycle may
say what it likes of the work before an approval. Source: ModelApprovalStatus, ModelLifeCycle, LastModifiedBy and
LastModifiedTime of DescribeModelPackage.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from portal.core.vocabulary import Stage

from ..choices import Agreement, OutsideResponse, Verdict
from .principals import Who

# ModelApprovalStatus, in SageMaker's words.
PENDING, APPROVED, REJECTED = "PendingManualApproval", "Approved", "Rejected"
# What ModelLifeCycle may say before the portal has spoken (Studio's own templates and nothing): work, no approval.
UNCLAIMED_STAGES = ("", "Proposal", "Development")
UNCLAIMED_STATUSES = ("", "PendingApproval", "InProgress", "OnHold")
# What was read this soon after a write-back may still be the answer from before it.
ECHO = timedelta(minutes=1)
# How far the clocks of AWS and the portal may differ.
SKEW = timedelta(seconds=5)


@dataclass(frozen=True)
class Said:
    """What one side says of a version: ModelApprovalStatus and ModelLifeCycle, "" where there is none."""

    status: str = PENDING
    stage: str = ""
    stage_status: str = ""

    @property
    def life_cycle(self) -> str:
        """The lifecycle as people read it: "QA / Approved"."""
        return f"{self.stage} / {self.stage_status}" if self.stage or self.stage_status else ""

    def __str__(self) -> str:
        return f"{self.status}, {self.life_cycle}" if self.life_cycle else self.status


@dataclass(frozen=True)
class Word:
    """The portal's last word: what it wants said, when it was ordered, when it reached AWS, or that it was given up."""

    said: Said
    ordered_at: datetime
    delivered_at: datetime | None = None
    failed: bool = False


@dataclass(frozen=True)
class Facts:
    """Everything the verdict on one version rests on.

    `modified_at` and `by` are AWS's LastModifiedTime and LastModifiedBy; `read_at` is when the portal last looked, by
    a description or a complete listing. `outdated` are the stages whose standing approval was given for another
    digest.
    """

    name: str
    aws: Said
    modified_at: datetime
    read_at: datetime
    by: Who = field(default_factory=lambda: Who("somebody AWS does not name"))
    word: Word | None = None
    missing_since: datetime | None = None
    outdated: tuple[Stage, ...] = ()
    outdated_at: datetime | None = None


@dataclass(frozen=True)
class Claim:
    """What a change made outside decides: the verdict, and the stage it names in SageMaker's words, "" for none."""

    verdict: Verdict
    stage: str = ""


@dataclass(frozen=True)
class Judgement:
    """The verdict, what there is to say about it, since when it is so, and the decision it may be taken for."""

    verdict: Agreement
    words: str
    since: datetime | None = None
    claim: Claim | None = None

    @property
    def is_outside(self) -> bool:
        """Whether somebody changed it outside the portal."""
        return self.verdict in OUTSIDE


OUTSIDE = frozenset(
    {Agreement.APPROVED_OUTSIDE, Agreement.REJECTED_OUTSIDE, Agreement.REVERTED, Agreement.LIFECYCLE_CHANGED}
)


def judge(facts: Facts) -> Judgement:
    """Say how a version stands; of what holds at once, the first of these.

    Deleted: AWS no longer lists it. Write-back failed or pending: the portal's word was given up, or is on its way, or
    AWS was not read since. Approved outside: AWS says Approved and the portal never said so last. Rejected outside: AWS
    says Rejected and the portal had not decided. Reverted: the portal's decision had arrived and was taken back.
    Lifecycle changed: the status agrees, ModelLifeCycle does not. Content changed: a standing approval was given for
    another digest. Agreed: none of these.
    """
    for look in (_deleted, _undelivered, _outside, _content):
        if found := look(facts):
            return found
    said = f"SageMaker agrees: {facts.aws}."
    return Judgement(Agreement.AGREED, said, facts.word.delivered_at if facts.word else None)


def agrees(aws: Said, word: Word | None) -> bool:
    """Whether AWS says what the portal said last."""
    return aws.status == _wanted(word).status and _same_life_cycle(aws, word)


def response_to(judgement: Judgement, *, approval: OutsideResponse, rejection: OutsideResponse) -> OutsideResponse:
    """Return what a policy has the portal do: `approval` about what claims an approval, `rejection` about the rest."""
    is_approval = judgement.verdict is Agreement.APPROVED_OUTSIDE or (
        judgement.claim is not None and judgement.claim.verdict is Verdict.APPROVE
    )
    return approval if is_approval else rejection


def moment(at: datetime) -> str:
    """Say when: "2026-01-05 09:00 UTC"."""
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _deleted(facts: Facts) -> Judgement | None:
    if facts.missing_since is None:
        return None
    return Judgement(Agreement.DELETED, f"A complete listing of AWS no longer has {facts.name}.", facts.missing_since)


def _undelivered(facts: Facts) -> Judgement | None:
    word = facts.word
    if word is None:
        return None
    if word.failed:
        return Judgement(
            Agreement.WRITE_BACK_FAILED, f"SageMaker could not be told that it is {word.said}.", word.ordered_at
        )
    if word.delivered_at is None:
        return Judgement(
            Agreement.WRITE_BACK_PENDING,
            f"{word.said} is on its way to SageMaker, ordered at {moment(word.ordered_at)}.",
            word.ordered_at,
        )
    # AWS is believed against the portal's own write once it dates a change after it, or was read well after it.
    is_heard = facts.modified_at > word.delivered_at + SKEW or facts.read_at > word.delivered_at + ECHO
    if is_heard or agrees(facts.aws, word):
        return None
    return Judgement(
        Agreement.WRITE_BACK_PENDING,
        f"SageMaker was told {word.said} at {moment(word.delivered_at)} and not read since.",
        word.delivered_at,
    )


def _outside(facts: Facts) -> Judgement | None:
    aws, word = facts.aws, facts.word
    if agrees(aws, word):
        return None
    wanted = _wanted(word)
    if aws.status == wanted.status:
        verdict, first = (
            Agreement.LIFECYCLE_CHANGED,
            f"SageMaker says {facts.name} is at {aws.life_cycle or 'no stage'}",
        )
    else:
        verdict = _of_status(aws.status, wanted.status)
        first = f"SageMaker says {facts.name} is {aws}"
    words = f"{first}; {_portal_words(word)}. Changed at {moment(facts.modified_at)} by {facts.by.words}."
    return Judgement(verdict, words, facts.modified_at, _claim(aws, word))


def _of_status(now: str, wanted: str) -> Agreement:
    if now == APPROVED:
        return Agreement.APPROVED_OUTSIDE
    if wanted != PENDING:
        return Agreement.REVERTED
    return Agreement.REJECTED_OUTSIDE


def _content(facts: Facts) -> Judgement | None:
    if not facts.outdated:
        return None
    stages = ", ".join(stage.label for stage in facts.outdated)
    since = f": it changed at {moment(facts.outdated_at)}" if facts.outdated_at else ""
    return Judgement(
        Agreement.CONTENT_CHANGED,
        f"SageMaker says {facts.aws}, and {facts.name} is no longer what was approved in {stages}{since}.",
        facts.outdated_at,
    )


def _claim(aws: Said, word: Word | None) -> Claim | None:
    """Return the decision a change stands for; None when it is none, or its two halves contradict each other."""
    decisions: Callable[[str], Verdict | None] = {APPROVED: Verdict.APPROVE, REJECTED: Verdict.REJECT}.get
    status_moved, stage_moved = aws.status != _wanted(word).status, not _same_life_cycle(aws, word)
    said = {decisions(aws.status)} if status_moved else set()
    if stage_moved:
        said.add(decisions(aws.stage_status))
    if len(said) != 1 or (verdict := said.pop()) is None:
        return None
    return Claim(verdict, aws.stage if stage_moved else "")


def _wanted(word: Word | None) -> Said:
    return word.said if word else Said()


def _same_life_cycle(aws: Said, word: Word | None) -> bool:
    if word is None:
        return aws.stage in UNCLAIMED_STAGES and aws.stage_status in UNCLAIMED_STATUSES
    return (aws.stage, aws.stage_status) == (word.said.stage, word.said.stage_status)


def _portal_words(word: Word | None) -> str:
    if word is None:
        return "nobody has decided about it in the portal"
    return f"the portal's last word is {word.said}, written at {moment(word.delivered_at or word.ordered_at)}"
