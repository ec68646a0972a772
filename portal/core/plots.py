"""Figures of a model's own numbers: weights with a sign, and curves between 0 and 1. Drawn as SVG, each with its table.

A number that is not there is None: it has no bar, and its table says "not reported".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .figures import FULL, Cell, Grid

# Of hundreds of points a table says what one in so many says.
_MOST_ROWS = 40


@dataclass(frozen=True)
class Weight:
    """One named number, which may be negative."""

    label: str
    value: float | None


@dataclass(frozen=True)
class Weights:
    """Named numbers on one scale, and what they are called; those of the `rest` are in the table and not drawn."""

    rows: tuple[Weight, ...]
    name: str
    measure: str
    rest: tuple[Weight, ...] = ()

    def drawn(self) -> list[dict[str, Any]]:
        """Return each with its width in thousandths of the longest, and whether it is below zero."""
        longest = max((abs(row.value) for row in self.rows if row.value is not None), default=0) or 1
        return [
            {
                "row": row,
                "width": round(abs(row.value or 0) / longest * FULL, 1),
                "is_negative": row.value is not None and row.value < 0,
            }
            for row in self.rows
        ]

    def grid(self) -> Grid:
        """Return the same as a table."""
        rows = (*self.rows, *self.rest)
        return Grid((self.name, self.measure), tuple((Cell(row.label), Cell(row.value)) for row in rows))


@dataclass(frozen=True)
class Plot:
    """A curve of y over x, both between 0 and 1; `diagonal` is what guessing would give."""

    title: str
    x_name: str
    y_name: str
    points: tuple[tuple[float, float], ...]
    diagonal: bool = False

    @property
    def path(self) -> str:
        """The points as SVG wants them, in a square of 100 whose y grows downwards."""
        return " ".join(f"{x * 100:.2f},{100 - y * 100:.2f}" for x, y in self.points)

    def grid(self) -> Grid:
        """Return the same as a table, thinned out where there are many points, with both ends."""
        step = max(1, -(-len(self.points) // _MOST_ROWS))
        shown = dict.fromkeys([*self.points[::step], *self.points[-1:]])
        return Grid((self.x_name, self.y_name), tuple((Cell(round(x, 4)), Cell(round(y, 4))) for x, y in shown))
