"""Anchors in a bucket with Object Lock, by real boto3 against the sandbox: kept from whoever has the portal's rights."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.exceptions import ClientError

from governance.selectors.anchors import stored_numbers
from governance.services.anchors import anchor
from governance.services.verification import verify
from portal.core.errors import Unavailable
from portal.settings.environment import Environment, anchors_storage
from registry.models import LineOfBusiness
from registry.services import organisation
from tests.factories.people import SYSTEM
from tests.sandbox import Sandbox


@pytest.fixture
def bucket(aws: Sandbox, settings: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """A bucket as docs/operations.md asks for: versions, Object Lock, and a retention nobody can shorten."""
    name = f"anchors-{uuid4().hex[:12]}"
    s3 = boto3.client("s3", region_name="us-east-1")
    s3.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    rule = {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 3650}}
    s3.put_object_lock_configuration(
        Bucket=name, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": rule}
    )
    monkeypatch.setenv("PORTAL_ANCHORS_BUCKET", name)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    settings.STORAGES = {**settings.STORAGES, "anchors": anchors_storage(Environment())}  # type: ignore[call-arg]
    return name


def grow(word: str) -> LineOfBusiness:
    return organisation.create_line_of_business(actor=SYSTEM, name=f"Line {word}")


def test_anchors_lie_in_the_bucket_and_are_checked_from_there(committed_db: str, bucket: str) -> None:
    for word in ("one", "two", "three"):
        grow(word)
        assert anchor(actor=SYSTEM) is not None
    assert stored_numbers() == [1, 2, 3]
    found = verify()
    assert (found.problem, found.anchors) == ("", 3)
    s3 = boto3.client("s3", region_name="us-east-1")
    kept = s3.list_objects_v2(Bucket=bucket)["Contents"]
    assert [each["Key"] for each in kept] == [f"audit-anchors/000000000{number}.jwt" for number in (1, 2, 3)]


def test_what_is_written_over_or_hidden_is_found(committed_db: str, bucket: str) -> None:
    for word in ("one", "two", "three"):
        grow(word)
        anchor(actor=SYSTEM)
    s3 = boto3.client("s3", region_name="us-east-1")
    key = "audit-anchors/0000000002.jwt"
    [first] = s3.list_object_versions(Bucket=bucket, Prefix=key)["Versions"]
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.delete_object(Bucket=bucket, Key=key, VersionId=first["VersionId"])
    s3.put_object(Bucket=bucket, Key=key, Body=b"another")
    assert verify().first_bad_anchor == 2
    s3.delete_object(Bucket=bucket, Key=key)
    found = verify()
    assert (found.first_bad_anchor, found.problem) == (2, "Anchor 2 is missing in the storage.")
    assert s3.get_object(Bucket=bucket, Key=key, VersionId=first["VersionId"])["Body"].read().count(b".") == 2


def test_a_bucket_that_does_not_answer_loses_nothing(
    committed_db: str, bucket: str, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    grow("one")
    there = settings.STORAGES
    monkeypatch.setenv("PORTAL_ANCHORS_BUCKET", "no-such-bucket-anywhere")
    settings.STORAGES = {**there, "anchors": anchors_storage(Environment())}  # type: ignore[call-arg]
    with pytest.raises(Unavailable, match="NoSuchBucket"):
        anchor(actor=SYSTEM)
    with pytest.raises(Unavailable, match="NoSuchBucket"):
        verify()
    settings.STORAGES = there
    made = anchor(actor=SYSTEM)
    assert made is not None
    assert made.number == 1
    assert verify().problem == ""
