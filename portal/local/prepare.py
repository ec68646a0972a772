"""Bring the database up to date and load the demo data: one process, since starting Django costs a second.

Run by `make up` as `python -m portal.local.prepare [--demo sandbox|people] [--grant-to ROLE]`, by the owner of the
database.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from pathlib import Path

import django

from portal.core.room import with_room


def main(argv: list[str] | None = None) -> int:
    """Migrate, grant, then load the demo data unless that was done for this database (and this sandbox)."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--demo",
        choices=["sandbox", "people"],
        help="load the demo data (local settings only): all of it, or people and project where AWS is not the sandbox",
    )
    parser.add_argument("--grant-to", metavar="ROLE", help="the role the portal's own processes connect as")
    arguments = parser.parse_args(argv)
    django.setup()

    from django.core.management import call_command

    call_command("migrate", interactive=False, verbosity=0)
    if arguments.grant_to:
        call_command("database_roles", arguments.grant_to, stdout=io.StringIO())
    if arguments.demo:
        load_demo(Path(os.environ["PORTAL_HOME"]), sandbox=arguments.demo == "sandbox")
    return 0


def load_demo(home: Path, *, sandbox: bool) -> None:
    """Load the demo data once.

    With the sandbox, the marker lies with its state; it names the database, so that deleting either one loads
    the demo again. The command itself does nothing twice.
    """
    from django.conf import settings
    from django.core.management import CommandError, call_command

    if not getattr(settings, "PORTAL_ALLOW_DEMO", False):
        raise CommandError(f"Demo data and demo passwords are for the local settings, not {settings.SETTINGS_MODULE}.")
    marker = home / "sandbox" / "demo-loaded" if sandbox else home / "demo-people-loaded"
    database = _database_identity()
    if marker.exists() and marker.read_text() == database:
        return
    size = os.environ.get("PORTAL_DEMO", "company")
    if size not in ("small", "company"):
        raise CommandError(f"PORTAL_DEMO is {size!r}; it is small (one use case) or company (the default).")
    print("Loading the demo data (once; a minute)" if size == "company" else "Loading the demo data (once)", flush=True)
    call_command("load_demo", without_sandbox=not sandbox, company=sandbox and size == "company")
    marker.write_text(database)


def _database_identity() -> str:
    """Return what tells this database from every other one, also after its files were made anew."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT system_identifier FROM pg_control_system()) || '/' || oid "
            "FROM pg_database WHERE datname = current_database()"
        )
        return str(cursor.fetchone()[0])


if __name__ == "__main__":
    sys.exit(with_room(main)())
