"""The clock of the demo's history: this process, its database sessions and the sandbox AWS are taken back together.

The services ask Django for the time, the guards of the database ask PostgreSQL, and SageMaker stamps what it is told.
Only an owner of the tables has the guards' clock set back, and what is written then says so (adr/0014).
"""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import time_machine
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

_SET = "SELECT set_config('app.clock_behind', %s, false)"


class ClockRefused(Exception):
    """The database does not let this role set its clock back."""


class Clock:
    """Goes from moment to moment of the past, and ticks in between; it never goes beyond the present."""

    def __init__(self, sandbox: str) -> None:
        """Keep where the sandbox AWS answers."""
        self._sandbox = sandbox
        self._travel = time_machine.travel(datetime.now(UTC), tick=True)
        self._traveller: time_machine.Traveller | None = None
        self._began, self._monotonic = datetime.now(UTC), time.monotonic()
        self._behind = 0.0
        self._sandbox_behind = 0.0

    @contextmanager
    def running(self) -> Iterator[Clock]:
        """Take the clocks of this block, and put them right when it ends, however it ends."""
        self._began, self._monotonic = datetime.now(UTC), time.monotonic()
        self._traveller = self._travel.start()
        connection_created.connect(self._on_connection)
        try:
            self._require_heard()
            yield self
        finally:
            self._travel.stop()
            self._traveller = None
            connection_created.disconnect(self._on_connection)
            self._behind = 0.0
            if connection.connection is not None and not connection.in_atomic_block:
                self._tell_database(connection)
            self.tell_sandbox()

    @property
    def moment(self) -> datetime:
        """The time it shows."""
        return datetime.now(UTC)

    def go_to(self, moment: datetime) -> None:
        """Make it that moment, or now where that is still to come. Not inside a transaction."""
        assert self._traveller is not None, "the clock is not running"
        real = self._real()
        self._behind = max(0.0, (real - moment).total_seconds())
        self._traveller.move_to(min(real, moment))
        self._tell_database(connection)

    def tell_sandbox(self) -> None:
        """Have the sandbox AWS stamp what it is told from now on with this clock's time."""
        if abs(self._sandbox_behind - self._behind) < 1.0:
            return
        self._post("settings", clock_behind_seconds=self._behind)
        self._sandbox_behind = self._behind

    def fault(self, **wanted: Any) -> None:
        """Have the sandbox AWS fail a call."""
        self._post("faults", **wanted)

    def _post(self, path: str, **wanted: Any) -> None:
        request = urllib.request.Request(
            f"{self._sandbox}/sandbox/{path}",
            data=json.dumps(wanted).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30):
            pass

    def _real(self) -> datetime:
        """The present, by the clock that nobody moves."""
        return self._began + timedelta(seconds=time.monotonic() - self._monotonic)

    def _require_heard(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(_SET, ["3600 seconds"])
            cursor.execute("SELECT governance_clock_behind() = interval '1 hour'")
            row = cursor.fetchone()
        self._tell_database(connection)
        if not (row and row[0]):
            raise ClockRefused("A history is made by the owner of the tables; this role's clock is the database's.")

    def _on_connection(self, connection: BaseDatabaseWrapper, **_: Any) -> None:
        # Orders carried out in a thread of their own have a connection of their own.
        self._tell_database(connection)

    def _tell_database(self, told: BaseDatabaseWrapper) -> None:
        with told.cursor() as cursor:
            cursor.execute(_SET, [f"{self._behind:.6f} seconds" if self._behind else ""])
