"""Evidence: attached by those who work on a subject, renewed by editions, withdrawn with a reason, never removed."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.utils import timezone

from portal.core import access
from portal.core.actors import Actor
from portal.core.errors import Forbidden, InvalidInput, Unavailable, WrongState
from portal.core.operations import operation
from portal.core.permissions import Act, require
from portal.core.vocabulary import EvidenceKind, Stage
from registry.aws import s3
from registry.aws.errors import AwsDenied, AwsError, AwsNotFound, AwsThrottled, AwsUnavailable
from registry.models import AwsAccount, ModelVersion, UseCase
from registry.services import accounts

from ..choices import EvidenceSource
from ..models import ApprovalRequest, Evidence
from . import binding
from .evidence_files import check, safe_name
from .evidence_store import discard, keep
from .locking import lock_use_case, lock_version

Subject = UseCase | ModelVersion


class RequestIsOpen(Exception):
    """A request about the subject is open, and who attaches does not want to end it."""


LONGEST_TITLE = 200
LONGEST_TEXT = 20_000
LONGEST_URI = 2048
_UNKNOWN_TYPE = "application/octet-stream"


def attach_upload(
    *,
    actor: Actor,
    subject_type: type[Subject],
    subject_id: int,
    kind: EvidenceKind,
    file: UploadedFile,
    title: str = "",
    note: str = "",
    supersedes: int | None = None,
) -> Evidence:
    """Keep a file as evidence about a use case or version; with `supersedes`, as the next edition of that one.

    The title is the file's name unless given. The file is looked at and stored before the row is written: a crash in
    between leaves a file without a row, never a row without its file. What is asked or approved is outdated by it if
    it changes what was decided on. Raises NotFound, Forbidden, InvalidInput naming the fields (type, size, content),
    WrongState for what is retired or has a later edition, Unavailable when the store does not answer.
    """
    _may_attach(actor, subject_type, subject_id)
    checked = check(
        file,
        name=file.name or "",
        declared=file.content_type or "",
        limit=largest_file(),
    )
    words = _words(title or checked.filename, note)
    name = keep(file, checked)
    try:
        return _attach(
            actor,
            subject_type,
            subject_id,
            kind,
            supersedes,
            False,
            **words,
            source=EvidenceSource.UPLOAD,
            filename=checked.filename,
            content_type=checked.content_type,
            size=checked.size,
            sha256=checked.sha256,
            storage_name=name,
        )
    except BaseException:
        discard(name)
        raise


def attach_s3(
    *,
    actor: Actor,
    subject_type: type[Subject],
    subject_id: int,
    kind: EvidenceKind,
    uri: str,
    version_id: str = "",
    etag: str = "",
    title: str = "",
    note: str = "",
    supersedes: int | None = None,
    unless_asked: bool = False,
) -> Evidence:
    """Pin an object in S3 as evidence by its version id and ETag, which S3 is asked for; its bytes stay there.

    The bucket must be among the artifact buckets of a registered account. With `version_id` it is that version, with
    `etag` the object must have it. Raises as `attach_upload` does, InvalidInput also when the object cannot be found or
    read, Unavailable when AWS does not answer. With `unless_asked` it raises RequestIsOpen where it would outdate an
    open request. Source: s3 HeadObject.
    """
    _may_attach(actor, subject_type, subject_id)
    location = _location(uri)
    account = accounts.holding_bucket(location.bucket)
    if account is None:
        raise _refused("s3_uri", f"No registered account names {location.bucket} among its artifact buckets.")
    found = _head(account, location.url, version_id.strip())
    if etag.strip(' "') not in ("", found.etag):
        raise _refused("s3_etag", f"S3 says the ETag of this object is {found.etag}. It is not the one you mean.")
    if not found.size:
        raise _refused("s3_uri", "The object is empty.")
    filename = safe_name(location.key)
    return _attach(
        actor,
        subject_type,
        subject_id,
        kind,
        supersedes,
        unless_asked,
        **_words(title or filename, note),
        source=EvidenceSource.S3,
        filename=filename,
        content_type=(found.content_type or _UNKNOWN_TYPE)[:255],
        size=found.size,
        account=account,
        s3_uri=location.url,
        s3_version_id=found.version_id,
        s3_etag=found.etag,
    )


def withdraw(*, actor: Actor, evidence_id: int, reason: str) -> Evidence:
    """Say that evidence counts no more, and why; it stays readable, and an earlier edition does not come back.

    Raises NotFound, Forbidden, InvalidInput without a reason, WrongState when it is withdrawn or its subject retired.
    """
    with operation(actor, reason.replace("\x00", "").strip() or "withdraw evidence"):
        seen = access.get(Evidence, actor, pk=evidence_id)
        subject = _lock(type(seen.subject), seen.subject.pk)
        require(actor, Act.ATTACH_EVIDENCE, subject.scope_project_id)
        row = Evidence.objects.select_for_update().get(pk=seen.pk)
        if not reason.strip():
            raise InvalidInput("Say why.", errors={"reason": ["A withdrawal needs a reason."]})
        _refuse_unstorable("reason", reason, LONGEST_TEXT)
        _refuse_retired(subject)
        if row.withdrawn_at is not None:
            raise WrongState(f"{row.public_id} is withdrawn already.")
        row.withdrawn_at = timezone.now()
        row.withdrawn_by_id, row.withdrawn_by_name = actor.user_id, actor.name
        row.withdrawal_reason = reason.strip()
        row.save(update_fields=["withdrawn_at", "withdrawn_by", "withdrawn_by_name", "withdrawal_reason"])
        binding.subject_changed(actor=actor, subject=subject, why=f"The evidence {row.public_id} was withdrawn.")
        return row


def largest_file() -> int:
    """Return how many bytes an uploaded file may have."""
    return int(settings.PORTAL_EVIDENCE_MAX_BYTES)


def attaching_refusal(actor: Actor, subject: Subject) -> str:
    """Say why this actor may not attach evidence to a subject now, "" when he may. Pages ask; services enforce."""
    try:
        require(actor, Act.ATTACH_EVIDENCE, subject.scope_project_id)
        _refuse_retired(subject)
    except (WrongState, Forbidden) as refusal:
        return refusal.detail
    return ""


def _may_attach(actor: Actor, subject_type: type[Subject], subject_id: int) -> None:
    """Refuse before anything is read or stored; the same is asked again behind the lock."""
    subject: Subject = access.get(subject_type, actor, pk=subject_id)
    require(actor, Act.ATTACH_EVIDENCE, subject.scope_project_id)
    _refuse_retired(subject)


def _attach(
    actor: Actor,
    subject_type: type[Subject],
    subject_id: int,
    kind: EvidenceKind,
    supersedes: int | None,
    unless_asked: bool,
    **content: Any,
) -> Evidence:
    with operation(actor, f"attach {kind.label.lower()}"):
        access.get(subject_type, actor, pk=subject_id)
        subject = _lock(subject_type, subject_id)
        require(actor, Act.ATTACH_EVIDENCE, subject.scope_project_id)
        _refuse_retired(subject)
        if unless_asked and ApprovalRequest.objects.open().about(subject).exists():
            raise RequestIsOpen("A request about it is open; attached now, it would outdate what was asked.")
        edition: dict[str, Any] = {"series": uuid.uuid4(), "edition": 1}
        if supersedes is not None:
            earlier = _earlier(actor, subject, kind, supersedes)
            earlier.superseded_at = timezone.now()
            earlier.save(update_fields=["superseded_at"])
            edition = {"series": earlier.series, "edition": earlier.edition + 1}
        row = Evidence.objects.create(
            use_case=subject if isinstance(subject, UseCase) else None,
            version=subject if isinstance(subject, ModelVersion) else None,
            kind=kind,
            author_id=actor.user_id,
            author_name=actor.name,
            **edition,
            **content,
        )
        binding.subject_changed(
            actor=actor, subject=subject, why=f"The evidence {row.public_id} ({kind.label.lower()}) was attached."
        )
        return row


def _earlier(actor: Actor, subject: Subject, kind: EvidenceKind, supersedes: int) -> Evidence:
    """Return the edition to follow. The lock on the subject lets one edition at a time follow it."""
    earlier = access.get(Evidence, actor, pk=supersedes)
    if earlier.subject != subject:
        raise _refused("supersedes", f"{earlier.public_id} is about something else.")
    if earlier.kind != kind:
        kept = EvidenceKind(earlier.kind).label.lower()
        raise _refused("kind", f"{earlier.public_id} is of the kind {kept}, and so are its later editions.")
    if earlier.superseded_at is not None:
        latest = Evidence.objects.get(series=earlier.series, superseded_at=None)
        raise WrongState(
            f"{latest.public_id} has taken the place of {earlier.public_id} already. Look at it, and follow that one."
        )
    return earlier


def _lock(subject_type: type[Subject], subject_id: int) -> Subject:
    return lock_use_case(subject_id) if subject_type is UseCase else lock_version(subject_id)


def _refuse_retired(subject: Subject) -> None:
    if subject.stage == Stage.RETIRED:
        raise WrongState("It is retired; its evidence does not change any more.")


def _words(title: str, note: str) -> dict[str, str]:
    _refuse_unstorable("title", title, LONGEST_TITLE)
    _refuse_unstorable("note", note, LONGEST_TEXT)
    if not title.strip():
        raise _refused("title", "Give it a title.")
    return {"title": title.strip(), "note": note.strip()}


def _refuse_unstorable(field: str, text: str, longest: int) -> None:
    if "\x00" in text:
        raise _refused(field, "Null characters are not allowed.")
    if len(text.strip()) > longest:
        raise _refused(field, f"At most {longest} characters.")


def _location(uri: str) -> s3.S3Location:
    try:
        location = s3.parse_s3_url(uri.strip())
    except s3.MalformedS3Url as error:
        raise _refused("s3_uri", str(error)) from error
    if "\x00" in location.url or len(location.url) > LONGEST_URI:
        raise _refused("s3_uri", "No object in S3 has such an address.")
    return location


def _head(account: AwsAccount, url: str, version_id: str) -> s3.ObjectRecord:
    where = f"account {account}"
    try:
        return s3.head(accounts.reach(account), url, version_id=version_id)
    except AwsNotFound as error:
        which = f" in version {version_id}" if version_id else ""
        raise _refused("s3_uri", f"S3 has no such object{which} in {where}.") from error
    except AwsDenied as error:
        raise _refused(
            "s3_uri",
            f"The portal may not read it in {where}, or it does not exist there. {error}",
        ) from error
    except (AwsThrottled, AwsUnavailable) as error:
        raise Unavailable(f"AWS could not be asked, and nothing was attached: try again. {error}") from error
    except AwsError as error:
        raise _refused("s3_uri", str(error)) from error


def _refused(field: str, words: str) -> InvalidInput:
    return InvalidInput("This cannot be evidence; nothing was kept.", errors={field: [words]})
