"""A process that listens to the event queues of all accounts at once: a thread, a database connection and a lock each.

The lock of an account is a session lock of its thread's own connection. It is gone when the connection is, so a killed
listener blocks nobody, and of two listeners each account has one.
"""

from __future__ import annotations

import logging
import os
import random
import socket
import threading
import time
from dataclasses import dataclass

from django.db import DatabaseError, connection

from portal.core.locks import advisory_lock
from portal.core.operations import correlated
from registry.aws.errors import AwsError
from registry.models import AwsAccount
from registry.services import event_health

from . import registry_events

logger = logging.getLogger(__name__)

WAIT_SECONDS = 10
MOST_ACCOUNTS = 64
LOOK_SECONDS = 2.0
# While another listener or the sweep reads an account.
_STAND_BY_SECONDS = 4.0
_LONGEST_PAUSE = 60.0
# For what is being taken in when the process is asked to stop; who only waits for messages is not waited for.
_FINISH_SECONDS = 10.0


def pause_after(failures: int) -> float:
    """Return how long to pause after the n-th failure in a row, in seconds: about 1 doubling to 60, with jitter."""
    return min(2.0 ** min(failures - 1, 10), _LONGEST_PAUSE) * random.uniform(0.5, 1.0)  # noqa: S311 - not a secret


@dataclass(frozen=True)
class _Place:
    """What of an account a thread works with; another value needs another thread."""

    pk: int
    queue_url: str
    role_arn: str
    external_id: str
    regions: tuple[str, ...]


class _Ear(threading.Thread):
    """Listens to one account until it is told to stop, or its lock, its database or its luck is lost."""

    def __init__(self, account: AwsAccount, place: _Place, wait_seconds: int, reader: str) -> None:
        super().__init__(name=f"events-{account.account_id}", daemon=True)
        self.account, self.place = account, place
        self.wait_seconds, self.reader = wait_seconds, reader
        self.stop = threading.Event()
        self.is_busy = False
        self.stood_by = False
        self.broke = False

    def run(self) -> None:
        try:
            with advisory_lock(registry_events.lock_name(self.account)) as held:
                if held:
                    logger.info("Listening to %s", self.account)
                    self._listen()
                else:
                    self.stood_by = True
        except DatabaseError as error:
            self.broke = True
            logger.warning("Listening to %s ended with the database: %s", self.account, error)
        except Exception:
            # Whatever it was, the others go on listening and this one begins again.
            self.broke = True
            logger.exception("Listening to %s ended", self.account)
        finally:
            self.is_busy = False
            connection.close()

    def _listen(self) -> None:
        failures = 0
        while not self.stop.is_set():
            try:
                with correlated():
                    trouble = self._once()
            except AwsError as error:
                trouble = str(error)
                event_health.failed(account=self.account, error=trouble)
            failures = failures + 1 if trouble else 0
            if trouble:
                pause = pause_after(failures)
                logger.warning("Events of %s, again in %.0f s: %s", self.account, pause, trouble)
                self.stop.wait(pause)

    def _once(self) -> str:
        """Receive and handle one batch; returns why something of it had to be left, "" when nothing was."""
        received = registry_events.receive(self.account, wait_seconds=self.wait_seconds, reader=self.reader)
        if self.stop.is_set():
            # Disabled, edited or stopping: what was received comes back for whoever reads next.
            return ""
        if not received:
            event_health.noted(account=self.account, tally=event_health.Tally())
            return ""
        self.is_busy = True
        try:
            return registry_events.handle(self.account, received).left_because
        finally:
            self.is_busy = False


class Listener:
    """Keeps a thread listening per enabled account with a queue, as accounts come, go and change."""

    def __init__(self, *, wait_seconds: int = WAIT_SECONDS, most_accounts: int = MOST_ACCOUNTS) -> None:
        """Take how long one poll lasts (0 to 20 s) and how many accounts, a connection each, are listened to."""
        self.wait_seconds, self.most_accounts = wait_seconds, most_accounts
        self.reader = f"{socket.gethostname()}:{os.getpid()}"
        self._stop = threading.Event()
        self._ears: dict[int, _Ear] = {}
        self._again_at: dict[int, float] = {}
        self._broken: dict[int, int] = {}
        self._told: tuple[int, ...] = ()

    def stop(self) -> None:
        """Ask it to end; safe in a signal handler."""
        self._stop.set()

    def run(self) -> None:
        """Listen until `stop` is called, then finish what is being taken in."""
        failures = 0
        while not self._stop.is_set():
            try:
                self.look()
                failures = 0
            except DatabaseError as error:
                failures += 1
                logger.warning("The database does not answer; trying again: %s", error)
                connection.close()
            self._stop.wait(LOOK_SECONDS if not failures else pause_after(failures))
        self._finish()
        connection.close()

    def look(self) -> None:
        """Compare the accounts with the threads: end those that are not wanted so any more, start those missing."""
        accounts = {account.pk: account for account in AwsAccount.objects.enabled().exclude(event_queue_url="")}
        for pk, ear in list(self._ears.items()):
            if not ear.is_alive():
                self._reap(pk, ear)
            elif pk not in accounts or ear.place != _place(accounts[pk]):
                ear.stop.set()
        now = time.monotonic()
        missing = [pk for pk in accounts if pk not in self._ears and self._again_at.get(pk, 0.0) <= now]
        # Those that never had their turn come first.
        missing.sort(key=lambda pk: self._again_at.get(pk, 0.0))
        for pk in missing[: max(0, self.most_accounts - len(self._ears))]:
            account = accounts[pk]
            ear = self._ears[pk] = _Ear(account, _place(account), self.wait_seconds, self.reader)
            ear.start()
        self._tell_of_too_many(accounts)

    def _reap(self, pk: int, ear: _Ear) -> None:
        del self._ears[pk]
        self._broken[pk] = self._broken.get(pk, 0) + 1 if ear.broke else 0
        pause = _STAND_BY_SECONDS * random.uniform(0.75, 1.25) if ear.stood_by else 0.0  # noqa: S311 - jitter
        self._again_at[pk] = time.monotonic() + (pause_after(self._broken[pk]) if ear.broke else pause)

    def _tell_of_too_many(self, accounts: dict[int, AwsAccount]) -> None:
        left = tuple(sorted(accounts.keys() - self._ears.keys())) if len(accounts) > self.most_accounts else ()
        if left and not self._told:
            logger.warning(
                "%d accounts have an event queue and this process listens to %d at most: start another listener, or"
                " leave the rest to the sweep.",
                len(accounts),
                self.most_accounts,
            )
        self._told = left

    def _finish(self) -> None:
        for ear in self._ears.values():
            ear.stop.set()
        until = time.monotonic() + _FINISH_SECONDS
        while any(ear.is_busy for ear in self._ears.values()) and time.monotonic() < until:
            time.sleep(0.02)


def _place(account: AwsAccount) -> _Place:
    return _Place(account.pk, account.event_queue_url, account.role_arn, account.external_id, tuple(account.regions))
