"""Read botocore's descriptions of the services without the prose in them.

Of the five megabytes of SageMaker's, two thirds are paragraphs for the documentation, and botocore keeps what it reads,
in ordered dictionaries of twice the size: twenty megabytes a process, of which this takes six.
"""

from __future__ import annotations

import gzip
import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from botocore.loaders import Loader

_SUFFIXES = (".json", ".json.gz")


@cache
def loader() -> Loader:
    """Return the one loader of the process, so that each description is read once."""
    return _new_loader()


def without_prose(service: str) -> Any:
    """Return the newest description of a service, which nothing keeps."""
    return _new_loader().load_service_model(service, "service-2")


def _new_loader() -> Loader:
    from botocore.loaders import create_loader  # noqa: PLC0415 - megabytes, in web processes that ask nothing of AWS

    made = create_loader()
    made.file_loader = _Files()  # type: ignore[assignment]  # what has its methods
    return made


class _Files:
    """Reads files as botocore's own `JSONFileLoader` does, named without their suffix."""

    def exists(self, file_path: str) -> bool:
        return any(Path(file_path + suffix).is_file() for suffix in _SUFFIXES)

    def load_file(self, file_path: str) -> Any:
        """Return what a file holds; None without one."""
        for suffix in _SUFFIXES:
            path = Path(file_path + suffix)
            if path.is_file():
                held = path.read_bytes()
                return json.loads(gzip.decompress(held) if suffix.endswith(".gz") else held, object_hook=_terse)
        return None


def _terse(read: dict[str, Any]) -> dict[str, Any]:
    # A member of that name is a mapping; and left out altogether, botocore would miss it where S3 needs it.
    if isinstance(read.get("documentation"), str):
        read["documentation"] = ""
    return read
