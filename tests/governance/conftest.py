"""One project with its people, shared by the tests of a module and undone after each."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
from django.conf import settings
from django.test import override_settings

from registry.models import Project
from tests.committed import kept_database, own_database
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


def _anchors_in(folder: Path) -> dict[str, object]:
    place = {"BACKEND": "portal.core.write_once.WriteOnceStorage", "OPTIONS": {"location": folder}}
    return {**settings.STORAGES, "anchors": place}


@pytest.fixture
def anchor_folder(settings: Any, tmp_path: Path) -> Path:
    """Where the anchors of this test lie."""
    folder = tmp_path / "anchors"
    settings.STORAGES = _anchors_in(folder)
    return folder


@pytest.fixture(scope="session")
def anchored_once(
    made_database: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Anchored]]:
    """A database with a trail and three anchors, made once to be copied, and what lies in its folder."""
    made = Anchored(tmp_path_factory.mktemp("anchored") / "anchors")

    def fill() -> None:
        with override_settings(STORAGES=_anchors_in(made.folder)):
            for word in ("one", "two", "three"):
                made.grow(word)
                made.anchored()
            made.grow("four")

    with django_db_blocker.unblock(), kept_database(fill) as name:
        yield name, made


@pytest.fixture
def anchored(anchored_once: tuple[str, Anchored], anchor_folder: Path, django_db_blocker: Any) -> Iterator[Anchored]:
    """A committed trail with three anchors, and a few entries behind the last."""
    name, made = anchored_once
    copytree(made.folder, anchor_folder)
    with django_db_blocker.unblock(), own_database(name):
        yield Anchored(anchor_folder, [copy(line) for line in made.lines])
