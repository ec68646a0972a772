"""Files outside the database that are written once and never changed."""

from __future__ import annotations

import os
import uuid
from pathlib import Path
from typing import Any

from django.core.files.storage import FileSystemStorage
from django.utils.deconstruct import deconstructible


@deconstructible(path="portal.core.write_once.WriteOnceStorage")
class WriteOnceStorage(FileSystemStorage):
    """A folder whose files appear whole or not at all, under the name that was asked for, and are not written again.

    Saving under a name that is taken raises FileExistsError; Django's own storage would choose another name, and
    would leave half a file behind when it is killed.
    """

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        """Return the name itself: another one would be another file."""
        return name

    def delete(self, name: str) -> None:
        """Refuse: what is written once stays. Raises PermissionError."""
        raise PermissionError(f"{name} is written once and is not removed.")

    def _save(self, name: str, content: Any) -> str:
        target = Path(self.path(name))
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f".{target.name}.{uuid.uuid4().hex}.part")
        try:
            with part.open("xb") as file:
                for chunk in content.chunks():
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            part.chmod(0o400)
            # A link fails where the name is taken, a rename would replace it.
            os.link(part, target)
        finally:
            part.unlink(missing_ok=True)
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        return name
