"""Many of everything in the database: copies of one world, as the services and the sync would have written them.

Not a benchmark itself: the benchmarks of pages and of the API ask a portal that has grown this large. Every row goes
through the same triggers as in production, so ledger, history and audit trail grow with it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import connection, transaction

from governance.choices import FindingKind
from governance.models import Finding
from governance.services import findings
from portal.core.operations import operation
from registry.models import ModelVersion
from tests.api.world import World, build
from tests.factories import version
from tests.factories.people import SYSTEM

from .as_of import BEFORE, happen

COPIED = "copied-"


@dataclass(frozen=True)
class Company:
    """The world that was multiplied, and how much of everything there is now."""

    world: World
    sizes: dict[str, int]


@contextmanager
def said(verb: str) -> Iterator[None]:
    """Do one thing in the name of the benchmark, in a transaction."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('app.verb', %s, true), set_config('app.actor', 'system:bench', true)", [verb])
        yield


def copy(table: str, template: int, source: str, replaced: Mapping[str, str], *, key: str = "id") -> int:
    """Insert one copy of a row for each row of `source`, a FROM item named `s`; returns how many.

    `replaced` maps columns to SQL over `t`, the template, and `s`; `key` names the column the template is found by.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = %s AND column_name <> 'id'"
            " AND is_generated = 'NEVER'",
            [table],
        )
        columns = [str(row[0]) for row in cursor.fetchall()]
        values = [replaced.get(column, f't."{column}"') for column in columns]
        names = ", ".join(f'"{column}"' for column in columns)
        cursor.execute(
            f"INSERT INTO {table} ({names}) SELECT {', '.join(values)} FROM {table} t CROSS JOIN {source}"
            f" WHERE t.{key} = %s",
            [template],
        )
        return int(cursor.rowcount)


def count_all() -> dict[str, int]:
    """Return how many rows the tables have that grow."""
    tables = {
        "use_cases": "registry_usecase",
        "groups": "registry_modelgroup",
        "versions": "registry_modelversion",
        "stage_records": "governance_stagerecord",
        "requests": "governance_approvalrequest",
        "findings": "governance_finding",
        "deployments": "registry_deployment",
        "evidence": "governance_evidence",
        "outbox": "governance_outboxmessage",
        "sync_runs": "registry_syncrun",
        "audit_events": "governance_auditevent",
    }
    found = {}
    with connection.cursor() as cursor:
        for name, table in tables.items():
            cursor.execute(f"SELECT count(*) FROM {table}")
            row = cursor.fetchone()
            assert row is not None
            found[name] = int(row[0])
    return found


def grow(versions: int) -> Company:
    """Build one world and multiply it until it has about this many versions, and the rest in proportion."""
    world = build()
    people = world.people
    template = version(world.group, 3, risk="Low", metadata={"validation_auc": "0.81"})
    with operation(SYSTEM):
        flagged = findings.observe(FindingKind.CARD_MISSING, template, "No card came with it.")
    groups = max(10, versions // 100)
    use_cases = max(10, versions // 200)
    each = max(1, versions // groups)
    numbers = "generate_series(1, {}) AS s(n)"
    cases = f"(SELECT id FROM registry_usecase WHERE name LIKE '{COPIED}%%') s"
    with said("register"):
        copy(
            "registry_modelgroup",
            world.group.pk,
            numbers.format(groups),
            {"arn": f"t.arn || '/{COPIED}' || s.n", "name": f"'{COPIED}' || s.n"},
        )
        copy(
            "registry_usecase",
            world.draft.pk,
            numbers.format(use_cases),
            {
                "number": "1000 + s.n",
                "name": f"'{COPIED}use case ' || s.n",
                "risk_class": "'unclassified'",
                "risk_reason": "''",
                "risk_classified_by_id": "NULL",
                "risk_classified_at": "NULL",
            },
        )
        copy(
            "governance_usecasestagerecord",
            world.draft.pk,
            cases,
            {"use_case_id": "s.id"},
            key="use_case_id",
        )
        own = "(SELECT r.id FROM governance_usecasestagerecord r WHERE r.use_case_id = s.id)"
        copy(
            "governance_stageevent",
            world.draft.pk,
            cases,
            {"use_case_id": "s.id", "record_id_copy": own},
            key="use_case_id",
        )
        minutes = "(s.group_id * 7 + s.n * 13)::int %% 100000"
        copies = f"registry_modelgroup g CROSS JOIN generate_series(1, {each}) n WHERE g.name LIKE '{COPIED}%%'"
        copy(
            "registry_modelversion",
            template.pk,
            f"(SELECT g.id AS group_id, g.arn AS group_arn, n FROM {copies}) s",
            {
                "arn": "s.group_arn || '/' || s.n",
                "number": "s.n",
                "group_id": "s.group_id",
                "aws_created_at": f"t.aws_created_at - make_interval(mins => {minutes})",
                "aws_modified_at": f"t.aws_modified_at - make_interval(mins => {minutes})",
            },
        )
        copied = (
            "(SELECT v.id, v.number, v.group_id FROM registry_modelversion v"
            f" JOIN registry_modelgroup g ON g.id = v.group_id WHERE g.name LIKE '{COPIED}%%') s"
        )
        record = "(SELECT r.id FROM governance_stagerecord r WHERE r.version_id = s.id)"
        copy("governance_stagerecord", template.pk, copied, {"version_id": "s.id"}, key="version_id")
        copy(
            "governance_stageevent",
            template.pk,
            copied,
            {"version_id": "s.id", "record_id_copy": record},
            key="version_id",
        )
        # Each use case is served by two groups with a hundred versions each.
        served = f"(SELECT array_agg(id ORDER BY id) FROM registry_usecase WHERE name LIKE '{COPIED}%%')"
        served = f"({served})[1 + s.group_id %% {use_cases}]"
        links = {"version_id": "s.id", "use_case_id": served}
        copy("registry_versionusecase", template.pk, copied, links, key="version_id")
        copied_groups = f"(SELECT id AS group_id FROM registry_modelgroup WHERE name LIKE '{COPIED}%%') s"
        copy(
            "registry_modelgroup_use_cases",
            world.group.pk,
            copied_groups,
            {"modelgroup_id": "s.group_id", "usecase_id": served},
            key="modelgroup_id",
        )
    for statements in BEFORE:
        happen(statements)
    waiting = copied.replace("WHERE", "WHERE v.stage = 'qa' AND v.status = 'pending' AND")
    with said("register"):
        copy(
            "governance_approvalrequest",
            world.version_request.pk,
            waiting,
            {
                "version_id": "s.id",
                "created_at": "t.created_at - make_interval(hours => (s.id %% 900)::int)",
                "due_at": "t.due_at - make_interval(hours => (s.id %% 900)::int)",
            },
        )
    with said("withdraw"), connection.cursor() as cursor:
        # Of a grown company most requests are closed; fifty stay open.
        cursor.execute(
            "UPDATE governance_approvalrequest SET state = 'withdrawn', closed_at = now() WHERE state = 'open'"
            " AND id > %s AND id NOT IN (SELECT id FROM governance_approvalrequest ORDER BY id DESC LIMIT 50)",
            [world.version_request.pk],
        )
    with said(""):
        some = copied.replace("WHERE", "WHERE v.number %% 5 = 0 AND")
        subject = Finding.objects.get(pk=flagged.pk).subject_key
        copy(
            "governance_finding",
            flagged.pk,
            some,
            {"version_id": "s.id", "subject_key": f"'{subject}-' || s.id", "state": "'open'"},
        )
        copy("registry_deployment", world.deployment.pk, some, {"version_id": "s.id"})
        copy(
            "governance_outboxmessage",
            world.message.pk,
            copied,
            {"version_id": "s.id", "token": "gen_random_uuid()", "ordering_key": "'bench-' || s.id"},
        )
        copy("registry_syncrun", _one("registry_syncrun"), numbers.format(versions // 5), {"started_at": _ago("s.n")})
    with said(""), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE governance_outboxmessage SET state = 'delivered', attempts = 1, delivered_at = now(),"
            " ended_at = now() WHERE ordering_key LIKE 'bench-%'"
        )
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    assert ModelVersion.objects.count() >= versions
    assert people.officer
    return Company(world, count_all())


def _one(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT min(id) FROM {table}")
        row = cursor.fetchone()
    assert row is not None
    return int(row[0])


def _ago(number: str) -> str:
    return f"t.started_at - make_interval(mins => ({number} * 3)::int)"


def timed_growth(versions: int) -> Company:
    """Grow, and say how large it became and how long that took."""
    begun = time.perf_counter()
    company = grow(versions)
    shown = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in company.sizes.items())
    print(f"{shown}; made in {time.perf_counter() - begun:.0f} s", flush=True)
    return company
