"""How pages behave: fragments, forms that keep what was typed, refusals, what people read."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client, override_settings
from django.urls import reverse

from governance.choices import OutboxKind, RequestState, Verdict
from governance.models import ApprovalRequest, OutboxMessage
from governance.selectors.standing import messages_of_request
from governance.services import approvals, preview
from portal.core.vocabulary import RiskClass, Stage
from registry.models import ModelVersion, UseCase
from registry.services import use_cases
from registry.services.use_cases import UseCaseText
from tests.api.world import World
from tests.factories import at_stage, use_case, version
from tests.factories.people import PASSWORD, person
from tests.factories.walk import approve_once

from .conftest import browser

AsRole = Callable[[str], Client]
HTMX = {"HX-Request": "true"}


def text_of(answer: Any) -> str:
    return re.sub(r"\s+", " ", answer.content.decode())


def words_of(answer: Any) -> str:
    """Return what a person reads, without the tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


# Fragments


@pytest.mark.parametrize("name", ["registry:use_case_list", "governance:queue", "governance:stage_table"])
def test_htmx_gets_the_list_alone_and_everybody_else_the_page(name: str, as_role: AsRole) -> None:
    client, path = as_role("data_scientist"), reverse(name)
    whole, part = client.get(path), client.get(path, headers=HTMX)
    assert "<html" in text_of(whole)
    assert "<html" not in text_of(part)
    assert "<table" in text_of(part)
    restored = client.get(path, headers={**HTMX, "HX-History-Restore-Request": "true"})
    assert "<html" in text_of(restored)
    for answer in (whole, part):
        assert "HX-Request" in answer["Vary"]
        assert "no-store" in answer["Cache-Control"]


def test_slots_are_filled_by_governance_and_are_pages_without_script(world: World, as_role: AsRole) -> None:
    client = as_role("data_scientist")
    page = text_of(client.get(reverse("registry:use_case_tab", args=[world.asked.number, "lifecycle"])))
    for name, part in (
        ("governance:use_case_head", ""),
        ("governance:use_case_panel", ""),
        ("governance:use_case_activity", "?part=approvals"),
    ):
        url = reverse(name, args=[world.asked.number]) + part
        assert f'hx-get="{url}"' in page
        assert f'<a href="{url}">' in page, "without script the slot is a link"
        assert "<html" in text_of(client.get(url))
        assert "<html" not in text_of(client.get(url, headers=HTMX))


def test_a_fragment_asked_for_after_signing_out_sends_the_page_to_the_sign_in(db: None) -> None:
    answer = Client().get("/outbox/", headers={**HTMX, "HX-Current-URL": "http://testserver/outbox/?state=failed"})
    assert answer.status_code == 401
    assert answer["HX-Redirect"] == "/sign-in/?next=%2Foutbox%2F%3Fstate%3Dfailed"


# Sign-in


def test_the_local_sign_in_names_the_demo_people_and_others_do_not(db: None) -> None:
    assert "governance.officer" in text_of(Client().get("/sign-in/"))
    with override_settings(PORTAL_ALLOW_DEMO=False):
        assert "governance.officer" not in text_of(Client().get("/sign-in/"))


def test_signing_in_and_out(db: None) -> None:
    someone = person(name="someone")
    client = Client()
    wrong = client.post("/sign-in/", {"username": "someone", "password": "wrong"})
    assert 'value="someone"' in text_of(wrong)
    answer = client.post("/sign-in/?next=/use-cases/", {"username": someone.username, "password": PASSWORD})
    assert answer["Location"] == "/use-cases/"
    assert "You hold no role yet" in text_of(client.get("/"))
    assert client.get("/sign-out/").status_code == 405
    assert client.post("/sign-out/")["Location"] == "/sign-in/"
    assert client.get("/")["Location"].startswith("/sign-in/")


@override_settings(AXES_ENABLED=True)
def test_ten_wrong_passwords_pause_the_sign_in(db: None) -> None:
    person(name="under.attack")
    cache.clear()
    client = Client()
    for _ in range(10):
        answer = client.post("/sign-in/", {"username": "under.attack", "password": "wrong"})
    assert answer.status_code == 429
    assert "Sign-in is paused" in text_of(answer)
    assert client.post("/sign-in/", {"username": "under.attack", "password": PASSWORD}).status_code == 429
    cache.clear()


# Forms


def test_only_projects_where_one_may_register_are_offered(world: World, as_role: AsRole) -> None:
    page = text_of(as_role("data_scientist").get("/use-cases/register/"))
    assert f'value="{world.project.pk}"' in page
    assert world.elsewhere.name not in page


def test_a_stale_edit_answers_412_and_loses_nothing(world: World, as_role: AsRole) -> None:
    draft = world.draft
    use_cases.edit(
        actor=world.people.officer.actor,
        use_case_id=draft.pk,
        revision=draft.revision,
        text=UseCaseText(name="Theirs", intended_purpose="Theirs."),
    )
    client, path = as_role("data_scientist"), reverse("registry:use_case_edit", args=[draft.number])
    mine = {"name": "Mine", "intended_purpose": "Mine.", "revision": draft.revision}
    answer = client.post(path, mine)
    assert answer.status_code == 412
    page = text_of(answer)
    assert "<del>Theirs</del>" in page
    assert "<ins>Mine</ins>" in page
    assert 'value="Mine"' in page
    revision = re.search(r'name="revision" value="(\d+)"', page)
    assert revision is not None
    assert client.post(path, {**mine, "revision": revision[1]}).status_code == 302
    draft = UseCase.objects.get(pk=draft.pk)
    assert draft.name == "Mine"


def test_a_stale_claim_answers_412_and_shows_names_not_numbers(world: World, as_role: AsRole) -> None:
    answer = as_role("ml_engineer").post(
        reverse("registry:group_edit", args=[world.group.pk]),
        {"project": world.project.pk, "owner": "", "use_cases": [], "revision": world.group.revision - 1},
    )
    assert answer.status_code == 412
    # A long word may break where its parts meet.
    assert f"<del>{world.people.owner}</del>" in text_of(answer).replace("<wbr>", "")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "required"),
        ("auc 0.8", "Line 1 is not"),
        ("auc: 1\nauc: 2", "auc is given twice"),
        ("{broken", "not a JSON object"),
        ("{}", "at least one metric"),
        ("auc: nan", "Not a finite number"),
        ('{"auc": 1e999}', "Not a finite number"),
    ],
)
def test_metrics_that_cannot_be_used_are_refused_with_the_line(
    typed: str, said: str, world: World, as_role: AsRole
) -> None:
    path = reverse("governance:metrics_report", args=[world.trial_record.pk])
    answer = as_role("ml_engineer").post(path, {"metrics": typed, "source": "kept"})
    assert answer.status_code == 422
    assert said in words_of(answer)
    assert 'value="kept"' in text_of(answer)


def test_metrics_are_read_as_people_write_them(world: World, as_role: AsRole) -> None:
    path = reverse("governance:metrics_report", args=[world.trial_record.pk])
    typed = "auc: 0.81\nks = 12\ndrift:\n\nnote: a:b"
    assert as_role("ml_engineer").post(path, {"metrics": typed}).status_code == 302
    world.trial_record.refresh_from_db()
    assert world.trial_record.validation_metrics == {"auc": 0.81, "ks": 12, "drift": None, "note": "a:b"}


def test_a_report_out_of_order_is_refused_with_the_reason(world: World, as_role: AsRole) -> None:
    client = as_role("ml_engineer")
    path = reverse("governance:deployment_report", args=[world.deployment.pk])
    assert client.post(path, {"state": "deployed", "endpoint": "e"}).status_code == 302
    again = client.post(path, {"state": "in_progress"})
    assert again.status_code == 409
    assert "cannot be reported" in words_of(again)
    assert client.post(path, {"state": "removed"}).status_code == 302
    assert "nothing left to report" in words_of(client.get(path))


def test_a_filter_that_does_not_exist_shows_nothing_and_says_so(world: World, as_role: AsRole) -> None:
    page = as_role("data_scientist").get("/use-cases/?stage=nowhere")
    assert "Select a valid choice" in words_of(page)
    assert "Nothing matches these filters" in words_of(page)
    found = as_role("data_scientist").get(f"/use-cases/?q={world.draft.public_id}")
    assert world.draft.name in words_of(found)
    assert world.asked.name not in words_of(found)


# Decisions


def request_path(asked: ApprovalRequest) -> str:
    return reverse("governance:request", args=[asked.pk])


def test_a_rejection_without_a_comment_comes_back(world: World, as_role: AsRole) -> None:
    answer = as_role("model_owner").post(
        request_path(world.use_case_request), {"verdict": "reject", "comment": " ", "back_to": "poc"}
    )
    assert answer.status_code == 422
    assert "A comment is needed unless you approve." in words_of(answer)
    world.use_case_request.refresh_from_db()
    assert world.use_case_request.state == RequestState.OPEN


def test_who_may_not_decide_reads_why_and_gets_no_buttons(world: World, as_role: AsRole) -> None:
    page = as_role("data_scientist").get(request_path(world.use_case_request))
    assert "You cannot decide here" in words_of(page)
    assert "somebody else must decide" in words_of(page)
    assert 'id="decision"' not in text_of(page)
    assert "Withdraw it" in words_of(page)
    page = as_role("model_owner").get(request_path(world.use_case_request))
    assert 'id="decision"' in text_of(page)
    assert "Withdraw it" not in words_of(page)


def test_deciding_on_ones_own_request_is_refused_with_a_page(world: World, as_role: AsRole) -> None:
    answer = as_role("data_scientist").post(request_path(world.use_case_request), {"verdict": "approve"})
    assert answer.status_code == 403
    assert "Somebody else must decide" in words_of(answer)


def test_what_changed_meanwhile_cannot_be_decided_on(world: World, as_role: AsRole) -> None:
    use_cases.classify(
        actor=world.people.officer.actor, use_case_id=world.asked.pk, risk_class=RiskClass.HIGH, reason="After all."
    )
    client, path = as_role("model_owner"), request_path(world.use_case_request)
    shown = words_of(client.get(path))
    assert "Changed since it was asked" in shown
    assert "Risk class" in shown
    answer = client.post(path, {"verdict": "approve"})
    assert answer.status_code == 409
    assert "changed since it was submitted" in words_of(answer)
    world.use_case_request.refresh_from_db()
    assert world.use_case_request.state == RequestState.OUTDATED


def test_the_queue_leads_from_one_request_to_the_next(world: World, as_role: AsRole) -> None:
    second = use_case(world.people, world.project)
    other = approvals.submit(actor=world.people.scientist.actor, subject_type=UseCase, subject_id=second.pk)
    client = as_role("model_owner")
    page = text_of(client.get(request_path(world.use_case_request)))
    assert f'rel="next" href="{request_path(other)}"' in page
    assert f'rel="prev" href="{request_path(world.use_case_request)}"' in text_of(client.get(request_path(other)))
    assert text_of(client.get("/approvals/")).count("data-queue-item") == 2


@pytest.mark.parametrize("stage", [Stage.DEVELOPMENT, Stage.QA, Stage.PRE_PRODUCTION, Stage.PRODUCTION])
def test_what_the_page_says_will_happen_in_aws_is_what_is_ordered(world: World, stage: Stage) -> None:
    subject = at_stage(world.people, version(world.group, 7, risk="Low"), stage)
    asked = approvals.submit(actor=world.people.scientist.actor, subject_type=ModelVersion, subject_id=subject.pk)
    announced = preview.of_approval(ApprovalRequest.objects.get(pk=asked.pk))
    approve_once_more(world, asked)
    messages = messages_of_request(asked)
    write_backs = [message for message in messages if message.kind == OutboxKind.WRITE_BACK]
    orders = [message for message in messages if message.kind == OutboxKind.DEPLOYMENT_ORDER]
    assert len(announced.aws) == len(messages)
    for message in write_backs:
        assert f"becomes {message.payload['approval_status']}" in announced.aws[0]
        assert f"{message.payload['stage']} / {message.payload['stage_status']}" in announced.aws[0]
    for message, line in zip(orders, announced.aws[1:], strict=True):
        assert message.payload["detail"]["targetAccount"] in line
        assert message.payload["detail"]["mode"] in line


def approve_once_more(world: World, asked: ApprovalRequest) -> None:
    people = world.people
    deciders = [people.owner] if "model_owner" in asked.waiting_roles else [people.officer, people.second_officer]
    for decider in deciders:
        approvals.decide(actor=decider.actor, request_id=asked.pk, verdict=Verdict.APPROVE)
        asked.refresh_from_db()
        if asked.state != RequestState.OPEN:
            return


def test_a_rejection_is_announced_as_it_is_written(world: World) -> None:
    asked = world.version_request
    announced = preview.of_rejection(ApprovalRequest.objects.get(pk=asked.pk))
    approvals.decide(
        actor=world.people.officer.actor, request_id=asked.pk, verdict=Verdict.REJECT, comment="No.", back_to=None
    )
    message = OutboxMessage.objects.filter(request_id_copy=asked.pk).get()
    assert f"becomes {message.payload['approval_status']}" in announced.aws[0]
    assert f"{message.payload['stage']} / {message.payload['stage_status']}" in announced.aws[0]
    trial = ModelVersion.objects.get(pk=world.trial.pk)
    assert f"waits in {Stage(trial.stage).label}" in announced.portal[0]


# What people read


def test_a_rejected_use_case_shows_the_reason_and_its_resubmission_starts_from_the_old_note(
    world: World, as_role: AsRole
) -> None:
    subject = use_case(world.people, world.project)
    asked = approvals.submit(
        actor=world.people.scientist.actor, subject_type=UseCase, subject_id=subject.pk, note="The first note."
    )
    approvals.decide(
        actor=world.people.owner.actor, request_id=asked.pk, verdict=Verdict.REJECT, comment="Who oversees it?"
    )
    client = as_role("data_scientist")
    panel = words_of(client.get(reverse("governance:use_case_panel", args=[subject.number])))
    assert "Who oversees it?" in panel
    assert "Submit again" in panel
    form = text_of(client.get(reverse("governance:use_case_submit", args=[subject.number])))
    assert "The first note." in form
    assert "Who oversees it?" in form


def test_the_requirements_are_said_before_anybody_submits(world: World, as_role: AsRole) -> None:
    subject = at_stage(world.people, version(world.group, 8, risk="High"), Stage.QA)
    page = words_of(as_role("data_scientist").get(reverse("governance:version_submit", args=[subject.pk])))
    assert "QA at high risk: 2 governance officers" in page


def test_why_a_use_case_cannot_be_submitted_is_said(world: World, as_role: AsRole) -> None:
    subject = use_case(world.people, world.project, risk=RiskClass.UNCLASSIFIED)
    panel = as_role("data_scientist").get(reverse("governance:use_case_panel", args=[subject.number]))
    assert "Its risk is not classified yet." in words_of(panel)
    assert reverse("governance:use_case_submit", args=[subject.number]) not in text_of(panel)


def test_the_history_tells_each_operation_once(world: World, as_role: AsRole) -> None:
    subject = version(world.group, 9, risk="Low")
    approve_once(world.people, subject)
    page = words_of(as_role("auditor").get(reverse("governance:version_activity", args=[subject.pk])))
    assert page.count("Approved in Development, entered QA") == 1
    assert page.count("Asked for approval in Development") == 1
    assert "Registered in Development" in page


def test_the_decision_page_compares_with_the_version_approved_before(world: World, as_role: AsRole) -> None:
    approve_once(world.people, version(world.group, 20, risk="Low", metadata={"algorithm": "xgboost", "seed": "1"}))
    newer = version(world.group, 21, risk="Low", metadata={"algorithm": "lightgbm", "seed": "1"})
    asked = approvals.submit(actor=world.people.scientist.actor, subject_type=ModelVersion, subject_id=newer.pk)
    page = text_of(as_role("model_owner").get(request_path(asked)))
    assert "<del>xgboost</del>" in page
    assert "<ins>lightgbm</ins>" in page
    assert ">seed<" not in page, "what agrees is not shown as a difference"


def test_hostile_words_stay_words(world: World, as_role: AsRole) -> None:
    hostile = "<script>alert(1)</script>"
    subject = use_case(world.people, world.project, name=hostile)
    asked = approvals.submit(
        actor=world.people.scientist.actor, subject_type=UseCase, subject_id=subject.pk, note=hostile
    )
    newest = version(world.group, 30, description=hostile, metadata={hostile: hostile})
    for role, path in (
        ("data_scientist", "/"),
        ("data_scientist", "/use-cases/"),
        ("data_scientist", reverse("registry:use_case", args=[subject.number])),
        ("data_scientist", reverse("governance:use_case_activity", args=[subject.number])),
        ("data_scientist", reverse("registry:version", args=[newest.pk])),
        ("model_owner", request_path(asked)),
        ("model_owner", "/approvals/"),
        ("auditor", "/audit-trail/"),
        ("auditor", "/stage-table/"),
    ):
        page = text_of(as_role(role).get(path))
        assert hostile not in page, path


def test_an_unattributed_change_is_flagged(world: World, as_role: AsRole) -> None:
    UseCase.objects.filter(pk=world.draft.pk).update(description="Changed by nobody.")
    page = words_of(as_role("auditor").get("/audit-trail/?named=no&table=registry_usecase"))
    assert "Unattributed" in page
    assert "Changed by nobody." in page


def test_people_of_another_project_see_nothing_of_this_one(world: World) -> None:
    stranger = browser(world.people.stranger)
    for path in ("/use-cases/", "/model-versions/", "/approvals/?tab=all", "/stage-table/", "/findings/", "/"):
        page = words_of(stranger.get(path))
        for name in (world.draft.public_id, world.asked.public_id, world.trial.name, world.project.name + " "):
            assert name not in page, (path, name)
