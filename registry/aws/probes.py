"""Find out by harmless calls what a role may do, where it may not ask IAM. Nothing is written, moved or received."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from registry.aws.errors import AwsDenied, AwsNotFound, translated
from registry.aws.session import AwsSession

# A name nothing has: AWS decides whether one may look before it looks, so "not found" means allowed.
NOTHING = "model-governance-preflight"


def probe(session: AwsSession, action: str, *, group: str = "", bucket: str = "", pipeline: str = "") -> bool | None:
    """Say whether an action is allowed by trying it; None when there is no harmless way to try.

    Reads one entry, or something that need not exist. Raises AwsError when the answer says neither.
    """
    attempt = _attempts(session, group or NOTHING, bucket, pipeline or NOTHING).get(action)
    if attempt is None:
        return None
    try:
        attempt()
    except AwsDenied:
        return False
    except AwsNotFound:
        return True
    return True


def _attempts(session: AwsSession, group: str, bucket: str, pipeline: str) -> Mapping[str, Callable[[], Any]]:
    found: dict[str, Callable[[], Any]] = {
        "sagemaker:ListModelPackageGroups": partial(_list_groups, session),
        "sagemaker:ListModelPackages": partial(_list_versions, session),
        "sagemaker:Search": partial(_search, session),
        "sagemaker:DescribeModelPackageGroup": partial(_describe_group, session, group),
        "sagemaker:GetModelPackageGroupPolicy": partial(_group_policy, session, group),
        "sagemaker:DescribePipeline": partial(_describe_pipeline, session, pipeline),
        "ram:GetResourceShares": partial(_shares, session),
        "ram:GetResourceShareInvitations": partial(_invitations, session),
        "ram:ListPermissions": partial(_permissions, session),
    }
    if bucket:
        found["s3:ListBucket"] = partial(_bucket, session, bucket)
    return found


def _list_groups(session: AwsSession) -> None:
    with translated(session, "sagemaker", "ListModelPackageGroups"):
        session.sagemaker.list_model_package_groups(MaxResults=1)


def _list_versions(session: AwsSession) -> None:
    with translated(session, "sagemaker", "ListModelPackages"):
        session.sagemaker.list_model_packages(MaxResults=1)


def _search(session: AwsSession) -> None:
    with translated(session, "sagemaker", "Search"):
        session.sagemaker.search(Resource="ModelPackage", MaxResults=1)


def _describe_group(session: AwsSession, group: str) -> None:
    with translated(session, "sagemaker", "DescribeModelPackageGroup"):
        session.sagemaker.describe_model_package_group(ModelPackageGroupName=group)


def _group_policy(session: AwsSession, group: str) -> None:
    with translated(session, "sagemaker", "GetModelPackageGroupPolicy"):
        session.sagemaker.get_model_package_group_policy(ModelPackageGroupName=group)


def _describe_pipeline(session: AwsSession, pipeline: str) -> None:
    with translated(session, "sagemaker", "DescribePipeline"):
        session.sagemaker.describe_pipeline(PipelineName=pipeline)


def _shares(session: AwsSession) -> None:
    with translated(session, "ram", "GetResourceShares"):
        session.ram.get_resource_shares(resourceOwner="SELF", maxResults=1)


def _invitations(session: AwsSession) -> None:
    with translated(session, "ram", "GetResourceShareInvitations"):
        session.ram.get_resource_share_invitations(maxResults=1)


def _permissions(session: AwsSession) -> None:
    with translated(session, "ram", "ListPermissions"):
        session.ram.list_permissions(maxResults=1)


def _bucket(session: AwsSession, bucket: str) -> None:
    with translated(session, "s3", "HeadBucket"):
        session.s3.head_bucket(Bucket=bucket)
