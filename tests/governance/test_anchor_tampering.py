"""What somebody who owns the tables, or the folder of the anchors, can do to the trail: each is found and named."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import StringIO

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from django.core.management import CommandError, call_command
from django.db import connection

from governance.models import AuditAnchor, AuditEvent, SigningKey
from governance.services import signing
from governance.services.anchors import TYPE, Claims
from governance.services.verification import verify
from tests.factories.people import SYSTEM
from tests.refusals import sql

from .anchored import Anchored, owner, rehash

Tamper = Callable[[Anchored], tuple[int | None, int | None]]


def altered(trail: Anchored) -> tuple[int | None, int | None]:
    row = trail.chain()[1]
    sql("UPDATE governance_auditevent SET actor = 'user:other' WHERE sequence = %s", row.sequence)
    return row.sequence, None


def altered_and_hashed_anew(trail: Anchored) -> tuple[int | None, int | None]:
    """One entry: the next of its chain no longer continues it."""
    rows = trail.chain()
    sql("UPDATE governance_auditevent SET actor = 'user:other' WHERE sequence = %s", rows[1].sequence)
    sql(
        """UPDATE governance_auditevent SET hash = governance_audit_digest(previous_hash, chain, at, transaction,
           database_user, actor, reason, correlation, "table", object_id, action, changes) WHERE sequence = %s""",
        rows[1].sequence,
    )
    return rows[2].sequence, _covering(rows[1].sequence)


def history_written_anew(trail: Anchored) -> tuple[int | None, int | None]:
    """The whole chain hashed anew: each entry fits, and only the anchors know better."""
    rows = trail.chain()
    sql("UPDATE governance_auditevent SET actor = 'user:other' WHERE sequence = %s", rows[1].sequence)
    rehash(rows[0].chain)
    return None, _covering(rows[1].sequence)


def middle_row_deleted(trail: Anchored) -> tuple[int | None, int | None]:
    rows = trail.chain()
    sql("DELETE FROM governance_auditevent WHERE sequence = %s", rows[1].sequence)
    return rows[2].sequence, _covering(rows[1].sequence)


def end_of_a_chain_deleted(trail: Anchored) -> tuple[int | None, int | None]:
    rows = trail.chain()
    last = AuditAnchor.objects.latest("number")
    inside = [row for row in rows if row.sequence <= last.last_sequence]
    sql("DELETE FROM governance_auditevent WHERE chain = %s AND sequence >= %s", rows[0].chain, inside[-1].sequence)
    return None, _covering(inside[-1].sequence)


def end_of_the_trail_deleted(trail: Anchored) -> tuple[int | None, int | None]:
    second = AuditAnchor.objects.get(number=2)
    sql("DELETE FROM governance_auditevent WHERE sequence > %s", second.last_sequence - 1)
    return None, 2


def whole_chain_deleted(trail: Anchored) -> tuple[int | None, int | None]:
    rows = trail.chain(1)
    sql("DELETE FROM governance_auditevent WHERE chain = %s", rows[0].chain)
    return None, _covering(rows[0].sequence)


def truncated(trail: Anchored) -> tuple[int | None, int | None]:
    sql("TRUNCATE governance_auditevent")
    return None, 1


def truncated_and_begun_anew(trail: Anchored) -> tuple[int | None, int | None]:
    """Also the index emptied, the numbers begun anew, and new entries written: the storage remembers."""
    sql("TRUNCATE governance_auditevent RESTART IDENTITY")
    sql("TRUNCATE governance_auditanchor")
    sql("INSERT INTO registry_lineofbusiness (name) SELECT 'New ' || n FROM generate_series(1, 200) n")
    return None, 1


def row_put_in(trail: Anchored) -> tuple[int | None, int | None]:
    """A chain of one entry, true in itself, at a number that a rolled back transaction left free."""
    free = AuditAnchor.objects.get(number=2).last_sequence
    sql("UPDATE governance_auditevent SET sequence = -sequence WHERE sequence = %s", free)
    return -free, 1


def rows_exchanged(trail: Anchored) -> tuple[int | None, int | None]:
    """Two entries of different chains at each other's numbers: every chain still holds."""
    one, other = trail.chain(0)[-2], trail.chain(1)[-2]
    assert one.sequence < other.sequence
    sql("UPDATE governance_auditevent SET sequence = 0 WHERE sequence = %s", one.sequence)
    sql("UPDATE governance_auditevent SET sequence = %s WHERE sequence = %s", one.sequence, other.sequence)
    sql("UPDATE governance_auditevent SET sequence = %s WHERE sequence = 0", other.sequence)
    return None, _covering(one.sequence)


def file_removed(trail: Anchored) -> tuple[int | None, int | None]:
    trail.file(2).unlink()
    return None, 2


def newest_file_removed(trail: Anchored) -> tuple[int | None, int | None]:
    trail.file(3).unlink()
    return None, 3


def all_files_removed(trail: Anchored) -> tuple[int | None, int | None]:
    for number in (1, 2, 3):
        trail.file(number).unlink()
    trail.folder.rmdir()
    return None, 1


def file_and_index_removed(trail: Anchored) -> tuple[int | None, int | None]:
    trail.file(2).unlink()
    sql("DELETE FROM governance_auditanchor WHERE number = 2")
    return None, 2


def files_exchanged(trail: Anchored) -> tuple[int | None, int | None]:
    one, two = (trail.file(number).read_text() for number in (1, 2))
    _replace(trail, 1, two)
    _replace(trail, 2, one)
    return None, 1


def file_replaced_by_an_older_one(trail: Anchored) -> tuple[int | None, int | None]:
    _replace(trail, 3, trail.file(2).read_text())
    return None, 3


def file_cut_short(trail: Anchored) -> tuple[int | None, int | None]:
    _replace(trail, 2, trail.file(2).read_text()[:-10])
    return None, 2


def file_of_rubbish(trail: Anchored) -> tuple[int | None, int | None]:
    trail.file(1).unlink()
    trail.file(1).write_bytes(b"\xff\x00rubbish")
    return None, 1


def signature_forged(trail: Anchored) -> tuple[int | None, int | None]:
    """Another key under the portal's name for its own."""
    text = trail.file(3).read_text()
    forged = jwt.encode(
        {**_claims(text), "rows": 1},
        generate_private_key(SECP256R1()),
        algorithm="ES256",
        headers={"typ": TYPE, "kid": jwt.get_unverified_header(text)["kid"]},
    )
    _replace(trail, 3, forged)
    return None, 3


def key_of_ones_own(trail: Anchored) -> tuple[int | None, int | None]:
    text = trail.file(2).read_text()
    headers = {"typ": TYPE, "kid": "mine"}
    _replace(trail, 2, jwt.encode(_claims(text), generate_private_key(SECP256R1()), algorithm="ES256", headers=headers))
    return None, 2


def unsigned(trail: Anchored) -> tuple[int | None, int | None]:
    _replace(trail, 3, jwt.encode(_claims(trail.file(3).read_text()), None, algorithm="none", headers={"typ": TYPE}))
    return None, 3


def signed_for_something_else(trail: Anchored) -> tuple[int | None, int | None]:
    """The portal signs other things than anchors with the same key."""
    _replace(trail, 3, signing.sign(_claims(trail.file(3).read_text()), typ="gate+jwt"))
    return None, 3


def signed_anew_with_the_portals_key(trail: Anchored) -> tuple[int | None, int | None]:
    """Whoever has the key can sign, but not give the file the hash that its successor names."""
    claims = _claims(trail.file(2).read_text())
    _replace(trail, 2, signing.sign({**claims, "rows": int(claims["rows"]) - 1}, typ=TYPE))
    return None, 2


def signed_without_saying_anything(trail: Anchored) -> tuple[int | None, int | None]:
    _replace(trail, 3, signing.sign({"number": 3}, typ=TYPE))
    return None, 3


def index_row_removed(trail: Anchored) -> tuple[int | None, int | None]:
    sql("DELETE FROM governance_auditanchor WHERE number = 2")
    return None, 2


def index_emptied(trail: Anchored) -> tuple[int | None, int | None]:
    sql("TRUNCATE governance_auditanchor")
    return None, 1


def index_row_altered(trail: Anchored) -> tuple[int | None, int | None]:
    sql("UPDATE governance_auditanchor SET digest = repeat('0', 64) WHERE number = 2")
    return None, 2


def everything_signed_is_another_keys(trail: Anchored) -> tuple[int | None, int | None]:
    """The key rows exchanged: the newest anchor names a key the portal does not have any more."""
    with_guard = "governance_signingkey"
    sql(f"ALTER TABLE {with_guard} DISABLE TRIGGER USER")
    sql("UPDATE governance_signingkey SET kid = 'exchanged'")
    for (name,) in _triggers(with_guard):
        sql(f"ALTER TABLE {with_guard} ENABLE ALWAYS TRIGGER {name}")
    return None, 1


TAMPERINGS: list[Tamper] = [
    altered,
    altered_and_hashed_anew,
    history_written_anew,
    middle_row_deleted,
    end_of_a_chain_deleted,
    end_of_the_trail_deleted,
    whole_chain_deleted,
    truncated,
    truncated_and_begun_anew,
    row_put_in,
    rows_exchanged,
    file_removed,
    newest_file_removed,
    all_files_removed,
    file_and_index_removed,
    files_exchanged,
    file_replaced_by_an_older_one,
    file_cut_short,
    file_of_rubbish,
    signature_forged,
    key_of_ones_own,
    unsigned,
    signed_for_something_else,
    signed_anew_with_the_portals_key,
    signed_without_saying_anything,
    index_row_removed,
    index_emptied,
    index_row_altered,
    everything_signed_is_another_keys,
]


@pytest.mark.parametrize("tamper", TAMPERINGS, ids=lambda tamper: tamper.__name__)
def test_it_is_found_and_named(anchored: Anchored, tamper: Tamper) -> None:
    assert verify().problem == ""
    with owner():
        row, anchor = tamper(anchored)
    found = verify()
    assert not found.is_intact
    assert (found.first_bad_sequence, found.first_bad_anchor) == (row, anchor), found.problem
    out = StringIO()
    with pytest.raises(CommandError) as refusal:
        call_command("verify_audit", "--json", stdout=out)
    assert refusal.value.returncode == 1
    told = json.loads(out.getvalue())
    assert (told["first_bad_sequence"], told["first_bad_anchor"], told["is_intact"]) == (row, anchor, False)
    if row is not None:
        assert f"Row {row} " in found.problem
    if anchor is not None:
        assert f"nchor {anchor}" in found.problem


def test_a_revoked_key_is_vouched_for_by_the_next_anchor(anchored: Anchored) -> None:
    """What it signed before is known by its hash; what it signs alone is worth nothing."""
    signing.revoke(actor=SYSTEM, kid=SigningKey.objects.get(state="active").kid, reason="Found in a log.")
    found = verify()
    assert found.first_bad_anchor == 1
    assert "Found in a log." in found.problem
    anchored.anchored()
    assert verify().problem == ""
    _replace(anchored, 2, anchored.file(2).read_text()[:-8] + "AAAAAAAA")
    # The one replaced, and the one that only it vouched for.
    assert verify().first_bad_anchor == 1


def test_a_retired_key_still_counts(anchored: Anchored) -> None:
    signing.rotate(actor=SYSTEM)
    assert verify().problem == ""
    anchored.anchored()
    assert verify().problem == ""


def _covering(sequence: int) -> int:
    return AuditAnchor.objects.get(first_sequence__lte=sequence, last_sequence__gte=sequence).number


def _claims(text: str) -> dict[str, object]:
    claims: dict[str, object] = jwt.decode(text, options={"verify_signature": False})
    assert Claims.of(claims).rows > 0
    return claims


def _replace(trail: Anchored, number: int, text: str) -> None:
    trail.file(number).unlink()
    trail.file(number).write_text(text)


def _triggers(table: str) -> list[tuple[str]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tgname FROM pg_trigger WHERE tgrelid = %s::regclass AND NOT tgisinternal", [table])
        return cursor.fetchall()


def test_the_trail_used_here_is_worth_tampering_with(anchored: Anchored) -> None:
    rows = anchored.chain()
    assert len(rows) == 5
    assert {_covering(row.sequence) for row in rows[:4]} == {1, 2, 3}
    assert AuditEvent.objects.latest("sequence").sequence > AuditAnchor.objects.latest("number").last_sequence
