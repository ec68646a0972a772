"""Figures: what is drawn, and the same as a table; a figure without its table cannot be made.

Drawn are bars, heat maps and strips as HTML and SVG by the templates, lines by Chart.js from the JSON of `Lines`.
Everything in here is plain data, and every number may carry the address of the list behind it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

# How wide the longest bar is, in the units of its drawing.
FULL = 1000
# From nothing to the most of a heat map, in steps a person can tell apart.
HEAT_STEPS = 5


@dataclass(frozen=True)
class Cell:
    """One cell of a figure's table: words or a number, the list behind it, and a tone where it means good or bad."""

    text: Any
    url: str = ""
    tone: str = ""


@dataclass(frozen=True)
class Grid:
    """A table; the first cell of a row names it."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True)
class Part:
    """One part of a bar."""

    label: str
    count: int
    url: str = ""
    tone: str = "live"


@dataclass(frozen=True)
class Bar:
    """One bar of one or several parts, and the list of all it stands for."""

    label: str
    parts: tuple[Part, ...]
    url: str = ""

    @property
    def total(self) -> int:
        return sum(part.count for part in self.parts)


@dataclass(frozen=True)
class Bars:
    """Bars on one scale."""

    rows: tuple[Bar, ...]
    name: str = ""

    @property
    def total(self) -> int:
        return sum(row.total for row in self.rows)

    def drawn(self) -> list[dict[str, Any]]:
        """Return the bars with the place and width of each part, in thousandths of the longest bar."""
        longest = max((row.total for row in self.rows), default=0) or 1
        found = []
        for row in self.rows:
            at = 0.0
            parts = []
            for part in row.parts:
                if part.count:
                    width = part.count * FULL / longest
                    parts.append({"part": part, "x": round(at, 1), "width": round(width, 1)})
                    at += width
            found.append({"row": row, "parts": parts})
        return found

    def grid(self) -> Grid:
        """Return the same as a table: a row per bar, a column per kind of part, and the sum where there are several."""
        labels = tuple(dict.fromkeys(part.label for row in self.rows for part in row.parts))
        lines = []
        for row in self.rows:
            by_label = {part.label: part for part in row.parts}
            cells = [Cell(row.label)]
            if len(labels) == 1:
                cells.append(Cell(row.total, row.url))
            else:
                cells += [
                    Cell(by_label[label].count, by_label[label].url) if label in by_label else Cell(0)
                    for label in labels
                ]
                cells.append(Cell(row.total, row.url))
            lines.append(tuple(cells))
        columns = (self.name, *labels) if len(labels) == 1 else (self.name, *labels, "Total")
        return Grid(columns, tuple(lines))


@dataclass(frozen=True)
class Heat:
    """Counts in two directions, None where none was reported; it is a table that is coloured, so it needs no other."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    name: str = ""

    def drawn(self) -> list[dict[str, Any]]:
        """Return the rows with a step of heat per cell: 0 for nothing, then 1 to `HEAT_STEPS` by share of the most."""
        most = max((cell.text or 0 for row in self.rows for cell in row[1:]), default=0) or 1
        return [
            {
                "head": row[0],
                "cells": [{"cell": cell, "step": heat_step(cell.text or 0, most)} for cell in row[1:]],
            }
            for row in self.rows
        ]


def heat_step(count: float, most: float) -> int:
    """Return the step of heat of a count: any at all is at least one step."""
    return int(-(-count * HEAT_STEPS // most)) if count > 0 else 0


@dataclass(frozen=True)
class Point:
    """One point of a line: its place (milliseconds since 1970, or the place of a label), its number and its page.

    None for a number is a gap: the line is broken there.
    """

    x: float
    y: float | None
    url: str = ""
    note: str = ""
    is_bad: bool = False


@dataclass(frozen=True)
class Line:
    """One line through points; a threshold is dashed and has no points of its own."""

    label: str
    points: tuple[Point, ...]
    tone: str = "live"
    is_threshold: bool = False


@dataclass(frozen=True)
class Lines:
    """Lines over time, or over labels when it has any, with the same as a table."""

    words: str
    lines: tuple[Line, ...]
    table: Grid
    labels: tuple[str, ...] = ()
    unit: str = ""
    notes: Sequence[str] = field(default=())

    def spec(self) -> dict[str, Any]:
        """Return what figures.js draws; it goes into the page as JSON in an attribute, never as script."""
        return {
            "labels": list(self.labels),
            "unit": self.unit,
            "lines": [
                {
                    "label": line.label,
                    "tone": line.tone,
                    "threshold": line.is_threshold,
                    "points": [
                        {"x": point.x, "y": point.y, "url": point.url, "note": point.note, "bad": point.is_bad}
                        for point in line.points
                    ],
                }
                for line in self.lines
            ],
        }


def milliseconds(moment: datetime) -> float:
    """Return a moment as the place on an axis of time."""
    return round(moment.timestamp() * 1000)
