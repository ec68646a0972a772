"""Look at objects in S3: model artifacts and reports, by the URLs SageMaker knows them by."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from registry.aws.errors import AwsNotFound, AwsUnavailable, translated
from registry.aws.session import AwsSession
from registry.aws.values import utc

# What a copy says of itself in the object's metadata.
SHA256 = "sha256"
SOURCE_ETAG = "source-etag"
SOURCE_URL = "source-url"
MEBIBYTE = 1024 * 1024

_HTTPS_BUCKET_IN_HOST = re.compile(
    r"https://(?P<bucket>[a-z0-9.-]+)\.s3[.-][a-z0-9.-]*amazonaws\.com(?:\.cn)?/(?P<key>.+)"
)
_HTTPS_BUCKET_IN_PATH = re.compile(r"https://s3[.-][a-z0-9.-]*amazonaws\.com(?:\.cn)?/(?P<bucket>[^/]+)/(?P<key>.+)")
_S3 = re.compile(r"s3://(?P<bucket>[^/]+)/(?P<key>.+)", re.DOTALL)


class MalformedS3Url(ValueError):
    """Report text that does not name an object in S3."""


@dataclass(frozen=True, slots=True)
class S3Location:
    """Hold the bucket and the key of an object."""

    bucket: str
    key: str

    @property
    def url(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


@dataclass(frozen=True, slots=True)
class ObjectRecord:
    """Hold what S3 says of an object: bytes, ETag without quotes, version id ("" in an unversioned bucket).

    `sha256` is the hex digest that a copy left in the object's metadata, "" where there is none; `checksum` the SHA-256
    S3 itself reports, in its own words (base64, followed by the number of parts where it is one over their digests);
    `content_type` is what its writer said it is; `modified_at` when it was written (UTC).
    """

    url: str
    size: int
    etag: str
    version_id: str
    sha256: str = ""
    source_etag: str = ""
    content_type: str = ""
    checksum: str = ""
    modified_at: datetime | None = None


def parse_s3_url(url: str) -> S3Location:
    """Take an object's URL apart: s3://bucket/key, or S3's https forms that SageMaker takes too.

    Raises MalformedS3Url.
    """
    for form in (_S3, _HTTPS_BUCKET_IN_PATH, _HTTPS_BUCKET_IN_HOST):
        parts = form.fullmatch(url)
        if parts:
            return S3Location(parts["bucket"], parts["key"])
    raise MalformedS3Url(f"{url!r} does not name an object in S3; it should look like s3://bucket/key.")


def head(session: AwsSession, url: str, *, version_id: str = "", checksum: bool = False) -> ObjectRecord:
    """Read an object's size, ETag and version without its content; that of one version with `version_id`.

    With `checksum` also the SHA-256 S3 keeps, which for an object under a customer key needs kms:Decrypt.

    Raises AwsNotFound (also for a prefix, which is no object), AwsDenied, MalformedS3Url. Source: s3
    HeadObject.
    """
    location = parse_s3_url(url)
    which: dict[str, Any] = {"VersionId": version_id} if version_id else {}
    if checksum:
        which["ChecksumMode"] = "ENABLED"
    with translated(session, "s3", "HeadObject"):
        answer = session.s3.head_object(Bucket=location.bucket, Key=location.key, **which)
    metadata = answer.get("Metadata", {})
    return ObjectRecord(
        url=location.url,
        size=answer["ContentLength"],
        etag=answer["ETag"].strip('"'),
        version_id=version_of(answer.get("VersionId")),
        sha256=metadata.get(SHA256, ""),
        source_etag=metadata.get(SOURCE_ETAG, ""),
        content_type=answer.get("ContentType", ""),
        checksum=answer.get("ChecksumSHA256", ""),
        modified_at=utc(answer.get("LastModified")),
    )


def head_or_none(session: AwsSession, url: str) -> ObjectRecord | None:
    """Read an object as `head` does, None when it is not there."""
    try:
        return head(session, url)
    except AwsNotFound:
        return None


def objects_under(session: AwsSession, url: str) -> Iterator[tuple[S3Location, int]]:
    """Yield the objects under a prefix (s3://bucket/prefix/) with their sizes in bytes, by key.

    The empty objects by which consoles show folders are left out. Raises AwsNotFound, AwsDenied, MalformedS3Url.
    Source: s3 ListObjectsV2, 1000 a page.
    """
    location = parse_s3_url(url)
    following: dict[str, Any] = {}
    while True:
        with translated(session, "s3", "ListObjectsV2"):
            page = session.s3.list_objects_v2(Bucket=location.bucket, Prefix=location.key, **following)
        for found in page.get("Contents", ()):
            if not found["Key"].endswith("/"):
                yield S3Location(location.bucket, found["Key"]), found["Size"]
        if not page.get("NextContinuationToken"):
            return
        following = {"ContinuationToken": page["NextContinuationToken"]}


def pieces(session: AwsSession, source: ObjectRecord, *, start: int = 0, length: int | None = None) -> Iterator[bytes]:
    """Yield an object's bytes, or `length` of them from `start`, in pieces of at most a mebibyte, while it is the same.

    Raises AwsConflict when it was replaced meanwhile, AwsUnavailable when it breaks off. Source: s3 GetObject.
    """
    length = source.size if length is None else length
    if length == 0:
        return
    location = parse_s3_url(source.url)
    which: dict[str, Any] = {"VersionId": source.version_id} if source.version_id else {}
    if length != source.size:
        which["Range"] = f"bytes={start}-{start + length - 1}"
    with translated(session, "s3", "GetObject"):
        body = session.s3.get_object(Bucket=location.bucket, Key=location.key, IfMatch=f'"{source.etag}"', **which)[
            "Body"
        ]
    read = 0
    with body:
        while read < length:
            with translated(session, "s3", "GetObject"):
                piece = body.read(min(length - read, MEBIBYTE))
            if not piece:
                raise AwsUnavailable(
                    service="s3",
                    operation="GetObject",
                    account_id=session.account.account_id,
                    code="IncompleteBody",
                    message=f"{source.url} ended after {start + read} bytes",
                )
            read += len(piece)
            yield piece


def version_of(version_id: str | None) -> str:
    """Return a version id, "" for that of an object written before versioning was switched on."""
    return "" if version_id in (None, "null") else str(version_id)
