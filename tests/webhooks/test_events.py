"""Which changes are told, as what, to whom, and what that costs: written by triggers, named by the catalogue."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from governance.choices import FindingKind, Verdict
from governance.models import ApprovalRequest, StageEvent, Webhook, WebhookDelivery, WebhookEvent
from governance.policies.webhook_events import CATALOGUE, SOURCES, TYPES, is_known, matches, sources_of
from governance.services import approvals, deployments, findings, overrides, webhook_spread, webhooks
from portal.core.operations import operation
from portal.core.vocabulary import Stage
from registry.choices import DeploymentState, ShareState, SyncKind, SyncState
from registry.models import Deployment, ModelVersion, ResourceShare, ShareInvitation, SyncRun, UseCase
from registry.services import groups
from tests.factories import at_stage, group, use_case, version
from tests.factories.people import SYSTEM
from tests.factories.walk import all_accounts, approve_once

from .conftest import Place

pytestmark = pytest.mark.django_db
URL = "https://hooks.example.org/portal"


def spread() -> list[dict[str, Any]]:
    """Spread what was written down; return the events in their order, and forget them."""
    webhook_spread.spread_due()
    assert not WebhookEvent.objects.exists()
    found = [json.loads(row.body) for row in WebhookDelivery.objects.order_by("sequence", "pk")]
    WebhookDelivery.objects.all().delete()
    return found


def kinds(found: list[dict[str, Any]]) -> list[str]:
    return [event["type"] for event in found]


def test_the_triggers_are_those_of_the_catalogue() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT c.relname::text, array_agg(DISTINCT encode(t.tgargs, 'escape')), bool_and(t.tgenabled = 'A')
                 FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid
                WHERE p.proname IN ('governance_note_change', 'governance_note_member') GROUP BY 1"""
        )
        found = {table: (arguments, always) for table, arguments, always in cursor.fetchall()}
    wanted = {table: (["".join(f"{name}\\000" for name in source.columns)], True) for table, source in SOURCES.items()}
    assert found == wanted


def test_every_event_comes_from_somewhere_and_is_in_the_document() -> None:
    assert {name for source in SOURCES.values() for name in source.types} == set(TYPES)
    assert len(TYPES) == len(CATALOGUE)
    call_command("webhook_docs", check=True)


@pytest.mark.parametrize(
    ("patterns", "name", "wanted"),
    [
        (["*"], "sync.failed", True),
        (["approval.*"], "approval.expired", True),
        (["approval.*"], "approvals.expired", False),
        (["approval.approved"], "approval.rejected", False),
        (["finding.*", "sync.failed"], "sync.failed", True),
    ],
)
def test_patterns(patterns: list[str], name: str, *, wanted: bool) -> None:
    assert matches(patterns, name) is wanted


def test_patterns_that_mean_nothing_are_known_for_it() -> None:
    known = {"*", "approval.*", "approval.approved", "approval", "approval.", "appr*", "*.approved", "[a]pproval.*"}
    assert {one for one in known if is_known(one)} == {"*", "approval.*", "approval.approved"}
    assert sources_of(["sync.*"]) == ["registry_syncrun"]
    assert "governance_finding" in sources_of(["share.drifted"])


def test_the_walk_of_a_version_and_its_use_case_is_told_entry_by_entry(place: Place) -> None:
    place.webhook(URL)
    begins = StageEvent.objects.order_by("-pk").values_list("pk", flat=True)[0]
    served = use_case(place.people, place.project)
    made = version(group(place.project, place.people, served))
    walked = at_stage(place.people, made, Stage.PRODUCTION)
    refused = version(group(place.project, place.people, served))
    request = approvals.submit(
        actor=place.people.scientist.actor, subject_type=ModelVersion, subject_id=refused.pk, note=""
    )
    approvals.decide(
        actor=place.people.owner.actor,
        request_id=request.pk,
        verdict=Verdict.REJECT,
        comment="Not yet.",
        back_to=Stage.DEVELOPMENT,
    )
    found = spread()
    ledger = StageEvent.objects.filter(pk__gt=begins).order_by("pk")
    moves = [event for event in found if event["type"].split(".")[0] in ("use_case", "model_version")]
    told = [
        (event["data"]["verb"], event["data"]["stage"], event["data"]["status"], event["data"]["record"])
        for event in moves
        if "verb" in event["data"]
    ]
    written = [
        (
            entry.verb,
            entry.position_stage,
            entry.position_status,
            {"id": entry.record_id_copy, "stage": entry.stage, "status": entry.status},
        )
        for entry in ledger
    ]
    assert told == written, "each entry of the ledger is one event, in its order"
    assert len(written) >= 10
    # Where it stood before is where the event before left it.
    before: dict[Any, tuple[str, str]] = {}
    for event in moves:
        data = event["data"]
        if "verb" not in data:
            continue
        stood = before.get(data["subject"]["id"], (None, None))
        assert (data["stage_before"], data["status_before"]) == stood
        moved = data["stage_before"] is not None and data["stage"] != data["stage_before"]
        assert event["type"].endswith(".stage_changed") is moved
        before[data["subject"]["id"]] = (data["stage"], data["status"])
    # Every request and every word on it as well.
    requests = ApprovalRequest.objects.filter(version__in=[walked, refused]).order_by("pk")
    asked = [event["data"]["request"] for event in found if event["type"] == "approval.requested"]
    assert asked == [request.public_id for request in requests]
    decided = [event["data"] for event in found if event["type"] == "approval.decided"]
    words = [word for request in requests for word in request.decisions.order_by("pk")]
    assert [(one["request"], one["verdict"], one["decided_by"]) for one in decided] == [
        (word.request.public_id, word.verdict, word.decider_name) for word in words
    ]
    closed = [
        event["data"]["request"] for event in found if event["type"] in ("approval.approved", "approval.rejected")
    ]
    assert closed == asked
    ordered = [event["data"]["order"] for event in found if event["type"] == "deployment.ordered"]
    assert len(ordered) == walked.deployments.count() > 0
    assert all(event["data"]["sequence"] for event in found)
    assert [event["data"]["sequence"] for event in found] == sorted(event["data"]["sequence"] for event in found)
    assert {event["data"]["actor"].split(":")[0] for event in found} == {"user", "system"}


def test_requests_that_end_otherwise_are_told(place: Place) -> None:
    place.webhook(URL, "approval.*")
    place.withdraw(place.submit())
    late = place.submit()
    ApprovalRequest.objects.filter(pk=late.pk).update(escalated_at=timezone.now())
    approvals.decide(
        actor=place.people.owner.actor,
        request_id=late.pk,
        verdict=Verdict.REQUEST_CHANGES,
        comment="Say more.",
    )
    assert kinds(spread()) == [
        "approval.requested",
        "approval.withdrawn",
        "approval.requested",
        "approval.escalated",
        "approval.decided",
        "approval.changes_requested",
    ]


def test_findings_are_told_from_opening_to_opening_again(place: Place) -> None:
    place.webhook(URL, "finding.*")
    officer = place.people.officer.actor
    with operation(SYSTEM):
        made = findings.observe(FindingKind.REVIEW_OVERDUE, place.use_case, "The review was due.")
    findings.acknowledge(actor=officer, finding_id=made.pk)
    findings.assign(actor=officer, finding_id=made.pk, owner=place.people.second_officer)
    findings.accept(actor=officer, finding_id=made.pk, reason="Soon.", until=timezone.localdate() + timedelta(days=3))
    with operation(SYSTEM):
        findings.observe(FindingKind.REVIEW_OVERDUE, place.use_case, "The review was due.")
        findings.clear(FindingKind.REVIEW_OVERDUE, place.use_case, "It was held.")
    findings.reopen(actor=officer, finding_id=made.pk, reason="It was not.")
    found = spread()
    assert kinds(found) == [
        "finding.opened",
        "finding.acknowledged",
        "finding.changed",
        "finding.accepted",
        "finding.resolved",
        "finding.reopened",
    ]
    assert {event["data"]["finding"] for event in found} == {made.public_id}
    assert found[2]["data"]["owner"] == place.people.second_officer.username
    assert "overdue" not in json.dumps(found[0]["data"]["links"])
    assert "was due" not in json.dumps(found), "what it says is read through the API"


def test_deployments_and_overrides_are_told(place: Place) -> None:
    place.webhook(URL, "deployment.*", "override.*")
    approve_once(place.people, place.version)
    running = Deployment.objects.get(version=place.version)
    for state in (DeploymentState.IN_PROGRESS, DeploymentState.DEPLOYED):
        deployments.report(
            actor=place.people.engineer.actor, deployment_id=running.pk, state=state, endpoint="e", detail=""
        )
    overrides.break_glass(
        actor=place.people.officer.actor,
        subject_type=UseCase,
        subject_id=place.use_case.pk,
        stage=Stage.PRODUCTION,
        check_key="evidence:risk_assessment",
        reason="It is being written.",
        expires_at=timezone.now() + timedelta(days=5),
    )
    found = spread()
    assert kinds(found) == [
        "deployment.ordered",
        "deployment.status_changed",
        "deployment.status_changed",
        "override.granted",
    ]
    moves = [(event["data"]["state_before"], event["data"]["state"]) for event in found[1:3]]
    assert moves == [("ordered", "in_progress"), ("in_progress", "deployed")]
    assert "being written" not in json.dumps(found)


def test_what_ram_and_passes_say_is_told_to_those_who_see_everything(place: Place) -> None:
    made = place.webhook(URL, "share.*", "sync.*")
    hub = all_accounts()["hub"]
    shared = group(place.project, place.people)
    with operation(SYSTEM):
        share = ResourceShare.objects.create(
            arn="arn:aws:ram:us-east-1:111111111111:resource-share/9",
            name="share",
            account=hub,
            region="us-east-1",
            state=ShareState.PENDING,
            seen_at=timezone.now(),
        )
        share.groups.add(shared)
        ResourceShare.objects.filter(pk=share.pk).update(seen_at=timezone.now())
        ResourceShare.objects.filter(pk=share.pk).update(state=ShareState.ACTIVE, principals=["222222222222"])
        asked = ShareInvitation.objects.create(
            arn="arn:aws:ram:us-east-1:111111111111:resource-share-invitation/9",
            share_arn=share.arn,
            sender_account_id="111111111111",
            receiver=all_accounts()["development"],
            status="PENDING",
            seen_at=timezone.now(),
        )
        ShareInvitation.objects.filter(pk=asked.pk).update(status="ACCEPTED")
        findings.observe(FindingKind.SHARE_DRIFT, shared, "RAM shares it with somebody else.")
        for state in (SyncState.FAILED, SyncState.SUCCEEDED, SyncState.SUCCEEDED):
            run = SyncRun.objects.create(account=hub, region="us-east-1", kind=SyncKind.FULL, requested_by="x")
            run.state, run.error = state, "AWS did not answer." if state == SyncState.FAILED else ""
            run.save()
    found = spread()
    assert kinds(found) == [
        "share.appeared",
        "share.group_added",
        "share.altered",
        "share.invited",
        "share.invitation_changed",
        "share.drifted",
        "sync.failed",
        "sync.finished",
        "sync.recovered",
        "sync.finished",
    ]
    assert found[2]["data"]["projects"] == [place.project.key]
    assert found[6]["data"]["error"] == "AWS did not answer."
    assert found[6]["data"]["subject"] == {"kind": "account", "id": "111111111111", "region": "us-east-1"}
    assert Webhook.objects.get(pk=made.webhook.pk).sources == sources_of(["share.*", "sync.*"])


def test_the_content_the_risk_and_the_presence_of_what_is_governed_are_told(place: Place) -> None:
    place.webhook(URL, "model_version.*", "use_case.risk_changed", "approval.no_longer_holds")
    with operation(SYSTEM):
        rows = ModelVersion.objects.filter(pk=place.version.pk)
        rows.update(missing_since=timezone.now())
        rows.update(missing_since=None, seen_at=timezone.now())
        rows.update(content_digest="sha256:other")
        rows.update(description="Only words.")
    assert kinds(spread()) == [
        "model_version.missing",
        "model_version.found_again",
        "model_version.content_changed",
    ]


def test_a_webhook_of_a_project_hears_of_that_project_alone(place: Place) -> None:
    of_all, of_one = place.webhook(URL), place.webhook(URL, project_id=place.elsewhere.pk)
    mine = use_case(place.people, place.project, name="Hush hush")
    webhook_spread.spread_due()
    assert WebhookDelivery.objects.filter(webhook=of_all.webhook).exists()
    assert not WebhookDelivery.objects.filter(webhook=of_one.webhook).exists()
    # A version of the other project that serves this use case tells of it, without its name.
    models = group(None, name="theirs")
    models = groups.edit(
        actor=place.people.admin.actor,
        group_id=models.pk,
        revision=models.revision,
        project=place.elsewhere,
        owner=None,
        use_cases=(),
    )
    models.use_cases.add(mine)
    version(models)
    webhook_spread.spread_due()
    bodies = {
        scope.webhook.pk: WebhookDelivery.objects.get(
            webhook=scope.webhook, type="model_version.registered", subject_name="theirs/1"
        ).body
        for scope in (of_all, of_one)
    }
    assert "Hush hush" in bodies[of_all.webhook.pk]
    assert "Hush hush" not in bodies[of_one.webhook.pk]
    assert mine.public_id not in bodies[of_one.webhook.pk]
    assert json.loads(bodies[of_one.webhook.pk])["data"]["subject"]["use_cases"] == []
    assert not WebhookDelivery.objects.filter(webhook=of_one.webhook, body__contains=mine.name).exists()


def test_what_happened_before_a_webhook_was_made_is_not_its_business(place: Place) -> None:
    place.webhook(URL)
    place.submit()
    later = place.webhook(URL)
    webhook_spread.spread_due()
    assert not WebhookDelivery.objects.filter(webhook=later.webhook).exists()


def test_without_a_subscriber_nothing_is_written_and_nothing_is_asked(place: Place) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            place.withdraw(place.submit())
        return len(queries)

    asked()
    without = asked()
    assert not WebhookEvent.objects.exists()
    other = place.webhook(URL, "sync.*")
    assert asked() == without
    assert not WebhookEvent.objects.exists(), "one that wants something else costs no row either"
    webhooks.disable(actor=place.people.admin.actor, webhook_id=other.webhook.pk)
    place.webhook(URL, "approval.*")
    assert asked() == without, "the row is written by the statement that makes the change"
    assert WebhookEvent.objects.count() == 2


def test_a_batch_is_spread_with_the_same_questions_however_large_it_is(place: Place) -> None:
    place.webhook(URL)
    counts = []
    for several in (2, 12):
        models = group(place.project, place.people, place.use_case)
        for number in range(several):
            version(models, number + 1)
        with CaptureQueriesContext(connection) as queries:
            webhook_spread.spread_due()
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert counts[0] < 40


def test_one_event_that_cannot_be_spread_keeps_up_no_other(place: Place) -> None:
    place.webhook(URL)
    now = timezone.now()
    broken = WebhookEvent.objects.create(
        table="governance_finding", row_id=1, after={}, happened_at=now, next_attempt_at=now
    )
    place.submit()
    assert webhook_spread.spread_due() == 1
    broken.refresh_from_db()
    assert broken.problem.startswith("KeyError")
    assert broken.next_attempt_at > now
    broken.delete()


def test_an_event_whose_subject_is_gone_is_told_with_what_is_left(place: Place) -> None:
    place.webhook(URL)
    now = timezone.now()
    gone = {"version_id": 10**9, "use_case_id": None, "group_id": None, "account_id": None}
    after = {"kind": "x", "state": "open", "severity": "info", "stage": "", "owner_id": 10**9, "due_on": None, **gone}
    WebhookEvent.objects.create(table="governance_finding", row_id=7, after=after, happened_at=now, next_attempt_at=now)
    (event,) = spread()
    assert event["data"]["subject"] == {"kind": "model_version", "id": 10**9}
    assert event["data"]["owner"] is None
