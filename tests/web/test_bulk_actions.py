"""Actions on several rows: looked over first, each row through its own service, and told row by row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.utils import timezone

from governance.choices import FindingKind, FindingState, OutboxState
from governance.models import ApprovalRequest, Decision, Finding, OutboxMessage
from governance.services import approvals, bulk_approval, findings
from governance.web.finding_tables import FindingTable
from portal.core.errors import InvalidInput
from portal.core.operations import operation
from portal.core.vocabulary import RiskClass, RiskRating
from registry.choices import ParkedEventState
from registry.models import ModelGroup, ModelVersion, ParkedEvent
from tests.api.world import World
from tests.factories import group, use_case, version
from tests.factories.people import SYSTEM

AsRole = Callable[[str], Client]


def said(answer: Any) -> str:
    return " ".join(str(message) for message in get_messages(answer.wsgi_request))


def mark(row: Finding) -> str:
    return f"{row.pk}.{FindingTable(Finding.objects.none()).stamp_of(row)}"


@pytest.fixture
def two(world: World) -> list[Finding]:
    """Two open findings about one version."""
    with operation(SYSTEM):
        made = [
            findings.observe(kind, world.fresh, "Look at it.")
            for kind in (FindingKind.CARD_MISSING, FindingKind.RUNNING_UNAPPROVED)
        ]
    return [Finding.objects.get(pk=one.pk) for one in made]


def test_rows_are_shown_before_and_done_one_by_one(world: World, as_role: AsRole, two: list[Finding]) -> None:
    client = as_role("governance_officer")
    page = client.get("/findings/").content.decode()
    assert f'value="{mark(two[0])}" form="bulk-form"' in page
    rows = [mark(one) for one in two]
    before = client.post("/findings/", {"action": "acknowledge", "row": rows})
    assert before.status_code == 200
    assert two[0].public_id in before.content.decode()
    assert Finding.objects.filter(state=FindingState.ACKNOWLEDGED, pk__in=[one.pk for one in two]).count() == 0
    body = {"action": "acknowledge", "row": rows, "confirmed": "yes"}
    done = client.post("/findings/?state=open", body)
    assert done.status_code == 302
    assert done["Location"] == "/findings/?state=open"
    assert "done for 2" in said(done)
    assert Finding.objects.filter(owner=world.people.officer, pk__in=[one.pk for one in two]).count() == 2
    again = client.post("/findings/", body)
    assert again.status_code == 302
    assert "nothing was done" in said(again)
    assert said(again).count("It changed since the list was shown") == 2


def test_a_row_that_changed_or_went_keeps_nothing_from_the_others(
    world: World, as_role: AsRole, two: list[Finding]
) -> None:
    stale, fresh = two
    rows = [mark(stale), mark(fresh), "999999999.open"]
    findings.acknowledge(actor=world.people.officer.actor, finding_id=stale.pk)
    today = str(timezone.localdate())
    body = {"action": "due", "row": rows, "confirmed": "yes", "due_on": today, "reason": ""}
    answer = as_role("governance_officer").post("/findings/", body)
    fresh.refresh_from_db()
    assert str(fresh.due_on) == today
    text = said(answer)
    assert "done for 1" in text
    assert "Refused for 2" in text
    assert "It is no longer there" in text
    assert "It changed since the list was shown" in text


def test_what_a_service_refuses_is_told_beside_its_row(world: World, as_role: AsRole, two: list[Finding]) -> None:
    body = {"action": "assign", "row": [mark(two[0])], "confirmed": "yes", "reason": ""}
    client = as_role("governance_officer")
    wrong = client.post("/findings/", {**body, "owner": "abc"})
    assert wrong.status_code == 422
    assert "Select a valid choice" in wrong.content.decode()
    refused = client.post("/findings/", {**body, "action": "due", "due_on": "1999-01-01"})
    assert "That day has passed" in said(refused)
    done = client.post("/findings/", {**body, "owner": world.people.owner.pk})
    assert "done for 1" in said(done)
    two[0].refresh_from_db()
    assert two[0].owner == world.people.owner


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"action": "nonsense", "row": "1.open"},
        {"action": "acknowledge"},
        {"action": "acknowledge", "row": "x"},
        {"action": "acknowledge", "row": "99999999999999999999.open"},
        {"action": "acknowledge", "row": ["\x00"]},
        {"action": "acknowledge", "row": [f"{number}.open" for number in range(1, 102)]},
    ],
)
def test_what_cannot_be_done_is_refused_as_a_whole(body: dict[str, Any], world: World, as_role: AsRole) -> None:
    answer = as_role("governance_officer").post("/findings/", body)
    assert answer.status_code == 400
    assert "data-error-title" in answer.content.decode()


def test_only_who_may_sees_boxes(world: World, as_role: AsRole) -> None:
    for role, may in {"governance_officer": True, "data_scientist": False, "auditor": False}.items():
        assert ("data-choose" in as_role(role).get("/findings/").content.decode()) is may


def submitted(world: World, *tiers: RiskRating) -> dict[RiskRating, ApprovalRequest]:
    """Requests for versions that the model owner may decide on, one under each tier."""
    serves = use_case(world.people, world.project, RiskClass.MINIMAL)
    models = group(world.project, world.people, serves)
    found = {}
    for number, tier in enumerate(tiers, 1):
        made = version(models, number, risk=tier.label)
        found[tier] = approvals.submit(
            actor=world.people.scientist.actor, subject_type=ModelVersion, subject_id=made.pk
        )
        # What SageMaker does not rate is judged as high risk.
        assert found[tier].tier == (RiskRating.HIGH if tier is RiskRating.UNKNOWN else tier)
    return found


def decide_together(client: Client, requests: list[ApprovalRequest], **body: str) -> Any:
    rows = [f"{one.pk}.open-0" for one in requests]
    return client.post("/approvals/?tab=mine", {"action": "approve", "row": rows, "confirmed": "yes", **body})


def test_several_are_approved_at_once_only_where_the_risk_is_low_or_medium(world: World, as_role: AsRole) -> None:
    requests = submitted(world, *RiskRating)
    client = as_role("model_owner")
    silent = decide_together(client, list(requests.values()))
    assert silent.status_code == 422, "a comment is asked for once"
    answer = decide_together(client, list(requests.values()), comment="Looked at both.")
    decided = set(Decision.objects.filter(request__in=requests.values()).values_list("request__tier", flat=True))
    assert decided == {"low", "medium"}
    assert said(answer).count("open it and decide on it alone") == 2
    assert "done for 2" in said(answer)
    assert Decision.objects.filter(comment="Looked at both.").count() == 2


@pytest.mark.parametrize("tier", [RiskRating.HIGH, RiskRating.UNKNOWN])
def test_the_service_itself_refuses_what_is_to_be_decided_on_alone(tier: RiskRating, world: World) -> None:
    request = submitted(world, tier)[tier]
    owner = world.people.owner.actor
    with pytest.raises(bulk_approval.NotInBulk, match="decide on it alone"):
        bulk_approval.approve_among_many(actor=owner, request_id=request.pk, comment="Fine.")
    unrated = ApprovalRequest(tier=RiskRating.UNKNOWN.value)
    assert "decide on it alone" in bulk_approval.bulk_refusal(owner, unrated)
    with pytest.raises(InvalidInput, match="what you looked at"):
        bulk_approval.approve_among_many(actor=owner, request_id=request.pk, comment=" ")
    assert not Decision.objects.filter(request=request).exists()


def test_who_may_not_decide_is_refused_for_each(world: World, as_role: AsRole) -> None:
    request = submitted(world, RiskRating.LOW)[RiskRating.LOW]
    assert bulk_approval.bulk_refusal(world.people.officer.actor, request)
    answer = decide_together(as_role("governance_officer"), [request], comment="Fine.")
    assert "nothing was done" in said(answer)
    assert not Decision.objects.filter(request=request).exists()


def test_what_was_given_up_is_tried_again_and_other_messages_are_left(world: World, as_role: AsRole) -> None:
    OutboxMessage.objects.filter(pk=world.message.pk).update(state=OutboxState.FAILED, attempts=9)
    other = OutboxMessage.objects.exclude(pk=world.message.pk).exclude(state=OutboxState.FAILED).first()
    assert other is not None
    rows = [f"{world.message.pk}.failed-9", f"{other.pk}.{other.state}-{other.attempts}"]
    answer = as_role("ml_admin").post("/outbox/", {"action": "retry", "row": rows, "confirmed": "yes"})
    world.message.refresh_from_db()
    assert (world.message.state, world.message.attempts) == (OutboxState.PENDING, 0)
    assert "done for 1" in said(answer)
    assert "Refused for 1" in said(answer)


def test_events_are_dismissed_with_one_reason(world: World, as_role: AsRole) -> None:
    event = world.parked_event
    row = f"{event.pk}.{event.state}-{event.attempts}"
    client = as_role("ml_admin")
    body = {"action": "dismiss", "row": row, "confirmed": "yes"}
    assert client.post("/registry-events/", body).status_code == 422
    assert "done for 1" in said(client.post("/registry-events/", {**body, "reason": "Noise."}))
    kept = ParkedEvent.objects.get(pk=event.pk)
    assert (kept.state, kept.note) == (ParkedEventState.DISMISSED, "Noise.")


def test_groups_are_claimed_for_a_project_and_claimed_ones_are_left(world: World, as_role: AsRole) -> None:
    free = group(None)
    rows = [f"{free.pk}.{free.revision}", f"{world.group.pk}.{world.group.revision}"]
    body = {"action": "claim", "row": rows, "confirmed": "yes", "project": str(world.project.pk)}
    answer = as_role("ml_admin").post("/model-groups/", body)
    assert "done for 1" in said(answer), said(answer)
    assert "belongs to" in said(answer)
    assert ModelGroup.objects.get(pk=free.pk).project == world.project
    elsewhere = as_role("ml_admin").post("/model-groups/", {**body, "project": "999999"})
    assert elsewhere.status_code == 422


def test_a_row_is_one_row_however_it_is_written(world: World, as_role: AsRole, two: list[Finding]) -> None:
    first = mark(two[0])
    rows = [first, f"0{first}", f"00{first}", f"{two[0].pk}.other"]
    page = as_role("governance_officer").post("/findings/", {"action": "acknowledge", "row": rows}).content.decode()
    assert page.count(f'name="row" value="{two[0].pk}.') == 1


@pytest.mark.parametrize("how_many", [101, 10_000])
def test_more_rows_than_a_page_has_are_refused(
    how_many: int, world: World, as_role: AsRole, two: list[Finding]
) -> None:
    rows = [f"{number}.x" for number in range(1, how_many + 1)]
    body = {"action": "acknowledge", "row": rows, "confirmed": "yes"}
    answer = as_role("governance_officer").post("/findings/", body)
    assert answer.status_code == 400
    assert "data-error-title" in answer.content.decode()
