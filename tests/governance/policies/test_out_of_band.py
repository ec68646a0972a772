"""What SageMaker says against the portal's word: every combination of the facts has one verdict, and means one thing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from governance.choices import Agreement, OutsideResponse, Verdict
from governance.policies.out_of_band import (
    ECHO,
    SKEW,
    Claim,
    Facts,
    Said,
    Word,
    agrees,
    judge,
    response_to,
)
from governance.policies.principals import Linked, Who
from portal.core.vocabulary import Stage

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
TOLD = NOW - timedelta(hours=2)
GRACE = Who("Grace (arn:aws:iam::1:user/grace, linked)", Linked(7, "Grace"))
STATUSES = ("PendingManualApproval", "Approved", "Rejected")
CYCLES = (
    ("", ""), ("Development", "InProgress"), ("Development", "Approved"), ("Development", "PendingApproval"),
    ("QA", "Approved"), ("QA", "Rejected"), ("QA", "OnHold"), ("Archived", "Retired"),
)  # fmt: skip
WORDS: tuple[Said | None, ...] = (
    None,
    Said("PendingManualApproval", "Development", "PendingApproval"),
    Said("Approved", "Development", "Approved"),
    Said("Rejected", "QA", "Rejected"),
    Said("Rejected", "Archived", "Retired"),
)
# How far the word has come, and when AWS dated its last change and was read last, against that.
ARRIVALS = ("pending", "failed", "unread", "echo", "read", "newer")


def _facts(aws: Said, said: Said | None, arrival: str, *, missing: bool, outdated: bool) -> Facts:
    read, modified = TOLD + {"unread": -ECHO, "echo": ECHO / 2}.get(arrival, 2 * ECHO), TOLD - ECHO
    if arrival == "newer":
        read, modified = TOLD + SKEW * 2, TOLD + SKEW * 2
    word = None
    if said is not None:
        word = Word(said, TOLD - ECHO, None if arrival in ("pending", "failed") else TOLD, arrival == "failed")
    return Facts(
        name="credit-risk/7",
        aws=aws,
        modified_at=modified,
        read_at=read,
        by=GRACE,
        word=word,
        missing_since=NOW if missing else None,
        outdated=(Stage.QA,) if outdated else (),
        outdated_at=NOW if outdated else None,
    )


EVERY = [
    _facts(Said(status, *cycle), said, arrival, missing=missing, outdated=outdated)
    for status, cycle, said, arrival, missing, outdated in product(
        STATUSES, CYCLES, WORDS, ARRIVALS, (False, True), (False, True)
    )
]


def _arrived(facts: Facts) -> bool:
    """The portal has nothing to say, or what it said has reached AWS and AWS was read since."""
    word = facts.word
    if word is None:
        return True
    return word.delivered_at is not None and (
        facts.modified_at > word.delivered_at + SKEW or facts.read_at > word.delivered_at + ECHO
    )


def _decided(facts: Facts) -> str:
    return facts.word.said.status if facts.word else "PendingManualApproval"


def _same_stage(facts: Facts) -> bool:
    aws = facts.aws
    if facts.word is None:
        return aws.stage in ("", "Development") and aws.stage_status in ("", "InProgress", "OnHold", "PendingApproval")
    return aws.life_cycle == facts.word.said.life_cycle


def _unlike(facts: Facts) -> bool:
    return facts.aws.status != _decided(facts)


# What each verdict means, said once. For every combination exactly one of them holds, and it is the verdict.
MEANING: dict[Agreement, Callable[[Facts], bool]] = {
    Agreement.DELETED: lambda f: f.missing_since is not None,
    Agreement.WRITE_BACK_FAILED: lambda f: not f.missing_since and f.word is not None and f.word.failed,
    Agreement.WRITE_BACK_PENDING: lambda f: (
        not f.missing_since
        and f.word is not None
        and not f.word.failed
        and (f.word.delivered_at is None or (not _arrived(f) and (_unlike(f) or not _same_stage(f))))
    ),
    Agreement.APPROVED_OUTSIDE: lambda f: (
        not f.missing_since and _arrived(f) and f.aws.status == "Approved" and _decided(f) != "Approved"
    ),
    Agreement.REJECTED_OUTSIDE: lambda f: (
        not f.missing_since and _arrived(f) and f.aws.status == "Rejected" and "Pending" in _decided(f)
    ),
    Agreement.REVERTED: lambda f: (
        not f.missing_since
        and _arrived(f)
        and _unlike(f)
        and f.aws.status != "Approved"
        and "Pending" not in _decided(f)
    ),
    Agreement.LIFECYCLE_CHANGED: lambda f: (
        not f.missing_since and _arrived(f) and not _unlike(f) and not _same_stage(f)
    ),
    Agreement.CONTENT_CHANGED: lambda f: (
        not f.missing_since and _told(f) and not _unlike(f) and _same_stage(f) and bool(f.outdated)
    ),
    Agreement.AGREED: lambda f: (
        not f.missing_since and _told(f) and not _unlike(f) and _same_stage(f) and not f.outdated
    ),
}  # fmt: skip


def _told(facts: Facts) -> bool:
    return facts.word is None or facts.word.delivered_at is not None


def test_every_combination_of_the_facts_has_the_one_verdict_it_means() -> None:
    assert len(EVERY) == 2880
    assert set(MEANING) == set(Agreement)
    seen: Counter[Agreement] = Counter()
    for facts in EVERY:
        (meant,) = (verdict for verdict, holds in MEANING.items() if holds(facts))
        judgement = judge(facts)
        assert judgement.verdict is meant, facts
        seen[meant] += 1
        assert judgement.words
        assert judgement.words.endswith(".")
        assert judgement.is_outside == (meant in (
            Agreement.APPROVED_OUTSIDE, Agreement.REJECTED_OUTSIDE, Agreement.REVERTED, Agreement.LIFECYCLE_CHANGED,
        ))  # fmt: skip
        if judgement.is_outside:
            assert f"{facts.modified_at:%H:%M} UTC by Grace (arn:aws:iam::1:user/grace, linked)." in judgement.words
            assert judgement.since == facts.modified_at
            assert facts.aws.status in judgement.words or facts.aws.life_cycle in judgement.words
        else:
            assert judgement.claim is None
    assert all(seen[verdict] for verdict in Agreement)


def test_only_a_change_that_says_one_thing_is_a_decision() -> None:
    for facts in EVERY:
        judgement = judge(facts)
        if not judgement.is_outside:
            continue
        said = set()
        if _unlike(facts):
            said.add(facts.aws.status)
        if not _same_stage(facts):
            said.add(facts.aws.stage_status)
        verdict = {("Approved",): Verdict.APPROVE, ("Rejected",): Verdict.REJECT}.get(tuple(sorted(said)))
        stage = "" if _same_stage(facts) else facts.aws.stage
        assert judgement.claim == (Claim(verdict, stage) if verdict else None), facts


def test_who_said_it_changes_no_verdict_and_what_agrees_is_never_outside() -> None:
    """The portal's role is no excuse: somebody may have used it."""
    own = Who("the portal's own role", is_portal=True, doubt="It was done in the portal's own role.")
    for facts in EVERY:
        judgement = judge(replace(facts, by=own))
        assert judgement.verdict is judge(facts).verdict
        if agrees(facts.aws, facts.word):
            assert not judgement.is_outside


@pytest.mark.parametrize(
    ("status", "cycle", "asked"),
    [
        ("Approved", ("", ""), "approval"),
        ("Approved", ("Production", "Rejected"), "approval"),
        ("PendingManualApproval", ("QA", "Approved"), "approval"),
        ("Rejected", ("", ""), "rejection"),
        ("PendingManualApproval", ("QA", "InProgress"), "rejection"),
    ],
)
def test_a_policy_answers_approvals_by_one_switch_and_the_rest_by_the_other(
    status: str, cycle: tuple[str, str], asked: str
) -> None:
    judgement = judge(_facts(Said(status, *cycle), None, "read", missing=False, outdated=False))
    for approval, rejection in product(OutsideResponse, repeat=2):
        wanted = approval if asked == "approval" else rejection
        assert response_to(judgement, approval=approval, rejection=rejection) is wanted
