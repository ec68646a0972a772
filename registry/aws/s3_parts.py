"""Carry an object over in parts: which are there, which are still to be sent, and what the next worker has to know."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from tempfile import SpooledTemporaryFile
from time import monotonic
from typing import TYPE_CHECKING, Any

from registry.aws.errors import AwsConflict, AwsError, AwsNotFound, translated
from registry.aws.s3 import MEBIBYTE, ObjectRecord, S3Location, parse_s3_url, pieces, version_of
from registry.aws.session import AwsSession

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

# More of one part lies on disk.
_IN_MEMORY = 16 * MEBIBYTE


class GoesOn(Exception):
    """The time for one call is over; what was told leads on. `done` of `total` bytes are carried over."""

    def __init__(self, done: int, total: int) -> None:
        super().__init__(f"{done} of {total} bytes are copied")
        self.done = done
        self.total = total


@dataclass(frozen=True, slots=True)
class Upload:
    """What must be known to go on with a multipart upload. `done` bytes from the start are carried over and checked.

    `sha256` is the checksum of the whole, known from the last part on.
    """

    upload_id: str
    source_etag: str
    total: int
    part_size: int
    by_server: bool
    done: int = 0
    sha256: str = ""

    @classmethod
    def read(cls, known: Mapping[str, Any] | None) -> Upload | None:
        """Read what was told; anything that is not that is None."""
        given = {name: value for name, value in (known or {}).items() if name in cls.__slots__}
        try:
            found = cls(**given)
        except TypeError:
            return None
        return found if found.part_size > 0 else None

    def is_of(self, source: ObjectRecord) -> bool:
        """Whether it carries this very state of an object."""
        return (self.source_etag, self.total) == (source.etag, source.size)

    def as_json(self) -> dict[str, Any]:
        """Return what is told."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class _Part:
    number: int
    start: int
    length: int


@dataclass(frozen=True, slots=True)
class _There:
    """A part as S3 tells it; `digest` is its SHA-256, None where nobody knows it, and `is_reported` by S3 itself."""

    size: int
    etag: str
    digest: bytes | None
    is_reported: bool = False

    @classmethod
    def of(cls, size: int, answer: Mapping[str, Any]) -> _There:
        """Read one entry of ListParts or the answer of UploadPartCopy."""
        reported = answer.get("ChecksumSHA256")
        return cls(size, answer["ETag"], base64.b64decode(reported) if reported else None, bool(reported))


def composite(digests: Sequence[bytes]) -> str:
    """Return the checksum S3 gives an object of parts: base64 of the SHA-256 over their digests, and their number."""
    return f"{base64.b64encode(hashlib.sha256(b''.join(digests)).digest()).decode()}-{len(digests)}"


@dataclass(frozen=True)
class Parts:
    """One object on its way in parts. `deadline` is on the monotonic clock; None for none."""

    source_session: AwsSession
    target_session: AwsSession
    source: ObjectRecord
    target: S3Location
    part_size: int
    by_server: bool
    tell: Callable[[dict[str, Any]], None]
    deadline: float | None

    def begin(self, before: Upload | None, made_with: Mapping[str, Any]) -> Upload:
        """Return the upload to go on with, or a new one; any other at this key is nobody's any more and aborted."""
        if before is not None and self._fits(before) and self._exists(before):
            self._abort_others(before.upload_id)
            return before
        self._abort_others("")
        with translated(self.target_session, "s3", "CreateMultipartUpload"):
            upload_id = self.target_session.s3.create_multipart_upload(
                Bucket=self.target.bucket, Key=self.target.key, ChecksumAlgorithm="SHA256", **made_with
            )["UploadId"]
        upload = Upload(upload_id, self.source.etag, self.source.size, self.part_size, self.by_server)
        self.tell(upload.as_json())
        return upload

    def carry_over(self, upload: Upload) -> tuple[str, str, str]:
        """Carry over what is missing and complete the object.

        Returns its version id, its SHA-256 (in hex when every byte was read here, else S3's form), and the checksum S3
        should report. Raises GoesOn, AwsError.
        """
        there = dict(self._listed(upload))
        whole = _Whole()
        arrived: list[_There] = []
        # Parts of equal borders make equal checksums of the whole, so nothing has to be read.
        is_told = upload.by_server and self.source.checksum.endswith(f"-{self._count}")
        for part in self._parts():
            if self.deadline is not None and monotonic() > self.deadline:
                raise GoesOn(part.start, self.source.size)
            found = there.get(part.number)
            if found is not None and found.size != part.length:
                found = None
            if found is None or found.digest is None or part.start + part.length > upload.done:
                carry = self._copied if upload.by_server else self._sent
                found = carry(upload, part, found, whole, is_told)
            else:
                whole.skip()
            arrived.append(found)
            upload = replace(upload, done=max(upload.done, part.start + part.length))
            self.tell(upload.as_json())
        checksum = self.source.checksum if is_told else composite([part.digest or b"" for part in arrived])
        sha256 = whole.hex() or checksum
        self.tell(replace(upload, sha256=sha256).as_json())
        return self._completed(upload, arrived), sha256, checksum

    @property
    def _count(self) -> int:
        return -(-self.source.size // self.part_size)

    def _parts(self) -> Iterator[_Part]:
        for number in range(1, self._count + 1):
            start = (number - 1) * self.part_size
            yield _Part(number, start, min(self.part_size, self.source.size - start))

    def _sent(self, upload: Upload, part: _Part, found: _There | None, whole: _Whole, is_told: bool) -> _There:
        """Read a part of the source and send it, unless S3 holds just these bytes already."""
        digest, hint = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
        with SpooledTemporaryFile(max_size=_IN_MEMORY) as body:
            for piece in self._read(part):
                body.write(piece)
                for one in (digest, hint, whole):
                    one.update(piece)
            if found is not None and (
                found.digest == digest.digest() if found.digest else found.etag.strip('"') == hint.hexdigest()
            ):
                return replace(found, digest=digest.digest())
            body.seek(0)
            with translated(self.target_session, "s3", "UploadPart"):
                answer = self.target_session.s3.upload_part(
                    Bucket=self.target.bucket,
                    Key=self.target.key,
                    UploadId=upload.upload_id,
                    PartNumber=part.number,
                    Body=body,
                    ContentLength=part.length,
                    ChecksumSHA256=_text(digest.digest()),
                )
        return _There(part.length, answer["ETag"], digest.digest(), is_reported=True)

    def _copied(self, upload: Upload, part: _Part, found: _There | None, whole: _Whole, is_told: bool) -> _There:
        """Have S3 copy a part, and compare it with the source where nothing else will tell whether it is the same."""
        if found is None:
            where = parse_s3_url(self.source.url)
            copied_from: dict[str, Any] = {"Bucket": where.bucket, "Key": where.key}
            if self.source.version_id:
                copied_from["VersionId"] = self.source.version_id
            with translated(self.target_session, "s3", "UploadPartCopy"):
                answer = self.target_session.s3.upload_part_copy(
                    Bucket=self.target.bucket,
                    Key=self.target.key,
                    UploadId=upload.upload_id,
                    PartNumber=part.number,
                    CopySource=copied_from,  # type: ignore[arg-type]  # a dictionary with the keys it asks for
                    CopySourceRange=f"bytes={part.start}-{part.start + part.length - 1}",
                    CopySourceIfMatch=f'"{self.source.etag}"',
                )["CopyPartResult"]
            found = _There.of(part.length, answer)
        if is_told:
            whole.skip()
            return found
        digest = hashlib.sha256()
        for piece in self._read(part):
            digest.update(piece)
            whole.update(piece)
        if found.digest is not None and found.digest != digest.digest():
            raise AwsConflict(
                service="s3",
                operation="UploadPartCopy",
                account_id=self.target_session.account.account_id,
                code="CopyDiffers",
                message=f"part {part.number} of {self.target.url} is not what {self.source.url} holds",
                retryable=True,
                advice="It is copied anew; if it lasts, check who else writes to the source.",
            )
        return replace(found, digest=digest.digest())

    def _read(self, part: _Part) -> Iterator[bytes]:
        return pieces(self.source_session, self.source, start=part.start, length=part.length)

    def _completed(self, upload: Upload, arrived: Sequence[_There]) -> str:
        parts: list[CompletedPartTypeDef] = []
        for number, part in enumerate(arrived, 1):
            entry: CompletedPartTypeDef = {"PartNumber": number, "ETag": part.etag}
            if part.digest is not None and part.is_reported:
                entry["ChecksumSHA256"] = _text(part.digest)
            parts.append(entry)
        with translated(self.target_session, "s3", "CompleteMultipartUpload"):
            answer = self.target_session.s3.complete_multipart_upload(
                Bucket=self.target.bucket,
                Key=self.target.key,
                UploadId=upload.upload_id,
                MultipartUpload={"Parts": parts},
            )
        return version_of(answer.get("VersionId"))

    def _fits(self, before: Upload) -> bool:
        return before.is_of(self.source) and (before.part_size, before.by_server) == (self.part_size, self.by_server)

    def _exists(self, before: Upload) -> bool:
        try:
            next(iter(self._listed(before)), None)
        except AwsNotFound:
            return False
        return True

    def _listed(self, upload: Upload) -> Iterator[tuple[int, _There]]:
        """Yield what S3 holds of an upload, by part number. Source: ListParts, 1000 a page."""
        marker = 0
        while True:
            with translated(self.target_session, "s3", "ListParts"):
                page = self.target_session.s3.list_parts(
                    Bucket=self.target.bucket,
                    Key=self.target.key,
                    UploadId=upload.upload_id,
                    PartNumberMarker=marker,
                )
            for found in page.get("Parts", ()):
                yield found["PartNumber"], _There.of(found["Size"], found)
            if not page.get("IsTruncated") or page["NextPartNumberMarker"] <= marker:
                return
            marker = page["NextPartNumberMarker"]

    def _abort_others(self, upload_id: str) -> None:
        """Abort the uploads at this key that nobody goes on with: their parts would be billed for ever.

        Who may not list them goes without. Source: ListMultipartUploads, AbortMultipartUpload.
        """
        with suppress(AwsError):
            with translated(self.target_session, "s3", "ListMultipartUploads"):
                page = self.target_session.s3.list_multipart_uploads(Bucket=self.target.bucket, Prefix=self.target.key)
            for found in page.get("Uploads", ()):
                if found["Key"] == self.target.key and found["UploadId"] != upload_id:
                    with translated(self.target_session, "s3", "AbortMultipartUpload"):
                        self.target_session.s3.abort_multipart_upload(
                            Bucket=self.target.bucket, Key=self.target.key, UploadId=found["UploadId"]
                        )


class _Whole:
    """The SHA-256 of all bytes, as long as all of them come by here."""

    def __init__(self) -> None:
        self._digest: Any = hashlib.sha256()

    def update(self, piece: bytes) -> None:
        if self._digest is not None:
            self._digest.update(piece)

    def skip(self) -> None:
        """A part was not read: the whole cannot be known any more."""
        self._digest = None

    def hex(self) -> str:
        """Return the digest in hex, "" when it cannot be known."""
        return "" if self._digest is None else str(self._digest.hexdigest())


def _text(digest: bytes) -> str:
    return base64.b64encode(digest).decode()
