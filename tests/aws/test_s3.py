"""S3: copies are the same bytes, proved, and done once. Runs over HTTP against the sandbox."""

from __future__ import annotations

import hashlib
import os
import uuid
from typing import Any

import pytest
from botocore.exceptions import ResponseStreamingError
from botocore.response import StreamingBody

from registry.aws import s3
from registry.aws.errors import AwsConflict, AwsInvalid, AwsNotFound, AwsUnavailable
from registry.aws.s3 import MalformedS3Url, S3Location, parse_s3_url
from registry.aws.session import AwsSession

MEBIBYTE = 1024 * 1024


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


@pytest.mark.parametrize(
    ("url", "location"),
    [
        ("s3://bucket/a/b c.tar.gz", S3Location("bucket", "a/b c.tar.gz")),
        ("s3://bucket/prefix/", S3Location("bucket", "prefix/")),
        ("https://bucket.s3.eu-west-1.amazonaws.com/a/b", S3Location("bucket", "a/b")),
        ("https://my.bucket.s3.amazonaws.com/a", S3Location("my.bucket", "a")),
        ("https://s3.eu-west-1.amazonaws.com/bucket/a/b", S3Location("bucket", "a/b")),
        ("https://s3.cn-north-1.amazonaws.com.cn/bucket/a", S3Location("bucket", "a")),
    ],
)
def test_urls_are_taken_apart(url: str, location: S3Location) -> None:
    assert parse_s3_url(url) == location
    assert parse_s3_url(location.url) == location


@pytest.mark.parametrize("url", ["", "s3://", "s3://bucket", "s3://bucket/", "bucket/key", "https://example.org/b/k"])
def test_what_is_no_object_url_is_refused_by_name(url: str) -> None:
    with pytest.raises(MalformedS3Url, match="should look like s3://bucket/key"):
        parse_s3_url(url)


@pytest.mark.parametrize("size", [0, 1, 4096, MEBIBYTE + 7])
def test_small_object_is_copied_between_accounts(
    development: AwsSession, hub: AwsSession, source: str, target: str, size: int
) -> None:
    body = os.urandom(size)
    put(development, source, body)
    copied = s3.copy(development, hub, source, target)

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
        sent.append(len(request["Body"]))
        return upload_part(**request)

    monkeypatch.setattr(hub.s3, "upload_part", counted)
    copied = s3.copy(development, hub, source, target, part_size=5 * MEBIBYTE)

    assert sent == [5 * MEBIBYTE, 5 * MEBIBYTE, MEBIBYTE + 3]
    assert copied.sha256 == hashlib.sha256(body).hexdigest() == s3.head(hub, target).sha256
    assert hashlib.sha256(get(hub, target)).hexdigest() == copied.sha256
    assert s3.copy(development, hub, source, target).skipped


def test_copied_once_until_the_source_changes(
    development: AwsSession, hub: AwsSession, source: str, target: str
) -> None:
    put(development, source, b"first")
    first = s3.copy(development, hub, source, target)
    with hub.counting() as counted:
        again = s3.copy(development, hub, source, target)
    assert (again.skipped, again.sha256, again.etag) == (True, first.sha256, first.etag)
    assert counted.snapshot().calls == 1, "a look at the target and nothing else"
    put(development, source, b"other")
    changed = s3.copy(development, hub, source, target)
    assert (changed.skipped, get(hub, target)) == (False, b"other")


def test_an_object_put_there_by_somebody_else_is_replaced(
    development: AwsSession, hub: AwsSession, source: str, target: str
) -> None:
    put(development, source, b"bytes")
    put(hub, target, b"BYTES")
    assert not s3.copy(development, hub, source, target).skipped
    assert get(hub, target) == b"bytes"


def test_versions_are_reported(development: AwsSession, hub: AwsSession, source: str, target: str) -> None:
    for session, url in ((development, source), (hub, target)):
        session.s3.put_bucket_versioning(Bucket=parse_s3_url(url).bucket, VersioningConfiguration={"Status": "Enabled"})
    put(development, source, b"first")
    first = s3.copy(development, hub, source, target)
    put(development, source, b"second")
    second = s3.copy(development, hub, source, target)
    assert first.version_id
    assert second.version_id == s3.head(hub, target).version_id != first.version_id


@pytest.mark.parametrize("name", ["mit leer zeichen", "größe+1&x=2", "a//b", "100%25"])
def test_keys_of_any_kind(development: AwsSession, hub: AwsSession, source: str, target: str, name: str) -> None:
    put(development, f"{source}/{name}", b"x")
    assert s3.copy(development, hub, f"{source}/{name}", f"{target}/{name}").size == 1
    assert get(hub, f"{target}/{name}") == b"x"


def test_missing_source_prefix_and_bucket_are_named(
    development: AwsSession, hub: AwsSession, source: str, target: str
) -> None:
    with pytest.raises(AwsNotFound, match="HeadObject in account 222222222222"):
        s3.copy(development, hub, source, target)
    put(development, f"{source}/model.tar.gz", b"x")
    with pytest.raises(AwsNotFound):
        s3.head(development, f"{source}/")
    with pytest.raises(AwsNotFound, match="in account 111111111111"):
        s3.copy(development, hub, f"{source}/model.tar.gz", "s3://no-such-bucket-anywhere/k")


def test_copy_onto_itself_is_refused(hub: AwsSession, target: str) -> None:
    put(hub, target, b"x")
    with pytest.raises(AwsInvalid, match="SameObject"):
        s3.copy(hub, hub, target, target)


@pytest.mark.parametrize("part_size", [s3.PART_SIZE, 5 * MEBIBYTE])
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

    monkeypatch.setattr(s3, "_head_or_none", change)
    with pytest.raises(AwsConflict, match="PreconditionFailed"):
        s3.copy(development, hub, source, target, part_size=part_size)
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
        s3.copy(development, hub, source, target)
    assert caught.value.retryable
    with pytest.raises(AwsNotFound):
        s3.head(hub, target)
    monkeypatch.undo()


def test_a_failed_upload_leaves_no_parts(
    development: AwsSession, hub: AwsSession, source: str, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(development, source, os.urandom(6 * MEBIBYTE))
    upload_part = hub.s3.upload_part

    def fail_on_second(**request: Any) -> Any:
        if request["PartNumber"] == 2:
            raise ResponseStreamingError(error="connection reset")
        return upload_part(**request)

    monkeypatch.setattr(hub.s3, "upload_part", fail_on_second)
    with pytest.raises(AwsUnavailable, match="UploadPart"):
        s3.copy(development, hub, source, target, part_size=5 * MEBIBYTE)
    assert not hub.s3.list_multipart_uploads(Bucket=parse_s3_url(target).bucket).get("Uploads")
    monkeypatch.undo()


def test_a_source_that_breaks_off_is_unavailable(
    development: AwsSession, hub: AwsSession, source: str, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(development, source, b"x" * 100)

    def broken(self: StreamingBody, amt: int | None = None) -> bytes:
        raise ResponseStreamingError(error="connection reset")

    monkeypatch.setattr(StreamingBody, "read", broken)
    with pytest.raises(AwsUnavailable, match="GetObject in account 222222222222"):
        s3.copy(development, hub, source, target)
