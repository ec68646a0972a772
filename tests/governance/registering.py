"""A hub, a development account and a project's people in a database of their own, for what is carried to AWS at once."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from registry.aws.records import ContainerRecord
from registry.aws.session import reset_sessions
from registry.models import AwsAccount, ModelGroup, Project
from registry.services.registrations import NewVersion
from tests import aws_story
from tests.aws_story import DEVELOPMENT, HUB, IMAGE
from tests.committed import own_database
from tests.factories import Cast, cast, project
from tests.factories.records import card
from tests.factories.walk import all_accounts
from tests.sandbox import Sandbox


@dataclass(frozen=True)
class Place:
    """Where registrations are tried."""

    aws: Sandbox
    people: Cast
    project: Project
    group: ModelGroup
    buckets: dict[str, str]


@contextmanager
def place(aws: Sandbox) -> Iterator[Place]:
    """Point this process at the sandbox, and give it a database with people, accounts and a claimed group."""
    with pytest.MonkeyPatch.context() as patch, own_database():
        for name, value in {
            "AWS_ENDPOINT_URL": aws.url,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_EC2_METADATA_DISABLED": "true",
        }.items():
            patch.setenv(name, value)
        aws.forget()
        reset_sessions()
        here = project()
        all_accounts()
        people = cast(here, project())
        buckets = {account_id: f"artifacts-{uuid.uuid4().hex[:12]}" for account_id in (HUB, DEVELOPMENT)}
        for account_id, bucket in buckets.items():
            aws_story.session(account_id).s3.create_bucket(Bucket=bucket)
            AwsAccount.objects.filter(account_id=account_id).update(artifact_buckets=[bucket])
        arn = aws_story.new_group()
        assert aws_story.synced().error == ""
        group = ModelGroup.objects.get(arn=arn)
        aws_story.claim(people, here, group)
        yield Place(aws, people, here, ModelGroup.objects.get(pk=group.pk), buckets)
        aws.forget()
        reset_sessions()


def new(artifact: str = "", **values: Any) -> NewVersion:
    """Return what people say of a version."""
    defaults: dict[str, Any] = {
        "containers": (ContainerRecord(IMAGE, model_data_url=artifact, environment={"THREADS": "2"}),),
        "content_types": ("text/csv",),
        "response_types": ("text/csv",),
        "description": "Model to detect credit risk",
        "metadata": {"algorithm": "xgboost", "validation_auc": "0.78"},
        "card": json.loads(card(risk="Low")),
    }
    return NewVersion(**{**defaults, **values})
