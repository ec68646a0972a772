"""Hold the faults people asked for, and say which of them a request or an event meets."""

from __future__ import annotations

import itertools
import threading
from dataclasses import dataclass
from typing import Any

from .identify import Call
from .wire import STATUS

# Kinds that are not error codes, by what they strike.
OF_CALLS = ("delay", "latency", "drop", "timeout", "partial_page")
OF_EVENTS = ("duplicate_events", "reorder_events", "delay_events", "drop_events")
PAGED_SERVICES = ("sagemaker", "ram", "events", "organizations")
_UNTIL_CLEARED = ("latency", *OF_EVENTS)
_MOST_SECONDS = {"delay_events": 900, "reorder_events": 900}  # SQS delays a message by fifteen minutes at most
_TOKENS = ("NextToken", "nextToken", "Marker")


@dataclass
class Fault:
    """A failure to inject into the next ``times`` matching calls or events (None: until cleared)."""

    id: int
    error: str
    service: str | None = None
    operation: str | None = None
    account: str | None = None
    page: str | None = None
    times: int | None = 1
    seconds: float = 0
    after: bool = False
    body: str = "protocol"
    keep: int = 0
    lose: bool = False
    copies: int = 2
    fired: int = 0

    @property
    def waiting(self) -> bool:
        """Whether it may still strike."""
        return self.times is None or self.fired < self.times

    @property
    def only_waits(self) -> bool:
        """Whether the call is answered as it would be without the fault, only later."""
        return self.error in ("delay", "latency")

    def fits(self, call: Call) -> bool:
        """Whether it strikes this call."""
        if self.error in OF_EVENTS or not self.waiting:
            return False
        if self.error == "partial_page" and not (call.service in PAGED_SERVICES and call.lists):
            return False
        if self.page and self.page != ("later" if any(call.parameters.get(t) for t in _TOKENS) else "first"):
            return False
        return (
            self.service in (None, call.service)
            and self.operation in (None, call.operation)
            and self.account in (None, call.account)
        )

    def strikes(self, account: str, source: str) -> bool:
        """Whether it strikes an event; ``service`` is an event's source without "aws."."""
        ours = self.error in OF_EVENTS and self.waiting and self.account in (None, account)
        return ours and self.service in (None, source.removeprefix("aws."))


@dataclass(frozen=True)
class Delivery:
    """How often an event reaches each queue, and how many seconds after it happened."""

    copies: int = 1
    seconds: float = 0


class Faults:
    """The faults waiting; safe to use from every thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: list[Fault] = []
        self._ids = itertools.count(1)

    def add(self, wanted: dict[str, Any]) -> Fault:
        """Have a fault wait. Raises ValueError or TypeError saying what is wrong with it."""
        fault = _parsed(next(self._ids), wanted)
        with self._lock:
            self._known.append(fault)
        return fault

    def waiting(self) -> list[Fault]:
        """The faults that may still strike."""
        with self._lock:
            return [f for f in self._known if f.waiting]

    def clear(self, number: int | None = None) -> bool:
        """Take one fault away, or (None) all; say whether there was one."""
        with self._lock:
            kept = [f for f in self._known if number is not None and f.id != number]
            found = len(kept) < len(self._known)
            self._known = kept
            return found

    def for_call(self, call: Call) -> tuple[Fault | None, float]:
        """Take the first fault that fits, and the seconds of latency the call has besides."""
        with self._lock:
            latency = 0.0
            struck: Fault | None = None
            for fault in self._known:
                if not fault.fits(call):
                    continue
                if fault.error == "latency":
                    fault.fired += 1
                    latency += fault.seconds
                elif struck is None:
                    fault.fired += 1
                    struck = fault
            return struck, latency

    def for_event(self, account: str, source: str) -> Delivery:
        """Take the faults that strike an event of an account and source, and say how it is to be delivered."""
        copies, seconds = 1, 0.0
        with self._lock:
            for fault in self._known:
                if not fault.strikes(account, source):
                    continue
                fault.fired += 1
                if fault.error == "drop_events":
                    copies = 0
                elif fault.error == "duplicate_events":
                    copies *= fault.copies
                elif fault.error == "delay_events" or fault.fired % 2:
                    seconds += fault.seconds
        return Delivery(copies, seconds)


def _whole(wanted: dict[str, Any], name: str, default: int | None, least: int) -> int | None:
    value = wanted.get(name, default)
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and least <= value <= 1_000_000):
        return value
    raise ValueError(f"{name} must be a whole number from {least} to 1000000")


def _text(wanted: dict[str, Any], name: str, choices: tuple[str, ...] = ()) -> str | None:
    value = wanted.get(name)
    if value is not None and (not isinstance(value, str) or (choices and value not in choices)):
        raise ValueError(f"{name} must be " + (" or ".join(choices) if choices else "text"))
    return value


def _parsed(number: int, wanted: dict[str, Any]) -> Fault:
    if not isinstance(wanted, dict):
        raise TypeError("it must be a JSON object")
    known = set(Fault.__dataclass_fields__) - {"id", "fired"}
    if unknown := set(wanted) - known:
        raise ValueError(f"unknown {sorted(unknown)}; a fault has {sorted(known)}")
    error = wanted.get("error")
    if not isinstance(error, str) or error not in (*STATUS, *OF_CALLS, *OF_EVENTS):
        raise ValueError(f"error {error!r} is not one of {sorted(STATUS)}, {', '.join((*OF_CALLS, *OF_EVENTS))}")
    times = _whole(wanted, "times", None if error in _UNTIL_CLEARED else 1, 1)
    most = _MOST_SECONDS.get(error, 300)
    default = {"timeout": most, "reorder_events": 1}.get(error, 0)
    seconds = float(default if wanted.get("seconds") is None else wanted["seconds"])
    if not 0 <= seconds <= most:
        raise ValueError(f"seconds must be between 0 and {most}")
    body = _text(wanted, "body", ("protocol", "html")) or "protocol"
    if body == "html" and STATUS.get(error, 0) < 500:
        raise ValueError("body html is for errors of status 500 and above")
    service = _text(wanted, "service")
    if error == "partial_page" and service not in (None, *PAGED_SERVICES):
        raise ValueError(f"partial_page is for {', '.join(PAGED_SERVICES)}")
    return Fault(
        id=number,
        error=error,
        service=service,
        operation=_text(wanted, "operation"),
        account=_text(wanted, "account"),
        page=_text(wanted, "page", ("first", "later")),
        times=times,
        seconds=seconds,
        after=bool(wanted.get("after", False)),
        body=body,
        keep=_whole(wanted, "keep", 0, 0) or 0,
        lose=bool(wanted.get("lose", False)),
        copies=_whole(wanted, "copies", 2, 2) or 2,
    )


faults = Faults()
