"""The embedded PostgreSQL: first start, restart after a kill, rights, and files out of the server's reach."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from portal.local.errors import LocalError
from portal.local.home import Home
from portal.local.leftovers import alive, end, end_leftovers
from portal.local.ports import free_ports
from portal.local.postgres import Postgres

Start = Callable[[Postgres], "subprocess.Popen[bytes]"]


@pytest.fixture
def postgres(tmp_path: Path) -> Iterator[Postgres]:
    """As root, pytest's directories are closed to `nobody`, so this is the hard case of a clone below /root."""
    home = Home(tmp_path / "home")
    home.prepare()
    postgres = Postgres(home, free_ports(1)[0], for_tests=True)
    yield postgres
    end_leftovers(home, postgres.data, grace=5)
    postgres.remove_outside_data()


@pytest.fixture
def start() -> Iterator[Start]:
    started: list[subprocess.Popen[bytes]] = []

    def run(postgres: Postgres) -> subprocess.Popen[bytes]:
        postgres.prepare()
        with (postgres.home.logs / "postgres.log").open("ab") as log:
            process = postgres.program().spawn(postgres.home, os.environ, log)
        started.append(process)

        def check() -> None:
            assert process.poll() is None, (postgres.home.logs / "postgres.log").read_text()

        postgres.wait_ready(check)
        postgres.provision()
        return process

    yield run
    end([psutil.Process(process.pid) for process in started if process.poll() is None], 5)
    for process in started:
        process.wait()


def test_it_comes_back_with_its_data_after_a_kill(postgres: Postgres, start: Start) -> None:
    postgres = Postgres(postgres.home, postgres.port)
    process = start(postgres)
    with psycopg.connect(postgres.url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
    process.kill()
    process.wait()
    deadline = time.monotonic() + 10
    while (again := _try(lambda: start(postgres))) is None and time.monotonic() < deadline:
        pass
    assert again is not None
    with psycopg.connect(postgres.url) as connection:
        assert connection.execute("SELECT number FROM kept").fetchone() == (7,)
    again.send_signal(signal.SIGINT)
    assert again.wait(10) == 0


def _try(action: Callable[[], subprocess.Popen[bytes]]) -> subprocess.Popen[bytes] | None:
    """The processes of a killed server need a moment to see that it has gone; under supervisord a retry does it."""
    try:
        return action()
    except AssertionError:
        return None


def test_leftover_servers_are_ended_before_a_start(postgres: Postgres, start: Start) -> None:
    first = psutil.Process(start(postgres).pid)
    assert end_leftovers(postgres.home, postgres.data) >= 1
    assert not alive(first)
    start(postgres)


def test_the_portals_role_owns_its_database_and_is_no_superuser(postgres: Postgres, start: Start) -> None:
    postgres = Postgres(postgres.home, postgres.port)
    process = start(postgres)
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        assert connection.execute("SELECT current_user, current_database()").fetchone() == ("portal", "portal")
        rights = "SELECT rolsuper, rolcreatedb FROM pg_roles WHERE rolname = current_user"
        assert connection.execute(rights).fetchone() == (False, True)
        for extension in ("pgcrypto", "pg_trgm", "citext", "unaccent", "btree_gin"):
            connection.execute(f"CREATE EXTENSION {extension}")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("SET session_replication_role = replica")
    if os.geteuid() == 0:
        assert psutil.Process(process.pid).uids().real != 0


def test_the_portal_runs_as_a_role_that_owns_nothing(postgres: Postgres, start: Start) -> None:
    postgres = Postgres(postgres.home, postgres.port)
    start(postgres)
    with psycopg.connect(postgres.url, autocommit=True) as owner:
        owner.execute("CREATE TABLE history AS SELECT 1 AS number")
    with psycopg.connect(postgres.app_url, autocommit=True) as connection:
        assert connection.execute("SELECT current_user, current_database()").fetchone() == ("portal_app", "portal")
        rights = "SELECT rolsuper, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = current_user"
        assert connection.execute(rights).fetchone() == (False, False, False)
        for statement in ("TABLE history", "DROP TABLE history", "CREATE TABLE mine (id int)", "SET ROLE portal"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)


def test_data_from_before_the_second_role_gets_it(postgres: Postgres, start: Start) -> None:
    start(postgres)
    with psycopg.connect(postgres.admin_url, autocommit=True) as connection:
        connection.execute("DROP ROLE portal_app")
    (postgres.home.path / "secrets" / "application-password").unlink()
    postgres.provision()
    psycopg.connect(postgres.app_url).close()


def test_in_test_runs_the_role_may_try_to_switch_triggers_off(postgres: Postgres, start: Start) -> None:
    start(postgres)
    with psycopg.connect(postgres.url) as connection:
        connection.execute("SET session_replication_role = replica")


def test_it_asks_for_the_password_and_listens_on_loopback_only(postgres: Postgres, start: Start) -> None:
    process = start(postgres)
    for wrong in (
        postgres.url.replace(postgres.home.secret("database-password"), "guess"),
        postgres.url.replace(":", ""),
    ):
        with pytest.raises((psycopg.OperationalError, psycopg.ProgrammingError)):
            psycopg.connect(wrong, connect_timeout=5)
    listening = {one.laddr for one in psutil.Process(process.pid).net_connections("inet") if one.status == "LISTEN"}
    assert listening == {("127.0.0.1", postgres.port)}
    assert postgres.home.secret("database-password") not in " ".join(psutil.Process(process.pid).cmdline())


def test_lost_secrets_are_a_clear_error(postgres: Postgres, start: Start) -> None:
    start(postgres)
    (postgres.home.path / "secrets" / "postgres-admin-password").unlink()
    with pytest.raises(LocalError, match="refuses the password"):
        postgres.wait_ready(lambda: None)


def test_a_lock_file_whose_process_id_is_somebody_elses_now_is_removed(postgres: Postgres, start: Start) -> None:
    start(postgres).send_signal(signal.SIGINT)
    lock = postgres.data / "postmaster.pid"
    while lock.exists():
        time.sleep(0.02)
    lock.write_text(f"{os.getpid()}\n{postgres.data}\n")
    start(postgres)


def test_an_interrupted_first_start_is_done_anew(postgres: Postgres, start: Start) -> None:
    half = postgres.data.with_name(f"{postgres.data.name}.new")
    half.mkdir()
    (half / "PG_VERSION").write_text("17")
    start(postgres)
    assert not half.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has PostgreSQL run as another user")
def test_files_stay_out_of_a_closed_home_and_a_deleted_home_begins_anew(postgres: Postgres, start: Start) -> None:
    start(postgres).send_signal(signal.SIGINT)
    data = postgres.data
    assert postgres.home.path not in data.parents
    assert data.stat().st_mode & 0o777 == 0o700
    assert postgres.data == data
    (postgres.home.path / "postgres-17.location").unlink()
    assert postgres.data != data
    assert not data.exists(), "files of a home that was deleted are in nobody's way"
