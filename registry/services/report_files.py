"""Reports in S3, read with a bound on memory: what they say, or by name why they say nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils import timezone

from registry.aws import s3
from registry.aws.errors import AwsConflict, AwsDenied, AwsError, AwsNotFound, AwsUnavailable
from registry.aws.session import AwsSession
from registry.aws.values import plain_text

from ..reports.document import ReportProblem, Unreadable, read_json

# A larger report is refused by the size S3 gives, before any of it is read.
LARGEST = 20 * s3.MEBIBYTE
LONGEST_ADDRESS = 1024
_NO_ADDRESS = ("ParamValidationError", "InvalidBucketName", "KeyTooLongError")


@dataclass(frozen=True, slots=True)
class ReportFile:
    """Hold what one reading of a report came to.

    Without a `problem` its `content` is there; with one `sentence` says it for people. `etag`, `version_id`, `size`
    (bytes, None where S3 did not say) and `written_at` are S3's, `sha256` (hex) is computed over what was read.
    `is_unchanged` tells that the object has the ETag the caller knows already, so that it was not read again.
    """

    address: str
    read_at: datetime
    problem: ReportProblem | None = None
    sentence: str = ""
    content: Mapping[str, Any] = field(default_factory=dict)
    etag: str = ""
    version_id: str = ""
    sha256: str = ""
    size: int | None = None
    written_at: datetime | None = None
    is_unchanged: bool = False


def read(session: AwsSession, s3_uri: str, *, unless_etag: str = "", largest: int = LARGEST) -> ReportFile:
    """Read a JSON report of at most `largest` bytes; one that still has the ETag `unless_etag` is not read again.

    Raises nothing: what is missing, denied, too large, broken off or no report comes back by that name. Source: s3
    HeadObject, GetObject.
    """
    address, at = plain_text(s3_uri).strip()[:LONGEST_ADDRESS], timezone.now()
    try:
        found = s3.head(session, address)
    except s3.MalformedS3Url:
        return ReportFile(
            address, at, ReportProblem.MISSING, f"{address!r} is no address of an object in S3 (s3://bucket/key)."
        )
    except AwsError as error:
        problem, sentence = _refused(error)
        return ReportFile(address, at, problem, sentence)
    if unless_etag and found.etag == unless_etag:
        return _file(found, address, at, is_unchanged=True)
    if found.size > largest:
        return _file(
            found,
            address,
            at,
            problem=ReportProblem.TOO_LARGE,
            sentence=f"It has {_mebibytes(found.size)}; at most {_mebibytes(largest)} are read of a report.",
        )
    return _content(session, found, address, at)


def _content(session: AwsSession, found: s3.ObjectRecord, address: str, at: datetime) -> ReportFile:
    data = bytearray()
    try:
        for piece in s3.pieces(session, found):
            data += piece
    except AwsError as error:
        problem, sentence = _refused(error)
        return _file(found, address, at, problem=problem, sentence=sentence)
    sha256 = hashlib.sha256(data).hexdigest()
    try:
        content = read_json(data)
    except Unreadable as error:
        return _file(found, address, at, problem=error.problem, sentence=error.sentence, sha256=sha256)
    return _file(found, address, at, content=content, sha256=sha256)


def _file(found: s3.ObjectRecord, address: str, at: datetime, **fields: Any) -> ReportFile:
    return ReportFile(
        address,
        at,
        etag=found.etag,
        version_id=found.version_id,
        size=found.size,
        written_at=found.modified_at,
        **fields,
    )


def _refused(error: AwsError) -> tuple[ReportProblem, str]:
    if error.service == "sts":
        return ReportProblem.UNREACHABLE, f"The account was not reached: {error}"
    if isinstance(error, AwsNotFound):
        return ReportProblem.MISSING, "There is no such object in S3."
    if error.code in _NO_ADDRESS:
        return ReportProblem.MISSING, f"S3 has no such address: {error.message.rstrip('.')}."
    if isinstance(error, AwsDenied):
        return ReportProblem.DENIED, f"The portal may not read it ({error.code}): {error.advice}"
    if isinstance(error, AwsUnavailable) and error.code == "IncompleteBody":
        return ReportProblem.TRUNCATED, f"S3 ended it early: {error.message}."
    if isinstance(error, AwsConflict):
        return ReportProblem.UNREACHABLE, "It was replaced while it was being read; the next reading takes the new one."
    return ReportProblem.UNREACHABLE, str(error)


def _mebibytes(size: int) -> str:
    return f"{size / s3.MEBIBYTE:,.0f} MB"
