"""The outbox side by side: what is slow or throttled in one account holds up nothing in another."""

from __future__ import annotations

import threading
import uuid
from typing import Any

import pytest
from django.core.cache.backends.dummy import DummyCache
from django.db import connection
from django.utils import timezone

from governance import tasks
from governance.choices import OutboxKind
from governance.models import OutboxMessage
from governance.services import delivery, lanes, outbox
from governance.services.carriers import CARRIERS, Carrier
from portal.core import locks
from registry.aws import sagemaker, sts
from registry.aws.errors import AwsThrottled
from registry.models import AwsAccount
from tests.aws_story import DEVELOPMENT, HUB, session
from tests.factories.walk import all_accounts
from tests.sandbox import Sandbox

Sent = list[tuple[str, dict[str, Any]]]


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    """The tasks that were enqueued."""
    found: Sent = []
    # A task that an earlier test sent, and nobody took, is not on its way here.
    monkeypatch.setattr("portal.core.jobs.cache", DummyCache("", {}))
    monkeypatch.setattr("portal.core.jobs._send", lambda name, kwargs, after: found.append((name, kwargs)))
    return found


@pytest.fixture
def accounts(committed_db: str, aws: Sandbox, sent: Sent) -> dict[str, AwsAccount]:
    return all_accounts()


@pytest.fixture
def carried(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was carried out, by summary: each message asks SageMaker for the groups of its account."""
    done: list[str] = []

    def carry(message: OutboxMessage) -> dict[str, Any]:
        assert message.account is not None
        list(sagemaker.list_groups(session(message.account.account_id)))
        done.append(message.summary)
        return {}

    for kind in (OutboxKind.WRITE_BACK, OutboxKind.ARTIFACT_COPY):
        monkeypatch.setitem(CARRIERS, kind, Carrier(carry))
    return done


def put(account: AwsAccount, summary: str, kind: OutboxKind = OutboxKind.WRITE_BACK) -> OutboxMessage:
    key = uuid.uuid4().hex
    return outbox.put(kind=kind, ordering_key=key, payload={}, summary=summary, account=account)


def in_another_process(lane: str) -> threading.Thread:
    """Serve a lane as another worker does, with a connection of its own."""

    def serve() -> None:
        try:
            lanes.deliver_lane(lane)
        finally:
            connection.close()

    thread = threading.Thread(target=serve)
    thread.start()
    return thread


def test_each_account_has_a_lane_and_what_is_slow_one_beside_it(accounts: dict[str, AwsAccount], sent: Sent) -> None:
    hub = accounts["hub"]
    assert put(hub, "word").lane == HUB
    assert put(hub, "copy", OutboxKind.ARTIFACT_COPY).lane == f"{HUB}:slow"
    assert sent == [(outbox.DELIVER, {"lane": HUB}), (outbox.DELIVER, {"lane": f"{HUB}:slow"})]
    sent.clear()
    put(accounts["development"], "word")
    OutboxMessage.objects.filter(lane=HUB).update(next_attempt_at=timezone.now() + timezone.timedelta(hours=1))
    sent.clear()
    tasks.deliver_outbox()
    assert sorted(kwargs["lane"] for _, kwargs in sent) == [f"{HUB}:slow", DEVELOPMENT]


def test_an_account_that_is_slow_holds_up_no_other(
    aws: Sandbox, accounts: dict[str, AwsAccount], carried: list[str]
) -> None:
    put(accounts["hub"], "in the slow account")
    put(accounts["development"], "in another")
    sts.caller_identity(session(DEVELOPMENT))
    aws.fault(service="sagemaker", account=HUB, error="delay", seconds=4, times=1)
    slow = in_another_process(HUB)
    assert lanes.deliver_lane(DEVELOPMENT) == 1
    assert slow.is_alive(), "the other account waited for the slow one"
    assert carried == ["in another"]
    # The slow account's own lane is served by one worker, whoever else comes round.
    assert lanes.deliver_lane(HUB) == 0
    slow.join(30)
    assert carried == ["in another", "in the slow account"]


def test_what_is_written_while_a_lane_is_served_is_not_left(
    accounts: dict[str, AwsAccount], carried: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own task finds the lane taken and goes away; whoever serves it looks once more."""
    original = delivery.deliver_due
    put(accounts["hub"], "first")

    def deliver(*, lane: str) -> int:
        count = original(lane=lane)
        if len(carried) == 1:
            put(accounts["hub"], "second")
        return count

    monkeypatch.setattr(delivery, "deliver_due", deliver)
    assert lanes.deliver_lane(HUB) == 2
    assert carried == ["first", "second"]


def test_a_decision_does_not_wait_for_copies(
    accounts: dict[str, AwsAccount], carried: list[str], settings: Any
) -> None:
    settings.OUTBOX_SLOW_TASKS = 1
    put(accounts["hub"], "copy", OutboxKind.ARTIFACT_COPY)
    put(accounts["hub"], "word")
    assert lanes.deliver_lane(HUB) == 1
    assert carried == ["word"]
    taken = threading.Event()
    done = threading.Event()

    def hold() -> None:
        with locks.advisory_lock("outbox-slow:0"):
            taken.set()
            done.wait(10)
        connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    taken.wait(10)
    # As many copies run as may; the sweep comes back to this one.
    assert lanes.deliver_lane(f"{HUB}:slow") == 0
    done.set()
    holder.join(10)
    assert lanes.deliver_lane(f"{HUB}:slow") == 1


def test_an_account_that_is_throttled_is_left_alone_for_this_time(
    accounts: dict[str, AwsAccount], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def carry(message: OutboxMessage) -> dict[str, Any]:
        asked.append(message.summary)
        if message.account == accounts["hub"]:
            raise AwsThrottled(service="sagemaker", operation="UpdateModelPackage", account_id=HUB,
                               code="ThrottlingException", message="Rate exceeded")  # fmt: skip
        return {}

    monkeypatch.setitem(CARRIERS, OutboxKind.WRITE_BACK, Carrier(carry))
    for number in range(3):
        put(accounts["hub"], f"hub {number}")
    put(accounts["development"], "development")
    assert delivery.deliver_due() == 1
    assert asked == ["hub 0", "development"]
    # The others of that account were not asked, so nothing counts against them.
    attempts = OutboxMessage.objects.filter(lane=HUB).order_by("pk").values_list("attempts", flat=True)
    assert list(attempts) == [1, 0, 0]
    # Next time another one comes first.
    assert delivery.deliver_due() == 0
    assert asked == ["hub 0", "development", "hub 1"]
