"""What people in the AWS accounts do, done in the sandbox: groups, shares, versions, artifacts."""

from __future__ import annotations

import uuid
from contextlib import suppress
from typing import Any

from botocore.exceptions import ClientError

from governance.services import sync
from registry.aws import events, ram, sagemaker
from registry.aws.records import AccountRef, ContainerRecord
from registry.aws.session import AwsSession, session_for
from registry.models import AwsAccount, ModelGroup, ModelVersion, Project, SyncRun
from registry.services import accounts, groups
from tests.factories import Cast
from tests.factories.records import card

HUB, DEVELOPMENT = "111111111111", "222222222222"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"


def session(account_id: str) -> AwsSession:
    """Return the portal's session in an account."""
    return accounts.reach(AwsAccount.objects.get(account_id=account_id))


def unique(prefix: str) -> str:
    """Return a name nobody else in this sandbox has."""
    return f"{prefix}-{uuid.uuid4().hex[:8]}"


# The groups made so far, so that a test can take its own away: every pass over the hub reads what is left.
MADE: list[str] = []


def new_group(name: str = "") -> str:
    """Create a model package group in the hub; returns its ARN."""
    arn = sagemaker.create_group(
        session(HUB), name=name or unique("group"), description="Scores", tags={"project": "credit-risk"}
    )
    MADE.append(arn)
    return arn


def take_away(since: int) -> None:
    """Delete the groups made since then with their versions, as far as they are still there."""
    cleaner = AccountRef(HUB, "us-east-1", role_arn=f"arn:aws:iam::{HUB}:role/Cleaner")
    for arn in MADE[since:]:
        client, name = session_for(cleaner).sagemaker, arn.rsplit("/", 1)[1]
        with suppress(ClientError):
            for page in client.get_paginator("list_model_packages").paginate(ModelPackageGroupName=name):
                for version in page["ModelPackageSummaryList"]:
                    client.delete_model_package(ModelPackageName=version["ModelPackageArn"])
            client.delete_model_package_group(ModelPackageGroupName=name)
    del MADE[since:]


def share(group_arn: str, account_id: str = DEVELOPMENT) -> None:
    """Share a group with a spoke under the permission to register, and accept there."""
    made = ram.create_share(
        session(HUB),
        name=unique("share"),
        resource_arns=[group_arn],
        principals=[account_id],
        permission_arns=[ram.PERMISSION_REGISTER],
        client_token=uuid.uuid4().hex,
    )
    for invitation in ram.list_invitations(session(account_id)):
        if invitation.share_arn == made.arn:
            ram.accept_invitation(session(account_id), invitation.arn)


def register(
    group_arn: str,
    *,
    by: str = HUB,
    artifact: str = "s3://ml-artifacts-hub/model.tar.gz",
    card_content: str | None = None,
    metadata: dict[str, str] | None = None,
) -> str:
    """Register a version from an account; returns its ARN."""
    return sagemaker.register_version(
        session(by),
        group=group_arn,
        description="Model to detect credit risk",
        containers=[ContainerRecord(IMAGE, model_data_url=artifact)],
        content_types=["text/csv"],
        response_types=["text/csv"],
        metadata=metadata if metadata is not None else {"algorithm": "xgboost", "validation_auc": "0.78"},
        card_content=card_content if card_content is not None else card(risk="Low"),
        client_token=uuid.uuid4().hex,
    )


def synced(account_id: str = HUB) -> SyncRun:
    """Make a full pass over an account, as the worker does."""
    (run,) = sync.sync_account(account_id=account_id, requested_by="test")
    return run


def known(arn: str) -> ModelVersion:
    """Return the portal's row of a version."""
    return ModelVersion.objects.select_related("group").get(arn=arn)


def claimed(people: Cast, project: Project, **values: Any) -> ModelVersion:
    """A version registered in the hub, synced, its group claimed for the project."""
    arn = register(new_group(), **values)
    assert synced().error == ""
    made = known(arn)
    claim(people, project, made.group)
    return known(arn)


def claim(people: Cast, project: Project, group: ModelGroup) -> None:
    """Claim a group as the ML engineer does."""
    groups.edit(
        actor=people.engineer.actor,
        group_id=group.pk,
        revision=group.revision,
        project=project,
        owner=people.owner,
        use_cases=[],
    )


def event_queue() -> str:
    """Give the hub an event queue of its own and tell the portal; returns its address."""
    name = unique("events")
    url = events.ensure_queue_and_rule(session(HUB), queue_name=name, rule_name=name)
    AwsAccount.objects.filter(account_id=HUB).update(event_queue_url=url)
    return url
