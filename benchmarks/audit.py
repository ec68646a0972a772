"""The audit trail with a million entries: how long it takes to anchor it, and to check every entry and every anchor.

    make bench NAME=audit ARGS="--rows 200000"

Seeds through the real triggers, with statements about many rows at once: messages to AWS, written, tried twice and
delivered. Prints the figures in words and ends with one JSON line: verify_rows_per_s, verify_s, verify_recent_s (what
is new since the last anchor), anchor_all_s, anchor_s (the usual one of a few entries), and how many entries and anchors
were present. Exits with 1 when the whole check takes longer than --limit seconds.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import django

django.setup()

from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction

from governance.models import AuditAnchor, AuditEvent
from governance.services import verification
from governance.services.anchors import anchor
from portal.core.actors import Actor
from tests import factories

SYSTEM = Actor.system("bench")
PORTION = 20_000
KEY = "arn:aws:sagemaker:us-east-1:111111111111:model-package/bench/"
_THESE = f"WHERE ordering_key IN (SELECT '{KEY}' || n FROM generate_series(%(first)s, %(last)s) n)"
STEPS = (
    f"""INSERT INTO governance_outboxmessage (kind, state, ordering_key, token, payload, summary, attempts,
                                              next_attempt_at, last_error, created_at)
        SELECT 'write_back', 'pending', '{KEY}' || n, gen_random_uuid(),
               jsonb_build_object('arn', '{KEY}' || n, 'approval_status', 'Approved', 'stage', 'Production',
                 'stage_status', 'Approved', 'description', 'AR-000001 by governance.officer under policy 1; ' || n),
               'Set the approval of bench version ' || n || ' to Approved', 0, now(), '', now()
          FROM generate_series(%(first)s, %(last)s) n""",
    f"UPDATE governance_outboxmessage SET attempts = 1, started_at = clock_timestamp() {_THESE}",
    f"""UPDATE governance_outboxmessage SET last_error = 'ThrottlingException: Rate exceeded (request ' || token || ')',
               next_attempt_at = clock_timestamp() + interval '30 seconds' {_THESE}""",
    f"UPDATE governance_outboxmessage SET attempts = 2, started_at = clock_timestamp() {_THESE}",
    f"""UPDATE governance_outboxmessage SET state = 'delivered', delivered_at = clock_timestamp(), last_error = ''
         {_THESE}""",
)


def seed(rows: int) -> None:
    """Fill the trail up to at least `rows` entries: messages to AWS as they are written, tried and delivered."""
    factories.project()
    written = 0
    while (missing := rows - _entries()) > 0:
        count = max(min(PORTION, missing // len(STEPS) + 1), 1)
        for step in STEPS:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(
                    "SELECT set_config('app.actor', 'system:bench', true), set_config('app.reason', 'seed', true),"
                    " set_config('app.correlation', %s, true)",
                    [uuid.uuid4().hex],
                )
                cursor.execute(step, {"first": written + 1, "last": written + count})
        if not written:
            # Without statistics the trigger finds the entry before by a bad plan, for the rest of the connection.
            with connection.cursor() as cursor:
                cursor.execute("ANALYZE")
            connection.close()
        written += count
        print(f"  {_entries():>9,} entries", flush=True)


def _entries() -> int:
    return AuditEvent.objects.count()


def timed(call: Callable[[], Any]) -> tuple[float, Any]:
    """Return how many seconds a call took, and what it returned."""
    begun = time.perf_counter()
    result = call()
    return time.perf_counter() - begun, result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="entries of the trail")
    parser.add_argument("--limit", type=float, default=30.0, help="seconds the whole check may take")
    arguments = parser.parse_args()
    call_command("migrate", verbosity=0)
    with tempfile.TemporaryDirectory() as folder:
        options = {"BACKEND": "portal.core.write_once.WriteOnceStorage", "OPTIONS": {"location": folder}}
        settings.STORAGES = {**settings.STORAGES, "anchors": options}
        figures = measure(arguments.rows)
    print(json.dumps(figures))
    sys.exit(1 if figures["verify_s"] > arguments.limit else 0)


def measure(rows: int) -> dict[str, float]:
    """Seed, anchor and check; returns the figures."""
    taken, _ = timed(lambda: seed(rows))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        cursor.execute("SELECT pg_size_pretty(pg_total_relation_size('governance_auditevent'))")
        [size] = cursor.fetchone() or [""]
    entries = _entries()
    print(f"{entries:>9,} entries, {size}, seeded in {taken:.0f} s")
    anchor_all, _ = timed(lambda: anchor(actor=SYSTEM))
    print(f"{AuditAnchor.objects.count():>9,} anchors over all of it in {anchor_all:.2f} s")
    factories.project()
    anchor_one, newest = timed(lambda: anchor(actor=SYSTEM))
    print(f"{newest.rows:>9,} new entries anchored in {anchor_one * 1000:.0f} ms")
    whole, found = timed(verification.verify)
    assert found.is_intact, found.problem
    print(f"{found.rows:>9,} entries in {found.chains:,} chains and {found.anchors} anchors checked in {whole:.2f} s")
    recent, found_recent = timed(lambda: verification.verify(since=newest.number))
    assert found_recent.is_intact, found_recent.problem
    print(f"{found_recent.rows:>9,} new entries checked in {recent * 1000:.0f} ms")
    return {
        "verify_rows_per_s": round(found.rows / whole),
        "verify_s": round(whole, 2),
        "verify_recent_s": round(recent, 3),
        "anchor_all_s": round(anchor_all, 2),
        "anchor_s": round(anchor_one, 3),
        "audit_rows": found.rows,
        "anchors": found.anchors,
    }


if __name__ == "__main__":
    main()
