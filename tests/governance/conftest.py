"""One project with its people, shared by the tests of a module and undone after each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from registry.models import Project
from tests.factories import Cast, cast, project
from tests.factories.walk import all_accounts
from tests.scene import undone

from .anchored import Anchored


@dataclass(frozen=True)
class Place:
    """A project, another one, and the people of the first."""

    project: Project
    elsewhere: Project
    people: Cast


@pytest.fixture(scope="module")
def shared_place(django_db_setup: None, django_db_blocker: Any) -> Iterator[Place]:
    with django_db_blocker.unblock(), undone():
        here, there = project(), project()
        all_accounts()
        yield Place(here, there, cast(here, there))


@pytest.fixture
def place(shared_place: Place, db: None) -> Place:
    """The project and its people; what the test writes is undone."""
    return shared_place


@pytest.fixture
def people(place: Place) -> Cast:
    return place.people


@pytest.fixture
def anchor_folder(settings: Any, tmp_path: Path) -> Path:
    """Where the anchors of this test lie."""
    folder = tmp_path / "anchors"
    anchors = {"BACKEND": "portal.core.write_once.WriteOnceStorage", "OPTIONS": {"location": folder}}
    settings.STORAGES = {**settings.STORAGES, "anchors": anchors}
    return folder


@pytest.fixture
def anchored(committed_db: str, anchor_folder: Path) -> Anchored:
    """A committed trail with three anchors, and a few entries behind the last."""
    found = Anchored(anchor_folder)
    for word in ("one", "two", "three"):
        found.grow(word)
        found.anchored()
    found.grow("four")
    return found
