"""The REST API with 100,000 versions: requests a second and their times at one and at sixteen clients.

    make bench NAME=api ARGS="--quick"
    make bench NAME=api ARGS="--large 20000 --seconds 4 --only version_get"

Web, worker, beat and listener run as `make up` starts them, on a database that has grown to 1,000 versions and then on
one of 100,000. Every request carries a token, its rights are read and its rows filtered by them; every answer's status
is checked. The load comes from `benchmarks/load.py`: raw sockets in this one process. Beside each figure stands the
floor, the same rows by plain SQL through psycopg, and the processor time a request took in the web processes and in
PostgreSQL, which tells also on a machine that is busy with other things.

Ends with one JSON line: {endpoint: {c1: {rps, p50_ms, p95_ms}, c16: {...}}} for version_get, versions_page (100 rows by
last modified), versions_filtered (100 rows by last modified, filtered), version_create (accepted with its outbox row;
AWS follows), decision and gate; gate_200 (200 requests/s whether it keeps up or not: p50, p95, p99), growth (how many
times slower with many versions than with few, at sixteen clients) and rss_mb (the web processes together). Exits with 1
when a limit below is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
# The servers' own settings, so that they can read what this process signs and seals.
os.environ["DJANGO_SETTINGS_MODULE"] = "portal.settings.local"

import django

django.setup()

import psycopg
from django.conf import settings
from django.core.files.storage import InMemoryStorage, storages
from django.core.management import call_command
from django.db import connection

from benchmarks.company import COPIED, Company, copy, said, timed_growth
from benchmarks.floor import Floor
from benchmarks.load import Measured, WrongAnswer, closed_loop, open_loop, request
from benchmarks.servers import Servers, application_url, in_database, running
from governance.services import api_tokens, approvals
from portal.local.home import Home
from portal.local.postgres import APP_ROLE
from registry.models import ModelVersion, User
from tests.api.world import World
from tests.factories import group, use_case, version

BASE = "/api/v1"
CLIENTS = (1, 16)
# Requests a second at sixteen clients, and what else is promised.
LIMITS = {
    "version_get": 800.0,
    "versions_page": 250.0,
    "versions_filtered": 200.0,
    "version_create": 250.0,
    "decision": 100.0,
}
GROWTH, GATE_RATE, GATE_P99_MS, RSS_MB = 1.2, 200.0, 50.0, 400.0
# What leaves the workers the most to do comes last.
ENDPOINTS = ("version_get", "versions_page", "versions_filtered", "gate", "decision", "version_create")
DECIDED_GROUPS = 32
READ, CREATED = frozenset({200}), frozenset({201, 202})
PAGE = "page_size=100&ordering=-aws_modified_at"


@dataclass(frozen=True)
class Workload:
    """The requests of one kind, and the statuses that are right."""

    requests: Iterator[bytes]
    expected: frozenset[int]


class Callers:
    """The people whose tokens the requests carry, and what they ask."""

    def __init__(self, company: Company, decisions: int) -> None:
        people = company.world.people
        self.scientist, self.owner, self.engineer = (
            _token(person) for person in (people.scientist, people.owner, people.engineer)
        )
        rows = ModelVersion.objects.filter(group__name__startswith=COPIED)
        self.rows = list(rows.order_by("pk").values_list("pk", "arn", "group__name", "number"))
        random.Random(6).shuffle(self.rows)
        self.asked = iter(submitted(company, decisions))
        self.made = 0

    def workload(self, name: str) -> Workload:
        """Return the requests of one endpoint; those that change something never come twice."""
        return getattr(self, f"_{name}")()

    def _version_get(self) -> Workload:
        paths = [f"{BASE}/model-versions/{pk}/" for pk, *_ in self.rows[:2000]]
        return Workload(cycle([request(path, self.scientist) for path in paths]), READ)

    def _versions_page(self) -> Workload:
        return Workload(cycle(self._pages([PAGE])), READ)

    def _versions_filtered(self) -> Workload:
        filters = [
            "stage=qa&status=pending",
            "use_case=UC-1001",
            f"group={COPIED}7",
            "risk=low&stage=development&status=approved",
        ]
        return Workload(cycle(self._pages([f"{PAGE}&{one}" for one in filters])), READ)

    def _pages(self, queries: Sequence[str]) -> list[bytes]:
        return [request(f"{BASE}/model-versions/?{query}", self.scientist) for query in queries]

    def _version_create(self) -> Workload:
        return Workload(self._creations(), CREATED)

    def _creations(self) -> Iterator[bytes]:
        groups = sorted({name for _, _, name, _ in self.rows})
        for name in cycle(groups):
            self.made += 1
            body = {
                "group": name,
                "description": f"Candidate {self.made}",
                "containers": [
                    {
                        "image": "111111111111.dkr.ecr.us-east-1.amazonaws.com/scoring:1.4.2",
                        "model_data_url": f"s3://models/{name}/candidate-{self.made}/model.tar.gz",
                        "framework": "SKLEARN",
                        "framework_version": "1.5",
                        "environment": {"LOG_LEVEL": "info"},
                    }
                ],
                "content_types": ["text/csv"],
                "response_types": ["text/csv"],
                "metadata": {"validation_auc": "0.81", "commit": f"{self.made:040x}"},
            }
            yield request(f"{BASE}/model-versions/", self.scientist, body=body, prefer="respond-async")

    def _decision(self) -> Workload:
        body = {"decision": "approve", "comment": "As validated."}
        path = BASE + "/approvals/{}/decisions/"
        return Workload((request(path.format(name), self.owner, body=body) for name in self.asked), CREATED | READ)

    def _gate(self) -> Workload:
        query = f"{BASE}/gate/?model_package_arn={{}}&stage=development&account=222222222222"
        return Workload(cycle([request(query.format(arn), self.engineer) for _, arn, *_ in self.rows[:2000]]), READ)


def _token(person: User) -> str:
    return api_tokens.issue(actor=person.actor, name="benchmark", days=1, is_read_only=False)[1]


def submitted(company: Company, count: int) -> list[str]:
    """Have so many versions that wait for the model owner's decision in development; the requests' ids.

    They lie in twice as many groups as there are clients, each with a use case of its own, and follow each other from
    group to group: decisions on versions of one group, or of one use case, wait for each other, and a company has many
    of both.
    """
    world = company.world
    each = -(-count // DECIDED_GROUPS)
    waiting = [_waiting_in_a_group(world, each) for _ in range(DECIDED_GROUPS)]
    actor = world.people.scientist.actor
    return [
        approvals.submit(actor=actor, subject_type=ModelVersion, subject_id=pk).public_id
        for pk in [pk for of_groups in zip(*waiting, strict=True) for pk in of_groups][:count]
    ]


def _waiting_in_a_group(world: World, count: int) -> list[int]:
    """Make a group with a use case and so many versions in development; the versions' keys."""
    own = group(world.project, world.people, use_case(world.people, world.project))
    template = version(own, 1, risk="Low", metadata={"validation_auc": "0.81"})
    with said("register"):
        copy(
            "registry_modelversion",
            template.pk,
            f"generate_series(2, {count}) AS s(n)",
            {"arn": "regexp_replace(t.arn, '1$', '') || s.n", "number": "s.n"},
        )
        source = f"(SELECT id FROM registry_modelversion WHERE group_id = {own.pk} AND number > 1) s"
        for table, changed in (
            ("governance_stagerecord", {}),
            (
                "governance_stageevent",
                {"record_id_copy": "(SELECT r.id FROM governance_stagerecord r WHERE r.version_id = s.id)"},
            ),
            ("registry_versionusecase", {}),
        ):
            copy(table, template.pk, source, {"version_id": "s.id", **changed}, key="version_id")
    return list(ModelVersion.objects.filter(group=own).order_by("pk").values_list("pk", flat=True))


@dataclass
class Figures:
    """What was measured on one database."""

    by_endpoint: dict[str, dict[str, Measured]]
    gate: Measured | None
    rss_mb: float


def measure(servers: Servers, callers: Callers, floor: Floor, arguments: argparse.Namespace) -> Figures:
    """Measure every endpoint that was asked for, printing a line for each."""
    found: dict[str, dict[str, Measured]] = {}
    gate = None
    for name in ENDPOINTS:
        if arguments.only and name not in arguments.only:
            continue
        workload = callers.workload(name)
        # What the last endpoint left to the workers is no part of this one's figures; what this one leaves them is.
        servers.settle()
        warm_up(servers, callers, name)
        found[name] = {}
        for clients in CLIENTS:
            requests = workload.requests
            if name == "decision":  # there are only so many; most are for the many clients
                share = arguments.decisions // 5 if clients == 1 else arguments.decisions
                requests = (one for one, _ in zip(workload.requests, range(share), strict=False))
            before = servers.usage()
            run = closed_loop(
                servers.port, requests, clients=clients, seconds=arguments.seconds, expected=workload.expected
            )
            tell(name, f"{clients:2d} clients", run, servers.usage().since(before))
            found[name][f"c{clients}"] = run
        for clients in CLIENTS:
            if (least := floor.measure(name, clients, arguments.seconds / 2)) is not None:
                print(f"  {'floor':18s} {clients:2d} clients {_line(least)}", flush=True)
        print(f"  {'web processes':18s} {servers.web_rss_mb():.0f} MB", flush=True)
        if name == "gate":
            before = servers.usage()
            gate = open_loop(
                servers.port,
                workload.requests,
                rate=GATE_RATE,
                clients=16,
                seconds=arguments.seconds * 2,
                expected=READ,
            )
            tell(name, f"{GATE_RATE:.0f}/s steady", gate, servers.usage().since(before))
    return Figures(found, gate, servers.web_rss_mb())


def warm_up(servers: Servers, callers: Callers, name: str) -> None:
    """Have every thread of the server connected and its code loaded, without spending what can be asked once."""
    kind = "versions_page" if name in ("decision", "version_create") else name
    workload = callers.workload(kind)
    closed_loop(servers.port, workload.requests, clients=16, seconds=1.0, expected=workload.expected)


def tell(name: str, how: str, run: Measured, used: Any) -> None:
    """Print one run: its figures, and the processor time a request took where."""
    each = [1000 * seconds / len(run.taken) for seconds in (used.web, used.postgres, used.worker, run.own_cpu)]
    print(
        f"{name:20s} {how} {_line(run)} | processor ms a request: web {each[0]:.2f}, PostgreSQL {each[1]:.2f},"
        f" worker {each[2]:.2f}, load {each[3]:.3f}",
        flush=True,
    )


def _line(run: Measured) -> str:
    return (
        f"{run.rps:8.1f}/s  p50 {run.ms(50):7.2f} ms  p95 {run.ms(95):7.2f} ms  p99 {run.ms(99):7.2f} ms"
        f"  ({len(run.taken)} answers)"
    )


def use(url: str, name: str) -> None:
    """Have this process work on another database of the same server."""
    connection.close()
    settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = name


def on_one(size: int, arguments: argparse.Namespace, home: Home, url: str, base: str) -> Figures:
    """Make a database of so many versions, start the portal on it, measure."""
    name = f"{base}_{size}"
    use(url, "postgres")
    with psycopg.connect(in_database(url, "postgres"), autocommit=True) as server:
        server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        server.execute(f"CREATE DATABASE {name} TEMPLATE {base}")
    use(url, name)
    # Each database has keys of its own, and what those of another signed is no anchor of this one.
    storages._storages.pop("anchors", None)  # type: ignore[attr-defined]  # noqa: SLF001 - no other way to have it empty
    company = timed_growth(size)
    callers = Callers(company, arguments.decisions + arguments.decisions // 5)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    connection.close()
    place = home.path / f"portal-{size}"
    port = int(os.environ["PORTAL_PORT"])
    with running(home, port, url, name, place) as servers:
        floor = Floor(application_url(home, url, name), [pk for pk, *_ in callers.rows[:2000]], company)
        try:
            return measure(servers, callers, floor, arguments)
        except WrongAnswer:
            print((place / "logs" / "web.log").read_text(errors="replace")[-4000:], file=sys.stderr)
            raise


def missed(few: Figures | None, many: Figures) -> tuple[dict[str, float], list[str]]:
    """Return how much slower each became with many versions, and what misses its limit."""
    wrong = []
    growth = {}
    for name, runs in many.by_endpoint.items():
        if name in LIMITS and runs["c16"].rps < LIMITS[name]:
            wrong.append(f"{name}: {runs['c16'].rps:.0f}/s, not {LIMITS[name]:.0f}/s")
        if few is not None and name in few.by_endpoint:
            growth[name] = round(few.by_endpoint[name]["c16"].rps / runs["c16"].rps, 2)
            if growth[name] > GROWTH:
                wrong.append(f"{name}: {growth[name]} times slower with many versions, not {GROWTH}")
    if many.gate is not None and many.gate.ms(99) >= GATE_P99_MS:
        wrong.append(f"gate: p99 {many.gate.ms(99):.1f} ms at {GATE_RATE:.0f}/s, not {GATE_P99_MS:.0f} ms")
    if many.rss_mb >= RSS_MB:
        wrong.append(f"memory: {many.rss_mb:.0f} MB, not {RSS_MB:.0f} MB")
    return growth, wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", type=int, default=1_000, help="versions of the first database; 0 leaves it out")
    parser.add_argument("--large", type=int, default=100_000, help="versions of the second database")
    parser.add_argument("--seconds", type=float, default=8.0, help="how long each run lasts")
    parser.add_argument("--decisions", type=int, default=1_000, help="decisions at sixteen clients; a fifth at one")
    parser.add_argument("--only", action="append", choices=ENDPOINTS, help="only this endpoint; may be repeated")
    parser.add_argument("--quick", action="store_true", help="small sizes and short runs, to try it")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.small, arguments.large = min(arguments.small, 300), min(arguments.large, 3_000)
        arguments.seconds, arguments.decisions = 2.0, 100
    # What is anchored here belongs to databases of their own, which share this process alone.
    memory = f"{InMemoryStorage.__module__}.{InMemoryStorage.__qualname__}"
    settings.STORAGES = {**settings.STORAGES, "anchors": {"BACKEND": memory}}
    url, home = os.environ["DATABASE_URL"], Home.of(os.environ)
    base = str(connection.settings_dict["NAME"])
    call_command("migrate", verbosity=0)
    if (home.path / "secrets" / "application-password").exists():
        call_command("database_roles", APP_ROLE, verbosity=0)
    few = on_one(arguments.small, arguments, home, url, base) if arguments.small else None
    many = on_one(arguments.large, arguments, home, url, base)
    growth, wrong = missed(few, many)
    for line in wrong:
        print(f"MISSED {line}")
    figures: dict[str, Any] = {
        name: {clients: run.as_json() for clients, run in runs.items()} for name, runs in many.by_endpoint.items()
    }
    if many.gate is not None:
        figures["gate_200"] = {**many.gate.as_json(), "p99_ms": round(many.gate.ms(99), 2)}
    print(json.dumps({**figures, "growth": growth, "rss_mb": round(many.rss_mb)}))
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
