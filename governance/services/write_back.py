"""What a decision writes to SageMaker: composed here, put into the outbox, carried out by the delivery service."""

from __future__ import annotations

from portal.core.vocabulary import Stage, Status
from registry.models import AwsAccount, ModelVersion

from ..choices import OutboxKind
from ..models import ApprovalRequest, OutboxMessage
from . import outbox

# SageMaker's own words for ModelLifeCycle (DOMAIN section 8).
AWS_STAGE: dict[Stage, str] = {
    Stage.DEVELOPMENT: "Development",
    Stage.QA: "QA",
    Stage.PRE_PRODUCTION: "PreProduction",
    Stage.PRODUCTION: "Production",
    Stage.RETIRED: "Archived",
}
AWS_STAGE_STATUS: dict[Status, str] = {
    Status.PENDING: "PendingApproval",
    Status.APPROVED: "Approved",
    Status.REJECTED: "Rejected",
    Status.RETIRED: "Retired",
}
AWS_APPROVAL: dict[Status, str] = {
    Status.PENDING: "PendingManualApproval",
    Status.APPROVED: "Approved",
    Status.REJECTED: "Rejected",
    Status.RETIRED: "Rejected",
}


def order_write_back(
    *,
    version: ModelVersion,
    stage: Stage,
    status: Status,
    who: str,
    request: ApprovalRequest | None,
    note: str = "",
) -> OutboxMessage:
    """Order UpdateModelPackage for a decision: status, description and lifecycle as the portal's word."""
    reference = f"{request.public_id}, policy {request.policy.number}" if request else "portal"
    text = f"{AWS_STAGE_STATUS[status]} at {stage.label} by {who} ({reference})"
    if note:
        text += f": {' '.join(note.split())}"
    return outbox.put(
        kind=OutboxKind.WRITE_BACK,
        ordering_key=version.arn,
        version=version,
        request_id=request.pk if request else None,
        summary=(
            f"Set {version.name} to {AWS_APPROVAL[status]},"
            f" {AWS_STAGE[stage]} / {AWS_STAGE_STATUS[status]} in SageMaker"
        ),
        payload={
            "model_package_arn": version.arn,
            "account_id": version.group.account.account_id,
            "region": version.group.region,
            "approval_status": AWS_APPROVAL[status],
            "approval_description": text[:1024],
            "stage": AWS_STAGE[stage],
            "stage_status": AWS_STAGE_STATUS[status],
            "stage_description": text[:1024],
            # What the portal knows of the version as it is decided on; what differs before the write is another's.
            "expected": {
                "content_digest": version.content_digest,
                "created_at": version.aws_created_at.isoformat(),
                "modified_at": version.aws_modified_at.isoformat(),
            },
        },
    )


def order_artifact_copy(
    *, version: ModelVersion, source: AwsAccount, target: AwsAccount, target_url: str
) -> OutboxMessage:
    """Order the copy of a spoke's artifact into the hub's bucket."""
    return outbox.put(
        kind=OutboxKind.ARTIFACT_COPY,
        # Behind nothing and before nothing: a slow copy must not hold up a decision's write-back.
        ordering_key=f"artifact:{version.arn}",
        version=version,
        summary=f"Copy the artifact of {version.name} from {source.alias} to {target_url}",
        payload={
            "source_account_id": source.account_id,
            "source_url": version.artifact_url,
            "source_etag": version.artifact_etag,
            "target_account_id": target.account_id,
            "target_url": target_url,
            "region": version.group.region,
        },
    )
