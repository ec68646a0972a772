"""The lineage graph of a version, with the same as a table of what led to what."""

from __future__ import annotations

from typing import Any

from portal.core.figures import Cell, Grid
from registry.models import ModelVersion

from ..selectors.lineage import Graph, Node, edges_in_words, lineage
from .panels import OfSubject


class VersionLineage(OfSubject):
    template_name = "governance/version_lineage.html"
    part = "Lineage"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        version = self.subject
        assert isinstance(version, ModelVersion)
        graph = lineage(self.actor, version)
        return super().get_context_data(
            spec=_spec(graph),
            grid=_grid(graph),
            unknown=[node for node in graph.nodes.values() if node.unknown],
            words=f"What {version.name} was made of, and what became of it.",
            **kwargs,
        )


def _spec(graph: Graph) -> dict[str, Any]:
    return {
        "nodes": [
            {
                "id": node.id,
                "kind": node.kind,
                "label": node.label,
                "tone": node.tone,
                "url": node.url,
                "unknown": node.unknown,
                "here": node.here,
            }
            for node in graph.nodes.values()
        ],
        "edges": [
            {"source": edge.source, "target": edge.target, "label": edge.label, "unknown": edge.unknown}
            for edge in graph.edges
        ],
    }


def _grid(graph: Graph) -> Grid:
    rows = tuple((_cell(source), Cell(edge.label), _cell(target)) for source, edge, target in edges_in_words(graph))
    return Grid(("From", "How", "To"), rows)


def _cell(node: Node) -> Cell:
    return Cell(f"{node.kind}: {node.label}", node.url)
