"""One sandbox for the tests of this folder; each makes groups, queues and buckets of its own in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.local.sandbox.world import Aws, running


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aws]:
    """A sandbox that runs for the whole session."""
    with running(tmp_path_factory.mktemp("sandbox")) as started:
        yield started
