"""Keep the sandbox's state in one file, row by row, so that an answered change is never lost.

A row holds one thing (a package, a share, a message, an object) as a pickle with a checksum. A request that changed
something writes the rows it touched in one SQLite transaction before it is answered: the cost follows the size of the
change and not of the state, and a kill at any moment leaves either all of a request or none of it.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, NamedTuple

FILE_NAME = "sandbox.db"
_APPLICATION_ID = 0x4D475053  # "MGPS": tells our file from any other SQLite database
_FORMAT = 1


class StateError(Exception):
    """The state directory cannot be used; the message names the file and what to do."""


class Key(NamedTuple):
    """Where a row belongs. ``region`` is the partition ("aws") for global services."""

    service: str
    account: str
    region: str
    kind: str
    name: str


class StateFile:
    """The rows on disk, in ``directory``/sandbox.db; used by one process at a time."""

    def __init__(self, directory: Path) -> None:
        """Open or make the file. Raises StateError when it cannot be made, is in use, damaged or of another format."""
        self.path = directory / FILE_NAME
        try:
            directory.mkdir(parents=True, exist_ok=True)
            self._guard = self._claim(directory / "sandbox.lock")
            if not self.path.exists():
                self._make()
            self._db = self._open()
        except OSError as error:
            raise StateError(f"{error.filename or directory} cannot be used for the state: {error.strerror}") from error

    def _claim(self, path: Path) -> IO[str]:
        guard = path.open("w")
        try:
            fcntl.flock(guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            guard.close()
            raise StateError(f"{path} is held: another sandbox already uses this state directory") from None
        return guard

    def _make(self) -> None:
        # Made beside and renamed, so that a file that exists is always a whole one and an empty one is damage.
        fresh = self.path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        db = sqlite3.connect(fresh, isolation_level=None)
        db.execute(f"PRAGMA application_id={_APPLICATION_ID}")
        db.execute(f"PRAGMA user_version={_FORMAT}")
        db.execute(
            "CREATE TABLE state (service TEXT, account TEXT, region TEXT, kind TEXT, name TEXT,"
            " checksum INTEGER NOT NULL, value BLOB NOT NULL,"
            " PRIMARY KEY (service, account, region, kind, name))"
        )
        db.close()
        with fresh.open("rb") as written:
            os.fsync(written.fileno())
        fresh.rename(self.path)

    def _open(self) -> sqlite3.Connection:
        try:
            if self.path.stat().st_size == 0:
                raise self._damaged("it is empty")
            db = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
            if db.execute("PRAGMA application_id").fetchone()[0] != _APPLICATION_ID:
                raise self._damaged("it is not a sandbox state file")
            version = db.execute("PRAGMA user_version").fetchone()[0]
            if version != _FORMAT:
                raise StateError(f"{self.path} has format {version}, this sandbox reads {_FORMAT}; move it away")
            found = db.execute("PRAGMA quick_check").fetchone()[0]
            if found != "ok":
                raise self._damaged(found)
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("PRAGMA synchronous=FULL")
        except sqlite3.DatabaseError as error:
            raise self._damaged(str(error)) from error
        return db

    def _damaged(self, why: str) -> StateError:
        return StateError(
            f"sandbox state file {self.path} is damaged ({why}); restore it, or move it away to start empty"
        )

    def rows(self) -> Iterator[tuple[Key, bytes]]:
        """Yield every row. Raises StateError when one does not match its checksum."""
        try:
            found = self._db.execute("SELECT service, account, region, kind, name, checksum, value FROM state")
            for *key, checksum, value in found:
                if zlib.crc32(value) != checksum:
                    raise self._damaged("row " + "/".join(key) + " does not match its checksum")
                yield Key(*key), value
        except sqlite3.DatabaseError as error:
            raise self._damaged(str(error)) from error

    def unreadable(self, key: Key, why: Exception) -> StateError:
        """Make the error for a row that is whole but cannot be understood."""
        return self._damaged(f"row {'/'.join(key)} cannot be read: {type(why).__name__}: {why}")

    def write(self, rows: Iterable[tuple[Key, bytes | None]]) -> None:
        """Store all rows, or delete those whose value is None, in one durable transaction."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            for key, value in rows:
                if value is None:
                    self._db.execute(
                        "DELETE FROM state WHERE service=? AND account=? AND region=? AND kind=? AND name=?", key
                    )
                else:
                    self._db.execute(
                        "INSERT OR REPLACE INTO state VALUES (?,?,?,?,?,?,?)", (*key, zlib.crc32(value), value)
                    )
            self._db.execute("COMMIT")
        except BaseException:
            self._db.execute("ROLLBACK")
            raise

    def close(self) -> None:
        """Fold the write-ahead log into the file and let go of the directory."""
        self._db.close()
        self._guard.close()


class Journal:
    """What the request under way has changed. Backends call ``touch``; the server writes it before it answers.

    ``lock`` serialises every request but waiting ones: moto's backends are plain dicts that no other lock protects.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.closing = threading.Event()
        self._touched: dict[Key, None] = {}

    def touch(self, service: str, account: str, region: str, kind: str, name: str = "") -> None:
        """Note that a row changed, appeared or vanished."""
        self._touched[Key(service, account, region, kind, name)] = None

    @property
    def touched(self) -> list[Key]:
        """The rows to write, in the order they were first touched."""
        return list(self._touched)

    def settle(self, keys: Iterable[Key]) -> None:
        """Forget rows that have been written."""
        for key in keys:
            self._touched.pop(key, None)


journal = Journal()
