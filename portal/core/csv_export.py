"""Tables as CSV: streamed, and harmless to the spreadsheet that opens them."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any

from django.http import StreamingHttpResponse
from rest_framework.renderers import BaseRenderer

from .cells import cell, lines

__all__ = ["BROKEN_OFF", "CsvRenderer", "cell", "lines", "plain", "saying_when_cut", "streamed"]

logger = logging.getLogger(__name__)
BROKEN_OFF = "THIS FILE IS NOT COMPLETE: the portal failed while it was written. Ask for it again."


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
    A file that breaks off later says so in its last line.
    """
    written = lines(columns, rows)
    first = list(islice(written, 2))
    return StreamingHttpResponse(
        chain(first, saying_when_cut(written)),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{filename}"'},
    )


def saying_when_cut(written: Iterator[str]) -> Iterator[str]:
    """Yield the lines of a file, and a last one that says so where they break off.

    The status is sent by then, and servers end what breaks off like what is complete: half a table would pass for a
    whole one.
    """
    try:
        yield from written
    except Exception:
        logger.exception("A file broke off while it was sent.")
        yield f"{cell(BROKEN_OFF)}\r\n"
