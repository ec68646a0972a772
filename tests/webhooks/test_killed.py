"""A process that is killed with -9 while it sends: nothing is lost, the same message comes again, the order is kept."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, connections, transaction

from governance.models import WebhookAttempt, WebhookDelivery, WebhookEvent
from governance.services import webhook_spread
from tests.receiver import Receiver
from tests.sandbox import ROOT

from .conftest import Place, is_signed, made_place, names, send, send_all, told


@pytest.fixture
def committed_place(committed_db: str, settings: Any) -> Place:
    settings.PORTAL_WEBHOOK_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    return made_place()


def eventually(question: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 20
    while not question():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.02)


def started(committed_db: str) -> subprocess.Popen[bytes]:
    env = {**os.environ, "DATABASE_URL": committed_db, "PORTAL_WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8"}
    return subprocess.Popen([sys.executable, "-m", "tests.webhooks.sending_process"], cwd=ROOT, env=env)


def test_a_process_killed_while_it_sends_loses_nothing(
    committed_db: str, committed_place: Place, receiver: Receiver
) -> None:
    made = committed_place.webhook(receiver.url)
    committed_place.withdraw(committed_place.submit())
    # The receiver takes the first message, and takes its time to say so.
    receiver.answer(200, seconds=5.0)
    process = started(committed_db)
    eventually(lambda: receiver.taken)
    os.kill(process.pid, signal.SIGKILL)
    process.wait(10)
    first = WebhookDelivery.objects.get(webhook=made.webhook, type="approval.requested")
    assert (first.state, first.attempts) == ("pending", 1)
    lost = WebhookAttempt.objects.get(delivery=first)
    assert (lost.ended_at, lost.http_status) == (None, None), "what came of it nobody knows"

    # Its lock is gone with its connection.
    eventually(lambda: send() > 0)
    assert names(receiver) == ["approval.requested", "approval.requested", "approval.withdrawn"]
    again, once = receiver.taken[0], receiver.taken[1]
    assert again.headers["webhook-id"] == once.headers["webhook-id"]
    assert again.body == once.body
    assert all(is_signed(taken, made.secret) for taken in receiver.taken)
    assert not WebhookDelivery.objects.pending().exists()


def test_two_that_spread_and_send_at_once_do_each_thing_once(
    committed_db: str, committed_place: Place, receiver: Receiver
) -> None:
    committed_place.webhook(receiver.url)
    for _ in range(5):
        committed_place.withdraw(committed_place.submit())
    together = threading.Barrier(4)

    def work() -> int:
        try:
            together.wait(10)
            return send_all()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        taken = sum(future.result() for future in [pool.submit(work) for _ in range(4)])
    taken += send_all()
    assert taken == 10
    assert names(receiver) == ["approval.requested", "approval.withdrawn"] * 5
    sequences = [told(one)["data"]["sequence"] for one in receiver.taken]
    assert sequences == sorted(sequences)


def test_an_event_whose_transaction_ends_late_is_not_skipped(committed_db: str, committed_place: Place) -> None:
    committed_place.webhook("https://hooks.example.org/", "approval.*", "model_version.*")
    begun, go_on = threading.Event(), threading.Event()

    def slow() -> None:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("UPDATE registry_modelversion SET missing_since = now()")
                begun.set()
                go_on.wait(10)
        finally:
            connections.close_all()

    thread = threading.Thread(target=slow)
    thread.start()
    assert begun.wait(10)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE registry_usecase SET risk_class = risk_class")
        cursor.execute(
            'INSERT INTO governance_webhookevent ("table", row_id, after, actor, correlation, happened_at,'
            " next_attempt_at) VALUES ('registry_modelversion', %s, %s, '', '', now(), now())",
            [committed_place.version.pk, '{"content_digest": "x", "missing_since": null}'],
        )
    assert webhook_spread.spread_due() == 1, "what came later and ended earlier goes first"
    go_on.set()
    thread.join(10)
    assert webhook_spread.spread_due() == 1
    assert not WebhookEvent.objects.exists()
    assert WebhookDelivery.objects.filter(type="model_version.missing").count() == 1
