"""S3: copies are the same bytes, proved, and done once. Runs over HTTP against the sandbox."""

from __future__ import annotations

import hashlib
import json
import os
import uuid
from typing import Any

import pytest
from botocore.exceptions import ResponseStreamingError
from botocore.response import StreamingBody

from registry.aws import s3, s3_copy
from registry.aws.errors import AwsConflict, AwsDenied, AwsInvalid, AwsNotFound, AwsUnavailable
from registry.aws.s3 import MEBIBYTE, parse_s3_url
from registry.aws.session import AwsSession


@pytest.fixture
def source(development: AwsSession) -> str:
    """Make a bucket in the development account and return its URL with the prefix of a key."""
    bucket = f"artifacts-development-{uuid.uuid4().hex[:12]}"
    development.s3.create_bucket(Bucket=bucket)
    return f"s3://{bucket}/credit-risk/7"


@pytest.fixture
def target(hub: AwsSession) -> str:
    """Make a bucket in the hub account and return its URL with the prefix of a key."""
    bucket = f"artifacts-hub-{uuid.uuid4().hex[:12]}"
    hub.s3.create_bucket(Bucket=bucket)
    return f"s3://{bucket}/222222222222/credit-risk/7"


def put(session: AwsSession, url: str, body: bytes) -> None:
    location = parse_s3_url(url)
    session.s3.put_object(Bucket=location.bucket, Key=location.key, Body=body)


def get(session: AwsSession, url: str) -> bytes:
    location = parse_s3_url(url)
    return session.s3.get_object(Bucket=location.bucket, Key=location.key)["Body"].read()


@pytest.mark.parametrize("size", [0, 1, 4096, MEBIBYTE + 7])
def test_small_object_is_copied_between_accounts(
    development: AwsSession, hub: AwsSession, source: str, target: str, size: int
) -> None:
    body = os.urandom(size)
    put(development, source, body)
    copied = s3_copy.copy(development, hub, source, target)

    assert (copied.url, copied.size, copied.skipped) == (target, size, False)
    assert copied.sha256 == hashlib.sha256(body).hexdigest()
    assert get(hub, target) == body
    seen = s3.head(hub, target)
    assert (seen.sha256, seen.size, seen.etag) == (copied.sha256, size, copied.etag)
    assert seen.source_etag == s3.head(development, source).etag


def test_large_object_is_copied_in_parts(
    development: AwsSession, hub: AwsSession, source: str, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = os.urandom(11 * MEBIBYTE + 3)
    put(development, source, body)
    sent: list[int] = []
    upload_part = hub.s3.upload_part

    def counted(**request: Any) -> Any:
        sent.append(request["ContentLength"])
        return upload_part(**request)

    monkeypatch.setattr(hub.s3, "upload_part", counted)
    told: list[dict[str, Any]] = []
    copied = s3_copy.copy(development, hub, source, target, part_size=5 * MEBIBYTE, tell=told.append)

    assert sent == [5 * MEBIBYTE, 5 * MEBIBYTE, MEBIBYTE + 3]
    assert copied.sha256 == hashlib.sha256(body).hexdigest()
    assert hashlib.sha256(get(hub, target)).hexdigest() == copied.sha256
    assert [one["done"] for one in told] == [0, 5 * MEBIBYTE, 10 * MEBIBYTE, len(body), len(body)]
    assert {one["total"] for one in told} == {len(body)}
    again = s3_copy.copy(development, hub, source, target, part_size=5 * MEBIBYTE)
    assert (again.skipped, again.sha256) == (True, copied.sha256)
    assert len(sent) == 3


@pytest.mark.parametrize("size", [5 * MEBIBYTE, 5 * MEBIBYTE + 1, 10 * MEBIBYTE])
def test_part_borders(development: AwsSession, hub: AwsSession, source: str, target: str, size: int) -> None:
    body = os.urandom(size)
    put(development, source, body)
    copied = s3_copy.copy(development, hub, source, target, part_size=5 * MEBIBYTE)
    assert (copied.size, copied.sha256) == (size, hashlib.sha256(body).hexdigest())
    assert get(hub, target) == body


def test_copied_once_until_the_source_changes(
    development: AwsSession, hub: AwsSession, source: str, target: str
) -> None:
    put(development, source, b"first")
    first = s3_copy.copy(development, hub, source, target)
    with hub.counting() as counted:
        again = s3_copy.copy(development, hub, source, target)
    assert (again.skipped, again.sha256, again.etag) == (True, first.sha256, first.etag)
    assert counted.snapshot().calls == 1, "a look at the target and nothing else"
    put(development, source, b"other")
    changed = s3_copy.copy(development, hub, source, target)
    assert (changed.skipped, get(hub, target)) == (False, b"other")


def test_an_object_put_there_by_somebody_else_is_replaced(
    development: AwsSession, hub: AwsSession, source: str, target: str
) -> None:
    put(development, source, b"bytes")
    put(hub, target, b"BYTES")
    assert not s3_copy.copy(development, hub, source, target).skipped
    assert get(hub, target) == b"bytes"


def test_versions_are_reported(development: AwsSession, hub: AwsSession, source: str, target: str) -> None:
    for session, url in ((development, source), (hub, target)):
        session.s3.put_bucket_versioning(Bucket=parse_s3_url(url).bucket, VersioningConfiguration={"Status": "Enabled"})
    put(development, source, b"first")
    first = s3_copy.copy(development, hub, source, target)
    put(development, source, b"second")
    second = s3_copy.copy(development, hub, source, target)
    assert first.version_id
    assert second.version_id == s3.head(hub, target).version_id != first.version_id


@pytest.mark.parametrize("name", ["mit leer zeichen", "größe+1&x=2", "a//b", "100%25"])
def test_keys_of_any_kind(development: AwsSession, hub: AwsSession, source: str, target: str, name: str) -> None:
    put(development, f"{source}/{name}", b"x")
    assert s3_copy.copy(development, hub, f"{source}/{name}", f"{target}/{name}").size == 1
    assert get(hub, f"{target}/{name}") == b"x"


def test_missing_source_prefix_and_bucket_are_named(
    development: AwsSession, hub: AwsSession, source: str, target: str
) -> None:
    with pytest.raises(AwsNotFound, match="HeadObject in account 222222222222"):
        s3_copy.copy(development, hub, source, target)
    put(development, f"{source}/model.tar.gz", b"x")
    with pytest.raises(AwsNotFound):
        s3.head(development, f"{source}/")
    with pytest.raises(AwsNotFound, match="in account 111111111111"):
        s3_copy.copy(development, hub, f"{source}/model.tar.gz", "s3://no-such-bucket-anywhere/k")


def test_copy_onto_itself_is_refused(hub: AwsSession, target: str) -> None:
    put(hub, target, b"x")
    with pytest.raises(AwsInvalid, match="SameObject"):
        s3_copy.copy(hub, hub, target, target)


@pytest.mark.parametrize("part_size", [s3_copy.PART_SIZE, 5 * MEBIBYTE])
def test_a_source_that_changes_meanwhile_is_a_conflict(
    development: AwsSession,
    hub: AwsSession,
    source: str,
    target: str,
    monkeypatch: pytest.MonkeyPatch,
    part_size: int,
) -> None:
    put(development, source, bytes(6 * MEBIBYTE))

    def change(session: AwsSession, url: str) -> None:
        put(development, source, b"something else")

    monkeypatch.setattr(s3_copy, "head_or_none", change)
    with pytest.raises(AwsConflict, match="PreconditionFailed"):
        s3_copy.copy(development, hub, source, target, part_size=part_size)
    with pytest.raises(AwsNotFound):
        s3.head(hub, target)


def test_a_copy_that_differs_is_not_kept(
    development: AwsSession, hub: AwsSession, source: str, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(development, source, b"true bytes")
    put_object = hub.s3.put_object

    def garbled(**request: Any) -> Any:
        del request["ChecksumSHA256"]
        return put_object(**{**request, "Body": b"lost bytes"})

    monkeypatch.setattr(hub.s3, "put_object", garbled)
    with pytest.raises(AwsConflict, match="was not kept: its SHA-256 is") as caught:
        s3_copy.copy(development, hub, source, target)
    assert caught.value.retryable
    with pytest.raises(AwsNotFound):
        s3.head(hub, target)
    monkeypatch.undo()


def uploads(session: AwsSession, url: str) -> list[str]:
    found = session.s3.list_multipart_uploads(Bucket=parse_s3_url(url).bucket).get("Uploads", [])
    return [one["UploadId"] for one in found]


def broken_off(
    development: AwsSession, hub: AwsSession, source: str, target: str, monkeypatch: pytest.MonkeyPatch
) -> dict[str, Any]:
    """Copy until the second part does not get through; returns what was told last."""
    upload_part = hub.s3.upload_part
    told: list[dict[str, Any]] = []

    def fail_on_second(**request: Any) -> Any:
        if request["PartNumber"] == 2:
            raise ResponseStreamingError(error="connection reset")
        return upload_part(**request)

    with monkeypatch.context() as patch:
        patch.setattr(hub.s3, "upload_part", fail_on_second)
        with pytest.raises(AwsUnavailable, match="UploadPart"):
            s3_copy.copy(development, hub, source, target, part_size=5 * MEBIBYTE, tell=told.append)
    return told[-1]


def test_a_failed_upload_goes_on_where_it_broke_off(
    development: AwsSession, hub: AwsSession, source: str, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = os.urandom(11 * MEBIBYTE)
    put(development, source, body)
    known = broken_off(development, hub, source, target, monkeypatch)
    assert (known["done"], known["total"]) == (5 * MEBIBYTE, 11 * MEBIBYTE)
    assert uploads(hub, target) == [known["upload_id"]]
    sent: list[int] = []
    upload_part = hub.s3.upload_part

    def counted(**request: Any) -> Any:
        sent.append(request["PartNumber"])
        return upload_part(**request)

    monkeypatch.setattr(hub.s3, "upload_part", counted)
    copied = s3_copy.copy(development, hub, source, target, part_size=5 * MEBIBYTE, known=known)
    assert sent == [2, 3], "the first part is there with the right bytes"
    assert copied.sha256 == hashlib.sha256(body).hexdigest()
    assert get(hub, target) == body
    assert uploads(hub, target) == []


def test_a_source_that_changed_since_is_copied_from_the_start(
    development: AwsSession, hub: AwsSession, source: str, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(development, source, bytes(11 * MEBIBYTE))
    known = broken_off(development, hub, source, target, monkeypatch)
    body = os.urandom(11 * MEBIBYTE)
    put(development, source, body)
    copied = s3_copy.copy(development, hub, source, target, part_size=5 * MEBIBYTE, known=known)
    assert (copied.sha256, get(hub, target)) == (hashlib.sha256(body).hexdigest(), body)
    assert uploads(hub, target) == [], "the upload of the old bytes is aborted"


def test_an_upload_that_is_gone_is_begun_anew(
    development: AwsSession, hub: AwsSession, source: str, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(development, source, os.urandom(6 * MEBIBYTE))
    known = broken_off(development, hub, source, target, monkeypatch)
    s3_copy.abandon(hub, target, known)
    assert uploads(hub, target) == []
    assert not s3_copy.copy(development, hub, source, target, part_size=5 * MEBIBYTE, known=known).skipped


@pytest.mark.parametrize("known", [{"upload_id": 7}, {"nonsense": True}, {"part_size": "x"}])
def test_what_was_told_by_nobody_is_not_relied_on(
    development: AwsSession, hub: AwsSession, source: str, target: str, known: dict[str, Any]
) -> None:
    put(development, source, b"bytes")
    assert s3_copy.copy(development, hub, source, target, known=known).size == 5


def test_a_long_copy_goes_on_in_the_next_turn(
    development: AwsSession, hub: AwsSession, source: str, target: str
) -> None:
    body = os.urandom(6 * MEBIBYTE)
    put(development, source, body)
    told: list[dict[str, Any]] = []
    with pytest.raises(s3_copy.GoesOn) as caught:
        s3_copy.copy(development, hub, source, target, part_size=5 * MEBIBYTE, seconds=-1, tell=told.append)
    assert (caught.value.done, caught.value.total) == (0, 6 * MEBIBYTE)
    copied = s3_copy.copy(development, hub, source, target, part_size=5 * MEBIBYTE, known=told[-1], seconds=60)
    assert get(hub, target) == body
    assert copied.sha256 == hashlib.sha256(body).hexdigest()


def test_a_refused_upload_leaves_no_parts(
    development: AwsSession, hub: AwsSession, source: str, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(development, source, os.urandom(6 * MEBIBYTE))
    upload_part = hub.s3.upload_part

    def refuse_second(**request: Any) -> Any:
        if request["PartNumber"] == 2:
            error = {"Error": {"Code": "AccessDenied", "Message": "no"}}
            raise hub.s3.exceptions.ClientError(error, "UploadPart")  # type: ignore[arg-type]  # what is not read
        return upload_part(**request)

    monkeypatch.setattr(hub.s3, "upload_part", refuse_second)
    with pytest.raises(AwsDenied, match="UploadPart"):
        s3_copy.copy(development, hub, source, target, part_size=5 * MEBIBYTE)
    assert uploads(hub, target) == []
    monkeypatch.undo()


def test_a_large_object_is_copied_by_s3_itself(
    development: AwsSession, hub: AwsSession, source: str, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = os.urandom(11 * MEBIBYTE)
    put(development, source, body)
    ranges: list[str] = []
    upload_part_copy = hub.s3.upload_part_copy

    def counted(**request: Any) -> Any:
        ranges.append(request["CopySourceRange"])
        assert request["CopySourceIfMatch"] == f'"{s3.head(development, source).etag}"'
        return upload_part_copy(**request)

    def refused(**request: Any) -> Any:
        raise AssertionError("its bytes need not be sent")

    monkeypatch.setattr(hub.s3, "upload_part_copy", counted)
    monkeypatch.setattr(hub.s3, "upload_part", refused)
    copied = s3_copy.copy(development, hub, source, target, part_size=5 * MEBIBYTE, large=MEBIBYTE)
    assert ranges == ["bytes=0-5242879", "bytes=5242880-10485759", "bytes=10485760-11534335"]
    assert (copied.sha256, get(hub, target)) == (hashlib.sha256(body).hexdigest(), body)


def test_what_s3_copied_wrongly_is_not_kept(
    development: AwsSession, hub: AwsSession, source: str, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(development, source, os.urandom(6 * MEBIBYTE))
    put(development, f"{source}/other", os.urandom(6 * MEBIBYTE))
    upload_part_copy = hub.s3.upload_part_copy

    def of_another(**request: Any) -> Any:
        where = request["CopySource"]
        return upload_part_copy(**{**request, "CopySource": {**where, "Key": f"{where['Key']}/other"}})

    monkeypatch.setattr(hub.s3, "upload_part_copy", of_another)
    with pytest.raises(AwsConflict, match="was not kept: its SHA-256 is") as caught:
        s3_copy.copy(development, hub, source, target, part_size=5 * MEBIBYTE, large=MEBIBYTE)
    assert caught.value.retryable
    with pytest.raises(AwsNotFound):
        s3.head(hub, target)
    monkeypatch.undo()


def test_a_prefix_is_copied_with_a_manifest(development: AwsSession, hub: AwsSession, source: str, target: str) -> None:
    files = {"model/weights.bin": os.urandom(2048), "config.json": b"{}", "empty": b""}
    for name, body in files.items():
        put(development, f"{source}/{name}", body)
    put(development, f"{source}/model/", b"")
    put(development, f"{source}0/not-under-it", b"x")
    told: list[dict[str, Any]] = []
    copied = s3_copy.copy_prefix(development, hub, f"{source}/", f"{target}/", tell=told.append)
    assert {name: get(hub, f"{target}/{name}") for name in files} == files
    manifest = get(hub, f"{target}.manifest.json")
    assert copied.sha256 == hashlib.sha256(manifest).hexdigest()
    assert {name: one["sha256"] for name, one in json.loads(manifest)["files"].items()} == {
        name: hashlib.sha256(body).hexdigest() for name, body in files.items()
    }
    assert (copied.size, told[-1]["done"], told[-1]["total"]) == (2050, 2050, 2050)
    under = [place.key for place, _ in s3.objects_under(hub, f"{target}/")]
    assert len(under) == 3, "nothing but the model lies under it"
    again = s3_copy.copy_prefix(development, hub, f"{source}/", f"{target}/")
    assert again.sha256 == copied.sha256


def test_a_prefix_without_objects_and_one_with_too_many_are_named(
    development: AwsSession, hub: AwsSession, source: str, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(AwsNotFound, match="holds no objects"):
        s3_copy.copy_prefix(development, hub, f"{source}/", f"{target}/")
    monkeypatch.setattr(s3_copy, "MOST_FILES", 1)
    for name in "ab":
        put(development, f"{source}/{name}", b"x")
    with pytest.raises(AwsInvalid, match="more than 1 objects"):
        s3_copy.copy_prefix(development, hub, f"{source}/", f"{target}/")


def test_a_source_that_breaks_off_is_unavailable(
    development: AwsSession, hub: AwsSession, source: str, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(development, source, b"x" * 100)

    def broken(self: StreamingBody, amt: int | None = None) -> bytes:
        raise ResponseStreamingError(error="connection reset")

    monkeypatch.setattr(StreamingBody, "read", broken)
    with pytest.raises(AwsUnavailable, match="GetObject in account 222222222222"):
        s3_copy.copy(development, hub, source, target)
