"""Answer SageMaker's lineage operations."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from moto.core.responses import ActionResult

from .base_responses import BaseResponse, Written
from .common import Record, pick
from .lineage import MOST_RESULTS

_SUMMARY = ("Source", "Status", "CreationTime", "LastModifiedTime")
_ASSOCIATION = (
    "SourceArn",
    "DestinationArn",
    "SourceType",
    "DestinationType",
    "AssociationType",
    "SourceName",
    "DestinationName",
    "CreationTime",
    "CreatedBy",
)


class LineageResponses(BaseResponse):
    """Lineage over HTTP."""

    def _created(self, kind: str) -> ActionResult:
        return ActionResult({f"{kind}Arn": self.registry.create_entity(kind, self._checked(), self.caller)})

    def _described(self, kind: str, named: str) -> ActionResult:
        record = self.registry.entity(kind, self._checked()[named])
        return Written({k: v for k, v in record.items() if k[0].isupper()})

    def _all(self, kind: str) -> ActionResult:
        p = self._checked()
        rows = self._between(self.registry.entities(kind, p), p, "CreatedAfter", "CreatedBefore")
        by_name = p.get("SortBy") == "Name"

        def key(r: Record) -> list[Any]:
            return [r[f"{kind}Name"] if by_name else r["CreationTime"].timestamp(), r[f"{kind}Arn"]]

        page, token = self._page(rows, key, (p.get("SortOrder") or "Descending") == "Descending")
        members = (f"{kind}Arn", f"{kind}Name", f"{kind}Type", *_SUMMARY)
        return Written({f"{kind}Summaries": [pick(r, members) for r in page], "NextToken": token})

    def create_artifact(self) -> ActionResult:
        return self._created("Artifact")

    def create_action(self) -> ActionResult:
        return self._created("Action")

    def create_context(self) -> ActionResult:
        return self._created("Context")

    def describe_artifact(self) -> ActionResult:
        return self._described("Artifact", "ArtifactArn")

    def describe_action(self) -> ActionResult:
        return self._described("Action", "ActionName")

    def describe_context(self) -> ActionResult:
        return self._described("Context", "ContextName")

    def list_artifacts(self) -> ActionResult:
        return self._all("Artifact")

    def list_actions(self) -> ActionResult:
        return self._all("Action")

    def list_contexts(self) -> ActionResult:
        return self._all("Context")

    def add_association(self) -> ActionResult:
        p = self._checked()
        self.registry.associate(p, self.caller)
        return ActionResult(pick(p, ("SourceArn", "DestinationArn")))

    def delete_association(self) -> ActionResult:
        p = self._checked()
        self.registry.dissociate(p)
        return ActionResult(pick(p, ("SourceArn", "DestinationArn")))

    def list_associations(self) -> ActionResult:
        p = self._checked()
        rows = self._between(self.registry.associations(p), p, "CreatedAfter", "CreatedBefore")
        by = p.get("SortBy") or "CreationTime"

        def key(r: Record) -> list[Any]:
            sort = r["CreationTime"].timestamp() if by == "CreationTime" else str(r[by])
            return [sort, r["SourceArn"], r["DestinationArn"]]

        page, token = self._page(rows, key, (p.get("SortOrder") or "Descending") == "Descending")
        return Written({"AssociationSummaries": [pick(r, _ASSOCIATION) for r in page], "NextToken": token})

    def query_lineage(self) -> ActionResult:
        """A page of vertices, nearest first, each with the edges to those that came before it."""
        p = self._checked()
        vertices, edges = self.registry.query(p)
        self.params.setdefault("MaxResults", MOST_RESULTS)
        order = {v["Arn"]: (v["depth"], v["Arn"]) for v in vertices}
        page, token = self._page(vertices, lambda v: [v["depth"], v["Arn"]], False)
        ending: dict[str, list[Record]] = defaultdict(list)
        for edge in edges:
            ending[max(edge["SourceArn"], edge["DestinationArn"], key=order.__getitem__)].append(edge)
        with_edges = p.get("IncludeEdges") is not False
        members = ("SourceArn", "DestinationArn", "AssociationType")
        told = [pick(e, members) for v in page for e in ending[v["Arn"]]] if with_edges else []
        found = [pick(v, ("Arn", "Type", "LineageType")) for v in page]
        return Written({"Vertices": found, "Edges": told, "NextToken": token})
