"""Where packs are kept, as the environment says it."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from portal.settings.environment import Environment, packs_storage

PACKS = {"PORTAL_PACKS_BUCKET": "packs", "PORTAL_PACKS_REGION": "eu-central-1"}
EVIDENCE = {"PORTAL_EVIDENCE_BUCKET": "packs", "PORTAL_EVIDENCE_REGION": "eu-central-1"}


def environment(monkeypatch: pytest.MonkeyPatch, values: dict[str, str]) -> Environment:
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return Environment()


def test_without_a_bucket_they_lie_in_a_private_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    made = packs_storage(environment(monkeypatch, {"PORTAL_HOME": str(tmp_path)}))
    assert made["OPTIONS"] == {
        "location": tmp_path / "media" / "audit-packs",
        "file_permissions_mode": 0o600,
        "directory_permissions_mode": 0o700,
    }


def test_with_a_bucket_they_lie_in_s3(monkeypatch: pytest.MonkeyPatch) -> None:
    made = packs_storage(environment(monkeypatch, {**PACKS, **EVIDENCE, "PORTAL_EVIDENCE_PREFIX": "evidence"}))
    options = made["OPTIONS"]
    assert isinstance(options, dict)
    assert (options["bucket_name"], options["location"], options["file_overwrite"]) == ("packs", "audit-packs", False)


@pytest.mark.parametrize(
    "values",
    [
        {"PORTAL_PACKS_BUCKET": "packs"},
        {"PORTAL_PACKS_REGION": "eu-central-1"},
        {"PORTAL_PACKS_KMS_KEY": "alias/packs"},
        {**PACKS, "PORTAL_PACKS_ON_DISK": "true"},
        {**PACKS, "PORTAL_PACKS_PREFIX": "../elsewhere"},
        # The check of evidence would take packs for files that belong to nothing, and remove them.
        {**PACKS, **EVIDENCE},
        {**PACKS, **EVIDENCE, "PORTAL_EVIDENCE_PREFIX": "kept", "PORTAL_PACKS_PREFIX": "kept/packs"},
        {"PORTAL_PACK_DAYS": "0"},
        {"PORTAL_PACK_EVIDENCE_MAX_MB": "1e9"},
    ],
)
def test_an_environment_that_cannot_be_meant(values: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValidationError):
        environment(monkeypatch, values)
