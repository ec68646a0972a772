"""Anchors: what they cover, and that nothing they cover can still change; two at once, killed, and storage away."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from hashlib import sha256
from io import StringIO
from pathlib import Path
from typing import Any

import jwt
import psycopg
import pytest
from django.core.files.base import ContentFile
from django.core.management import CommandError, call_command

from governance.models import AuditAnchor, AuditEvent
from governance.selectors import audit
from governance.selectors.anchors import read, stored_numbers
from governance.services import anchors
from governance.services.anchors import AnchorConflict, Claims, anchor
from governance.services.signing import jwks
from governance.services.verification import verify
from governance.tasks import anchor_audit_trail
from portal.core.errors import Forbidden, NotFound, Unavailable
from portal.core.locks import advisory_lock
from portal.core.write_once import WriteOnceStorage
from tests.factories.people import SYSTEM, person
from tests.refusals import refused, sql
from tests.sandbox import ROOT

from .anchored import Anchored, owner
from .test_concurrency import at_once


@pytest.fixture
def trail(committed_db: str, anchor_folder: Path) -> Anchored:
    """A committed trail without any anchor."""
    found = Anchored(anchor_folder)
    found.grow("one")
    return found


def test_an_anchor_says_what_the_trail_holds(trail: Anchored) -> None:
    first = trail.anchored()
    assert (first.number, first.total_rows, first.total_chains) == (1, first.rows, first.chains)
    # Making the first signing key is an entry as well, and a later one than those it signs.
    covered = AuditEvent.objects.filter(sequence__lte=first.last_sequence)
    assert first.rows == covered.count()
    assert first.chains == covered.values("chain").distinct().count()
    trail.grow("two")
    second = trail.anchored()
    assert (second.number, second.first_sequence) == (2, first.last_sequence + 1)
    assert second.total_rows == first.rows + second.rows
    assert stored_numbers() == [1, 2]
    found = verify()
    assert (found.problem, found.anchors, found.anchor, found.anchored_to) == ("", 2, 2, second.last_sequence)
    assert found.rows == AuditEvent.objects.count()
    assert found.verified_to == AuditEvent.objects.latest("sequence").sequence


def test_an_anchor_can_be_checked_without_the_portal(trail: Anchored) -> None:
    """By its file, the public keys and the hashes of the entries, all of which the API gives away."""
    row = trail.anchored()
    text = trail.file(1).read_text()
    kid = jwt.get_unverified_header(text)["kid"]
    [key] = [key for key in jwks()["keys"] if key["kid"] == kid]
    claims = jwt.decode(text, jwt.PyJWK(key), algorithms=[key["alg"]])
    covered = AuditEvent.objects.filter(sequence__range=(claims["first"], claims["last"])).order_by("sequence")
    assert claims["digest"] == anchors_digest([(event.sequence, bytes(event.hash)) for event in covered])
    assert (claims["rows"], claims["previous"]) == (len(covered), "")
    trail.grow("two")
    trail.anchored()
    assert jwt.decode(trail.file(2).read_text(), options={"verify_signature": False})["previous"] == row.file_sha256


def anchors_digest(entries: list[tuple[int, bytes]]) -> str:
    return sha256(b"".join(number.to_bytes(8, "big") + digest for number, digest in entries)).hexdigest()


def test_an_idle_trail_gets_no_anchor(trail: Anchored) -> None:
    """The entry about an anchor is no reason for the next one, or there would be one every ten minutes for ever."""
    trail.anchored()
    anchor(actor=SYSTEM)  # the signing key, made for the first
    for _ in range(3):
        assert anchor(actor=SYSTEM) is None
    before = AuditAnchor.objects.count()
    anchor_audit_trail()
    assert AuditAnchor.objects.count() == before
    trail.grow("two")
    anchor_audit_trail()
    assert AuditAnchor.objects.count() == before + 1
    assert verify().problem == ""


def test_a_long_trail_is_anchored_in_portions(trail: Anchored, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "BATCH", 50)
    made = trail.anchored()
    assert made.number == AuditAnchor.objects.count() > 3
    assert max(AuditAnchor.objects.values_list("rows", flat=True)) == 50
    assert verify().problem == ""
    assert verify(since=2).rows == AuditEvent.objects.count() - 100


# --- entries that become visible late


def test_an_entry_that_took_its_number_early_and_commits_late_is_covered(trail: Anchored, committed_db: str) -> None:
    """Somebody's transaction takes a number, others commit higher ones, an anchor is made: it waits for the first."""
    with psycopg.connect(committed_db) as late:
        late.execute("INSERT INTO registry_lineofbusiness (name) VALUES ('Late')")
        [number] = late.execute("SELECT max(sequence) FROM governance_auditevent").fetchone() or [None]
        trail.grow("two")
        assert AuditEvent.objects.latest("sequence").sequence > number
        assert not AuditEvent.objects.filter(sequence=number).exists(), "it is not to be seen yet"
        assert anchor(actor=SYSTEM, patience=0.3) is None
        assert stored_numbers() == []
        made: list[Any] = []
        waiting = threading.Thread(target=lambda: made.extend(at_once(lambda: anchor(actor=SYSTEM))))
        waiting.start()
        time.sleep(0.3)
        assert not made, "an anchor was made over an entry that could still appear"
        late.commit()
        waiting.join(20)
    [found] = made
    assert isinstance(found, AuditAnchor), found
    assert found.first_sequence <= number <= found.last_sequence
    assert verify().problem == ""


def test_an_entry_that_is_rolled_back_leaves_a_gap_and_no_harm(trail: Anchored, committed_db: str) -> None:
    with psycopg.connect(committed_db) as undone:
        undone.execute("INSERT INTO registry_lineofbusiness (name) VALUES ('Undone')")
        trail.grow("two")
        undone.rollback()
    trail.anchored()
    assert verify().problem == ""


def test_reading_the_trail_keeps_no_anchor_waiting(trail: Anchored, committed_db: str) -> None:
    with psycopg.connect(committed_db) as reader:
        reader.execute("SELECT count(*) FROM governance_auditevent")
        assert anchor(actor=SYSTEM, patience=0) is not None


def test_the_trail_grows_while_it_is_anchored_and_checked(trail: Anchored) -> None:
    """Writers, an anchoring worker and a check at the same time: never a false alarm."""
    ended = threading.Event()

    def write() -> None:
        for number in range(40):
            trail_of_one = Anchored(trail.folder)
            trail_of_one.grow(f"{threading.get_ident()}-{number}")

    def anchor_again_and_again() -> int:
        while not ended.is_set():
            anchor(actor=SYSTEM)
        return 0

    def check() -> list[str]:
        try:
            return [found.problem for found in [verify() for _ in range(12)] if found.problem]
        finally:
            ended.set()

    assert at_once(write, write, anchor_again_and_again, check)[3] == []
    anchor(actor=SYSTEM)
    assert verify().problem == ""
    assert AuditAnchor.objects.count() > 1


# --- two at once, killed, storage away


def test_two_workers_make_one_anchor(trail: Anchored) -> None:
    for word in ("two", "three", "four"):
        results = at_once(*[lambda: anchor(actor=SYSTEM)] * 3)
        assert not [result for result in results if isinstance(result, Exception)], results
        assert stored_numbers() == list(AuditAnchor.objects.order_by("number").values_list("number", flat=True))
        trail.grow(word)
    assert verify().problem == ""


def test_while_another_anchors_nothing_is_done(trail: Anchored) -> None:
    def busy() -> object:
        with advisory_lock("audit anchors") as held:
            assert held
            return at_once(lambda: anchor(actor=SYSTEM))[0]

    assert at_once(busy) == [None]
    assert stored_numbers() == []


def test_killed_between_file_and_index_the_next_lists_it(trail: Anchored, monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        pass

    def killed(*args: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(anchors, "_list", killed)
        with pytest.raises(Killed):
            anchor(actor=SYSTEM)
    assert (stored_numbers(), AuditAnchor.objects.count()) == ([1], 0)
    assert verify().problem == "", "a file that is not listed yet is true all the same"
    trail.grow("two")
    made = trail.anchored()
    assert made.number == 2
    assert list(AuditAnchor.objects.order_by("number").values_list("number", flat=True)) == [1, 2]
    assert verify().problem == ""


@pytest.mark.parametrize("moment", ["_store", "_list", "_settled"])
def test_killed_with_kill_9_it_leaves_nothing_wrong(trail: Anchored, committed_db: str, moment: str) -> None:
    """A process that stops where it is told, killed there, and then the work of the next one."""
    script = f"""
import os, sys, time, django
django.setup()
from django.conf import settings
from governance.services import anchors
from portal.core.actors import Actor
settings.STORAGES["anchors"] = {{"BACKEND": "portal.core.write_once.WriteOnceStorage", "OPTIONS": {{"location": {str(trail.folder)!r}}}}}
def stop(*args):
    print("here", flush=True)
    time.sleep(60)
anchors.{moment} = stop
anchors.anchor(actor=Actor.system("clock"))
"""
    env = {**os.environ, "DATABASE_URL": committed_db, "DJANGO_SETTINGS_MODULE": "portal.settings.test"}
    with subprocess.Popen(
        [sys.executable, "-c", script], cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "here\n"
        process.send_signal(signal.SIGKILL)
    _eventually(lambda: anchor(actor=SYSTEM))
    assert verify().problem == ""
    assert stored_numbers() == list(AuditAnchor.objects.order_by("number").values_list("number", flat=True))
    assert not [path for path in trail.folder.iterdir() if path.suffix != ".jwt"]


def _eventually(call: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while call() is None:
        assert time.monotonic() < deadline, "the lock of a killed process is still held"
        time.sleep(0.05)


def test_a_storage_that_does_not_answer_loses_nothing(trail: Anchored, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*args: object) -> None:
        raise ConnectionError("no route to the bucket")

    with monkeypatch.context() as patched:
        patched.setattr(WriteOnceStorage, "_save", away)
        with pytest.raises(Unavailable, match="no route"):
            anchor(actor=SYSTEM)
        patched.setattr(WriteOnceStorage, "listdir", away)
        with pytest.raises(Unavailable, match="no route"):
            verify()
        with pytest.raises(CommandError, match="no route") as refusal:
            call_command("verify_audit", stdout=StringIO())
        assert refusal.value.returncode == 2
    assert AuditAnchor.objects.count() == 0
    trail.anchored()
    assert verify().problem == ""


def test_a_database_set_back_to_an_earlier_day_is_named(anchored: Anchored) -> None:
    """Restored from a copy: the storage has what the database lost, the index takes it back, the check names it."""
    second = AuditAnchor.objects.get(number=2)
    with owner():
        sql("DELETE FROM governance_auditevent WHERE sequence > %s", second.last_sequence)
        sql("DELETE FROM governance_auditanchor WHERE number > 2")
    anchor(actor=SYSTEM)
    assert AuditAnchor.objects.filter(number=3).exists()
    found = verify()
    assert (found.first_bad_anchor, found.first_bad_sequence) == (3, None)
    assert "missing" in found.problem


def test_anchors_of_another_database_are_refused_and_left_alone(anchored: Anchored) -> None:
    with owner():
        sql("TRUNCATE governance_auditevent RESTART IDENTITY")
        sql("TRUNCATE governance_auditanchor")
    _replace_with_stranger(anchored)
    anchored.grow("new")
    with pytest.raises(AnchorConflict, match="anchor 1"):
        anchor(actor=SYSTEM)
    assert stored_numbers() == [1, 2, 3]
    assert AuditAnchor.objects.count() == 0


def _replace_with_stranger(trail: Anchored) -> None:
    """Anchors that a portal with other keys made."""
    trail.file(1).unlink()
    trail.file(1).write_text("e30.e30.e30")


# --- recent entries only, and who may


def test_a_check_of_what_is_new_reads_only_that(anchored: Anchored) -> None:
    whole = verify()
    recent = verify(since=2)
    assert recent.problem == ""
    assert recent.rows == whole.rows - AuditAnchor.objects.get(number=2).total_rows
    assert (recent.anchors, recent.anchor, recent.verified_to) == (2, 3, whole.verified_to)
    old = anchored.chain()[0]
    new = anchored.chain()[-1]
    with owner():
        sql("UPDATE governance_auditevent SET reason = 'x' WHERE sequence = %s", old.sequence)
    assert verify(since=2).is_intact, "it says nothing of what it did not read"
    assert verify().first_bad_sequence == old.sequence
    with owner():
        sql("UPDATE governance_auditevent SET reason = 'x' WHERE sequence = %s", new.sequence)
    assert verify(since=2).first_bad_sequence == new.sequence


def test_a_new_entry_must_continue_what_was_checked_before(anchored: Anchored) -> None:
    rows = anchored.chain()
    last = AuditAnchor.objects.get(number=3).last_sequence
    before = [row for row in rows if row.sequence <= last][-1]
    after = next(row for row in rows if row.sequence > last)
    with owner():
        sql("DELETE FROM governance_auditevent WHERE sequence = %s", before.sequence)
    assert verify(since=3).first_bad_sequence == after.sequence


@pytest.mark.parametrize("number", [0, 4, 10**17])
def test_an_anchor_that_never_was(anchored: Anchored, number: int) -> None:
    with pytest.raises(NotFound):
        verify(since=number)
    with pytest.raises(CommandError) as refusal:
        call_command("verify_audit", "--since-anchor", str(number), stdout=StringIO())
    assert refusal.value.returncode == 2


def test_the_command_says_what_it_read(anchored: Anchored) -> None:
    out = StringIO()
    call_command("verify_audit", stdout=out)
    assert f"{AuditEvent.objects.count()} rows" in out.getvalue()
    assert "3 anchors" in out.getvalue()
    out = StringIO()
    call_command("verify_audit", "--since-anchor", "2", stdout=out)
    assert "behind anchor 2" in out.getvalue()
    out = StringIO()
    anchored.grow("five")
    call_command("anchor_audit", stdout=out)
    assert "Anchor 4" in out.getvalue()


def test_who_may_not_read_the_trail_anchors_nothing(trail: Anchored) -> None:
    with pytest.raises(Forbidden):
        anchor(actor=person().actor)
    assert stored_numbers() == []


def test_the_index_is_kept(anchored: Anchored) -> None:
    for statement in ("UPDATE governance_auditanchor SET rows = 1", "DELETE FROM governance_auditanchor"):
        with refused("append_only"):
            sql(statement)
    with refused("append_only"):
        sql("TRUNCATE governance_auditanchor")


def test_a_file_is_written_once(tmp_path: Path) -> None:
    storage = WriteOnceStorage(location=tmp_path)
    assert storage.save("a.jwt", ContentFile(b"one")) == "a.jwt"
    with pytest.raises(FileExistsError):
        storage.save("a.jwt", ContentFile(b"two"))
    with pytest.raises(PermissionError):
        storage.delete("a.jwt")
    assert [path.name for path in tmp_path.iterdir()] == ["a.jwt"]
    assert (tmp_path / "a.jwt").read_bytes() == b"one"


def test_claims_keep_their_shape(anchored: Anchored) -> None:
    """What is signed is read by others for years: names are only ever added."""
    claims = jwt.decode(read(1) or "", options={"verify_signature": False})
    assert set(claims) == set(Claims.__dataclass_fields__)
    assert {
        *("number", "previous", "first", "last", "rows", "chains", "total_rows", "total_chains", "digest", "iat", "iss")
    } == set(claims)
