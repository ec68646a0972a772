"""The bytes of evidence: kept once under a name nobody chooses, and given out only while they are what was attached.

Files go through Django's storage alias `evidence`: a folder on one machine, an S3 bucket in production. A file is
stored before its row and never removed after it, so a crash leaves at most a file without a row.
"""

from __future__ import annotations

import logging
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import IO, cast

from django.core.files import File
from django.core.files.storage import Storage, storages

from portal.core.errors import DomainError, Unavailable
from registry.aws import s3
from registry.aws.errors import AwsError, AwsNotFound, translated
from registry.services import accounts

from ..choices import EvidenceSource
from ..models import Evidence
from .evidence_files import PIECE, CheckedFile, sha256_of

logger = logging.getLogger(__name__)

_IN_MEMORY = 2 * 1024 * 1024


class EvidenceAltered(DomainError):
    """What is stored is not what was attached; it is given to nobody."""

    code = "evidence-altered"
    title = "This is not what was attached"


class EvidenceLost(DomainError):
    """What was attached is no longer stored."""

    code = "evidence-lost"
    title = "What was attached is gone"


@dataclass(frozen=True, slots=True)
class _Account:
    account_id: str = ""


@dataclass(frozen=True, slots=True)
class OwnStore:
    """A store of the portal's own, as the gateway's error words name it: it works for no account of the registry."""

    account: _Account = _Account()


OWN_STORE = OwnStore()


def storage() -> Storage:
    """Return where evidence is kept."""
    return storages["evidence"]


def keep(file: IO[bytes], checked: CheckedFile) -> str:
    """Store a checked file, read it back, and return the name it has in the store.

    Raises Unavailable when the store does not answer or gives back other bytes; nothing is left behind then, if the
    store can be reached.
    """
    token = uuid.uuid4().hex
    file.seek(0)
    with _reached("PutObject", "The file could not be stored, and nothing was attached."):
        name = str(storage().save(f"{token[:2]}/{token}", File(file)))
    try:
        with _reached("GetObject", "The file could not be read back, and nothing was attached."):
            _expect(sha256_of(_stored(name)), checked.sha256, name)
    except BaseException:
        discard(name)
        raise
    return name


def discard(name: str) -> None:
    """Remove a file that no row stands for; where that fails, the file stays and does no harm."""
    try:
        with suppress(FileNotFoundError), translated(OWN_STORE, "s3", "DeleteObject"):
            storage().delete(name)
    except (AwsError, OSError) as error:
        logger.warning("Evidence file %s, which belongs to nothing, could not be removed: %s", name, error)


def verified_copy(row: Evidence) -> IO[bytes]:
    """Return a copy of a stored file, whose bytes are those that were attached; the caller closes it.

    A copy, so that what is given out is what was looked at, also if the store changes in between. Raises
    EvidenceAltered, EvidenceLost, Unavailable.
    """
    copy = cast("IO[bytes]", tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY))  # noqa: SIM115 - the caller closes it
    try:
        with _reached("GetObject", "The file's store does not answer. Nothing was lost: try again.", row):
            _compare(row, sha256_of(_copied(_stored(row.storage_name), copy)))
    except BaseException:
        copy.close()
        raise
    copy.seek(0)
    return copy


def verify_stored(row: Evidence) -> None:
    """Read evidence again and compare: a file by its SHA-256, an object in S3 by version id, ETag and size.

    Raises EvidenceAltered, EvidenceLost, Unavailable. Source: s3 GetObject, HeadObject.
    """
    if row.source == EvidenceSource.UPLOAD:
        with _reached("GetObject", "The file's store does not answer. Nothing was lost: try again.", row):
            _compare(row, sha256_of(_stored(row.storage_name)))
        return
    assert row.account is not None
    try:
        found = s3.head(accounts.reach(row.account), row.s3_uri, version_id=row.s3_version_id)
    except AwsNotFound as error:
        raise _lost(row) from error
    except AwsError as error:
        raise Unavailable(f"{row.public_id} could not be looked at. {error}") from error
    if (found.etag, found.size) != (row.s3_etag, row.size):
        raise _altered(row, f"S3 has ETag {found.etag}", f"ETag {row.s3_etag}")


def stored_names() -> Iterator[str]:
    """Yield the name of every file in the store. Raises Unavailable."""
    where = storage()
    with _reached("ListObjects", "The file's store does not answer."):
        try:
            folders = where.listdir("")[0]
        except FileNotFoundError:
            # Nothing was ever put into this folder.
            return
        for folder in folders:
            yield from (f"{folder}/{file}" for file in where.listdir(folder)[1])


def stored_at(name: str) -> datetime:
    """Return when a file was stored. Raises Unavailable."""
    with _reached("HeadObject", "The file's store does not answer."):
        return storage().get_modified_time(name)


def _expect(found: str, sent: str, name: str) -> None:
    if found != sent:
        logger.error("The evidence store gave back %s for %s, not %s.", found, name, sent)
        raise Unavailable("The store gave back other bytes than it was given. Nothing was attached: try again.")


def _stored(name: str) -> Iterator[bytes]:
    with storage().open(name, "rb") as stored:
        while piece := stored.read(PIECE):
            yield piece


def _copied(pieces: Iterator[bytes], copy: IO[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        copy.write(piece)
        yield piece


def _compare(row: Evidence, found: str) -> None:
    if found != row.sha256:
        raise _altered(row, f"the SHA-256 of what is stored is {found}", row.sha256)


def _altered(row: Evidence, found: str, expected: str) -> EvidenceAltered:
    logger.error("Evidence %s is altered: %s instead of %s.", row.public_id, found, expected)
    return EvidenceAltered(
        f"{row.public_id} is kept from you: {found}, but {expected} was attached."
        " Tell whoever runs the portal; what was decided on it must be looked at again."
    )


def _lost(row: Evidence) -> EvidenceLost:
    logger.error("Evidence %s is lost: %s", row.public_id, row.s3_uri or row.storage_name)
    return EvidenceLost(
        f"What was attached as {row.public_id} is no longer stored. Tell whoever runs the portal;"
        " it may be restored from a backup or an earlier version of the bucket."
    )


@contextmanager
def _reached(act: str, words: str, row: Evidence | None = None) -> Iterator[None]:
    """Turn what a storage raises into Unavailable, and a missing file of a row into EvidenceLost."""
    try:
        with translated(OWN_STORE, "s3", act):
            yield
    except (FileNotFoundError, AwsNotFound) as error:
        if row is not None:
            raise _lost(row) from error
        raise _unavailable(words, error) from error
    except (AwsError, OSError) as error:
        raise _unavailable(words, error) from error


def _unavailable(words: str, error: Exception) -> Unavailable:
    # The error may name buckets and folders, which is for the log and not for whoever uploads.
    logger.error("The evidence store failed: %s", error)
    return Unavailable(words)
