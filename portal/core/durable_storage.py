"""Files on a disk that are there when the database says so."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO, Any

from django.core.files.storage import FileSystemStorage
from django.utils.deconstruct import deconstructible


@deconstructible(path="portal.core.durable_storage.DurableFileSystemStorage")
class DurableFileSystemStorage(FileSystemStorage):
    """Django's storage in a folder, written through to the disk: a power failure leaves no row without its file."""

    def _save(self, name: str, content: IO[Any]) -> str:
        saved = str(super()._save(name, content))  # type: ignore[misc]  # the stubs leave it out
        path = Path(self.path(saved))
        for place in (path, path.parent, path.parent.parent):
            _write_through(place)
        return saved

    def url(self, name: str | None) -> str:
        """Refuse: what lies here is given out by views that ask who is asking."""
        raise ValueError(f"{name} is not accessible via an address.")


def _write_through(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
