"""S3: artifacts put, read, copied, uploaded in parts, kept in versions."""

from __future__ import annotations

import io
import os
from typing import Any

import pytest
import requests
from boto3.s3.transfer import TransferConfig

from tests.local.sandbox.world import DEVELOPMENT, Aws, refused, unique

PART = 5 * 1024 * 1024


@pytest.fixture
def bucket(aws: Aws) -> str:
    name = unique("artifacts")
    aws.client("s3").create_bucket(Bucket=name)
    return name


def keys(s3: Any, bucket: str, **asked: Any) -> list[str]:
    return [o["Key"] for o in s3.list_objects_v2(Bucket=bucket, **asked).get("Contents", [])]


def test_an_object_is_read_as_it_was_put(aws: Aws, bucket: str) -> None:
    s3, body = aws.client("s3"), os.urandom(100_000)
    key = "credit risk/Modell ä+&.tar.gz"
    put = s3.put_object(Bucket=bucket, Key=key, Body=body, ContentType="application/gzip", Metadata={"run": "7"})
    got = s3.get_object(Bucket=bucket, Key=key)
    assert got["Body"].read() == body
    assert (got["ContentType"], got["Metadata"], got["ETag"]) == ("application/gzip", {"run": "7"}, put["ETag"])
    head = s3.head_object(Bucket=bucket, Key=key)
    assert (head["ContentLength"], head["ETag"]) == (len(body), put["ETag"])
    part = s3.get_object(Bucket=bucket, Key=key, Range="bytes=10-19")
    assert part["Body"].read() == body[10:20]
    assert keys(s3, bucket, Prefix="credit") == [key]


def test_what_is_not_there_is_said_so(aws: Aws, bucket: str) -> None:
    s3 = aws.client("s3")
    with refused("NoSuchKey"):
        s3.get_object(Bucket=bucket, Key="absent")
    with refused("404"):
        s3.head_object(Bucket=bucket, Key="absent")
    with refused("NoSuchBucket"):
        s3.put_object(Bucket=unique("absent"), Key="k", Body=b"")


def test_an_object_is_copied_to_a_bucket_of_another_account(aws: Aws, bucket: str) -> None:
    source, body = unique("dev"), b"model"
    dev = aws.client("s3", DEVELOPMENT)
    dev.create_bucket(Bucket=source)
    dev.put_object(Bucket=source, Key="model.tar.gz", Body=body)
    s3 = aws.client("s3")
    s3.copy_object(Bucket=bucket, Key="copy.tar.gz", CopySource={"Bucket": source, "Key": "model.tar.gz"})
    assert s3.get_object(Bucket=bucket, Key="copy.tar.gz")["Body"].read() == body
    dev.delete_object(Bucket=source, Key="model.tar.gz")
    assert s3.get_object(Bucket=bucket, Key="copy.tar.gz")["Body"].read() == body


def test_a_large_object_is_uploaded_in_parts(aws: Aws, bucket: str) -> None:
    s3, body = aws.client("s3"), os.urandom(PART) * 2 + b"tail"
    transfer = TransferConfig(multipart_threshold=PART, multipart_chunksize=PART)
    s3.upload_fileobj(io.BytesIO(body), bucket, "large", Config=transfer)
    head = s3.head_object(Bucket=bucket, Key="large")
    assert head["ContentLength"] == len(body)
    assert head["ETag"].endswith('-3"')
    into = io.BytesIO()
    s3.download_fileobj(bucket, "large", into, Config=transfer)
    assert into.getvalue() == body


def test_an_upload_given_up_leaves_nothing(aws: Aws, bucket: str) -> None:
    s3 = aws.client("s3")
    upload = s3.create_multipart_upload(Bucket=bucket, Key="large")["UploadId"]
    s3.upload_part(Bucket=bucket, Key="large", UploadId=upload, PartNumber=1, Body=b"x" * 100)
    s3.abort_multipart_upload(Bucket=bucket, Key="large", UploadId=upload)
    assert keys(s3, bucket) == []
    assert s3.list_multipart_uploads(Bucket=bucket).get("Uploads", []) == []


def test_versions_of_an_object_are_kept(aws: Aws, bucket: str) -> None:
    s3 = aws.client("s3")
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    first = s3.put_object(Bucket=bucket, Key="k", Body=b"one")["VersionId"]
    second = s3.put_object(Bucket=bucket, Key="k", Body=b"two")["VersionId"]
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"two"
    assert s3.get_object(Bucket=bucket, Key="k", VersionId=first)["Body"].read() == b"one"
    s3.delete_object(Bucket=bucket, Key="k")
    with refused("NoSuchKey"):
        s3.get_object(Bucket=bucket, Key="k")
    listed = s3.list_object_versions(Bucket=bucket)
    assert {v["VersionId"] for v in listed["Versions"]} == {first, second}
    s3.delete_object(Bucket=bucket, Key="k", VersionId=listed["DeleteMarkers"][0]["VersionId"])
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"two"


def test_objects_and_buckets_are_deleted(aws: Aws, bucket: str) -> None:
    s3 = aws.client("s3")
    for key in ("a", "b & c", "d"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    with refused("BucketNotEmpty"):
        s3.delete_bucket(Bucket=bucket)
    s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "a"}, {"Key": "b & c"}]})
    assert keys(s3, bucket) == ["d"]
    s3.delete_object(Bucket=bucket, Key="d")
    s3.delete_bucket(Bucket=bucket)
    with refused("NoSuchBucket"):
        s3.list_objects_v2(Bucket=bucket)


def test_a_presigned_address_needs_no_client(aws: Aws, bucket: str) -> None:
    s3 = aws.client("s3")
    where = {"Bucket": bucket, "Key": "report.json"}
    put = s3.generate_presigned_url("put_object", Params=where)
    assert requests.put(put, data=b"{}", timeout=10).status_code == 200
    got = requests.get(s3.generate_presigned_url("get_object", Params=where), timeout=10)
    assert (got.status_code, got.content) == (200, b"{}")


def test_a_bucket_before_the_host_name_is_found(aws: Aws, bucket: str) -> None:
    host = {"Host": f"{bucket}.localhost:{aws.port}"}
    assert requests.put(f"{aws.url}/deep/key", data=b"x", headers=host, timeout=10).status_code == 200
    assert aws.client("s3").get_object(Bucket=bucket, Key="deep/key")["Body"].read() == b"x"
    call = next(c for c in aws.calls(service="s3", operation="PutObject") if c["parameters"]["Bucket"] == bucket)
    assert call["parameters"]["Key"] == "deep/key"
