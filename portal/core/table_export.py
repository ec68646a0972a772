"""A list as a file: CSV that is written while it is sent, or a workbook; no cell becomes a formula in either."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any

from django.http import FileResponse, StreamingHttpResponse

from . import csv_export

if TYPE_CHECKING:
    from openpyxl.cell import WriteOnlyCell

# A workbook is built before it is sent; this many rows take seconds and a worker's patience. CSV has no end.
XLSX_ROWS = 50_000
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# What the file format cannot hold, and as much text as it takes in one cell.
_ILLEGAL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_LONGEST = 32_767
_CUT = " … (cut here)"
_SHEET_NAME = re.compile(r"[\[\]:*?/\\']")


class FileFormat(StrEnum):
    """The forms a list is given in."""

    CSV = "csv"
    XLSX = "xlsx"


def sheet_cell(value: Any) -> Any:
    """Return a value as one cell of a workbook: numbers as numbers, all else as text that is never a formula."""
    if value is None or isinstance(value, int | float | Decimal):
        return value if not isinstance(value, bool) else ("yes" if value else "no")
    text = json.dumps(value, ensure_ascii=False, sort_keys=True) if isinstance(value, Mapping | list) else str(value)
    text = _ILLEGAL.sub("\ufffd", csv_export.cell(text))
    return text if len(text) <= _LONGEST else text[: _LONGEST - len(_CUT)] + _CUT


def csv_file(name: str, heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> StreamingHttpResponse:
    """Answer with rows as CSV, UTF-8, written while it is sent; one that breaks off says so in its last line."""
    named = [str(number) for number in range(len(heads))]
    written = csv_export.lines(named, (dict(zip(named, row, strict=True)) for row in rows))
    return StreamingHttpResponse(
        csv_export.saying_when_cut(_with_heads(heads, written)),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"'},
    )


def _with_heads(heads: Sequence[str], written: Iterator[str]) -> Iterator[str]:
    next(written)
    yield from csv_export.lines(list(heads), ())
    yield from written


def xlsx_file(name: str, title: str, heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> FileResponse:
    """Answer with rows as a workbook of one sheet; after XLSX_ROWS of them its last row says that there are more."""
    from openpyxl import Workbook  # noqa: PLC0415 - five megabytes, in the web processes where a workbook was asked for

    book = Workbook(write_only=True)
    sheet = book.create_sheet(_SHEET_NAME.sub(" ", title)[:31] or "List")
    sheet.freeze_panes = "A2"
    for number, head in enumerate(heads):
        sheet.column_dimensions[_letters(number)].width = min(max(len(head) + 4, 14), 40)
    sheet.append([_head(sheet, head) for head in heads])
    for number, row in enumerate(rows):
        if number == XLSX_ROWS:
            sheet.append([f"There are more rows. This file ends after {XLSX_ROWS:,}; the CSV file has all of them."])
            break
        sheet.append([sheet_cell(value) for value in row])
    file = TemporaryFile()  # noqa: SIM115 - the answer closes it
    book.save(file)
    file.seek(0)
    return FileResponse(file, as_attachment=True, filename=f"{name}.xlsx", content_type=XLSX_TYPE)


def _head(sheet: Any, head: str) -> WriteOnlyCell:
    from openpyxl.cell import WriteOnlyCell  # noqa: PLC0415 - as above
    from openpyxl.styles import Font  # noqa: PLC0415 - as above

    made = WriteOnlyCell(sheet, value=sheet_cell(head))
    made.font = Font(bold=True)
    return made


def _letters(number: int) -> str:
    found = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        found = chr(65 + rest) + found
    return found
