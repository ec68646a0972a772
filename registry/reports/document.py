"""A report's bytes as JSON that PostgreSQL can hold, or the named reason why they are none."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

from portal.core.vocabulary import Word

# What a report may hold; beyond that, reading it costs memory that nobody planned for. Named values cost most.
MOST_PARTS = 2_000_000
MOST_NAMED = 400_000
DEEPEST = 60
_LONGEST_INTEGER = 30
_LONGEST_KEY_SHOWN = 60
_NOT_TEXT = (
    (b"%PDF", "a PDF file"),
    (b"PK\x03\x04", "a zip archive (a workbook, perhaps)"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"PAR1", "a Parquet file"),
    (b"\x89PNG", "a PNG image"),
    (b"<!doctype html", "an HTML page"),
    (b"<html", "an HTML page"),
)
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
# What PostgreSQL keeps in no text: the NUL character, and halves of a character.
_UNKEPT = re.compile("[\x00\ud800-\udfff]")


class ReportProblem(Word):
    """Why a report in S3 says nothing."""

    MISSING = "missing"
    DENIED = "denied"
    TOO_LARGE = "too_large"
    TRUNCATED = "truncated"
    NOT_JSON = "not_json"
    WRONG_TYPE = "wrong_type"
    UNREACHABLE = "unreachable"

    @property
    def label(self) -> str:
        return "Not JSON" if self is ReportProblem.NOT_JSON else super().label


class Unreadable(ValueError):
    """Report why some bytes are no report: `problem` by its name, the message as a sentence for people."""

    def __init__(self, problem: ReportProblem, sentence: str) -> None:
        self.problem = problem
        self.sentence = sentence
        super().__init__(sentence)


def read_json(data: bytes | bytearray) -> dict[str, Any]:
    """Return a report's content, with text in place of numbers JSON does not know ("NaN", "Infinity").

    NUL characters and lone surrogates become the replacement mark. Raises Unreadable for what is no JSON object, ends
    early, names something twice, or is larger or deeper than any report.
    """
    _look_at(data)
    encoding = "UTF-16" if data.startswith(_UTF16_MARKS) else "UTF-8"
    try:
        text = data.decode("utf-16" if encoding == "UTF-16" else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(
            ReportProblem.NOT_JSON, f"It is not text in {encoding}: byte {error.start + 1} belongs to no character."
        ) from None
    try:
        content = json.loads(
            text, object_pairs_hook=_object, parse_constant=str, parse_float=_number, parse_int=_integer
        )
    except json.JSONDecodeError as error:
        raise _broken(text, error) from None
    except RecursionError:
        raise _too_deep() from None
    if not isinstance(content, dict):
        raise Unreadable(
            ReportProblem.WRONG_TYPE, f"It is JSON, but {_named(content)} where a report is an object with named parts."
        )
    _make_plain(content, 0)
    return content


def _look_at(data: bytes | bytearray) -> None:
    start = data[:64].lstrip().lower()
    for mark, what in _NOT_TEXT:
        if start.startswith(mark.lower()):
            raise Unreadable(ReportProblem.WRONG_TYPE, f"It is {what}, not a report in JSON.")
    if not data or data.isspace():
        raise Unreadable(ReportProblem.TRUNCATED, "The object is empty.")
    parts = sum(map(data.count, (b"[", b"{", b",")))
    if parts > MOST_PARTS:
        raise Unreadable(
            ReportProblem.TOO_LARGE, f"It has about {parts:,} parts; at most {MOST_PARTS:,} are read of one report."
        )
    named = data.count(b":")
    if named > MOST_NAMED:
        raise Unreadable(
            ReportProblem.TOO_LARGE,
            f"It has about {named:,} named values; at most {MOST_NAMED:,} are read of one report.",
        )


def _broken(text: str, error: json.JSONDecodeError) -> Unreadable:
    if error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated string"):
        return Unreadable(
            ReportProblem.TRUNCATED, f"It breaks off: the JSON ends in line {error.lineno} before it is complete."
        )
    return Unreadable(
        ReportProblem.NOT_JSON, f"It is not JSON: {error.msg} (line {error.lineno}, column {error.colno})."
    )


def _too_deep() -> Unreadable:
    return Unreadable(ReportProblem.NOT_JSON, f"Its parts are nested deeper than {DEEPEST} levels; no report is.")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = {_text(name): value for name, value in pairs}
    if len(found) < len(pairs):
        twice = Counter(_text(name) for name, _ in pairs).most_common(1)[0][0]
        raise Unreadable(
            ReportProblem.NOT_JSON,
            f"It says {twice[:_LONGEST_KEY_SHOWN]!r} twice in one place, so it is not clear what it says.",
        )
    return found


def _number(text: str) -> float | str:
    value = float(text)
    return value if math.isfinite(value) else _infinite(text)


def _integer(text: str) -> int | float | str:
    # Python refuses to read thousands of digits, and no counter or measure has more than thirty.
    return int(text) if len(text) <= _LONGEST_INTEGER else _number(text)


def _infinite(text: str) -> str:
    return "-Infinity" if text.startswith("-") else "Infinity"


def _named(content: Any) -> str:
    if isinstance(content, list):
        return "a list"
    return "text" if isinstance(content, str) else "a single value"


def _make_plain(found: dict[str, Any] | list[Any], depth: int) -> None:
    """Replace text in place: a copy would cost as much again as the report."""
    if depth > DEEPEST:
        raise _too_deep()
    pairs: Iterable[tuple[Any, Any]] = found.items() if isinstance(found, dict) else enumerate(found)
    for key, value in pairs:
        if isinstance(value, dict | list):
            _make_plain(value, depth + 1)
        elif isinstance(value, str) and _UNKEPT.search(value):
            found[key] = _text(value)


def _text(value: str) -> str:
    if not _UNKEPT.search(value):
        return value
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\x00", "\ufffd")
