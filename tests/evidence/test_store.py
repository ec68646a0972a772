"""Where the bytes lie: a store that fails, lies or loses, and what is given out then."""

from __future__ import annotations

import os
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import storages
from django.core.management import CommandError, call_command
from pydantic import ValidationError

from governance.choices import FindingKind
from governance.models import Evidence, Finding
from governance.services import evidence, evidence_checks, evidence_store
from governance.tasks import check_evidence
from portal.core.durable_storage import DurableFileSystemStorage
from portal.core.errors import NotFound, Unavailable
from portal.settings.environment import Environment, evidence_storage
from registry.models import UseCase
from tests.factories import Cast

from . import files
from .conftest import kept

pytestmark = pytest.mark.django_db
Attach = Callable[..., Evidence]


@pytest.fixture
def row(attach: Attach, subject: UseCase) -> Evidence:
    return attach(subject)


def refuse(*_: Any, **__: Any) -> Any:
    raise OSError(28, "No space left on device")


def test_a_store_that_takes_nothing(
    attach: Attach, subject: UseCase, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(DurableFileSystemStorage, "_save", refuse)
    with pytest.raises(Unavailable, match="nothing was attached") as refusal:
        attach(subject)
    assert "No space" not in refusal.value.detail, "what the store says is for the log"
    assert not Evidence.objects.exists()
    assert not kept(store)


def test_a_store_that_cannot_be_read_back(
    attach: Attach, subject: UseCase, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(DurableFileSystemStorage, "_open", refuse)
    with pytest.raises(Unavailable):
        attach(subject)
    assert not Evidence.objects.exists()
    assert not kept(store)


def test_a_store_that_keeps_something_else(
    attach: Attach, subject: UseCase, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = DurableFileSystemStorage._save

    def lie(self: Any, name: str, content: Any) -> str:
        saved = save(self, name, content)
        Path(self.path(saved)).chmod(0o600)
        Path(self.path(saved)).write_bytes(b"something else")
        return saved

    monkeypatch.setattr(DurableFileSystemStorage, "_save", lie)
    with pytest.raises(Unavailable, match="other bytes"):
        attach(subject)
    assert not Evidence.objects.exists()
    assert not kept(store)


def test_a_store_that_does_not_forget_either(
    attach: Attach, subject: UseCase, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that cannot be removed stays, harmless, and the first refusal is what one hears."""
    monkeypatch.setattr(evidence.binding, "subject_changed", refuse)
    monkeypatch.setattr(DurableFileSystemStorage, "delete", refuse)
    with pytest.raises(OSError, match="No space"):
        attach(subject)
    assert not Evidence.objects.exists()
    (orphan,) = kept(store)
    monkeypatch.undo()
    assert list(evidence_checks.orphans()) == [], "it may still become a row"
    _age(orphan)
    assert [f"{orphan.parent.name}/{orphan.name}"] == list(evidence_checks.orphans())
    out = StringIO()
    call_command("verify_evidence", "--remove-orphans", stdout=out)
    assert "Removed 1 files" in out.getvalue()
    assert not kept(store)


def _age(path: Path) -> None:
    os.utime(path, (0, 0))


def test_an_altered_file_is_given_to_nobody(row: Evidence, store: Path, people: Cast) -> None:
    (stored,) = kept(store)
    stored.write_bytes(files.PDF.replace(b"Catalog", b"Katalog"))
    for call in (evidence_store.verified_copy, evidence_store.verify_stored):
        with pytest.raises(evidence_store.EvidenceAltered, match=row.public_id):
            call(row)
    with pytest.raises(evidence_store.EvidenceAltered):
        evidence_checks.open_for_download(actor=people.auditor.actor, evidence_id=row.pk)
    found = Finding.objects.get(kind=FindingKind.EVIDENCE_ALTERED)
    assert (found.severity, found.state, found.use_case) == ("critical", "open", row.use_case)
    assert found.evidence == {"evidence": row.public_id, "problem": "evidence-altered", "attached": row.sha256}

    stored.write_bytes(files.PDF)
    assert evidence_checks.check_one(actor=people.auditor.actor, evidence_id=row.pk) == row
    found.refresh_from_db()
    assert found.state == "resolved"


def test_a_lost_file_is_named(row: Evidence, store: Path, people: Cast) -> None:
    (stored,) = kept(store)
    stored.unlink()
    with pytest.raises(evidence_store.EvidenceLost, match="backup"):
        evidence_checks.open_for_download(actor=people.auditor.actor, evidence_id=row.pk)
    assert Finding.objects.get(kind=FindingKind.EVIDENCE_ALTERED).evidence["problem"] == "evidence-lost"


def test_a_store_that_does_not_answer_says_nothing_about_the_file(
    row: Evidence, people: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(DurableFileSystemStorage, "_open", refuse)
    with pytest.raises(Unavailable, match="Nothing was lost"):
        evidence_checks.open_for_download(actor=people.auditor.actor, evidence_id=row.pk)
    assert not Finding.objects.filter(kind=FindingKind.EVIDENCE_ALTERED).exists()


def test_a_check_of_what_one_does_not_see(row: Evidence, people: Cast) -> None:
    for call in (evidence_checks.check_one, evidence_checks.open_for_download):
        with pytest.raises(NotFound):
            call(actor=people.stranger.actor, evidence_id=row.pk)


def test_the_command_names_what_differs(row: Evidence, attach: Attach, subject: UseCase, store: Path) -> None:
    out, err = StringIO(), StringIO()
    call_command("verify_evidence", stdout=out, stderr=err)
    assert "Checked 1 pieces" in out.getvalue()
    assert "All of it is what was attached" in out.getvalue()
    store.joinpath(row.storage_name).write_bytes(b"x")
    attach(subject)
    with pytest.raises(CommandError, match="1 of them"):
        call_command("verify_evidence", stdout=out, stderr=err)
    assert row.public_id in err.getvalue()


def test_the_daily_check_finds_it_and_goes_on(
    row: Evidence, attach: Attach, subject: UseCase, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = attach(subject)
    for one in (row, later):
        store.joinpath(one.storage_name).write_bytes(b"x")
    sent: list[dict[str, Any]] = []
    monkeypatch.setattr("governance.tasks.LONGEST_CHECK_SECONDS", -1)
    monkeypatch.setattr("governance.tasks.enqueue_on_commit", lambda name, **given: sent.append(given))
    check_evidence()
    assert sent == [{"after": row.pk}]
    assert Finding.objects.filter(kind=FindingKind.EVIDENCE_ALTERED).count() == 1
    check_evidence(**sent[0])
    assert Finding.objects.filter(kind=FindingKind.EVIDENCE_ALTERED).count() == 2


def test_nothing_stored_yet_is_no_error(store: Path) -> None:
    assert list(evidence_checks.orphans()) == []
    out = StringIO()
    call_command("verify_evidence", stdout=out)
    assert "Checked 0 pieces" in out.getvalue()


def test_a_stored_file_is_never_written_over(row: Evidence) -> None:
    where = storages["evidence"]
    other = where.save(row.storage_name, files.upload("x", b"other"))
    assert other != row.storage_name
    assert evidence_store.verified_copy(row).read() == files.PDF
    with pytest.raises(ValueError, match="not accessible"):
        where.url(row.storage_name)


# The environment

BUCKET = {"PORTAL_EVIDENCE_BUCKET": "evidence", "PORTAL_EVIDENCE_REGION": "eu-central-1"}


def environment(monkeypatch: pytest.MonkeyPatch, values: dict[str, str]) -> Environment:
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return Environment()


def test_without_a_bucket_it_lies_in_a_private_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    made = evidence_storage(environment(monkeypatch, {"PORTAL_HOME": str(tmp_path)}))
    assert made["OPTIONS"] == {
        "location": tmp_path / "media" / "evidence",
        "file_permissions_mode": 0o600,
        "directory_permissions_mode": 0o700,
    }


def test_with_a_bucket_it_lies_in_s3(monkeypatch: pytest.MonkeyPatch) -> None:
    key = "arn:aws:kms:eu-central-1:111111111111:key/1"
    given = {**BUCKET, "PORTAL_EVIDENCE_PREFIX": "portal/files", "PORTAL_EVIDENCE_KMS_KEY": key}
    options = evidence_storage(environment(monkeypatch, given))["OPTIONS"]
    assert options == {
        "bucket_name": "evidence",
        "region_name": "eu-central-1",
        "location": "portal/files",
        "file_overwrite": False,
        "default_acl": None,
        "object_parameters": {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key},
    }


@pytest.mark.parametrize(
    "values",
    [
        {"PORTAL_EVIDENCE_BUCKET": "evidence"},
        {"PORTAL_EVIDENCE_REGION": "eu-central-1"},
        {"PORTAL_EVIDENCE_PREFIX": "x"},
        {**BUCKET, "PORTAL_EVIDENCE_BUCKET": "Not_A_Bucket"},
        {**BUCKET, "PORTAL_EVIDENCE_BUCKET": "s3://evidence"},
        {**BUCKET, "PORTAL_EVIDENCE_REGION": "Frankfurt"},
        {**BUCKET, "PORTAL_EVIDENCE_PREFIX": "../elsewhere"},
        {**BUCKET, "PORTAL_EVIDENCE_PREFIX": "/x"},
        {**BUCKET, "PORTAL_EVIDENCE_KMS_KEY": "my key"},
        {**BUCKET, "PORTAL_EVIDENCE_ON_DISK": "true"},
        {"PORTAL_EVIDENCE_MAX_MB": "0"},
        {"PORTAL_EVIDENCE_MAX_MB": "1e9"},
    ],
)
def test_an_environment_that_cannot_be_meant(values: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValidationError):
        environment(monkeypatch, values)
