"""Every page with 100,000 versions: how long the server takes, and how many queries it asks.

    make bench NAME=pages ARGS="--versions 20000 --rounds 20 --only version"

Takes every GET page of the URL x role matrix as the first role that may see it, and the lists once more filtered,
searched, sorted and turned to their last page. The time is that of the whole request in one process - middleware,
queries, template - without the network, over `--rounds` rounds after one that warms the caches. Prints a line a page,
slowest first, and ends with one JSON line {page: {ms_p50, ms_p95, queries}}. Exits with 1 when a page's p95 is 300 ms
or more, or a list asks more than 15 queries.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import django

django.setup()

from django.conf import settings
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import resolve, reverse

from benchmarks.company import Company, timed_growth
from portal.core.views import TablePage
from tests.api.world import actors
from tests.matrices.web import COLUMNS, ROWS, argument
from tests.web.conftest import browser

LIMIT_MS, LIMIT_QUERIES = 300.0, 15
# Who sees most comes first: the worst of each page.
ROLES = ("governance_officer", "auditor", "ml_admin", "ml_engineer", "data_scientist", "model_owner")
# What people do with lists, where the list can do it.
VARIANTS: dict[str, tuple[str, ...]] = {
    "registry:version_list": (
        "q=copied", "q=no-such-thing", "stage=qa", "stage=qa&status=pending", "sort=name", "sort=-registered",
        "page=2000",
    ),
    "registry:group_list": ("q=copied-99", "sort=-version_count", "page=40"),
    "registry:use_case_list": ("q=copied", "stage=poc", "sort=-name", "page=20"),
    "governance:stage_table": ("model_stage=qa", "q=copied-77", "page=2000"),
    "governance:queue": ("tab=all", "tab=mine", "tab=overdue", "tab=decided"),
    "governance:finding_list": ("state=open", "q=card", "page=500"),
    "governance:audit_trail": ("page=1000", "table=registry_modelversion"),
    "governance:outbox": ("state=delivered", "page=500"),
    "registry:sync_run_list": ("state=succeeded", "page=500"),
    "search": ("q=copied", "q=UC-1001", "q=credt", "q=models"),
}  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """One page as one person asks for it."""

    label: str
    path: str
    role: str
    is_list: bool


def pages(company: Company, only: str) -> Iterator[Asked]:
    """Yield every page of the matrix, the lists with their variants too."""
    for row in ROWS:
        role = next((role for role in ROLES if row.statuses[COLUMNS.index(role)] == 200), None)
        if row.method != "GET" or role is None or only not in row.label:
            continue
        path = reverse(row.name, args=argument(company.world, row.on))
        view = getattr(resolve(path).func, "view_class", object)
        is_list = issubclass(view, TablePage)
        label = row.label.removeprefix("GET ")
        yield Asked(label, path, role, is_list)
        for query in VARIANTS.get(row.name, ()):
            yield Asked(f"{label}?{query}", f"{path}?{query}", role, is_list)


def measure(client: Client, asked: Asked, rounds: int) -> dict[str, Any]:
    """Ask for one page again and again; milliseconds at the median and the 95th percentile, and the queries of one."""
    queries = 0

    def counting(execute: Any, *arguments: Any) -> Any:
        nonlocal queries
        queries += 1
        return execute(*arguments)

    taken = []
    with connection.execute_wrapper(counting):
        status = fetch(client, asked.path)
    first = queries
    for _ in range(rounds):
        begun = time.perf_counter()
        fetch(client, asked.path)
        taken.append((time.perf_counter() - begun) * 1000)
    queries = 0
    with connection.execute_wrapper(counting):
        fetch(client, asked.path)
    return {
        "ms_p50": round(statistics.median(taken), 1),
        "ms_p95": round(statistics.quantiles(taken, n=20)[-1], 1),
        "queries": max(first, queries),
        "status": status,
    }


def fetch(client: Client, path: str) -> int:
    """Ask for a page and read all of it; its status."""
    answer = client.get(path)
    if answer.streaming:
        for _ in answer.streaming_content:
            pass
    return int(answer.status_code)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--versions", type=int, default=100_000, help="versions present")
    parser.add_argument("--rounds", type=int, default=20, help="times each page is timed")
    parser.add_argument("--only", default="", help="only pages whose label has this in it")
    arguments = parser.parse_args()
    call_command("migrate", verbosity=0)
    settings.DEBUG = False
    company = timed_growth(arguments.versions)
    # As the server's processes do when they start: everything loaded, and left out of garbage collection.
    import_module("portal.wsgi")
    people = actors(company.world.people)
    clients = {role: browser(people[role]) for role in ROLES}
    cache.clear()
    figures: dict[str, dict[str, Any]] = {}
    failed: list[str] = []
    found = []
    for asked in pages(company, arguments.only):
        # A file is a hundred times as long as a page; a few readings tell.
        rounds = min(arguments.rounds, 2) if "_file" in asked.label else arguments.rounds
        figure = measure(clients[asked.role], asked, rounds)
        status = figure.pop("status")
        figures[asked.label] = figure
        wrong = [
            *([f"answered {status}"] if status != 200 else []),
            # Files are as long as their lists; they are streamed, and nobody waits for them at a page.
            *(["slow"] if figure["ms_p95"] >= LIMIT_MS and "_file" not in asked.label else []),
            *(["too many queries"] if asked.is_list and figure["queries"] > LIMIT_QUERIES else []),
        ]
        if wrong:
            failed.append(asked.label)
        found.append((figure["ms_p95"], asked, figure, ", ".join(wrong)))
    for _, asked, figure, wrong in sorted(found, key=lambda item: -item[0]):
        print(
            f"{figure['ms_p50']:8.1f} ms p50 {figure['ms_p95']:8.1f} ms p95 {figure['queries']:4d} queries"
            f"  {'list' if asked.is_list else 'page'}  {asked.label} ({asked.role}) {wrong}"
        )
    print(f"{len(figures)} pages, {len(failed)} past a limit", flush=True)
    print(json.dumps(figures))
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
