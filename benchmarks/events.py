"""From SageMaker's answer to the portal's page: how long a change takes to be seen while the queue is idle.

    make bench NAME=events ARGS="--events 50"

Starts a listener as `make up` does, registers versions in the hub of the sandbox AWS and approves them one after
another, and watches the database for what the pages show. Each change waits until the last one was seen. Prints the
figures in words and ends with one JSON line: event_to_visible_s_p50, event_to_visible_s_p95, events. Exits with 1 when
the median is --limit seconds or more, or when a change is not seen within 30 s.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT))

import django

django.setup()

from django.core.management import call_command

from registry.aws import events, sagemaker
from registry.aws.session import AwsSession
from registry.models import AwsAccount, EventQueueHealth, ModelVersion
from registry.services import accounts
from tests.aws_story import HUB, new_group, register
from tests.factories.walk import all_accounts

LIMIT_S = 2.0
_PATIENCE_S = 30.0
_LOOK_S = 0.005


@contextmanager
def listening() -> Iterator[None]:
    """Run a listener of its own against the hub's queue, and end it."""
    hub = AwsAccount.objects.get(account_id=HUB)
    name = f"bench-{uuid.uuid4().hex[:8]}"
    url = events.ensure_queue_and_rule(accounts.reach(hub), queue_name=name, rule_name=name)
    AwsAccount.objects.filter(pk=hub.pk).update(event_queue_url=url)
    process = subprocess.Popen([sys.executable, str(PROJECT / "manage.py"), "listen_to_events"], env=os.environ)
    try:
        seen(lambda: EventQueueHealth.objects.filter(account=hub, heartbeat_at__isnull=False).exists())
        yield
    finally:
        process.terminate()
        process.wait(15)
        AwsAccount.objects.filter(pk=hub.pk).update(event_queue_url="")


def seen(question: Callable[[], bool]) -> float:
    """Return how many seconds it took until the answer was yes. Raises TimeoutError after half a minute."""
    begun = time.perf_counter()
    while not question():
        if time.perf_counter() - begun > _PATIENCE_S:
            raise TimeoutError(f"not seen within {_PATIENCE_S:.0f} s")
        time.sleep(_LOOK_S)
    return time.perf_counter() - begun


def measure(count: int) -> list[float]:
    """Register versions and approve them, in turn; returns the seconds from each answer to the row that shows it."""
    session: AwsSession = accounts.reach(AwsAccount.objects.get(account_id=HUB))
    group = new_group()
    taken: list[float] = []
    while len(taken) < count:
        arn = register(group)
        taken.append(seen(lambda: ModelVersion.objects.filter(arn=arn).exists()))  # noqa: B023 - asked at once
        if len(taken) < count:
            time.sleep(0.05)
            sagemaker.update_version(session, arn, client_token=uuid.uuid4().hex, approval_status="Approved")
            rows = ModelVersion.objects.filter(arn=arn, aws_approval_status="Approved")
            taken.append(seen(rows.exists))
        time.sleep(0.05)
    return taken


def figures(count: int = 50) -> dict[str, float]:
    """Return the median and the 95th percentile of so many changes; accounts must be there, AWS must be the sandbox."""
    with listening():
        taken = measure(count)
    return {
        "event_to_visible_s_p50": round(statistics.median(taken), 3),
        "event_to_visible_s_p95": round(statistics.quantiles(taken, n=20)[-1], 3),
        "events": len(taken),
    }


def main() -> int:
    """Run the benchmark; return 1 when the limit is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=50, help="how many changes (50)")
    parser.add_argument("--limit", type=float, default=LIMIT_S, help="median in seconds that is too long (2)")
    arguments = parser.parse_args()
    call_command("migrate", verbosity=0)
    if not AwsAccount.objects.filter(account_id=HUB).exists():
        all_accounts()
    found = figures(max(2, arguments.events))
    print(
        f"{found['events']} changes seen after {found['event_to_visible_s_p50']:.3f} s in the median, one in twenty"
        f" after more than {found['event_to_visible_s_p95']:.3f} s"
    )
    print(json.dumps(found))
    return int(found["event_to_visible_s_p50"] >= arguments.limit)


if __name__ == "__main__":
    sys.exit(main())
