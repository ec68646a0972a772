"""What a cell holds, without its markup: for files, where people compute with it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any

# What stands in a cell to be pressed or looked at, but says nothing.
_SILENT = {"svg", "button", "form", "script", "style", "dialog", "pre"}
_VOID = {"br", "hr", "img", "input", "wbr", "path", "line", "circle"}


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._open: list[str] = []
        self._silent_from: int | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _VOID:
            self.parts.append(" ")
            return
        self._open.append(tag)
        if self._silent_from is not None:
            return
        given = dict(attrs)
        if tag == "time" and given.get("datetime"):
            self.parts.append(f" {given['datetime']} ")
            self._silent_from = len(self._open)
        elif tag in _SILENT or given.get("aria-hidden") == "true" or "not-reported" in (given.get("class") or ""):
            self._silent_from = len(self._open)
        else:
            self.parts.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag in _VOID or tag not in self._open:
            return
        while self._open and self._open.pop() != tag:
            pass
        if self._silent_from is not None and len(self._open) < self._silent_from:
            self._silent_from = None
        self.parts.append(" ")

    def handle_data(self, data: str) -> None:
        if self._silent_from is None:
            self.parts.append(data)


def text_of(html: str) -> str:
    """Return the words of a rendered cell: times as UTC in ISO 8601, no icons or buttons, "" for what is missing."""
    if "<" not in html and "&" not in html:
        return html.strip()
    reader = _Text()
    reader.feed(html)
    reader.close()
    return " ".join("".join(reader.parts).split()).replace(" ,", ",")


def plain(value: Any) -> Any:
    """Return a stored value as a file holds it; None when only its rendered cell can tell.

    Moments are ISO 8601 in UTC, days ISO 8601, durations seconds, lists joined by "; "; numbers stay numbers.
    """
    match value:
        case bool():
            return "yes" if value else "no"
        case datetime():
            return value.astimezone(UTC).isoformat(timespec="seconds") if value.tzinfo else value.isoformat()
        case date():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case str():
            return str(value)
        case int() | float() | Decimal():
            return value
        case list() | tuple() | set() if all(isinstance(one, str | int) for one in value):
            return "; ".join(str(one) for one in value)
        case Mapping():
            return dict(value)
        case _:
            return None
