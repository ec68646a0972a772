"""A database of its own for tests that need committed data: copied from the test database, dropped afterwards.

Django's own way (TRUNCATE after the test) is refused by the append-only tables, as it must be.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import quote

import psycopg
from django.core.management import call_command
from django.db import connection, connections


def _server() -> psycopg.Connection[tuple[object, ...]]:
    settings = connection.settings_dict
    return psycopg.connect(
        host=settings["HOST"],
        port=settings["PORT"] or 5432,
        user=settings["USER"],
        password=settings["PASSWORD"],
        dbname="postgres",
        autocommit=True,
    )


def database_url() -> str:
    """Return the address of the database Django talks to now, for programs of their own."""
    settings = connection.settings_dict
    password = f":{quote(settings['PASSWORD'])}" if settings["PASSWORD"] else ""
    return f"postgresql://{settings['USER']}{password}@{settings['HOST']}:{settings['PORT'] or 5432}/{settings['NAME']}"


@contextmanager
def own_database(template: str = "") -> Iterator[str]:
    """Point Django, in every thread, at a fresh copy of the test database, or of another; yields its name."""
    settings = connection.settings_dict
    before, name = settings["NAME"], f"committed_{uuid.uuid4().hex[:12]}"
    connections.close_all()
    with _server() as server:
        server.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template or before}"')
    settings["NAME"] = name
    try:
        yield name
    finally:
        connections.close_all()
        settings["NAME"] = before
        _drop(name)


@contextmanager
def kept_database(fill: Callable[[], None]) -> Iterator[str]:
    """Have a copy of the test database filled and keep it until the block ends; its name, for others to be copied from.

    Django talks to it only while it is filled.
    """
    with own_database():
        fill()
        connections.close_all()
        kept = f"kept_{uuid.uuid4().hex[:12]}"
        with _server() as server:
            server.execute(f'CREATE DATABASE "{kept}" TEMPLATE "{connection.settings_dict["NAME"]}"')
    try:
        yield kept
    finally:
        _drop(kept)


@contextmanager
def migrated_once(name: str) -> Iterator[None]:
    """Have a migrated database of that name, for all processes of a test run to copy theirs from; dropped afterwards.

    Whoever comes first makes it, the others wait for that. Another may take it away before the last has come: then it
    is made again.
    """
    settings = connection.settings_dict
    with _server() as server:
        server.execute("SELECT pg_advisory_lock(hashtext(%s))", [name])
        if not server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            server.execute(f'CREATE DATABASE "{name}"')
            before, settings["NAME"] = settings["NAME"], name
            try:
                call_command("migrate", verbosity=0)
            except BaseException:
                connections.close_all()
                _drop(name)
                raise
            finally:
                connections.close_all()
                settings["NAME"] = before
    try:
        yield
    finally:
        _drop(name)


def _drop(name: str) -> None:
    """Drop a database, waiting for what only a superuser may end: a vacuum of it, or a role's last connection."""
    last = time.monotonic() + 30
    with _server() as server:
        while True:
            try:
                server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            except psycopg.errors.InsufficientPrivilege:
                if time.monotonic() > last:
                    raise
                time.sleep(0.2)
            else:
                return
