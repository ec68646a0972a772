"""What SageMaker's lineage says of a version, as pages and the API show it: the graph, what it proves, its links."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.http import urlencode

from portal.core.actors import Actor
from portal.core.vocabulary import Provenance
from registry.lineage.graph import LineageGraph, Vertex, What
from registry.models import ModelGroup, ModelVersion, VersionLineage
from registry.services import lineage

from .gathered import readings_of
from .provenance import Provenances, provenance_of


@dataclass(frozen=True)
class Proof:
    """One thing that may be known of a version: the references that prove it, each with who says so."""

    kind: Provenance
    references: tuple[tuple[str, str], ...]

    @property
    def is_known(self) -> bool:
        return bool(self.references)


@dataclass(frozen=True)
class AwsLineage:
    """The graph as it was read last, None where there is none; `row` is None while nobody looked."""

    row: VersionLineage | None
    graph: LineageGraph | None
    proofs: tuple[Proof, ...]
    urls: Mapping[str, str]


def aws_lineage(actor: Actor, version: ModelVersion) -> AwsLineage:
    """Return what is known of where a version comes from; a fixed number of queries. The caller may see the version."""
    row = lineage.of_version(version)
    graph = row.lineage if row else None
    found: dict[Provenance, dict[str, str]] = {}
    reading = readings_of([version]).get(version.pk)
    for fact in provenance_of(Provenances().of(version), reading):
        found.setdefault(fact.kind, {}).setdefault(fact.reference, fact.source)
    return AwsLineage(
        row=row,
        graph=graph,
        proofs=tuple(
            Proof(kind, tuple(found.get(kind, {}).items()))
            for kind in Provenance
            # How a job ran is told where its training is.
            if kind is not Provenance.NETWORK_ISOLATION
        ),
        urls=_urls(actor, graph) if graph else {},
    )


def export(version: ModelVersion) -> dict[str, Any]:
    """Return the graph as it is downloaded."""
    return lineage.as_export(version, lineage.of_version(version))


def _urls(actor: Actor, graph: LineageGraph) -> dict[str, str]:
    """Return the portal's own pages of the vertices it knows, by the vertex's ARN; only what the actor may see."""
    packages, groups = _sources(graph, What.PACKAGE), _sources(graph, What.GROUP)
    pages: dict[str, str] = {}
    if packages:
        rows = ModelVersion.objects.visible_to(actor).filter(arn__in=packages).order_by("aws_created_at")
        pages |= {arn: reverse("registry:version", args=[pk]) for arn, pk in rows.values_list("arn", "pk")}
    if groups:
        found = ModelGroup.objects.visible_to(actor).filter(arn__in=groups)
        pages |= {arn: reverse("registry:group", args=[pk]) for arn, pk in found.values_list("arn", "pk")}
    urls = {one.arn: pages[one.source_uri] for one in graph.vertices if one.source_uri in pages}
    for one in graph.vertices:
        if one.what is What.ENDPOINT:
            urls[one.arn] = f"{reverse('governance:endpoint_list')}?{urlencode({'q': endpoint_name(one)})}"
    return urls


def endpoint_name(vertex: Vertex) -> str:
    """Return the name of the endpoint a vertex stands for."""
    return vertex.source_uri.rsplit("/", 1)[-1] if ":endpoint/" in vertex.source_uri else vertex.label


def _sources(graph: LineageGraph, what: What) -> list[str]:
    return [one.source_uri for one in graph.vertices if one.what is what and one.source_uri]
