"""Lineage graphs for tests: short to write."""

from __future__ import annotations

from typing import Any

from registry.lineage.graph import Edge, LineageGraph, Vertex, steps

ARN = "arn:aws:sagemaker:us-east-1:111111111111"
PACKAGE = f"{ARN}:model-package/credit-risk/7"
START = f"{ARN}:artifact/start"


def vertex(key: str, of: str = "DataSet", kind: str = "Artifact", **more: Any) -> Vertex:
    """One vertex; `key` becomes its ARN's end."""
    return Vertex(f"{ARN}:{kind.lower()}/{key}", kind, of, described=True, **more)


def graph(*edges: tuple[str, str], vertices: tuple[Vertex, ...] = ()) -> LineageGraph:
    """A graph around an artifact named `start`, of edges between names; what is not among the vertices is a data set."""
    joined = tuple(Edge(f"{ARN}:artifact/{a}", f"{ARN}:artifact/{b}", "ContributedTo") for a, b in edges)
    known = {one.arn: one for one in vertices}
    arns = dict.fromkeys([START, *(arn for edge in joined for arn in (edge.source, edge.destination)), *known])
    far = steps([START], joined)
    found = []
    for arn in arns:
        made = known.get(arn) or Vertex(arn, "Artifact", "ModelPackage" if arn == START else "DataSet")
        found.append(made if made.step else Vertex(**{**_fields(made), "step": far.get(arn, 0)}))
    return LineageGraph((START,), tuple(found), joined)


def _fields(made: Vertex) -> dict[str, Any]:
    return {name: getattr(made, name) for name in Vertex.__dataclass_fields__}
