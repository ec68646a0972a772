"""Gates: a bounded number of requests at once, and fewer where AWS asks for it, for one account and not for others."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from registry.aws import gates, sagemaker, sts
from registry.aws.errors import AwsError, AwsThrottled
from registry.aws.gates import Gate, GateClosed
from registry.aws.records import AccountRef
from registry.aws.session import AwsSession, session_for
from tests.aws import recorded
from tests.aws.wire import Wire
from tests.sandbox import Sandbox

OWN = AccountRef("111111111111", "us-east-1")
OTHER = AccountRef("222222222222", "us-east-1")


@pytest.fixture(autouse=True)
def as_wide_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gates, "_widest", gates.DEFAULT_CONCURRENCY)


def test_no_more_pass_at_once_than_the_setting_says() -> None:
    gates.configure(3)
    gate, inside, most, lock = Gate(), 0, 0, threading.Lock()

    def go(_: int) -> None:
        nonlocal inside, most
        with gate.passage():
            with lock:
                inside += 1
                most = max(most, inside)
            time.sleep(0.005)
            with lock:
                inside -= 1

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(go, range(36)))
    assert (most, inside) == (3, 0)


def test_a_throttle_halves_the_gate_and_answers_widen_it_again() -> None:
    gate = Gate()
    widths = []
    for _ in range(5):
        widths.append(gate.limit)
        gate.throttled()
    assert widths == [8, 4, 2, 1, 1]
    answers = 0
    while gate.limit < 8:
        gate.answered()
        answers += 1
    # One full round for each step: 1 + 2 + ... + 7.
    assert answers == 28


def test_who_waits_too_long_is_told() -> None:
    gates.configure(1)
    gate = Gate()
    with gate.passage(), pytest.raises(GateClosed, match="1 requests are under way"), gate.passage(0.01):
        pytest.fail("two passed at once")
    with gate.passage(0.01):
        assert gate.limit == 1


def test_an_error_inside_gives_the_place_back() -> None:
    gates.configure(1)
    gate = Gate()
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), gate.passage(0.01):
            raise ZeroDivisionError
    with gate.passage(0.01):
        pass


def test_a_setting_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="not 0"):
        gates.configure(0)


def test_each_attempt_goes_through_the_gate_of_its_account_region_and_service(wire: Wire) -> None:
    gates.configure(1)
    wire.refuse("DescribeModelPackage", "ThrottlingException", "Rate exceeded", times=2)
    wire.answer("sagemaker", "DescribeModelPackage", recorded.DESCRIBE_VERSION)
    session = AwsSession(OWN)
    sagemaker.describe_version(session, recorded.VERSION_ARN)
    assert session.gate("sagemaker") is AwsSession(OWN).gate("sagemaker")
    others = [
        session.gate("ram"),
        AwsSession(OTHER).gate("sagemaker"),
        AwsSession(AccountRef(OWN.account_id, "eu-west-1")).gate("sagemaker"),
    ]
    assert session.gate("sagemaker") not in others


def test_a_throttled_account_alone_is_narrowed(wire: Wire) -> None:
    wire.refuse("DescribeModelPackage", "ThrottlingException", "Rate exceeded", times=4)
    with pytest.raises(AwsThrottled):
        sagemaker.describe_version(AwsSession(OWN), recorded.VERSION_ARN)
    assert AwsSession(OWN).gate("sagemaker").limit == 1
    assert AwsSession(OTHER).gate("sagemaker").limit == 8


def test_a_place_is_given_back_by_an_answer_that_cannot_be_read(wire: Wire) -> None:
    gates.configure(1)
    session = AwsSession(OWN)
    wire.raw("GetCallerIdentity", 200, b"<broken")
    with pytest.raises(AwsError):
        sts.caller_identity(session)
    with session.gate("sts").passage(0.01):
        pass


def test_a_gate_held_too_long_reads_as_a_throttle(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    gates.configure(1)
    session = AwsSession(OWN)
    gate = session.gate("sagemaker")
    passage = gate.passage
    monkeypatch.setattr(gate, "passage", lambda: passage(0.01))
    with passage(), pytest.raises(AwsThrottled) as caught:
        sagemaker.describe_version(session, recorded.VERSION_ARN)
    assert (caught.value.code, caught.value.operation, caught.value.retryable) == (
        "GateClosed",
        "DescribeModelPackage",
        True,
    )
    assert not wire.requests


def test_a_fork_has_gates_of_its_own() -> None:
    gates.configure(1)
    gate = session_for(OWN).gate("sagemaker")
    with gate.passage():
        child = os.fork()
        if child == 0:
            verdict = 1
            try:
                with session_for(OWN).gate("sagemaker").passage(1):
                    verdict = 0
            finally:
                os._exit(verdict)
        _, status = os.waitpid(child, 0)
    assert status == 0, "the child waited for a place its parent held"


def test_throttling_slows_that_account_only(aws: Sandbox) -> None:
    """One account is throttled through and through while another works on: the other is as fast as alone."""
    slow = session_for(AccountRef("111111111111", "us-east-1", "arn:aws:iam::111111111111:role/ModelGovernancePortal"))
    quick = session_for(AccountRef("222222222222", "us-east-1", "arn:aws:iam::222222222222:role/ModelGovernancePortal"))
    list(sagemaker.list_groups(slow)), list(sagemaker.list_groups(quick))

    def twenty() -> float:
        began = time.monotonic()
        for _ in range(20):
            list(sagemaker.list_groups(quick))
        return time.monotonic() - began

    alone = twenty()
    aws.fault(service="sagemaker", account="111111111111", error="ThrottlingException", times=None)
    with ThreadPoolExecutor(6) as pool:
        waiting = [pool.submit(lambda: list(sagemaker.list_groups(slow))) for _ in range(6)]
        beside = twenty()
        outcomes = [one.exception() for one in waiting]
    assert all(isinstance(outcome, AwsThrottled) for outcome in outcomes)
    assert slow.gate("sagemaker").limit == 1
    assert quick.gate("sagemaker").limit == 8
    with quick.counting() as counted:
        list(sagemaker.list_groups(quick))
    assert counted.snapshot().throttles == 0
    # Six times is room for a machine that does other things; a shared limiter would take as long as all the retries.
    assert beside < max(6 * alone, 1.0), f"{beside:.2f} s beside a throttled account, {alone:.2f} s alone"
