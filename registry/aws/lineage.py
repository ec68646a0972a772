"""Read the lineage around a version: its artifact, what led to it and what came of it, within bounds that are told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from registry.aws.errors import AwsError, AwsNotFound, AwsThrottled, AwsUnavailable, translated
from registry.aws.session import AwsSession, pages
from registry.aws.values import plain_text, utc
from registry.lineage.graph import Edge, LineageGraph, Vertex, steps

# What AWS allows at most, of a query and of a page.
MAX_DEPTH, PAGE_SIZE = 10, 50
MAX_VERTICES, MAX_DESCRIBED, MAX_STARTS, MAX_EDGES = 500, 100, 3, 3000
# As much of an entity's own words as SageMaker allows.
_MOST_PROPERTIES, _LONGEST_PROPERTY = 50, 2560
_NOT_OFFERED = frozenset({"UnknownOperationException", "UnknownOperation", "InvalidAction"})
_LONGEST = 2048
_MOST_WORDS = 10


def is_not_offered(error: AwsError) -> bool:
    """Whether an error says that SageMaker keeps no lineage in the session's region."""
    return error.operation == "ListArtifacts" and error.code in _NOT_OFFERED


def artifacts_of(session: AwsSession, source_uri: str, most: int = MAX_STARTS) -> list[str]:
    """Return the ARNs of the newest artifacts made of a source, such as a version's ARN; none when there are none.

    Raises AwsError; ask `is_not_offered` about it. Source: ListArtifacts.
    """
    request = {"SourceUri": source_uri, "SortBy": "CreationTime", "SortOrder": "Descending", "MaxResults": most}
    with translated(session, "sagemaker", "ListArtifacts"):
        answer = session.sagemaker.list_artifacts(**request)  # type: ignore[arg-type]
    found = (plain_text(one.get("ArtifactArn")) for one in answer.get("ArtifactSummaries") or ())
    return [arn for arn in found if arn]


def read(
    session: AwsSession, arn: str, *, max_vertices: int = MAX_VERTICES, max_described: int = MAX_DESCRIBED
) -> LineageGraph | None:
    """Return the graph around a version by its ARN; None when SageMaker has no artifact for it.

    At most ten associations away, `max_vertices` entities and `max_described` of them, the nearest, in detail; the
    graph says what was cut, and which of them may not be described. The same answer in another order is the same
    graph. Raises AwsError. Source: ListArtifacts, QueryLineage, DescribeArtifact, DescribeAction,
    DescribeContext.
    """
    starts = artifacts_of(session, arn)
    if not starts:
        return None
    vertices: dict[str, Vertex] = {}
    edges: dict[tuple[str, str], Edge] = {}
    cut: list[str] = []
    for start in starts:
        for direction in ("Ascendants", "Descendants"):
            if not _walk(session, start, direction, vertices, edges, max_vertices):
                cut.append(f"There are more than {max_vertices} entities; the rest is left out.")
    known = _bounded(vertices, edges, cut)
    far = steps(starts, known)
    if any(abs(step) >= MAX_DEPTH for step in far.values()):
        cut.append(f"SageMaker tells no more than {MAX_DEPTH} steps away; there may be more behind them.")
    ordered = sorted(vertices.values(), key=lambda one: (abs(far.get(one.arn, MAX_DEPTH)), one.arn))
    if len(ordered) > max_described:
        cut.append(f"Only the nearest {max_described} entities are read in detail.")
    told = [
        *(_described(session, vertex, far.get(vertex.arn, 0), cut) for vertex in ordered[:max_described]),
        *(_placed(vertex, far.get(vertex.arn, 0)) for vertex in ordered[max_described:]),
    ]
    return LineageGraph(tuple(sorted(starts)), tuple(told), tuple(known), tuple(dict.fromkeys(cut))[:_MOST_WORDS])


def _bounded(vertices: Mapping[str, Vertex], edges: Mapping[tuple[str, str], Edge], cut: list[str]) -> list[Edge]:
    """Return the associations between the entities that are known, in one order; what is left out joins `cut`."""
    known = [edges[key] for key in sorted(edges) if vertices.keys() >= set(key)]
    if len(known) < len(edges) and not cut:
        words = "association leads" if len(edges) - len(known) == 1 else "associations lead"
        cut.append(f"{len(edges) - len(known)} {words} to or from what SageMaker does not tell of.")
    if len(known) > MAX_EDGES:
        cut.append(f"There are more than {MAX_EDGES} associations; the rest is left out.")
    return known[:MAX_EDGES]


def _walk(
    session: AwsSession,
    start: str,
    direction: str,
    vertices: dict[str, Vertex],
    edges: dict[tuple[str, str], Edge],
    most: int,
) -> bool:
    """Take in what a query finds, page by page; return whether that was all of it."""
    vertices.setdefault(start, Vertex(start, "Artifact", "ModelPackage"))
    request = {
        "StartArns": [start],
        "Direction": direction,
        "IncludeEdges": True,
        "MaxDepth": MAX_DEPTH,
        "MaxResults": PAGE_SIZE,
    }
    for page in pages(session, "sagemaker", "QueryLineage", session.sagemaker.query_lineage, request):
        for edge in _edges(page):
            if len(edges) <= 2 * MAX_EDGES:
                edges.setdefault((edge.source, edge.destination), edge)
        for vertex in _vertices(page):
            if vertex.arn not in vertices and len(vertices) >= most:
                return False
            vertices.setdefault(vertex.arn, vertex)
    return True


def _vertices(page: Mapping[str, Any]) -> Iterator[Vertex]:
    for one in page.get("Vertices") or ():
        arn = plain_text(one.get("Arn"))
        if arn:
            yield Vertex(arn, plain_text(one.get("LineageType")), plain_text(one.get("Type")))


def _edges(page: Mapping[str, Any]) -> Iterator[Edge]:
    for one in page.get("Edges") or ():
        source, destination = plain_text(one.get("SourceArn")), plain_text(one.get("DestinationArn"))
        if source and destination and source != destination:
            yield Edge(source, destination, plain_text(one.get("AssociationType")))


def _described(session: AwsSession, vertex: Vertex, step: int, cut: list[str]) -> Vertex:
    """Return a vertex with what describing it says; one that is gone meanwhile stays as the query named it.

    So does one that may not be described, which joins `cut`: the graph is worth having without.
    """
    name = _name(vertex.arn)
    try:
        if vertex.kind == "Artifact":
            with translated(session, "sagemaker", "DescribeArtifact"):
                return _told(vertex, step, session.sagemaker.describe_artifact(ArtifactArn=vertex.arn))
        if vertex.kind == "Action":
            with translated(session, "sagemaker", "DescribeAction"):
                return _told(vertex, step, session.sagemaker.describe_action(ActionName=name))
        if vertex.kind == "Context":
            with translated(session, "sagemaker", "DescribeContext"):
                return _told(vertex, step, session.sagemaker.describe_context(ContextName=name))
    except AwsNotFound:
        return _placed(vertex, step)
    except (AwsThrottled, AwsUnavailable):
        raise
    except AwsError as failure:
        cut.append(f"What is said of some of it could not be read. {failure}")
    return _placed(vertex, step)


def _name(arn: str) -> str:
    return arn.rsplit("/", 1)[-1]


def _placed(vertex: Vertex, step: int) -> Vertex:
    return Vertex(
        vertex.arn, vertex.kind, vertex.type, step, name=_name(vertex.arn) if vertex.kind != "Artifact" else ""
    )


def _told(vertex: Vertex, step: int, answer: Mapping[str, Any]) -> Vertex:
    source = answer.get("Source") or {}
    made = answer.get("MetadataProperties") or {}
    created = utc(answer.get("CreationTime"))
    return Vertex(
        arn=vertex.arn,
        kind=vertex.kind,
        type=plain_text(answer.get(f"{vertex.kind}Type")) or vertex.type,
        step=step,
        name=plain_text(answer.get(f"{vertex.kind}Name")),
        source_uri=plain_text(source.get("SourceUri"))[:_LONGEST],
        status=plain_text(answer.get("Status")),
        commit=plain_text(made.get("CommitId")),
        repository=plain_text(made.get("Repository")),
        generated_by=plain_text(made.get("GeneratedBy")),
        created_at=created.isoformat() if created else "",
        described=True,
        properties={
            plain_text(key): plain_text(value)[:_LONGEST_PROPERTY]
            for key, value in sorted((answer.get("Properties") or {}).items())[:_MOST_PROPERTIES]
        },
    )
