"""Rows as lines of CSV, harmless to the spreadsheet that opens them; knows nothing of HTTP."""

from __future__ import annotations

import csv
import io
import json
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

# A spreadsheet takes a cell that begins like this for a formula, wide forms and what it strips before them included:
# OWASP, CSV Injection.
_FORMULA = ("=", "+", "-", "@")
_BREAKING = ("\t", "\r", "\n")


def cell(value: Any) -> str:
    """Return a value as one cell: JSON for objects, "" for None, and an apostrophe before what looks like a formula."""
    if value is None:
        return ""
    if isinstance(value, Mapping | list):
        return json.dumps(value, ensure_ascii=False, sort_keys=True)
    written = str(value)
    return f"'{written}" if isinstance(value, str) and _is_formula(written) else written


def _is_formula(written: str) -> bool:
    if written.startswith(_BREAKING):
        return True
    # Blanks, controls and signs without a width (Zs, Cc, Cf) are passed over by what opens the file.
    first = next(
        (sign for sign in written if not sign.isspace() and unicodedata.category(sign) not in ("Cc", "Cf")), ""
    )
    return unicodedata.normalize("NFKC", first).startswith(_FORMULA)


def lines(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield a header and one line per row, each ready to be sent."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow([cell(name) for name in columns])
    yield buffer.getvalue()
    for row in rows:
        buffer.seek(0)
        buffer.truncate()
        writer.writerow([cell(row[name]) for name in columns])
        yield buffer.getvalue()
