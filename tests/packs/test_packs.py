"""Asking for packs, and what may go wrong until somebody has one: rights, input, stores, workers, time."""

from __future__ import annotations

import csv
import io
import json
import threading
import zipfile
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from governance.choices import FindingKind, PackScope, PackState
from governance.models import AuditEvent, AuditPack, AuditPackDownload, Finding, Notification, Occasion
from governance.selectors import notifications
from governance.selectors.pack_scope import Wanted
from governance.services import telling
from governance.services.audit_pack import building, contents, packs, store
from governance.services.evidence_store import storage as evidence_storage
from portal.core import jobs
from portal.core.errors import Forbidden, InvalidInput, NotFound, Unavailable, WrongState
from portal.core.locks import advisory_lock
from portal.core.vocabulary import Role
from registry.models import User
from registry.services import people
from tests.factories import group, person, project, version

from .conftest import Made
from .world import HOSTILE, about, built, lately


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    """What was handed to workers."""
    found: list[tuple[str, dict[str, Any]]] = []
    monkeypatch.setattr(jobs, "_send", lambda name, arguments, delay: found.append((name, arguments)))
    return found


def asked(made: Made) -> AuditPack:
    return packs.request_pack(actor=made.told.auditor.actor, wanted=about(made.told))


def done(pack: AuditPack) -> AuditPack:
    building.build(pack_id=pack.pk)
    pack.refresh_from_db()
    return pack


def put(folder: Path, content: bytes) -> Path:
    """Overwrite the newest file in a store."""
    [path] = sorted((each for each in folder.rglob("*") if each.is_file()), key=lambda each: each.stat().st_mtime)[-1:]
    path.chmod(0o600)
    path.write_bytes(content)
    return path


@pytest.fixture(autouse=True)
def no_document(monkeypatch: pytest.MonkeyPatch) -> None:
    """Typesetting is half of a build, and test_document.py looks at it."""
    monkeypatch.setattr(building, "typeset", lambda document, moment: b"%PDF-1.7")


# Who may, and what may be asked


def test_who_may_build_one(made: Made) -> None:
    those, wanted = made.told.people, about(made.told)
    for who in (those.scientist, those.owner, those.engineer, those.officer, those.admin):
        with pytest.raises(Forbidden, match="auditor"):
            packs.request_pack(actor=who.actor, wanted=wanted)
    with pytest.raises(NotFound):
        packs.request_pack(actor=those.stranger.actor, wanted=wanted)
    assert packs.preview(actor=those.auditor.actor, wanted=wanted).entries > 70
    assert packs.preview(actor=those.auditor.actor, wanted=lately(made.told)).counts["decisions"] == 2
    with pytest.raises(Forbidden):
        packs.preview(actor=those.auditor.actor, wanted=lately())


@pytest.mark.parametrize(
    ("given", "field"),
    [
        (Wanted(PackScope.USE_CASE), "use_case"),
        (Wanted(PackScope.PERIOD), "starts_on"),
        (Wanted(PackScope.PERIOD, starts_on=date(2026, 2, 1)), "ends_on"),
        (Wanted(PackScope.PERIOD, starts_on=date(2026, 2, 2), ends_on=date(2026, 2, 1)), "ends_on"),
        (Wanted(PackScope.PERIOD, starts_on=date(9998, 1, 1), ends_on=date(9999, 12, 31)), "starts_on"),
        (Wanted(PackScope.PERIOD, starts_on=date(2026, 1, 1), ends_on=date(9999, 12, 31)), "ends_on"),
    ],
)
def test_what_cannot_be_asked(made: Made, given: Wanted, field: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        packs.request_pack(actor=made.told.auditor.actor, wanted=given)
    assert field in refusal.value.errors


def test_what_does_not_exist(made: Made) -> None:
    for given in (Wanted(PackScope.USE_CASE, use_case_id=2**62), Wanted(PackScope.USE_CASE, use_case_id=2**80)):
        with pytest.raises(NotFound):
            packs.preview(actor=made.told.auditor.actor, wanted=given)


def test_too_much_is_refused_before_anybody_waits(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packs, "MOST_ENTRIES", 10)
    monkeypatch.setattr(contents, "MOST_ENTRIES", 10)
    assert packs.preview(actor=made.told.auditor.actor, wanted=about(made.told)).refusal
    with pytest.raises(contents.PackTooLarge, match="one pack may hold 10"):
        asked(made)


def test_asking_twice_is_asking_once(made: Made, sent: list[tuple[str, dict[str, Any]]]) -> None:
    first, again = asked(made), asked(made)
    assert first.pk == again.pk
    assert sent == [("governance.build_pack", {"pack_id": first.pk})] * 2
    assert done(first).state == PackState.READY
    assert asked(made).pk != first.pk


# What is in it


def test_cells_are_no_formulas_and_files_have_harmless_names(made: Made) -> None:
    with zipfile.ZipFile(io.BytesIO(made.archive)) as archive:
        rows = list(csv.DictReader(io.TextIOWrapper(archive.open("data/decisions.csv"), "utf-8-sig")))
        titles = list(csv.DictReader(io.TextIOWrapper(archive.open("data/evidence.csv"), "utf-8-sig")))
        names, document = archive.namelist(), archive.read("pack.pdf")
    assert [row["comment"] for row in rows] == ["", f"'{HOSTILE}"]
    assert titles[1]["title"] == "'=cmd()"
    first, second = made.told.files
    assert {f"evidence/{first.public_id}.pdf", f"evidence/{second.public_id}.csv"} <= set(names)
    assert document.startswith(b"%PDF-1.7")
    assert b"pdfuaid" in document


def test_what_aws_said_of_a_version_is_there_with_where_and_when_it_was_read(made: Made) -> None:
    with zipfile.ZipFile(io.BytesIO(made.archive)) as archive:
        read = {
            name: json.loads(archive.read(f"data/{name}.json"))
            for name in ("version_reports", "endpoints", "endpoint_variants", "monitoring_schedules", "trainings")
        }
        [line] = csv.DictReader(io.TextIOWrapper(archive.open("data/version_reports.csv"), "utf-8-sig"))
    [report] = read["version_reports"]
    assert (report["sha256"], report["problem"], report["content"]) == ("a1" * 32, "missing", {"facets": 2})
    assert (line["SHA-256"], line["what is wrong"]) == ("a1" * 32, "It is not there any more.")
    assert line["looked at"]
    assert [row["name"] for row in read["endpoints"]] == ["credit-live"]
    assert [row["name"] for row in read["endpoint_variants"]] == ["v1"]
    assert [row["name"] for row in read["monitoring_schedules"]] == ["credit-live-inputs"]
    assert read["trainings"] == []


def test_a_period_of_the_whole_portal(made: Made) -> None:
    pack, archive = built(made.told, lately())
    assert (pack.is_sound, pack.left_out) == (True, [])
    assert pack.contents["entries"] > 500
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        entries = opened.read("chain/entries.jsonl").decode()
    # Also who was given which role, which is about no use case.
    assert "registry_user_groups" in entries or "registry_projectuserobjectpermission" in entries
    assert "password" not in json.loads(entries.splitlines()[0])["content"]


def test_what_the_asker_may_not_see_is_counted_and_left_out(made: Made) -> None:
    told = made.told
    elsewhere = project()
    hidden = version(group(elsewhere, None))
    auditor = person(Role.AUDITOR, project=told.project)
    hidden.use_case_links.create(use_case=told.subject, source="card")
    try:
        pack = packs.request_pack(actor=auditor.actor, wanted=about(told))
        assert packs.preview(actor=auditor.actor, wanted=about(told)).hidden_versions == 1
        pack = done(pack)
        assert [each["what"] for each in pack.left_out] == ["1 model versions"]
        assert pack.is_sound
    finally:
        hidden.use_case_links.all().delete()
    # The link is gone; that there was one stays in the pack of whoever may see the version.
    later, _ = built(told, about(told))
    assert later.is_sound
    assert later.contents["model_versions"] == 2


# Evidence and stores


def test_altered_evidence_is_named(made: Made) -> None:
    name = made.told.files[1].storage_name
    path = Path(evidence_storage().path(name))
    kept = path.read_bytes()
    path.chmod(0o600)
    path.write_bytes(b"group;auc\nother;0,99\n")
    try:
        pack = done(asked(made))
    finally:
        path.write_bytes(kept)
    assert (pack.state, pack.is_sound) == (PackState.READY, False)
    altered = made.told.files[1].public_id
    assert f"{altered} is altered" in pack.verdict
    assert pack.left_out[0]["what"].startswith(altered)
    assert Finding.objects.filter(kind=FindingKind.EVIDENCE_ALTERED).exists()
    assert done(asked(made)).is_sound


def test_evidence_beyond_the_limit_is_named(made: Made, settings: Any) -> None:
    settings.PORTAL_PACK_EVIDENCE_MAX_BYTES = 30
    pack = done(asked(made))
    assert (pack.state, pack.is_sound, pack.contents["files"]) == (PackState.READY, True, 1)
    assert "does not fit" in pack.left_out[0]["why"]


def down(*_: object, **__: object) -> Any:
    raise OSError("no such bucket: secret-name")


@pytest.mark.parametrize("what", ["evidence", "packs"])
def test_a_store_that_is_down(made: Made, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    monkeypatch.setattr(type(evidence_storage()), "_open" if what == "evidence" else "_save", down)
    pack = done(asked(made))
    assert pack.state == PackState.FAILED
    assert "does not answer" in pack.problem
    assert "secret-name" not in pack.problem
    assert Occasion.objects.filter(key=f"pack:{pack.pk}:failed").exists()
    with pytest.raises(WrongState, match="could not be built"):
        packs.open_for_download(actor=made.told.auditor.actor, pack_id=pack.pk)


def test_a_stored_pack_that_was_changed_or_lost(made: Made) -> None:
    pack = done(asked(made))
    path = put(made.folder / "packs", b"another archive")
    with pytest.raises(store.PackAltered, match="kept from you"):
        packs.open_for_download(actor=made.told.auditor.actor, pack_id=pack.pk)
    path.unlink()
    with pytest.raises(store.PackLost, match="Build a new pack"):
        packs.open_for_download(actor=made.told.auditor.actor, pack_id=pack.pk)
    assert not AuditPackDownload.objects.filter(pack=pack).exists()


# Workers


class Killed(BaseException):
    """As SIGKILL would: nothing of the program's own runs afterwards."""


def test_a_killed_worker(made: Made, monkeypatch: pytest.MonkeyPatch, sent: list[tuple[str, dict[str, Any]]]) -> None:
    pack = asked(made)
    sent.clear()
    monkeypatch.setattr(packs, "_PATIENCE", timedelta(0))
    for name in ("typeset", "notify", "typeset"):

        def killed(*_: object, **__: object) -> None:
            raise Killed

        with monkeypatch.context() as patch:
            patch.setattr(building, name, killed)
            with pytest.raises(Killed):
                building.build(pack_id=pack.pk)
        pack.refresh_from_db()
        assert pack.state == PackState.BUILDING
        assert packs.sweep() == [pack.pk]
    assert ("governance.build_pack", {"pack_id": pack.pk}) in sent
    assert done(pack).state == PackState.FAILED
    assert "was lost 3 times" in pack.problem
    second = asked(made)
    with monkeypatch.context() as patch:
        patch.setattr(building, "notify", killed)
        with pytest.raises(Killed):
            building.build(pack_id=second.pk)
    # Its file was stored, and is replaced by that of the next attempt.
    second.refresh_from_db()
    left = second.storage_name
    assert store.storage().exists(left)
    assert done(second).state == PackState.READY
    assert (second.attempts, store.storage().exists(left)) == (2, False)


def test_nobody_builds_what_somebody_builds(made: Made) -> None:
    pack = asked(made)

    held, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        with advisory_lock(building.lock_name(pack.pk)):
            held.set()
            go_on.wait(20)
        connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(20)
    try:
        assert building.build(pack_id=pack.pk) is None
        assert packs.sweep() == []
    finally:
        go_on.set()
        thread.join()
    assert done(pack).state == PackState.READY


def test_an_asker_who_lost_his_role(made: Made) -> None:
    auditor = person(Role.AUDITOR)
    pack = packs.request_pack(actor=auditor.actor, wanted=about(made.told))
    people.revoke(actor=made.told.people.admin.actor, role=Role.AUDITOR, to=auditor)
    assert done(pack).state == PackState.FAILED
    assert "auditor" in pack.problem


def test_who_lost_his_role_reads_of_no_pack_in_his_notifications(made: Made) -> None:
    auditor = person(Role.AUDITOR)
    assert done(packs.request_pack(actor=auditor.actor, wanted=about(made.told))).state == PackState.READY
    telling.tell_due()
    told = Notification.objects.filter(person=auditor)
    assert [one.about for one in told] == ["pack"]
    assert notifications.concealed(auditor.actor, told) == set()
    people.revoke(actor=made.told.people.admin.actor, role=Role.AUDITOR, to=auditor)
    assert notifications.concealed(User.objects.get(pk=auditor.pk).actor, told) == {told[0].pk}


# Taking it away, and its end


def test_a_download_is_written_down(made: Made) -> None:
    auditor = made.told.auditor.actor
    pack, file = packs.open_for_download(actor=auditor, pack_id=made.pack.pk)
    with file:
        assert file.read() == made.archive
    last = AuditPackDownload.objects.filter(pack=pack).latest("pk")
    assert last.person == made.told.auditor
    entry = AuditEvent.objects.of_object("governance_auditpackdownload", last.pk).get()
    assert (entry.actor, entry.reason) == (auditor.label, "download an audit pack")
    with pytest.raises(NotFound):
        packs.open_for_download(actor=made.told.people.officer.actor, pack_id=pack.pk)


@pytest.mark.parametrize(
    "values",
    [
        {"sha256": "0" * 64},
        {"is_sound": False},
        {"state": PackState.BUILDING},
        {"left_out": [{"what": "x", "why": "y"}]},
        {"requested_at": timezone.now()},
        {"scope": PackScope.PERIOD},
        {"expires_at": timezone.now() + timedelta(days=3650)},
    ],
)
def test_the_database_keeps_what_was_built(made: Made, values: dict[str, Any]) -> None:
    pack = AuditPack.objects.filter(state=PackState.READY).earliest("pk")
    with pytest.raises(IntegrityError), transaction.atomic():
        AuditPack.objects.filter(pk=pack.pk).update(**values)


def test_the_database_keeps_rows(made: Made) -> None:
    for rows in (AuditPack.objects.all(), AuditPackDownload.objects.all()):
        with pytest.raises(Exception, match=r"kept|append-only|removed|not"), transaction.atomic():
            rows._raw_delete("default")


def test_a_store_that_is_down_while_it_is_removed(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    pack = done(asked(made))
    with monkeypatch.context() as patch:
        patch.setattr(type(store.storage()), "_open", down)
        with pytest.raises(Unavailable):
            packs.open_for_download(actor=made.told.auditor.actor, pack_id=pack.pk)
    with monkeypatch.context() as patch:
        patch.setattr(type(store.storage()), "delete", down)
        packs.remove(actor=made.told.auditor.actor, pack_id=pack.pk)
    assert store.storage().exists(pack.storage_name)
    packs.sweep()
    assert not store.storage().exists(pack.storage_name)


def test_it_expires_and_is_removed(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    auditor = made.told.auditor.actor
    old, other = done(asked(made)), done(asked(made))
    with pytest.raises(Forbidden):
        packs.remove(actor=made.told.people.admin.actor, pack_id=other.pk)
    packs.remove(actor=auditor, pack_id=other.pk)
    other.refresh_from_db()
    assert (other.state, other.removed_by) == (PackState.REMOVED, auditor.label)
    with pytest.raises(WrongState, match="is gone"):
        packs.remove(actor=auditor, pack_id=other.pk)
    later = timezone.now() + timedelta(days=31)
    monkeypatch.setattr(packs.timezone, "now", lambda: later)
    with pytest.raises(WrongState, match="is gone"):
        packs.open_for_download(actor=auditor, pack_id=old.pk)
    packs.sweep()
    old.refresh_from_db()
    assert old.state == PackState.EXPIRED
    for pack in (old, other):
        assert not store.storage().exists(pack.storage_name)
