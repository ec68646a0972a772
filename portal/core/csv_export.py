"""Tables as CSV: streamed, and harmless to the spreadsheet that opens them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, islice
from typing import Any

from django.http import StreamingHttpResponse
from rest_framework.renderers import BaseRenderer

from .cells import cell, lines

__all__ = ["CsvRenderer", "cell", "lines", "plain", "streamed"]


class CsvRenderer(BaseRenderer):
    """Makes `format=csv` and `Accept: text/csv` known; the rows themselves are streamed past it."""

    media_type = "text/csv"
    format = "csv"

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        raise NotImplementedError("CSV is streamed with `streamed`.")


def plain(value: Any) -> Any:
    """Return a value of an answer as its cell: yes and no in JSON's words, everything else as it is."""
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else value


def streamed(filename: str, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> StreamingHttpResponse:
    """Answer with a CSV file that is written while it is sent, however many rows there are.

    The first row is read before the answer begins: what the database refuses is refused, not sent as half a file.
    """
    written = lines(columns, rows)
    first = list(islice(written, 2))
    return StreamingHttpResponse(
        chain(first, written),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{filename}"'},
    )
