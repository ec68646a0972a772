"""What every test stands on: a real PostgreSQL and Valkey, started by `make test`."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from typing import Any

import pytest
from _pytest.runner import pytest_runtest_protocol as run_as_pytest_does
from django.core.files.storage import storages
from django.db import connection
from django.test.utils import setup_databases, teardown_databases

from portal.core.room import with_room
from registry.aws.session import reset_sessions
from tests.committed import database_url, migrated_once, own_database
from tests.sandbox import Sandbox, running
from tests.scheduling import LoadFileOrFolder

_run = with_room(run_as_pytest_does)


def pytest_configure(config: pytest.Config) -> None:
    if not os.environ.get("DATABASE_URL"):
        pytest.exit("No DATABASE_URL: run the tests with `make test` (ARGS=... for pytest's own arguments).", 2)


def pytest_collection_finish() -> None:
    """Leave what is loaded by now to itself: searching it for rubbish again and again was a tenth of all tests."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


@pytest.hookimpl(tryfirst=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadFileOrFolder | None:
    """Share the tests out by file, and by folder where the files of one share what takes long to start."""
    return LoadFileOrFolder(config, log) if config.getvalue("dist") == "loadfile" else None


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool:
    """Run each test as pytest does, with room for its frames as the web server's requests have it."""
    _run(item, nextitem)
    return True


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, django_db_blocker: Any, worker_id: str, testrun_uid: str
) -> Iterator[None]:
    """One database per xdist worker, all copied from one that is migrated once."""
    if worker_id == "master":
        yield
        return
    template = f"migrated_{testrun_uid[:12]}"
    with django_db_blocker.unblock(), migrated_once(template):
        connection.settings_dict["TEST"]["TEMPLATE"] = template
        yield


@pytest.fixture(scope="session")
def made_database(django_db_setup: None, django_db_blocker: Any, pytestconfig: pytest.Config) -> Iterator[None]:
    """The test database, also when no selected test has the mark that makes pytest-django create it."""
    if connection.settings_dict["NAME"].startswith("test_"):
        yield
        return
    with django_db_blocker.unblock():
        keep = bool(pytestconfig.getvalue("reuse_db")) and not pytestconfig.getvalue("create_db")
        made = setup_databases(0, interactive=False, keepdb=keep, aliases=("default",), serialized_aliases=())
        yield
        teardown_databases(made, verbosity=0, keepdb=keep)


@pytest.fixture(scope="module", autouse=True)
def no_anchors_yet() -> None:
    """Begin each module with an empty storage of the audit trail's anchors: the database begins without them too."""
    storages._storages.pop("anchors", None)  # type: ignore[attr-defined]


@pytest.fixture
def committed_db(made_database: None, django_db_blocker: Any) -> Iterator[str]:
    """A database of this test's own, for threads, worker processes and what happens at commit; its address."""
    with django_db_blocker.unblock(), own_database():
        yield database_url()


@pytest.fixture(scope="session")
def aws_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One sandbox AWS for the tests of this process; each makes groups and buckets of its own in it."""
    with running(tmp_path_factory.mktemp("aws")) as sandbox:
        yield sandbox


@pytest.fixture
def aws(aws_process: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """The sandbox AWS, with this process pointed at it and nothing left of the last test's faults."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in {
        "AWS_ENDPOINT_URL": aws_process.url,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    aws_process.forget()
    reset_sessions()
    from tests import aws_story  # noqa: PLC0415 - it needs Django, which is not set up yet when this file is read

    made = len(aws_story.MADE)
    yield aws_process
    aws_process.forget()
    reset_sessions()
    aws_story.take_away(made)
    reset_sessions()
