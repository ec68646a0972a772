"""An auditor who trusts nothing: builds a pack, takes it away, checks it without the portal, and looks who decided."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

import governance.tasks  # noqa: F401 - Celery knows tasks by their import
from governance.models import AuditPack, AuditPackDownload

from .live import Live
from .pages import Person

pytestmark = pytest.mark.e2e


def test_an_auditor_builds_and_verifies_a_pack(live: Live, person: Callable[..., Person], tmp_path: Path) -> None:
    auditor = person("auditor")
    page = auditor.page
    page.goto("/audit-packs/")
    page.get_by_role("link", name="Build a pack").first.click()
    page.get_by_label("Use case", exact=True).fill("UC-999999")
    page.get_by_role("button", name="Show what would be in it").click()
    expect(page.get_by_text("There is no such use case.").first).to_be_visible()
    page.get_by_label("Use case", exact=True).fill(live.world.asked.public_id)
    page.get_by_role("button", name="Show what would be in it").click()
    expect(page.get_by_role("heading", name="What would be in it now")).to_be_visible()
    expect(page.get_by_text("Entries of the audit trail").first).to_be_visible()
    page.get_by_role("button", name="Build the pack").click()
    page.wait_for_url("**/audit-packs/PACK-*/")
    expect(page.get_by_text("Waiting for a worker").first).to_be_visible()
    live.work("governance.build_pack")
    # The page asks by itself until it is over, and shows what came of it.
    expect(page.get_by_role("heading", name="How to check it")).to_be_visible()
    pack = AuditPack.objects.latest("pk")
    assert pack.is_sound, pack.verdict
    commands = page.locator("#commands").inner_text()
    assert f"--sha256 {pack.sha256}" in commands
    assert f"--key-id {pack.key_id}" in commands
    archive, script = tmp_path / pack.filename, tmp_path / "verify.py"
    for name, path in (("Download", archive), ("verify.py", script)):
        with page.expect_download() as taken:
            page.get_by_role("link", name=name, exact=True).click()
        taken.value.save_as(path)
    command = [sys.executable, "-I", script, archive, "--sha256", pack.sha256, "--key-id", pack.key_id]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "SOUND."), done.stdout + done.stderr
    assert AuditPackDownload.objects.get(pack=pack).person == live.world.people.auditor
    auditor.accessible(f"/audit-packs/{pack.public_id}/")
    expect(page.get_by_role("heading", name="Who took it away")).to_be_visible()
    auditor.confirm("Remove")
    expect(page.get_by_text("Its file is gone")).to_be_visible()


def test_an_auditor_looks_who_decided(live: Live, person: Callable[..., Person]) -> None:
    auditor = person("auditor")
    page = auditor.page
    page.goto("/decisions/")
    table = page.get_by_role("table")
    expect(table.get_by_text("Approve").first).to_be_visible()
    rows = table.locator("tbody tr").count()
    page.goto("/decisions/?verdict=reject")
    expect(page.locator("#results")).to_contain_text("Verdict")
    assert rows > 0
    page.goto("/audit-trail/")
    expect(page.get_by_text("Not verified yet")).to_be_visible()
    page.get_by_role("button", name="Check everything").click()
    live.work("governance.check_audit_trail")
    expect(page.get_by_text("Verified to entry").first).to_be_visible()
    page.get_by_role("link", name="All of this operation").first.click()
    expect(page.locator(".chip", has_text="Operation")).to_be_visible()


@pytest.mark.parametrize(
    "address", ["/audit-packs/", "/audit-packs/new/", "/decisions/", "/audit-trail/", "/exceptions/"]
)
def test_the_pages_of_an_auditor_are_accessible(live: Live, person: Callable[..., Person], address: str) -> None:
    person("auditor").accessible(address)


def test_an_auditor_follows_a_version_from_its_origin_to_what_serves_it(
    live: Live, person: Callable[..., Person]
) -> None:
    auditor, world = person("auditor"), live.world
    page = auditor.page
    page.goto(f"/model-versions/{world.fresh.pk}/")
    page.get_by_role("link", name="Origin", exact=True).click()
    page.wait_for_url("**/lineage/")
    parts = page.get_by_role("navigation", name="Where this version comes from")
    for part, heading in (("Training", "Training job"), ("Pipeline", world.pipeline.pipeline)):
        parts.get_by_role("link", name=part, exact=True).click()
        expect(page.get_by_role("heading", name=heading).first).to_be_visible()
        expect(parts.get_by_role("link", name=part, exact=True)).to_have_attribute("aria-current", "page")
        expect(page.get_by_role("link", name="Origin", exact=True)).to_have_attribute("aria-current", "true")
    # From what is watched and what serves back to the version; each says when it was read.
    page.goto("/model-dashboard/")
    expect(page.get_by_role("heading", name="Model dashboard")).to_be_visible()
    page.goto(f"/monitors/{world.monitor.pk}/")
    expect(page.get_by_text(world.monitor.name).first).to_be_visible()
    page.goto(f"/endpoints/{world.served.endpoint_id}/")
    expect(page.get_by_text("Last read").first).to_be_visible()
    page.goto(f"/model-cards/{world.model_card.pk}/")
    expect(page.get_by_role("heading", name=world.model_card.name).first).to_be_visible()
    # And why something may not have been read.
    page.goto(f"/accounts/{world.served.endpoint.account.account_id}/")
    table = page.get_by_role("table", name="What is read beside the registry")
    expect(table.get_by_role("row")).not_to_have_count(1)
    auditor.accessible(f"/accounts/{world.served.endpoint.account.account_id}/")
