"""Answer SageMaker's operations on model cards, their versions and their export."""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult, EmptyResult

from .base_responses import BaseResponse
from .common import Record, pick
from .search import aware

_OF_CARD = ("ModelCardName", "ModelCardArn")
_OF_VERSION = ("ModelCardStatus", "ModelCardVersion", "CreationTime", "LastModifiedTime")
_OF_JOB = (
    "ModelCardExportJobName",
    "ModelCardExportJobArn",
    "Status",
    "ModelCardName",
    "ModelCardVersion",
    "CreatedAt",
    "LastModifiedAt",
)


class CardResponses(BaseResponse):
    """Model cards over HTTP."""

    def create_model_card(self) -> ActionResult:
        return ActionResult({"ModelCardArn": self.registry.create_card(self._checked(), self.caller)})

    def update_model_card(self) -> ActionResult:
        return ActionResult({"ModelCardArn": self.registry.update_card(self._checked(), self.caller)})

    def delete_model_card(self) -> ActionResult:
        self.registry.delete_card(self._checked()["ModelCardName"])
        return EmptyResult()

    def describe_model_card(self) -> ActionResult:
        p = self._checked()
        card, version = self.registry.card_version(p["ModelCardName"], p.get("ModelCardVersion"))
        answer = {**pick(card, (*_OF_CARD, "SecurityConfig")), **version, "CreationTime": _created(card)}
        if p.get("IncludedData") == "MetadataOnly":
            answer["Content"] = ""
        return ActionResult(answer)

    def list_model_cards(self) -> ActionResult:
        p, rows = self._checked(), []
        for card in self.registry.card_records.values():
            latest = card["versions"][-1]
            asked = (p.get("NameContains") or "").lower() in card["ModelCardName"].lower()
            if asked and p.get("ModelCardStatus") in (None, latest["ModelCardStatus"]):
                row = {**pick(card, _OF_CARD), **pick(latest, _OF_VERSION), "CreationTime": _created(card)}
                del row["ModelCardVersion"]
                rows.append(row)
        rows = self._between(rows, p, "CreationTimeAfter", "CreationTimeBefore")

        def key(r: Record) -> list[Any]:
            return [
                r["ModelCardName"] if p.get("SortBy") == "Name" else r["CreationTime"].timestamp(),
                r["ModelCardArn"],
            ]

        page, token = self._page(rows, key, p.get("SortOrder") == "Descending")
        return ActionResult({"ModelCardSummaries": page, "NextToken": token})

    def list_model_card_versions(self) -> ActionResult:
        p = self._checked()
        card = self.registry.card(p["ModelCardName"])
        rows = [
            {**pick(card, _OF_CARD), **pick(version, _OF_VERSION)}
            for version in card["versions"]
            if p.get("ModelCardStatus") in (None, version["ModelCardStatus"])
        ]
        rows = self._between(rows, p, "CreationTimeAfter", "CreationTimeBefore")
        page, token = self._page(rows, lambda r: [r["ModelCardVersion"]], p.get("SortOrder") == "Descending")
        return ActionResult({"ModelCardVersionSummaryList": page, "NextToken": token})

    def create_model_card_export_job(self) -> ActionResult:
        return ActionResult({"ModelCardExportJobArn": self.registry.export_card(self._checked())})

    def describe_model_card_export_job(self) -> ActionResult:
        return ActionResult(self.registry.card_export(self._checked()["ModelCardExportJobArn"]))

    def list_model_card_export_jobs(self) -> ActionResult:
        p = self._checked()
        name = self.registry.card(p["ModelCardName"])["ModelCardName"]
        earliest, latest = aware(p.get("CreationTimeAfter")), aware(p.get("CreationTimeBefore"))
        rows = [
            pick(job, _OF_JOB)
            for job in self.registry.card_exports.values()
            if job["ModelCardName"] == name
            and p.get("ModelCardVersion") in (None, job["ModelCardVersion"])
            and p.get("StatusEquals") in (None, job["Status"])
            and (p.get("ModelCardExportJobNameContains") or "").lower() in job["ModelCardExportJobName"].lower()
            and (earliest is None or job["CreatedAt"] > earliest)
            and (latest is None or job["CreatedAt"] < latest)
        ]
        member = {"Name": "ModelCardExportJobName", "Status": "Status"}.get(p.get("SortBy") or "")

        def key(r: Record) -> list[Any]:
            return [r[member] if member else r["CreatedAt"].timestamp(), r["ModelCardExportJobArn"]]

        page, token = self._page(rows, key, p.get("SortOrder") == "Descending")
        return ActionResult({"ModelCardExportJobSummaries": page, "NextToken": token})


def _created(card: Record) -> Any:
    return card["versions"][0]["CreationTime"]
