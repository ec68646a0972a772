"""Where a version comes from, over the API: the portal's own graph, and SageMaker's with what it proves."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from portal.core.actors import Actor
from portal.core.serializers import Output, word
from portal.core.vocabulary import Provenance
from registry.lineage.graph import What
from registry.models import ModelVersion

from ..selectors import lineage
from ..selectors.aws_lineage import aws_lineage


class NodeOutput(Output):
    """One thing; `unknown`: nobody reported it."""

    id = serializers.CharField()
    kind = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # a field of that name
    path = serializers.CharField(source="url", help_text="Its page, below the portal's own address; often empty.")
    unknown = serializers.BooleanField()
    here = serializers.BooleanField(help_text="Whether it is the version itself.")


class EdgeOutput(Output):
    """How one thing led to another."""

    source = serializers.CharField()  # type: ignore[assignment]  # a field of that name
    target = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # a field of that name
    unknown = serializers.BooleanField()


class LineageVertexOutput(Output):
    """One entity of SageMaker's lineage; what only describing it says is empty where it was not described."""

    arn = serializers.CharField()
    kind = serializers.CharField(help_text="Artifact, Action, Context or TrialComponent.")
    type = serializers.CharField(help_text="What its maker called it, such as DataSet.")
    what = serializers.ChoiceField(choices=[(what.value, what.value) for what in What])
    step = serializers.IntegerField(help_text="Associations between it and the version; below zero: it came before.")
    name = serializers.CharField()
    source_uri = serializers.CharField()
    status = serializers.CharField()
    commit = serializers.CharField()
    repository = serializers.CharField()
    generated_by = serializers.CharField()
    created_at = serializers.CharField()
    described = serializers.BooleanField()
    properties = serializers.DictField(child=serializers.CharField())
    path = serializers.CharField(help_text="Its page, below the portal's own address; often empty.")


class LineageEdgeOutput(Output):
    """One association."""

    source = serializers.CharField()  # type: ignore[assignment]  # a field of that name
    destination = serializers.CharField()
    type = serializers.CharField(help_text="Such as ContributedTo.")


class ProofOutput(Output):
    """One reference that proves where a version comes from."""

    provenance = word(Provenance)
    reference = serializers.CharField()
    source = serializers.CharField(help_text="Who says so.")  # type: ignore[assignment]  # a field of that name


class SageMakerLineageOutput(Output):
    """SageMaker's lineage as it was read last."""

    read_at = serializers.DateTimeField(allow_null=True, help_text="null: not read yet.")
    tried_at = serializers.DateTimeField(allow_null=True)
    missing_since = serializers.DateTimeField(allow_null=True, help_text="Since when SageMaker has it no longer.")
    problem = serializers.CharField(help_text="Why it could not be read last; empty: it could.")
    found = serializers.BooleanField(help_text="Whether there is a graph.")
    cut = serializers.ListField(child=serializers.CharField(), help_text="What was left out, in words.")
    vertices = LineageVertexOutput(many=True)
    edges = LineageEdgeOutput(many=True)
    known = ProofOutput(many=True, help_text="What policies ask for, by this graph, the version and its MLflow run.")


class LineageOutput(Output):
    """What a version was made of, and what became of it; nothing is guessed."""

    nodes = NodeOutput(many=True)
    edges = EdgeOutput(many=True)
    sagemaker = SageMakerLineageOutput()


def lineage_of(actor: Actor, version: ModelVersion) -> dict[str, Any]:
    """Return both graphs as they are shown."""
    own = lineage.lineage(actor, version)
    return {"nodes": list(own.nodes.values()), "edges": own.edges, "sagemaker": _sagemaker(actor, version)}


def _sagemaker(actor: Actor, version: ModelVersion) -> dict[str, Any]:
    found = aws_lineage(actor, version)
    row, graph = found.row, found.graph
    vertices = graph.as_json()["vertices"] if graph else []
    return {
        "read_at": row.read_at if row else None,
        "tried_at": row.tried_at if row else None,
        "missing_since": row.missing_since if row else None,
        "problem": row.problem if row else "",
        "found": graph is not None,
        "cut": list(graph.cut) if graph else [],
        "vertices": [
            {**told, "what": one.what.value, "path": found.urls.get(one.arn, "")}
            for told, one in zip(vertices, graph.vertices if graph else (), strict=True)
        ],
        "edges": graph.as_json()["edges"] if graph else [],
        "known": [
            {"provenance": proof.kind.value, "reference": reference, "source": source}
            for proof in found.proofs
            for reference, source in proof.references
        ],
    }
