"""Keep private hubs and what they offer, beside SageMaker's own public hub of JumpStart models.

Content of the public hub belongs to AWS and is the same in each account; a private hub holds imported content and
references to public content, which are its allow list. Source: SageMaker CreateHub, ImportHubContent,
CreateHubContentReference.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from ..caller import Caller
from .common import Aggregate, Record, now
from .errors import NotFound, ValidationError

PUBLIC = "SageMakerPublicHub"
HUB, CONTENT = "hub", "hub-content"
_SINCE = datetime(2023, 11, 28, 12, 0, tzinfo=UTC)


def _public(name: str, version: str, title: str, provider: str, licence: str, eula: str, task: str) -> Record:
    document = {
        "Url": f"https://huggingface.co/{provider.lower()}/{name.rpartition('-')[2]}",
        "Provider": provider,
        "License": licence,
        "Task": task,
        "Framework": "huggingface",
        "MinSdkVersion": "2.225.0",
        "TrainingSupported": True,
        "IncrementalTrainingSupported": False,
        "ModelTypes": ["OPEN_WEIGHTS"],
        "Capabilities": ["Training", "Fine-tuning"],
        **({"HostingEulaUri": eula} if eula else {}),
    }
    return {
        "HubContentName": name,
        "HubContentVersion": version,
        "HubContentType": "Model",
        "DocumentSchemaVersion": "2.3.0",
        "HubName": PUBLIC,
        "HubContentDisplayName": title,
        "HubContentDescription": f"{title} of {provider}.",
        "HubContentDocument": json.dumps(document),
        "SupportStatus": "Supported",
        "HubContentSearchKeywords": [f"@provider:{provider}", f"@license:{licence}"],
        "HubContentStatus": "Available",
        "CreationTime": _SINCE,
        "LastModifiedTime": _SINCE,
    }


_OFFERED = (
    _public(
        "meta-textgeneration-llama-3-8b",
        "2.2.1",
        "Meta Llama 3 8B",
        "Meta",
        "Llama 3 Community License",
        "s3://jumpstart-cache-prod-us-east-1/fmhMetadata/eula/llama3Eula.txt",
        "text-generation",
    ),
    _public(
        "huggingface-tc-distilbert-base-uncased",
        "2.0.3",
        "DistilBERT Base Uncased",
        "Hugging Face",
        "Apache-2.0",
        "",
        "text-classification",
    ),
)


def _order(version: str) -> list[int]:
    return [int(part) if part.isdecimal() else -1 for part in version.split(".")]


class Hubs(Aggregate):
    """The hubs of one account and region, in `made_records`; the public one is everybody's."""

    made_records: dict[str, Record]

    def public_arn(self, record: Record) -> str:
        """The ARN of public content as this region names it."""
        path = "/".join((PUBLIC, record["HubContentType"], record["HubContentName"], record["HubContentVersion"]))
        return f"arn:aws:sagemaker:{self.region_name}:aws:hub-content/{path}"

    def hub(self, name_or_arn: str) -> Record:
        """A hub by its name or ARN, the public one too. Raises ResourceNotFound."""
        name = name_or_arn.rpartition(":hub/")[2]
        if name == PUBLIC:
            arn = f"arn:aws:sagemaker:{self.region_name}:aws:hub/{PUBLIC}"
            return {
                "HubName": PUBLIC,
                "HubArn": arn,
                "HubDisplayName": "SageMaker Public Hub",
                "HubStatus": "InService",
                "CreationTime": _SINCE,
                "LastModifiedTime": _SINCE,
            }
        found = self.made_records.get(f"{HUB}/{name}")
        if found is None or name_or_arn not in (name, found["HubArn"]):
            raise NotFound(f"Hub {self.arn_of('hub', name)} does not exist.")
        return found

    def private_hubs(self) -> list[Record]:
        """The hubs of the account itself."""
        return [r for key, r in self.made_records.items() if key.startswith(f"{HUB}/")]

    def create_hub_record(self, p: Record) -> str:
        """Source: SageMaker CreateHub."""
        name = p["HubName"]
        if name == PUBLIC or f"{HUB}/{name}" in self.made_records:
            raise ValidationError(f"Hub {name} exists already.")
        at = now()
        given = ("HubName", "HubDescription", "HubDisplayName", "HubSearchKeywords", "S3StorageConfig")
        members = {key: p[key] for key in given if p.get(key) is not None}
        arn = self.arn_of("hub", name)
        self.made_records[f"{HUB}/{name}"] = {
            **members,
            "HubArn": arn,
            "HubStatus": "InService",
            "CreationTime": at,
            "LastModifiedTime": at,
        }
        self.touch("made", f"{HUB}/{name}")
        return arn

    def contents(self, hub: Record) -> list[Record]:
        """Everything a hub offers, in each version, with its ARN."""
        own = self.arn_of("hub", hub["HubName"])
        if hub["HubName"] == PUBLIC:
            return [{**r, "HubArn": hub["HubArn"], "HubContentArn": self.public_arn(r)} for r in _OFFERED]
        start = f"{CONTENT}/{hub['HubName']}/"
        return [{**r, "HubArn": own} for key, r in self.made_records.items() if key.startswith(start)]

    def content(self, hub: Record, kind: str, name: str, version: str | None) -> Record:
        """One piece of content, the newest unless a version is named. Raises ResourceNotFound."""
        found = [r for r in self.contents(hub) if (r["HubContentType"], r["HubContentName"]) == (kind, name)]
        found = [r for r in found if version in (None, "", "*", r["HubContentVersion"])]
        if not found:
            raise NotFound(f"HubContent {kind}/{name} {version or ''} does not exist in {hub['HubName']}.")
        return max(found, key=lambda r: _order(r["HubContentVersion"]))

    def import_content(self, p: Record, caller: Caller) -> Record:
        """Source: SageMaker ImportHubContent."""
        hub = self._own(p["HubName"])
        try:
            json.loads(p["HubContentDocument"])
        except ValueError:
            raise ValidationError("HubContentDocument must be JSON.") from None
        return self._kept(hub, {"HubContentVersion": "1.0.0", "SupportStatus": "Supported", **p}, caller)

    def refer(self, p: Record, caller: Caller) -> Record:
        """Source: SageMaker CreateHubContentReference."""
        hub, arn = self._own(p["HubName"]), str(p["SageMakerPublicHubContentArn"])
        parts = arn.partition(":hub-content/")[2].split("/")
        if len(parts) < 3 or parts[0] != PUBLIC:
            raise ValidationError(f"{arn} is no content of {PUBLIC}.")
        public = self.content(self.hub(PUBLIC), parts[1], parts[2], parts[3] if len(parts) > 3 else None)
        members: Record = {
            "HubContentName": p.get("HubContentName") or public["HubContentName"],
            "HubContentVersion": public["HubContentVersion"],
            "HubContentType": "ModelReference",
            "DocumentSchemaVersion": public["DocumentSchemaVersion"],
            "HubContentDisplayName": public["HubContentDisplayName"],
            "HubContentDescription": public["HubContentDescription"],
            "HubContentDocument": public["HubContentDocument"],
            "SageMakerPublicHubContentArn": arn,
            "ReferenceMinVersion": p.get("MinVersion") or "1.0.0",
            "SupportStatus": public["SupportStatus"],
        }
        return self._kept(hub, members, caller)

    def _own(self, name_or_arn: str) -> Record:
        hub = self.hub(name_or_arn)
        if hub["HubName"] == PUBLIC:
            raise ValidationError(f"{PUBLIC} belongs to AWS and takes no content of others.")
        return hub

    def _kept(self, hub: Record, members: dict[str, Any], caller: Caller) -> Record:
        at = now()
        path = "/".join(
            (hub["HubName"], members["HubContentType"], members["HubContentName"], members["HubContentVersion"])
        )
        key = f"{CONTENT}/{path}"
        if key in self.made_records:
            raise ValidationError(f"HubContent {path} exists already.")
        record = {
            **{k: v for k, v in members.items() if k != "Tags"},
            "HubName": hub["HubName"],
            "HubArn": hub["HubArn"],
            "HubContentArn": self.arn_of("hub-content", path),
            "HubContentStatus": "Available",
            "CreationTime": at,
            "LastModifiedTime": at,
            "CreatedBy": caller.user_context,
        }
        self.made_records[key] = record
        self.touch("made", key)
        return record
