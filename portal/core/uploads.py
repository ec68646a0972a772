"""How much one request may carry in files: Django bounds the fields of a form, and nothing of its files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from django.core.files.uploadhandler import FileUploadHandler, SkipFile

_TOO_LARGE = "portal.upload_too_large"


class BoundedUploads(FileUploadHandler):
    """Leave out every file that goes beyond PORTAL_EVIDENCE_MAX_BYTES, counted over the whole request.

    First in FILE_UPLOAD_HANDLERS, so that no byte beyond the limit reaches memory or disk. `too_large` tells the view,
    which answers in its own words.
    """

    def handle_raw_input(
        self,
        input_data: IO[bytes],
        META: dict[str, Any],  # noqa: N803 - Django's name
        content_length: int,
        boundary: str,
        encoding: str | None = None,
    ) -> None:
        self._received = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        self._received += len(raw_data)
        if self._received > settings.PORTAL_EVIDENCE_MAX_BYTES:
            if self.request is not None:
                self.request.META[_TOO_LARGE] = True
            raise SkipFile
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None


def too_large(meta: Mapping[str, Any]) -> bool:
    """Whether a file of the request with this META was left out as too large; asks after the body has been read."""
    return bool(meta.get(_TOO_LARGE))
