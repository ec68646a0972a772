"""Sessions: the role and its renewal, one client per service and process, retries, counters."""

from __future__ import annotations

import contextvars
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from registry.aws import ram, sagemaker, sts
from registry.aws.errors import AwsInvalid, AwsThrottled, AwsUnavailable
from registry.aws.records import AccountRef
from registry.aws.session import AwsSession, Counts, reset_sessions, session_for
from tests.aws import recorded
from tests.aws.wire import Wire

ROLE = AccountRef("222222222222", "eu-west-1", "arn:aws:iam::222222222222:role/Portal", "external-7")
OWN = AccountRef("111111111111", "us-east-1")


def hours(count: float) -> datetime:
    return datetime.now(UTC) + timedelta(hours=count)


def describe(session: AwsSession) -> None:
    sagemaker.describe_version(session, recorded.VERSION_ARN)


def test_role_is_assumed_once_with_the_portals_identity(wire: Wire) -> None:
    wire.assume_role("ASIAFIRST", hours(1))
    wire.answer("sagemaker", "DescribeModelPackage", recorded.DESCRIBE_VERSION, times=2)
    session = AwsSession(ROLE)
    describe(session)
    describe(session)

    (asked,) = wire.asked("AssumeRole")
    assert asked["RoleArn"] == ROLE.role_arn
    assert asked["RoleSessionName"] == asked["SourceIdentity"] == "model-governance-portal"
    assert (asked["ExternalId"], asked["DurationSeconds"]) == ("external-7", "3600")
    described = [request for request in wire.requests if request.operation == "DescribeModelPackage"]
    assert "Credential=ASIAFIRST/" in described[0].headers["Authorization"]
    assert described[0].headers["X-Amz-Security-Token"] == "token-ASIAFIRST"
    assert described[0].url == "https://api.sagemaker.eu-west-1.amazonaws.com/"
    assert "model-governance-portal" in described[0].headers["User-Agent"]


def test_role_is_assumed_again_before_it_runs_out(wire: Wire) -> None:
    wire.assume_role("ASIAFIRST", hours(1 / 12))
    wire.assume_role("ASIASECOND", hours(1))
    wire.answer("sagemaker", "DescribeModelPackage", recorded.DESCRIBE_VERSION, times=3)
    session = AwsSession(ROLE)
    for _ in range(3):
        describe(session)
    used = [r.headers["X-Amz-Security-Token"] for r in wire.requests if r.operation == "DescribeModelPackage"]
    assert used == ["token-ASIAFIRST", "token-ASIASECOND", "token-ASIASECOND"]


def test_threads_share_one_renewal(wire: Wire) -> None:
    wire.assume_role("ASIAFIRST", hours(1))
    wire.answer("sagemaker", "DescribeModelPackage", recorded.DESCRIBE_VERSION, times=16)
    session = AwsSession(ROLE)
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda _: describe(session), range(16)))
    assert len(wire.asked("AssumeRole")) == 1


def test_without_external_id_none_is_sent(wire: Wire) -> None:
    wire.assume_role("ASIAFIRST", hours(1))
    wire.answer("sagemaker", "DescribeModelPackage", recorded.DESCRIBE_VERSION)
    describe(AwsSession(AccountRef("222222222222", "eu-west-1", ROLE.role_arn)))
    assert "ExternalId" not in wire.asked("AssumeRole")[0]


def test_without_role_the_processs_own_credentials_are_used(wire: Wire) -> None:
    wire.answer("sagemaker", "DescribeModelPackage", recorded.DESCRIBE_VERSION)
    describe(AwsSession(OWN))
    assert "Credential=testing/" in wire.requests[0].headers["Authorization"]


def test_a_role_of_another_account_is_refused() -> None:
    with pytest.raises(AwsInvalid, match="is not a role of account 333333333333"):
        session_for(AccountRef("333333333333", "us-east-1", ROLE.role_arn))


def test_endpoint_comes_from_the_environment(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    wire.answer("sagemaker", "DescribeModelPackage", recorded.DESCRIBE_VERSION)
    describe(AwsSession(OWN))
    assert wire.requests[0].url == "http://127.0.0.1:9/"


def test_clients_are_configured_explicitly() -> None:
    session = AwsSession(OWN)
    config = session.sagemaker.meta.config
    assert config.retries == {"mode": "standard", "total_max_attempts": 4}
    assert (config.connect_timeout, config.read_timeout, config.max_pool_connections) == (3, 20, 10)
    # ReceiveMessage waits up to 20 s by itself.
    assert session.sqs.meta.config.read_timeout > 20
    assert AwsSession(OWN, total_max_attempts=9).ram.meta.config.retries["total_max_attempts"] == 9


def test_one_session_and_one_client_per_process() -> None:
    with ThreadPoolExecutor(8) as pool:
        sessions = set(pool.map(lambda _: session_for(OWN), range(32)))
        clients = set(pool.map(lambda _: session_for(OWN).sagemaker, range(32)))
    assert len(sessions) == len(clients) == 1
    assert session_for(AccountRef("111111111111", "eu-west-1")) not in sessions
    assert session_for(OWN, total_max_attempts=2) not in sessions
    reset_sessions()
    assert session_for(OWN) not in sessions


def test_a_fork_starts_anew() -> None:
    session = session_for(OWN)
    client = session.sagemaker
    session.counters.add(Counts(calls=3))
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        verdict = b"n"
        try:
            anew = session_for(OWN) is not session and session.sagemaker is not client
            verdict = b"y" if anew and session.counters.snapshot() == Counts() else b"n"
        finally:
            os.write(writing, verdict)
            os._exit(0)
    os.waitpid(child, 0)
    os.close(writing)
    assert os.read(reading, 1) == b"y"
    os.close(reading)
    assert session_for(OWN) is session
    assert session.sagemaker is client


def test_a_fork_while_a_client_is_being_made_does_not_hang(monkeypatch: pytest.MonkeyPatch) -> None:
    making, go_on = threading.Event(), threading.Event()
    make = AwsSession._make

    def slow(self: AwsSession, boto: object, service: str) -> object:
        if service == "ram":
            making.set()
            assert go_on.wait(10)
        return make(self, boto, service)  # type: ignore[arg-type]

    monkeypatch.setattr(AwsSession, "_make", slow)
    session = session_for(OWN)
    thread = threading.Thread(target=lambda: session.ram)
    thread.start()
    assert making.wait(10)
    child = os.fork()
    if child == 0:
        try:
            session_for(OWN).client("sqs")
        finally:
            os._exit(0)
    waiting = threading.Timer(20, lambda: os.kill(child, 9))
    waiting.start()
    _, status = os.waitpid(child, 0)
    waiting.cancel()
    go_on.set()
    thread.join()
    assert status == 0, "the child waited for a lock that its parent's thread held"


def test_throttles_are_retried_and_counted(wire: Wire) -> None:
    wire.refuse("DescribeModelPackage", "ThrottlingException", "Rate exceeded", times=2)
    wire.answer("sagemaker", "DescribeModelPackage", recorded.DESCRIBE_VERSION)
    session = AwsSession(OWN)
    describe(session)
    assert session.counters.snapshot() == Counts(calls=1, requests=3, pages=0, throttles=2)


def test_throttled_to_the_end_is_named_and_counted(wire: Wire) -> None:
    wire.refuse("DescribeModelPackage", "ThrottlingException", "Rate exceeded", times=4)
    session = AwsSession(OWN)
    with pytest.raises(AwsThrottled) as caught:
        describe(session)
    assert caught.value.retryable
    assert session.counters.snapshot() == Counts(calls=1, requests=4, pages=0, throttles=4)


def test_attempts_can_be_chosen(wire: Wire) -> None:
    wire.refuse("DescribeModelPackage", "ThrottlingException", "Rate exceeded", times=2)
    with pytest.raises(AwsThrottled):
        describe(AwsSession(OWN, total_max_attempts=2))


def test_failures_count_as_calls_and_refusals_are_not_retried(wire: Wire) -> None:
    wire.refuse("DescribeModelPackage", "AccessDeniedException", "no", status=400)
    wire.fail("DescribeModelPackage", ConnectionResetError(), times=1)
    session = AwsSession(OWN)
    with pytest.raises(Exception, match="denied"):
        describe(session)
    assert session.counters.snapshot() == Counts(calls=1, requests=1)
    with pytest.raises(ConnectionResetError):
        describe(session)
    assert session.counters.snapshot() == Counts(calls=2, requests=2)


def test_counting_sees_its_own_thread_only(wire: Wire) -> None:
    wire.answer("sagemaker", "DescribeModelPackage", recorded.DESCRIBE_VERSION, times=12)
    session = AwsSession(OWN)
    barrier = threading.Barrier(3)

    def work(times: int) -> Counts:
        barrier.wait()
        with session.counting() as counted:
            for _ in range(times):
                describe(session)
        return counted.snapshot()

    with ThreadPoolExecutor(3) as pool:
        counts = list(pool.map(work, (1, 3, 5)))
    assert [count.calls for count in counts] == [1, 3, 5]
    with session.counting() as counted, ThreadPoolExecutor(1) as pool:
        pool.submit(describe, session).result()
        assert counted.snapshot() == Counts()
        pool.submit(contextvars.copy_context().run, describe, session).result()
        assert counted.snapshot() == Counts(calls=1, requests=1)
        describe(session)
    assert counted.snapshot().calls == 2
    assert session.counters.snapshot().calls == 12


def test_counting_sees_its_own_session_only(wire: Wire) -> None:
    wire.answer("sagemaker", "DescribeModelPackage", recorded.DESCRIBE_VERSION, times=2)
    one, other = AwsSession(OWN), AwsSession(OWN)
    with one.counting() as outer, other.counting() as inner:
        describe(one)
        describe(other)
    assert (outer.snapshot(), inner.snapshot()) == (Counts(calls=1, requests=1),) * 2


def test_assuming_the_role_counts(wire: Wire) -> None:
    wire.assume_role("ASIAFIRST", hours(1))
    wire.answer("sagemaker", "DescribeModelPackage", recorded.DESCRIBE_VERSION)
    session = AwsSession(ROLE)
    with session.counting() as counted:
        describe(session)
    assert counted.snapshot() == Counts(calls=2, requests=2)


def test_lists_go_through_empty_pages_and_count_them(wire: Wire, session: AwsSession) -> None:
    for token, entries in (("a", []), ("b", [recorded.SHARE]), ("c", []), ("", [recorded.SHARE])):
        page = {"resourceShares": entries, **({"nextToken": token} if token else {})}
        wire.answer("ram", "GetResourceShares", page)
    assert len(list(ram.list_shares(session, "SELF"))) == 2
    assert [asked.get("nextToken") for asked in wire.asked("GetResourceShares")] == [None, "a", "b", "c"]
    assert session.counters.snapshot() == Counts(calls=4, requests=4, pages=4)


def test_a_token_handed_out_twice_ends_the_list_with_an_error(wire: Wire, session: AwsSession) -> None:
    wire.answer("ram", "GetResourceShares", {"resourceShares": [recorded.SHARE], "nextToken": "same"}, times=2)
    listed = ram.list_shares(session, "SELF")
    with pytest.raises(AwsUnavailable, match="RepeatedToken"):
        list(listed)


def test_a_page_that_fails_is_no_end(wire: Wire, session: AwsSession) -> None:
    wire.answer("ram", "GetResourceShares", {"resourceShares": [recorded.SHARE], "nextToken": "a"})
    wire.refuse("GetResourceShares", "ServerInternalException", status=500, times=4)
    listed = ram.list_shares(session, "SELF")
    assert next(listed).arn == recorded.SHARE_ARN
    with pytest.raises(AwsUnavailable):
        next(listed)


def test_caller_identity(wire: Wire, session: AwsSession) -> None:
    wire.raw(
        "GetCallerIdentity",
        200,
        b'<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
        b"<Arn>arn:aws:sts::111111111111:assumed-role/P/s</Arn><UserId>AROA:s</UserId><Account>111111111111</Account>"
        b"</GetCallerIdentityResult></GetCallerIdentityResponse>",
    )
    assert sts.caller_identity(session).account_id == "111111111111"
