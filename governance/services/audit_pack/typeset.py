"""Chapters as a PDF (PDF/UA-1) by typst, with the fonts it brings itself; the same chapters are the same bytes.

Text goes in as data and is never markup. What the fonts cannot show, and marks that turn the order of writing around,
are written out as their code points: nothing disappears and nothing pretends to be something else.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

TEMPLATE = Path(__file__).with_name("pack.typ")
# What the fonts have: Latin, Greek, Cyrillic, punctuation, currency, letter-like signs, arrows, mathematics, shapes.
_SHOWN = (
    "\n\u0020-\u007e\u00a0-\u00ac\u00ae-\u02af\u0370-\u0377\u037a-\u037f\u0384-\u038a\u038c\u038e-\u03a1\u03a3-\u03ff"
    "\u0400-\u04ff\u1e00-\u1eff\u2010-\u2027\u2030-\u205e\u20a0-\u20bf\u2100-\u214f\u2190-\u22ff\u2500-\u25fe"
)
_UNSHOWN = re.compile(f"[^{_SHOWN}]")
_LONG_WORD = re.compile(r"[^\s\u200b]{25,}")
# Where names of people, files and addresses may go on in the next line.
_JOINT = re.compile(r"(?<=\w[._/:@-])(?=\w)")
_NAME = re.compile(r"[^\s\u200b]{12,}")
_BREAK = "\u200b"

Part = dict[str, Any]


def heading(text: str, level: int = 2) -> Part:
    """Return a heading below the chapter's own."""
    return {"kind": "heading", "text": text, "level": level}


def words(text: str, kind: str = "text") -> Part:
    """Return a paragraph: "text", "quiet" for what is only said beside, "quote" for what somebody wrote."""
    return {"kind": kind, "text": text}


def label(text: str, beside: str) -> Part:
    """Return the line above something: what it is, and beside that whose and when."""
    return {"kind": "label", "text": text, "beside": beside}


def code(text: str) -> Part:
    """Return a hash or address on a line of its own."""
    return {"kind": "code", "text": text}


def pairs(*items: tuple[str, Any]) -> Part:
    """Return labelled values; "" shows as not reported."""
    return {"kind": "pairs", "items": [[label, value] for label, value in items]}


def listing(columns: Sequence[tuple[str, float]], rows: Sequence[Sequence[Any]], none: str) -> Part:
    """Return a table by heads with their relative widths (0: as wide as it must be); `none` says that it is empty.

    A cell is text, (text, tone), or {"code": text}.
    """
    heads, widths = [head for head, _ in columns], [width for _, width in columns]
    return {"kind": "list", "heads": heads, "widths": widths, "rows": [list(row) for row in rows], "none": none}


def notice(tone: str, title: str, text: str) -> Part:
    """Return a box that nobody reads past; tones: good, warn, bad."""
    return {"kind": "notice", "tone": tone, "title": title, "text": text}


class NotTypeset(Exception):
    """Typst could not make a document of what it was given."""


def typeset(document: dict[str, Any], moment: datetime) -> bytes:
    """Return the document as PDF. Raises NotTypeset."""
    import typst  # noqa: PLC0415 - megabytes of compiled code that web processes, which build no packs, do without

    given = json.dumps({**_clean(document), "date": [moment.year, moment.month, moment.day]}, ensure_ascii=False)
    try:
        compiler = typst.Compiler(TEMPLATE.read_bytes(), ignore_system_fonts=True, sys_inputs={"data": given})
        # The moment is that of the snapshot, not of the clock: the same data makes the same file.
        made = compiler.compile(format="pdf", pdf_standards=["ua-1"], timestamp=moment.replace(microsecond=0))
    except typst.TypstError as error:
        raise NotTypeset(str(error)) from error
    assert isinstance(made, bytes)
    return made


def shown(text: str) -> str:
    """Return a text as the fonts can show it, with places to break in words that would not fit on a line."""
    plain = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", "    "))
    plain = _UNSHOWN.sub(lambda found: f"(U+{ord(found[0]):04X})", plain)
    plain = _NAME.sub(lambda word: _JOINT.sub(_BREAK, word[0]), plain)
    return _LONG_WORD.sub(lambda word: _BREAK.join(word[0][at : at + 8] for at in range(0, len(word[0]), 8)), plain)


def _clean(value: Any) -> Any:
    if isinstance(value, dict):
        # Hashes and addresses are copied by their readers: no marks are put into them.
        return {name: _plain(each) if name == "code" else _clean(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(each) for each in value]
    return shown(value) if isinstance(value, str) else value


def _plain(value: Any) -> Any:
    return shown(value).replace(_BREAK, "") if isinstance(value, str) else _clean(value)
