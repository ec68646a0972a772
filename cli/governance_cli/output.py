"""What commands print: one JSON document, or plain text in columns; errors go to stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from .failures import Failure

_WIDEST = 60


def document(data: Any) -> None:
    """Print one JSON document."""
    sys.stdout.write(f"{json.dumps(data, indent=2)}\n")


def say(*lines: str) -> None:
    """Print lines for people."""
    for line in lines:
        sys.stdout.write(f"{plain(line)}\n")


def note(text: str) -> None:
    """Say something beside the answer, on stderr."""
    sys.stderr.write(f"{plain(text)}\n")


def failed(failure: Failure, *, as_json: bool) -> None:
    """Print what went wrong to stderr, with every field's error."""
    if as_json:
        sys.stderr.write(f"{json.dumps(failure.document(), indent=2)}\n")
        return
    for line in failure.lines():
        note(line)


def rows(found: Iterable[dict[str, Any]], columns: Mapping[str, str], *, limit: int, as_json: bool) -> None:
    """Print at most so many rows of a list (0: all), as a JSON array or as a table; say when there are more."""
    pages = iter(found)
    taken = list(islice(pages, limit or None))
    more = bool(limit) and next(pages, None) is not None
    if as_json:
        document(taken)
    elif taken:
        table(taken, columns)
    else:
        say("Nothing found.")
    if more:
        note(f"There are more than these {limit}: say --limit 0 for all.")


def table(found: Sequence[Mapping[str, Any]], columns: Mapping[str, str]) -> None:
    """Print rows in columns: heading by the name of the field."""
    cells = [list(columns.values()), *([_short(row.get(name)) for name in columns] for row in found)]
    widths = [max(len(line[place]) for line in cells) for place in range(len(columns))]
    for line in cells:
        say("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def fields(found: Mapping[str, Any], names: Mapping[str, str]) -> None:
    """Print some fields of one thing, one on a line."""
    width = max(map(len, names.values()))
    for name, label in names.items():
        lines = text(found.get(name)).splitlines() or ["-"]
        say(f"{label.ljust(width)}  {lines[0]}", *(" " * (width + 2) + line for line in lines[1:]))


def text(value: Any) -> str:
    """Return a value in plain words; "-" for what is not there."""
    if value is None or value == "" or value == [] or value == {}:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list) and not any(isinstance(each, dict | list) for each in value):
        return ", ".join(map(text, value))
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)


def plain(line: str) -> str:
    """Return a line without what could steer a terminal: names and notes are written by many people."""
    return "".join(letter if letter.isprintable() else "�" for letter in line.expandtabs(2))


def _short(value: Any) -> str:
    shown = plain(" ".join(text(value).split()))
    return shown if len(shown) <= _WIDEST else f"{shown[: _WIDEST - 1]}…"
