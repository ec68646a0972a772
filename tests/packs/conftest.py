"""One committed database per module with one story, and packs built of it once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as configured
from django.core.files.storage import storages
from django.test import override_settings

from governance.models import AuditPack
from tests.committed import own_database

from .world import Story, about, built, story


@dataclass
class Made:
    """A story, and the pack about its use case with its archive."""

    told: Story
    pack: AuditPack
    archive: bytes
    folder: Path


def stored_in(folder: Path) -> dict[str, Any]:
    """Return storages of evidence and packs in a folder of their own."""
    durable = "portal.core.durable_storage.DurableFileSystemStorage"
    kept = {name: {"BACKEND": durable, "OPTIONS": {"location": folder / name}} for name in ("evidence", "packs")}
    return {**configured.STORAGES, **kept}


@pytest.fixture(scope="module")
def made(made_database: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    folder = tmp_path_factory.mktemp("packs")
    with override_settings(STORAGES=stored_in(folder)), django_db_blocker.unblock(), own_database():
        storages._storages.clear()
        told = story()
        pack, archive = built(told, about(told))
        yield Made(told, pack, archive, folder)
    storages._storages.clear()
