"""A worker killed with -9 at each step of a delivery: a fresh one finishes, and AWS changed once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from governance.models import OutboxMessage, StageEvent
from governance.selectors.audit import verify
from registry.aws import events, sagemaker
from registry.models import ModelVersion, Project
from tests import aws_story
from tests.aws_story import HUB
from tests.factories import Cast, cast, project
from tests.factories.walk import all_accounts, approve_once
from tests.sandbox import ROOT, Sandbox
from tests.stopped_delivery import STEPS

# The version says it already, so the fresh worker writes nothing; before these steps it does.
WRITTEN_FROM = STEPS.index("after the answer to the update")


class Workers:
    """The process that forks workers, and what they say."""

    def __init__(self, env: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.stopped_delivery"],
            cwd=ROOT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip
        self.hears("ready")

    def hears(self, words: str) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline().strip()
        assert line.startswith(words), f"expected {words!r}, the worker said {line!r}"
        return line

    def start(self, step: str = "") -> int:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{step}\n")
        self.process.stdin.flush()
        return int(self.hears("pid").removeprefix("pid "))

    def finish(self) -> None:
        """Have a fresh worker carry out what is due."""
        self.start()
        self.hears("done")

    def stop(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)


@pytest.fixture
def workers(committed_db: str, aws: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workers]:
    # Nobody listens: the workers of this test are started by hand.
    monkeypatch.setattr("portal.core.jobs._send", lambda *args, **kwargs: None)
    started = Workers({**os.environ, "DATABASE_URL": committed_db, "DJANGO_SETTINGS_MODULE": "portal.settings.test"})
    yield started
    started.stop()


@pytest.fixture
def here(committed_db: str, aws: Sandbox) -> tuple[Project, Cast]:
    of = project()
    all_accounts()
    return of, cast(of, project())


def eventually(question: Callable[[], Any], what: str, seconds: float = 60.0) -> Any:
    deadline = time.monotonic() + seconds
    while not (answer := question()):
        assert time.monotonic() < deadline, f"{what} did not come within {seconds:.0f} s"
        time.sleep(0.02)
    return answer


def updates(aws: Sandbox, arn: str) -> list[dict[str, Any]]:
    calls = aws.calls(service="sagemaker", operation="UpdateModelPackage")
    return [call for call in calls if call["parameters"]["ModelPackageArn"] == arn]


def states(version: ModelVersion) -> list[str]:
    return list(OutboxMessage.objects.filter(version=version).order_by("pk").values_list("state", flat=True))


def finished(workers: Workers, version: ModelVersion) -> bool:
    # The server notices a moment later that a killed worker's connection, and with it its lock, is gone.
    workers.finish()
    return set(states(version)) == {"delivered"}


def told(queue: str) -> Counter[str]:
    """How often SageMaker told of a changed approval, by version."""
    found: Counter[str] = Counter()
    while received := events.receive(aws_story.session(HUB), queue, wait_seconds=0):
        found.update(one.model_package_arn for one in received if "ModelApprovalStatus" in one.updated_fields)
        events.delete(aws_story.session(HUB), queue, received)
    return found


def assert_done(aws: Sandbox, version: ModelVersion, step: str) -> None:
    write_back, order = OutboxMessage.objects.filter(version=version).order_by("pk")
    assert [write_back.state, order.state] == ["delivered", "delivered"], step
    assert write_back.delivered_at is not None
    assert order.delivered_at is not None
    assert write_back.delivered_at <= order.delivered_at, step
    assert (write_back.last_error, order.last_error) == ("", ""), step
    described = sagemaker.describe_version(aws_story.session(HUB), version.arn)
    assert described.approval_status == "Approved", step
    assert {call["client_token"] for call in updates(aws, version.arn)} == {str(write_back.token)}, step
    version.refresh_from_db()
    assert (version.stage, version.status, version.aws_approval_status) == ("qa", "pending", "Approved"), step
    assert version.aws_modified_at == described.last_modified_at, step
    assert StageEvent.objects.filter(version=version, verb="approve").count() == 1, step


def test_killed_at_each_step_it_is_done_once(aws: Sandbox, workers: Workers, here: tuple[Project, Cast]) -> None:
    of, people = here
    queue = aws_story.event_queue()
    arns = []
    for number, step in enumerate(STEPS):
        version = aws_story.claimed(people, of)
        arns.append(version.arn)
        approve_once(people, version)
        worker = workers.start(step)
        workers.hears(f"at {step}")
        assert states(version) == ["delivered" if step == STEPS[-1] else "pending", "pending"], step
        assert len(updates(aws, version.arn)) == (number >= WRITTEN_FROM), step
        os.kill(worker, signal.SIGKILL)
        eventually(lambda version=version: finished(workers, version), f"the delivery, killed {step}")
        assert len(updates(aws, version.arn)) == 1, step
        assert_done(aws, version, step)
    assert told(queue) == dict.fromkeys(arns, 1)
    assert verify().is_intact


@pytest.mark.parametrize(
    ("fault", "requests"), [({"error": "delay", "seconds": 3}, 2), ({"error": "timeout", "after": True}, 1)],
    ids=["before it is performed", "before its answer"],
)  # fmt: skip
def test_killed_with_the_update_on_the_wire_it_is_done_once(
    aws: Sandbox, workers: Workers, here: tuple[Project, Cast], fault: dict[str, Any], requests: int
) -> None:
    of, people = here
    queue = aws_story.event_queue()
    version = aws_story.claimed(people, of)
    approve_once(people, version)
    aws.fault(service="sagemaker", operation="UpdateModelPackage", times=1, **fault)
    worker = workers.start("after the version was read")
    workers.hears("at")
    # It stops right after it said so; then the update is sent, and does not come back.

    def on_the_wire() -> bool:
        os.kill(worker, signal.SIGCONT)
        return aws.has_struck()

    eventually(on_the_wire, "the update")
    os.kill(worker, signal.SIGKILL)
    assert states(version) == ["pending", "pending"]
    eventually(lambda: finished(workers, version), "the delivery")
    # What the killed worker sent is logged when it is answered, after its sender is dead.
    eventually(lambda: len(updates(aws, version.arn)) == requests, "the first request")
    assert_done(aws, version, "on the wire")
    assert told(queue) == {version.arn: 1}
    assert verify().is_intact
