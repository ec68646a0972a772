"""Give the sandbox's accounts the portal's roles, as the templates of deploy/ make them in AWS.

The demo's portal thus works with the rights it would have, and *Check permissions* finds what a deployment would find.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from registry.aws.cloudformation import QUEUE_NAME, ROLE_NAME, hub_role, spoke_role
from registry.aws.records import AccountRef
from registry.aws.session import AwsSession

from .sandbox.accounts import HUB, REGION
from .templates import Worked

EXTERNAL_ID = "model-governance-portal"
# What the portal's processes would run as. The sandbox's keys belong to nobody and stand for it.
_RUNTIME = f"arn:aws:iam::{HUB}:role/PortalRuntime"


def arn_of(account_id: str) -> str:
    """Return the ARN of the portal's role in an account."""
    return f"arn:aws:iam::{account_id}:role/{ROLE_NAME}"


def administrator(account_id: str, region: str = REGION) -> AwsSession:
    """Return a session of whoever sets an account up; IAM does not know the role, so it may do everything."""
    return AwsSession(AccountRef(account_id, region, f"arn:aws:iam::{account_id}:role/Administrator"))


def deploy(account_id: str, *, is_hub: bool, buckets: Iterable[str] = (), copied_from: Iterable[str] = ()) -> None:
    """Make the portal's role in an account, or bring it up to date. Doing it twice changes nothing.

    Pipelines named `deploy-...` and queues named `deployment-callbacks...` may be used for deployment orders, as in
    the examples of docs/deployment-orders.md.
    """
    given = {
        "PortalPrincipalArn": _RUNTIME,
        "ExternalId": EXTERNAL_ID,
        "ArtifactBucketArns": _arns(buckets),
        "DeploymentPipelines": "deploy-*",
        "CallbackQueues": "deployment-callbacks*",
        "EventQueue": QUEUE_NAME if is_hub else "",
    }
    if is_hub:
        given["SourceBucketArns"] = _arns(copied_from)
    template = hub_role() if is_hub else spoke_role()
    role = Worked(template, given, account_id=account_id, region=REGION).properties("Role")
    iam = administrator(account_id).iam
    trust = json.dumps(role["AssumeRolePolicyDocument"])
    try:
        iam.create_role(RoleName=ROLE_NAME, Description=role["Description"], AssumeRolePolicyDocument=trust)
    except iam.exceptions.EntityAlreadyExistsException:
        iam.update_assume_role_policy(RoleName=ROLE_NAME, PolicyDocument=trust)
    (policy,) = role["Policies"]
    iam.put_role_policy(
        RoleName=ROLE_NAME, PolicyName=policy["PolicyName"], PolicyDocument=json.dumps(policy["PolicyDocument"])
    )


def _arns(buckets: Iterable[str]) -> str:
    return ",".join(f"arn:aws:s3:::{bucket}" for bucket in buckets)
