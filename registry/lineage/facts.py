"""What a lineage proves: which jobs, data sets, code and pipelines are known to have led to a version. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from portal.core.vocabulary import Provenance

from .graph import LineageGraph, Vertex, What

# So many references of one kind are named; a data set of a thousand files is known by the first of them.
MOST_REFERENCES = 20
_LONGEST = 1024
_WHATS = {
    Provenance.TRAINING_JOB: What.TRAINING_JOB,
    Provenance.DATA_SET: What.DATA_SET,
    Provenance.PROCESSING_JOB: What.PROCESSING_JOB,
    Provenance.PIPELINE_EXECUTION: What.EXECUTION,
    Provenance.ENDPOINT: What.ENDPOINT,
}
# How those who make artifacts name the commit among an entity's properties.
_COMMITS = ("commitid", "commit", "gitcommit", "gitcommitid", "commithash", "sourcecommit")
_OF_ARN = (
    (":training-job/", Provenance.TRAINING_JOB),
    (":processing-job/", Provenance.PROCESSING_JOB),
    ("/execution/", Provenance.PIPELINE_EXECUTION),
)

Facts = Mapping[Provenance, tuple[str, ...]]


def of_graph(graph: LineageGraph) -> dict[Provenance, tuple[str, ...]]:
    """Return what is known by a graph, with references to look it up by; what is not known is not there.

    Only what led to the version counts; an endpoint is what came after it.
    """
    found: dict[Provenance, list[str]] = {}
    for vertex in sorted(graph.vertices, key=lambda one: (abs(one.step), one.arn)):
        for kind, reference in _of_vertex(vertex):
            found.setdefault(kind, []).append(reference)
    return _bounded(found)


def of_description(described: Mapping[str, Any], training_job_arn: str = "") -> dict[Provenance, tuple[str, ...]]:
    """Return what the version's own description proves: DescribeModelPackage, MetadataProperties and its job."""
    found: dict[Provenance, list[str]] = {}
    told = described.get("MetadataProperties")
    told = told if isinstance(told, Mapping) else {}
    if training_job_arn:
        found.setdefault(Provenance.TRAINING_JOB, []).append(training_job_arn)
    for kind, reference in _of_words(_text(told.get("CommitId")), _text(told.get("GeneratedBy"))):
        found.setdefault(kind, []).append(reference)
    return _bounded(found)


def together(*several: Facts) -> dict[Provenance, tuple[str, ...]]:
    """Return what any of several sources prove, in their order."""
    found: dict[Provenance, list[str]] = {}
    for facts in several:
        for kind, references in facts.items():
            found.setdefault(kind, []).extend(references)
    return _bounded(found)


def as_json(facts: Facts) -> dict[str, list[str]]:
    """Return facts as they are kept."""
    return {kind.value: list(references) for kind, references in facts.items()}


def from_json(kept: Mapping[str, Iterable[str]]) -> dict[Provenance, tuple[str, ...]]:
    """Read kept facts."""
    return {Provenance(kind): tuple(references) for kind, references in kept.items()}


def _of_vertex(vertex: Vertex) -> Iterator[tuple[Provenance, str]]:
    came_before = vertex.step <= 0
    for kind, what in _WHATS.items():
        # A data set nobody can find again is not known.
        is_found = kind is not Provenance.DATA_SET or bool(vertex.source_uri)
        if vertex.what is what and is_found and came_before is not (kind is Provenance.ENDPOINT):
            yield kind, vertex.reference
    if came_before:
        named = {key.replace("_", "").replace("-", "").lower(): value for key, value in vertex.properties.items()}
        commit = vertex.commit or next((named[key] for key in _COMMITS if _text(named.get(key))), "")
        yield from _of_words(commit, vertex.generated_by)


def _of_words(commit: str, generated_by: str) -> Iterator[tuple[Provenance, str]]:
    if commit:
        yield Provenance.CODE_COMMIT, commit
    for part, kind in _OF_ARN:
        if generated_by.startswith("arn:") and part in generated_by:
            yield kind, generated_by
    # Who builds from git says so as repository@commit.
    head, _, tail = generated_by.rpartition("@")
    if head and 7 <= len(tail) <= 64 and all(letter in "0123456789abcdef" for letter in tail.lower()):
        yield Provenance.CODE_COMMIT, tail


def _bounded(found: Mapping[Provenance, Iterable[str]]) -> dict[Provenance, tuple[str, ...]]:
    return {
        kind: tuple(dict.fromkeys(reference[:_LONGEST] for reference in found[kind]))[:MOST_REFERENCES]
        for kind in Provenance
        if kind in found
    }


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""
