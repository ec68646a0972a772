"""What SageMaker's lineage says of a version, as pages and the API show it: the graph, what it proves, its links."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from portal.core.actors import Actor
from portal.core.vocabulary import Provenance
from registry.lineage.graph import LineageGraph
from registry.models import ModelVersion, VersionLineage
from registry.services import lineage

from .gathered import readings_of
from .lineage_links import urls_of
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
            # How a job ran, and with which licence, is told where its training is.
            if kind not in (Provenance.NETWORK_ISOLATION, Provenance.LICENCE_ACCEPTED)
        ),
        urls=urls_of(actor, version, graph) if graph else {},
    )


def export(version: ModelVersion) -> dict[str, Any]:
    """Return the graph as it is downloaded."""
    return lineage.as_export(version, lineage.of_version(version))
