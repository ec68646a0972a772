"""The stage governance table as of a past moment: every row of it, and its first page, with 100,000 versions.

    make bench NAME=as_of ARGS="--versions 20000"

Each version is registered, reports metrics and is approved in development, every fifth goes on to QA; after the moment
that is asked about its owner changes, monitoring reports come in and the use case is renamed. Prints the figures in
words and ends with one JSON line: as_of_s (the whole table, every row made in Python, as an export does), as_of_page_s
(its first page of 50), live_s (the table of today as bare tuples, to compare), and how many rows of table and history
that took. Exits with 1 when as_of_s is 1 s or more.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections import deque
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import django

django.setup()

from django.core.management import call_command
from django.db import connection, transaction

from governance.models import StageRecord
from governance.selectors.as_of import past_rows, stage_table_as_of
from governance.selectors.stage_table import stage_table
from portal.core.actors import Actor
from registry.models import ModelVersion
from tests import factories

LIMIT_S = 1.0
METRICS = '{"auc": 0.81, "ks": 0.42, "gini": 0.62, "psi": 0.03}'
RECORD = "(SELECT r.id FROM governance_stagerecord r WHERE r.version_id = v.id)"
ENTRY = """
INSERT INTO governance_stageevent (kind, version_id, record_id_copy, verb, stage, from_status, status, position_stage,
                                   position_status, request_id_copy, actor, reason, correlation, at)
SELECT 'model_version', r.version_id, r.id, '{verb}', r.stage, '{before}', r.status, v.stage, v.status, NULL, 'bench',
       '', 'bench', clock_timestamp()
  FROM governance_stagerecord r JOIN registry_modelversion v ON v.id = r.version_id WHERE r.stage = '{stage}'
"""
REPORTED = f"UPDATE governance_stagerecord SET validation_metrics = '{METRICS}', audit_at = now()"
APPROVED = """
UPDATE governance_stagerecord SET status = 'approved', audit_at = now(), audit_user = 'owner', revision = revision + 1
 WHERE status = 'pending'
"""
VERSION_APPROVED = "UPDATE registry_modelversion SET status = 'approved', revision = revision + 1"
# Every fifth version goes on to QA.
ADVANCED = """
UPDATE registry_modelversion SET stage = 'qa', status = 'pending', revision = revision + 1 WHERE number % 5 = 0
"""
OPENED = """
INSERT INTO governance_stagerecord (version_id, stage, status, validation_source, monitoring_endpoint, audit_at,
                                    audit_user, revision, approved_digest)
SELECT id, 'qa', 'pending', '', '', now(), 'bench', 1, '' FROM registry_modelversion WHERE number % 5 = 0
"""
WATCHED = """
UPDATE governance_stagerecord SET monitoring_metrics = '{"drift": 0.1}', monitoring_endpoint = 'e',
       monitoring_captured_at = now(), audit_at = now()
"""
Statements = tuple[tuple[str, str], ...]
# What happens in one transaction each: the verb that is announced, and the statement.
BEFORE: tuple[Statements, ...] = (
    (("", REPORTED),),
    (
        ("approve", APPROVED),
        ("approve", VERSION_APPROVED),
        ("", ENTRY.format(verb="approve", stage="development", before="pending")),
        ("advance", ADVANCED),
        ("register", OPENED),
        ("", ENTRY.format(verb="advance", stage="qa", before="")),
    ),
)
AFTER: tuple[Statements, ...] = (
    (("", "UPDATE registry_modelversion SET owner_name = 'somebody else'"),),
    (("", WATCHED),),
    (("", "UPDATE registry_usecase SET name = name || ' (renamed)'"),),
)


def multiply(template: ModelVersion, first: int, count: int) -> None:
    """Copy one version as the sync would have written it, ledger and all, `count` times from number `first` on."""
    with connection.cursor() as cursor:
        for table, key, replaced in (
            ("registry_modelversion", "id", {"arn": "t.arn || '/' || n", "number": "n"}),
            ("governance_stagerecord", "version_id", {"version_id": "v.id"}),
            ("governance_stageevent", "version_id", {"version_id": "v.id", "record_id_copy": RECORD}),
            ("registry_versionusecase", "version_id", {"version_id": "v.id"}),
        ):
            cursor.execute(
                "SELECT column_name FROM information_schema.columns WHERE table_name = %s AND column_name <> 'id'",
                [table],
            )
            columns = [row[0] for row in cursor.fetchall()]
            values = [replaced.get(column, f't."{column}"') for column in columns]
            versions = "" if key == "id" else " JOIN registry_modelversion v ON v.group_id = %(group)s AND v.number = n"
            cursor.execute(
                f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(values)} FROM {table} t"
                f" CROSS JOIN generate_series(%(first)s, %(last)s) n{versions} WHERE t.{key} = %(template)s",
                {
                    "first": first,
                    "last": first + count - 1,
                    "template": template.pk,
                    "group": template.group_id,
                },
            )


def happen(statements: Statements) -> None:
    """Carry out one step of every version's life in one transaction, which is one moment."""
    with transaction.atomic(), connection.cursor() as cursor:
        for verb, statement in statements:
            cursor.execute(
                "SELECT set_config('app.verb', %s, true), set_config('app.actor', 'system:bench', true)", [verb]
            )
            cursor.execute(statement)


def database_clock() -> datetime:
    """Return what time it is by the database's clock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        row = cursor.fetchone()
    assert row is not None
    return row[0]  # type: ignore[no-any-return]  # a row of the driver is untyped


def seconds(work: Callable[[], Any], rounds: int) -> float:
    """Return the median time the work takes."""
    taken = []
    for _ in range(rounds):
        begun = time.perf_counter()
        work()
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken)


def count_of(table: str) -> int:
    """Return how many rows a table has."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        row = cursor.fetchone()
    assert row is not None
    return int(row[0])


def plan(moment: datetime) -> str:
    """Return how the database answers for the whole table."""
    return str(stage_table_as_of(Actor.system("bench"), moment).explain(analyze=True, buffers=True))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--versions", type=int, default=100_000, help="versions present")
    parser.add_argument("--rounds", type=int, default=5, help="times each figure is taken; the median counts")
    parser.add_argument("--plan", action="store_true", help="print how the database answers")
    arguments = parser.parse_args()
    call_command("migrate", verbosity=0)
    project, elsewhere = factories.project(), factories.project()
    people = factories.cast(project, elsewhere)
    group = factories.group(project, people, factories.use_case(people, project))
    template = factories.version(group)
    begun = time.perf_counter()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('app.verb', 'register', true), set_config('app.actor', 'system:bench', true)")
        multiply(template, 2, arguments.versions - 1)
    for statements in BEFORE:
        happen(statements)
    moment = database_clock()
    for statements in AFTER:
        happen(statements)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    history = count_of("governance_history_stagerecord") + count_of("governance_history_modelversion")
    print(
        f"{arguments.versions:,} versions, {history:,} rows of history; seeded in {time.perf_counter() - begun:.0f} s"
    )
    actor = Actor.system("bench")
    rows = stage_table_as_of(actor, moment).count()
    figures: dict[str, float] = {
        "as_of_s": round(seconds(lambda: deque(past_rows(stage_table_as_of(actor, moment)), 0), arguments.rounds), 3),
        "as_of_page_s": round(seconds(lambda: list(stage_table_as_of(actor, moment)[:50]), arguments.rounds), 3),
        "live_s": round(seconds(lambda: list(stage_table(actor).values_list()), 1), 3),
        "versions": arguments.versions,
        "records": StageRecord.objects.count(),
        "rows": rows,
        "history_rows": history,
    }
    print(
        f"as of a past moment: {rows:,} rows in {figures['as_of_s']:.3f} s,"
        f" the first page in {figures['as_of_page_s']:.3f} s"
    )
    if arguments.plan:
        print(plan(moment))
    print(json.dumps(figures))
    return int(figures["as_of_s"] >= LIMIT_S)


if __name__ == "__main__":
    sys.exit(main())
