"""The periodic review: what it does not mistake for a disagreement, what is found at once, and what it costs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from governance import tasks
from governance.choices import FindingKind, OutboxKind, OutboxState
from governance.models import Finding, OutboxMessage
from governance.selectors import disagreements
from governance.selectors.out_of_band import OUTSIDE_KINDS
from governance.services import findings, retirement, review
from portal.core.operations import operation
from portal.core.vocabulary import Stage, Status
from portal.schedule import SCHEDULE
from registry.aws.records import LifeCycle
from registry.choices import DeploymentMode, DeploymentState, SyncKind, SyncState
from registry.models import Deployment, ModelVersion, SyncRun, UseCase
from tests.factories import Cast, at_stage, group, use_case, version
from tests.factories.people import SYSTEM
from tests.factories.walk import approve_once

from .conftest import Place
from .finding_stories import MetricBreached, OfVersion, RunningRejected, found

pytestmark = pytest.mark.django_db


class Decided(OfVersion):
    """A version described ten minutes ago and approved since; its write-back arrives two minutes ago."""

    def cause(self) -> None:
        self.begin()
        ModelVersion.objects.filter(pk=self.version.pk).update(seen_at=timezone.now() - timedelta(minutes=10))
        approve_once(self.place.people, self.version)

    def deliver(self, ago: timedelta = timedelta(minutes=2)) -> None:
        """Have the write-back arrive."""
        self.messages(state=OutboxState.DELIVERED, delivered_at=timezone.now() - ago)

    def echo(self, stage: str = "Development") -> None:
        """Have AWS say what was written."""
        self.take(approval_status="Approved", life_cycle=LifeCycle(stage, "Approved"))

    def outside(self) -> list[tuple[str, str]]:
        """Look a while later, and return what is said about approvals outside the portal."""
        self.now += timedelta(minutes=2)
        self.look()
        return [(row.kind, row.state) for row in Finding.objects.filter(kind__in=OUTSIDE_KINDS).order_by("pk")]


@pytest.fixture
def decided(place: Place) -> Decided:
    story = Decided(place)
    story.cause()
    return story


def test_a_write_back_on_its_way_is_no_disagreement(decided: Decided) -> None:
    assert decided.outside() == []
    decided.take(approval_status="Rejected")
    assert decided.outside() == [], "the portal's word will overwrite it"
    decided.messages(state=OutboxState.FAILED, last_error="AccessDenied")
    assert decided.outside() == [], "that it could not be told is another finding"


def test_the_echo_of_the_own_write_back_is_no_disagreement(decided: Decided) -> None:
    decided.deliver()
    # AWS says Approved by now; the portal has not read it since.
    assert decided.outside() == []
    decided.echo()
    assert decided.outside() == []


def test_a_description_read_before_the_write_back_arrived_is_given_time(decided: Decided) -> None:
    decided.deliver(timedelta())
    decided.take()
    assert decided.outside() == [], "within a minute the echo is still on its way"
    decided.deliver()
    decided.take()
    assert decided.outside() == [("write_back_reverted", "open")], "it says pending, and nothing else has come"


def test_an_approval_taken_away_in_aws_is_found_and_resolves_itself(decided: Decided) -> None:
    decided.deliver()
    decided.echo()
    assert decided.outside() == []
    decided.take(approval_status="Rejected", approval_description="I think not.")
    assert decided.outside() == [("write_back_reverted", "open")]
    finding = Finding.objects.get(kind=FindingKind.REVERTED)
    assert finding.evidence["portal_says"] == "Approved"
    assert finding.evidence["aws_approval_description"] == "I think not."
    decided.echo()
    assert decided.outside() == [("write_back_reverted", "resolved")]


def test_a_new_word_of_the_portal_leaves_a_finding_until_aws_has_it(decided: Decided) -> None:
    decided.deliver()
    decided.take(approval_status="Rejected")
    assert decided.outside() == [("write_back_reverted", "open")]
    approve_once(decided.place.people, decided.version)
    assert decided.outside() == [("write_back_reverted", "open")]
    decided.deliver()
    decided.echo("QA")
    assert decided.outside() == [("write_back_reverted", "resolved")]


def test_a_complete_listing_counts_as_reading(decided: Decided) -> None:
    """What was flipped back before it was ever described again looks in a listing as it did before."""
    decided.deliver()
    assert decided.outside() == []
    account = decided.version.group.account
    for state, expected in ((SyncState.FAILED, []), (SyncState.SUCCEEDED, [("write_back_reverted", "open")])):
        SyncRun.objects.create(
            account=account, region=decided.version.group.region, kind=SyncKind.FULL, state=state, requested_by="x"
        )
        assert decided.outside() == expected


def test_what_aws_no_longer_lists_contradicts_nobody(place: Place) -> None:
    story = Decided(place)
    story.begin(approval_status="Approved")
    assert [row.state for row in found(FindingKind.APPROVED_OUTSIDE)] == ["open"], "found when it is taken in"
    ModelVersion.objects.filter(pk=story.version.pk).update(missing_since=timezone.now())
    assert story.outside() == [("approved_outside_portal", "resolved")]


def test_a_failed_message_that_is_tried_again_settles_nothing(decided: Decided) -> None:
    decided.messages(state=OutboxState.FAILED, last_error="AccessDenied", attempts=12)
    decided.look()
    decided.messages(state=OutboxState.PENDING)
    decided.look()
    assert [row.state for row in found(FindingKind.WRITE_BACK_FAILED)] == ["open"]
    decided.messages(state=OutboxState.DELIVERED, last_error="")
    decided.look()
    assert [row.state for row in found(FindingKind.WRITE_BACK_FAILED)] == ["resolved"]


def test_a_trial_of_a_pending_stage_is_as_it_should_be(place: Place, people: Cast) -> None:
    made = at_stage(people, version(group(place.project, people)), Stage.PRODUCTION)
    Deployment.objects.filter(version=made).update(state=DeploymentState.DEPLOYED)
    assert set(Deployment.objects.filter(version=made).values_list("mode", flat=True)) == {DeploymentMode.TRIAL}
    review.review_all(actor=SYSTEM)
    assert not Finding.objects.filter(version=made, kind__startswith="running").exists()


def test_each_place_has_a_finding_of_its_own(place: Place, people: Cast) -> None:
    made = at_stage(people, version(group(place.project, people)), Stage.PRODUCTION)
    Deployment.objects.filter(version=made).update(state=DeploymentState.DEPLOYED)
    retirement.retire(
        actor=people.officer.actor, subject_type=ModelVersion, subject_id=made.pk, reason="Wrong.", force=True
    )
    rows = Finding.objects.filter(version=made, kind=FindingKind.RUNNING_REJECTED)
    assert {(row.stage, row.account.account_id) for row in rows if row.account} == {
        ("qa", "333333333333"), ("pre_production", "333333333333"), ("production", "444444444444"),
    }  # fmt: skip
    assert {row.state for row in rows} == {"open"}, "found at once, without waiting for the review"


def test_what_still_runs_where_it_is_rejected_is_found_at_once(place: Place) -> None:
    story = RunningRejected(place)
    story.cause()
    assert [row.state for row in found(FindingKind.RUNNING_REJECTED)] == ["open"]


def test_metrics_are_judged_when_they_are_reported(place: Place) -> None:
    story = MetricBreached(place)
    story.cause()
    (finding,) = found(FindingKind.METRIC_BREACHED)
    assert finding.state == "open"
    assert "Drift is 0.2, at most 0.1 is allowed" in finding.summary
    story.mend()
    assert [row.state for row in found(FindingKind.METRIC_BREACHED)] == ["resolved"]


@pytest.mark.parametrize("status", [Status.REJECTED, Status.RETIRED])
def test_what_is_rejected_or_retired_keeps_to_no_threshold(place: Place, status: Status) -> None:
    story = MetricBreached(place)
    story.cause()
    if status is Status.REJECTED:
        at_stage(place.people, story.version, Stage.QA, Status.REJECTED)
    else:
        officer = place.people.officer.actor
        retirement.retire(actor=officer, subject_type=ModelVersion, subject_id=story.version.pk, reason="Obsolete.")
    story.look()
    assert [row.state for row in found(FindingKind.METRIC_BREACHED)] == ["resolved"]


def test_a_retired_use_case_needs_no_review(place: Place, people: Cast) -> None:
    made = use_case(people, place.project)
    UseCase.objects.filter(pk=made.pk).update(next_review_on=timezone.localdate())
    review.review_all(actor=SYSTEM)
    assert not found(FindingKind.REVIEW_OVERDUE), "it is due today and not overdue"
    later = timezone.now() + timedelta(days=1)
    review.review_all(actor=SYSTEM, now=later)
    retirement.retire(actor=people.officer.actor, subject_type=UseCase, subject_id=made.pk, reason="Over.")
    review.review_all(actor=SYSTEM, now=later)
    assert [row.state for row in found(FindingKind.REVIEW_OVERDUE)] == ["resolved"]


# --- running it


def test_it_is_on_the_schedule_and_runs_as_the_portal(place: Place, people: Cast) -> None:
    assert "governance.review_findings" in {entry["task"] for entry in SCHEDULE.values()}
    made = use_case(people, place.project)
    UseCase.objects.filter(pk=made.pk).update(next_review_on=timezone.localdate() - timedelta(days=3))
    tasks.review_findings()
    assert [row.use_case for row in found(FindingKind.REVIEW_OVERDUE)] == [made]


def test_one_kind_that_cannot_be_looked_at_does_not_keep_the_others(
    place: Place, people: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: Any) -> Any:
        raise OperationalError("deadlock detected")

    made = use_case(people, place.project)
    UseCase.objects.filter(pk=made.pk).update(next_review_on=timezone.localdate() - timedelta(days=3))
    monkeypatch.setitem(disagreements.RULES, FindingKind.APPROVED_OUTSIDE, broken)
    reviewed = review.review_all(actor=SYSTEM)
    assert (reviewed.failed, reviewed.opened) == ((FindingKind.APPROVED_OUTSIDE,), 1)


def test_one_seen_again_during_the_review_is_not_resolved_by_it(place: Place, people: Cast) -> None:
    made = version(group(place.project, people))
    with operation(SYSTEM):
        finding = findings.observe(FindingKind.APPROVED_OUTSIDE, made, "Approved.")
        before = finding.last_seen_at - timedelta(seconds=1)
        kind, key = FindingKind.APPROVED_OUTSIDE, finding.subject_key
        assert findings.settle(kind, [finding.pk], [key], "Agrees.", before) == 0
        assert findings.settle(kind, [finding.pk], [key], "Agrees.", finding.last_seen_at) == 1


def stories(place: Place, people: Cast, count: int) -> None:
    """Bring about so many disagreements of the kinds that are looked for."""
    old = timezone.now() - timedelta(hours=1)
    for _ in range(count):
        made = at_stage(people, version(group(place.project, people)), Stage.QA)
        Deployment.objects.filter(version=made).update(state=DeploymentState.DEPLOYED, mode=DeploymentMode.LIVE)
        OutboxMessage.objects.filter(version=made, kind=OutboxKind.WRITE_BACK).update(created_at=old)
        outside = version(group(place.project, people))
        ModelVersion.objects.filter(pk=outside.pk).update(aws_approval_status="Approved")
        group(None)
        case = use_case(people, place.project)
        UseCase.objects.filter(pk=case.pk).update(next_review_on=timezone.localdate() - timedelta(days=1))


def costs(moment: Any) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        review.review_all(actor=SYSTEM, now=moment)
    return [query["sql"] for query in captured.captured_queries]


def test_a_review_costs_as_many_queries_for_ten_as_for_one(place: Place, people: Cast) -> None:
    spent: list[tuple[int, int, int]] = []
    for count in (1, 9):
        stories(place, people, count)
        now = timezone.now()
        opening = len(costs(now))
        idle = len(costs(now + timedelta(seconds=1)))
        repair()
        spent.append((opening, idle, len(costs(now + timedelta(seconds=2)))))
    assert Finding.objects.count() >= 50
    assert not Finding.objects.unresolved().exclude(kind=FindingKind.GROUP_UNLINKED).exists()
    assert spent[0] == spent[1]


def repair() -> None:
    """Have reality agree with everything but the unclaimed groups."""
    ModelVersion.objects.filter(aws_approval_status="Approved").update(aws_approval_status="PendingManualApproval")
    Deployment.objects.all().update(state=DeploymentState.REPLACED)
    OutboxMessage.objects.all().update(state=OutboxState.DELIVERED, delivered_at=timezone.now())
    UseCase.objects.all().update(next_review_on=None)
