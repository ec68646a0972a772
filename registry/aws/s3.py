"""Look at and copy objects in S3: model artifacts and reports, by the URLs SageMaker knows them by."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from registry.aws.errors import AwsConflict, AwsError, AwsInvalid, AwsNotFound, translated
from registry.aws.session import AwsSession

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

_MEBIBYTE = 1024 * 1024
_MAXIMUM_PARTS = 10_000
PART_SIZE = 16 * _MEBIBYTE
_SHA256 = "sha256"
_SOURCE_ETAG = "source-etag"
_SOURCE_URL = "source-url"

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

    `sha256` is the hex digest that `copy` left in the object's metadata, "" where there is none; `content_type` is what
    its writer said it is.
    """

    url: str
    size: int
    etag: str
    version_id: str
    sha256: str = ""
    source_etag: str = ""
    content_type: str = ""


@dataclass(frozen=True, slots=True)
class CopyResult:
    """Hold where an object was copied to and the hex SHA-256 of its bytes; `skipped` if it was there."""

    url: str
    etag: str
    version_id: str
    size: int
    sha256: str
    skipped: bool = False


def parse_s3_url(url: str) -> S3Location:
    """Take an object's URL apart: s3://bucket/key, or S3's https forms that SageMaker takes too.

    Raises MalformedS3Url.
    """
    for form in (_S3, _HTTPS_BUCKET_IN_PATH, _HTTPS_BUCKET_IN_HOST):
        parts = form.fullmatch(url)
        if parts:
            return S3Location(parts["bucket"], parts["key"])
    raise MalformedS3Url(f"{url!r} does not name an object in S3; it should look like s3://bucket/key.")


def head(session: AwsSession, url: str, *, version_id: str = "") -> ObjectRecord:
    """Read an object's size, ETag and version without its content; that of one version with `version_id`.

    Raises AwsNotFound (also for a prefix, which is no object), AwsDenied, MalformedS3Url. Source: s3
    HeadObject.
    """
    location = parse_s3_url(url)
    which: dict[str, Any] = {"VersionId": version_id} if version_id else {}
    with translated(session, "s3", "HeadObject"):
        answer = session.s3.head_object(Bucket=location.bucket, Key=location.key, **which)
    metadata = answer.get("Metadata", {})
    return ObjectRecord(
        url=location.url,
        size=answer["ContentLength"],
        etag=answer["ETag"].strip('"'),
        version_id=_version(answer.get("VersionId")),
        sha256=metadata.get(_SHA256, ""),
        source_etag=metadata.get(_SOURCE_ETAG, ""),
        content_type=answer.get("ContentType", ""),
    )


def copy(
    source_session: AwsSession,
    target_session: AwsSession,
    source_url: str,
    target_url: str,
    *,
    kms_key_id: str = "",
    part_size: int = PART_SIZE,
) -> CopyResult:
    """Copy an object between accounts, byte for byte, and prove it.

    No more than three parts (of 16 MiB, larger above 160 GB) are in memory. The SHA-256 is stored in the copy's
    metadata; an object of several parts is therefore read twice, because S3 takes metadata only before the content. The
    copy is verified by the SHA-256 checksum S3 computed itself, or else by reading it back; a copy that
    differs is deleted. Does nothing when the target already holds these bytes (same size and source ETag).
    With `kms_key_id` the copy is encrypted under that key, which a deployment from another account needs.

    Raises AwsNotFound, AwsDenied, AwsConflict when the source changes meanwhile or the copy differs,
    AwsInvalid when both URLs name the same object, MalformedS3Url.
    Source: s3 HeadObject, GetObject, PutObject, CreateMultipartUpload, UploadPart, CompleteMultipartUpload.
    """
    target = parse_s3_url(target_url)
    source = head(source_session, source_url)
    if source.url == target.url:
        raise AwsInvalid(
            service="s3",
            operation="PutObject",
            account_id=target_session.account.account_id,
            code="SameObject",
            message=f"source and target are both {target.url}",
        )
    there = _head_or_none(target_session, target.url)
    if there and there.sha256 and there.source_etag == source.etag and there.size == source.size:
        return CopyResult(there.url, there.etag, there.version_id, there.size, there.sha256, skipped=True)

    encryption: dict[str, Any] = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key_id} if kms_key_id else {}
    if source.size <= part_size:
        sha256, version_id, checksum = _put_whole(source_session, target_session, source, target, encryption)
    else:
        sha256, version_id, checksum = _put_parts(source_session, target_session, source, target, encryption, part_size)
    etag = _verify(target_session, target, source.size, version_id, sha256, checksum)
    return CopyResult(target.url, etag, version_id, source.size, sha256)


def _put_whole(
    source_session: AwsSession,
    target_session: AwsSession,
    source: ObjectRecord,
    target: S3Location,
    encryption: dict[str, Any],
) -> tuple[str, str, str]:
    body = b"".join(_chunks(source_session, source, max(source.size, 1)))
    digest = hashlib.sha256(body)
    checksum = base64.b64encode(digest.digest()).decode()
    with translated(target_session, "s3", "PutObject"):
        answer = target_session.s3.put_object(
            Bucket=target.bucket,
            Key=target.key,
            Body=body,
            ChecksumSHA256=checksum,
            Metadata=_metadata(source, digest.hexdigest()),
            **encryption,
        )
    return digest.hexdigest(), _version(answer.get("VersionId")), checksum


def _put_parts(
    source_session: AwsSession,
    target_session: AwsSession,
    source: ObjectRecord,
    target: S3Location,
    encryption: dict[str, Any],
    part_size: int,
) -> tuple[str, str, str]:
    needed = -(-source.size // _MAXIMUM_PARTS)
    part_size = max(part_size, -(-needed // _MEBIBYTE) * _MEBIBYTE)
    announced = hashlib.sha256()
    for chunk in _chunks(source_session, source, _MEBIBYTE):
        announced.update(chunk)
    s3 = target_session.s3
    with translated(target_session, "s3", "CreateMultipartUpload"):
        upload_id = s3.create_multipart_upload(
            Bucket=target.bucket,
            Key=target.key,
            ChecksumAlgorithm="SHA256",
            Metadata=_metadata(source, announced.hexdigest()),
            **encryption,
        )["UploadId"]
    try:
        sent, digests = hashlib.sha256(), b""
        parts: list[CompletedPartTypeDef] = []
        for number, chunk in enumerate(_chunks(source_session, source, part_size), start=1):
            sent.update(chunk)
            digest = hashlib.sha256(chunk).digest()
            digests += digest
            checksum = base64.b64encode(digest).decode()
            with translated(target_session, "s3", "UploadPart"):
                part = s3.upload_part(
                    Bucket=target.bucket,
                    Key=target.key,
                    UploadId=upload_id,
                    PartNumber=number,
                    Body=chunk,
                    ChecksumSHA256=checksum,
                )
            parts.append({"PartNumber": number, "ETag": part["ETag"], "ChecksumSHA256": checksum})
        _require_same(target_session, target, sent.digest() == announced.digest())
        with translated(target_session, "s3", "CompleteMultipartUpload"):
            answer = s3.complete_multipart_upload(
                Bucket=target.bucket, Key=target.key, UploadId=upload_id, MultipartUpload={"Parts": parts}
            )
    except BaseException:
        # Parts of an upload nobody finishes are invisible and billed for ever.
        with suppress(AwsError), translated(target_session, "s3", "AbortMultipartUpload"):
            s3.abort_multipart_upload(Bucket=target.bucket, Key=target.key, UploadId=upload_id)
        raise
    checksum = f"{base64.b64encode(hashlib.sha256(digests).digest()).decode()}-{len(parts)}"
    return sent.hexdigest(), _version(answer.get("VersionId")), checksum


def _verify(session: AwsSession, target: S3Location, size: int, version_id: str, sha256: str, checksum: str) -> str:
    which: dict[str, Any] = {"Bucket": target.bucket, "Key": target.key}
    if version_id:
        which["VersionId"] = version_id
    with translated(session, "s3", "HeadObject"):
        answer = session.s3.head_object(**which, ChecksumMode="ENABLED")
    reported = answer.get("ChecksumSHA256", "")
    etag = answer["ETag"].strip('"')
    if answer["ContentLength"] != size:
        problem = f"it has {answer['ContentLength']} bytes instead of {size}"
    elif reported == checksum:
        return etag
    else:
        # No checksum, or one over other part borders than ours: the bytes themselves decide.
        digest = hashlib.sha256()
        written = ObjectRecord(target.url, size, etag, version_id)
        for chunk in _chunks(session, written, _MEBIBYTE):
            digest.update(chunk)
        if digest.hexdigest() == sha256:
            return etag
        problem = f"its SHA-256 is {digest.hexdigest()} instead of {sha256}"
    # Left in place, its metadata would make the next copy believe that the work is done.
    with suppress(AwsError), translated(session, "s3", "DeleteObject"):
        session.s3.delete_object(**which)
    raise _differs(session, target, problem)


def _chunks(session: AwsSession, source: ObjectRecord, size: int) -> Iterator[bytes]:
    """Yield an object's bytes in pieces of exactly `size` (the last may be shorter), while it is the same."""
    location = parse_s3_url(source.url)
    which: dict[str, Any] = {"Bucket": location.bucket, "Key": location.key}
    if source.version_id:
        which["VersionId"] = source.version_id
    with translated(session, "s3", "GetObject"):
        body = session.s3.get_object(**which, IfMatch=f'"{source.etag}"')["Body"]
    with body:
        while True:
            piece = bytearray()
            while len(piece) < size:
                with translated(session, "s3", "GetObject"):
                    read = body.read(min(size - len(piece), _MEBIBYTE))
                if not read:
                    break
                piece += read
            if piece:
                yield bytes(piece)
            if len(piece) < size:
                return


def _head_or_none(session: AwsSession, url: str) -> ObjectRecord | None:
    try:
        return head(session, url)
    except AwsNotFound:
        return None


def _metadata(source: ObjectRecord, sha256: str) -> dict[str, str]:
    # Metadata travels as HTTP headers: ASCII only, 2 KB in all.
    return {_SHA256: sha256, _SOURCE_ETAG: source.etag, _SOURCE_URL: quote(source.url, safe=":/")[:1500]}


def _version(version_id: str | None) -> str:
    # "null" is the version of objects written before versioning was switched on.
    return "" if version_id in (None, "null") else str(version_id)


def _require_same(session: AwsSession, target: S3Location, is_same: bool) -> None:
    if not is_same:
        raise _differs(session, target, "the source gave different bytes on the second reading")


def _differs(session: AwsSession, target: S3Location, problem: str) -> AwsConflict:
    return AwsConflict(
        service="s3",
        operation="CopyObject",
        account_id=session.account.account_id,
        code="CopyDiffers",
        message=f"the copy at {target.url} was not kept: {problem}",
        retryable=True,
        advice="It is tried again; if it lasts, check who else writes to the source or the target.",
    )
