"""Evidence on pages: the card, the form, one piece in full, its download."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from governance.choices import Verdict
from governance.models import Evidence
from governance.selectors.evidence_asked import asked_for
from governance.services import approvals, evidence, retirement
from portal.core.durable_storage import DurableFileSystemStorage
from portal.core.vocabulary import EvidenceKind, Stage
from registry.models import ModelVersion, UseCase, User
from tests.factories import Cast, at_stage, group, version
from tests.governance.conftest import Place

from . import files
from .conftest import kept

pytestmark = pytest.mark.django_db
Attach = Callable[..., Evidence]


def browser(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


@pytest.fixture
def web(people: Cast) -> Client:
    return browser(people.scientist)


def a_form(**values: Any) -> dict[str, Any]:
    return {"kind": "bias_report", "file": files.upload("report.pdf", files.PDF, "application/pdf"), **values}


def test_the_card_of_nothing_says_what_to_do(web: Client, subject: UseCase, people: Cast) -> None:
    url = reverse("governance:use_case_evidence", args=[subject.number])
    page = web.get(url).content.decode()
    assert "No evidence is attached" in page
    assert reverse("governance:use_case_attach", args=[subject.number]) in page
    seen = browser(people.auditor).get(url).content.decode()
    assert "This needs the role" in seen
    assert "/attach/" not in seen


def test_the_pages_hold_a_slot_for_it(web: Client, subject: UseCase, model: ModelVersion) -> None:
    for url, slot in (
        (
            reverse("registry:use_case_tab", args=[subject.number, "evidence"]),
            reverse("governance:use_case_evidence", args=[subject.number]),
        ),
        (reverse("registry:version", args=[model.pk]), reverse("governance:version_evidence", args=[model.pk])),
    ):
        assert f'hx-get="{slot}"' in web.get(url).content.decode()
        fragment = web.get(slot, headers={"HX-Request": "true"}).content.decode()
        assert fragment.lstrip().startswith("<section")


def test_a_file_is_attached(web: Client, subject: UseCase) -> None:
    url = reverse("governance:use_case_attach", args=[subject.number])
    form = web.get(url).content.decode()
    assert 'enctype="multipart/form-data"' in form
    assert ".pdf" in form
    answer = web.post(url, a_form(title="Bias by age", note="Holdout."))
    assert answer.status_code == 302
    assert answer["Location"].endswith("#evidence")
    card = web.get(reverse("governance:use_case_evidence", args=[subject.number])).content.decode()
    assert "Bias by age" in card
    assert "1 counts" in card


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"kind": ""}, "This field is required"),
        ({"kind": "nonsense"}, "Select a valid choice"),
        ({"file": ""}, "Choose a file, or give an address"),
        ({"file": files.upload("report.pdf", files.EXE)}, "not a PDF document"),
        ({"file": files.upload("report.html", files.HTML)}, "named .html"),
        ({"file": files.upload("report.pdf", b"")}, "The file is empty"),
        ({"s3_uri": "s3://b/k"}, "not both"),
        ({"file": "", "s3_uri": "s3://nobody/k"}, "No registered account"),
        ({"file": "", "s3_uri": "nonsense"}, "does not name an object"),
        ({"title": "x" * 201}, "at most 200 characters"),
        ({"title": "a\x00b"}, "Null characters"),
    ],
)
def test_what_is_wrong_stands_beside_its_field(
    values: dict[str, Any], words: str, web: Client, subject: UseCase, store: Path
) -> None:
    answer = web.post(
        reverse("governance:use_case_attach", args=[subject.number]), a_form(**{"note": "Kept words.", **values})
    )
    page = answer.content.decode()
    assert answer.status_code == 422
    assert words in page
    assert "Kept words." in page
    assert not kept(store)


def test_a_file_that_is_too_large(web: Client, subject: UseCase, settings: Any, store: Path) -> None:
    settings.PORTAL_EVIDENCE_MAX_BYTES = 1024 * 1024
    large = files.upload("notes.txt", b"a" * 3_000_000, "text/plain")
    answer = web.post(reverse("governance:use_case_attach", args=[subject.number]), a_form(file=large, note="Kept."))
    assert answer.status_code == 422
    assert "larger than 1 MB" in answer.content.decode()
    assert "Choose a file" not in answer.content.decode()
    assert "Kept." in answer.content.decode()
    assert not kept(store)


def test_a_store_that_does_not_answer_keeps_the_words(
    web: Client, subject: UseCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> str:
        raise OSError

    monkeypatch.setattr(DurableFileSystemStorage, "_save", refuse)
    answer = web.post(reverse("governance:use_case_attach", args=[subject.number]), a_form(note="Kept words."))
    assert answer.status_code == 503
    assert "could not be stored" in answer.content.decode()
    assert "Kept words." in answer.content.decode()


def test_the_next_edition(web: Client, attach: Attach, subject: UseCase, model: ModelVersion) -> None:
    first = attach(subject, title="Draft")
    page = web.get(reverse("governance:evidence", args=[first.pk])).content.decode()
    url = reverse("governance:use_case_attach", args=[subject.number]) + f"?supersedes={first.public_id}"
    assert url in page
    assert "edition 2" in web.get(url).content.decode()
    assert web.post(url, a_form(kind="test_report", title="Final")).status_code == 302
    second = Evidence.objects.latest("pk")
    assert (second.edition, second.kind, second.title) == (2, "bias_report", "Final")
    assert second.public_id in web.get(reverse("governance:evidence", args=[first.pk])).content.decode()
    assert web.post(url, a_form()).status_code == 409
    elsewhere = reverse("governance:version_attach", args=[model.pk])
    for given in (first.public_id, "EV-999999", "nonsense", "EV-" + "9" * 30):
        assert web.get(f"{elsewhere}?supersedes={given}").status_code == 404


def test_the_download_is_an_attachment_and_nothing_else(web: Client, attach: Attach, subject: UseCase) -> None:
    row = attach(subject, file=files.upload("page.txt", b"plain <b>words</b>", "text/plain"))
    for headers in ({}, {"HX-Request": "true"}, {"Range": "bytes=0-3"}):
        answer = web.get(reverse("governance:evidence_content", args=[row.pk]), headers=headers)
        assert b"".join(answer.streaming_content) == b"plain <b>words</b>"
        assert answer["Content-Disposition"] == 'attachment; filename="page.txt"'
        assert answer["Content-Type"] == "text/plain; charset=utf-8"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert "no-store" in answer["Cache-Control"]
    page = web.get(reverse("governance:evidence", args=[row.pk])).content.decode()
    assert row.sha256[-16:] in page


def test_an_altered_file_is_a_page_that_says_so(
    web: Client, attach: Attach, subject: UseCase, store: Path, people: Cast
) -> None:
    row = attach(subject)
    check = reverse("governance:evidence_check", args=[row.pk])
    assert "is what was attached" in web.post(check, follow=True).content.decode()
    store.joinpath(row.storage_name).write_bytes(b"other")
    for answer in (web.get(reverse("governance:evidence_content", args=[row.pk])), web.post(check)):
        assert answer.status_code == 409
        assert "not what was attached" in answer.content.decode()
    assert (
        "evidence_altered" in web.get("/findings/").content.decode()
        or "Evidence altered" in web.get("/findings/").content.decode()
    )


def test_one_piece_in_full(web: Client, attach: Attach, subject: UseCase, people: Cast) -> None:
    row = attach(subject, title='<script>alert("x")</script>', note="<b>bold</b>")
    asked = approvals.submit(actor=people.scientist.actor, subject_type=UseCase, subject_id=subject.pk)
    approvals.decide(actor=people.owner.actor, request_id=asked.pk, verdict=Verdict.APPROVE)
    page = web.get(reverse("governance:evidence", args=[row.pk])).content.decode()
    assert "<script>alert" not in page
    assert "<b>bold</b>" not in page
    assert asked.public_id in page
    evidence.withdraw(actor=people.owner.actor, evidence_id=row.pk, reason="Another <i>data</i> set.")
    page = web.get(reverse("governance:evidence", args=[row.pk])).content.decode()
    assert "It was withdrawn" in page
    assert "&lt;i&gt;data" in page
    assert asked.public_id in page, "what was decided on it stays"


def test_the_decision_page_shows_what_a_request_is_bound_to(
    web: Client, attach: Attach, subject: UseCase, people: Cast
) -> None:
    row = attach(subject, title="Before it was asked")
    asked = approvals.submit(actor=people.scientist.actor, subject_type=UseCase, subject_id=subject.pk)
    url = reverse("governance:request_evidence", args=[asked.pk])
    assert f'hx-get="{url}"' in web.get(reverse("governance:request", args=[asked.pk])).content.decode()
    attach(subject, title="After it was asked", supersedes=row.pk)
    for headers in ({}, {"HX-Request": "true"}):
        page = web.get(url, headers=headers).content.decode()
        assert "Before it was asked" in page
        assert "Superseded" in page
        assert "After it was asked" not in page
    assert browser(people.stranger).get(url).status_code == 404


def test_the_history_tells_of_it(web: Client, attach: Attach, subject: UseCase, people: Cast) -> None:
    first = attach(subject, title="Draft")
    second = attach(subject, title="Final", supersedes=first.pk)
    evidence.withdraw(actor=people.owner.actor, evidence_id=second.pk, reason="The groups were cut wrongly.")
    page = web.get(reverse("governance:use_case_activity", args=[subject.number])).content.decode()
    for words in (
        f"Attached {first.public_id}: bias report",
        f"Attached {second.public_id}, edition 2: bias report",
        f"Withdrew {second.public_id}: Final",
        "The groups were cut wrongly.",
    ):
        assert words in page


def test_withdrawing(web: Client, attach: Attach, subject: UseCase, people: Cast) -> None:
    row = attach(subject)
    url = reverse("governance:evidence_withdraw", args=[row.pk])
    assert web.post(url, {"reason": " "}).status_code == 422
    assert web.post(url, {"reason": "Another data set."}).status_code == 302
    assert web.post(url, {"reason": "Again."}).status_code == 409
    assert browser(people.auditor).get(url).status_code == 403
    assert browser(people.stranger).get(url).status_code == 404


def test_the_list(web: Client, attach: Attach, subject: UseCase, model: ModelVersion, people: Cast) -> None:
    assert "No evidence yet" in web.get(reverse("governance:evidence_list")).content.decode()
    first = attach(subject, title="Age groups")
    second = attach(model, title="Load test", kind=EvidenceKind.TEST_REPORT)
    evidence.withdraw(actor=people.owner.actor, evidence_id=second.pk, reason="Old.")
    url = reverse("governance:evidence_list")

    def shown(**params: str) -> tuple[bool, bool]:
        page = web.get(url, params).content.decode()
        return "Age groups" in page, "Load test" in page

    assert shown() == (True, True)
    assert shown(kind="test_report") == (False, True)
    assert shown(standing="yes") == (True, False)
    assert shown(standing="no") == (False, True)
    assert shown(q=first.public_id) == (True, False)
    assert shown(q=second.sha256, kind="test_report") == (False, True)
    assert shown(q="9" * 40) == (False, False)
    assert shown(kind="nonsense") == (False, False)
    assert "Age groups" not in browser(people.stranger).get(url).content.decode()


def test_what_is_retired_takes_nothing_more(web: Client, attach: Attach, subject: UseCase, people: Cast) -> None:
    row = attach(subject)
    retirement.retire(actor=people.officer.actor, subject_type=UseCase, subject_id=subject.pk, reason="Done.")
    url = reverse("governance:use_case_attach", args=[subject.number])
    assert "Nothing can be attached now" in web.get(url).content.decode()
    assert web.post(url, a_form()).status_code == 409
    page = web.get(reverse("governance:evidence", args=[row.pk])).content.decode()
    assert "Download" in page
    assert "Withdraw" not in page


def test_the_card_says_what_the_policy_asks_for(web: Client, place: Place, people: Cast, attach: Attach) -> None:
    model = version(group(place.project, people), risk="High", metrics={})
    url = reverse("governance:version_evidence", args=[model.pk])
    assert "The policy asks" not in web.get(url).content.decode(), "development asks for none"
    at_stage(people, model, Stage.QA)
    asked = {need.kind: need.has for need in asked_for(model)}
    assert set(asked) == {"model_card", "bias_report", "explainability_report", "validation_metrics"}
    missing = next(kind for kind, has in asked.items() if not has)
    page = web.get(url).content.decode()
    assert "The policy asks in QA for" in page
    assert f"?kind={missing}" in page
    form = web.get(reverse("governance:version_attach", args=[model.pk]), {"kind": missing}).content.decode()
    assert f'<option value="{missing}" selected' in form
    row = attach(model, kind=EvidenceKind(missing), title="Here it is")
    assert f"?kind={missing}" not in web.get(url).content.decode()
    assert {need.kind: need.has for need in asked_for(model)}[missing] == (f"{row.public_id} Here it is",)
    retirement.retire(actor=people.officer.actor, subject_type=ModelVersion, subject_id=model.pk, reason="Done.")
    model.refresh_from_db()
    assert asked_for(model) == []
