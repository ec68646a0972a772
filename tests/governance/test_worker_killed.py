"""A real worker process, killed with -9 while it talks to AWS and before it could: everything is done, once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from celery import Celery
from django.conf import settings
from django.core.cache.backends.redis import RedisCache

from governance.models import OutboxMessage, StageEvent
from governance.selectors.audit import verify
from portal.core import jobs
from registry.aws import events, sagemaker
from registry.models import ModelVersion
from registry.services import people as registry_people
from tests import aws_story
from tests.aws_story import HUB
from tests.factories import Cast, cast, project
from tests.factories.walk import all_accounts, approve_once
from tests.sandbox import ROOT, Sandbox

Start = Callable[[], subprocess.Popen[bytes]]
# The suite's own cache is in another one.
VALKEY_DATABASE = 11


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A Valkey database of its own, emptied before and after; this process enqueues into it."""
    number = VALKEY_DATABASE + int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw") or 0) % 4
    url = f"{settings.REDIS_URL.rsplit('/', 1)[0]}/{number}"
    client = redis.Redis.from_url(url)
    client.flushdb()
    app = Celery("test", broker=url, set_as_current=False)
    monkeypatch.setattr("portal.core.jobs.current_app", app)
    # What is on its way is marked where the worker takes the mark away.
    monkeypatch.setattr("portal.core.jobs.cache", RedisCache(url, {}))
    yield url
    app.close()
    client.flushdb()
    client.close()


@pytest.fixture
def start_worker(committed_db: str, broker: str, aws: Sandbox, tmp_path: Path) -> Iterator[Start]:
    """Start Celery workers as production does, each in a process group of its own."""
    started: list[subprocess.Popen[bytes]] = []
    env = {
        **os.environ,
        "DATABASE_URL": committed_db,
        "REDIS_URL": broker,
        "AWS_ENDPOINT_URL": aws.url,
        "DJANGO_SETTINGS_MODULE": "portal.settings.test",
    }

    def start() -> subprocess.Popen[bytes]:
        with (tmp_path / f"worker-{len(started)}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "celery", "-A", "portal.celery", "worker", "--concurrency", "1",
                 "--loglevel", "INFO", "--without-gossip", "--without-mingle"],
                cwd=ROOT, env=env, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        started.append(process)
        return process

    yield start
    for process in started:
        kill(process)
    for log in sorted(tmp_path.glob("worker-*.log")):
        print(f"--- {log.name}\n{log.read_text(errors='replace')[-3000:]}")


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill -9 the worker and its children, as the kernel does when memory runs out."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    process.wait(10)


def eventually(question: Callable[[], Any], what: str, seconds: float = 60.0) -> Any:
    deadline = time.monotonic() + seconds
    while not (answer := question()):
        assert time.monotonic() < deadline, f"{what} did not come within {seconds:.0f} s"
        time.sleep(0.05)
    return answer


def sweep() -> None:
    """Ask for what beat asks for every few seconds."""
    jobs.current_app.send_task("governance.deliver_outbox")


def is_ready() -> bool:
    return bool(jobs.current_app.control.ping(timeout=0.5))


@pytest.fixture
def people(committed_db: str, aws: Sandbox) -> Cast:
    here = project()
    all_accounts()
    return cast(here, project())


@pytest.fixture
def made(people: Cast) -> ModelVersion:
    of = registry_people.Project.objects.get(pk=next(iter(people.scientist.actor.grants.by_project)))
    return aws_story.claimed(people, of)


@pytest.fixture
def queue(made: ModelVersion) -> str:
    """Where SageMaker's events about the version go from now on."""
    return aws_story.event_queue()


def updates(aws: Sandbox, made: ModelVersion) -> list[dict[str, Any]]:
    return [
        call
        for call in aws.calls(service="sagemaker", operation="UpdateModelPackage")
        if call["performed"] and call["parameters"]["ModelPackageArn"] == made.arn
    ]


def delivered(made: ModelVersion) -> bool:
    states = set(OutboxMessage.objects.filter(version=made).values_list("state", flat=True))
    return states == {"delivered"}


def assert_done_once(aws: Sandbox, made: ModelVersion, queue: str) -> None:
    """AWS says what was decided, changed its mind once, and the deployment was ordered once."""
    described = sagemaker.describe_version(aws_story.session(HUB), made.arn)
    assert described.approval_status == "Approved"
    assert described.life_cycle is not None
    assert (described.life_cycle.stage, described.life_cycle.status) == ("Development", "Approved")
    token = str(OutboxMessage.objects.get(version=made, kind="write_back").token)
    assert {call["client_token"] for call in updates(aws, made)} == {token}
    told = events.receive(aws_story.session(HUB), queue, wait_seconds=1)
    assert [event.model_package_arn for event in told] == [made.arn], "SageMaker told of another number of changes"
    # Of this version: an order that a worker of the test before had on the wire when it died may arrive only now.
    orders = [
        call
        for call in aws.calls(service="events", operation="PutEvents")
        if call["performed"] and made.arn in json.dumps(call["parameters"])
    ]
    assert len(orders) == 1
    made.refresh_from_db()
    assert (made.stage, made.status) == ("qa", "pending")
    assert StageEvent.objects.filter(version=made, verb="approve").count() == 1
    assert verify().is_intact


def test_killed_while_it_talks_to_aws(
    aws: Sandbox, people: Cast, made: ModelVersion, queue: str, start_worker: Start
) -> None:
    aws.forget()
    aws.fault(service="sagemaker", operation="UpdateModelPackage", error="delay", seconds=4, times=1)
    worker = start_worker()
    approve_once(people, made)
    write_back = OutboxMessage.objects.get(version=made, kind="write_back")
    assert write_back.state == "pending", "the decision does not wait for AWS"

    def in_the_call() -> bool:
        write_back.refresh_from_db()
        # Describe has been answered, so the update is on its way and held up.
        return write_back.attempts == 1 and any(
            call["parameters"].get("ModelPackageName") == made.arn
            for call in aws.calls(service="sagemaker", operation="DescribeModelPackage")
        )

    eventually(in_the_call, "the attempt")
    eventually(aws.has_struck, "the update on the wire")
    kill(worker)
    write_back.refresh_from_db()
    assert (write_back.state, write_back.attempts) == ("pending", 1)
    assert aws.calls(service="sagemaker", operation="UpdateModelPackage") == [], "it was killed inside the call"

    start_worker()
    sweep()
    eventually(lambda: delivered(made), "the delivery", 40)
    # The first worker's request reaches AWS in the end, after its sender is dead.
    eventually(lambda: len(aws.calls(service="sagemaker", operation="UpdateModelPackage")) >= 1, "the first request")
    time.sleep(2)
    # Should it come second: the same token twice is one change.
    assert_done_once(aws, made, queue)


def test_killed_after_aws_did_it_and_before_the_portal_knew(
    aws: Sandbox, people: Cast, made: ModelVersion, queue: str, start_worker: Start
) -> None:
    # The answer is held back after the change was made: EventBridge is asked to wait instead, right behind it.
    aws.forget()
    aws.fault(service="events", operation="PutEvents", error="delay", seconds=30, times=1)
    worker = start_worker()
    approve_once(people, made)
    eventually(lambda: updates(aws, made), "the write-back")
    eventually(
        lambda: OutboxMessage.objects.filter(version=made, kind="deployment_order", attempts=1).exists(), "the order"
    )
    kill(worker)
    OutboxMessage.objects.filter(version=made, kind="write_back").update(state="pending", delivered_at=None)
    start_worker()
    sweep()
    eventually(lambda: delivered(made), "the delivery", 40)
    assert_done_once(aws, made, queue)
    assert len(updates(aws, made)) == 1


def test_killed_between_the_decision_and_its_pick_up(
    aws: Sandbox, people: Cast, made: ModelVersion, queue: str, start_worker: Start
) -> None:
    worker = start_worker()
    eventually(is_ready, "the worker", 40)
    kill(worker)
    aws.forget()
    approve_once(people, made)
    time.sleep(0.2)
    assert aws.calls(operation="UpdateModelPackage") == []
    # No sweep is needed: the task was enqueued at commit and is still there.
    start_worker()
    eventually(lambda: delivered(made), "the delivery", 40)
    assert_done_once(aws, made, queue)
    assert len(updates(aws, made)) == 1


def test_a_broker_that_lost_everything_loses_nothing(
    aws: Sandbox, people: Cast, made: ModelVersion, queue: str, broker: str, start_worker: Start
) -> None:
    aws.forget()
    approve_once(people, made)
    redis.Redis.from_url(broker).flushdb()
    start_worker()
    eventually(is_ready, "the worker", 40)
    assert not delivered(made)
    sweep()
    eventually(lambda: delivered(made), "the delivery", 40)
    assert_done_once(aws, made, queue)
    assert len(updates(aws, made)) == 1
