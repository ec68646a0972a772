"""Where a version comes from and what became of it, as a graph of what the portal knows: nothing is guessed.

What nobody told is a node that says so. The registry's own words are DescribeModelPackage's: training job, source and
artifact; which data a job read is what SageMaker says of the job, or else the model card, `training_details`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import Q
from django.urls import reverse

from portal.core.actors import Actor
from portal.core.templatetags import palette
from portal.core.templatetags.wording import split_identifier
from portal.core.vocabulary import EvidenceKind, Stage
from registry.choices import DeploymentState, LinkSource
from registry.models import ModelVersion, UseCase, VersionUseCase
from registry.selectors import training_view

from ..lifecycle import RequestState, Verb
from ..models import ApprovalRequest, StageEvent, StageRecord
from . import endpoints, evidence

# More of one kind than this are one node that says how many there are.
_MOST = 8


@dataclass(frozen=True)
class Node:
    """One thing: what kind it is, its name and its page; `unknown` when nobody reported it, `here` for the subject."""

    id: str
    kind: str
    label: str
    tone: str = "mute"
    url: str = ""
    unknown: bool = False
    here: bool = False


@dataclass(frozen=True)
class Edge:
    """How one thing led to another."""

    source: str
    target: str
    label: str
    unknown: bool = False


@dataclass
class Graph:
    """Nodes by id, and the edges between them."""

    nodes: dict[str, Node] = field(default_factory=dict)
    edges: list[Edge] = field(default_factory=list)

    def add(self, node: Node) -> str:
        """Add a node once; return its id."""
        self.nodes.setdefault(node.id, node)
        return node.id

    def join(self, source: str, target: str, label: str, *, unknown: bool = False) -> None:
        """Add an edge."""
        self.edges.append(Edge(source, target, label, unknown))


_HERE = "version"


def lineage(actor: Actor, version: ModelVersion) -> Graph:
    """Return the graph around a version the caller has found visible; a fixed number of queries."""
    graph = Graph()
    graph.add(
        Node(_HERE, "Model version", version.name, palette.look(version.status).tone, _version_url(version), here=True)
    )
    _origin(graph, version)
    _evidence(graph, version)
    _neighbours(graph, actor, version)
    _serves(graph, actor, version)
    _stages(graph, actor, version)
    return graph


def _origin(graph: Graph, version: ModelVersion) -> None:
    details = version.card_section("training_details")
    job = details.get("training_job_details")
    job = job if isinstance(job, dict) else {}
    trained = training_view.beside([version]).get(version.pk)
    arn = trained.job_arn if trained else version.training_job_arn or _text(job.get("training_arn"))
    page = reverse("registry:version_training", args=[version.pk]) if trained else ""
    graph.add(
        Node("job", "Training job", _short(arn), "busy", page)
        if arn
        else Node("job", "Training job", "not reported", unknown=True)
    )
    graph.join("job", _HERE, "trained", unknown=not arn)
    named = job.get("training_datasets")
    claimed = [text for item in named if (text := _text(item))] if isinstance(named, list) else []
    read = [uri for one in trained.inputs if (uri := _text(one.get("uri")))] if trained else []
    datasets, how = (read, "read by") if read else (claimed, "read by (card)")
    if not datasets:
        graph.add(Node("data", "Training data", "not reported", unknown=True))
        graph.join("data", "job", "read by", unknown=True)
    for index, dataset in enumerate(datasets[:_MOST]):
        graph.add(Node(f"data-{index}", "Training data", _short(dataset), "busy"))
        graph.join(f"data-{index}", "job", how)
    if len(datasets) > _MOST:
        graph.add(Node("data-more", "Training data", f"{len(datasets) - _MOST} more", "busy"))
        graph.join("data-more", "job", how)
    if version.source_uri:
        graph.add(Node("source", "Source", _short(version.source_uri), "busy"))
        graph.join("source", _HERE, "built from")
    if version.artifact_url:
        graph.add(Node("artifact", "Artifact", _short(version.artifact_url), "busy"))
        graph.join("artifact", _HERE, "packaged as")
    else:
        graph.add(Node("artifact", "Artifact", "not reported", unknown=True))
        graph.join("artifact", _HERE, "packaged as", unknown=True)
    if version.hub_artifact_url and version.hub_artifact_copied_at:
        graph.add(Node("copy", "Copy in the hub", _short(version.hub_artifact_url), "good"))
        graph.join(_HERE, "copy", "artifact copied to")
    registration = getattr(version, "registration", None)
    if registration is not None:
        url = reverse("governance:registration", args=[registration.number])
        graph.add(Node("registration", "Registration", registration.public_id, "mute", url))
        graph.join("registration", _HERE, "registered through the portal")


def _evidence(graph: Graph, version: ModelVersion) -> None:
    found = evidence.standing(version)
    for row in found[:_MOST]:
        url = reverse("governance:evidence", args=[row.pk])
        key = graph.add(Node(f"evidence-{row.pk}", EvidenceKind(row.kind).label, row.public_id, "live", url))
        graph.join(key, _HERE, "is evidence for")
    if len(found) > _MOST:
        key = graph.add(Node("evidence-more", "Evidence", f"{len(found) - _MOST} more", "live", _version_url(version)))
        graph.join(key, _HERE, "is evidence for")


def _neighbours(graph: Graph, actor: Actor, version: ModelVersion) -> None:
    siblings = ModelVersion.objects.visible_to(actor).filter(group=version.group_id).select_related("group")
    siblings = siblings.only("pk", "number", "status", "group__name", "group__project_id")
    before = siblings.filter(number__lt=version.number).order_by("-number", "-pk").first()
    after = siblings.filter(number__gt=version.number).order_by("number", "pk").first()
    if before is not None:
        graph.join(_sibling(graph, before), _HERE, "came before")
    if after is not None:
        graph.join(_HERE, _sibling(graph, after), "was followed by")
    # Superseding is one operation with what it made room for: both moves carry the same correlation.
    moves = StageEvent.objects.filter(version=version)
    replaced = moves.exclude(verb=Verb.SUPERSEDE).values("correlation")
    replaced_by = moves.filter(verb=Verb.SUPERSEDE).values("correlation")
    others = StageEvent.objects.filter(version__in=siblings.values("pk")).exclude(version=version)
    pairs = others.filter(
        Q(verb=Verb.SUPERSEDE, correlation__in=replaced)
        | Q(verb__in=[Verb.APPROVE, Verb.DEPLOY, Verb.ROLLBACK], correlation__in=replaced_by)
    ).values_list("version_id", "verb")
    found = {(pk, verb == Verb.SUPERSEDE) for pk, verb in pairs.order_by("pk")[: 4 * _MOST]}
    for sibling in siblings.filter(pk__in=[pk for pk, _ in found]).order_by("number"):
        key = _sibling(graph, sibling)
        if (sibling.pk, True) in found:
            graph.join(key, _HERE, "gave way to")
        else:
            graph.join(_HERE, key, "gave way to")


def _sibling(graph: Graph, version: ModelVersion) -> str:
    tone = palette.look(version.status).tone
    return graph.add(Node(f"version-{version.pk}", "Model version", version.name, tone, _version_url(version)))


def _serves(graph: Graph, actor: Actor, version: ModelVersion) -> None:
    url = reverse("registry:group", args=[version.group_id])
    graph.add(Node("group", "Model group", version.group.name, "mute", url))
    graph.join(_HERE, "group", "belongs to")
    seen = UseCase.objects.visible_to(actor)
    links = list(
        VersionUseCase.objects.filter(version=version, use_case__in=seen)
        .select_related("use_case")
        .order_by("use_case__number")
    )
    for link in links[:_MOST]:
        case = link.use_case
        page = reverse("registry:use_case", args=[case.number])
        tone = palette.look(case.risk_class, "risk").tone
        key = graph.add(Node(f"use-case-{case.pk}", "Use case", f"{case.public_id} {case.name[:40]}", tone, page))
        by_card = link.source == LinkSource.CARD
        graph.join(_HERE if by_card else "group", key, "serves (card)" if by_card else "serves")
    if len(links) > _MOST:
        key = graph.add(Node("use-case-more", "Use case", f"{len(links) - _MOST} more", "mute", _version_url(version)))
        graph.join("group", key, "serves")
    if not links:
        graph.add(Node("use-case", "Use case", "none is linked", unknown=True))
        graph.join("group", "use-case", "serves", unknown=True)


def _stages(graph: Graph, actor: Actor, version: ModelVersion) -> None:
    order = [str(stage) for stage in Stage]
    records = StageRecord.objects.filter(version=version).select_related("account")
    approved = ApprovalRequest.objects.filter(version=version, state=RequestState.APPROVED).order_by("pk")
    requests = dict(approved.values_list("stage", "pk"))
    keys: dict[tuple[str, int | None], str] = {}
    for record in sorted(records, key=lambda row: (order.index(row.stage), row.pk)):
        look = palette.look(record.status)
        request = requests.get(record.stage)
        url = reverse("governance:request", args=[request]) if request else ""
        kind = Stage(record.stage).label + (f" in {record.account.alias}" if record.account else "")
        words = f"{look.words} (AR-{request:06d})" if request else look.words
        key = graph.add(Node(f"stage-{record.pk}", kind, words, look.tone, url))
        graph.join(_HERE, key, "stands at")
        keys[record.stage, record.account_id] = key
    rows = list(endpoints.endpoints(actor).filter(version=version))
    for row in rows[: 3 * _MOST]:
        look = palette.look(row.in_place, "running")
        name = row.endpoint or f"no endpoint reported, {DeploymentState(row.state).label.lower()}"
        where = f"{row.account.alias} {row.region}"
        url = f"{_version_url(version)}#deployments"
        key = graph.add(Node(f"deployment-{row.pk}", f"Deployment to {where}", _short(name), look.tone, url))
        parent = keys.get((row.stage, row.account_id)) or keys.get((row.stage, None)) or _HERE
        graph.join(parent, key, f"{row.mode} deployment")


def _version_url(version: ModelVersion) -> str:
    return reverse("registry:version", args=[version.pk])


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _short(text: str) -> str:
    """A name a node has room for: of an ARN or address its end."""
    name = text.rstrip("/").rsplit("/", 1)[-1] if text.startswith(("arn:", "s3:", "http")) else text
    head, tail = split_identifier(name[:200], 14)
    return name if len(name) <= 44 else f"{head[:26]}…{tail}"


def edges_in_words(graph: Graph) -> Iterable[tuple[Node, Edge, Node]]:
    """Return each edge with the things it joins."""
    return [(graph.nodes[edge.source], edge, graph.nodes[edge.target]) for edge in graph.edges]
