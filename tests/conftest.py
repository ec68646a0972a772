"""What every test stands on: a real PostgreSQL and Valkey, started by `make test`."""

from __future__ import annotations

import os

import pytest


def pytest_configure(config: pytest.Config) -> None:
    if not os.environ.get("DATABASE_URL"):
        pytest.exit("No DATABASE_URL: run the tests with `make test` (ARGS=... for pytest's own arguments).", 2)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """One database per xdist worker."""
