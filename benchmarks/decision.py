"""One decision - lock, guard, write, audit, outbox, next stage - with few versions present and with many.

    make bench NAME=decision ARGS="--large 20000"

Prints the figures in words and ends with one JSON line: decision_ms_small, decision_ms_large (medians), their ratio,
and how many versions and audit rows were present.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import django

django.setup()

from django.core.management import call_command
from django.db import connection, transaction

from governance.choices import Verdict
from governance.models import AuditEvent, StageEvent, StageRecord
from governance.services import approvals
from registry.models import ModelVersion
from tests import factories
from tests.factories import Cast


def multiply(template: ModelVersion, first: int, count: int) -> None:
    """Copy one version as the sync would have written it, ledger and all, `count` times from number `first` on."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('app.verb', 'register', true), set_config('app.actor', 'system:bench', true)")
        for model, key, replaced in (
            (ModelVersion, "id", {"arn": "t.arn || '/' || n", "number": "n"}),
            (StageRecord, "version_id", {"version_id": "v.id"}),
            (StageEvent, "version_id", {"version_id": "v.id"}),
        ):
            table = model._meta.db_table
            columns = [field.column for field in model._meta.local_fields if not field.primary_key]
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
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def median_ms(people: Cast, versions: list[ModelVersion]) -> float:
    """Submit each version, then time the model owner's approval of it; returns the median in milliseconds."""
    taken = []
    for version in versions:
        request = approvals.submit(actor=people.scientist.actor, subject_type=ModelVersion, subject_id=version.pk)
        begun = time.perf_counter()
        approvals.decide(actor=people.owner.actor, request_id=request.pk, verdict=Verdict.APPROVE)
        taken.append((time.perf_counter() - begun) * 1000)
    return statistics.median(taken)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", type=int, default=1_000, help="versions present for the first figure")
    parser.add_argument("--large", type=int, default=20_000, help="versions present for the second figure")
    parser.add_argument("--rounds", type=int, default=100, help="decisions timed for each figure")
    arguments = parser.parse_args()
    call_command("migrate", verbosity=0)
    project, elsewhere = factories.project(), factories.project()
    people = factories.cast(project, elsewhere)
    group = factories.group(project, people, factories.use_case(people, project))
    template = factories.version(group)
    figures: dict[str, float] = {}
    present = 1
    for name, size in (("small", arguments.small), ("large", arguments.large)):
        begun = time.perf_counter()
        multiply(template, present + 1, size - present)
        present = size
        numbers = range(size - arguments.rounds + 1, size + 1)
        versions = list(ModelVersion.objects.filter(group=group, number__in=numbers))
        audit_rows = AuditEvent.objects.count()
        figures[f"decision_ms_{name}"] = round(median_ms(people, versions), 2)
        print(
            f"{size:>8,} versions, {audit_rows:>9,} audit rows: {figures[f'decision_ms_{name}']:6.2f} ms a decision"
            f" (median of {arguments.rounds}; seeded in {time.perf_counter() - begun:.0f} s)"
        )
    figures["ratio"] = round(figures["decision_ms_large"] / figures["decision_ms_small"], 2)
    figures["versions"], figures["audit_rows"] = present, AuditEvent.objects.count()
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
