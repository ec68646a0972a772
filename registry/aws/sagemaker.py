"""Read and write SageMaker's model registry: groups and versions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from registry.aws.errors import AwsInvalid, AwsNotFound, translated
from registry.aws.limits import require_valid
from registry.aws.records import (
    ContainerRecord,
    GroupRecord,
    LifeCycle,
    UnversionedPackage,
    VersionRecord,
    VersionSummary,
)
from registry.aws.registering import group_request, life_cycle_request, version_request
from registry.aws.session import AwsSession, pages

if TYPE_CHECKING:
    from mypy_boto3_sagemaker.literals import ModelApprovalStatusType, ModelCardStatusType
    from mypy_boto3_sagemaker.type_defs import UpdateModelPackageInputTypeDef

PAGE_SIZE = 100


def list_groups(session: AwsSession, *, cross_account: bool = False) -> Iterator[GroupRecord]:
    """Yield the account's own model package groups, or with `cross_account` those others share with it.

    Two calls are needed for both: AWS answers one kind at a time. Raises AwsError of the page that failed;
    what was yielded before it is then incomplete. Source: ListModelPackageGroups, 100 a page.
    """
    request = {
        "MaxResults": PAGE_SIZE,
        "SortBy": "CreationTime",
        "SortOrder": "Ascending",
        "CrossAccountFilterOption": "CrossAccount" if cross_account else "SameAccount",
    }
    call = session.sagemaker.list_model_package_groups
    for page in pages(session, "sagemaker", "ListModelPackageGroups", call, request):
        for summary in page.get("ModelPackageGroupSummaryList", ()):
            yield GroupRecord.from_describe(summary)


def describe_group(session: AwsSession, group: GroupRecord | str) -> GroupRecord:
    """Read one group by record, name or ARN; another account's group needs its ARN.

    Raises AwsNotFound. Source: DescribeModelPackageGroup.
    """
    with translated(session, "sagemaker", "DescribeModelPackageGroup"):
        answer = session.sagemaker.describe_model_package_group(ModelPackageGroupName=_key(group))
    return GroupRecord.from_describe(answer)


def create_group(
    session: AwsSession, *, name: str, description: str = "", tags: Mapping[str, str] | None = None
) -> str:
    """Make a model package group and return its ARN.

    Raises AwsInvalid for a name AWS does not take, AwsConflict when it exists. Source:
    CreateModelPackageGroup.
    """
    request = group_request(name=name, description=description, tags=tags)
    require_valid(session, "sagemaker", "CreateModelPackageGroup", request)
    with translated(session, "sagemaker", "CreateModelPackageGroup"):
        return session.sagemaker.create_model_package_group(**request)["ModelPackageGroupArn"]


def group_tags(session: AwsSession, arn: str) -> dict[str, str]:
    """Return the tags of a group by its ARN. Raises AwsNotFound, AwsDenied. Source: ListTags, 50 a page."""
    call = session.sagemaker.list_tags
    found: dict[str, str] = {}
    for page in pages(session, "sagemaker", "ListTags", call, {"ResourceArn": arn}):
        found |= {tag["Key"]: tag["Value"] for tag in page.get("Tags", ())}
    return found


def get_group_policy(session: AwsSession, name: str) -> str | None:
    """Return the resource policy of one of the account's own groups as JSON text, None when it has none.

    Raises AwsNotFound when there is no such group. Source: GetModelPackageGroupPolicy (takes a name, no ARN).
    """
    try:
        with translated(session, "sagemaker", "GetModelPackageGroupPolicy"):
            answer = session.sagemaker.get_model_package_group_policy(ModelPackageGroupName=name)
    except (AwsNotFound, AwsInvalid) as exc:
        # A group without a policy is an error to SageMaker; only the words tell it from a missing group, and
        # no name can hold these two.
        if "resource policy" in exc.message.lower():
            return None
        raise
    return answer["ResourcePolicy"]


def put_group_policy(session: AwsSession, name: str, policy: str) -> None:
    """Set the resource policy (JSON text, at most 20480 characters) of one of the account's own groups.

    RAM then shows a share "created from policy", which only the owner sees. Raises AwsInvalid, AwsNotFound.
    Source: PutModelPackageGroupPolicy.
    """
    require_valid(
        session,
        "sagemaker",
        "PutModelPackageGroupPolicy",
        {"ModelPackageGroupName": name, "ResourcePolicy": policy},
    )
    with translated(session, "sagemaker", "PutModelPackageGroupPolicy"):
        session.sagemaker.put_model_package_group_policy(ModelPackageGroupName=name, ResourcePolicy=policy)


def list_versions(
    session: AwsSession, group: GroupRecord | str, *, created_after: datetime | None = None
) -> Iterator[VersionSummary]:
    """Yield the versions of a group (record, name or ARN), oldest first; only those made after a moment, given one.

    Summaries carry approval and life cycle but no modification time, card or metadata: describe what differs.
    Raises AwsError of the page that failed. Source: ListModelPackages, 100 a page.
    """
    request: dict[str, Any] = {
        "ModelPackageGroupName": _key(group),
        "MaxResults": PAGE_SIZE,
        "SortBy": "CreationTime",
        "SortOrder": "Ascending",
    }
    if created_after is not None:
        request["CreationTimeAfter"] = created_after
    call = session.sagemaker.list_model_packages
    for page in pages(session, "sagemaker", "ListModelPackages", call, request):
        for summary in page.get("ModelPackageSummaryList", ()):
            yield VersionSummary.from_summary(summary)


def describe_version(session: AwsSession, arn: str) -> VersionRecord:
    """Read everything SageMaker knows of a version; a card under a customer key needs kms:Decrypt.

    Raises AwsNotFound, AwsDenied, UnversionedPackage. Source: DescribeModelPackage.
    """
    with translated(session, "sagemaker", "DescribeModelPackage"):
        answer = session.sagemaker.describe_model_package(ModelPackageName=arn)
    return VersionRecord.from_describe(answer)


def search_versions_modified_since(
    session: AwsSession, since: datetime, *, cross_account: bool = False
) -> Iterator[VersionRecord]:
    """Yield the account's versions changed at or after a moment, in the order of their change.

    With `cross_account` those of others that were made discoverable to it instead.

    Whole seconds, rounded down. Search reads an index of its own that follows writes with an undocumented
    delay: overlap the windows. Packages outside groups are left out. Raises AwsInvalid for a moment without
    time zone, AwsError of the page that failed. Source: Search, the only operation that filters on
    LastModifiedTime.
    """
    if since.tzinfo is None:
        raise AwsInvalid(
            service="sagemaker",
            operation="Search",
            account_id=session.account.account_id,
            code="NaiveDatetime",
            message=f"the moment {since.isoformat()} has no time zone",
        )
    request: dict[str, Any] = {
        "Resource": "ModelPackage",
        "SearchExpression": {
            "Filters": [
                {
                    "Name": "LastModifiedTime",
                    "Operator": "GreaterThanOrEqualTo",
                    "Value": since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S"),
                }
            ]
        },
        "SortBy": "LastModifiedTime",
        # Ascending, so that what changes while we page joins at the end instead of shifting the pages.
        "SortOrder": "Ascending",
        "MaxResults": PAGE_SIZE,
    }
    if cross_account:
        request["CrossAccountFilterOption"] = "CrossAccount"
    for page in pages(session, "sagemaker", "Search", session.sagemaker.search, request):
        for result in page.get("Results", ()):
            if "ModelPackage" not in result:
                continue
            try:
                yield VersionRecord.from_describe(result["ModelPackage"])
            except UnversionedPackage:
                continue


def update_version(
    session: AwsSession,
    arn: str,
    *,
    client_token: str,
    approval_status: ModelApprovalStatusType | None = None,
    approval_description: str | None = None,
    life_cycle: LifeCycle | None = None,
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Write a decision to a version; what is None stays as it is.

    `client_token` (at most 36 letters, digits and hyphens) makes a repeated write the same write.
    `approval_description` is one line of at most 1024 characters. `metadata` should be the full set: whether
    AWS merges or replaces is not documented. The change comes back as an event. Raises AwsInvalid when
    nothing is to be written or a field breaks AWS's limits, AwsConflict when another write is under way,
    AwsNotFound.
    Source: UpdateModelPackage, which has no expected-version parameter: read LastModifiedTime before.
    """
    request: UpdateModelPackageInputTypeDef = {"ModelPackageArn": arn, "ClientToken": client_token}
    if approval_status is not None:
        request["ModelApprovalStatus"] = approval_status
    if approval_description is not None:
        request["ApprovalDescription"] = approval_description
    if life_cycle is not None:
        request["ModelLifeCycle"] = life_cycle_request(life_cycle)
    if metadata is not None:
        request["CustomerMetadataProperties"] = dict(metadata)
    if len(request) == 2:
        raise AwsInvalid(
            service="sagemaker",
            operation="UpdateModelPackage",
            account_id=session.account.account_id,
            code="NothingToWrite",
            message=f"no field of {arn} was given a value",
        )
    require_valid(session, "sagemaker", "UpdateModelPackage", request)
    with translated(session, "sagemaker", "UpdateModelPackage"):
        session.sagemaker.update_model_package(**request)


def register_version(
    session: AwsSession,
    *,
    group: GroupRecord | str,
    description: str,
    containers: Sequence[ContainerRecord],
    content_types: Sequence[str],
    response_types: Sequence[str],
    metadata: Mapping[str, str],
    card_content: str | None = None,
    card_status: ModelCardStatusType = "Draft",
    approval_status: ModelApprovalStatusType = "PendingManualApproval",
    life_cycle: LifeCycle | None = None,
    client_token: str,
) -> str:
    """Register a version in a group (record, name or ARN; another account's group by ARN) and return its ARN.

    `card_content` is the card's JSON text, at most 100000 characters. Raises what `create_version` raises.
    """
    request = version_request(
        description=description,
        containers=containers,
        content_types=content_types,
        response_types=response_types,
        metadata=metadata,
        card_content=card_content,
        card_status=card_status,
        approval_status=approval_status,
        life_cycle=life_cycle,
    )
    return create_version(session, group=group, request=request, client_token=client_token)


def create_version(
    session: AwsSession, *, group: GroupRecord | str, request: Mapping[str, Any], client_token: str
) -> str:
    """Register what `registering.version_request` composed in a group, and return the version's ARN.

    The same `client_token` with the same request makes one version, however often it is sent. The version is made
    asynchronously: its status becomes Completed later. Raises AwsInvalid for a field that breaks AWS's limits,
    AwsConflict (also for a token used with another request), AwsNotFound, AwsDenied when the share does not allow to
    register. Source: CreateModelPackage.
    """
    whole = {**request, "ModelPackageGroupName": _key(group), "ClientToken": client_token}
    require_valid(session, "sagemaker", "CreateModelPackage", whole)
    with translated(session, "sagemaker", "CreateModelPackage"):
        return session.sagemaker.create_model_package(**whole)["ModelPackageArn"]


def _key(group: GroupRecord | str) -> str:
    return group.arn if isinstance(group, GroupRecord) else group
