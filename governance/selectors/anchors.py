"""The signed anchors of the audit trail as they lie in their storage, and their index in the database."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256

from django.core.files.storage import Storage, storages
from django.db.models import QuerySet

from portal.core import access
from portal.core.actors import Actor
from portal.core.errors import NotFound, Unavailable
from portal.core.permissions import Act, require_anywhere

from ..models import AuditAnchor

_NAME = re.compile(r"([0-9]{10,18})\.jwt")
# An anchor is a few hundred characters; a file of another size is none of ours.
LONGEST = 20_000


def anchors(actor: Actor) -> QuerySet[AuditAnchor]:
    """Return the index of the anchors, newest first. Raises Forbidden for who may not read the trail."""
    require_anywhere(actor, Act.SEE_AUDIT)
    return AuditAnchor.objects.visible_to(actor).order_by("-number")


def anchor_file(actor: Actor, number: int) -> tuple[str, str]:
    """Return name and text of one signed anchor from its storage. Raises Forbidden, NotFound, Unavailable."""
    require_anywhere(actor, Act.SEE_AUDIT)
    access.get(AuditAnchor, actor, pk=number)
    text = read(number)
    if text is None:
        raise NotFound(f"The file of anchor {number} is not in its storage. A check of the trail names it.")
    return file_name(number), text


def file_name(number: int) -> str:
    """Return the name an anchor has in the storage."""
    return f"{number:010d}.jwt"


def file_hash(text: str) -> str:
    """Return what the next anchor and the index name a file by: its SHA-256, hexadecimal."""
    return sha256(text.encode()).hexdigest()


def stored_numbers() -> list[int]:
    """Return the numbers of the anchors in the storage, in order. Raises Unavailable."""
    with reaching_storage() as storage:
        try:
            _, names = storage.listdir("")
        except FileNotFoundError:
            return []
    found = {int(match[1]): name for name in names if (match := _NAME.fullmatch(name))}
    return sorted(number for number, name in found.items() if file_name(number) == name)


def read(number: int) -> str | None:
    """Return the text of an anchor's file, None when there is none; what is no text is returned as "".

    Raises Unavailable.
    """
    with reaching_storage() as storage:
        try:
            with storage.open(file_name(number)) as file:
                content = file.read(LONGEST)
        except FileNotFoundError:
            return None
    try:
        return content.decode("ascii") if isinstance(content, bytes) else str(content)
    except UnicodeDecodeError:
        return ""


@contextmanager
def reaching_storage() -> Iterator[Storage]:
    """Give the storage of the anchors; what its backend raises besides FileNotFoundError becomes Unavailable."""
    try:
        yield storages["anchors"]
    except (FileNotFoundError, FileExistsError):
        raise
    except Exception as error:  # each backend has errors of its own
        raise Unavailable(f"The storage of the audit anchors does not answer: {error}") from error
