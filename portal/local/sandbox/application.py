"""Serve AWS requests one change at a time, each written before it is answered."""

from __future__ import annotations

import contextlib
import gzip
import io
import logging
import select
import socket
import time
import zlib
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.s3.models import s3_backends

from . import partial, wire
from .control import CHANGES, Control
from .enforcement import refusal
from .faults import Fault, faults
from .identify import Call, identify
from .install import SERVICES, backends
from .persistence import save
from .state import Journal, StateFile
from .wire import Answer, as_json

log = logging.getLogger(__name__)

# Operations whose backends tell the journal themselves what they changed.
_OWN_JOURNAL = ("sqs", "ram", "sts")


class _Services(DomainDispatcherApplication):
    """moto looks through its folders at every request for the service of a host, which is always the same."""

    def __init__(self) -> None:
        super().__init__(create_backend_app)
        self._known: dict[str | None, Any] = {}

    def get_backend_for_host(self, host: str | None) -> Any:
        if host not in self._known:
            self._known[host] = super().get_backend_for_host(host)
        return self._known[host]


class SandboxApplication:
    """The WSGI application: identify, inject faults, perform under the lock, save, log, answer."""

    def __init__(self, state: StateFile, journal: Journal) -> None:
        self.control = Control()
        self._state = state
        self._journal = journal
        self._aws = _Services()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        body = self._read(environ)
        if environ["PATH_INFO"].startswith("/sandbox/"):
            return self._send(self._own(environ, body), environ, start_response)
        if environ["PATH_INFO"].startswith("/moto-api"):
            # What moto resets or seeds behind the journal's back would be there again after a restart.
            refusal = {"error": "moto's own paths are not served; the sandbox has /sandbox/"}
            return self._send(as_json(404, refusal), environ, start_response)
        begun = time.monotonic()
        call = identify(environ, body)
        fault, latency = faults.for_call(call)
        # No lock is held while a call waits, so calls that are slow at once are slow side by side.
        self._wait(latency + (fault.seconds if fault and fault.error != "timeout" else 0))
        failing = fault is not None and not fault.only_waits and fault.error != "partial_page"
        kept = partial.resume(environ, call)
        performed = False
        answer: Answer | None = None
        if not failing or (fault and fault.after):
            answer = self._refused(call)
            if answer is None:
                performed = True
                answer = partial.rest(self._perform(environ, call), call, kept)
        if fault and fault.error == "partial_page" and answer:
            answer = partial.cut(answer, call, fault)
        if fault and failing:
            answer = self._failed(fault, call, environ)
        status = answer.status if answer else None
        self.control.log(call, status, answer.error if answer else None, fault, performed, time.monotonic() - begun)
        if answer is None:
            self._hang_up(environ)
            raise ConnectionResetError("answer dropped by a fault")
        return self._send(answer, environ, start_response)

    def _own(self, environ: dict[str, Any], body: bytes) -> Answer:
        """Answer the sandbox's own paths, those that change state as carefully as AWS's."""
        if environ["PATH_INFO"].rstrip("/") not in CHANGES:
            return self.control.answer(environ, body)
        with self._journal.lock:
            answer = self.control.answer(environ, body)
            save(self._state, self._journal)
            return answer

    @staticmethod
    def _read(environ: dict[str, Any]) -> bytes:
        length = environ.get("CONTENT_LENGTH")
        stream = environ["wsgi.input"]
        body: bytes = (
            stream.read(int(length)) if length else stream.read() if environ.get("wsgi.input_terminated") else b""
        )
        # Clients compress large requests of the JSON services; an object of S3 is stored as it came.
        if environ.get("HTTP_X_AMZ_TARGET") and environ.get("HTTP_CONTENT_ENCODING") == "gzip":
            del environ["HTTP_CONTENT_ENCODING"]
            with contextlib.suppress(OSError, EOFError, zlib.error):  # garbled, as the service will say
                body = gzip.decompress(body)
        environ["wsgi.input"] = io.BytesIO(body)
        environ["CONTENT_LENGTH"] = str(len(body))
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        return body

    @staticmethod
    def _send(answer: Answer, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        headers = [(n, v) for n, v in answer.headers if n.lower() not in ("content-length", "status")]
        given = next((v for n, v in answer.headers if n.lower() == "content-length"), None)
        # HEAD gives the length of what GET would send.
        length = given if environ["REQUEST_METHOD"] == "HEAD" and given else str(len(answer.body))
        if answer.status != 204:
            headers.append(("Content-Length", length))
        try:
            phrase = HTTPStatus(answer.status).phrase
        except ValueError:
            phrase = "Status"
        start_response(f"{answer.status} {phrase}", headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [answer.body]

    def _wait(self, seconds: float) -> None:
        if seconds:
            self._journal.closing.wait(seconds)

    def _failed(self, fault: Fault, call: Call, environ: dict[str, Any]) -> Answer | None:
        if fault.error == "timeout":
            self._keep_waiting(environ, fault.seconds)
        if fault.error in ("drop", "timeout"):
            return None
        if fault.body == "html":
            return wire.html(fault.error)
        message = "Rate exceeded" if fault.error == "ThrottlingException" else f"Injected by fault {fault.id}"
        return wire.error(call, fault.error, message)

    def _keep_waiting(self, environ: dict[str, Any], seconds: float) -> None:
        """Hold the connection open without a word until the client gives up, or for ``seconds``."""
        connection, until = environ.get("werkzeug.socket"), time.monotonic() + seconds
        while time.monotonic() < until and not self._journal.closing.wait(0.05):
            if connection is None:
                continue
            readable, _, _ = select.select([connection], [], [], 0)
            if readable and not connection.recv(1, socket.MSG_PEEK):
                return

    @staticmethod
    def _hang_up(environ: dict[str, Any]) -> None:
        connection = environ.get("werkzeug.socket")
        if connection is not None:
            with contextlib.suppress(OSError):  # the client was faster
                connection.shutdown(socket.SHUT_RDWR)

    def _refused(self, call: Call) -> Answer | None:
        """Answer what is not for moto: foreign services, credentials that are no longer valid."""
        if self._journal.closing.is_set():
            return wire.error(call, "ServiceUnavailable", "The sandbox is stopping.")
        if call.service not in SERVICES:
            return wire.error(
                call,
                "UnknownOperationException",
                f"The sandbox has no {call.service}; it serves {', '.join(SERVICES)}.",
            )
        if not call.known:
            return self._unknown(call)
        if call.garbled:
            return wire.error(call, "SerializationException", "The request body is not a JSON object.")
        if call.access_key.startswith("ASIA"):
            session = backends("sts")[call.account]["aws"].get_assumed_role_from_access_key(call.access_key)
            if session is None:
                message = "The security token included in the request is invalid."
                return wire.error(call, "UnrecognizedClientException", message)
            if session.expired:
                message = "The security token included in the request is expired"
                return wire.error(call, "ExpiredTokenException", message)
            with self._journal.lock:
                why = refusal(call)
            if why:
                return wire.error(call, "AccessDeniedException", why)
        return None

    def _perform(self, environ: dict[str, Any], call: Call) -> Answer:
        if call.waits:
            answer = self._ask_moto(environ, call)
            if not self._journal.touched:
                return answer
            with self._journal.lock:  # messages moved to a dead-letter queue
                return self._saved(answer, call)
        with self._journal.lock:
            if call.mutating:
                self._touch(call)
            answer = self._ask_moto(environ, call)
            if call.mutating and answer.status < 400:
                self._touch(call)
            return self._saved(answer, call)

    def _saved(self, answer: Answer, call: Call) -> Answer:
        try:
            save(self._state, self._journal)
        except Exception:
            log.exception(
                "%s %s was performed but could not be saved to %s", call.service, call.operation, self._state.path
            )
            return wire.error(call, "InternalFailure", f"The change could not be saved to {self._state.path}.")
        return answer

    def _ask_moto(self, environ: dict[str, Any], call: Call) -> Answer:
        captured: dict[str, Any] = {}

        def start_response(status: str, headers: list[tuple[str, str]], _: Any = None) -> None:
            captured.update(status=int(status.split(" ", 1)[0]), headers=headers)

        try:
            found = self._aws(environ, start_response)
            body = b"".join(found)
            if hasattr(found, "close"):
                found.close()
        except NotImplementedError:
            return self._unknown(call)
        except Exception:
            log.exception("%s %s failed", call.service, call.operation)
            return wire.error(
                call, "InternalFailure", f"{call.service} {call.operation} failed in the sandbox; see its log."
            )
        answer = Answer(captured["status"], body, captured["headers"])
        unrouted = answer.status in (404, 405) and b"<title>404 Not Found</title>" in body
        return self._unknown(call) if unrouted and call.service != "s3" else answer

    @staticmethod
    def _unknown(call: Call) -> Answer:
        message = f"The sandbox does not perform {call.service} {call.operation}."
        return wire.error(call, "UnknownOperationException", message)

    def _touch(self, call: Call) -> None:
        """Note what a request to a stock backend may change. Called before (what goes) and after (what comes)."""
        touch = self._journal.touch
        if call.service in _OWN_JOURNAL or (call.service, call.operation) == ("events", "PutEvents"):
            return
        if call.service == "s3":
            self._touch_s3(call)
        elif call.service in ("iam", "organizations"):
            touch(call.service, call.account, "aws", "backend")
        elif not self._in_registry(call):
            touch(call.service, call.account, call.region, "backend")

    @staticmethod
    def _in_registry(call: Call) -> bool:
        """Whether it changes what has rows of its own, or its tags; other resources' tags are stock moto's."""
        tagged = str(call.parameters.get("ResourceArn", ""))
        ours = any(kind in call.operation for kind in ("ModelPackage", "Pipeline", "Monitoring", "ModelCard"))
        return call.service == "sagemaker" and (
            ours or any(kind in tagged for kind in (":model-package", ":pipeline/", ":model-card/"))
        )

    def _touch_s3(self, call: Call) -> None:
        region, account = s3_backends.bucket_accounts.get(call.bucket, ("aws", call.account))
        touch = self._journal.touch
        # The bucket has its settings and unfinished uploads; tags tell the journal themselves.
        if call.operation not in ("PutObject", "DeleteObject", "DeleteObjects"):
            touch("s3", account, region, "bucket", call.bucket)
        for name in [call.key] if call.key else call.parameters.get("Keys", []):
            touch("s3", account, region, "object", f"{call.bucket}/{name}")
