"""One decision - lock, guard, write, audit, outbox, next stage - with few versions present and with many.

    make bench NAME=decision ARGS="--large 20000 --audit-rows 200000"

With 1,000 versions first, then with 100,000 versions and 1,000,000 entries of the audit trail. With the same data it
then asks for the whole stage table as of a moment between the two, and checks every entry of the trail. Prints the
figures in words and ends with one JSON line: decision_ms_small and decision_ms_large (medians), as_of_s,
verify_rows_per_s, and how much of everything was present. Exits with 1 when a figure misses its limit: 25 ms for a
decision and 1.5 times the small figure, 1 s for the table, 30 s for a million entries.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections import deque
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import django

django.setup()

from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction

from benchmarks.as_of import database_clock, multiply
from benchmarks.audit import seed
from governance.choices import Verdict
from governance.models import AuditEvent
from governance.selectors.as_of import past_rows, stage_table_as_of
from governance.services import approvals, verification
from governance.services.anchors import anchor
from portal.core.actors import Actor
from registry.models import ModelVersion
from tests import factories
from tests.factories import Cast

SYSTEM = Actor.system("bench")
DECISION_MS, RATIO, AS_OF_S, VERIFY_ROWS_PER_S = 25.0, 1.5, 1.0, 1_000_000 / 30


def register(template: ModelVersion, first: int, count: int) -> None:
    """Have `count` more versions, and the database know of them."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('app.verb', 'register', true), set_config('app.actor', 'system:bench', true)")
        multiply(template, first, count)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def decisions_ms(people: Cast, versions: list[ModelVersion]) -> list[float]:
    """Submit each version, then time the model owner's approval of it, in milliseconds."""
    taken = []
    for version in versions:
        request = approvals.submit(actor=people.scientist.actor, subject_type=ModelVersion, subject_id=version.pk)
        begun = time.perf_counter()
        approvals.decide(actor=people.owner.actor, request_id=request.pk, verdict=Verdict.APPROVE)
        taken.append((time.perf_counter() - begun) * 1000)
    return taken


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", type=int, default=1_000, help="versions present for the first figure")
    parser.add_argument("--large", type=int, default=100_000, help="versions present for the second figure")
    parser.add_argument("--audit-rows", type=int, default=1_000_000, help="entries of the trail for the second figure")
    parser.add_argument("--rounds", type=int, default=200, help="decisions timed for each figure")
    arguments = parser.parse_args()
    call_command("migrate", verbosity=0)
    with tempfile.TemporaryDirectory() as folder:
        options = {"BACKEND": "portal.core.write_once.WriteOnceStorage", "OPTIONS": {"location": folder}}
        settings.STORAGES = {**settings.STORAGES, "anchors": options}
        figures = measure(arguments)
    print(json.dumps(figures))
    return int(
        figures["decision_ms_large"] >= DECISION_MS
        or figures["ratio"] > RATIO
        or figures["as_of_s"] >= AS_OF_S
        or figures["verify_rows_per_s"] < VERIFY_ROWS_PER_S
    )


def measure(arguments: argparse.Namespace) -> dict[str, float]:
    """Make the data, time what is asked, and return the figures."""
    project, elsewhere = factories.project(), factories.project()
    people = factories.cast(project, elsewhere)
    group = factories.group(project, people, factories.use_case(people, project))
    template = factories.version(group)
    figures: dict[str, float] = {}
    present = 1
    moment = database_clock()
    for name, size, entries in (("small", arguments.small, 0), ("large", arguments.large, arguments.audit_rows)):
        begun = time.perf_counter()
        register(template, present + 1, size - present)
        moment = database_clock()
        if entries:
            seed(entries)
            with connection.cursor() as cursor:
                cursor.execute("VACUUM ANALYZE")
        present = size
        numbers = range(size - arguments.rounds + 1, size + 1)
        versions = list(ModelVersion.objects.filter(group=group, number__in=numbers))
        seeded, rows = time.perf_counter() - begun, AuditEvent.objects.count()
        taken = decisions_ms(people, versions)
        figures[key := f"decision_ms_{name}"] = round(statistics.median(taken), 2)
        print(
            f"{size:>9,} versions, {rows:>9,} audit rows: {figures[key]:6.2f} ms a decision, median of {len(taken)}"
            f" (a tenth took more than {statistics.quantiles(taken, n=10)[-1]:.2f} ms; seeded in {seeded:.0f} s)",
            flush=True,
        )
    figures["ratio"] = round(figures["decision_ms_large"] / figures["decision_ms_small"], 2)
    return {**figures, **past(moment), **verified(), "versions": present, "audit_rows": AuditEvent.objects.count()}


def past(moment: object) -> dict[str, float]:
    """Time the whole stage table as it stood before the last decisions, every row of it made in Python."""
    taken = []
    for _ in range(5):
        begun = time.perf_counter()
        deque(past_rows(stage_table_as_of(SYSTEM, moment)), 0)
        taken.append(time.perf_counter() - begun)
    rows = stage_table_as_of(SYSTEM, moment).count()
    print(f"{rows:>9,} rows of the stage table as of a past moment in {statistics.median(taken):.3f} s (median of 5)")
    return {"as_of_s": round(statistics.median(taken), 3)}


def verified() -> dict[str, float]:
    """Anchor the trail, then time the check of every entry and every anchor."""
    anchor(actor=SYSTEM)
    begun = time.perf_counter()
    found = verification.verify()
    taken = time.perf_counter() - begun
    assert found.is_intact, found.problem
    print(f"{found.rows:>9,} audit rows and {found.anchors} anchors checked in {taken:.2f} s")
    return {"verify_rows_per_s": round(found.rows / taken)}


if __name__ == "__main__":
    sys.exit(main())
