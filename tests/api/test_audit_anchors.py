"""Anchors and checks over the API, and the pages that show them."""

from __future__ import annotations

from hashlib import sha256

import jwt
import pytest
from django.urls import reverse

from governance.choices import AuditCheckState
from governance.models import AuditAnchor, AuditCheck, AuditEvent
from governance.selectors import anchors
from governance.services import audit_checks
from tests.factories.people import SYSTEM
from tests.web.conftest import browser

from .client import assert_problem
from .world import World


def test_an_anchor_is_read_and_checked_by_somebody_outside(world: World) -> None:
    """With nothing but the API: the anchor, the keys, and the hashes of the entries."""
    api = world.api("ml_admin")  # who reads the whole trail, not only that of a project
    [listed] = api.get("audit-anchors/")["results"]
    assert "token" not in listed
    shown = api.get(f"audit-anchors/{listed['number']}/")
    assert {name: value for name, value in shown.items() if name != "token"} == listed
    assert sha256(shown["token"].encode()).hexdigest() == shown["file_sha256"]
    kid = jwt.get_unverified_header(shown["token"])["kid"]
    [key] = [key for key in world.api("anonymous").get("gate/keys/")["keys"] if key["kid"] == kid]
    claims = jwt.decode(shown["token"], jwt.PyJWK(key), algorithms=[key["alg"]])
    entries: dict[int, str] = {}
    page = api.get("audit-events/?page_size=200")
    while True:
        entries |= {event["sequence"]: event["hash"] for event in page["results"]}
        if not page["next"]:
            break
        page = api.get(page["next"].split("/api/v1/")[1])
    covered = [number for number in sorted(entries) if claims["first"] <= number <= claims["last"]]
    content = b"".join(number.to_bytes(8, "big") + bytes.fromhex(entries[number]) for number in covered)
    assert (len(covered), sha256(content).hexdigest()) == (claims["rows"], claims["digest"])


def test_a_check_is_asked_for_and_watched(world: World) -> None:
    api = world.api("auditor")
    answer = api.call("POST", "audit-checks/", {"scope": "all"})
    assert answer.status_code == 202
    check = answer.json()
    assert (check["state"], check["requested_by"]) == ("waiting", world.people.auditor.username)
    audit_checks.run(actor=SYSTEM, check_id=check["id"])
    found = api.get(f"audit-checks/{check['id']}/")
    assert (found["state"], found["problem"], found["anchor"]) == ("sound", "", world.anchor.number)
    assert found["id"] in [each["id"] for each in api.get("audit-checks/")["results"]]


def test_verifying_what_is_new(world: World) -> None:
    api = world.api("auditor")
    whole = api.get("audit-events/verify/")
    recent = api.get("audit-events/verify/?since_anchor=1")
    assert (whole["is_intact"], recent["is_intact"], recent["since"]) == (True, True, 1)
    assert 0 < recent["rows"] == whole["rows"] - world.anchor.total_rows
    assert recent["verified_to"] == whole["verified_to"] == AuditEvent.objects.latest("sequence").sequence


@pytest.mark.parametrize("number", ["x", "-1", "1.5", "1e3", "9" * 30, "", "%00", "٣"])
def test_a_number_that_is_none(world: World, number: str) -> None:
    answer = world.api("auditor").call("GET", f"audit-events/verify/?since_anchor={number}")
    assert_problem(answer, 400)
    assert "since_anchor" in answer.json()["errors"]


@pytest.mark.parametrize("path", ["audit-events/verify/?since_anchor=99", "audit-anchors/99/", "audit-checks/999999/"])
def test_what_there_is_not(world: World, path: str) -> None:
    assert_problem(world.api("auditor").call("GET", path), 404)


@pytest.mark.parametrize(
    "body", [{"scope": "half"}, {"scope": None}, {"scope": 7}, {"scope": "all", "x": 1}, [], "all"]
)
def test_a_check_of_nothing_known(world: World, body: object) -> None:
    before = AuditCheck.objects.count()
    assert_problem(world.api("auditor").call("POST", "audit-checks/", body), 400)
    assert AuditCheck.objects.count() == before


def test_a_file_that_is_gone_is_missed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(anchors, "read", lambda number: None)
    answer = world.api("auditor").call("GET", "audit-anchors/1/")
    assert_problem(answer, 404)
    assert "not in its storage" in answer.json()["detail"]


# --- the pages


def test_the_file_is_a_download(world: World) -> None:
    answer = browser(world.people.auditor).get(reverse("governance:audit_anchor_file", args=[1]))
    assert answer["Content-Disposition"] == 'attachment; filename="0000000001.jwt"'
    assert sha256(b"".join(answer.streaming_content)).hexdigest() == AuditAnchor.objects.get(number=1).file_sha256  # type: ignore[attr-defined]


def test_the_page_says_how_far_it_is_verified(world: World) -> None:
    auditor = browser(world.people.auditor)
    page = auditor.get(reverse("governance:audit_trail")).content.decode()
    assert "Not verified yet" in page
    assert 'data-poll="' in page
    audit_checks.run(actor=SYSTEM, check_id=world.audit_check.pk)
    world.audit_check.refresh_from_db()
    page = auditor.get(reverse("governance:audit_trail")).content.decode()
    assert f"Verified to entry {world.audit_check.verified_to}" in page
    assert 'data-poll="' not in page
    fragment = auditor.get(
        reverse("governance:audit_trail"), headers={"HX-Request": "true", "HX-Target": "standing"}
    ).content.decode()
    assert fragment.lstrip().startswith("<section")
    assert "filter-bar" not in fragment


def test_a_broken_trail_is_said_at_the_top(world: World) -> None:
    AuditCheck.objects.filter(pk=world.audit_check.pk).update(
        state=AuditCheckState.BROKEN, finished_at="2026-01-01T00:00Z", problem="Row 17 of <b>x</b>: changed afterwards."
    )
    for name in ("governance:audit_trail", "governance:audit_checks"):
        page = browser(world.people.auditor).get(reverse(name)).content.decode()
        assert "Row 17 of &lt;b&gt;x&lt;/b&gt;" in page
        assert "Not as it was written" in page


@pytest.mark.parametrize("scope", ["", "half", "\x00"])
def test_a_button_nobody_made(world: World, scope: str) -> None:
    before = AuditCheck.objects.count()
    answer = browser(world.people.auditor).post(reverse("governance:audit_check"), {"scope": scope})
    assert answer.status_code == 400
    assert AuditCheck.objects.count() == before


def test_the_portals_own_role_is_named_when_it_could_change_the_trail(world: World) -> None:
    """Tests run as the owner of the tables."""
    page = browser(world.people.auditor).get(reverse("governance:audit_trail")).content.decode()
    assert "The portal could change its own trail" in page
