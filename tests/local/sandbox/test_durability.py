"""What was answered is there after a stop and after a kill, and what a request writes does not grow."""

from __future__ import annotations

import json
import pickle
import signal
import sqlite3
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from portal.local.sandbox.identify import identify
from portal.local.sandbox.state import FILE_NAME, StateFile
from tests.local.sandbox.world import (
    ALLOW_REGISTER,
    DEVELOPMENT,
    HUB,
    Aws,
    refused,
    running,
    specification,
    unique,
)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aws]:
    """A sandbox the tests of this module may stop and kill."""
    with running(tmp_path_factory.mktemp("durability")) as started:
        yield started


def end(aws: Aws, how: signal.Signals) -> None:
    """Stop or kill the process and start it anew on the same state."""
    code = aws.stop(how)
    assert code == (0 if how is signal.SIGTERM else -how)
    aws.start()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL], ids=lambda s: s.name)
def test_every_service_keeps_what_it_answered(own: Aws, how: signal.Signals) -> None:
    sagemaker, s3, sqs, events, iam = (own.client(s) for s in ("sagemaker", "s3", "sqs", "events", "iam"))
    keys = own.assume(DEVELOPMENT, "DataScientist", "data.scientist", SourceIdentity="jane")
    group = own.group(Tags=[{"Key": "project", "Value": "credit"}], ModelPackageGroupDescription="Scores")
    share = own.share(group, DEVELOPMENT, ALLOW_REGISTER)
    _, pending = own.offer(own.group(), DEVELOPMENT)
    queue = own.listener({"source": ["aws.sagemaker"], "detail": {"ModelPackageGroupName": [group.rsplit("/", 1)[1]]}})
    arn = own.version(group, ClientToken="the-same-token-" + how.name)
    own.update(arn, ModelLifeCycle={"Stage": "QA", "StageStatus": "Approved"})
    bucket, role = unique("artifacts"), unique("role")
    s3.create_bucket(Bucket=bucket)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    first = s3.put_object(Bucket=bucket, Key="model.tar.gz", Body=b"one", Metadata={"run": "7"})["VersionId"]
    s3.put_object(Bucket=bucket, Key="model.tar.gz", Body=b"two", Tagging="stage=dev")
    upload = s3.create_multipart_upload(Bucket=bucket, Key="large")["UploadId"]
    part = s3.upload_part(Bucket=bucket, Key="large", UploadId=upload, PartNumber=1, Body=b"part")["ETag"]
    role_id = iam.create_role(RoleName=role, AssumeRolePolicyDocument="{}")["Role"]["RoleId"]
    model = unique("model")
    model_arn = sagemaker.create_model(
        ModelName=model, PrimaryContainer={"Image": "image"}, ExecutionRoleArn=f"arn:aws:iam::{HUB}:role/x"
    )["ModelArn"]
    sagemaker.add_tags(ResourceArn=model_arn, Tags=[{"Key": "use-case", "Value": "UC-0001"}])
    described, tags = own.read(arn), sagemaker.list_tags(ResourceArn=group)["Tags"]
    last = sqs.send_message(QueueUrl=queue, MessageBody='"last"')["MessageId"]

    end(own, how)

    assert own.read(arn) == described
    assert sagemaker.list_tags(ResourceArn=group)["Tags"] == tags
    assert own.version(group, ClientToken="the-same-token-" + how.name) == arn
    kept = sagemaker.describe_model_package_group(ModelPackageGroupName=group)
    assert kept["ModelPackageGroupDescription"] == "Scores"
    messages = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    assert messages[-1]["MessageId"] == last
    bodies = [json.loads(m["Body"]) for m in messages]
    assert [b["detail"]["UpdatedModelPackageFields"] for b in bodies[:-1]] == [[], ["ModelLifeCycle"]]
    assert own.client("ram").get_resource_shares(resourceOwner="SELF", resourceShareArns=[share])["resourceShares"]
    own.accept(pending)
    assert s3.get_object(Bucket=bucket, Key="model.tar.gz")["Body"].read() == b"two"
    assert s3.get_object(Bucket=bucket, Key="model.tar.gz", VersionId=first)["Metadata"] == {"run": "7"}
    assert s3.get_object_tagging(Bucket=bucket, Key="model.tar.gz")["TagSet"] == [{"Key": "stage", "Value": "dev"}]
    parts = {"Parts": [{"PartNumber": 1, "ETag": part}]}
    s3.complete_multipart_upload(Bucket=bucket, Key="large", UploadId=upload, MultipartUpload=parts)
    large = s3.get_object(Bucket=bucket, Key="large")
    assert (large["Body"].read(), large["ETag"]) == (b"part", s3.head_object(Bucket=bucket, Key="large")["ETag"])
    assert iam.get_role(RoleName=role)["Role"]["RoleId"] == role_id
    assert sagemaker.describe_model(ModelName=model)["ModelArn"] == model_arn
    assert sagemaker.list_tags(ResourceArn=model_arn)["Tags"] == [{"Key": "use-case", "Value": "UC-0001"}]

    # Keys given out before still work, under the same name; the rule still delivers; numbers go on.
    spoke = own.client_with("sagemaker", keys)
    made = spoke.create_model_package(ModelPackageGroupName=group, InferenceSpecification=specification())
    assert made["ModelPackageArn"].endswith("/2")
    identity = own.read(made["ModelPackageArn"])["CreatedBy"]["IamIdentity"]
    assert identity["Arn"] == f"arn:aws:sts::{DEVELOPMENT}:assumed-role/DataScientist/data.scientist"
    assert identity["SourceIdentity"] == "jane"
    (event,) = own.received(queue)
    assert event["resources"] == [made["ModelPackageArn"]]
    assert events.describe_rule(Name=queue.rsplit("/", 1)[1])["State"] == "ENABLED"


def test_what_was_deleted_stays_deleted(own: Aws) -> None:
    sagemaker, s3, sqs, events, ram = (own.client(s) for s in ("sagemaker", "s3", "sqs", "events", "ram"))
    group, bucket = own.group(), unique("artifacts")
    share = own.share(group)
    version = own.version(group)
    sagemaker.delete_model_package(ModelPackageName=version)
    empty = own.group()
    sagemaker.delete_model_package_group(ModelPackageGroupName=empty)
    ram.delete_resource_share(resourceShareArn=share)
    s3.create_bucket(Bucket=bucket)
    for key in ("a & b", "c", "d"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    s3.delete_object(Bucket=bucket, Key="d")
    s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "a & b"}]})
    gone, queue = unique("gone"), sqs.create_queue(QueueName=unique("queue"))["QueueUrl"]
    s3.create_bucket(Bucket=gone)
    s3.delete_bucket(Bucket=gone)
    for body in ("deleted", "in flight", "waiting"):
        sqs.send_message(QueueUrl=queue, MessageBody=body)
    first, second = (sqs.receive_message(QueueUrl=queue)["Messages"][0] for _ in range(2))
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=first["ReceiptHandle"])
    purged = sqs.create_queue(QueueName=unique("purged"))["QueueUrl"]
    sqs.send_message(QueueUrl=purged, MessageBody="x")
    sqs.purge_queue(QueueUrl=purged)
    dropped = sqs.create_queue(QueueName=unique("dropped"))["QueueUrl"]
    sqs.delete_queue(QueueUrl=dropped)
    rule = unique("rule")
    events.put_rule(Name=rule, EventPattern='{"source": ["s"]}')
    events.delete_rule(Name=rule)

    end(own, signal.SIGKILL)

    with refused("ValidationException"):
        own.read(version)
    with refused("ValidationException"):
        sagemaker.describe_model_package_group(ModelPackageGroupName=empty)
    assert own.version(group).endswith("/2")
    with refused("AccessDeniedException"):
        own.version(group, DEVELOPMENT)
    assert [o["Key"] for o in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["c"]
    with refused("404"):
        s3.head_bucket(Bucket=gone)
    # What was in flight is visible again, and its old handle still deletes it.
    seen = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    assert [m["Body"] for m in seen] == ["in flight", "waiting"]
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=second["ReceiptHandle"])
    assert (
        sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"][
            "ApproximateNumberOfMessagesNotVisible"
        ]
        == "1"
    )
    assert "Messages" not in sqs.receive_message(QueueUrl=purged)
    with refused("AWS.SimpleQueueService.NonExistentQueue"):
        sqs.receive_message(QueueUrl=dropped)
    with refused("ResourceNotFoundException"):
        events.describe_rule(Name=rule)


def test_a_dead_letter_queue_is_linked_and_filled_after_a_kill(own: Aws) -> None:
    sqs, name = own.client("sqs"), unique("dead")
    dead = sqs.create_queue(QueueName=name)["QueueUrl"]
    policy = {"deadLetterTargetArn": f"arn:aws:sqs:us-east-1:{HUB}:{name}", "maxReceiveCount": 1}
    url = sqs.create_queue(QueueName=unique("queue"), Attributes={"RedrivePolicy": json.dumps(policy)})["QueueUrl"]
    for body in ("before", "after"):
        sqs.send_message(QueueUrl=url, MessageBody=body)

    def fail_once() -> None:
        (message,) = sqs.receive_message(QueueUrl=url, VisibilityTimeout=30)["Messages"]
        sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0)

    fail_once()
    (after,) = sqs.receive_message(QueueUrl=url, VisibilityTimeout=0)["Messages"]  # moves the first
    assert after["Body"] == "after"
    end(own, signal.SIGKILL)
    (moved,) = sqs.receive_message(QueueUrl=dead)["Messages"]
    assert moved["Body"] == "before"
    fail_once()
    assert "Messages" not in sqs.receive_message(QueueUrl=url)
    (second,) = sqs.receive_message(QueueUrl=dead)["Messages"]
    assert second["Body"] == "after"


def test_killed_amid_writes_it_has_every_version_it_answered(own: Aws) -> None:
    group, answered = own.group(), []
    enough = threading.Event()

    def write() -> None:
        try:
            while True:
                answered.append(own.version(group))
                if len(answered) >= 20:
                    enough.set()
        except (BotoCoreError, ClientError):  # the process is gone
            enough.set()

    writers = [threading.Thread(target=write) for _ in range(3)]
    for writer in writers:
        writer.start()
    assert enough.wait(20)
    own.stop(signal.SIGKILL)
    for writer in writers:
        writer.join(30)
    own.start()
    pages = own.client("sagemaker").get_paginator("list_model_packages").paginate(ModelPackageGroupName=group)
    kept = [v["ModelPackageArn"] for page in pages for v in page["ModelPackageSummaryList"]]
    assert len(set(answered)) == len(answered)
    assert set(answered) <= set(kept)
    assert len(kept) <= len(answered) + len(writers)


def test_a_long_poll_does_not_hold_up_the_end(own: Aws) -> None:
    sqs = own.client("sqs")
    url = sqs.create_queue(QueueName=unique("queue"))["QueueUrl"]
    waiting = threading.Thread(target=lambda: _quietly(sqs.receive_message, QueueUrl=url, WaitTimeSeconds=20))
    waiting.start()
    group = own.group()  # answered while the poll waits
    end(own, signal.SIGTERM)
    waiting.join(10)
    assert not waiting.is_alive()
    assert own.version(group).endswith("/1")


def _quietly(call: Any, **asked: Any) -> None:
    try:
        call(**asked)
    except (BotoCoreError, ClientError):
        return


def test_expired_keys_are_refused_by_name_also_after_a_restart(own: Aws) -> None:
    keys = own.assume(HUB)
    own.stop()
    path = own.state / FILE_NAME
    _make_session_old(path, keys["AccessKeyId"])
    own.start()
    with refused("ExpiredTokenException"):
        own.client_with("sagemaker", keys).list_model_package_groups()
    with refused("ExpiredToken"):
        own.client_with("sts", keys).get_caller_identity()


def _make_session_old(path: Path, access_key: str) -> None:
    """Set a session's end into the past, in the file of a sandbox that is not running."""
    state = StateFile(path.parent)
    key, raw = next((k, v) for k, v in state.rows() if k.kind == "session" and k.name == access_key)
    session = pickle.loads(raw)
    session.expiration -= timedelta(hours=2)
    state.write([(key, pickle.dumps(session))])
    state.close()


# ---- what a request writes --------------------------------------------------------------------------------------


def _rows_written(own: Aws, path: Path, act: Any) -> tuple[int, int]:
    """Rows a request added, changed or took away, and the bytes of those that are there now."""

    def snapshot() -> dict[tuple[str, ...], bytes]:
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
            return {
                tuple(row[:5]): row[5]
                for row in db.execute("SELECT service, account, region, kind, name, value FROM state")
            }

    before = snapshot()
    act()
    after = snapshot()
    changed = [k for k in before.keys() | after.keys() if before.get(k) != after.get(k)]
    return len(changed), sum(len(after.get(k, b"")) for k in changed)


def test_what_a_request_writes_does_not_grow_with_the_state(own: Aws) -> None:
    path = own.state / FILE_NAME
    group, bucket = own.group(), unique("artifacts")
    queue = own.listener({"source": ["aws.sagemaker"], "detail": {"ModelPackageGroupName": [group.rsplit("/", 1)[1]]}})
    s3, sqs = own.client("s3"), own.client("sqs")
    s3.create_bucket(Bucket=bucket)
    numbers = iter(range(100_000, 200_000))
    arns = [own.version(group) for _ in range(3)]

    def delete_objects() -> None:
        s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": f"key-{next(numbers) - 2}"}]})

    acts = {
        "register": lambda: own.version(group),
        "update": lambda: own.update(arns[0], CustomerMetadataProperties={"note": f"{next(numbers)}"}),
        "send": lambda: sqs.send_message(QueueUrl=queue, MessageBody=f"{next(numbers)}"),
        "put": lambda: s3.put_object(Bucket=bucket, Key=f"key-{next(numbers)}", Body=b"x"),
        "assume": lambda: own.assume(HUB),
        "delete objects": delete_objects,
    }

    def measure() -> dict[str, tuple[int, int]]:
        return {name: _rows_written(own, path, act) for name, act in acts.items()}

    early = measure()
    for _ in range(25):
        for name in ("register", "send", "put", "assume"):
            acts[name]()
    late = measure()
    assert {n: rows for n, (rows, _) in late.items()} == {n: rows for n, (rows, _) in early.items()}
    for name, (_, size) in late.items():
        assert size <= early[name][1] * 1.1 + 64, (name, early[name], late[name])


def test_a_deletion_of_many_objects_names_them() -> None:
    body = (
        b'<?xml version="1.0"?><Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        b"<Object><Key>a &amp; b</Key></Object><Object><Key>c</Key></Object><Quiet>true</Quiet></Delete>"
    )
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/bucket",
        "QUERY_STRING": "delete",
        "HTTP_AUTHORIZATION": "AWS4-HMAC-SHA256 Credential=testing/20240501/us-east-1/s3/aws4_request",
    }
    assert identify(environ, body).parameters == {"Bucket": "bucket", "Keys": ["a & b", "c"]}
