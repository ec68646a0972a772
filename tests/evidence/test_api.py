"""Evidence over the REST API: attached in both ways, listed, downloaded, withdrawn."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from governance.models import Evidence
from portal.core.vocabulary import EvidenceKind
from registry.models import ModelVersion, UseCase
from tests.api.client import BASE, Api, assert_problem
from tests.factories import Cast, use_case
from tests.governance.conftest import Place
from tests.scene import fingerprint

from . import files
from .conftest import kept

pytestmark = pytest.mark.django_db
Attach = Callable[..., Evidence]


@pytest.fixture
def api(people: Cast) -> Api:
    return Api(people.scientist)


def send(api: Api, expect: int, **values: Any) -> Any:
    """Post a form with a file."""
    answer = api.client.post(f"{BASE}evidence/", values, format="multipart")
    assert answer.status_code == expect, answer.getvalue()
    return assert_problem(answer, expect) if expect >= 400 else answer.json()


def a_file(name: str = "report.pdf", content: bytes = files.PDF, declared: str = "application/pdf") -> Any:
    return files.upload(name, content, declared)


def test_a_file_is_attached_and_shown(api: Api, subject: UseCase) -> None:
    made = send(api, 201, kind="bias_report", use_case=subject.public_id, note="Holdout.", file=a_file())
    assert made["id"].startswith("EV-")
    assert (made["kind"], made["title"], made["origin"], made["edition"]) == ("bias_report", "report.pdf", "upload", 1)
    assert made["subject"]["id"] == subject.public_id
    assert made["fingerprint"] == made["sha256"]
    assert (made["size"], made["content_type"], made["is_standing"]) == (len(files.PDF), "application/pdf", True)
    assert api.get(f"evidence/{made['id']}/") == made
    assert "storage" not in json.dumps(made)


def test_the_next_edition(api: Api, model: ModelVersion) -> None:
    first = send(api, 201, kind="test_report", model_version=model.pk, file=a_file())
    second = send(
        api, 201, kind="test_report", model_version=model.pk, supersedes=first["id"], file=a_file(), title="Corrected"
    )
    assert (second["edition"], second["series"]) == (2, first["series"])
    assert not api.get(f"evidence/{first['id']}/")["is_standing"]
    problem = send(api, 409, kind="test_report", model_version=model.pk, supersedes=first["id"], file=a_file())
    assert second["id"] in problem["detail"]


def test_the_download_is_an_attachment_and_nothing_else(api: Api, attach: Attach, subject: UseCase) -> None:
    row = attach(subject, file=files.upload('böse "x"; y=.txt', "It hölds.".encode(), "text/plain"))
    for accept in ("*/*", "text/html", "application/json", "text/plain"):
        answer = api.client.get(f"{BASE}evidence/{row.public_id}/content/", headers={"Accept": accept})
        assert answer.status_code == 200
        assert b"".join(answer.streaming_content).decode() == "It hölds."
    assert answer["Content-Disposition"].startswith("attachment;")
    assert "filename*=utf-8''b%C3%B6se%20%22x%22%3B%20y%3D.txt" in answer["Content-Disposition"]
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert answer["Content-Length"] == "10"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer["Cross-Origin-Resource-Policy"] == "same-origin"
    assert answer["Cache-Control"] == "private, no-store"


def test_an_altered_file_is_not_given_out(api: Api, attach: Attach, subject: UseCase, store: Path) -> None:
    row = attach(subject)
    store.joinpath(row.storage_name).write_bytes(b"other")
    problem = assert_problem(api.client.get(f"{BASE}evidence/{row.public_id}/content/"), 409)
    assert problem["code"] == "evidence-altered"
    store.joinpath(row.storage_name).unlink()
    problem = assert_problem(api.client.get(f"{BASE}evidence/{row.public_id}/content/"), 409)
    assert problem["code"] == "evidence-lost"


def test_permissions_are_asked_per_row(attach: Attach, subject: UseCase, people: Cast, place: Place) -> None:
    row = attach(subject)
    stranger, auditor, nobody = Api(people.stranger), Api(people.auditor), Api()
    for path in ("", "content/"):
        assert_problem(stranger.call("GET", f"evidence/{row.public_id}/{path}"), 404)
        assert auditor.call("GET", f"evidence/{row.public_id}/{path}").status_code == 200
        assert_problem(nobody.call("GET", f"evidence/{row.public_id}/{path}"), 401)
    assert stranger.results("evidence/") == []
    send(stranger, 404, kind="bias_report", use_case=subject.public_id, file=a_file())
    send(auditor, 403, kind="bias_report", use_case=subject.public_id, file=a_file())


@pytest.mark.parametrize(
    ("values", "status", "field"),
    [
        ({}, 400, "kind"),
        ({"kind": "nonsense"}, 400, "kind"),
        ({"use_case": ""}, 400, "use_case"),
        ({"model_version": "1"}, 400, "use_case"),
        ({"use_case": "UC-9999"}, 404, ""),
        ({"use_case": "UC-99999999999999999999"}, 404, ""),
        ({"use_case": "", "model_version": "9" * 18}, 404, ""),
        ({"use_case": "", "model_version": "9" * 30}, 400, "model_version"),
        ({"use_case": "", "model_version": "x"}, 400, "model_version"),
        ({"supersedes": "EV-999999"}, 404, ""),
        ({"supersedes": "1"}, 404, ""),
        ({"title": "x" * 201}, 400, "title"),
        ({"title": "a\x00b"}, 400, "title"),
        ({"stage": "production"}, 400, "stage"),
        ({"author": "somebody"}, 400, "author"),
        ({"s3_uri": "s3://b/k"}, 400, "file"),
        ({"s3_version_id": "1"}, 400, "s3_uri"),
        ({"file": "text and no file"}, 400, "file"),
        ({"file": ""}, 400, "file"),
    ],
)
def test_bad_forms(values: dict[str, Any], status: int, field: str, api: Api, subject: UseCase, store: Path) -> None:
    given = {"kind": "bias_report", "use_case": subject.public_id, "file": a_file(), **values}
    if not values:
        del given["kind"]
    before = fingerprint()
    problem = send(api, status, **given)
    assert not field or list(problem["errors"]) == [field]
    assert fingerprint() == before
    assert not kept(store)


@pytest.mark.parametrize(
    ("name", "content", "declared"),
    [
        ("report.pdf", files.EXE, "application/pdf"),
        ("report.html", files.HTML, "text/html"),
        ("report.svg", files.SVG, "image/svg+xml"),
        ("report.pdf", b"", "application/pdf"),
        ("report.pdf", files.PDF, "text/html"),
        ("metrics.json", b"{", "application/json"),
    ],
)
def test_bad_files(name: str, content: bytes, declared: str, api: Api, subject: UseCase, store: Path) -> None:
    problem = send(api, 400, kind="bias_report", use_case=subject.public_id, file=a_file(name, content, declared))
    assert list(problem["errors"]) == ["file"]
    assert not kept(store)


def test_a_name_that_leads_elsewhere(api: Api, subject: UseCase, store: Path) -> None:
    body = encode_multipart(BOUNDARY, {"kind": "bias_report", "use_case": subject.public_id, "file": a_file()})
    evil = body.replace(b'filename="report.pdf"', b'filename="../../../tmp/evil\x01.pdf"')
    answer = api.client.generic("POST", f"{BASE}evidence/", evil, content_type=MULTIPART_CONTENT)
    assert answer.status_code == 201, answer.getvalue()
    assert answer.json()["filename"] == "evil.pdf"
    assert len(kept(store)) == 1


def test_two_files_at_once_are_refused(api: Api, subject: UseCase, store: Path) -> None:
    problem = send(api, 400, kind="bias_report", use_case=subject.public_id, file=[a_file(), a_file("other.pdf")])
    assert "file" in problem["errors"]
    assert not kept(store)


@pytest.mark.parametrize("over", [1, 3_000_000])
def test_a_file_that_is_too_large(over: int, api: Api, subject: UseCase, store: Path, settings: Any) -> None:
    settings.PORTAL_EVIDENCE_MAX_BYTES = 1024 * 1024
    large = a_file("notes.txt", b"a" * (1024 * 1024 + over), "text/plain")
    problem = send(api, 400, kind="bias_report", use_case=subject.public_id, file=large)
    assert "larger than 1 MB" in problem["errors"]["file"][0]
    assert not kept(store)
    right = a_file("notes.txt", b"a" * 1024 * 1024, "text/plain")
    assert send(api, 201, kind="bias_report", use_case=subject.public_id, file=right)["size"] == 1024 * 1024


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"no form", MULTIPART_CONTENT),
        (b"no form", "multipart/form-data"),
        (b"no form", "multipart/form-data; boundary="),
        (b"", MULTIPART_CONTENT),
        (b"--x\r\n", "multipart/form-data; boundary=x"),
        (b'{"kind": 1', "application/json"),
        (b"[]", "application/json"),
        (b'"text"', "application/json"),
        (b'{"kind": ["bias_report"], "use_case": {}, "file": 7}', "application/json"),
    ],
)
def test_bodies_that_cannot_be_read(body: bytes, content_type: str, api: Api) -> None:
    assert_problem(api.client.generic("POST", f"{BASE}evidence/", body, content_type=content_type), 400)


def test_other_media_types_are_refused(api: Api) -> None:
    answer = api.client.generic("POST", f"{BASE}evidence/", b"<x/>", content_type="application/xml")
    assert_problem(answer, 415)


def test_a_signed_in_browser_needs_its_token_to_post(people: Cast, subject: UseCase) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(people.scientist)
    given = {"kind": "bias_report", "use_case": subject.public_id, "file": a_file()}
    assert_problem(browser.post(f"{BASE}evidence/", given), 403)
    browser.get("/")
    token = browser.get(f"/use-cases/{subject.public_id}/evidence/attach/").context["csrf_token"]
    answer = browser.post(f"{BASE}evidence/", {**given, "file": a_file()}, headers={"X-CSRFToken": str(token)})
    assert answer.status_code == 201, answer.content


def test_the_list_is_filtered(
    api: Api, attach: Attach, subject: UseCase, model: ModelVersion, people: Cast, place: Place
) -> None:
    other = use_case(people, place.project)
    first = attach(subject, title="Draft")
    second = attach(subject, title="Final", supersedes=first.pk)
    third = attach(model, kind=EvidenceKind.TEST_REPORT, file=SimpleUploadedFile("t.txt", b"t", "text/plain"))

    def ids(**params: Any) -> list[str]:
        return [row["id"] for row in api.results("evidence/", **params)]

    assert ids() == [third.public_id, second.public_id, first.public_id]
    assert ids(use_case=subject.public_id) == [second.public_id, first.public_id]
    assert ids(use_case=other.public_id) == []
    assert ids(model_version=model.pk) == ids(model_package_arn=model.arn) == [third.public_id]
    assert ids(kind="test_report") == ids(subject="model_version") == [third.public_id]
    assert ids(subject="use_case", is_standing="true") == [second.public_id]
    assert ids(is_standing="false") == [first.public_id]
    assert ids(origin="s3") == []
    assert ids(search="draft") == [first.public_id]
    assert ids(ordering="title") == [first.public_id, second.public_id, third.public_id]
    for bad in ({"kind": "x"}, {"use_case": "7"}, {"model_version": "x"}, {"subject": "account"}, {"nothing": "1"}):
        api.get("evidence/", 400, **bad)


def test_withdrawing(api: Api, attach: Attach, subject: UseCase) -> None:
    row = attach(subject)
    path = f"evidence/{row.public_id}/withdraw/"
    for body in ({}, {"reason": ""}, {"reason": "   "}, {"reason": 7.5e9, "more": 1}, {"reason": "a\x00"}):
        api.send("POST", path, body, expect=400)
    found = api.send("POST", path, {"reason": "Another data set."})
    assert (found["withdrawal_reason"], found["is_standing"]) == ("Another data set.", False)
    api.send("POST", path, {"reason": "Again."}, expect=409)
    assert api.call("GET", f"evidence/{row.public_id}/content/").status_code == 200


@pytest.mark.parametrize("name", ["EV-0", "EV-999999", "EV-1", "EV-" + "9" * 18, "XX-000001"])
def test_ids_there_are_not(name: str, api: Api) -> None:
    for path in ("", "content/"):
        assert_problem(api.call("GET", f"evidence/{name}/{path}"), 404)
    assert_problem(api.call("POST", f"evidence/{name}/withdraw/", {"reason": "x"}), 404)
