"""Two people in the same instant, each in a thread and a connection of their own."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from governance.models import ApprovalRequest, Evidence
from governance.selectors import evidence as selectors
from governance.selectors.audit import verify
from governance.services import approvals, evidence
from portal.core.errors import WrongState
from portal.core.vocabulary import EvidenceKind, RiskClass
from registry.models import UseCase
from tests.factories import Cast, cast, project, use_case
from tests.factories.walk import all_accounts
from tests.governance.test_concurrency import at_once

from . import files
from .conftest import kept

ROUNDS = 3


@pytest.fixture
def scene(committed_db: str) -> tuple[Cast, UseCase]:
    here = project()
    all_accounts()
    people = cast(here, project())
    return people, use_case(people, here, RiskClass.LIMITED)


def attaching(people: Cast, subject: UseCase, text: str, supersedes: int | None = None) -> partial[Evidence]:
    return partial(
        evidence.attach_upload,
        actor=people.scientist.actor,
        subject_type=UseCase,
        subject_id=subject.pk,
        kind=EvidenceKind.TEST_REPORT,
        file=files.upload("report.txt", text.encode(), "text/plain"),
        supersedes=supersedes,
    )


def test_one_edition_follows_another(scene: tuple[Cast, UseCase], store: Path) -> None:
    people, subject = scene
    latest = attaching(people, subject, "first")()
    for number in range(ROUNDS):
        calls = [attaching(people, subject, f"{number} {way}", latest.pk) for way in ("left", "right", "middle")]
        results = at_once(*calls)
        made = [result for result in results if isinstance(result, Evidence)]
        refused = [result for result in results if isinstance(result, WrongState)]
        assert (len(made), len(refused)) == (1, 2), results
        assert made[0].edition == latest.edition + 1
        latest = made[0]
    assert selectors.standing(subject) == [latest]
    assert len(kept(store)) == ROUNDS + 1, "what was refused left no file"
    assert verify().is_intact


def test_each_piece_of_its_own_is_kept(scene: tuple[Cast, UseCase]) -> None:
    people, subject = scene
    results = at_once(*(attaching(people, subject, f"report {number}") for number in range(4)))
    assert all(isinstance(result, Evidence) for result in results), results
    assert len(selectors.standing(subject)) == 4


def test_one_withdrawal(scene: tuple[Cast, UseCase]) -> None:
    people, subject = scene
    row = attaching(people, subject, "first")()
    withdrawals = [
        partial(evidence.withdraw, actor=person.actor, evidence_id=row.pk, reason=f"{person} says so")
        for person in (people.scientist, people.owner)
    ]
    results = at_once(*withdrawals)
    assert sorted(type(result).__name__ for result in results) == ["Evidence", "WrongState"]


def test_nobody_asks_for_what_has_just_moved(scene: tuple[Cast, UseCase]) -> None:
    """Whoever comes first: an open request is about all the evidence there is, or it is outdated."""
    people, subject = scene
    for number in range(ROUNDS):
        asking = partial(approvals.submit, actor=people.scientist.actor, subject_type=UseCase, subject_id=subject.pk)
        at_once(asking, attaching(people, subject, f"report {number}"))
        request = ApprovalRequest.objects.latest("pk")
        told = len(request.facts["evidence"])
        assert (request.state, told) in {("open", number + 1), ("outdated", number)}
        if request.state == "open":
            approvals.withdraw(actor=people.scientist.actor, request_id=request.pk)
