"""The portal's own part of a sync, in a process of its own: what remains when AWS answers at once.

Run by benchmarks/sync.py: `python benchmarks/sync_own_work.py VERSIONS` makes a first pass over an account whose
versions are all new, with their cards, and a second one over the same account, unchanged. AWS is played in this
process, so that nothing but reading, planning and writing is measured; answers have the shape DescribeModelPackage
has. Prints one JSON line: new_versions_per_s, unchanged_versions_per_s, rss_mb, versions.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import django

django.setup()

from django.db import connection

from governance.models import AuditEvent, StageEvent, StageRecord
from governance.services import sync
from registry.aws import sagemaker
from registry.aws.records import GroupRecord, VersionRecord, VersionSummary
from registry.choices import AccountPurpose
from registry.models import AwsAccount, ModelVersion, SyncRun
from tests.factories.records import card

PER_GROUP = 100
START = datetime(2026, 1, 1, tzinfo=UTC)
REGION = "us-east-1"
CARD = card(risk="Low")


def name_of(number: int) -> str:
    return f"own-work-{number}"


def group(account_id: str, number: int) -> dict[str, Any]:
    """Return one group as a list has it."""
    return {
        "ModelPackageGroupName": name_of(number),
        "ModelPackageGroupArn": f"arn:aws:sagemaker:{REGION}:{account_id}:model-package-group/{name_of(number)}",
        "ModelPackageGroupDescription": "Scores applications for consumer credit",
        "CreationTime": START + timedelta(seconds=number),
        "ModelPackageGroupStatus": "Completed",
    }


def summary(group_arn: str, number: int) -> dict[str, Any]:
    """Return one version as a list has it."""
    name = group_arn.rsplit("/", 1)[1]
    return {
        "ModelPackageGroupName": name,
        "ModelPackageVersion": number,
        "ModelPackageArn": f"{group_arn.replace('model-package-group', 'model-package')}/{number}",
        "ModelPackageDescription": f"Trained in week {number}",
        "CreationTime": START + timedelta(minutes=number),
        "ModelPackageStatus": "Completed",
        "ModelApprovalStatus": "PendingManualApproval",
    }


def described(arn: str) -> dict[str, Any]:
    """Return one version as DescribeModelPackage has it."""
    head, number = arn.rsplit("/", 1)
    name = head.rsplit("/", 1)[1]
    account_id = arn.split(":")[4]
    who = {"IamIdentity": {"Arn": f"arn:aws:sts::{account_id}:assumed-role/data-science/ada", "PrincipalId": "A:ada"}}
    place = f"s3://models-{account_id}/{name}/{number}"
    return {
        **summary(head.replace("model-package", "model-package-group"), int(number)),
        "LastModifiedTime": START + timedelta(minutes=int(number)),
        "InferenceSpecification": {
            "Containers": [
                {
                    "Image": f"683313688378.dkr.ecr.{REGION}.amazonaws.com/sagemaker-xgboost:1.7-1",
                    "ImageDigest": f"sha256:{'a' * 64}",
                    "ModelDataUrl": f"{place}/model.tar.gz",
                    "ModelDataETag": "b" * 32,
                    "Framework": "XGBOOST",
                    "FrameworkVersion": "1.7",
                }
            ],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
        "ModelMetrics": {
            "ModelQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": f"{place}/statistics.json"}}
        },
        "CustomerMetadataProperties": {"algorithm": "xgboost", "validation_auc": "0.78", "commit": "c" * 40},
        "CreatedBy": who,
        "LastModifiedBy": who,
        "ModelCard": {"ModelCardContent": CARD, "ModelCardStatus": "Draft"},
    }


def play_aws(account: AwsAccount, groups: int) -> None:
    """Answer the gateway's reading calls from here, as lazily as AWS hands out pages."""

    def list_groups(session: Any, *, cross_account: bool = False) -> Iterator[GroupRecord]:
        for number in range(0 if cross_account else groups):
            yield GroupRecord.from_describe(group(account.account_id, number))

    def list_versions(session: Any, of: GroupRecord) -> Iterator[VersionSummary]:
        for number in range(1, PER_GROUP + 1):
            yield VersionSummary.from_summary(summary(of.arn, number))

    def describe_version(session: Any, arn: str) -> VersionRecord:
        return VersionRecord.from_describe(described(arn))

    sagemaker.list_groups = list_groups  # type: ignore[assignment]  # stands in for the call
    sagemaker.list_versions = list_versions  # type: ignore[assignment]  # as above
    sagemaker.describe_version = describe_version


def one_pass(account: AwsAccount) -> tuple[SyncRun, float]:
    """Make a full pass; returns its row and the seconds it took. Raises RuntimeError when it failed."""
    begun = time.perf_counter()
    (run,) = sync.sync_account(account_id=account.account_id, requested_by="bench")
    if run.error:
        raise RuntimeError(run.error)
    return run, time.perf_counter() - begun


def main() -> None:
    versions = int(sys.argv[1])
    account_id = f"{versions:012d}"
    account = AwsAccount.objects.create(
        account_id=account_id, alias=f"own-{versions}", purposes=[AccountPurpose.HUB], regions=[REGION],
        artifact_buckets=[f"models-{account_id}"],
    )  # fmt: skip
    play_aws(account, versions // PER_GROUP)
    audited = AuditEvent.objects.count()
    first, cold = one_pass(account)
    made = ModelVersion.objects.filter(group__account=account)
    counts = (
        made.count(),
        StageRecord.objects.filter(version__in=made).count(),
        StageEvent.objects.filter(version__in=made).count(),
    )
    if first.created != versions or counts != (versions,) * 3 or AuditEvent.objects.count() - audited < 2 * versions:
        raise RuntimeError(f"{first.created} of {versions} versions were created, with {counts} rows")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    second, warm = one_pass(account)
    if second.unchanged != versions or second.created or second.updated:
        raise RuntimeError(f"{second.unchanged} of {versions} versions were as known")
    print(
        json.dumps(
            {
                "versions": versions,
                "new_versions_per_s": round(versions / cold),
                "unchanged_versions_per_s": round(versions / warm),
                "rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
            }
        )
    )


if __name__ == "__main__":
    main()
