"""Keep model cards of their own, with every version of their content, and export them.

A card's content is immutable by version: a change of content makes the next version, a change of status alone does not.
What is archived keeps its content. Source: SageMaker CreateModelCard, UpdateModelCard, DescribeModelCard,
CreateModelCardExportJob.
"""

from __future__ import annotations

import functools
import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

from jsonschema_rs import Draft7Validator
from moto.s3.models import s3_backends

from ..caller import Caller
from ..state import journal
from .card_pdf import pdf_of
from .common import Aggregate, Record, now
from .errors import Conflict, NotFound, ValidationError

_SCHEMA = Path(__file__).parents[4] / "registry" / "services" / "own_card_schema.json"
_ARN = re.compile(r"arn:aws[a-z-]*:sagemaker:([a-z0-9-]+):(\d{12}):model-card/([^/]+)")
_MOST = 3


@functools.cache
def _validator() -> Draft7Validator:
    return Draft7Validator(json.loads(_SCHEMA.read_text()))


def check_content(text: str) -> None:
    """Raise ValidationException for content that is no JSON, or breaks the schema of model cards."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        raise ValidationError("Model card content is not valid JSON.") from None
    found = [f"{'/'.join(map(str, e.instance_path)) or '#'}: {e.message}" for e in _validator().iter_errors(content)]
    if found:
        raise ValidationError(f"Model card content does not follow the schema. {'; '.join(found[:_MOST])}")


class Cards(Aggregate):
    """Model cards of one account and region."""

    card_records: dict[str, Record]
    card_exports: dict[str, Record]

    def card(self, name_or_arn: str) -> Record:
        """A card by name, or by an ARN of this account and region."""
        name = name_or_arn
        if name_or_arn.startswith("arn:"):
            match = _ARN.fullmatch(name_or_arn)
            if not match or (match[1], match[2]) != (self.region_name, self.account_id):
                raise NotFound(f"Model card {name_or_arn} does not exist.")
            name = match[3]
        if name not in self.card_records:
            raise NotFound(f"Model card {self.arn_of('model-card', name)} does not exist.")
        return self.card_records[name]

    def card_version(self, name_or_arn: str, number: int | None) -> tuple[Record, Record]:
        """A card and one of its versions, the latest without a number."""
        card = self.card(name_or_arn)
        versions = card["versions"]
        if number is not None and not 1 <= number <= len(versions):
            raise NotFound(f"Model card {card['ModelCardArn']} has no version {number}.")
        return card, versions[(number or len(versions)) - 1]

    def create_card(self, p: Record, caller: Caller) -> str:
        """Source: SageMaker CreateModelCard. A name that is taken is a conflict."""
        name = p["ModelCardName"]
        arn = self.arn_of("model-card", name)
        if name in self.card_records:
            raise Conflict(f"Model card {arn} already exists.")
        check_content(p["Content"])
        created = now()
        self.card_records[name] = {
            "ModelCardName": name,
            "ModelCardArn": arn,
            "SecurityConfig": p.get("SecurityConfig"),
            "Tags": p.get("Tags") or [],
            "versions": [_version(1, p["Content"], p["ModelCardStatus"], created, caller)],
        }
        self.touch("card", name)
        return arn

    def update_card(self, p: Record, caller: Caller) -> str:
        """Source: SageMaker UpdateModelCard: what was not sent stays. Archived content cannot be changed."""
        card = self.card(p["ModelCardName"])
        latest = card["versions"][-1]
        content, status = p.get("Content"), p.get("ModelCardStatus")
        if content is None and status is None:
            raise ValidationError("Give Content, ModelCardStatus or both.")
        if content is not None and latest["ModelCardStatus"] == "Archived":
            raise Conflict(f"Model card {card['ModelCardArn']} is archived: its content cannot be changed.")
        # Two changes within a millisecond must still be told apart by their time.
        moment = max(now(), latest["LastModifiedTime"] + timedelta(milliseconds=1))
        if content is not None:
            check_content(content)
            number = latest["ModelCardVersion"] + 1
            card["versions"].append(_version(number, content, status or latest["ModelCardStatus"], moment, caller))
        else:
            latest.update(ModelCardStatus=status, LastModifiedTime=moment, LastModifiedBy=caller.user_context)
        self.touch("card", card["ModelCardName"])
        return str(card["ModelCardArn"])

    def delete_card(self, name_or_arn: str) -> None:
        """Delete a card with all its versions. Source: SageMaker DeleteModelCard."""
        name = self.card(name_or_arn)["ModelCardName"]
        del self.card_records[name]
        self.touch("card", name)

    # ---- exports ------------------------------------------------------------------------------------------------

    def export_card(self, p: Record) -> str:
        """Write a card as PDF below an S3 path, at once. Source: SageMaker CreateModelCardExportJob."""
        card, version = self.card_version(p["ModelCardName"], p.get("ModelCardVersion"))
        name = f"{card['ModelCardName']}/{p['ModelCardExportJobName']}"
        if name in self.card_exports:
            raise Conflict(f"Model card export job {p['ModelCardExportJobName']} already exists.")
        moment = now()
        job: Record = {
            "ModelCardExportJobName": p["ModelCardExportJobName"],
            "ModelCardExportJobArn": self.arn_of(
                "model-card", f"{card['ModelCardName']}/export-job/{name.split('/')[1]}"
            ),
            "ModelCardName": card["ModelCardName"],
            "ModelCardVersion": version["ModelCardVersion"],
            "OutputConfig": p["OutputConfig"],
            "CreatedAt": moment,
            "LastModifiedAt": moment,
        }
        place = f"{p['OutputConfig']['S3OutputPath'].rstrip('/')}/{name}-{version['ModelCardVersion']}.pdf"
        job.update(self._stored(place, pdf_of(card["ModelCardName"], version)))
        self.card_exports[name] = job
        self.touch("card_export", name)
        return str(job["ModelCardExportJobArn"])

    def _stored(self, place: str, content: bytes) -> Record:
        bucket, _, key = place.removeprefix("s3://").partition("/")
        storage: Any = s3_backends[self.account_id]["aws"]
        if bucket not in storage.buckets:
            return {"Status": "Failed", "FailureReason": f"The bucket {bucket} does not exist in {self.account_id}."}
        storage.put_object(bucket, key, content)
        journal.touch("s3", self.account_id, "aws", "object", f"{bucket}/{key}")
        return {"Status": "Completed", "ExportArtifacts": {"S3ExportArtifacts": place}}

    def card_export(self, arn: str) -> Record:
        """An export job by ARN. Raises ResourceNotFound."""
        for job in self.card_exports.values():
            if job["ModelCardExportJobArn"] == arn:
                return job
        raise NotFound(f"Model card export job {arn} does not exist.")


def _version(number: int, content: str, status: str, moment: Any, caller: Caller) -> Record:
    return {
        "ModelCardVersion": number,
        "Content": content,
        "ModelCardStatus": status,
        "CreationTime": moment,
        "CreatedBy": caller.user_context,
        "LastModifiedTime": moment,
        "LastModifiedBy": caller.user_context,
    }
