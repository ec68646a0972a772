"""Where the files of audit packs lie: Django's storage alias `packs`, a folder or, in production, a bucket."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import IO, cast

from django.core.files import File
from django.core.files.storage import Storage, storages

from portal.core.errors import DomainError, Unavailable
from registry.aws.errors import AwsError, AwsNotFound, translated

from ...models import AuditPack
from ..evidence_store import OWN_STORE

logger = logging.getLogger(__name__)

PIECE = 1024 * 1024
_IN_MEMORY = 8 * 1024 * 1024


class PackAltered(DomainError):
    """What is stored is not what was built; it is given to nobody."""

    code = "pack-altered"
    title = "This is not the pack that was built"


class PackLost(DomainError):
    """The pack's file is no longer stored."""

    code = "pack-lost"
    title = "The pack's file is gone"


def storage() -> Storage:
    """Return where packs are kept."""
    return storages["packs"]


def keep(file: IO[bytes], name: str) -> None:
    """Store a pack under its name and look that all of it is there. Raises Unavailable."""
    file.seek(0)
    with _reached("PutObject", "The store of the audit packs does not answer. Ask for the pack again in a while."):
        saved = storage().save(name, File(file))
    if saved != name:
        discard(saved)
        raise Unavailable(f"The store of the audit packs holds {name} already. Ask for the pack again.")


def discard(name: str) -> bool:
    """Remove a file, and say whether it is gone; where the store does not answer it stays for the next attempt."""
    if not name:
        return True
    try:
        with translated(OWN_STORE, "s3", "DeleteObject"):
            storage().delete(name)
    except (FileNotFoundError, AwsNotFound):
        return True
    except (AwsError, OSError) as error:
        logger.warning("The file %s of an audit pack could not be removed: %s", name, error)
        return False
    return True


def verified_copy(pack: AuditPack) -> IO[bytes]:
    """Return a copy of a pack's file whose bytes are those that were built; the caller closes it.

    Raises PackAltered, PackLost, Unavailable.
    """
    copy = cast("IO[bytes]", tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY))  # noqa: SIM115 - the caller closes it
    try:
        with _reached("GetObject", "The store of the audit packs does not answer. Nothing was lost: try again.", pack):
            _compare(pack, _copied(pack, copy))
    except BaseException:
        copy.close()
        raise
    copy.seek(0)
    return copy


def _copied(pack: AuditPack, copy: IO[bytes]) -> str:
    found = sha256()
    with storage().open(pack.storage_name, "rb") as stored:
        while piece := stored.read(PIECE):
            found.update(piece)
            copy.write(piece)
    return found.hexdigest()


def _compare(pack: AuditPack, found: str) -> None:
    if found != pack.sha256:
        logger.error("Audit pack %s is altered: %s, not %s.", pack.public_id, found, pack.sha256)
        raise PackAltered(
            f"{pack.public_id} is kept from you: the SHA-256 of what is stored is {found}, but {pack.sha256} was"
            " built. Tell whoever runs the portal, and build a new pack."
        )


@contextmanager
def _reached(act: str, words: str, pack: AuditPack | None = None) -> Iterator[None]:
    try:
        with translated(OWN_STORE, "s3", act):
            yield
    except (FileNotFoundError, AwsNotFound) as error:
        logger.error("The store of the audit packs lacks a file: %s", error)  # noqa: TRY400 - its path says enough
        if pack is None:
            raise Unavailable(words) from error
        raise PackLost(f"The file of {pack.public_id} is no longer stored. Build a new pack.") from error
    except (AwsError, OSError) as error:
        # The error may name buckets and folders, which is for the log and not for whoever reads the page.
        logger.error("The store of the audit packs failed: %s", error)  # noqa: TRY400 - as above
        raise Unavailable(words) from error
