"""The portal's own pages of what a lineage names: versions, groups, training jobs, pipeline runs, endpoints."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.db.models import Case, IntegerField, Q, QuerySet, Value, When
from django.urls import reverse
from django.utils.http import urlencode

from portal.core.actors import Actor
from registry.lineage.graph import LineageGraph, Vertex, What
from registry.models import Endpoint, ModelGroup, ModelVersion, PipelineRegistration, TrainingProvenance


def urls_of(actor: Actor, version: ModelVersion, graph: LineageGraph) -> Mapping[str, str]:
    """Return the pages of the vertices the portal knows, by the vertex's ARN; only what the actor may see.

    At most one query for each kind of thing there is. A job or run that made several versions leads to this one.
    """
    of: dict[What, list[Vertex]] = {}
    for vertex in graph.vertices:
        of.setdefault(vertex.what, []).append(vertex)
    return {
        **dict(_versions(actor, of.get(What.PACKAGE, ()))),
        **dict(_groups(actor, of.get(What.GROUP, ()))),
        **dict(_jobs(actor, version, of.get(What.TRAINING_JOB, ()))),
        **dict(_runs(actor, version, of.get(What.EXECUTION, ()), of.get(What.PIPELINE, ()))),
        **dict(_endpoints(actor, of.get(What.ENDPOINT, ()))),
    }


def endpoint_name(vertex: Vertex) -> str:
    """Return the name of the endpoint a vertex stands for."""
    return vertex.source_uri.rsplit("/", 1)[-1] if ":endpoint/" in vertex.source_uri else vertex.label


def _versions(actor: Actor, vertices: Iterable[Vertex]) -> Iterator[tuple[str, str]]:
    if arns := _sources(vertices):
        rows = ModelVersion.objects.visible_to(actor).filter(arn__in=arns).order_by("aws_created_at")
        yield from _by_source(vertices, dict(rows.values_list("arn", "pk")), "registry:version")


def _groups(actor: Actor, vertices: Iterable[Vertex]) -> Iterator[tuple[str, str]]:
    if arns := _sources(vertices):
        rows = ModelGroup.objects.visible_to(actor).filter(arn__in=arns)
        yield from _by_source(vertices, dict(rows.values_list("arn", "pk")), "registry:group")


def _jobs(actor: Actor, version: ModelVersion, vertices: Iterable[Vertex]) -> Iterator[tuple[str, str]]:
    # SageMaker names the component it makes of a job after the job, in small letters.
    named = {vertex.arn: _job_key(vertex) for vertex in vertices}
    if not named:
        return
    # This version's own job is known by its name alone: what tells of it may be kept in another account's lineage.
    asked = Q(version=version)
    for account, region, name in set(named.values()):
        asked |= Q(account_id_copy=account, region=region, job_name__iexact=name)
    rows = TrainingProvenance.objects.visible_to(actor).filter(asked)
    known: dict[tuple[str, str, str], int] = {}
    own = ""
    told = _this_last(rows, version).values_list("account_id_copy", "region", "job_name", "version")
    for account, region, name, pk in told:
        known[account, region, name.lower()] = pk
        own = name.lower() if pk == version.pk else own
    for arn, key in named.items():
        page = version.pk if own and key[2] == own else known.get(key)
        if page is not None:
            yield arn, reverse("registry:version_training", args=[page])


def _job_key(vertex: Vertex) -> tuple[str, str, str]:
    arn = vertex.source_uri if ":training-job/" in vertex.source_uri else vertex.arn
    parts = arn.split(":")
    name = arn.rsplit("/", 1)[-1] if arn is vertex.source_uri else vertex.label
    return (parts[4], parts[3], name.lower()) if len(parts) > 5 else ("", "", name.lower())


def _runs(
    actor: Actor, version: ModelVersion, executions: Iterable[Vertex], pipelines: Iterable[Vertex]
) -> Iterator[tuple[str, str]]:
    of_pipelines = {vertex.arn: f"{vertex.source_uri}/execution/" for vertex in pipelines if vertex.source_uri}
    arns = _sources(executions)
    if not arns and not of_pipelines:
        return
    asked = Q(execution__arn__in=arns)
    if of_pipelines:
        asked |= Q(version=version)
    rows = PipelineRegistration.objects.visible_to(actor).filter(asked)
    made = dict(_this_last(rows, version).values_list("execution__arn", "version"))
    yield from _by_source(executions, made, "registry:version_pipeline")
    for arn, beginning in of_pipelines.items():
        # The pipeline itself has no page: what it did for this version has.
        if any(run.startswith(beginning) and pk == version.pk for run, pk in made.items()):
            yield arn, reverse("registry:version_pipeline", args=[version.pk])


def _endpoints(actor: Actor, vertices: Iterable[Vertex]) -> Iterator[tuple[str, str]]:
    arns = _sources(vertices)
    rows = Endpoint.objects.visible_to(actor).filter(arn__in=arns) if arns else Endpoint.objects.none()
    known = dict(rows.values_list("arn", "pk"))
    for vertex in vertices:
        if vertex.source_uri in known:
            yield vertex.arn, reverse("governance:endpoint", args=[known[vertex.source_uri]])
        else:
            yield vertex.arn, f"{reverse('governance:endpoint_list')}?{urlencode({'q': endpoint_name(vertex)})}"


def _this_last(rows: QuerySet[Any], version: ModelVersion) -> QuerySet[Any]:
    """Order rows so that this version's is what a mapping keeps, and else the newest version's."""
    is_this = Case(When(version=version, then=Value(1)), default=Value(0), output_field=IntegerField())
    return rows.order_by(is_this, "version")


def _sources(vertices: Iterable[Vertex]) -> list[str]:
    return [vertex.source_uri for vertex in vertices if vertex.source_uri]


def _by_source(vertices: Iterable[Vertex], pks: Mapping[str, int], page: str) -> Iterator[tuple[str, str]]:
    for vertex in vertices:
        if vertex.source_uri in pks:
            yield vertex.arn, reverse(page, args=[pks[vertex.source_uri]])
