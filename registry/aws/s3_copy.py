"""Copy objects between accounts' buckets: byte for byte, proved, and taken up again where a killed worker left off."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from typing import Any
from urllib.parse import quote

from registry.aws.errors import AwsConflict, AwsDenied, AwsError, AwsInvalid, AwsNotFound, translated
from registry.aws.s3 import (
    MEBIBYTE,
    SHA256,
    SOURCE_ETAG,
    SOURCE_URL,
    ObjectRecord,
    S3Location,
    head,
    head_or_none,
    objects_under,
    parse_s3_url,
    pieces,
    version_of,
)
from registry.aws.s3_parts import GoesOn, Parts, Upload, composite
from registry.aws.session import AwsSession

__all__ = ["CopyResult", "GoesOn", "abandon", "copy", "copy_prefix"]

PART_SIZE = 16 * MEBIBYTE
# From here on S3 is asked to copy by itself, where the target's role may read the source.
LARGE = 256 * MEBIBYTE
MOST_FILES = 10_000
_MAXIMUM_PARTS = 10_000
_MANIFEST = ".manifest.json"

Progress = Mapping[str, Any]


def _unheard(progress: dict[str, Any]) -> None:
    return None


@dataclass(frozen=True, slots=True)
class CopyResult:
    """Hold where an object was copied to and the SHA-256 of its bytes; `skipped` if it was there.

    `sha256` is in hex; for an object copied in parts that were not all read in one go, it is S3's own form, the base64
    of the SHA-256 over the parts' digests, a hyphen and their number. Of a prefix it is that of its manifest.
    """

    url: str
    etag: str
    version_id: str
    size: int
    sha256: str
    skipped: bool = False


def copy(
    source_session: AwsSession,
    target_session: AwsSession,
    source_url: str,
    target_url: str,
    *,
    kms_key_id: str = "",
    part_size: int = PART_SIZE,
    large: int = LARGE,
    seconds: float | None = None,
    known: Progress | None = None,
    tell: Callable[[dict[str, Any]], None] = _unheard,
) -> CopyResult:
    """Copy an object between accounts, byte for byte, and prove it.

    An object of one part (16 MiB) is read and written whole. A larger one goes in parts, of which one is in memory or,
    beyond 16 MiB, on disk; from `large` bytes on S3 copies the parts itself when the target's role may read the
    source. `tell` is given what the next call has to know, JSON, after every step; handed back as `known`, parts that
    are there are neither sent nor, where S3 reports their checksums, read again. After `seconds` the call ends with
    GoesOn. Does nothing when the target already holds these bytes.

    The copy is proved by the SHA-256 S3 computed itself, or else by reading it back; one that differs is deleted. With
    `kms_key_id` it is encrypted under that key, which a deployment from another account needs.

    Raises AwsNotFound, AwsDenied, AwsConflict when the source changes meanwhile (the next call starts over) or the
    copy differs, AwsInvalid when both URLs name the same object, MalformedS3Url. An upload that can go on is left for
    the next call or `abandon`; otherwise it is aborted.
    Source: s3 HeadObject, GetObject, PutObject, CreateMultipartUpload, ListMultipartUploads, ListParts, UploadPart,
    UploadPartCopy, CompleteMultipartUpload, AbortMultipartUpload.
    """
    target = parse_s3_url(target_url)
    source = head(source_session, source_url, checksum=True)
    if source.url == target.url:
        raise _invalid(target_session, "SameObject", f"source and target are both {target.url}")
    before = Upload.read(known)
    there = head_or_none(target_session, target.url)
    if there and there.source_etag == source.etag and there.size == source.size:
        if there.sha256:
            return CopyResult(there.url, there.etag, there.version_id, there.size, there.sha256, skipped=True)
        # Completed by a worker that died before it could say so: proved now.
        part = before.part_size if before and before.is_of(source) else part_size
        sha256 = _digests(target_session, there, part)[0]
        proved = not (before and before.is_of(source) and before.sha256) or before.sha256 in (
            sha256,
            _digests(target_session, there, part)[1],
        )
        if proved:
            return CopyResult(there.url, there.etag, there.version_id, there.size, sha256, skipped=True)

    encryption: dict[str, Any] = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key_id} if kms_key_id else {}
    if source.size <= part_size:
        return _whole(source_session, target_session, source, target, encryption)
    needed = -(-source.size // _MAXIMUM_PARTS)
    part_size = max(part_size, -(-needed // MEBIBYTE) * MEBIBYTE)
    by_server = source.size >= large and _may_read(target_session, source)
    parts = Parts(
        source_session=source_session,
        target_session=target_session,
        source=source,
        target=target,
        part_size=_part_size_of(source_session, source, part_size) if by_server else part_size,
        by_server=by_server,
        tell=tell,
        deadline=None if seconds is None else monotonic() + seconds,
    )
    upload = parts.begin(before, {"Metadata": _metadata(source), **encryption})
    try:
        version_id, sha256, checksum = parts.carry_over(upload)
        etag = _verify(target_session, target, source.size, version_id, sha256, checksum, parts.part_size)
    except AwsError as error:
        if isinstance(error, AwsConflict) or not error.retryable:
            abandon(target_session, target_url, upload.as_json())
            tell({})
        raise
    return CopyResult(target.url, etag, version_id, source.size, sha256)


def copy_prefix(
    source_session: AwsSession,
    target_session: AwsSession,
    source_url: str,
    target_url: str,
    *,
    kms_key_id: str = "",
    seconds: float | None = None,
    known: Progress | None = None,
    tell: Callable[[dict[str, Any]], None] = _unheard,
) -> CopyResult:
    """Copy every object under a prefix, each as `copy` does, and leave a manifest of their checksums beside the copy.

    Both URLs end in a slash; the manifest is an object beside the target prefix, not under it, for what lies under it
    is the model. `known`, `tell` and `seconds` are those of `copy`. Raises AwsNotFound when nothing is there,
    AwsInvalid for more than 10,000 objects, and what `copy` raises. Source: s3 ListObjectsV2, and that of `copy`.
    """
    source, target = parse_s3_url(source_url), parse_s3_url(target_url)
    files = []
    for found in objects_under(source_session, source_url):
        files.append(found)
        if len(files) > MOST_FILES:
            raise _invalid(source_session, "TooManyFiles", f"{source.url} holds more than {MOST_FILES} objects")
    if not files:
        raise AwsNotFound(
            service="s3",
            operation="ListObjectsV2",
            account_id=source_session.account.account_id,
            code="EmptyPrefix",
            message=f"{source.url} holds no objects",
        )
    total = sum(size for _, size in files)
    deadline = None if seconds is None else monotonic() + seconds
    before = dict(known or {})
    done = 0
    copied: dict[str, dict[str, Any]] = {}
    for location, size in files:
        name = location.key[len(source.key) :]
        if deadline is not None and monotonic() > deadline:
            raise GoesOn(done, total)

        def told(progress: dict[str, Any], name: str = name, before_this: int = done) -> None:
            tell({**progress, "file": name, "done": before_this + progress.get("done", 0), "total": total})

        try:
            result = copy(
                source_session,
                target_session,
                location.url,
                f"{target.url}{name}",
                kms_key_id=kms_key_id,
                seconds=None if deadline is None else max(deadline - monotonic(), 0.0),
                known=before if before.get("file") == name else None,
                tell=told,
            )
        except GoesOn as unfinished:
            raise GoesOn(done + unfinished.done, total) from None
        done += size
        copied[name] = {"size": result.size, "sha256": result.sha256, "etag": result.etag}
        tell({"file": name, "done": done, "total": total})
    return _manifest(target_session, source, target, copied, total, kms_key_id)


def abandon(session: AwsSession, target_url: str, known: Progress) -> None:
    """Abort an upload that nobody will finish: its parts are invisible and billed for ever. Never raises AwsError.

    Of a prefix it is that of the file under way. Source: s3 AbortMultipartUpload.
    """
    upload_id = known.get("upload_id")
    if not upload_id:
        return
    target = parse_s3_url(f"{target_url}{known['file']}" if known.get("file") else target_url)
    with suppress(AwsError), translated(session, "s3", "AbortMultipartUpload"):
        session.s3.abort_multipart_upload(Bucket=target.bucket, Key=target.key, UploadId=upload_id)


def _whole(
    source_session: AwsSession,
    target_session: AwsSession,
    source: ObjectRecord,
    target: S3Location,
    encryption: dict[str, Any],
) -> CopyResult:
    body = b"".join(pieces(source_session, source))
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
    version_id, sha256 = version_of(answer.get("VersionId")), digest.hexdigest()
    etag = _verify(target_session, target, source.size, version_id, sha256, checksum, max(source.size, 1))
    return CopyResult(target.url, etag, version_id, source.size, sha256)


def _manifest(
    session: AwsSession,
    source: S3Location,
    target: S3Location,
    files: dict[str, dict[str, Any]],
    total: int,
    kms_key_id: str,
) -> CopyResult:
    """Write down what was copied, and answer with the checksum of that."""
    text = json.dumps({"source": source.url, "files": files}, sort_keys=True, indent=1).encode()
    key = target.key.rstrip("/") + _MANIFEST
    encryption: dict[str, Any] = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key_id} if kms_key_id else {}
    with translated(session, "s3", "PutObject"):
        answer = session.s3.put_object(
            Bucket=target.bucket, Key=key, Body=text, ContentType="application/json", **encryption
        )
    etag, version_id = answer["ETag"].strip('"'), version_of(answer.get("VersionId"))
    return CopyResult(target.url, etag, version_id, total, hashlib.sha256(text).hexdigest())


def _verify(
    session: AwsSession, target: S3Location, size: int, version_id: str, sha256: str, checksum: str, part_size: int
) -> str:
    """Return the ETag of the copy once its bytes are proved; delete it and raise AwsConflict when they differ."""
    written = head(session, target.url, version_id=version_id, checksum=True)
    if written.size != size:
        problem = f"it has {written.size} bytes instead of {size}"
    elif written.checksum == checksum:
        return written.etag
    else:
        # No checksum, or one over other part borders than ours: the bytes themselves decide.
        found = _digests(session, written, part_size)
        if found[1] == checksum or found[0] == sha256:
            return written.etag
        problem = f"its SHA-256 is {found[0]} instead of {sha256}"
    # Left in place, its metadata would make the next copy believe that the work is done.
    with suppress(AwsError), translated(session, "s3", "DeleteObject"):
        which: dict[str, Any] = {"VersionId": version_id} if version_id else {}
        session.s3.delete_object(Bucket=target.bucket, Key=target.key, **which)
    raise AwsConflict(
        service="s3",
        operation="CopyObject",
        account_id=session.account.account_id,
        code="CopyDiffers",
        message=f"the copy at {target.url} was not kept: {problem}",
        retryable=True,
        advice="It is tried again; if it lasts, check who else writes to the source or the target.",
    )


def _digests(session: AwsSession, written: ObjectRecord, part_size: int) -> tuple[str, str]:
    """Read an object; return its SHA-256 in hex, and over the digests of parts of this size in S3's form."""
    whole = hashlib.sha256()
    digests = []
    for start in range(0, written.size, part_size):
        part = hashlib.sha256()
        for piece in pieces(session, written, start=start, length=min(part_size, written.size - start)):
            whole.update(piece)
            part.update(piece)
        digests.append(part.digest())
    return whole.hexdigest(), composite(digests)


def _may_read(session: AwsSession, source: ObjectRecord) -> bool:
    """Whether the target's role can see the very object too, so that S3 can copy it without us."""
    try:
        seen = head(session, source.url, version_id=source.version_id)
    except (AwsDenied, AwsNotFound, AwsInvalid):
        return False
    return (seen.etag, seen.size) == (source.etag, source.size)


def _part_size_of(session: AwsSession, source: ObjectRecord, otherwise: int) -> int:
    """Return the size of the source's own parts where its checksum is one over them: the copy's is then comparable."""
    if "-" not in source.checksum:
        return otherwise
    location = parse_s3_url(source.url)
    which: dict[str, Any] = {"VersionId": source.version_id} if source.version_id else {}
    with translated(session, "s3", "HeadObject"):
        first = session.s3.head_object(Bucket=location.bucket, Key=location.key, PartNumber=1, **which)
    size = first["ContentLength"]
    is_even = -(-source.size // size) == first.get("PartsCount") if size else False
    return size if is_even else otherwise


def _metadata(source: ObjectRecord, sha256: str = "") -> dict[str, str]:
    # Metadata travels as HTTP headers: ASCII only, 2 KB in all.
    said = {SOURCE_ETAG: source.etag, SOURCE_URL: quote(source.url, safe=":/")[:1500]}
    return {SHA256: sha256, **said} if sha256 else said


def _invalid(session: AwsSession, code: str, message: str) -> AwsInvalid:
    return AwsInvalid(
        service="s3", operation="PutObject", account_id=session.account.account_id, code=code, message=message
    )
