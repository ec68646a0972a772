"""Answer SageMaker's operations on hubs and their contents."""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult

from .base_responses import BaseResponse
from .common import Record, pick
from .hubs import PUBLIC

_HUB_SUMMARY = (
    "HubName",
    "HubArn",
    "HubDisplayName",
    "HubDescription",
    "HubSearchKeywords",
    "HubStatus",
    "CreationTime",
    "LastModifiedTime",
)
_CONTENT_SUMMARY = (
    "HubContentName",
    "HubContentArn",
    "SageMakerPublicHubContentArn",
    "HubContentVersion",
    "HubContentType",
    "DocumentSchemaVersion",
    "HubContentDisplayName",
    "HubContentDescription",
    "SupportStatus",
    "HubContentSearchKeywords",
    "HubContentStatus",
    "CreationTime",
)


class HubResponses(BaseResponse):
    """Hubs over HTTP."""

    def create_hub(self) -> ActionResult:
        return ActionResult({"HubArn": self.registry.create_hub_record(self._checked())})

    def describe_hub(self) -> ActionResult:
        return ActionResult(dict(self.registry.hub(self._checked()["HubName"])))

    def list_hubs(self) -> ActionResult:
        p = self._checked()
        rows = self._between(self.registry.private_hubs(), p, "CreationTimeAfter", "CreationTimeBefore")
        rows = [r for r in rows if str(p.get("NameContains") or "").lower() in r["HubName"].lower()]
        page, token = self._ordered(rows, "HubName", p)
        return ActionResult({"HubSummaries": [pick(r, _HUB_SUMMARY) for r in page], "NextToken": token})

    def import_hub_content(self) -> ActionResult:
        made = self.registry.import_content(self._checked(), self.caller)
        return ActionResult(pick(made, ("HubArn", "HubContentArn")))

    def create_hub_content_reference(self) -> ActionResult:
        made = self.registry.refer(self._checked(), self.caller)
        return ActionResult(pick(made, ("HubArn", "HubContentArn")))

    def list_hub_contents(self) -> ActionResult:
        """One version of each: the newest."""
        p = self._checked()
        newest: dict[str, Record] = {}
        hub = self.registry.hub(p["HubName"])
        for record in self.registry.contents(hub):
            if record["HubContentType"] == p["HubContentType"]:
                name = record["HubContentName"]
                newest[name] = self.registry.content(hub, p["HubContentType"], name, None)
        rows = self._between(list(newest.values()), p, "CreationTimeAfter", "CreationTimeBefore")
        rows = [r for r in rows if str(p.get("NameContains") or "").lower() in r["HubContentName"].lower()]
        page, token = self._ordered(rows, "HubContentName", p)
        return ActionResult({"HubContentSummaries": [pick(r, _CONTENT_SUMMARY) for r in page], "NextToken": token})

    def describe_hub_content(self) -> ActionResult:
        p = self._checked()
        hub = self.registry.hub(p["HubName"])
        found = self.registry.content(hub, p["HubContentType"], p["HubContentName"], p.get("HubContentVersion"))
        if hub["HubName"] == PUBLIC:
            # AWS does not say who made what everybody may use.
            found = {k: v for k, v in found.items() if k != "CreatedBy"}
        return ActionResult(dict(found))

    def _ordered(self, rows: list[Record], name: str, p: Record) -> tuple[list[Record], str | None]:
        def key(r: Record) -> list[Any]:
            by_time = p.get("SortBy") == "CreationTime"
            return [r["CreationTime"].timestamp() if by_time else r[name], r[name]]

        return self._page(rows, key, (p.get("SortOrder") or "Ascending") == "Descending")
