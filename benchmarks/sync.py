"""A sync in its steady state against the obvious one, and the portal's own part of it.

    make bench NAME=sync
    make bench NAME=sync ARGS="--accounts 2 --groups 20"    a small one, for a first look

Three parts, with data of its own:

1. The sandbox AWS holds --accounts x --groups x 100 versions (10 x 100 x 100 = 100,000), the portal knows them all, and
   one in a thousand has changed. With --latency ms (40) on every answer, a full pass over every account is made, and
   then the obvious loop in boto3: list the groups, list the versions, describe each. Both read the accounts at the same
   time, as many threads as accounts. Counted are calls, by the sandbox, and the time from beginning to end.
2. The portal's own work, in a process each for 10,000 and 100,000 versions (benchmarks/sync_own_work.py).
3. From a change in SageMaker to the portal's page (benchmarks/events.py).

Prints the figures in words and ends with one JSON line: calls_vs_ideal (calls over list pages plus changed versions),
calls_naive_over_ours, wall_naive_over_ours, new_versions_per_s, unchanged_versions_per_s, rss_mb_10k, rss_mb_100k,
event_to_visible_s_p50. Exits with 1 when one misses its limit.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT))

import django

django.setup()

import boto3
import requests
from django.core.management import call_command
from django.db import connection

from benchmarks import events
from governance.services import sync
from registry.aws import sagemaker
from registry.choices import AccountPurpose, SyncKind, SyncState
from registry.models import AwsAccount, ModelVersion, SyncRun
from registry.services import accounts as registry_accounts
from registry.sync import apply
from registry.sync.run import by_group
from tests.aws_story import HUB
from tests.factories.walk import all_accounts

PER_GROUP = 100
REGION = "us-east-1"
LIMITS: dict[str, tuple[str, float]] = {
    "calls_vs_ideal": ("at most", 1.1),
    "calls_naive_over_ours": ("at least", 50),
    "wall_naive_over_ours": ("at least", 20),
    "new_versions_per_s": ("at least", 1_000),
    "unchanged_versions_per_s": ("at least", 50_000),
    "rss_mb_10k": ("at most", 300),
    "rss_mb_100k": ("at most", 300),
    "event_to_visible_s_p50": ("at most", 2),
}


@dataclass(frozen=True)
class Taken:
    """What reading all accounts once took: API calls and seconds."""

    calls: int
    seconds: float


class SandboxAws:
    """The sandbox's own paths."""

    def __init__(self) -> None:
        self.url = os.environ["AWS_ENDPOINT_URL"]

    def seed(self, account_id: str, groups: int) -> None:
        """Have an account hold so many groups of 100 versions."""
        self._post("seed", account=account_id, region=REGION, groups=groups, versions_per_group=PER_GROUP)

    def touch(self, account_id: str, versions: int) -> None:
        """Have somebody change so many versions of an account, in a way a list tells."""
        self._post("touch", account=account_id, region=REGION, versions=versions)

    def be_slow(self, seconds: float) -> None:
        """Have every answer take longer, or as long as it takes with 0."""
        requests.delete(f"{self.url}/sandbox/faults", timeout=60).raise_for_status()
        if seconds:
            self._post("faults", error="latency", seconds=seconds, times=None)

    def _post(self, path: str, **wanted: Any) -> None:
        requests.post(f"{self.url}/sandbox/{path}", json=wanted, timeout=600).raise_for_status()


def register_accounts(count: int) -> list[AwsAccount]:
    """Register the accounts of the steady state."""
    return [
        AwsAccount.objects.create(
            account_id=f"{700_000_000_000 + number}", alias=f"bench-{number}", purposes=[AccountPurpose.HUB],
            regions=[REGION], role_arn=f"arn:aws:iam::{700_000_000_000 + number}:role/portal",
        )
        for number in range(count)
    ]  # fmt: skip


def learn(account: AwsAccount) -> None:
    """Have the portal know everything in an account, by search rather than by a description each."""
    session = registry_accounts.reach(account)
    for record in sagemaker.list_groups(session):
        apply.group(sync.ACTOR, account, record, sync.LISTENERS)
    run = SyncRun.objects.create(account=account, region=REGION, kind=SyncKind.FULL, requested_by="bench")
    waiting = []
    for record in sagemaker.search_versions_modified_since(session, run.started_at.replace(year=2000)):
        waiting.append(record)
        if len(waiting) == 1000:
            _take_in(account, session, waiting)
            waiting = []
    _take_in(account, session, waiting)
    SyncRun.objects.filter(pk=run.pk).update(state=SyncState.SUCCEEDED)


def _take_in(account: AwsAccount, session: Any, records: Sequence[Any]) -> None:
    for of, theirs in by_group(sync.ACTOR, account, session, records, sync.LISTENERS):
        _, failures = apply.batch(sync.ACTOR, of, theirs, sync.LISTENERS)
        if failures:
            raise RuntimeError(failures[0])


def ours(account: AwsAccount) -> int:
    """Make a full pass over an account as the worker does; returns how many calls it made."""
    try:
        (run,) = sync.sync_account(account_id=account.account_id, requested_by="bench")
        if run.error:
            raise RuntimeError(run.error)
        return int(run.calls)
    finally:
        connection.close()


def naive(account: AwsAccount) -> int:
    """Read an account as one would without thinking: list everything, describe everything; returns the calls made."""
    credentials = boto3.client("sts", region_name=REGION).assume_role(
        RoleArn=account.role_arn, RoleSessionName="obvious-loop"
    )["Credentials"]
    client = boto3.client(
        "sagemaker",
        region_name=REGION,
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
    )
    calls = 0
    for groups in client.get_paginator("list_model_package_groups").paginate(PaginationConfig={"PageSize": 100}):
        calls += 1
        for group in groups["ModelPackageGroupSummaryList"]:
            pages = client.get_paginator("list_model_packages").paginate(
                ModelPackageGroupName=group["ModelPackageGroupName"], PaginationConfig={"PageSize": 100}
            )
            for page in pages:
                calls += 1
                for version in page["ModelPackageSummaryList"]:
                    client.describe_model_package(ModelPackageName=version["ModelPackageArn"])
                    calls += 1
    return calls


def read_all(accounts: Sequence[AwsAccount], read: Callable[[AwsAccount], int]) -> Taken:
    """Read every account at the same time."""
    begun = time.perf_counter()
    with ThreadPoolExecutor(len(accounts)) as pool:
        calls = sum(pool.map(read, accounts))
    return Taken(calls, time.perf_counter() - begun)


def steady_state(account_count: int, groups: int, latency_ms: float) -> dict[str, float]:
    """Compare both ways over accounts in which one version in a thousand changed."""
    sandbox = SandboxAws()
    accounts = register_accounts(account_count)
    versions = account_count * groups * PER_GROUP
    for account in accounts:
        sandbox.seed(account.account_id, groups)
    begun = time.perf_counter()
    for account in accounts:
        learn(account)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    print(f"{versions:,} versions in {account_count} accounts, known to the portal in {_since(begun)}", flush=True)
    changed_each = max(1, groups * PER_GROUP // 1000)
    for account in accounts:
        sandbox.touch(account.account_id, changed_each)
    before = ModelVersion.objects.count()
    sandbox.be_slow(latency_ms / 1000)
    mine = read_all(accounts, ours)
    runs = SyncRun.objects.filter(account__in=accounts, requested_by="bench", finished_at__isnull=False)
    changed = sum(runs.values_list("updated", flat=True))
    if changed != changed_each * account_count or ModelVersion.objects.count() != before:
        raise RuntimeError(f"{changed} changes were seen, {changed_each * account_count} were made")
    # Groups are listed twice, own and given, and each of a group's pages holds 100 versions.
    pages = account_count * (math.ceil(groups / 100) + 1 + groups * math.ceil(PER_GROUP / 100))
    print(f"ours: {mine.calls:,} calls ({pages:,} pages, {changed} changed) in {mine.seconds:.1f} s", flush=True)
    theirs = read_all(accounts, naive)
    sandbox.be_slow(0)
    print(f"the obvious loop: {theirs.calls:,} calls in {theirs.seconds:.1f} s", flush=True)
    return {
        "calls_vs_ideal": round(mine.calls / (pages + changed), 3),
        "calls_naive_over_ours": round(theirs.calls / mine.calls, 1),
        "wall_naive_over_ours": round(theirs.seconds / mine.seconds, 1),
    }


def own_work(sizes: Sequence[int]) -> dict[str, float]:
    """Measure the portal's own part in a process each; rates are the lower of them."""
    found = []
    for versions in sizes:
        answer = subprocess.run(
            [sys.executable, str(PROJECT / "benchmarks" / "sync_own_work.py"), str(versions)],
            env=os.environ,
            check=True,
            capture_output=True,
            text=True,
        )
        found.append(json.loads(answer.stdout.splitlines()[-1]))
        one = found[-1]
        print(
            f"own work, {versions:,} versions: {one['new_versions_per_s']:,} new and"
            f" {one['unchanged_versions_per_s']:,} unchanged a second, {one['rss_mb']} MB",
            flush=True,
        )
    return {
        "new_versions_per_s": min(one["new_versions_per_s"] for one in found),
        "unchanged_versions_per_s": min(one["unchanged_versions_per_s"] for one in found),
        "rss_mb_10k": found[0]["rss_mb"],
        "rss_mb_100k": found[-1]["rss_mb"],
    }


def _since(begun: float) -> str:
    return f"{time.perf_counter() - begun:.0f} s"


def main() -> int:
    """Run the benchmark; return 1 when a limit is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--accounts", type=int, default=10, help="accounts of the steady state (10)")
    parser.add_argument("--groups", type=int, default=100, help="groups of 100 versions in each of them (100)")
    parser.add_argument("--latency", type=float, default=40, help="milliseconds added to every answer of AWS (40)")
    parser.add_argument("--own", type=int, nargs=2, default=(10_000, 100_000), help="versions of the own work")
    parser.add_argument("--events", type=int, default=50, help="changes timed from AWS to the portal (50)")
    arguments = parser.parse_args()
    call_command("migrate", verbosity=0)
    figures: dict[str, float] = {}
    figures |= own_work(arguments.own)
    figures |= steady_state(arguments.accounts, arguments.groups, arguments.latency)
    if not AwsAccount.objects.filter(account_id=HUB).exists():
        all_accounts()
    figures["event_to_visible_s_p50"] = events.figures(arguments.events)["event_to_visible_s_p50"]
    missed = [
        f"{name} is {figures[name]}, {word} {limit:g} was asked for"
        for name, (word, limit) in LIMITS.items()
        if (figures[name] > limit if word == "at most" else figures[name] < limit)
    ]
    for line in missed:
        print(f"missed: {line}")
    print(json.dumps({name: figures[name] for name in LIMITS}))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
