"""What is done in SageMaker past the portal is reported or written back, and found by one query."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from governance.choices import Agreement, FindingKind, OutsideOutcome, OutsideResponse, Verdict
from governance.models import ApprovalRequest, Finding, OutboxMessage, OutsideChange
from governance.policies.out_of_band import Said
from governance.selectors import out_of_band as selectors
from governance.services import approvals, out_of_band, sync
from portal.core.operations import operation
from registry.aws.records import LifeCycle
from registry.models import ModelVersion
from registry.services import versions
from tests.factories import group, version, version_record
from tests.factories.people import SYSTEM

from .conftest import Place
from .outside import Story, linked, session_arn, story, studio, under

__all__ = ["story"]

pytestmark = pytest.mark.django_db


# --- reported


def test_by_default_everything_is_reported_with_who_did_it_what_both_say_and_what_to_do(story: Story) -> None:
    name = linked(story.place.people.owner)
    story.ask()
    change = story.said(studio(name), "Approved")
    assert change is not None
    assert (change.response, change.outcome) == (OutsideResponse.REPORT, OutsideOutcome.REPORTED)
    summary = story.finding(FindingKind.APPROVED_OUTSIDE).summary
    for told in (
        f"SageMaker says {story.version.name} is Approved; nobody has decided about it in the portal.",
        f" UTC by {story.place.people.owner} ({session_arn(name)}, linked).",
        "It is only reported, as policy 2 asks.",
        "Decide about it in the portal, or take the approval back in SageMaker.",
    ):
        assert told in summary
    # The same person is not barred by it from deciding in the portal.
    request = ApprovalRequest.objects.get(version=story.version)
    approvals.decide(actor=story.place.people.owner.actor, request_id=request.pk, verdict=Verdict.APPROVE)
    assert story.version.stage == "qa"


def test_a_stage_moved_by_hand_is_found_while_the_status_agrees(story: Story) -> None:
    people = story.place.people
    request = story.ask()
    approvals.decide(actor=people.owner.actor, request_id=request.pk, verdict=Verdict.APPROVE)
    story.deliver()
    story.look()
    assert story.findings() == {}
    moved = story.said(studio("mallory"), ModelLifeCycle={"Stage": "Production", "StageStatus": "Approved"})
    assert moved is not None
    assert (moved.aws_said, moved.portal_said) == (
        "Approved, Production / Approved", "Approved, Development / Approved",
    )  # fmt: skip
    assert story.findings() == {"lifecycle_changed_outside": "open"}
    assert story.standing() is Agreement.LIFECYCLE_CHANGED


def test_what_is_deleted_is_deleted_and_nothing_else(story: Story) -> None:
    story.said(studio("mallory"), "Approved")
    with operation(SYSTEM):
        gone = versions.mark_missing(actor=SYSTEM, version_ids=[story.version.pk])
        sync.LISTENERS.on_versions_missing(SYSTEM, gone)
    assert story.standing() is Agreement.DELETED
    assert selectors.judged([story.version.pk]) == []
    assert out_of_band.answer(actor=out_of_band.ACTOR, version_id=story.version.pk) is None


# --- written back


def test_the_portals_word_is_written_back_until_somebody_keeps_changing_it(story: Story) -> None:
    people = story.place.people
    under(people, OutsideResponse.WRITE_BACK)
    request = story.ask()
    approvals.decide(actor=people.owner.actor, request_id=request.pk, verdict=Verdict.APPROVE)
    story.deliver()
    story.look()
    words = story.version.aws_approval_description
    for times in (1, 2, 3):
        change = story.said(studio("mallory"), "Rejected", ApprovalDescription=f"No {times}.")
        assert change is not None
        assert (change.verdict, change.outcome) == (Agreement.REVERTED, OutsideOutcome.WRITTEN_BACK)
        assert "ordered to be written back" in story.finding(FindingKind.REVERTED).summary
        assert out_of_band.answer_all(actor=out_of_band.ACTOR, version_ids=[story.version.pk]) == 0, "once per change"
        story.deliver()
        told = story.look()
        assert (told.aws_approval_status, told.aws_approval_description) == ("Approved", words)
        assert story.findings()["write_back_reverted"] == "resolved"
    fourth = story.said(studio("mallory"), "Rejected", ApprovalDescription="No 4.")
    assert fourth is not None
    assert (fourth.outcome, fourth.is_war) == (OutsideOutcome.REPORTED, True)
    finding = story.finding(FindingKind.REVERTED)
    assert finding.severity == "critical"
    assert "written back 3 times within a day" in finding.summary
    assert OutboxMessage.objects.filter(version=story.version, state="pending", kind="write_back").count() == 0


def test_before_the_portal_has_spoken_it_is_set_back_to_pending(story: Story) -> None:
    under(story.place.people, OutsideResponse.WRITE_BACK)
    change = story.said(studio("mallory"), "Approved")
    assert change is not None
    assert change.outcome == OutsideOutcome.WRITTEN_BACK
    story.deliver()
    told = story.look()
    assert (told.aws_approval_status, told.aws_stage_status) == ("PendingManualApproval", "PendingApproval")
    assert story.standing() is Agreement.AGREED


# --- cheap


def test_new_versions_that_claim_nothing_cost_nothing(place: Place) -> None:
    of = group(place.project, place.people)
    with operation(SYSTEM):
        changes = versions.take_in_all(
            actor=SYSTEM, group=of, records=[version_record(of.arn, number) for number in range(1, 30)]
        )
        with CaptureQueriesContext(
            connection,
        ) as asked:
            out_of_band.look_at_all(actor=SYSTEM, changes=changes)
        sync.LISTENERS.on_versions(SYSTEM, changes)
    assert len(asked) == 0


def test_many_that_claim_something_cost_as_much_as_one(place: Place) -> None:
    def cost(count: int) -> int:
        of = group(place.project, place.people)
        for number in range(1, count + 1):
            version(of, number, approval_status="Approved")
        Finding.objects.all().update(last_seen_at=timezone.now())
        ids = list(ModelVersion.objects.filter(group=of).values_list("pk", flat=True))
        with CaptureQueriesContext(connection) as asked:
            assert len(selectors.judged(ids)) == count
        return len(asked)

    assert cost(1) == cost(12)


def test_many_are_reported_at_once_and_one_that_fails_keeps_no_other_back(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cost(count: int) -> int:
        of = group(place.project, place.people)
        ids = [version(of, number, approval_status="Approved").pk for number in range(1, count + 1)]
        with CaptureQueriesContext(connection) as asked:
            assert out_of_band.answer_all(actor=out_of_band.ACTOR, version_ids=ids) == count
        assert out_of_band.answer_all(actor=out_of_band.ACTOR, version_ids=ids) == 0
        told = Finding.objects.filter(version__in=ids, summary__contains="It is only reported, as policy 2 asks.")
        assert told.count() == count
        return len(asked)

    assert cost(2) == cost(9)
    under(place.people, OutsideResponse.WRITE_BACK)
    of = group(place.project, place.people)
    first, second = (version(of, number, approval_status="Approved") for number in (1, 2))
    answer = out_of_band.answer

    def one_fails(**values: Any) -> Any:
        if values["version_id"] == first.pk:
            raise OperationalError("deadlock detected")
        return answer(**values)

    monkeypatch.setattr(out_of_band, "answer", one_fails)
    assert out_of_band.answer_all(actor=out_of_band.ACTOR, version_ids=[first.pk, second.pk]) == 1
    assert OutsideChange.objects.get(version__in=[first, second]).version == second


# --- the SQL that fetches who may disagree


def test_no_disagreement_escapes_the_query_that_fetches_the_candidates(place: Place) -> None:
    """On rows of every combination: what the pure rule calls outside is exactly what is found."""
    of = group(place.project, place.people)
    cycles = [
        None,
        *(LifeCycle(*said) for said in (("Development", "InProgress"), ("QA", "Approved"), ("QA", "Rejected"))),
    ]
    words = [None, Said("PendingManualApproval", "Development", "PendingApproval"), Said("Approved", "QA", "Approved"),
             Said("Rejected", "QA", "Rejected")]  # fmt: skip
    every = list(product(("PendingManualApproval", "Approved", "Rejected"), cycles, words, ("delivered", "pending")))
    with operation(SYSTEM):
        changes = versions.take_in_all(
            actor=SYSTEM,
            group=of,
            records=[
                version_record(of.arn, number, approval_status=status, life_cycle=cycle)
                for number, (status, cycle, _, _) in enumerate(every, 1)
            ],
        )
        sync.LISTENERS.on_versions(SYSTEM, changes)
        for change, (_, _, word, state) in zip(changes, every, strict=True):
            for said in (Said("Rejected", "Archived", "Retired"), word) if word else ():
                OutboxMessage.objects.create(
                    kind="write_back",
                    state=state,
                    ordering_key=change.version.arn,
                    version=change.version,
                    payload={"approval_status": said.status, "stage": said.stage, "stage_status": said.stage_status},
                    summary="Said.",
                    next_attempt_at=timezone.now(),
                    delivered_at=timezone.now() - timedelta(minutes=5) if state == "delivered" else None,
                )
    rows = list(ModelVersion.objects.filter(group=of).select_related("group__account"))
    judged = selectors.judge_all(rows)
    outside = {one.version.pk: one.judgement for one in judged if one.judgement.is_outside}
    assert 40 < len(outside) < len(rows)
    found = {one.version.pk: one.judgement for one in selectors.judged() if one.judgement.is_outside}
    assert found == outside
    seen = selectors.seen(timezone.now(), list(outside))
    assert sum(len(kind.holds) for kind in seen.values()) == len(outside)
    others = Counter(one.judgement.verdict for one in judged if not one.judgement.is_outside)
    assert set(others) == {Agreement.AGREED, Agreement.WRITE_BACK_PENDING}
