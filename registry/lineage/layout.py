"""Where the boxes and arrows of a lineage graph stand: in columns, from what came first to what came last. Pure.

Lengths are in the drawing's own units, which are pixels where nothing scales it.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from .graph import Edge, LineageGraph, Vertex

BOX_WIDTH, BOX_HEIGHT = 200, 52
GAP_X, GAP_Y, MARGIN = 74, 16, 12
# More than this is no picture any more; the table has all of it.
MOST_DRAWN = 120
_SWEEPS = 3


@dataclass(frozen=True, slots=True)
class Box:
    """One vertex and where its upper left corner is; `column` and `row` count from 0."""

    vertex: Vertex
    column: int
    row: int
    x: int
    y: int


@dataclass(frozen=True, slots=True)
class Arrow:
    """One association as a path; `is_back` when it leads against the columns, as one edge of every cycle does."""

    edge: Edge
    path: str
    is_back: bool


@dataclass(frozen=True, slots=True)
class Drawing:
    """The whole picture; `left_out` vertices are further from the version than those drawn."""

    width: int
    height: int
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    left_out: int = 0


def drawn(graph: LineageGraph, most: int = MOST_DRAWN) -> Drawing:
    """Return a picture of a graph, of the vertices nearest to the version when there are more than `most`."""
    nearest = sorted(graph.vertices, key=lambda one: (abs(one.step), one.arn))[: max(most, 1)]
    vertices = {vertex.arn: vertex for vertex in nearest}
    edges = [edge for edge in graph.edges if edge.source in vertices and edge.destination in vertices]
    if not vertices:
        return Drawing(2 * MARGIN, 2 * MARGIN, (), ())
    columns = _columns(list(vertices), edges)
    rows = _rows(columns, edges)
    tallest = max(len(row) for row in rows)
    boxes: dict[str, Box] = {}
    for column, arns in enumerate(rows):
        # A short column stands in the middle of the tallest.
        above = (tallest - len(arns)) * (BOX_HEIGHT + GAP_Y) // 2
        for row, arn in enumerate(arns):
            boxes[arn] = Box(
                vertices[arn],
                column,
                row,
                MARGIN + column * (BOX_WIDTH + GAP_X),
                MARGIN + above + row * (BOX_HEIGHT + GAP_Y),
            )
    return Drawing(
        width=2 * MARGIN + len(rows) * BOX_WIDTH + (len(rows) - 1) * GAP_X,
        height=2 * MARGIN + tallest * BOX_HEIGHT + (tallest - 1) * GAP_Y,
        boxes=tuple(box for arns in rows for arn in arns for box in (boxes[arn],)),
        arrows=tuple(_arrow(edge, boxes[edge.source], boxes[edge.destination]) for edge in edges),
        left_out=len(graph.vertices) - len(nearest),
    )


def _columns(arns: Sequence[str], edges: Iterable[Edge]) -> dict[str, int]:
    """Return each vertex's column: right of all that led to it, and beside the first of what it led to."""
    forth: dict[str, list[str]] = defaultdict(list)
    for edge in edges:
        if edge.source != edge.destination:
            forth[edge.source].append(edge.destination)
    order = _in_order(arns, forth)
    place = {arn: number for number, arn in enumerate(order)}
    ahead = {arn: [other for other in forth[arn] if place[other] > place[arn]] for arn in order}
    columns = dict.fromkeys(order, 0)
    for arn in order:
        for other in ahead[arn]:
            columns[other] = max(columns[other], columns[arn] + 1)
    for arn in reversed(order):
        if ahead[arn]:
            columns[arn] = min(columns[other] for other in ahead[arn]) - 1
    used = {column: number for number, column in enumerate(sorted(set(columns.values())))}
    return {arn: used[column] for arn, column in columns.items()}


def _in_order(arns: Sequence[str], forth: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the vertices so that edges lead onwards, all but those that close a cycle; without recursion."""
    done: list[str] = []
    seen: set[str] = set()
    for root in sorted(arns):
        if root in seen:
            continue
        seen.add(root)
        path = [(root, iter(sorted(set(forth[root]))))]
        while path:
            arn, following = path[-1]
            step = next((other for other in following if other not in seen), None)
            if step is None:
                done.append(arn)
                path.pop()
            else:
                seen.add(step)
                path.append((step, iter(sorted(set(forth[step])))))
    return done[::-1]


def _rows(columns: Mapping[str, int], edges: Iterable[Edge]) -> list[list[str]]:
    """Return the columns with their vertices in an order that has few arrows cross: each near those it is joined to."""
    beside: dict[str, list[str]] = defaultdict(list)
    for edge in edges:
        beside[edge.source].append(edge.destination)
        beside[edge.destination].append(edge.source)
    found: list[list[str]] = [[] for _ in range(max(columns.values()) + 1)]
    for arn in sorted(columns):
        found[columns[arn]].append(arn)
    for sweep in range(_SWEEPS):
        heights = {arn: row - len(arns) / 2 for arns in found for row, arn in enumerate(arns)}
        places = deque(range(len(found))) if sweep % 2 == 0 else deque(reversed(range(len(found))))
        for column in places:
            arns = found[column]
            middle = {
                arn: sum(heights[other] for other in beside[arn]) / len(beside[arn]) if beside[arn] else heights[arn]
                for arn in arns
            }
            arns.sort(key=lambda arn: (middle[arn], arn))
            heights |= {arn: row - len(arns) / 2 for row, arn in enumerate(arns)}
    return found


def _arrow(edge: Edge, source: Box, destination: Box) -> Arrow:
    middle = BOX_HEIGHT // 2
    if source.column < destination.column:
        x1, y1 = source.x + BOX_WIDTH, source.y + middle
        x2, y2 = destination.x, destination.y + middle
        bend = max((x2 - x1) // 2, GAP_X // 2)
        return Arrow(edge, f"M{x1} {y1}C{x1 + bend} {y1} {x2 - bend} {y2} {x2} {y2}", False)
    # Back, or to its own column: out on the right, round, and in on the right again.
    x1, y1 = source.x + BOX_WIDTH, source.y + middle + 8
    x2, y2 = destination.x + BOX_WIDTH, destination.y + middle - 8
    out = max(x1, x2) + GAP_X // 2
    return Arrow(edge, f"M{x1} {y1}C{out} {y1} {out} {y2} {x2} {y2}", True)
