"""Files of other people, given out so that no browser does anything with them but save them."""

from __future__ import annotations

from typing import IO, Any

from django.http import FileResponse
from rest_framework.renderers import BaseRenderer


class AnyFile(BaseRenderer):
    """Lets an address answer with a file whatever the Accept header asks for; the file is streamed past it."""

    media_type = "*/*"
    format = "file"
    charset = None

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        raise NotImplementedError("Files are sent with `attachment`.")


def attachment(file: IO[bytes], *, filename: str, content_type: str, size: int) -> FileResponse:
    """Answer with a file as a download, never shown in place: streamed, its type not to be guessed, and sandboxed.

    `size` is in bytes; the response closes the file.
    """
    typed = f"{content_type}; charset=utf-8" if content_type.startswith("text/") else content_type
    answer = FileResponse(file, as_attachment=True, filename=filename, content_type=typed)
    answer.headers["Content-Length"] = str(size)
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    answer.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    answer.headers["Cache-Control"] = "private, no-store"
    return answer
