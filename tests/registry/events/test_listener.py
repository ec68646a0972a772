"""A real listener process: killed with -9 between taking in and deleting, relieved by another, asked to stop."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from governance.models import StageEvent
from governance.services import registry_events
from governance.services.listening import pause_after
from registry.aws import events
from registry.models import AwsAccount, EventQueueHealth, ModelVersion
from registry.selectors.events import health_of
from tests import aws_story
from tests.aws_story import DEVELOPMENT, HUB
from tests.factories import cast, project
from tests.factories.walk import all_accounts
from tests.sandbox import ROOT, Sandbox

Start = Callable[[], subprocess.Popen[bytes]]


@pytest.fixture
def start(committed_db: str, aws: Sandbox, tmp_path: Path) -> Iterator[Start]:
    """Start listeners as production does."""
    started: list[subprocess.Popen[bytes]] = []
    env = {
        **os.environ,
        "DATABASE_URL": committed_db,
        "AWS_ENDPOINT_URL": aws.url,
        "DJANGO_SETTINGS_MODULE": "portal.settings.test",
    }

    def begin() -> subprocess.Popen[bytes]:
        with (tmp_path / f"listener-{len(started)}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "manage.py", "listen_to_events", "--wait-seconds", "1"],
                cwd=ROOT, env=env, stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.wait(10)
    for log in sorted(tmp_path.glob("listener-*.log")):
        print(f"--- {log.name}\n{log.read_text(errors='replace')[-3000:]}")


def eventually(question: Callable[[], Any], what: str, seconds: float = 60.0) -> Any:
    deadline = time.monotonic() + seconds
    while not (answer := question()):
        assert time.monotonic() < deadline, f"{what} did not come within {seconds:.0f} s"
        time.sleep(0.02)
    return answer


def reads(process: subprocess.Popen[bytes]) -> bool:
    return EventQueueHealth.objects.filter(account__account_id=HUB, reader__endswith=f":{process.pid}").exists()


def test_a_killed_listener_loses_nothing_and_doubles_nothing(start: Start, aws: Sandbox) -> None:
    all_accounts()
    cast(project(), project())
    AwsAccount.objects.filter(account_id=DEVELOPMENT).update(event_queue_url=f"{aws.url}/{DEVELOPMENT}/no-such-queue")
    url = aws_story.event_queue()
    session = aws_story.session(HUB)
    session.sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "1"})
    group = aws_story.new_group()

    # The version is committed, its message not yet deleted: there the process is killed.
    first = start()
    eventually(lambda: reads(first), "the first heartbeat")
    second = start()
    aws.fault(service="sqs", operation="DeleteMessageBatch", error="delay", seconds=30, times=1)
    arn = aws_story.register(group)
    eventually(lambda: ModelVersion.objects.filter(arn=arn).exists(), "the version")
    first.send_signal(signal.SIGKILL)
    first.wait(10)
    # Killed before it asked for the deletion, it left the delay to the other.
    aws.forget()

    # The second takes over by itself, is told of it again, and nothing is there twice.
    eventually(lambda: reads(second), "the relief")
    eventually(lambda: health_of(AwsAccount.objects.get(account_id=HUB)).received, "the repetition")
    assert ModelVersion.objects.filter(arn=arn).count() == 1
    assert StageEvent.objects.filter(version__arn=arn).count() == 1
    assert registry_events.read_events() == 0, "the sweep leaves an account that is listened to alone"
    size = events.measure(session, url)
    assert size.waiting + size.in_flight == 0

    # A database that drops every connection is found again.
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND usename = current_user"
        )
    arn = aws_story.register(group)
    eventually(lambda: ModelVersion.objects.filter(arn=arn).exists(), "the version after the database came back")

    # An account whose queue is gone fails alone, and says so.
    broken = AwsAccount.objects.get(account_id=DEVELOPMENT)
    eventually(lambda: health_of(broken).failures, "the failure")
    assert "ReceiveMessage" in health_of(broken).error
    assert health_of(AwsAccount.objects.get(account_id=HUB)).is_read

    # A queue the account gets meanwhile is noticed; a disabled account is left alone.
    other = aws_story.event_queue()
    later = aws_story.register(group)
    eventually(lambda: ModelVersion.objects.filter(arn=later).exists(), "the version told in the new queue")
    AwsAccount.objects.update(is_enabled=False)
    time.sleep(3.2)
    aws.forget()
    session.sqs.send_message(QueueUrl=other, MessageBody="{not json")
    time.sleep(0.5)
    assert not aws.calls(service="sqs", operation="ReceiveMessage"), "a disabled account is not touched"

    second.terminate()
    assert second.wait(30) == 0


def test_pauses_grow_differ_and_end_at_a_minute() -> None:
    for failures, most in ((1, 1), (2, 2), (5, 16), (7, 60), (10_000, 60)):
        pauses = {pause_after(failures) for _ in range(20)}
        assert len(pauses) > 1
        assert all(most / 2 <= pause <= most for pause in pauses)
