"""What the company's people and pipelines do in AWS themselves, each under a session in his own name."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import boto3

from registry.aws import ram, sagemaker
from registry.aws.records import AccountRef
from registry.aws.session import AwsSession, client_config

from ..sandbox.accounts import DEVELOPMENT, HUB, REGION
from .models import GROUPS

ROLE = "DataScientist"
VENDOR_SHARE = "quick share for the vendor"
SHARES = (VENDOR_SHARE, "card-fraud with development", "affordability with development", "churn with test")


class InAws:
    """Clients of the sandbox AWS by person, account and region, each made once."""

    def __init__(self) -> None:
        """Know nobody yet."""
        self._clients: dict[tuple[str, str, str], Any] = {}
        self._sessions: dict[tuple[str, str], AwsSession] = {}

    @cached_property
    def _boto(self) -> boto3.Session:
        return boto3.Session()

    @cached_property
    def _sts(self) -> Any:
        return self._boto.client("sts", region_name=REGION, config=client_config("sts"))

    def sagemaker(self, person: str, account: str, region: str, role: str = ROLE) -> Any:
        """Return SageMaker as a person sees it who has assumed the role in an account."""
        key = (f"{role}/{person}", account, region)
        if key not in self._clients:
            arn = f"arn:aws:iam::{account}:role/{role}"
            keys = self._sts.assume_role(RoleArn=arn, RoleSessionName=person)["Credentials"]
            self._clients[key] = self._boto.client(
                "sagemaker",
                region_name=region,
                config=client_config("sagemaker"),
                aws_access_key_id=keys["AccessKeyId"],
                aws_secret_access_key=keys["SecretAccessKey"],
                aws_session_token=keys["SessionToken"],
            )
        return self._clients[key]

    def administrator(self, account: str, region: str = REGION) -> AwsSession:
        """Return a session of whoever sets an account up: it may do everything."""
        key = (account, region)
        if key not in self._sessions:
            arn = f"arn:aws:iam::{account}:role/Administrator"
            self._sessions[key] = AwsSession(AccountRef(account, region, arn))
        return self._sessions[key]

    def put_object(self, bucket: str, key: str, body: bytes) -> None:
        """Put an object into a bucket of the hub's or the development account's; other buckets nobody has."""
        account = {"ml-artifacts-hub": HUB, "ml-artifacts-dev": DEVELOPMENT}.get(bucket)
        if account is not None:
            self.administrator(account).s3.put_object(Bucket=bucket, Key=key, Body=body)


def sessions_of(person: str) -> list[str]:
    """Return the ARNs under which a data scientist appears in AWS."""
    return [f"arn:aws:sts::{account}:assumed-role/{ROLE}/{person}" for account in (HUB, DEVELOPMENT)]


def clear_leftovers() -> None:
    """Take away what the story made in the sandbox AWS for a database that is gone: a new one would not know it."""
    aws = InAws()
    for account, region in sorted({(group.account, group.region) for group in GROUPS}):
        session = aws.administrator(account, region)
        ours = {group.name for group in GROUPS if (group.account, group.region) == (account, region)}
        for found in [group for group in sagemaker.list_groups(session) if group.name in ours]:
            for each in list(sagemaker.list_versions(session, found)):
                session.sagemaker.delete_model_package(ModelPackageName=each.arn)
            session.sagemaker.delete_model_package_group(ModelPackageGroupName=found.name)
    session = aws.administrator(HUB)
    for share in list(ram.list_shares(session, "SELF")):
        if share.name in SHARES and share.status == "ACTIVE":
            session.ram.delete_resource_share(resourceShareArn=share.arn)
