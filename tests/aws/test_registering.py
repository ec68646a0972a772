"""What registers a version and makes a group, in AWS's own shapes; and a copy that S3 makes by itself, over the wire."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime
from typing import Any

import pytest

from registry.aws import registering, s3_copy, sagemaker
from registry.aws.arns import is_session_of
from registry.aws.records import ContainerRecord, LifeCycle
from registry.aws.s3_parts import composite
from registry.aws.session import AwsSession
from tests.aws import recorded
from tests.aws.wire import Wire

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
REPORT = {"ContentType": "application/json", "S3Uri": "s3://hub/report.json", "ContentDigest": "sha256:" + "a" * 64}
MEBIBYTE = 1024 * 1024


def request(**values: Any) -> dict[str, Any]:
    return registering.version_request(
        **{
            "description": "Ranks.",
            "containers": [ContainerRecord(IMAGE, model_data_url="s3://hub/model/", environment={"THREADS": "2"})],
            "content_types": ["text/csv"],
            "response_types": ["text/csv"],
            "metadata": {"algorithm": "xgboost"},
            **values,
        }
    )


def test_everything_that_can_be_said_of_a_version_is_sent(wire: Wire, session: AwsSession) -> None:
    wire.answer("sagemaker", "CreateModelPackage", {"ModelPackageArn": recorded.VERSION_ARN})
    whole = request(
        card_content=recorded.CARD,
        life_cycle=LifeCycle("Development", "PendingApproval"),
        metrics={"Bias": {"Report": REPORT}},
        drift_baselines={"ModelQuality": {"Statistics": REPORT}},
        source_uri=recorded.TRAINING_JOB_ARN,
        generated_by=recorded.TRAINING_JOB_ARN,
        skip_validation=True,
    )
    assert registering.version_problems(whole) == []
    assert (
        sagemaker.create_version(session, group=recorded.GROUP_ARN, request=whole, client_token="t-1")
        == recorded.VERSION_ARN
    )
    (sent,) = wire.asked("CreateModelPackage")
    assert sent == {
        "ModelPackageGroupName": recorded.GROUP_ARN,
        "ClientToken": "t-1",
        "ModelPackageDescription": "Ranks.",
        "ModelApprovalStatus": "PendingManualApproval",
        "ModelLifeCycle": {"Stage": "Development", "StageStatus": "PendingApproval"},
        "InferenceSpecification": {
            "Containers": [
                {
                    "Image": IMAGE,
                    "Environment": {"THREADS": "2"},
                    "ModelDataSource": {
                        "S3DataSource": {
                            "S3Uri": "s3://hub/model/",
                            "S3DataType": "S3Prefix",
                            "CompressionType": "None",
                        }
                    },
                }
            ],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
        "CustomerMetadataProperties": {"algorithm": "xgboost"},
        "ModelCard": {"ModelCardContent": recorded.CARD, "ModelCardStatus": "Draft"},
        "ModelMetrics": {"Bias": {"Report": REPORT}},
        "DriftCheckBaselines": {"ModelQuality": {"Statistics": REPORT}},
        "SourceUri": recorded.TRAINING_JOB_ARN,
        "MetadataProperties": {"GeneratedBy": recorded.TRAINING_JOB_ARN},
        "SkipModelValidation": "All",
    }


@pytest.mark.parametrize(
    ("values", "begins"),
    [
        ({"metrics": {"Nonsense": {}}}, "ModelMetrics.Nonsense is not known to AWS; there are ModelQuality"),
        ({"metrics": {"Bias": {"Report": {"S3Uri": "s3://b/k"}}}}, "ModelMetrics.Bias.Report.ContentType is missing"),
        ({"metrics": {"Bias": 3}}, "ModelMetrics.Bias is not what AWS takes there"),
        ({"metadata": {"k": "v" * 257}}, "CustomerMetadataProperties['k'] has 257 characters"),
        ({"containers": [ContainerRecord("a b")]}, "InferenceSpecification.Containers[0].Image is 'a b'"),
        ({"containers": [ContainerRecord("i")] * 16}, "InferenceSpecification.Containers has 16 entries"),
        ({"source_uri": "x" * 1025}, "SourceUri has 1025 characters"),
    ],
)
def test_a_problem_begins_with_the_field(values: dict[str, Any], begins: str) -> None:
    (problem,) = registering.version_problems(request(**values))
    assert problem.startswith(begins)


def test_tags_of_a_group_are_read_page_by_page(wire: Wire, session: AwsSession) -> None:
    wire.answer("sagemaker", "ListTags", {"Tags": [{"Key": "a", "Value": "1"}], "NextToken": "n"})
    wire.answer("sagemaker", "ListTags", {"Tags": [{"Key": "portal:creation", "Value": "t"}]})
    assert sagemaker.group_tags(session, recorded.GROUP_ARN) == {"a": "1", "portal:creation": "t"}
    assert [asked["ResourceArn"] for asked in wire.asked("ListTags")] == [recorded.GROUP_ARN] * 2


def test_versions_made_since_are_listed(wire: Wire, session: AwsSession) -> None:
    wire.answer("sagemaker", "ListModelPackages", {"ModelPackageSummaryList": []})
    since = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
    assert list(sagemaker.list_versions(session, recorded.GROUP_ARN, created_after=since)) == []
    (asked,) = wire.asked("ListModelPackages")
    assert asked["CreationTimeAfter"] == since.timestamp()
    assert asked["ModelPackageGroupName"] == recorded.GROUP_ARN


def test_a_role_is_known_by_its_sessions_whatever_its_path() -> None:
    session = "arn:aws:sts::111111111111:assumed-role/Portal/model-governance-portal"
    for role, is_its in (("governance/Portal", True), ("Portal", True), ("Portals", False), ("Portal/other", False)):
        assert is_session_of(session, f"arn:aws:iam::111111111111:role/{role}") is is_its
    assert not is_session_of(session, "")
    assert not is_session_of("", "")


def test_equal_part_borders_prove_a_copy_without_reading_it(wire: Wire, session: AwsSession) -> None:
    """S3 reports a SHA-256 over the parts of the source: with the same borders the copy must have the same."""
    digests = [hashlib.sha256(bytes([n])).digest() for n in (1, 2)]
    known = composite(digests)
    size = 8 * MEBIBYTE
    source = {"Content-Length": str(size), "ETag": '"abc-2"', "x-amz-checksum-sha256": known}
    for _ in range(2):
        wire.raw("HEAD model.tar.gz", 200, b"", source)
    wire.raw(
        "HEAD model.tar.gz", 200, b"", {**source, "Content-Length": str(5 * MEBIBYTE), "x-amz-mp-parts-count": "2"}
    )
    wire.raw("HEAD copy", 404, b"")
    wire.raw("GET ", 200, b"<ListMultipartUploadsResult></ListMultipartUploadsResult>")
    wire.raw("POST copy", 200, b"<R><UploadId>u-1</UploadId></R>")
    wire.raw("GET copy", 200, b"<ListPartsResult><IsTruncated>false</IsTruncated></ListPartsResult>")
    for digest in digests:
        text = f"<R><ETag>&quot;e&quot;</ETag><ChecksumSHA256>{one_part(digest)}</ChecksumSHA256></R>"
        wire.raw("PUT copy", 200, text.encode())
    wire.raw("POST copy", 200, b"<R><ETag>&quot;new-2&quot;</ETag></R>")
    wire.raw("HEAD copy", 200, b"", {"Content-Length": str(size), "ETag": '"new-2"', "x-amz-checksum-sha256": known})
    copied = s3_copy.copy(
        session, session, "s3://spoke/model.tar.gz", "s3://hub/copy", large=MEBIBYTE, part_size=MEBIBYTE
    )
    assert (copied.sha256, copied.size, copied.etag) == (known, size, "new-2")
    ranges = [one.headers["x-amz-copy-source-range"] for one in wire.requests if one.operation == "PUT copy"]
    assert ranges == [f"bytes=0-{5 * MEBIBYTE - 1}", f"bytes={5 * MEBIBYTE}-{size - 1}"]


def one_part(digest: bytes) -> str:
    """Return the checksum of one part as S3 writes it."""
    return base64.b64encode(digest).decode()


def test_a_part_whose_checksum_s3_reports_is_not_read_again(wire: Wire, session: AwsSession) -> None:
    first, rest = hashlib.sha256(b"first").digest(), bytes(3 * MEBIBYTE)
    digests = [first, hashlib.sha256(rest).digest()]
    size = 8 * MEBIBYTE
    part = f"<Part><PartNumber>1</PartNumber><Size>{5 * MEBIBYTE}</Size><ETag>&quot;e&quot;</ETag><ChecksumSHA256>"
    there = f"<R><IsTruncated>false</IsTruncated>{part}{one_part(first)}</ChecksumSHA256></Part></R>".encode()
    source = {"Content-Length": str(size), "ETag": '"abc"'}
    wire.raw("HEAD model.tar.gz", 200, b"", source)
    wire.raw("HEAD copy", 404, b"")
    for _ in range(2):
        wire.raw("GET copy", 200, there)
    stray = (
        b"<R><Upload><Key>copy</Key><UploadId>u-0</UploadId></Upload><Upload><Key>copy</Key><UploadId>u-1</UploadId>"
    )
    wire.raw("GET ", 200, stray + b"</Upload></R>")
    wire.raw("DELETE copy", 204, b"")
    wire.raw("GET model.tar.gz", 206, rest, {"Content-Length": str(len(rest)), "ETag": '"abc"'})
    wire.raw("PUT copy", 200, b"", {"ETag": '"f"'})
    wire.raw("POST copy", 200, b"<R><ETag>&quot;new-2&quot;</ETag></R>")
    answer = {"Content-Length": str(size), "ETag": '"new-2"', "x-amz-checksum-sha256": composite(digests)}
    wire.raw("HEAD copy", 200, b"", answer)
    known = {"upload_id": "u-1", "source_etag": "abc", "total": size, "part_size": 5 * MEBIBYTE, "by_server": False,
             "done": 5 * MEBIBYTE}  # fmt: skip
    copied = s3_copy.copy(
        session, session, "s3://spoke/model.tar.gz", "s3://hub/copy", part_size=5 * MEBIBYTE, known=known
    )
    assert copied.sha256 == composite(digests), "not every byte was read here, so it is S3's own form"
    (asked,) = [one for one in wire.requests if one.operation == "GET model.tar.gz"]
    assert asked.headers["Range"] == f"bytes={5 * MEBIBYTE}-{size - 1}"
    (aborted,) = [one for one in wire.requests if one.operation == "DELETE copy"]
    assert aborted.parameters["uploadId"] == "u-0", "an upload nobody goes on with"
    (put,) = [one for one in wire.requests if one.operation == "PUT copy"]
    assert put.headers["x-amz-checksum-sha256"] == one_part(digests[1])
