"""Answer SageMaker's operations on models, endpoint configurations, endpoints and inference components."""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult, EmptyResult

from . import search
from .base_responses import BaseResponse
from .common import Record, pick

_ENDPOINT = ("EndpointName", "EndpointArn", "CreationTime", "LastModifiedTime", "EndpointStatus")
_COMPONENT = (
    "InferenceComponentName",
    "InferenceComponentArn",
    "EndpointName",
    "EndpointArn",
    "VariantName",
    "InferenceComponentStatus",
    "CreationTime",
    "LastModifiedTime",
)


class EndpointResponses(BaseResponse):
    """What serves, over HTTP."""

    def describe_model(self) -> ActionResult:
        return ActionResult(self.registry.model_record(self._checked()["ModelName"]))

    def list_models(self) -> ActionResult:
        page, token = self._found(self.registry.model_records(), "ModelName")
        return ActionResult({"Models": [pick(r, ("ModelName", "ModelArn", "CreationTime")) for r in page], **token})

    def create_endpoint_config(self) -> ActionResult:
        return ActionResult({"EndpointConfigArn": self.registry.create_config(self._checked())})

    def describe_endpoint_config(self) -> ActionResult:
        return ActionResult(self.registry.config_record(self._checked()["EndpointConfigName"]))

    def list_endpoint_configs(self) -> ActionResult:
        rows = [self.registry.config_record(name) for name in self.registry.endpoint_configs]
        page, token = self._found(rows, "EndpointConfigName")
        names = ("EndpointConfigName", "EndpointConfigArn", "CreationTime")
        return ActionResult({"EndpointConfigs": [pick(r, names) for r in page], **token})

    def create_endpoint(self) -> ActionResult:
        return ActionResult({"EndpointArn": self.registry.serve(self._checked())})

    def update_endpoint(self) -> ActionResult:
        return ActionResult({"EndpointArn": self.registry.follow(self._checked())})

    def update_endpoint_weights_and_capacities(self) -> ActionResult:
        return ActionResult({"EndpointArn": self.registry.reweigh(self._checked())})

    def describe_endpoint(self) -> ActionResult:
        return ActionResult(self.registry.endpoint_record(self._checked()["EndpointName"]))

    def list_endpoints(self) -> ActionResult:
        p = self._checked()
        rows = [self.registry.endpoint_record(name) for name in self.registry.endpoints]
        page, token = self._found([r for r in rows if _has(r, "EndpointStatus", p.get("StatusEquals"))], "EndpointName")
        return ActionResult({"Endpoints": [pick(r, _ENDPOINT) for r in page], **token})

    def delete_endpoint(self) -> ActionResult:
        self.registry.stop_serving(self._checked()["EndpointName"])
        return EmptyResult()

    def create_inference_component(self) -> ActionResult:
        return ActionResult({"InferenceComponentArn": self.registry.place_component(self._checked())})

    def describe_inference_component(self) -> ActionResult:
        return ActionResult(self.registry.component(self._checked()["InferenceComponentName"]))

    def list_inference_components(self) -> ActionResult:
        p = self._checked()
        rows = [
            r
            for r in self.registry.inference_components.values()
            if _has(r, "EndpointName", p.get("EndpointNameEquals"))
            and _has(r, "VariantName", p.get("VariantNameEquals"))
            and _has(r, "InferenceComponentStatus", p.get("StatusEquals"))
        ]
        page, token = self._found(rows, "InferenceComponentName")
        return ActionResult({"InferenceComponents": [pick(r, _COMPONENT) for r in page], **token})

    def delete_inference_component(self) -> ActionResult:
        self.registry.remove_component(self._checked()["InferenceComponentName"])
        return EmptyResult()

    def _found(self, rows: list[Record], name: str) -> tuple[list[Record], Record]:
        """A page of what matches name and times, by name, status or time; newest first unless asked otherwise."""
        p = self.params
        if p.get("NameContains"):
            rows = [r for r in rows if p["NameContains"].lower() in r[name].lower()]
        for member in ("CreationTime", "LastModifiedTime"):
            after, before = search.aware(p.get(f"{member}After")), search.aware(p.get(f"{member}Before"))
            rows = [
                r
                for r in rows
                if (not after or _moment(r, member) > after) and (not before or _moment(r, member) < before)
            ]
        by = p.get("SortBy") or "CreationTime"

        def key(r: Record) -> list[Any]:
            if by in ("Name", "Status"):
                return [r[name] if by == "Name" else str(r.get("EndpointStatus", "")), r[name]]
            return [_moment(r, by if by in r else "CreationTime").timestamp(), r[name]]

        page, token = self._page(rows, key, (p.get("SortOrder") or "Descending") == "Descending")
        return page, {"NextToken": token}


def _moment(row: Record, member: str) -> Any:
    return search.aware(row[member])


def _has(row: Record, member: str, wanted: str | None) -> bool:
    return not wanted or row.get(member) == wanted
