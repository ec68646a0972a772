"""A worker process that carries out the outbox and stops at a named step, to be killed there.

`python -m tests.stopped_delivery` reads one step a line and forks a worker for it, which prints its process id, then
`at <step>` when it stops there, or `done` when it has carried out what was due. Without the fork each worker would
spend its first seconds with imports.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

import django

STEPS = (
    "before the attempt is recorded",
    "while the attempt is recorded",
    "when the attempt is recorded",
    "before the version is read",
    "after the version was read",
    "after the answer to the update",
    "after the version was read again",
    "before the message is marked",
    "when the message is marked, not committed",
    "when the version was taken in, not committed",
    "after the delivery is committed",
)


def say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


class Stop:
    """Patches the steps of a delivery to stop at one of them."""

    def __init__(self, wanted: str) -> None:
        self.wanted = wanted

    def at(self, step: str) -> None:
        """Say so and stop until killed or continued, when this is the step."""
        assert step in STEPS
        if step == self.wanted:
            say(f"at {step}")
            os.kill(os.getpid(), signal.SIGSTOP)

    def around(self, target: Any, name: str, before: str = "", after: str = "") -> None:
        """Stop before or after a function, every time it is called."""
        original: Callable[..., Any] = getattr(target, name)

        def patched(*args: Any, **kwargs: Any) -> Any:
            if before:
                self.at(before)
            answer = original(*args, **kwargs)
            if after:
                self.at(after)
            return answer

        setattr(target, name, patched)

    def written(self, original: Callable[..., None]) -> Callable[..., None]:
        """Stop where a message was written, inside the transaction."""

        def update(row: Any, *fields: str) -> None:
            original(row, *fields)
            if "attempts" in fields:
                self.at("while the attempt is recorded")
            if "delivered_at" in fields:
                self.at("when the message is marked, not committed")

        return update


def carry_out(wanted: str) -> None:
    """Carry out what is due, up to the step."""
    stop = Stop(wanted)
    jobs: Any = import_module("portal.core.jobs")
    delivery: Any = import_module("governance.services.delivery")
    write_back: Any = import_module("governance.services.carriers.write_back")
    jobs._send = lambda *args, **kwargs: None
    stop.around(delivery, "_begun", "before the attempt is recorded", "when the attempt is recorded")
    delivery.kept.update = stop.written(delivery.kept.update)
    stop.around(write_back, "_described", "before the version is read", "after the version was read")
    stop.around(write_back.sagemaker, "update_version", after="after the answer to the update")
    stop.around(write_back, "_written", after="after the version was read again")
    stop.around(delivery, "_delivered", "before the message is marked", "after the delivery is committed")
    stop.around(delivery, "_clear_finding", before="when the version was taken in, not committed")
    delivery.deliver_due()
    say("done")


def main() -> None:
    django.setup()
    # Once, before the forks.
    import_module("governance.services.delivery")
    # A killed worker leaves nothing to be waited for.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    say("ready")
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            say(f"pid {os.getpid()}")
            try:
                carry_out(line.strip())
            finally:
                os._exit(0)


if __name__ == "__main__":
    main()
