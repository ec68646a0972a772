"""Hold what AWS answered, as frozen records with the portal's names and nothing of botocore's.

Parsing is defensive: a field AWS leaves out becomes "" or None, never an error. Only an answer without a
usable ARN is refused, because nothing could be linked to it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from registry.aws.arns import (
    GroupArn,
    MalformedArn,
    ModelPackageArn,
    UnversionedPackage,
    parse_group_arn,
    parse_model_package_arn,
)
from registry.aws.share_records import InvitationRecord, PermissionRecord, ShareAssociation, ShareRecord
from registry.aws.values import json_safe, plain_text, utc

__all__ = [
    "AccountRef", "ContainerRecord", "EventClaims", "GroupArn", "GroupRecord", "Identity", "InvitationRecord",
    "LifeCycle", "MalformedArn", "ModelPackageArn", "PermissionRecord", "RegistryEvent", "ShareAssociation",
    "ShareRecord", "UnversionedPackage", "VersionRecord", "VersionSummary", "parse_group_arn",
    "parse_model_package_arn",
]  # fmt: skip

_TRAINING_JOB = re.compile(r"arn:aws[a-z-]*:sagemaker:[a-z0-9-]+:\d{12}:training-job/[A-Za-z0-9-]+")


@dataclass(frozen=True, slots=True)
class AccountRef:
    """Name an AWS account and how to reach it; an empty role ARN means the process's own credentials."""

    account_id: str
    region: str
    role_arn: str = ""
    external_id: str = ""


@dataclass(frozen=True, slots=True)
class Identity:
    """Name who did something in AWS: IAM ARN, principal id, source identity, Studio user profile."""

    arn: str
    principal_id: str
    source_identity: str
    user_profile: str

    @classmethod
    def from_user_context(cls, context: Mapping[str, Any] | None) -> Identity | None:
        """Read a SageMaker UserContext; an absent or empty one is None."""
        context = context or {}
        iam = context.get("IamIdentity") or {}
        identity = cls(
            arn=plain_text(iam.get("Arn")),
            principal_id=plain_text(iam.get("PrincipalId")),
            source_identity=plain_text(iam.get("SourceIdentity")),
            user_profile=plain_text(context.get("UserProfileArn") or context.get("UserProfileName")),
        )
        return identity if identity != cls("", "", "", "") else None


@dataclass(frozen=True, slots=True)
class LifeCycle:
    """Hold a ModelLifeCycle: stage and status are free strings of at most 63 letters, digits and hyphens."""

    stage: str
    status: str
    description: str = ""

    @classmethod
    def from_aws(cls, life_cycle: Mapping[str, Any] | None) -> LifeCycle | None:
        """Read a ModelLifeCycle; an absent one is None."""
        if not life_cycle:
            return None
        return cls(
            plain_text(life_cycle.get("Stage")),
            plain_text(life_cycle.get("StageStatus")),
            plain_text(life_cycle.get("StageDescription")),
        )


@dataclass(frozen=True, slots=True)
class GroupRecord:
    """Hold one model package group. SageMaker keeps no modification time for groups."""

    arn: str
    name: str
    account_id: str
    region: str
    description: str
    created_at: datetime | None
    status: str

    @classmethod
    def from_describe(cls, answer: Mapping[str, Any]) -> GroupRecord:
        """Read a DescribeModelPackageGroup answer or one summary of a list. Raises MalformedArn."""
        arn = parse_group_arn(plain_text(answer.get("ModelPackageGroupArn")))
        return cls(
            arn=plain_text(answer.get("ModelPackageGroupArn")),
            name=plain_text(answer.get("ModelPackageGroupName")) or arn.name,
            account_id=arn.account_id,
            region=arn.region,
            description=plain_text(answer.get("ModelPackageGroupDescription")),
            created_at=utc(answer.get("CreationTime")),
            status=plain_text(answer.get("ModelPackageGroupStatus")),
        )


@dataclass(frozen=True, slots=True)
class VersionSummary:
    """Hold what a list says of a version: enough to see a changed approval or stage, nothing more."""

    arn: str
    group_name: str
    version: int
    description: str
    created_at: datetime | None
    status: str
    approval_status: str
    life_cycle_stage: str
    life_cycle_status: str

    @classmethod
    def from_summary(cls, summary: Mapping[str, Any]) -> VersionSummary:
        """Read one ModelPackageSummary. Raises MalformedArn, UnversionedPackage."""
        arn = parse_model_package_arn(plain_text(summary.get("ModelPackageArn")))
        life_cycle = LifeCycle.from_aws(summary.get("ModelLifeCycle")) or LifeCycle("", "")
        return cls(
            arn=plain_text(summary.get("ModelPackageArn")),
            group_name=_group_name(summary, arn),
            version=arn.version,
            description=plain_text(summary.get("ModelPackageDescription")),
            created_at=utc(summary.get("CreationTime")),
            status=plain_text(summary.get("ModelPackageStatus")),
            approval_status=plain_text(summary.get("ModelApprovalStatus")),
            life_cycle_stage=life_cycle.stage,
            life_cycle_status=life_cycle.status,
        )


@dataclass(frozen=True, slots=True)
class ContainerRecord:
    """Hold one inference container: its image and the artifact it loads, with the digests AWS knows."""

    image: str
    image_digest: str = ""
    model_data_url: str = ""
    model_data_etag: str = ""
    framework: str = ""
    framework_version: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_aws(cls, container: Mapping[str, Any]) -> ContainerRecord:
        """Read one container definition; an artifact given as an S3 data source counts as its URL."""
        source = (container.get("ModelDataSource") or {}).get("S3DataSource") or {}
        return cls(
            image=plain_text(container.get("Image")),
            image_digest=plain_text(container.get("ImageDigest")),
            model_data_url=plain_text(container.get("ModelDataUrl") or source.get("S3Uri")),
            model_data_etag=plain_text(container.get("ModelDataETag") or source.get("ETag")),
            framework=plain_text(container.get("Framework")),
            framework_version=plain_text(container.get("FrameworkVersion")),
            environment={
                plain_text(name): plain_text(value) for name, value in (container.get("Environment") or {}).items()
            },
        )


@dataclass(frozen=True, slots=True)
class VersionRecord:
    """Hold everything SageMaker says of one model version.

    `group_arn` is built from the version's owner and its group's name, and AWS may case either differently:
    link on account, region and name. `metrics` and `drift_baselines` keep AWS's structure of pointers into
    S3. `card_content` is the card's JSON text exactly as given, valid or not. `raw` is the whole answer,
    JSON-safe, times as ISO 8601 in UTC; from Search it may also hold Tags. Source: DescribeModelPackage,
    Search.
    """

    arn: str
    group_arn: str
    group_name: str
    account_id: str
    region: str
    version: int
    description: str = ""
    status: str = ""
    approval_status: str = ""
    approval_description: str = ""
    life_cycle: LifeCycle | None = None
    containers: tuple[ContainerRecord, ...] = ()
    metrics: dict[str, Any] = field(default_factory=dict)
    drift_baselines: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)
    card_content: str | None = None
    card_status: str = ""
    source_uri: str = ""
    training_job_arn: str | None = None
    created_by: Identity | None = None
    last_modified_by: Identity | None = None
    created_at: datetime | None = None
    last_modified_at: datetime | None = None
    raw: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def from_describe(cls, answer: Mapping[str, Any]) -> VersionRecord:
        """Read a DescribeModelPackage answer or a Search record. Raises MalformedArn, UnversionedPackage."""
        arn = parse_model_package_arn(plain_text(answer.get("ModelPackageArn")))
        group_name = _group_name(answer, arn)
        card = answer.get("ModelCard") or {}
        content = card.get("ModelCardContent")
        inference = answer.get("InferenceSpecification") or {}
        return cls(
            arn=plain_text(answer.get("ModelPackageArn")),
            group_arn=(f"arn:{arn.partition}:sagemaker:{arn.region}:{arn.account_id}:model-package-group/{group_name}"),
            group_name=group_name,
            account_id=arn.account_id,
            region=arn.region,
            version=arn.version,
            description=plain_text(answer.get("ModelPackageDescription")),
            status=plain_text(answer.get("ModelPackageStatus")),
            approval_status=plain_text(answer.get("ModelApprovalStatus")),
            approval_description=plain_text(answer.get("ApprovalDescription")),
            life_cycle=LifeCycle.from_aws(answer.get("ModelLifeCycle")),
            containers=tuple(ContainerRecord.from_aws(c) for c in inference.get("Containers") or ()),
            metrics=json_safe(answer.get("ModelMetrics") or {}),
            drift_baselines=json_safe(answer.get("DriftCheckBaselines") or {}),
            metadata={
                plain_text(key): plain_text(value)
                for key, value in (answer.get("CustomerMetadataProperties") or {}).items()
            },
            card_content=None if content is None else plain_text(content),
            card_status=plain_text(card.get("ModelCardStatus")),
            source_uri=plain_text(answer.get("SourceUri")),
            training_job_arn=_training_job(answer),
            created_by=Identity.from_user_context(answer.get("CreatedBy")),
            last_modified_by=Identity.from_user_context(answer.get("LastModifiedBy")),
            created_at=utc(answer.get("CreationTime")),
            last_modified_at=utc(answer.get("LastModifiedTime")),
            raw=json_safe({k: v for k, v in answer.items() if k != "ResponseMetadata"}),
        )


@dataclass(frozen=True, slots=True)
class EventClaims:
    """Hold what an event says the version was when it was sent; "" where it does not say."""

    status: str = ""
    approval_status: str = ""
    stage: str = ""
    stage_status: str = ""


@dataclass(frozen=True, slots=True)
class RegistryEvent:
    """Hold one message of the event queue; `receipt` deletes it, `body` is the message's text as received.

    `kind` is "model_package" (SageMaker Model Package State Change), "other" (a readable event of another
    type) or "unreadable". Events are hints: at least once, duplicated, in no order; describe the version
    again. `updated_fields` lists what the change touched where AWS says so, such as ("ModelApprovalStatus",),
    `modified_at` is the version's LastModifiedTime when the event was sent, `claims` what else it says of it.
    `queued_at` is when SQS took the message, `receives` how often SQS has handed it out, this time included.
    """

    message_id: str
    receipt: str
    kind: str
    model_package_arn: str
    owner_account_id: str
    updated_fields: tuple[str, ...]
    sent_at: datetime | None
    body: str
    modified_at: datetime | None = None
    claims: EventClaims = EventClaims()
    queued_at: datetime | None = None
    receives: int = 1


def _group_name(answer: Mapping[str, Any], arn: ModelPackageArn) -> str:
    # The field keeps the case the group was made with; it can be the group's ARN for another account's group.
    return plain_text(answer.get("ModelPackageGroupName")).rpartition("/")[2] or arn.group_name


def _training_job(answer: Mapping[str, Any]) -> str | None:
    made_by = plain_text((answer.get("MetadataProperties") or {}).get("GeneratedBy"))
    for candidate in (made_by, plain_text(answer.get("SourceUri"))):
        found = _TRAINING_JOB.search(candidate)
        if found:
            return found[0]
    return None
