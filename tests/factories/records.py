"""What the gateway would hand over."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from registry.aws.records import ContainerRecord, Identity, VersionRecord

_seconds = count(1)
START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


# Where SageMaker Clarify left its reports, as ModelMetrics of a model package says it.
REPORTS = {
    section: {
        "Report": {
            "ContentType": "application/json",
            "S3Uri": f"s3://hub/clarify/{section.lower()}/analysis.json",
            "ContentDigest": f"sha256:{digit * 64}",
        }
    }
    for section, digit in (("Bias", "b"), ("Explainability", "e"))
}


def card(use_case_id: str | None = None, risk: str = "Medium", **sections: Any) -> str:
    """Return the JSON text of a valid model card."""
    content: dict[str, Any] = {
        "model_overview": {"model_creator": "credit risk team"},
        "intended_uses": {"purpose_of_model": "credit-risk", "risk_rating": risk},
        "business_details": {"line_of_business": "Consumer Lending"},
    }
    if use_case_id:
        content["additional_information"] = {"custom_details": {"UseCaseId": use_case_id}}
    return json.dumps({**content, **sections})


def version_record(
    group_arn: str, number: int = 1, *, card_content: str | None = None, registrant: str = "", **values: Any
) -> VersionRecord:
    """Return one version as DescribeModelPackage would describe it."""
    _, _, _, region, account_id, resource = group_arn.split(":")
    name = resource.split("/", 1)[1]
    created = values.pop("created_at", START + timedelta(seconds=next(_seconds)))
    defaults: dict[str, Any] = {
        "description": "Model to detect credit risk",
        "status": "Completed",
        "approval_status": "PendingManualApproval",
        "containers": (ContainerRecord(image="registry/xgboost:1.7-1", model_data_url="s3://hub/model.tar.gz"),),
        "metrics": REPORTS,
        "metadata": {"algorithm": "xgboost", "validation_auc": "0.78"},
        "created_by": Identity(registrant, "", "", "") if registrant else None,
        "last_modified_at": created,
    }
    return VersionRecord(
        arn=f"arn:aws:sagemaker:{region}:{account_id}:model-package/{name}/{number}",
        group_arn=group_arn,
        group_name=name,
        account_id=account_id,
        region=region,
        version=number,
        card_content=card_content,
        created_at=created,
        **{**defaults, **values},
    )
