"""A use case written down in steps and picked up again, and a model group nobody had claimed."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from portal.core.vocabulary import RiskClass
from registry.models import ModelGroup, UseCase, UseCaseDraft
from tests.factories import group, version
from tests.factories.records import card

from .live import Live
from .pages import Person

pytestmark = pytest.mark.e2e

SignIn = Callable[..., Person]


def test_a_use_case_is_written_down_in_steps_left_and_registered(live: Live, person: SignIn) -> None:
    group(live.world.project, live.world.people, name="letter-drafts")
    page = person("scientist").page
    page.goto("/use-cases/register/")
    page.get_by_label("Name").fill("Collections letters")
    expect(page.get_by_text(re.compile(r"Draft saved at \d\d:\d\d:\d\d UTC"))).to_be_visible()
    expect(page).to_have_url(re.compile(r"/use-cases/register/\d+/purpose/$"))
    page.get_by_role("button", name="Next").click()
    # What was typed stays, and the error stands beside the field that misses.
    expect(page.get_by_label("Name")).to_have_value("Collections letters")
    expect(page.locator(".invalid-feedback").first).to_be_visible()

    page.goto("/")
    page.get_by_role("link", name="Finish registering Collections letters").click()
    expect(page.get_by_label("Name")).to_have_value("Collections letters")
    page.get_by_label("Intended purpose").fill("Draft reminder letters that a person sends.")
    page.get_by_role("button", name="Next").click()
    page.get_by_label("Business owner").fill("Head of collections")
    page.get_by_role("checkbox", name=re.compile("letter-drafts in")).check()
    page.get_by_role("button", name="Next").click()
    page.get_by_label("Human oversight").fill("A clerk reads every letter.")
    # Another step takes along what is typed.
    page.get_by_role("navigation", name="Steps").get_by_role("link", name="EU AI Act").click()

    result = page.locator("section[aria-labelledby=result-title]")
    for question in ("ai_system", "union"):
        page.locator(f"input[name=q-{question}][value=yes]").check()
        expect(page.locator(f"input[name=q-{question}][value=yes]")).to_be_checked()
    page.locator("input[name=q-exclusions][value=none]").check()
    page.locator("input[name=q-p_social_scoring][value=yes]").check()
    expect(result).to_contain_text("Unacceptable risk")
    expect(result).to_contain_text("Art. 5(1)(c)")
    page.locator("input[name=q-p_social_scoring][value=no]").check()
    expect(result).not_to_contain_text("Unacceptable risk")
    page.get_by_role("button", name="Review it").click()

    expect(page.get_by_text("A clerk reads every letter.")).to_be_visible()
    expect(page.get_by_text("The answers so far are kept")).to_be_visible()
    page.get_by_role("button", name="Register the use case").click()
    page.wait_for_url(re.compile(r"/use-cases/UC-\d{4}/$"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Collections letters")

    made = UseCase.objects.get(name="Collections letters")
    assert [one.name for one in made.groups.all()] == ["letter-drafts"]
    assert made.documents.get().text == "A clerk reads every letter."
    assert made.classifications.get().proposed_class == RiskClass.UNCLASSIFIED
    assert not UseCaseDraft.objects.filter(author=live.world.people.scientist).exclude(pk=live.world.unsent.pk).exists()


def test_the_page_of_a_use_case_swaps_its_sections_and_keeps_their_addresses(live: Live, person: SignIn) -> None:
    page = person("scientist").page
    page.goto(f"/use-cases/{live.world.asked.public_id}/")
    expect(page.get_by_role("list", name="Stages")).to_be_visible()
    sections = page.get_by_role("navigation", name="Sections of the use case")
    for name, said in (("People", "Who decides next"), ("Monitoring", "Nothing of it runs in production")):
        sections.get_by_role("link", name=name).click()
        expect(page.get_by_text(said)).to_be_visible()
        expect(sections.get_by_role("link", name=name)).to_have_attribute("aria-current", "page")
    page.reload()
    expect(page.get_by_text("Nothing of it runs in production")).to_be_visible()
    page.go_back()
    expect(page.get_by_text("Who decides next")).to_be_visible()


def test_an_engineer_claims_a_group_that_nobody_had(live: Live, person: SignIn) -> None:
    world = live.world
    found = group(None, world.people, name="letters-model")
    version(found, 1, card_content=card(world.asked.public_id))
    page = person("engineer").page
    page.goto("/model-groups/")
    page.get_by_role("region", name="Waiting to be claimed").get_by_role("link", name="Claim letters-model").click()
    project = page.get_by_role("combobox", name="Project")
    # Its cards say whose it is.
    expect(page.get_by_text("Model cards of its versions name")).to_be_visible()
    expect(project).to_have_value(str(world.project.pk))
    project.select_option("")
    page.get_by_role("button", name="Claim it").click()
    expect(page.get_by_text("Choose the project that the group belongs to.").first).to_be_visible()
    project.select_option(str(world.project.pk))
    expect(page.get_by_role("checkbox", name=re.compile(world.asked.name))).to_be_visible()
    page.get_by_role("combobox", name="Owner").select_option(str(world.people.owner.pk))
    page.get_by_role("checkbox", name=re.compile(world.asked.name)).check()
    page.get_by_role("button", name="Claim it").click()
    expect(page.get_by_text(f"letters-model belongs to {world.project} now.")).to_be_visible()
    claimed = ModelGroup.objects.get(pk=found.pk)
    assert (claimed.project, claimed.owner, list(claimed.use_cases.all())) == (
        world.project,
        world.people.owner,
        [world.asked],
    )
