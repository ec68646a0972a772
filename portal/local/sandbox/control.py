"""Let tests and demos fail requests on purpose and read what was asked: the sandbox's own paths under /sandbox/.

``GET /sandbox/health`` says that it is well. ``GET`` and ``DELETE /sandbox/calls`` read and forget what was asked;
``?service=``, ``?operation=`` and ``?account=`` choose.

``POST /sandbox/settings`` takes ``association_seconds`` (RAM associations are ASSOCIATING as long),
``index_lag_seconds`` (Search sees a change as much later) and ``invitation_seconds``; ``GET`` reads them.
``POST /sandbox/organization`` puts accounts into one organisation (see ``organization.establish``).
``POST /sandbox/pipeline-executions`` makes an execution with given steps (see ``sagemaker.pipeline_seeding``).
``POST /sandbox/seed`` and ``/sandbox/touch`` make and change versions by the thousand (see ``sagemaker.seeding``).

``POST /sandbox/monitor`` lets an execution of a monitoring schedule happen (see ``sagemaker.monitor_runs``).

``POST /sandbox/outcome`` says what a training, AutoML or labeling job came to (see ``sagemaker.training``).

``POST /sandbox/faults`` takes one fault as JSON, ``GET`` lists those still waiting, ``DELETE`` clears them, and
``DELETE /sandbox/faults/ID`` clears one. A fault strikes the calls of its ``service``, ``operation`` and ``account``
(each left out: of any), on the ``page`` "first" or "later" of a list, ``times`` times (1; null: until cleared).
``error`` says what it does:

- an error code, as ``ThrottlingException`` or ``InternalFailure``: the call fails with it; with ``after`` it is
  performed first. From status 500 ``"body": "html"`` answers with a page instead of the protocol's error. With
  ``"page": "later"`` a list fails in its middle.
- ``delay``: the call takes ``seconds`` longer, once. ``latency``: every call does, until cleared, besides any other
  fault. No lock is held meanwhile: calls overlap.
- ``drop``: the connection is closed without an answer. ``timeout``: nothing is answered until the client gives up, for
  at most ``seconds`` (300).
- ``partial_page``: a list of SageMaker, RAM, EventBridge or Organizations gives ``keep`` entries (0: an empty page
  with a token) and the others on its next page; with ``lose`` they are missing and the token stays as it was.
- ``duplicate_events``: each event is delivered to queues ``copies`` times (2). ``drop_events``: it is not delivered.
  ``delay_events``: it arrives ``seconds`` later. ``reorder_events``: every other one arrives ``seconds`` (1) later, so
  behind its successor. These strike events of ``account``, until cleared.
"""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import moto

from . import organization
from .accounts import ALIASES
from .faults import Fault, faults
from .identify import Call
from .sagemaker import monitor_runs, pipeline_seeding, seeding, training
from .settings import settings
from .wire import Answer, as_json

_KEPT_CALLS = 20_000
# Paths that change what the accounts have: served under the journal's lock, and written before they are answered.
CHANGES: dict[str, Callable[[Any], dict[str, Any]]] = {
    "/sandbox/organization": organization.establish,
    "/sandbox/pipeline-executions": pipeline_seeding.make,
    "/sandbox/seed": seeding.seed,
    "/sandbox/touch": seeding.touch,
    "/sandbox/outcome": training.outcome,
    "/sandbox/monitor": monitor_runs.run,
}


class Control:
    """The calls seen since the start, and the way to the faults."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: deque[dict[str, Any]] = deque(maxlen=_KEPT_CALLS)

    def log(
        self, call: Call, status: int | None, error: str | None, fault: Fault | None, performed: bool, seconds: float
    ) -> None:
        """Remember a call. ``status`` None means that the answer was dropped."""
        logged = call.service in ("sagemaker", "events", "ram", "sts", "s3") or call.mutating
        entry = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "service": call.service,
            "operation": call.operation,
            "account": call.account,
            "region": call.region,
            "status": status,
            "error": error,
            "performed": performed,
            "client_token": call.client_token,
            "parameters": call.parameters if logged else {},
            "fault": fault.id if fault else None,
            "milliseconds": round(seconds * 1000, 1),
        }
        with self._lock:
            self._calls.append(entry)

    def answer(self, environ: dict[str, Any], body: bytes) -> Answer:
        """Serve the sandbox's own paths."""
        path, method = environ["PATH_INFO"].rstrip("/"), environ["REQUEST_METHOD"]
        query = {k: v[0] for k, v in parse_qs(environ.get("QUERY_STRING", "")).items()}
        if path == "/sandbox/health" and method == "GET":
            return as_json(200, {"status": "ok", "moto": moto.__version__, "accounts": ALIASES})
        if path == "/sandbox/faults" or path.startswith("/sandbox/faults/"):
            return self._answer_faults(method, path.removeprefix("/sandbox/faults").lstrip("/"), body)
        if path == "/sandbox/calls":
            return self._answer_calls(method, query)
        if path == "/sandbox/settings":
            return self._answer_settings(method, body)
        if path in CHANGES:
            return self._change(path, method, body)
        names = ", ".join(["/sandbox/health", "/faults", "/calls", "/settings", *CHANGES])
        return as_json(404, {"error": f"{method} {path}: the sandbox has {names}"})

    @staticmethod
    def _answer_settings(method: str, body: bytes) -> Answer:
        if method == "GET":
            return as_json(200, asdict(settings))
        if method not in ("POST", "PUT"):
            return as_json(405, {"error": "use POST or GET"})
        try:
            return as_json(200, settings.change(json.loads(body)))
        except (ValueError, TypeError, OverflowError, RecursionError) as error:
            return as_json(400, {"error": f"not settings: {error}"})

    @staticmethod
    def _change(path: str, method: str, body: bytes) -> Answer:
        if method != "POST":
            return as_json(405, {"error": "use POST"})
        try:
            return as_json(200, CHANGES[path](json.loads(body)))
        except (ValueError, TypeError, OverflowError, RecursionError) as error:
            return as_json(400, {"error": str(error)})

    def _answer_faults(self, method: str, number: str, body: bytes) -> Answer:
        if method == "GET" and not number:
            return as_json(200, {"faults": [asdict(f) for f in faults.waiting()]})
        if method == "DELETE":
            if number and not (number.isdecimal() and faults.clear(int(number[:18]))):
                return as_json(404, {"error": f"there is no fault {number}"})
            if not number:
                faults.clear()
            return as_json(200, {"faults": [asdict(f) for f in faults.waiting()]})
        if method != "POST" or number:
            return as_json(405, {"error": "use POST, GET or DELETE"})
        try:
            fault = faults.add(json.loads(body))
        except (ValueError, TypeError, OverflowError, RecursionError) as error:
            return as_json(400, {"error": f"not a fault: {error}"})
        return as_json(201, asdict(fault))

    def _answer_calls(self, method: str, query: dict[str, str]) -> Answer:
        if method == "DELETE":
            with self._lock:
                self._calls.clear()
            return as_json(200, {"calls": []})
        if method != "GET":
            return as_json(405, {"error": "use GET or DELETE"})
        names = ("service", "operation", "account")
        with self._lock:
            known = list(self._calls)
        calls = [c for c in known if all(c[n] == query[n] for n in names if n in query)]
        return as_json(200, {"calls": calls})
