"""Whoever keeps the portal running: a share that is changed behind his back, and a policy from draft to in force."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from governance.choices import FindingKind, OutboxKind, PolicyState
from governance.models import Finding, OutboxMessage, PolicyVersion
from governance.services import delivery, share_sync
from registry.aws import ram
from registry.models import DeclaredShare, ModelGroup
from tests import aws_story
from tests.aws_story import DEVELOPMENT, HUB
from tests.sandbox import Sandbox

from .live import Live
from .pages import Person

pytestmark = pytest.mark.e2e

SignIn = Callable[..., Person]


def _carry_out_shares() -> None:
    """Do what the worker does with the orders about shares, and read RAM on both sides."""
    kinds = (OutboxKind.SHARE, OutboxKind.INVITATION)
    mine = OutboxMessage.objects.filter(kind__in=kinds, summary__contains="letters for development")
    for _ in range(3):
        for key in set(mine.pending().values_list("ordering_key", flat=True)):
            delivery.deliver_key(key)
        mine.pending().update(next_attempt_at="2020-01-01T00:00Z")
    _read()


def _read() -> None:
    for account_id in (DEVELOPMENT, HUB):
        for run in share_sync.sync_shares(account_id=account_id, requested_by="test"):
            assert run.error == ""


def test_an_engineer_declares_a_share_and_sees_it_drift(live: Live, person: SignIn, aws: Sandbox) -> None:
    world = live.world
    arn = aws_story.new_group()
    aws_story.synced()
    shared = ModelGroup.objects.get(arn=arn)
    aws_story.claim(world.people, world.project, shared)
    _read()

    page = person("engineer").page
    page.goto("/shares/")
    page.get_by_role("link", name="Declare a share").first.click()
    page.get_by_label("Name", exact=False).first.fill("letters for development")
    page.get_by_label("Model groups").select_option(str(shared.pk))
    page.get_by_role("checkbox", name=re.compile(DEVELOPMENT)).check()
    page.locator(f"input[name=permission][value='{ram.PERMISSION_REGISTER}']").check()
    page.get_by_role("button", name="Preview").click()
    # What the account could do stands there in verbs before anything is declared.
    verbs = re.compile(f"{DEVELOPMENT} yes yes no no no")
    expect(page.get_by_role("row", name=verbs)).to_be_visible()
    assert not DeclaredShare.objects.filter(name="letters for development").exists()
    page.get_by_role("button", name="Declare it").click()
    page.wait_for_url(re.compile(r"/shares/SHR-\d{4}/$"))
    declared = DeclaredShare.objects.get(name="letters for development")

    _carry_out_shares()
    page.reload()
    declared.refresh_from_db()
    expect(page.get_by_text("RAM does not say what is declared")).to_have_count(0)
    expect(page.get_by_role("heading", name="What each account can do by it")).to_be_visible()
    expect(page.get_by_role("row", name=verbs)).to_be_visible()

    # Somebody in the hub lets another account in, past the portal.
    client = aws_story.session(HUB).client("ram")
    client.associate_resource_share(resourceShareArn=declared.share_arn, principals=["333333333333"])
    page.get_by_role("button", name="Read it now").click()
    expect(page.get_by_text("A worker reads what RAM says of")).to_be_visible()
    _read()
    page.reload()
    notice = page.get_by_text("RAM does not say what is declared")
    expect(notice).to_be_visible()
    expect(page.locator("main")).to_contain_text("333333333333")
    drift = Finding.objects.unresolved().filter(kind=FindingKind.SHARE_DRIFT, summary__contains=declared.name)
    assert drift.count() == 1

    page.get_by_role("button", name="Bring RAM in line").click()
    _carry_out_shares()
    page.reload()
    expect(notice).to_have_count(0)
    assert not drift.exists()

    # What was done in AWS for it is told in the outbox, attempt by attempt.
    message = OutboxMessage.objects.filter(kind=OutboxKind.SHARE, summary__contains=declared.name).latest("pk")
    page.goto(f"/outbox/{message.pk}/")
    expect(page.get_by_role("list", name="Attempts")).to_contain_text("Attempt 1 carried out")
    expect(page.get_by_role("link", name=re.compile(declared.public_id))).to_be_visible()


def test_an_admin_drafts_previews_and_publishes_a_policy(live: Live, person: SignIn) -> None:
    admin = person("admin")
    page = admin.page
    page.goto("/policies/")
    page.get_by_role("link", name=re.compile("draft", re.IGNORECASE)).first.click()
    page.get_by_label("Note").fill("Two officers in test for low risk.")
    page.get_by_role("button", name="Make the draft").click()
    page.wait_for_url(re.compile(r"/policies/\d+/$"))
    draft = PolicyVersion.objects.latest("number")
    assert (draft.state, draft.note) == (PolicyState.DRAFT, "Two officers in test for low risk.")

    page.goto(f"/policies/{draft.number}/cells/model_version/qa/low/")
    page.locator("input[name=count_governance_officer]").fill("2")
    page.get_by_role("button", name="Save this cell").click()
    expect(page.get_by_text("2 governance officers").first).to_be_visible()

    page.get_by_role("link", name="Try it").click()
    page.locator("select[name=subject], input[name=subject]").first.wait_for()
    expect(page.get_by_role("heading", name="What would it need?")).to_be_visible()

    page.goto(f"/policies/{draft.number}/")
    page.get_by_role("link", name="Publish").click()
    expect(page.get_by_role("region", name="What changes")).to_contain_text("governance officer")
    page.get_by_role("button", name="Publish it for good").click()
    expect(page.get_by_text("is in force now")).to_be_visible()
    draft.refresh_from_db()
    assert draft.state == PolicyState.PUBLISHED
    # Published is for good: nothing edits it any more.
    assert page.get_by_role("link", name=re.compile("^Edit")).count() == 0
    answer = page.goto(f"/policies/{draft.number}/cells/model_version/qa/low/")
    assert answer is not None
    assert answer.status in (403, 409)
