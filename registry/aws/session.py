"""Hold one AWS session per account: assume its role, keep one client per service, count what is called."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast

from registry.aws.descriptions import loader
from registry.aws.errors import THROTTLE_CODES, AwsInvalid, AwsThrottled, AwsUnavailable, translated
from registry.aws.gates import Gate, GateClosed, widest
from registry.aws.records import AccountRef

if TYPE_CHECKING:
    import botocore.session
    from boto3.session import Session
    from botocore.awsrequest import AWSPreparedRequest, AWSResponse
    from botocore.config import Config
    from botocore.credentials import CredentialResolver
    from mypy_boto3_events.client import EventBridgeClient
    from mypy_boto3_iam.client import IAMClient
    from mypy_boto3_ram.client import RAMClient
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_sagemaker.client import SageMakerClient
    from mypy_boto3_sqs.client import SQSClient
    from mypy_boto3_sts.client import STSClient

SESSION_NAME = "model-governance-portal"
# "adaptive" would add a rate limiter to each client at which every thread waits without an end (one request in two
# seconds after a throttle): a page would hang behind a pass of the same account. Slowing down is the work of the
# account's gate, and of the outbox and the schedule, which come back later. See docs/operations.md, "AWS accounts".
RETRY_MODE: Final = "standard"
TOTAL_MAX_ATTEMPTS = 4
CONNECT_TIMEOUT_SECONDS = 3
READ_TIMEOUT_SECONDS = 20
# ReceiveMessage itself may wait 20 s; a shorter or equal read timeout would turn an empty queue into an
# error.
_READ_TIMEOUTS = {"sqs": 35}
MAX_POOL_CONNECTIONS = 10
# Role chaining caps a session at one hour, and one hour is the least maximum a role can have.
_ROLE_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Counts:
    """Say what was asked of AWS.

    `calls` are operations, `requests` the HTTP requests sent for them (retries included), `pages` answers of
    list operations, `throttles` answers that said "slow down".
    """

    calls: int = 0
    requests: int = 0
    pages: int = 0
    throttles: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.calls + other.calls,
            self.requests + other.requests,
            self.pages + other.pages,
            self.throttles + other.throttles,
        )


class Counters:
    """Count from several threads at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts = Counts()

    def add(self, delta: Counts) -> None:
        """Add what one botocore event stands for."""
        with self._lock:
            self._counts += delta

    def snapshot(self) -> Counts:
        """Return the counts of this moment, which later calls do not change."""
        with self._lock:
            return self._counts


_watchers: ContextVar[tuple[tuple[int, Counters], ...]] = ContextVar("aws_call_watchers", default=())


class _Process:
    """Hold what belongs to one process: its sessions, and the lock of client making, in which those of botocore are not
    safe to share."""

    def __init__(self) -> None:
        self.making = threading.RLock()
        self.sessions: dict[tuple[int, AccountRef, int], AwsSession] = {}
        self.alive: weakref.WeakSet[AwsSession] = weakref.WeakSet()
        self.gates: dict[tuple[str, str, str], Gate] = {}

    def gate(self, account_id: str, region: str, service: str) -> Gate:
        """Return the one gate before a service of an account and region."""
        # `setdefault` of a dict is atomic: two threads get the same gate.
        return self.gates.setdefault((account_id, region, service), Gate())

    def begin_after_fork(self) -> None:
        # A lock held and connections opened by the parent are of no use to the child, and pooled sockets shared
        # between processes would mix answers up.
        self.making = threading.RLock()
        self.sessions.clear()
        self.gates = {}
        _watchers.set(())
        for session in list(self.alive):
            session.begin()


_process = _Process()


def _assumed_role(refresh: Callable[[], dict[str, str]]) -> CredentialResolver:
    """Give botocore credentials that are fetched on first use and renew themselves before they run out; thread-safe, by
    botocore."""
    from botocore import credentials  # noqa: PLC0415 - as in `_new_botocore_session`

    class AssumedRole(credentials.CredentialProvider):
        METHOD = "assume-role"

        def load(self) -> credentials.DeferredRefreshableCredentials:
            return credentials.DeferredRefreshableCredentials(refresh_using=refresh, method=self.METHOD)

    return credentials.CredentialResolver([AssumedRole()])


class AwsSession:
    """Speak to one AWS account in one region.

    With a role ARN, the role is assumed with RoleSessionName and SourceIdentity "model-governance-portal"
    (its trust policy must allow sts:AssumeRole and sts:SetSourceIdentity) and again before the hour is over;
    without one, the process's own credentials are used. Safe to share between threads, and after a fork the
    child makes its own clients. `AWS_ENDPOINT_URL` is honoured by botocore itself. Get it from `session_for`.

    Raises AwsInvalid when the role belongs to another account than the one named. Source: sts AssumeRole.
    """

    def __init__(self, account: AccountRef, *, total_max_attempts: int = TOTAL_MAX_ATTEMPTS) -> None:
        self.account = account
        self.total_max_attempts = total_max_attempts
        role_account = account.role_arn.split(":")[4:5]
        if account.role_arn and role_account != [account.account_id]:
            raise AwsInvalid(
                service="sts",
                operation="AssumeRole",
                account_id=account.account_id,
                code="RoleOfAnotherAccount",
                message=f"{account.role_arn} is not a role of account {account.account_id}",
            )
        self.begin()
        _process.alive.add(self)

    def begin(self) -> None:
        """Forget clients, credentials and counts, so that the next call makes new ones."""
        self.counters = Counters()
        self._clients: dict[str, Any] = {}
        self._boto: Session | None = None

    def client(self, service: str) -> Any:
        """Return this process's one client for a service, made on first use."""
        client = self._clients.get(service)
        if client is None:
            with _process.making:
                client = self._clients.get(service)
                if client is None:
                    if self._boto is None:
                        self._boto = self._boto_session()
                    client = self._clients[service] = self._make(self._boto, service)
        return client

    @property
    def sagemaker(self) -> SageMakerClient:
        return cast("SageMakerClient", self.client("sagemaker"))

    @property
    def ram(self) -> RAMClient:
        return cast("RAMClient", self.client("ram"))

    @property
    def sqs(self) -> SQSClient:
        return cast("SQSClient", self.client("sqs"))

    @property
    def events(self) -> EventBridgeClient:
        return cast("EventBridgeClient", self.client("events"))

    @property
    def s3(self) -> S3Client:
        return cast("S3Client", self.client("s3"))

    @property
    def iam(self) -> IAMClient:
        return cast("IAMClient", self.client("iam"))

    @property
    def cloudwatch(self) -> Any:
        # Typed by hand where its answers are read: there are no stubs of it among the project's tools.
        return self.client("cloudwatch")

    @property
    def sts(self) -> STSClient:
        return cast("STSClient", self.client("sts"))

    @contextmanager
    def counting(self) -> Iterator[Counters]:
        """Count the calls this session makes inside the block, apart from those of other threads.

        Read the result with `.snapshot()`, inside or after the block. A thread started inside the block
        counts too when it is run in a copy of the context (`contextvars.copy_context().run`).
        """
        mine = Counters()
        token = _watchers.set((*_watchers.get(), (id(self), mine)))
        try:
            yield mine
        finally:
            _watchers.reset(token)

    def _boto_session(self) -> Session:
        from boto3.session import Session  # noqa: PLC0415 - as in `_new_botocore_session`

        base = _new_botocore_session(self.account.region)
        if not self.account.role_arn:
            return Session(botocore_session=base, region_name=self.account.region)
        sts = self._make(Session(botocore_session=base, region_name=self.account.region), "sts")
        request = {
            "RoleArn": self.account.role_arn,
            "RoleSessionName": SESSION_NAME,
            "SourceIdentity": SESSION_NAME,
            "DurationSeconds": _ROLE_SECONDS,
        }
        if self.account.external_id:
            request["ExternalId"] = self.account.external_id

        def refresh() -> dict[str, str]:
            answer = sts.assume_role(**request)["Credentials"]
            return {
                "access_key": answer["AccessKeyId"],
                "secret_key": answer["SecretAccessKey"],
                "token": answer["SessionToken"],
                "expiry_time": answer["Expiration"].isoformat(),
            }

        assumed = _new_botocore_session(self.account.region)
        assumed.register_component("credential_provider", _assumed_role(refresh))
        return Session(botocore_session=assumed, region_name=self.account.region)

    def _make(self, boto: Session, service: str) -> Any:
        config = client_config(service, self.total_max_attempts, region_name=self.account.region)
        make = cast("Callable[..., Any]", boto.client)
        with translated(self, service, "CreateClient"):
            client = make(service, config=config)
        # The only handler of an event that may answer in place of the connection: each attempt goes through the gate.
        send = client._endpoint.http_session.send  # noqa: SLF001 - botocore hands it to no one
        client.meta.events.register("before-send", partial(self._through_the_gate, service, send))
        client.meta.events.register("response-received", partial(self._on_response, service))
        client.meta.events.register("after-call", self._on_call)
        client.meta.events.register("after-call-error", self._on_failed_call)
        return client

    def gate(self, service: str) -> Gate:
        """Return the gate that every request to a service of this account and region goes through."""
        return _process.gate(self.account.account_id, self.account.region, service)

    def _through_the_gate(
        self, service: str, send: Callable[[Any], AWSResponse], request: AWSPreparedRequest, **event: Any
    ) -> AWSResponse:
        try:
            with self.gate(service).passage():
                return send(request)
        except GateClosed as closed:
            raise AwsThrottled(
                service=service,
                operation=str(event.get("event_name", "")).rpartition(".")[2],
                account_id=self.account.account_id,
                code="GateClosed",
                message=str(closed),
            ) from closed

    def _on_response(self, service: str, parsed_response: Mapping[str, Any] | None = None, **_: Any) -> None:
        answer = parsed_response or {}
        throttled = (
            answer.get("Error", {}).get("Code") in THROTTLE_CODES
            or answer.get("ResponseMetadata", {}).get("HTTPStatusCode") == 429
        )
        self._count(Counts(requests=1, throttles=int(throttled)))
        gate = self.gate(service)
        if throttled:
            gate.throttled()
        elif parsed_response is not None:
            gate.answered()

    def _on_call(self, model: Any, parsed: Mapping[str, Any], **_: Any) -> None:
        members = model.input_shape.members if model.input_shape is not None else {}
        listed = ("NextToken" in members or "nextToken" in members) and "Error" not in parsed
        self._count(Counts(calls=1, pages=int(listed)))

    def _on_failed_call(self, **_: Any) -> None:
        self._count(Counts(calls=1))

    def _count(self, delta: Counts) -> None:
        self.counters.add(delta)
        for session_id, watcher in _watchers.get():
            if session_id == id(self):
                watcher.add(delta)


def client_config(service: str, total_max_attempts: int = TOTAL_MAX_ATTEMPTS, **more: Any) -> Config:
    """Return the timeouts, attempts and pool size of every client the portal makes; attempts count the first try."""
    from botocore.config import Config  # noqa: PLC0415 - as in `_new_botocore_session`

    return Config(
        retries={"mode": RETRY_MODE, "total_max_attempts": total_max_attempts},
        connect_timeout=CONNECT_TIMEOUT_SECONDS,
        read_timeout=_READ_TIMEOUTS.get(service, READ_TIMEOUT_SECONDS),
        max_pool_connections=max(MAX_POOL_CONNECTIONS, widest()),
        user_agent_extra=SESSION_NAME,
        **more,
    )


def session_for(account: AccountRef, *, total_max_attempts: int = TOTAL_MAX_ATTEMPTS) -> AwsSession:
    """Return this process's one session for an account, region and role; thread-safe, and safe after a fork.

    `total_max_attempts` counts the first try. Raises AwsInvalid when the role is another account's.
    """
    key = (os.getpid(), account, total_max_attempts)
    session = _process.sessions.get(key)
    if session is None:
        with _process.making:
            session = _process.sessions.get(key)
            if session is None:
                session = _process.sessions[key] = AwsSession(account, total_max_attempts=total_max_attempts)
    return session


def reset_sessions() -> None:
    """Forget every session and gate of this process: the next call starts with new credentials and clients."""
    with _process.making:
        _process.sessions.clear()
        _process.gates = {}


def pages(
    session: AwsSession,
    service: str,
    operation: str,
    call: Callable[..., Mapping[str, Any]],
    request: Mapping[str, Any],
    *,
    token: str = "NextToken",
) -> Iterator[Mapping[str, Any]]:
    """Walk a list operation to its end, through empty pages too, until AWS gives no further token.

    Raises AwsError of the page that failed (what came before it is incomplete), and AwsUnavailable when AWS
    hands out the same token twice, which would never end.
    """
    following: str | None = None
    while True:
        with translated(session, service, operation):
            page = call(**request, **({token: following} if following else {}))
        yield page
        previous, following = following, page.get(token)
        if not following:
            return
        if following == previous:
            raise AwsUnavailable(
                service=service,
                operation=operation,
                account_id=session.account.account_id,
                code="RepeatedToken",
                message="the list returned the same page token twice",
            )


def _new_botocore_session(region: str) -> botocore.session.Session:
    # Megabytes, in web processes that ask nothing of AWS.
    import botocore.session  # noqa: PLC0415 - only where AWS is asked

    session = botocore.session.Session()
    session.register_component("data_loader", loader())
    session.set_config_variable("region", region)
    return session


os.register_at_fork(after_in_child=_process.begin_after_fork)
