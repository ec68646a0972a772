"""Registering in steps, without script and with htmx: what is typed is kept, and only going on asks whether it fits."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from portal.core.vocabulary import Role
from registry.choices import AttributeType, DraftStep, ObjectKind
from registry.models import UseCase, UseCaseDraft
from registry.services import custom_attributes, people, use_case_drafts
from registry.services.custom_attributes import AttributeDefinition
from tests.api.world import World
from tests.factories.people import SYSTEM

from .test_pages import HTMX, text_of, words_of

AsRole = Callable[[str], Client]
START = "/use-cases/register/"


@pytest.fixture
def dana(as_role: AsRole) -> Client:
    return as_role("data_scientist")


@pytest.fixture(autouse=True)
def unsent(world: World) -> UseCaseDraft:
    """The scientist's draft as it is; what an earlier test made of it is undone."""
    world.unsent.refresh_from_db()
    return world.unsent


def step(draft: UseCaseDraft, name: str) -> str:
    return reverse("governance:use_case_draft", args=[draft.pk, name])


def review(draft: UseCaseDraft) -> str:
    return reverse("governance:use_case_draft_review", args=[draft.pk])


def _value(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, name
    return found[1]


def marks(answer: Any) -> dict[str, str]:
    """Return the hidden fields with which a page says what it has read, and who it is."""
    page = answer.content.decode()
    return {name: _value(page, name) for name in ("revision", "window")}


def newest(world: World) -> UseCaseDraft:
    return UseCaseDraft.objects.filter(author=world.people.scientist).exclude(pk=world.unsent.pk).latest("pk")


def test_a_step_that_does_not_fit_is_kept_and_shown_again_with_the_error_beside_its_field(
    world: World, dana: Client
) -> None:
    answer = dana.post(START, {"name": "Kept", "intended_purpose": "", "project": world.project.pk})
    assert answer.status_code == 422
    page = text_of(answer)
    assert 'value="Kept"' in page
    assert 'id="error_1_id_intended_purpose"' in page or "invalid-feedback" in page
    assert not UseCase.objects.filter(name="Kept").exists()
    draft = newest(world)
    assert draft.name == "Kept"
    assert f'action="{step(draft, "purpose")}"' in page, "from now on the draft is what is saved"
    assert 'value="Kept"' in text_of(dana.get(step(draft, "purpose")))
    assert "invalid-feedback" not in text_of(dana.get(step(draft, "purpose")))
    assert "invalid-feedback" in text_of(dana.get(f"{step(draft, 'purpose')}?check=1"))


def test_htmx_saves_while_it_is_typed_and_says_when(world: World, dana: Client) -> None:
    page = dana.get(START)
    form = {**marks(page), "go": "keep", "name": "Live", "project": world.project.pk}
    saved = dana.post(START, form, headers=HTMX)
    draft = newest(world)
    assert re.search(r"Draft saved at \d\d:\d\d:\d\d UTC", words_of(saved))
    assert "<html" not in saved.content.decode()
    assert saved["HX-Replace-Url"] == step(draft, "purpose")
    # The page goes on from where it began, and it is one draft.
    dana.post(START, {**form, "name": "Livelier"}, headers=HTMX)
    assert (newest(world).pk, newest(world).name) == (draft.pk, "Livelier")


def test_two_windows_on_one_draft_are_told_and_lose_nothing(world: World, dana: Client) -> None:
    draft = world.unsent
    first, second = (marks(dana.get(step(draft, "purpose"))) for _ in range(2))
    typed = {"intended_purpose": "Rank.", "project": world.project.pk, "go": "keep"}
    dana.post(step(draft, "purpose"), {**first, **typed, "name": "Mine"}, headers=HTMX)
    told = dana.post(step(draft, "purpose"), {**second, **typed, "name": "Other"}, headers=HTMX)
    assert "Not saved." in words_of(told)
    assert "What you typed is still here." in words_of(told)
    compared = dana.post(step(draft, "purpose"), {**second, **typed, "name": "Other", "go": "next"})
    assert compared.status_code == 412
    page = text_of(compared)
    assert "<del>Mine</del>" in page
    assert "<ins>Other</ins>" in page
    assert 'value="Other"' in page
    again = dana.post(step(draft, "purpose"), {**marks(compared), **typed, "name": "Other", "go": "next"})
    assert again["Location"] == step(draft, "people")
    draft.refresh_from_db()
    assert draft.name == "Other"


@pytest.mark.parametrize(
    ("go", "to"), [("back", "purpose"), ("documents", "documents"), ("later", ""), ("nowhere", "documents")]
)
def test_leaving_a_step_keeps_it_whether_it_fits_or_not(world: World, dana: Client, go: str, to: str) -> None:
    path = step(world.unsent, "people")
    answer = dana.post(path, {**marks(dana.get(path)), "go": go, "next_review_on": "soon"})
    assert answer["Location"] == (step(world.unsent, to) if to else START)
    told = dana.get(answer["Location"])
    world.unsent.refresh_from_db()
    assert world.unsent.values("people")["next_review_on"] == ["soon"]
    assert 'value="soon"' in text_of(dana.get(path))
    if not to:
        page = words_of(told)
        assert "The draft “Unsent” is kept." in page
        assert "Your drafts" in page


def test_the_class_is_worked_out_while_answers_change_and_they_are_kept(world: World, dana: Client) -> None:
    path = step(world.unsent, "ai-act")
    answers = {"q-ai_system": "yes", "q-union": "yes", "q-exclusions": ["none"], "q-p_social_scoring": "yes"}
    shown = dana.post(path, {**marks(dana.get(path)), **answers, "go": "show"}, headers=HTMX)
    assert shown.status_code == 200
    assert "<html" not in shown.content.decode()
    assert "Unacceptable risk" in words_of(shown)
    assert "Art. 5(1)(c)" in words_of(shown)
    again = words_of(dana.get(path))
    assert "Unacceptable risk" in again
    assert "Art. 5(1)(c)" in words_of(dana.get(review(world.unsent)))


def test_what_the_project_decides_is_offered_once_it_is_chosen(world: World, dana: Client) -> None:
    page = text_of(dana.get(step(world.unsent, "people")))
    assert f'value="{world.group.pk}"' in page
    assert str(world.people.owner) in page
    assert str(world.people.stranger) not in page
    dana.post(START, {"name": "Nowhere", "go": "people"})
    without = words_of(dana.get(step(newest(world), "people")))
    assert "No project is chosen yet" in without
    assert 'name="groups"' not in text_of(dana.get(step(newest(world), "people")))


def test_a_required_attribute_is_asked_with_the_people_and_named_before_registering(world: World, dana: Client) -> None:
    custom_attributes.edit(
        actor=world.people.admin.actor,
        attribute_id=world.attribute.pk,
        revision=world.attribute.revision,
        definition=AttributeDefinition(
            kind=ObjectKind.USE_CASE,
            key=world.attribute.key,
            label="Cost centre",
            type=AttributeType.TEXT,
            is_required=True,
        ),
    )
    draft = world.unsent
    assert "Cost centre" in words_of(dana.get(step(draft, "people")))
    problems = words_of(dana.get(review(draft)))
    assert "1 thing to put right" in problems
    refused = dana.post(review(draft), {"revision": draft.revision})
    assert refused.status_code == 422
    assert not UseCase.objects.filter(name="Unsent").exists()
    path = step(draft, "people")
    dana.post(path, {**marks(dana.get(path)), "attributes.cost_centre": "4711"})
    draft.refresh_from_db()
    assert dana.post(review(draft), {"revision": draft.revision}).status_code == 302
    assert UseCase.objects.get(name="Unsent").attributes == {"cost_centre": "4711"}


def test_what_a_service_refuses_at_the_end_is_named_with_its_step(world: World, dana: Client) -> None:
    draft = world.unsent
    path = step(draft, "people")
    # Its versions are approved for another use case: a scientist does not end that.
    dana.post(path, {**marks(dana.get(path)), "groups": [world.group.pk]})
    draft.refresh_from_db()
    refused = dana.post(review(draft), {"revision": draft.revision})
    assert refused.status_code == 422
    assert "approved for other use cases" in words_of(refused)
    assert f"{path}?check=1#id_groups" in text_of(refused)
    assert UseCaseDraft.objects.filter(pk=draft.pk).exists()


def test_a_draft_changed_in_another_window_is_read_again_before_it_is_registered(world: World, dana: Client) -> None:
    draft = world.unsent
    stale = draft.revision
    use_case_drafts.save(
        actor=world.people.scientist.actor,
        draft_id=draft.pk,
        step=DraftStep.PURPOSE,
        revision=draft.step_revision("purpose"),
        typed={"name": ["Renamed"], "intended_purpose": ["Rank."], "project": [str(world.project.pk)]},
    )
    told = dana.post(review(draft), {"revision": stale})
    assert told.status_code == 412
    assert "Renamed" in words_of(told)
    assert "nothing is registered yet" in words_of(told)
    made = dana.post(review(draft), {"revision": _value(text_of(told), "revision")})
    assert made.status_code == 302
    assert dana.get(review(draft)).status_code == 404, "after registering it is gone"
    assert dana.post(review(draft), {"revision": stale}).status_code == 404


def test_whoever_lost_his_role_meanwhile_reads_a_plain_refusal(world: World, as_role: AsRole) -> None:
    draft = world.unsent
    people.revoke(actor=SYSTEM, role=Role.DATA_SCIENTIST, to=world.people.scientist, project=world.project)
    dana = as_role("data_scientist")
    refused = dana.get(step(draft, "purpose"))
    assert refused.status_code == 403
    assert "You may not register use cases" in words_of(refused)
    assert dana.post(reverse("governance:use_case_draft_delete", args=[draft.pk])).status_code == 302
    people.grant(actor=SYSTEM, role=Role.DATA_SCIENTIST, to=world.people.scientist, project=world.elsewhere)
    other = use_case_drafts.start(
        actor=type(world.people.scientist).objects.get(pk=world.people.scientist.pk).actor,
        window="abcdefabcdef",
        typed={"name": ["X"], "intended_purpose": ["Y"], "project": [str(world.project.pk)]},
    )
    assert "You cannot register use cases on this project" in words_of(dana.get(review(other)))


@pytest.mark.parametrize("go", ["keep", "next", "show", "later"])
@pytest.mark.parametrize("name", [step.value for step in DraftStep])
def test_garbage_never_breaks_a_step(world: World, dana: Client, name: str, go: str) -> None:
    garbage: dict[str, Any] = {
        "revision": "9" * 50,
        "window": "<script>",
        "go": go,
        "name": "a\0b",
        "project": "9" * 40,
        "groups": ["-1", "x", "9" * 30],
        "model_owner": "x",
        "next_review_on": "2026-99-99",
        "attributes.cost_centre": "\0",
        "human_oversight": "\0" * 10,
        "q-ai_system": "perhaps",
        "q-exclusions": ["none", "all"],
        "edition": "none",
    }
    answer = dana.post(step(world.unsent, name), garbage)
    assert answer.status_code in (200, 302, 412, 422)
    assert dana.post(START, {**garbage, "window": ""}).status_code in (200, 302, 422)
    assert dana.get(review(world.unsent)).status_code == 200
    assert dana.get(step(world.unsent, "nowhere")).status_code == 404
