"""The backend itself; Django looks for it under this name.

A connection pooler in transaction mode must know of prepared statements (PgBouncer 1.21 or newer does).
"""

from __future__ import annotations

import select
from datetime import UTC
from typing import Any

import psycopg
from django.conf import settings
from django.db.backends.postgresql import base
from django.db.backends.postgresql.psycopg_any import register_tzloader
from psycopg.client_cursor import ClientCursorMixin
from psycopg.pq import TransactionStatus
from psycopg.types.datetime import TimestamptzLoader

# A statement is planned for good when it is asked for the third time on a connection.
_PREPARE_AFTER = 2


class Portioned(ClientCursorMixin[Any], psycopg.ServerCursor[Any]):
    """A cursor the server keeps, read in portions, that does no harm when it is closed late.

    Declared in a transaction it ends with it, or with the savepoint around it. Who still holds what he was reading,
    as an error being told does, closes it afterwards, perhaps in the middle of somebody else's transaction, which the
    server would abort for a cursor it does not know.
    """

    def close(self) -> None:
        if self.closed or self.withhold or self._stands():
            super().close()
        else:
            super(psycopg.ServerCursor, self).close()

    def _stands(self) -> bool:
        """Whether the server has it; where it cannot be asked, closing knows what to do."""
        if self.connection.info.transaction_status != TransactionStatus.INTRANS:
            return True
        with self.connection.cursor() as cursor:
            return bool(cursor.execute("SELECT 1 FROM pg_cursors WHERE name = %s", [self.name]).fetchone())


class DatabaseWrapper(base.DatabaseWrapper):
    """Reads times in C, asks the socket whether a connection still stands, and prepares what `prepared` says.

    Django reads every time by a loader of its own in Python, to set its time zone; the session's is UTC, and psycopg
    reads those as what they are. Its check of a kept connection is a statement before the first one of each request;
    that the server has closed it, by a restart or a failover, the socket knows without asking.
    """

    prepares = False

    def get_connection_params(self) -> dict[str, Any]:
        parameters: dict[str, Any] = super().get_connection_params()
        if parameters["prepare_threshold"] is None:
            parameters["prepare_threshold"] = _PREPARE_AFTER
        return parameters

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        connection = super().get_new_connection(conn_params)
        connection.adapters.register_loader("timestamptz", TimestamptzLoader)
        return connection

    def create_cursor(self, name: str | None = None) -> Any:
        cursor: Any
        if name:
            cursor = Portioned(self.connection, name=name, scrollable=False, withhold=self.connection.autocommit)
        elif self.prepares:
            binding: Any = base.ServerBindingCursor
            cursor = binding(self.connection)
        else:
            cursor = self.connection.cursor()
        zone = self.timezone if settings.USE_TZ else None
        if zone is not UTC:
            register_tzloader(zone, cursor)
        return cursor

    def is_usable(self) -> bool:
        """Whether the server still holds this connection. A healthy one has nothing to say between two statements."""
        if self.connection is None or self.connection.closed:
            return False
        # As `SELECT 1` says it: after a statement that failed, nothing is answered until the transaction is undone.
        if self.connection.info.transaction_status in (TransactionStatus.INERROR, TransactionStatus.UNKNOWN):
            return False
        poll = select.poll()
        poll.register(self.connection.fileno(), select.POLLIN | select.POLLHUP | select.POLLERR)
        return super().is_usable() if poll.poll(0) else True
