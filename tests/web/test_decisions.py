"""Deciding: the queue's rows, the next one, what comes too late, what an approval takes before it is asked for."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from governance.choices import RequestState, Verdict
from governance.models import ApprovalRequest, Decision, Notification
from governance.selectors.marks import marks_of
from governance.services import approvals, retirement, telling
from portal.core.vocabulary import NotificationKind, Role, Stage
from registry.models import ModelVersion, UseCase
from registry.services import use_cases
from registry.services.use_cases import UseCaseText
from tests.api.world import World
from tests.factories import at_stage, use_case, version
from tests.factories.people import person
from tests.factories.walk import approve_once

from .conftest import browser

AsRole = Callable[[str], Client]


def words_of(answer: Any) -> str:
    """Return what a person reads, without the tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def path_of(asked: ApprovalRequest) -> str:
    return reverse("governance:request", args=[asked.pk])


def ask(world: World, subject: UseCase | ModelVersion, note: str = "") -> ApprovalRequest:
    return approvals.submit(
        actor=world.people.scientist.actor, subject_type=type(subject), subject_id=subject.pk, note=note
    )


# Too late


def test_a_double_click_gives_one_decision_and_no_error_page(world: World, as_role: AsRole) -> None:
    client, path = as_role("model_owner"), path_of(world.use_case_request)
    assert client.post(path, {"verdict": "approve"}).status_code == 302
    again = client.post(path, {"verdict": "approve"}, follow=True)
    assert again.redirect_chain == [(path, 302)]
    assert "It is recorded once." in words_of(again)
    assert Decision.objects.filter(request=world.use_case_request).count() == 1


def test_another_word_of_the_same_person_is_no_double_click(world: World, as_role: AsRole) -> None:
    client, path = as_role("model_owner"), path_of(world.use_case_request)
    assert client.post(path, {"verdict": "approve"}).status_code == 302
    other = client.post(path, {"verdict": "reject", "comment": "On second thoughts, no."})
    assert other.status_code == 409
    said = words_of(other)
    assert "takes no more decisions" in said
    assert f"You have approved {world.asked} already" in said
    assert "On second thoughts, no." in said


def test_the_second_of_two_officers_sees_what_the_first_did(world: World, as_role: AsRole) -> None:
    second_owner = person(Role.MODEL_OWNER, project=world.project)
    first, second = as_role("model_owner"), browser(second_owner)
    path = path_of(world.use_case_request)
    assert all('id="decision"' in client.get(path).content.decode() for client in (first, second))
    first.post(path, {"verdict": "reject", "comment": "Who oversees it?", "back_to": "poc"})
    answer = second.post(path, {"verdict": "approve", "comment": "Well described."})
    assert answer.status_code == 409
    said = words_of(answer)
    assert f"{world.people.owner} rejected {world.asked} first" in said
    assert "Who oversees it?" in said
    assert "Well described." in said, "what was typed is kept"
    assert "Your decision was not recorded" in said
    assert f"Look at {world.use_case_request.public_id} as it stands" in said
    assert "data-reload" not in answer.content.decode(), "reloading the answer to a POST would send it again"
    assert Decision.objects.filter(request=world.use_case_request).count() == 1


def test_what_changed_meanwhile_is_shown_field_by_field(world: World, as_role: AsRole) -> None:
    client, path = as_role("model_owner"), path_of(world.use_case_request)
    client.get(path)
    use_cases.edit(
        actor=world.people.scientist.actor,
        use_case_id=world.asked.pk,
        revision=UseCase.objects.get(pk=world.asked.pk).revision,
        text=UseCaseText(name="Asked for more", intended_purpose="Decide alone."),
    )
    answer = client.post(path, {"verdict": "approve", "comment": "<b>Good</b> & sound."})
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "<del>Asked</del>" in page
    assert "<ins>Asked for more</ins>" in page
    assert "<ins>Decide alone.</ins>" in page
    assert "&lt;b&gt;Good&lt;/b&gt; &amp; sound." in page
    world.use_case_request.refresh_from_db()
    assert world.use_case_request.state == RequestState.OUTDATED
    # Asked anew, the page of the old request leads to the new one.
    anew = ask(world, UseCase.objects.get(pk=world.asked.pk))
    again = client.post(path, {"verdict": "approve", "comment": "Again."})
    assert again.status_code == 409
    assert f"Open {anew.public_id}, which asks anew" in words_of(again)


def test_a_decision_on_a_withdrawn_request_says_so_and_withdrawing_twice_is_no_error(
    world: World, as_role: AsRole
) -> None:
    scientist, owner = as_role("data_scientist"), as_role("model_owner")
    withdraw = reverse("governance:request_withdraw", args=[world.use_case_request.pk])
    assert scientist.post(withdraw).status_code == 302
    again = scientist.post(withdraw, follow=True)
    assert "was withdrawn already" in words_of(again)
    assert scientist.post(withdraw, {"reason": "a\x00b"}).status_code == 400
    answer = owner.post(path_of(world.use_case_request), {"verdict": "reject", "comment": "No."})
    assert answer.status_code == 409
    assert "is withdrawn and takes no more decisions" in words_of(answer)


@pytest.mark.parametrize(
    "typed",
    [
        {"verdict": "perhaps"},
        {},
        {"verdict": "approve", "comment": "a\x00b"},
        {"verdict": "reject", "comment": "No.", "back_to": "x" * 9000},
    ],
)
def test_what_no_button_sends_is_refused_beside_the_form(typed: dict[str, str], world: World, as_role: AsRole) -> None:
    answer = as_role("model_owner").post(path_of(world.use_case_request), typed)
    assert answer.status_code == 422
    assert not Decision.objects.filter(request=world.use_case_request).exists()


def test_what_the_policy_misses_comes_back_with_the_page_and_what_was_typed(world: World, as_role: AsRole) -> None:
    subject = at_stage(world.people, version(world.group, 40, risk="High", metrics={}), Stage.QA)
    asked = ask(world, subject)
    client = as_role("governance_officer")
    page = words_of(client.get(path_of(asked)))
    assert "Bias report: not reported." in page
    answer = client.post(path_of(asked), {"verdict": "approve", "comment": "Fine by me."})
    assert answer.status_code == 409
    assert "It cannot be approved yet" in words_of(answer)
    assert "Fine by me.</textarea>" in answer.content.decode()


# One after the other


def test_after_a_decision_one_goes_on_to_the_next_that_waits(world: World, as_role: AsRole) -> None:
    client, first = as_role("model_owner"), path_of(world.use_case_request)
    assert "then=next" not in client.get(first).content.decode(), "there is no next one"
    other = ask(world, use_case(world.people, world.project))
    assert f'formaction="{first}?then=next"' in client.get(first).content.decode()
    answer = client.post(f"{first}?then=next", {"verdict": "approve"})
    assert answer.headers["Location"] == path_of(other)
    # A second click on it goes the same way.
    again = client.post(f"{first}?then=next", {"verdict": "approve"})
    assert (again.status_code, again.headers["Location"]) == (302, path_of(other))
    last = client.post(f"{path_of(other)}?then=next", {"verdict": "approve"})
    assert last.headers["Location"] == reverse("governance:queue")


# The queue


def test_a_row_says_what_blocks_who_must_sign_and_where_the_risk_comes_from(world: World, as_role: AsRole) -> None:
    page = words_of(as_role("governance_officer").get("/approvals/"))
    assert "the model card rates it high" in page
    assert "waiting for a governance officer (1 of 2)".lower() in page.lower()
    # What no service told of, such as a change in the database itself, is seen as well.
    UseCase.objects.filter(pk=world.asked.pk).update(description="Changed by nobody.")
    page = words_of(as_role("model_owner").get("/approvals/"))
    assert "Changed since it was asked" in page


def test_the_marks_of_many_requests_cost_what_those_of_one_do(world: World) -> None:
    made = [ask(world, use_case(world.people, world.project)) for _ in range(2)]
    made += [ask(world, version(world.group, 50 + number, risk="Low")) for number in range(2)]

    def cost(rows: list[ApprovalRequest]) -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert set(marks_of(rows)) == {row.pk for row in rows}
        return len(queries)

    assert cost([made[0], made[2]]) == cost(made)


# Before it is asked for


def test_the_page_to_ask_on_says_what_it_takes_who_signs_and_what_happens(world: World, as_role: AsRole) -> None:
    subject = at_stage(world.people, version(world.group, 60, risk="High"), Stage.QA)
    page = as_role("data_scientist").get(reverse("governance:version_submit", args=[subject.pk]))
    said = words_of(page)
    assert "QA at high risk: 2 governance officers" in said
    assert str(world.people.officer) in said
    assert str(world.people.second_officer) in said
    assert "Asked now, it is due" in said
    assert "SageMaker UpdateModelPackage in account-111 111111111111, us-east-1" in said
    assert "What later stages ask for" in said


def test_what_is_missing_leads_to_where_it_is_brought(world: World, as_role: AsRole) -> None:
    subject = at_stage(world.people, version(world.group, 61, risk="High", metrics={}), Stage.QA)
    page = as_role("data_scientist").get(reverse("governance:version_submit", args=[subject.pk])).content.decode()
    assert f"{reverse('governance:version_attach', args=[subject.pk])}?kind=bias_report" in page
    officer = as_role("auditor").get(reverse("governance:version_panel", args=[subject.pk])).content.decode()
    assert "not reported" in officer
    assert "?kind=bias_report" not in officer, "an auditor brings nothing"


def test_asking_twice_by_a_double_click_is_asked_once_and_no_error(world: World, as_role: AsRole) -> None:
    subject = use_case(world.people, world.project)
    client, path = as_role("data_scientist"), reverse("governance:use_case_submit", args=[subject.number])
    assert client.post(path, {"note": "Look."}).status_code == 302
    again = client.post(path, {"note": "Look."}, follow=True)
    assert "is on its way already" in words_of(again)
    assert ApprovalRequest.objects.about(subject).count() == 1
    # Somebody else who asks for the same is told, and keeps his note.
    other = as_role("model_owner").post(path, {"note": "Mine, kept."})
    assert other.status_code == 409
    assert "already asks for this" in words_of(other)
    assert "Mine, kept." in words_of(other)


def test_a_resubmission_shows_what_was_criticised_and_what_changed_since(world: World, as_role: AsRole) -> None:
    subject = use_case(world.people, world.project, name="Before")
    asked = ask(world, subject, "The first note.")
    approvals.decide(
        actor=world.people.owner.actor, request_id=asked.pk, verdict=Verdict.REJECT, comment="Who oversees it?"
    )
    client, path = as_role("data_scientist"), reverse("governance:use_case_submit", args=[subject.number])
    first = words_of(client.get(path))
    assert "Nothing has changed since" in first
    use_cases.edit(
        actor=world.people.scientist.actor,
        use_case_id=subject.pk,
        revision=UseCase.objects.get(pk=subject.pk).revision,
        text=UseCaseText(name="After", intended_purpose="Rank applications."),
    )
    page = client.get(path).content.decode()
    assert "The first note.</textarea>" in page
    assert "Who oversees it?" in page
    assert "<del>Before</del>" in page
    assert "<ins>After</ins>" in page


def test_what_blocks_is_said_in_plain_words_on_both_panels(world: World, as_role: AsRole) -> None:
    client = as_role("data_scientist")
    draft = words_of(client.get(reverse("governance:use_case_panel", args=[world.draft.number])))
    assert "What blocks it" in draft
    assert "Nobody has asked for approval in POC yet." in draft
    trial = words_of(client.get(reverse("governance:version_panel", args=[world.trial.pk])))
    assert f"{world.version_request.public_id} is waiting for a governance officer (1 of 2)." in trial


# The decision page


def test_the_decision_page_says_who_could_sign_what_is_better_and_what_was_asked_before(
    world: World, as_role: AsRole
) -> None:
    approve_once(world.people, version(world.group, 70, risk="Low", metadata={"validation_auc": "0.78"}))
    newer = version(world.group, 71, risk="Low", metadata={"validation_auc": "0.81"})
    earlier = ask(world, newer, "Once.")
    approvals.decide(
        actor=world.people.owner.actor, request_id=earlier.pk, verdict=Verdict.REQUEST_CHANGES, comment="Say more."
    )
    asked = ask(world, newer, "Twice.")
    page = words_of(as_role("model_owner").get(path_of(asked)))
    assert f"Could sign: {world.people.owner}" in page
    assert "+0.03, better" in page
    assert earlier.public_id in page
    assert "Say more." in page
    assert "Side by side" in page


def test_what_was_typed_outlives_a_retirement_meanwhile(world: World, as_role: AsRole) -> None:
    retirement.retire(
        actor=world.people.officer.actor, subject_type=UseCase, subject_id=world.draft.pk, reason="It is over."
    )
    client, number = as_role("data_scientist"), world.draft.number
    written = {"purpose": "Two hours of writing."}
    for name, typed in (
        ("documents", {**written, "risk_assessment": "Two hours of writing."}),
        (
            "edit",
            {
                "name": "Two hours of writing.",
                "intended_purpose": "Rank.",
                "project": world.project.pk,
                "revision": UseCase.objects.get(pk=world.draft.pk).revision,
            },
        ),
    ):
        answer = client.post(reverse(f"registry:use_case_{name}", args=[number]), typed)
        assert answer.status_code == 409, name
        assert "is retired and does not change any more" in words_of(answer)
        assert "Two hours of writing." in answer.content.decode()


def test_asked_anew_the_word_to_rework_it_rings_no_more(world: World, as_role: AsRole) -> None:
    telling.tell_due()
    as_role("governance_officer").post(
        path_of(world.version_request), {"verdict": "reject", "comment": "No.", "back_to": "qa"}
    )
    telling.tell_due()
    told = Notification.objects.filter(kind=NotificationKind.REQUEST_SENT_BACK, about_id=world.version_request.pk)
    assert told.filter(person=world.people.scientist, settled_at=None).count() == 1
    ask(world, world.trial)
    telling.tell_due()
    assert not told.filter(settled_at=None).exists()


def test_a_metric_given_twice_is_refused_and_not_halved(world: World, as_role: AsRole) -> None:
    path = reverse("governance:metrics_report", args=[world.trial_record.pk])
    answer = as_role("ml_engineer").post(path, {"metrics": '{"auc": 0.9, "auc": 0.1}'})
    assert answer.status_code == 422
    assert "auc is given twice" in words_of(answer)
