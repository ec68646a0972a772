"""Artifacts on their way to the hub: taken up where a killed worker left off, named by orders only when they are there."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from governance.choices import FindingKind
from governance.models import Finding, OutboxMessage
from governance.services import artifacts, delivery, outbox, registration
from governance.services.carriers.artifact_copy import url_for_deployment
from governance.services.carriers.carrier import NotYet
from governance.services.sync import ACTOR, LISTENERS
from registry.aws import s3_copy, sagemaker
from registry.aws.s3 import MEBIBYTE
from registry.models import AwsAccount, ModelVersion
from registry.sync import apply
from tests import aws_story
from tests.aws_story import DEVELOPMENT, HUB
from tests.committed import database_url
from tests.sandbox import ROOT, Sandbox

from .registering import Place, new, place

CHILD = """
import django; django.setup()
from registry.aws import s3_copy
s3_copy.copy.__kwdefaults__["part_size"] = 5 * 1024 * 1024
from governance.services import delivery
delivery.deliver_key({key!r})
"""


@pytest.fixture(scope="module")
def world(made_database: None, django_db_blocker: Any, aws_process: Sandbox) -> Iterator[Place]:
    with django_db_blocker.unblock(), place(aws_process) as made:
        yield made


@pytest.fixture(autouse=True)
def calm(world: Place) -> Iterator[None]:
    world.aws.forget()
    yield
    world.aws.forget()


def put(world: Place, key: str, body: bytes, account: str = DEVELOPMENT) -> str:
    bucket = world.buckets[account]
    aws_story.session(account).s3.put_object(Bucket=bucket, Key=key, Body=body)
    return f"s3://{bucket}/{key}"


def registered(world: Place, artifact: str) -> ModelVersion:
    done = registration.register_version(actor=world.people.scientist.actor, group_id=world.group.pk, new=new(artifact))
    assert done.version is not None
    return ModelVersion.objects.select_related("group__account").get(pk=done.version.pk)


def copy_of(version: ModelVersion) -> OutboxMessage:
    message = artifacts.latest_copy(version)
    assert message is not None
    return message


def body_at(url: str) -> bytes:
    bucket, _, key = url.removeprefix("s3://").partition("/")
    return bytes(aws_story.session(HUB).s3.get_object(Bucket=bucket, Key=key)["Body"].read())


def uploads(world: Place) -> list[Any]:
    return list(aws_story.session(HUB).s3.list_multipart_uploads(Bucket=world.buckets[HUB]).get("Uploads", []))


def child(key: str) -> subprocess.Popen[bytes]:
    env = {**os.environ, "DATABASE_URL": database_url(), "DJANGO_SETTINGS_MODULE": "portal.settings.test"}
    return subprocess.Popen([sys.executable, "-c", CHILD.format(key=key)], cwd=ROOT, env=env)


def sent(world: Place) -> int:
    return len([call for call in world.aws.calls(service="s3", operation="UploadPart") if call["performed"]])


def test_a_copy_killed_in_the_middle_goes_on_from_there(world: Place) -> None:
    body = os.urandom(11 * MEBIBYTE)
    version = registered(world, put(world, f"{uuid.uuid4().hex}/model.tar.gz", body))
    message = copy_of(version)
    with pytest.raises(NotYet, match="the copy of the artifact"):
        url_for_deployment(version)
    world.aws.forget()
    world.aws.fault(service="s3", operation="UploadPart", error="latency", seconds=0.6)
    first = child(message.ordering_key)
    deadline = time.monotonic() + 40
    while not sent(world):
        assert time.monotonic() < deadline
        assert first.poll() is None
        time.sleep(0.02)
    first.send_signal(signal.SIGKILL)
    first.wait()
    message.refresh_from_db()
    assert (message.state, message.attempts) == ("pending", 1)
    assert message.progress["copy"]["upload_id"]
    assert message.progress["copy"]["total"] == len(body)
    assert len(uploads(world)) == 1
    # What was on the wire when it died arrives, and is not counted below.
    time.sleep(0.8)
    world.aws.forget()

    again = child(message.ordering_key)
    assert again.wait(60) == 0
    assert sent(world) in (1, 2), "of three parts at least the first is not sent again"
    message.refresh_from_db()
    assert message.state == "delivered", message.last_error
    version.refresh_from_db()
    assert version.hub_artifact_url == message.payload["target_url"] == url_for_deployment(version)
    assert version.hub_artifact_sha256 == hashlib.sha256(body).hexdigest()
    assert body_at(version.hub_artifact_url) == body
    assert uploads(world) == []


def test_a_copy_given_up_leaves_no_upload_and_a_retry_makes_it(world: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(s3_copy.copy.__kwdefaults__, "part_size", 5 * MEBIBYTE)
    monkeypatch.setattr(delivery, "MOST_ATTEMPTS", 1)
    version = registered(world, put(world, f"{uuid.uuid4().hex}/model.tar.gz", os.urandom(6 * MEBIBYTE)))
    message = copy_of(version)
    world.aws.fault(service="s3", operation="UploadPart", error="ServiceUnavailable", times=None)
    delivery.deliver_key(message.ordering_key)
    message.refresh_from_db()
    assert message.state == "failed"
    assert uploads(world) == []
    with pytest.raises(NotYet, match="given up"):
        url_for_deployment(version)
    world.aws.forget()
    outbox.retry(actor=world.people.engineer.actor, message_id=message.pk)
    delivery.deliver_key(message.ordering_key)
    assert url_for_deployment(version) == message.payload["target_url"]


def test_a_prefix_is_copied_whole(world: Place) -> None:
    prefix = uuid.uuid4().hex
    for name in ("weights.bin", "code/inference.py"):
        put(world, f"{prefix}/{name}", name.encode())
    version = registered(world, f"s3://{world.buckets[DEVELOPMENT]}/{prefix}/")
    message = copy_of(version)
    delivery.deliver_key(message.ordering_key)
    version.refresh_from_db()
    assert version.hub_artifact_url.endswith(f"/{version.number}/{prefix}/")
    assert body_at(f"{version.hub_artifact_url}code/inference.py") == b"code/inference.py"
    assert len(version.hub_artifact_sha256) == 64


def test_what_is_in_the_hub_already_is_not_copied(world: Place) -> None:
    url = put(world, f"{uuid.uuid4().hex}/model.tar.gz", b"x", HUB)
    version = registered(world, url)
    assert artifacts.latest_copy(version) is None
    assert url_for_deployment(version) == url


def test_a_bucket_nobody_names_is_found_until_somebody_does(world: Place) -> None:
    bucket = f"elsewhere-{uuid.uuid4().hex[:12]}"
    session = aws_story.session(DEVELOPMENT)
    session.s3.create_bucket(Bucket=bucket)
    session.s3.put_object(Bucket=bucket, Key="model.tar.gz", Body=b"bytes")
    version = registered(world, f"s3://{bucket}/model.tar.gz")
    finding = Finding.objects.get(version=version, kind=FindingKind.ARTIFACT_UNREACHABLE)
    assert (finding.state, finding.evidence["bucket"]) == ("open", bucket)
    assert artifacts.settle_unreachable() == 0
    assert artifacts.latest_copy(version) is None
    account = AwsAccount.objects.get(account_id=DEVELOPMENT)
    AwsAccount.objects.filter(pk=account.pk).update(artifact_buckets=[*account.artifact_buckets, bucket])
    assert artifacts.settle_unreachable() == 1
    finding.refresh_from_db()
    assert finding.state == "resolved"
    delivery.deliver_key(copy_of(version).ordering_key)
    version.refresh_from_db()
    assert body_at(version.hub_artifact_url) == b"bytes"


def test_another_artifact_is_never_deployed_from_nor_written_over_the_first_ones_copy(world: Place) -> None:
    first, second = (put(world, f"{uuid.uuid4().hex}/model.tar.gz", body) for body in (b"one", b"two"))
    version = registered(world, first)
    delivery.deliver_key(copy_of(version).ordering_key)
    version.refresh_from_db()
    approved = version.hub_artifact_url
    assert body_at(approved) == b"one"
    moved(version, "s3://nobody-names-this/model.tar.gz")
    assert (version.hub_artifact_url, version.hub_artifact_copied_at) == ("", None)
    assert url_for_deployment(version) == version.artifact_url
    moved(version, second)
    delivery.deliver_key(copy_of(version).ordering_key)
    version.refresh_from_db()
    assert body_at(version.hub_artifact_url) == b"two"
    assert body_at(approved) == b"one"
    moved(version, first)
    assert copy_of(version).payload["target_url"] == approved


def moved(version: ModelVersion, artifact: str) -> None:
    """Have the portal read that a version's artifact lies somewhere else now."""
    record = sagemaker.describe_version(aws_story.session(HUB), version.arn)
    containers = tuple(replace(one, model_data_url=artifact) for one in record.containers)
    apply.together(ACTOR, version.group, [replace(record, containers=containers)], LISTENERS)
    version.refresh_from_db()
