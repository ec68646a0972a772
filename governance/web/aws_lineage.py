"""SageMaker's lineage of a version: drawn on the server, told as a table, and given out as JSON."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.views.generic import View

from portal.core.downloads import attachment
from portal.core.figures import Cell, Grid
from portal.core.templatetags.palette import plain_words
from portal.core.views import SignedIn
from registry.lineage.graph import LineageGraph, Vertex, What
from registry.lineage.layout import BOX_HEIGHT, BOX_WIDTH, drawn
from registry.models import ModelVersion
from registry.selectors import catalogue

from ..policies.engine import provenance_words
from ..selectors.aws_lineage import AwsLineage, Proof, aws_lineage, export
from .panels import OfSubject

_TONES = {
    What.DATA_SET: "busy",
    What.PROCESSING_JOB: "live",
    What.TRAINING_JOB: "live",
    What.TRANSFORM_JOB: "live",
    What.PIPELINE: "live",
    What.EXECUTION: "live",
    What.MODEL: "good",
    What.PACKAGE: "good",
    What.APPROVAL: "wait",
    What.DEPLOYMENT: "warn",
    What.ENDPOINT: "warn",
}
# What a box has room for.
_ROOM = 22
# So many references of one proof stand on the page; the download has all of them.
_NAMED = 5
_HOW = {
    "ContributedTo": "contributed to",
    "AssociatedWith": "is associated with",
    "DerivedFrom": "was derived from",
    "Produced": "produced",
    "SameAs": "is the same as",
}


class VersionAwsLineage(OfSubject):
    template_name = "governance/version_aws_lineage.html"
    part = "Lineage in SageMaker"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        version = self.subject
        assert isinstance(version, ModelVersion)
        found = aws_lineage(self.actor, version)
        graph = found.graph
        return super().get_context_data(
            row=found.row,
            account=version.group.account,
            region=version.group.region,
            picture=_picture(found) if graph and graph.vertices else None,
            grid=_grid(graph, found.urls) if graph else None,
            alone=[_cell(one, found.urls) for one in _alone(graph)] if graph else [],
            cut=graph.cut if graph else (),
            proofs=[_proof(one) for one in found.proofs],
            words=f"What SageMaker says led to {version.name}, and what came of it.",
            **kwargs,
        )


class VersionAwsLineageFile(SignedIn, View):
    """The whole graph as a file."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        version = catalogue.version(self.actor, kwargs["pk"])
        content = json.dumps(export(version), indent=2, ensure_ascii=False).encode()
        name = f"lineage-{version.group.name}-{version.number}.json"
        return attachment(BytesIO(content), filename=name, content_type="application/json", size=len(content))


def _picture(found: AwsLineage) -> dict[str, Any]:
    assert found.graph is not None
    picture = drawn(found.graph)
    names = {box.vertex.arn: box.vertex for box in picture.boxes}
    return {
        "width": picture.width,
        "height": picture.height,
        "box_width": BOX_WIDTH,
        "box_height": BOX_HEIGHT,
        "left_out": picture.left_out,
        "drawn": len(picture.boxes),
        "boxes": [
            {
                "x": box.x,
                "y": box.y,
                "tone": _TONES.get(box.vertex.what, "mute"),
                "kind": _kind(box.vertex),
                "name": _short(box.vertex.label),
                "whole": _whole(box.vertex),
                "url": found.urls.get(box.vertex.arn, ""),
                "here": box.vertex.arn in found.graph.starts,
            }
            for box in picture.boxes
        ],
        "arrows": [
            {
                "path": arrow.path,
                "is_back": arrow.is_back,
                "words": " ".join(
                    (names[arrow.edge.source].label, _how(arrow.edge.type), names[arrow.edge.destination].label)
                ),
            }
            for arrow in picture.arrows
        ],
    }


def _grid(graph: LineageGraph, urls: Any) -> Grid:
    known = {one.arn: one for one in graph.vertices}
    ordered = sorted(graph.edges, key=lambda one: (known[one.source].step, one.source, one.destination))
    return Grid(
        ("From", "How", "To"),
        tuple(
            (_cell(known[one.source], urls), Cell(_how(one.type)), _cell(known[one.destination], urls))
            for one in ordered
        ),
    )


def _alone(graph: LineageGraph) -> list[Vertex]:
    joined = {end for edge in graph.edges for end in (edge.source, edge.destination)}
    return [one for one in graph.vertices if one.arn not in joined]


def _cell(vertex: Vertex, urls: Any) -> Cell:
    status = f", {plain_words(vertex.status).lower()}" if vertex.status else ""
    where = f" ({vertex.source_uri})" if vertex.source_uri and vertex.source_uri != vertex.label else ""
    return Cell(f"{_kind(vertex)}: {vertex.label}{status}{where}", urls.get(vertex.arn, ""))


def _kind(vertex: Vertex) -> str:
    return vertex.type or vertex.kind or "Unknown" if vertex.what is What.OTHER else vertex.what.value


def _how(kind: str) -> str:
    return _HOW.get(kind, "led to")


def _whole(vertex: Vertex) -> str:
    return f"{_kind(vertex)}: {vertex.label}. {vertex.reference}"


def _short(text: str) -> str:
    return text if len(text) <= _ROOM else f"{text[: _ROOM - 8]}…{text[-7:]}"


def _proof(proof: Proof) -> dict[str, Any]:
    return {
        "label": provenance_words(proof.kind),
        "is_known": proof.is_known,
        "references": proof.references[:_NAMED],
        "more": max(len(proof.references) - _NAMED, 0),
    }
