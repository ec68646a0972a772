"""Keep SageMaker's lineage: artifacts, actions and contexts, and which of them contributed to which.

Stock trial components, which SageMaker makes of its jobs, take part in associations. Not published, and so chosen here:
the order a query gives vertices in (by distance, then ARN), and that edges come with the vertex they lead to.
Source: the lineage operations of SageMaker's service model; "Querying Lineage Entities" of its guide.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..caller import Caller
from . import search
from .common import Aggregate, Record, now
from .errors import NotFound, NotOffered, ValidationError

KINDS = ("Artifact", "Action", "Context")
# Source: "Amazon SageMaker ML Lineage Tracking", the regions it names as without it.
WITHOUT_LINEAGE = frozenset({"ap-northeast-3", "eu-south-1", "af-south-1"})
MOST_DEPTH, MOST_RESULTS = 10, 50
_KEPT = ("Source", "Properties", "MetadataProperties", "Description", "Status")
# How SageMaker names the trial components it makes of jobs.
_JOBS = {
    "-aws-training-job": "SageMakerTrainingJob",
    "-aws-processing-job": "SageMakerProcessingJob",
    "-aws-transform-job": "SageMakerTransformJob",
}


@dataclass(frozen=True)
class Walk:
    """What a query found: the distance of each entity from the start, and the associations that were walked."""

    depths: Mapping[str, int]
    edges: tuple[Record, ...]


class Lineage(Aggregate):
    """The lineage of one account and region."""

    lineage_records: dict[str, Record]
    association_records: dict[str, Record]
    trial_components: dict[str, Any]

    def _refuse_elsewhere(self) -> None:
        if self.region_name in WITHOUT_LINEAGE:
            raise NotOffered(f"The requested operation is not supported in the region {self.region_name}.")

    def create_entity(self, kind: str, p: Record, caller: Caller) -> str:
        """Source: CreateArtifact, CreateAction, CreateContext. A name of an action or context is taken once."""
        self._refuse_elsewhere()
        name = p.get(f"{kind}Name")
        if kind == "Artifact":
            # An artifact may have no name, and two may have the same: its ARN is of its own.
            seed = f"{self.account_id}/{p['Source']['SourceUri']}/{len(self.lineage_records)}/{now().isoformat()}"
            identifier = hashlib.sha256(seed.encode()).hexdigest()[:32]
        else:
            identifier = str(name)
        arn = self.arn_of(kind.lower(), identifier)
        if arn in self.lineage_records:
            raise ValidationError(f"{kind} names must be unique within an AWS account and region. {arn} exists.")
        moment = now()
        record: Record = {
            "kind": kind,
            f"{kind}Name": name,
            f"{kind}Arn": arn,
            f"{kind}Type": p[f"{kind}Type"],
            "CreationTime": moment,
            "LastModifiedTime": moment,
            "CreatedBy": caller.user_context,
            "LastModifiedBy": caller.user_context,
            "LineageGroupArn": self.arn_of("lineage-group", "sagemaker-default-lineage-group"),
        }
        record.update({member: p[member] for member in _KEPT if p.get(member) is not None})
        if kind == "Action":
            record.setdefault("Status", "Unknown")
        self.lineage_records[arn] = record
        self.touch("lineage", arn)
        return arn

    def entity(self, kind: str, name_or_arn: str) -> Record:
        """One artifact, action or context. Raises ResourceNotFound."""
        self._refuse_elsewhere()
        arn = name_or_arn if name_or_arn.startswith("arn:") else self.arn_of(kind.lower(), name_or_arn)
        record = self.lineage_records.get(arn)
        if record is None or record["kind"] != kind:
            raise NotFound(f"{kind} {arn} does not exist.")
        return record

    def entities(self, kind: str, p: Record) -> list[Record]:
        """Those of a kind with the source and type asked for."""
        self._refuse_elsewhere()
        return [
            r
            for r in self.lineage_records.values()
            if r["kind"] == kind
            and p.get("SourceUri") in (None, r["Source"]["SourceUri"])
            and p.get(f"{kind}Type") in (None, r[f"{kind}Type"])
        ]

    def vertex(self, arn: str) -> Record | None:
        """What takes part in lineage under an ARN: its name, type, kind and moments; None for what is not there."""
        record = self.lineage_records.get(arn)
        if record is not None:
            kind = record["kind"]
            return {
                "Arn": arn,
                "Name": record.get(f"{kind}Name"),
                "Type": record[f"{kind}Type"],
                "LineageType": kind,
                "Properties": record.get("Properties") or {},
                "CreationTime": record["CreationTime"],
                "LastModifiedTime": record["LastModifiedTime"],
            }
        head, _, name = arn.partition("experiment-trial-component/")
        component = self.trial_components.get(name) if name and head == self.arn_of("", "")[:-1] else None
        if component is None:
            return None
        made = next((word for suffix, word in _JOBS.items() if name.endswith(suffix)), "TrialComponent")
        return {
            "Arn": arn,
            "Name": name,
            "Type": made,
            "LineageType": "TrialComponent",
            "Properties": {},
            "CreationTime": search.aware(component.creation_time),
            "LastModifiedTime": search.aware(component.last_modified_time),
        }

    def _vertex(self, arn: str) -> Record:
        found = self.vertex(arn)
        if found is None:
            raise NotFound(f"Lineage entity {arn} does not exist.")
        return found

    def associate(self, p: Record, caller: Caller) -> None:
        """Source: AddAssociation; adding one that is there changes its type."""
        self._refuse_elsewhere()
        source, destination = (self._vertex(p[name])["Arn"] for name in ("SourceArn", "DestinationArn"))
        if source == destination:
            raise ValidationError(f"{source} cannot be associated with itself.")
        name = f"{source}|{destination}"
        known = self.association_records.get(name, {"CreationTime": now(), "CreatedBy": caller.user_context})
        kind = p.get("AssociationType") or "AssociatedWith"
        made = {**known, "SourceArn": source, "DestinationArn": destination, "AssociationType": kind}
        self.association_records[name] = made
        self.touch("association", name)

    def dissociate(self, p: Record) -> None:
        """Source: DeleteAssociation. Raises ResourceNotFound."""
        self._refuse_elsewhere()
        name = f"{p['SourceArn']}|{p['DestinationArn']}"
        if name not in self.association_records:
            raise NotFound(f"There is no association from {p['SourceArn']} to {p['DestinationArn']}.")
        del self.association_records[name]
        self.touch("association", name)

    def associations(self, p: Record) -> list[Record]:
        """The associations asked for, each with the names and types of its ends."""
        self._refuse_elsewhere()
        found = []
        for record in self.association_records.values():
            source, destination = self.vertex(record["SourceArn"]) or {}, self.vertex(record["DestinationArn"]) or {}
            row = {
                **record,
                "SourceName": source.get("Name"),
                "SourceType": source.get("Type"),
                "DestinationName": destination.get("Name"),
                "DestinationType": destination.get("Type"),
            }
            asked = ("SourceArn", "DestinationArn", "SourceType", "DestinationType", "AssociationType")
            if all(p.get(name) in (None, row[name]) for name in asked):
                found.append(row)
        return found

    def query(self, p: Record) -> tuple[list[Record], list[Record]]:
        """The vertices a query finds, nearest first with their ``depth``, and the edges between them.

        Source: QueryLineage. Raises ValidationException for its limits, ResourceNotFound for a start that is not there.
        """
        self._refuse_elsewhere()
        starts = p.get("StartArns") or []
        if len(starts) != 1:
            raise ValidationError("StartArns must have exactly 1 member.")
        for name, most in (("MaxDepth", MOST_DEPTH), ("MaxResults", MOST_RESULTS)):
            if p.get(name) is not None and not 1 <= p[name] <= most:
                raise ValidationError(f"{name} must be between 1 and {most}.")
        self._vertex(starts[0])
        direction, depth = p.get("Direction") or "Both", p.get("MaxDepth") or MOST_DEPTH
        walks = [
            self._walked(starts[0], depth, against)
            for word, against in (("Ascendants", True), ("Descendants", False))
            if direction in ("Both", word)
        ]
        depths: dict[str, int] = {}
        for walk in walks:
            for arn, far in walk.depths.items():
                depths[arn] = min(far, depths.get(arn, far))
        found = [
            {**vertex, "depth": depths[arn]}
            for arn in depths
            if (vertex := self.vertex(arn)) and _is_asked(vertex, p.get("Filters") or {})
        ]
        kept = {vertex["Arn"] for vertex in found}
        edges = {(e["SourceArn"], e["DestinationArn"]): e for walk in walks for e in walk.edges}
        return found, [e for e in edges.values() if {e["SourceArn"], e["DestinationArn"]} <= kept]

    def _walked(self, start: str, depth: int, against: bool) -> Walk:
        """Breadth first along the associations, or against them; a cycle ends where it comes back."""
        near, far = ("DestinationArn", "SourceArn") if against else ("SourceArn", "DestinationArn")
        leading: dict[str, list[Record]] = defaultdict(list)
        for record in self.association_records.values():
            leading[record[near]].append(record)
        depths, layer, edges = {start: 0}, [start], []
        for distance in range(1, depth + 1):
            following: list[str] = []
            for record in (r for arn in layer for r in leading[arn]):
                edges.append(record)
                if record[far] not in depths:
                    depths[record[far]] = distance
                    following.append(record[far])
            layer = following
        return Walk(depths, tuple(edges))


def _is_asked(vertex: Record, filters: Mapping[str, Any]) -> bool:
    for name, moment in (("Created", "CreationTime"), ("Modified", "LastModifiedTime")):
        after, before = (search.aware(filters.get(f"{name}{which}")) for which in ("After", "Before"))
        if (after and vertex[moment] <= after) or (before and vertex[moment] >= before):
            return False
    wanted: Iterable[tuple[str, str]] = (filters.get("Properties") or {}).items()
    return (
        vertex["Type"] in (filters.get("Types") or [vertex["Type"]])
        and vertex["LineageType"] in (filters.get("LineageTypes") or [vertex["LineageType"]])
        and all(vertex["Properties"].get(key) == value for key, value in wanted)
    )
