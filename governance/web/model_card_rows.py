"""Repeating rows of a model card's form: what a set of rows holds, what stands in it, and how it is read back."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

AT = "at"
MOST_ROWS = 300


@dataclass(frozen=True)
class Column:
    """One cell of a row: its key in the row, what people read, how long it may be, and what it must be."""

    key: str
    label: str
    longest: int
    is_needed: bool = False
    is_number: bool = False
    is_area: bool = False


class Row(dict[str, str]):
    """The texts of one row by column; `at` is which entry of the card it came from, "" for a new one."""

    @property
    def is_blank(self) -> bool:
        return not any(value for key, value in self.items() if key != AT)

    def __str__(self) -> str:
        return " · ".join(value for key, value in self.items() if key != AT and value)


class RowsWidget(forms.Widget):
    """Reads rows from inputs named `<set>-<number>-<column>`, in the order of their numbers."""

    def __init__(self, columns: Sequence[Column]) -> None:
        super().__init__()
        self.columns = columns

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> list[Row] | None:
        """Return the rows that were sent, None where the page sent no such set: it then stays as it is."""
        if f"{name}-sent" not in data:
            return None
        pattern = re.compile(rf"{re.escape(name)}-(\d{{1,4}})-{AT}")
        numbers = sorted({int(match[1]) for key in data if (match := pattern.fullmatch(key))})
        rows = [
            Row(
                {AT: data.get(f"{name}-{number}-{AT}", "")}
                | {
                    column.key: data.get(f"{name}-{number}-{column.key}", "").replace("\r\n", "\n").strip()
                    for column in self.columns
                }
            )
            for number in numbers[: MOST_ROWS + 1]
        ]
        return [row for row in rows if not row.is_blank]


class BoundRows(forms.BoundField):
    """A set of rows on the page: the inputs of each row with a blank one behind them, and those of a new one."""

    field: RowsField

    @property
    def drawn(self) -> list[list[dict[str, Any]]]:
        value = self.value()
        rows = self.initial if value is None else value
        return [self.field.inputs(self.name, str(number), row) for number, row in enumerate([*(rows or ()), Row()])]

    @property
    def blank(self) -> list[dict[str, Any]]:
        return self.field.inputs(self.name, "__n__", Row())


class RowsField(forms.Field):
    """A list of rows. A row that is blank counts as none; what is wrong is named by row and column."""

    widget: RowsWidget
    bound_field_class = BoundRows

    def __init__(self, columns: Sequence[Column], **kwargs: Any) -> None:
        super().__init__(required=False, widget=RowsWidget(columns), **kwargs)
        self.columns = columns

    def clean(self, value: Any) -> list[Row] | None:
        """Return the rows, None where none were sent. Raises ValidationError."""
        if value is None:
            return None
        wrong = [f"At most {MOST_ROWS} rows."] if len(value) > MOST_ROWS else []
        for number, row in enumerate(value[:MOST_ROWS], start=1):
            wrong += [
                f"Row {number}, {column.label}: {said}" for column in self.columns if (said := _wrong(row, column))
            ]
        if wrong:
            raise ValidationError(wrong)
        return list(value)

    def has_changed(self, initial: Any, data: Any) -> bool:
        return data is not None and list(initial or []) != list(data)

    def inputs(self, name: str, number: str, row: Mapping[str, str]) -> list[dict[str, Any]]:
        """Return the inputs of one row."""
        return [
            {
                "name": f"{name}-{number}-{column.key}",
                "value": row.get(column.key, ""),
                "column": column,
                "is_wrong": bool(row and _wrong(row, column)),
            }
            for column in (Column(AT, "", 0), *self.columns)
        ]


def _wrong(row: Mapping[str, str], column: Column) -> str:
    text = row.get(column.key, "")
    if not column.longest:
        return ""
    if not text:
        return "fill this in, or clear the row." if column.is_needed else ""
    if "\x00" in text:
        return "null characters are not allowed."
    if len(text) > column.longest:
        return f"at most {column.longest} characters."
    return "this is no number." if column.is_number and number_of(text) is None else ""


def number_of(text: str) -> int | float | None:
    """Return the number a text is, None for what is none, or is not finite."""
    try:
        number = float(text)
    except ValueError:
        return None
    if not math.isfinite(number):
        return None
    return int(text) if re.fullmatch(r"[+-]?[0-9]{1,300}", text) else number


def shown(value: Any) -> str | None:
    """Return a plain value as a cell shows it, so that it comes back as it was; None for one that is no plain value."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return json.dumps(value)
    if value is None:
        return ""
    return value if isinstance(value, str) else None


def keyed(entries: Any) -> list[tuple[str, Mapping[str, Any]]]:
    """Return the named entries of a list with a key each, which tells those of one name apart."""
    found: list[tuple[str, Mapping[str, Any]]] = []
    seen: dict[str, int] = {}
    for entry in entries if isinstance(entries, list) else ():
        name = entry.get("name") if isinstance(entry, Mapping) else None
        if isinstance(name, str) and name:
            seen[name] = seen.get(name, 0) + 1
            found.append((json.dumps([name, seen[name]]), entry))
    return found
