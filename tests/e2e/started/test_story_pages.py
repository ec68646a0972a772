"""The story in the pages, played in Chromium."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from ..pages import Person
from . import scientist
from .conftest import StartedPortal, eventually

pytestmark = pytest.mark.e2e

SignIn = Callable[[str], Person]


@pytest.fixture
def sign_in(chromium: Browser, started_portal: StartedPortal) -> Iterator[SignIn]:
    """Sign people in, each once; afterwards no page may have complained behind anybody's back."""
    people: dict[str, Person] = {}

    def enter(username: str) -> Person:
        if username not in people:
            people[username] = Person(chromium, started_portal.url, username)
        return people[username]

    yield enter
    complaints = {name: person.complaints for name, person in people.items() if person.complaints}
    for person in people.values():
        person.context.close()
    assert not complaints


def test_a_model_becomes_production_in_the_pages(sign_in: SignIn, started_portal: StartedPortal) -> None:
    # Its use case is of high risk, so officers will look for reports of bias and explainability.
    arn = scientist.register(started_portal.sandbox, reports=True)
    dana, owner, engineer = sign_in("data.scientist"), sign_in("model.owner"), sign_in("ml.engineer")
    officers = [sign_in("governance.officer"), sign_in("second.officer")]
    version = _open_version(dana, arn)

    # Development: asked for by the data scientist, who cannot decide, approved by the model owner from his queue.
    request = _submit(dana, version, "AUC 0.78 on the holdout.")
    expect(dana.page.get_by_text("You cannot decide here")).to_be_visible()
    owner.page.goto("/approvals/")
    owner.page.locator(f"a[href='/approvals/{request}/']").first.click()
    owner.confirm("Approve")
    expect(owner.page.get_by_text("is approved in Development")).to_be_visible()
    _in_aws(started_portal, arn, "Development")

    for label, aws in (("QA", "QA"), ("Pre-production", "PreProduction"), ("Production", "Production")):
        engineer.page.goto(version)
        if label != "Production":
            _report_deployed(engineer, version, label)
        _report_metrics(engineer, version)
        request = _submit(dana, version, f"{label} results are in.")
        for place, officer in enumerate(officers):
            officer.page.goto("/approvals/")
            officer.page.locator(f"a[href='/approvals/{request}/']").first.click()
            if place == 1:
                expect(officer.page.get_by_text("(2 of 2)").first).to_be_visible()
            officer.confirm("Approve")
            expect(officer.page.get_by_text(re.compile("is recorded|is approved in")).first).to_be_visible()
        _in_aws(started_portal, arn, aws)
    _report_deployed(engineer, version, "Production")

    # The stage table shows the four records with their attributes, and gives the same as a file.
    dana.page.goto(f"/stage-table/?model_package_arn={arn}")
    table = dana.page.get_by_role("table").first
    expect(table.get_by_role("row")).to_have_count(5)
    expect(table.get_by_text("Deployed", exact=True).first).to_be_visible()
    dana.page.locator("summary", has_text="Export").click()
    with dana.page.expect_download() as download:
        dana.page.get_by_role("link", name=re.compile("CSV, every field")).click()
    rows = list(csv.DictReader(io.StringIO(Path(download.value.path()).read_text(encoding="utf-8-sig"))))
    assert [row["model_status"] for row in rows] == ["deployed", "approved", "approved", "approved"]
    assert {row["use_case_id"] for row in rows} == {"UC-0001"}


def test_a_use_case_is_registered_rejected_reworked_and_approved(sign_in: SignIn) -> None:
    dana, owner, officer = sign_in("data.scientist"), sign_in("model.owner"), sign_in("governance.officer")
    page = dana.page
    page.goto("/use-cases/register/")
    page.get_by_label("Name").fill("Collections letters")
    page.get_by_role("button", name="Next").click()
    # What was typed stays, and the error stands beside the field that misses.
    expect(page.get_by_label("Name")).to_have_value("Collections letters")
    expect(page.locator(".invalid-feedback").first).to_be_visible()
    page.get_by_label("Intended purpose").fill("Draft reminder letters that a person sends.")
    page.get_by_role("button", name="Next").click()
    page.get_by_role("navigation", name="Steps").get_by_role("link", name="Review and register").click()
    page.get_by_role("button", name="Register the use case").click()
    page.wait_for_url(re.compile(r"/use-cases/UC-\d{4}/$"))
    address = page.url
    expect(page.get_by_text("It cannot be submitted")).to_be_visible()

    officer.page.goto(address)
    officer.page.get_by_role("link", name="Classify the risk").click()
    officer.page.get_by_role("link", name="Classify by hand").click()
    officer.page.get_by_label(re.compile("Limited:")).check()
    officer.page.get_by_label("Reason").fill("People are told that a machine drafted the letter.")
    officer.page.get_by_role("button", name="Set this class").click()
    expect(officer.page.get_by_text("People are told that a machine drafted the letter.").first).to_be_visible()

    request = _submit(dana, address, "Please accept it out of POC.")
    owner.page.goto(f"/approvals/{request}/")
    owner.page.get_by_role("button", name="Reject", exact=True).click()
    expect(owner.page.get_by_text("A comment is needed").first).to_be_visible()
    owner.page.get_by_label("Comment").fill("Say who oversees the letters.")
    owner.confirm("Reject")
    expect(owner.page.get_by_text("Rejected", exact=True).first).to_be_visible()

    page.goto(address)
    expect(page.get_by_text("Say who oversees the letters.").first).to_be_visible()
    page.get_by_role("link", name="Edit", exact=True).click()
    page.get_by_label("Description").fill("A clerk reads every letter before it is sent.")
    page.get_by_role("button", name="Save").click()
    page.wait_for_url(address)
    request = _submit(dana, address, "Oversight is described now.", again=True)
    owner.page.goto(f"/approvals/{request}/")
    owner.confirm("Approve")
    expect(owner.page.get_by_text("is approved in POC")).to_be_visible()


def test_a_stale_page_and_a_second_click_are_refused_with_the_reason(
    sign_in: SignIn, started_portal: StartedPortal
) -> None:
    arn = scientist.register(started_portal.sandbox)
    dana, owner = sign_in("data.scientist"), sign_in("model.owner")
    request = _submit(dana, _open_version(dana, arn), "Please look.")
    second = owner.context.new_page()
    for page in (owner.page, second):
        page.goto(f"/approvals/{request}/")
    owner.confirm("Approve")
    expect(owner.page.get_by_text("is approved in Development")).to_be_visible()
    second.get_by_label("Comment").fill("On second thoughts, no.")
    second.get_by_role("button", name="Reject", exact=True).first.click()
    with second.expect_response(lambda answer: answer.request.method == "POST") as answered:
        second.get_by_role("dialog").get_by_role("button", name=re.compile(r"^Yes")).click()
    assert answered.value.status == 409
    expect(second.get_by_text("takes no more decisions").first).to_be_visible()


def test_what_one_may_not_see_does_not_exist_and_what_one_may_not_do_is_refused(sign_in: SignIn) -> None:
    dana = sign_in("data.scientist")
    assert dana.page.goto("/use-cases/UC-9999/").status == 404  # type: ignore[union-attr]
    assert dana.page.goto("/audit-trail/").status in (403, 404)  # type: ignore[union-attr]


def test_sync_now_shows_its_run(sign_in: SignIn, started_portal: StartedPortal) -> None:
    arn = scientist.register(started_portal.sandbox)
    engineer, dana = sign_in("ml.engineer"), sign_in("data.scientist")
    engineer.page.goto("/accounts/111111111111/")
    engineer.page.get_by_role("button", name="Sync now").click()
    expect(engineer.page.get_by_role("cell", name="ml.engineer").first).to_be_visible()
    _open_version(dana, arn)


def test_a_policy_is_drafted_tried_and_thrown_away(sign_in: SignIn) -> None:
    admin = sign_in("ml.admin")
    page = admin.page
    page.goto("/policies/draft/")
    page.get_by_label("Note").fill("Ask for AUC before QA.")
    page.get_by_role("button", name="Make the draft").click()
    page.wait_for_url(re.compile(r"/policies/\d+/$"))
    draft = page.url
    page.get_by_role("link", name="Edit QA, high risk").click()
    page.get_by_label("Governance officers who must approve").fill("0")
    page.get_by_label("Metric 1: metric").fill("auc")
    page.get_by_role("button", name="Save this cell").click()
    # Nothing is lost: what is wrong stands beside what was typed.
    expect(page.get_by_text("Give the threshold.").first).to_be_visible()
    expect(page.get_by_label("Metric 1: metric")).to_have_value("auc")
    page.get_by_label("Metric 1: threshold").fill("0.75")
    page.get_by_role("button", name="Save this cell").click()
    expect(page.get_by_text("Somebody must approve").first).to_be_visible()
    page.get_by_label("Governance officers who must approve").fill("3")
    page.get_by_role("button", name="Save this cell").click()
    expect(page.get_by_text("AUC: at least 0.75 is needed").first).to_be_visible()
    page.goto(draft)
    admin.confirm("Discard the draft")
    expect(page.get_by_text("is discarded").first).to_be_visible()


def _open_version(person: Person, arn: str) -> str:
    """Wait until the version that was registered in the notebook is in the list, and open it."""

    def listed() -> bool:
        person.page.goto("/model-versions/")
        return person.page.get_by_role("link", name=_version_name(arn), exact=True).count() > 0

    eventually(listed, f"{_version_name(arn)} in the list", seconds=15)
    person.page.get_by_role("link", name=_version_name(arn), exact=True).first.click()
    expect(person.page.get_by_role("heading", level=1)).to_contain_text(_version_name(arn))
    return person.page.url


def _version_name(arn: str) -> str:
    group, number = arn.rsplit("/", 2)[1:]
    return f"{group}/{number}"


def _submit(person: Person, address: str, note: str, *, again: bool = False) -> str:
    """Ask for approval on a subject's page; returns the request's public id."""
    page = person.page
    page.goto(address)
    page.get_by_role("link", name="Submit again" if again else re.compile("Ask for approval|Submit again")).click()
    page.get_by_label("Note").fill(note)
    page.get_by_role("button", name=re.compile("Ask for approval|Submit")).click()
    found = page.get_by_text(re.compile(r"AR-\d{6}")).first
    expect(found).to_be_visible()
    match = re.search(r"AR-\d{6}", page.content())
    assert match is not None
    page.goto(f"/approvals/{match[0]}/")
    return match[0]


def _report_deployed(engineer: Person, version: str, stage: str) -> None:
    page = engineer.page
    page.goto(f"{version}deployments/")
    page.get_by_role("link", name=re.compile(rf"Report the deployment to \w+ for {stage}$")).click()
    page.get_by_label("Deployed").check()
    page.get_by_label("Endpoint").fill("credit-risk-endpoint")
    page.get_by_role("button", name="Report it").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("credit-risk/")


def _report_metrics(engineer: Person, version: str) -> None:
    page = engineer.page
    page.goto(f"{version}metrics/")
    page.get_by_role("link", name="Report results").first.click()
    page.get_by_label("Metrics").fill("auc: 0.77\nks:")
    page.get_by_role("button", name="Record the results").click()
    page.goto(f"{version}metrics/")
    # The table behind a figure says it too, but is folded away.
    expect(page.get_by_text("not reported").locator("visible=true").first).to_be_visible()
    expect(page.get_by_text("0.77").locator("visible=true").first).to_be_visible()


def _in_aws(portal: StartedPortal, arn: str, stage: str) -> None:
    def says() -> bool:
        described = scientist.describe(portal.sandbox, arn)
        life_cycle = described.get("ModelLifeCycle", {})
        return described["ModelApprovalStatus"] == "Approved" and life_cycle.get("Stage") == stage

    eventually(says, f"{stage} approved in SageMaker")
