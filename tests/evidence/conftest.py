"""A project with its people, a use case and a version of it, and a store of its own for each test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as configured

from governance.models import Evidence
from governance.services import evidence
from portal.core.vocabulary import EvidenceKind
from registry.models import ModelVersion, UseCase
from tests.factories import group, use_case, version
from tests.governance.conftest import Place, people, place, shared_place

from . import files

__all__ = ["people", "place", "shared_place"]


@pytest.fixture(autouse=True)
def store(settings: Any, tmp_path: Path) -> Path:
    """The folder in which this test's evidence lies."""
    folder = tmp_path / "evidence"
    options = {**configured.STORAGES["evidence"]["OPTIONS"], "location": folder}
    settings.STORAGES = {
        **configured.STORAGES,
        "evidence": {"BACKEND": "portal.core.durable_storage.DurableFileSystemStorage", "OPTIONS": options},
    }
    return folder


@pytest.fixture
def subject(place: Place) -> UseCase:
    return use_case(place.people, place.project)


@pytest.fixture
def model(place: Place, subject: UseCase) -> ModelVersion:
    return version(group(place.project, place.people, subject))


@pytest.fixture
def attach(place: Place) -> Callable[..., Evidence]:
    """Attach a small PDF as the data scientist, unless told otherwise."""

    def make(about: UseCase | ModelVersion, **values: Any) -> Evidence:
        given = {
            "actor": place.people.scientist.actor,
            "kind": EvidenceKind.BIAS_REPORT,
            "file": files.upload("report.pdf", files.PDF, "application/pdf"),
            **values,
        }
        return evidence.attach_upload(subject_type=type(about), subject_id=about.pk, **given)

    return make


def kept(store: Path) -> list[Path]:
    """Return the files in a store."""
    return [path for path in store.rglob("*") if path.is_file()] if store.exists() else []
