"""Let tests fail requests on purpose and read what was asked: the sandbox's own paths under /sandbox/."""

from __future__ import annotations

import itertools
import json
import threading
from collections import deque
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import moto

from .accounts import ALIASES
from .identify import Call
from .wire import STATUS, Answer, as_json

_KEPT_CALLS = 20_000


@dataclass
class Fault:
    """A failure to inject into the next ``times`` matching calls (None: until cleared).

    ``error`` is an error code, "delay" (only wait ``seconds``) or "drop" (close the connection without an answer).
    With ``after`` the operation is performed first, and its answer lost.
    """

    id: int
    service: str | None
    operation: str | None
    account: str | None
    error: str
    times: int | None
    seconds: float
    after: bool
    fired: int = 0

    def fits(self, call: Call) -> bool:
        return (
            self.service in (None, call.service)
            and self.operation in (None, call.operation)
            and self.account in (None, call.account)
            and (self.times is None or self.fired < self.times)
        )


class Control:
    """The faults waiting and the calls seen since the start."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._ids = itertools.count(1)
        self._calls: deque[dict[str, Any]] = deque(maxlen=_KEPT_CALLS)

    def fault_for(self, call: Call) -> Fault | None:
        """Take the first fault that fits, counting it as fired."""
        with self._lock:
            fault = next((f for f in self._faults if f.fits(call)), None)
            if fault is not None:
                fault.fired += 1
            return fault

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
        """Serve /sandbox/health, /sandbox/faults and /sandbox/calls."""
        path, method = environ["PATH_INFO"].rstrip("/"), environ["REQUEST_METHOD"]
        query = {k: v[0] for k, v in parse_qs(environ.get("QUERY_STRING", "")).items()}
        if path == "/sandbox/health" and method == "GET":
            return as_json(200, {"status": "ok", "moto": moto.__version__, "accounts": ALIASES})
        if path == "/sandbox/faults":
            return self._answer_faults(method, body)
        if path == "/sandbox/calls":
            return self._answer_calls(method, query)
        return as_json(404, {"error": f"{method} {path}: the sandbox has /sandbox/health, /faults and /calls"})

    def _answer_faults(self, method: str, body: bytes) -> Answer:
        with self._lock:
            if method == "GET":
                waiting = [f for f in self._faults if f.times is None or f.fired < f.times]
                return as_json(200, {"faults": [asdict(f) for f in waiting]})
            if method == "DELETE":
                self._faults.clear()
                return as_json(200, {"faults": []})
            if method != "POST":
                return as_json(405, {"error": "use POST, GET or DELETE"})
            try:
                fault = self._fault(json.loads(body))
            except (ValueError, TypeError, KeyError, AttributeError) as error:
                return as_json(400, {"error": f"not a fault: {error}"})
            self._faults.append(fault)
            return as_json(201, asdict(fault))

    def _fault(self, wanted: dict[str, Any]) -> Fault:
        known = {"service", "operation", "account", "error", "times", "seconds", "after"}
        if unknown := set(wanted) - known:
            raise ValueError(f"unknown {sorted(unknown)}; a fault has {sorted(known)}")
        error = wanted.get("error")
        if error not in STATUS and error not in ("delay", "drop"):
            raise ValueError(f"error {error!r} is not one of {sorted(STATUS)}, delay or drop")
        times = wanted.get("times", 1)
        if times is not None and (not isinstance(times, int) or times < 1):
            raise ValueError("times must be a whole number from 1, or null for until cleared")
        seconds = float(wanted.get("seconds") or 0)
        if not 0 <= seconds <= 300:
            raise ValueError("seconds must be between 0 and 300")
        return Fault(
            id=next(self._ids),
            service=wanted.get("service"),
            operation=wanted.get("operation"),
            account=wanted.get("account"),
            error=error,
            times=times,
            seconds=seconds,
            after=bool(wanted.get("after", False)),
        )

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
