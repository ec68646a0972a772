"""A lineage graph, frozen, as it is kept and exported. Source: QueryLineage, and Describe of each vertex."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any


class What(StrEnum):
    """What a vertex stands for; the words are those pages say."""

    DATA_SET = "Data set"
    PROCESSING_JOB = "Processing job"
    TRAINING_JOB = "Training job"
    TRANSFORM_JOB = "Transform job"
    PIPELINE = "Pipeline"
    EXECUTION = "Pipeline execution"
    IMAGE = "Image"
    CODE = "Code"
    MODEL = "Model"
    PACKAGE = "Model version"
    GROUP = "Model group"
    APPROVAL = "Approval"
    DEPLOYMENT = "Deployment"
    ENDPOINT = "Endpoint"
    OTHER = "Other"


_TYPES = {
    "dataset": What.DATA_SET,
    "trainingjob": What.TRAINING_JOB,
    "processingjob": What.PROCESSING_JOB,
    "transformjob": What.TRANSFORM_JOB,
    "pipeline": What.PIPELINE,
    "pipelineexecution": What.EXECUTION,
    "image": What.IMAGE,
    "code": What.CODE,
    "model": What.MODEL,
    "modeldata": What.MODEL,
    "modelpackage": What.PACKAGE,
    "modelgroup": What.GROUP,
    "modelpackagegroup": What.GROUP,
    "approval": What.APPROVAL,
    "modeldeployment": What.DEPLOYMENT,
    "endpoint": What.ENDPOINT,
}
_SOURCES = (
    (":training-job/", What.TRAINING_JOB),
    (":processing-job/", What.PROCESSING_JOB),
    (":transform-job/", What.TRANSFORM_JOB),
    (":model-package-group/", What.GROUP),
    (":model-package/", What.PACKAGE),
    (":endpoint/", What.ENDPOINT),
    ("/execution/", What.EXECUTION),
    (":pipeline/", What.PIPELINE),
)
_COMPONENTS = (
    ("-aws-training-job", What.TRAINING_JOB),
    ("-aws-processing-job", What.PROCESSING_JOB),
    ("-aws-transform-job", What.TRANSFORM_JOB),
)


@dataclass(frozen=True, slots=True)
class Vertex:
    """One entity. `step` is how many associations lie between it and the version: below zero it led to the version.

    `kind` is Artifact, Action, Context or TrialComponent, `type` what its maker called it. What only a Describe says is
    empty where it was not described.
    """

    arn: str
    kind: str = ""
    type: str = ""
    step: int = 0
    name: str = ""
    source_uri: str = ""
    status: str = ""
    commit: str = ""
    repository: str = ""
    generated_by: str = ""
    created_at: str = ""
    described: bool = False
    properties: Mapping[str, str] = field(default_factory=dict)

    @property
    def what(self) -> What:
        """What it stands for: by its type, or else by where it comes from."""
        word = self.type.replace("_", "").replace("-", "").replace(" ", "").lower().removeprefix("sagemaker")
        if word in _TYPES:
            return _TYPES[word]
        if self.source_uri.startswith("arn:"):
            for part, what in _SOURCES:
                if part in self.source_uri:
                    return what
        return next((what for suffix, what in _COMPONENTS if self.arn.endswith(suffix)), What.OTHER)

    @property
    def label(self) -> str:
        """A name for people: its own, or the end of where it comes from, or of its ARN."""
        name = self.name or self.source_uri.rstrip("/").rsplit("/", 1)[-1] or self.arn.rsplit("/", 1)[-1]
        for suffix, _ in _COMPONENTS:
            name = name.removesuffix(suffix)
        return name

    @property
    def reference(self) -> str:
        """What to look for it by: where it comes from, or its ARN."""
        return self.source_uri or self.arn


@dataclass(frozen=True, slots=True)
class Edge:
    """One association; `type` is ContributedTo, AssociatedWith, DerivedFrom, Produced or SameAs."""

    source: str
    destination: str
    type: str = ""


@dataclass(frozen=True, slots=True)
class LineageGraph:
    """What was found around a version; `starts` are its own artifacts, `cut` says in words what was left out."""

    starts: tuple[str, ...] = ()
    vertices: tuple[Vertex, ...] = ()
    edges: tuple[Edge, ...] = ()
    cut: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the graph as it is kept and exported."""
        return {
            "starts": list(self.starts),
            "vertices": [asdict(vertex) for vertex in self.vertices],
            "edges": [asdict(edge) for edge in self.edges],
            "cut": list(self.cut),
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> LineageGraph:
        """Read a kept graph; what is not there is empty."""
        return cls(
            starts=tuple(kept.get("starts") or ()),
            vertices=tuple(Vertex(**one) for one in kept.get("vertices") or ()),
            edges=tuple(Edge(**one) for one in kept.get("edges") or ()),
            cut=tuple(kept.get("cut") or ()),
        )


def steps(starts: Iterable[str], edges: Iterable[Edge]) -> dict[str, int]:
    """Return how far each entity lies from the nearest start: below zero against the associations, above along them.

    What lies both ways, as in a cycle, counts where it is nearer, and as having led there when both are as near.
    """
    back: dict[str, list[str]] = defaultdict(list)
    forth: dict[str, list[str]] = defaultdict(list)
    for edge in edges:
        back[edge.destination].append(edge.source)
        forth[edge.source].append(edge.destination)
    found = dict.fromkeys(starts, 0)
    for following, sign in ((back, -1), (forth, 1)):
        seen, layer, far = set(starts), list(starts), 0
        while layer:
            far += 1
            layer = list(dict.fromkeys(arn for near in layer for arn in following[near] if arn not in seen))
            seen.update(layer)
            for arn in layer:
                if arn not in found or far < abs(found[arn]):
                    found[arn] = sign * far
    return found
