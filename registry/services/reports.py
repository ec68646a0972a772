"""The reports a version's package points at: read from S3, and kept with what is wrong with them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from django.db import IntegrityError
from django.utils import timezone

from portal.core.actors import Actor
from portal.core.operations import operation

from ..aws.session import AwsSession
from ..choices import Status
from ..models import AwsAccount, ModelVersion, VersionReport
from ..reports import kinds
from ..reports.document import ReportProblem, Unreadable
from ..reports.kinds import Pointer
from . import report_files
from .report_files import ReportFile

_CHUNK = 200
# Those may end differently although the object is the same.
_READ_AGAIN = ("", ReportProblem.MISSING, ReportProblem.DENIED, ReportProblem.TRUNCATED, ReportProblem.UNREACHABLE)


class Tally(Protocol):
    """What a pass counts, and the problems it tells."""

    created: int
    updated: int
    unchanged: int
    missing: int
    problems: list[str]


def read(actor: Actor, account: AwsAccount, session: AwsSession, tally: Tally) -> None:
    """Read the reports of an account's versions in the session's region; those that did not change are only looked at.

    What is wrong with a report is kept with it. Only that S3 could not be reached is a problem of the pass; what was
    read before then stays. Source: S3 HeadObject, GetObject.
    """
    versions = (
        ModelVersion.objects.present()
        .filter(group__account=account, group__region=session.account.region)
        .exclude(status=Status.RETIRED)
        .only("pk", "number", "group__name", "metric_sources", "drift_baselines")
        .select_related("group")
        .order_by("-pk")
    )
    for version in versions.iterator(chunk_size=_CHUNK):
        read_version(actor, version, session, tally)


def read_version(actor: Actor, version: ModelVersion, session: AwsSession, tally: Tally) -> None:
    """Read the reports one version points at, each object once. Call it outside of transactions: it waits for S3."""
    pointers = kinds.pointers(version.metric_sources, version.drift_baselines)
    kept = {(row.kind, row.address): row for row in VersionReport.objects.filter(version=version).defer("content")}
    if not pointers and not kept:
        return
    files = _files(session, pointers, kept)
    try:
        with operation(actor, "reading of reports"):
            _drop(version, pointers, kept.values(), tally)
            for pointer in pointers:
                _take_in(version, pointer, files[pointer.address], kept.get((pointer.kind, _short(pointer))), tally)
    except IntegrityError:
        # Somebody read the same version meanwhile; what he wrote down is as new.
        tally.unchanged += len(pointers)


def _files(
    session: AwsSession, pointers: Iterable[Pointer], kept: Mapping[tuple[str, str], VersionReport]
) -> dict[str, ReportFile]:
    known: dict[str, set[str]] = defaultdict(set)
    for pointer in pointers:
        row = kept.get((pointer.kind, _short(pointer)))
        known[pointer.address].add(_known(row))
    return {
        address: report_files.read(session, address, unless_etag=etags.pop() if len(etags) == 1 else "")
        for address, etags in known.items()
    }


def _known(row: VersionReport | None) -> str:
    """Return the ETag under which reading a report again would say nothing new, "" where it would."""
    if row is None or (row.problem in _READ_AGAIN and (row.problem or row.content_read_at is None)):
        return ""
    return row.etag


def _drop(version: ModelVersion, pointers: Sequence[Pointer], kept: Iterable[VersionReport], tally: Tally) -> None:
    there = {(pointer.kind.value, _short(pointer)) for pointer in pointers}
    gone = [row.pk for row in kept if row.replaced_at is None and (row.kind, row.address) not in there]
    if gone:
        tally.missing += VersionReport.objects.filter(pk__in=gone, version=version).update(replaced_at=timezone.now())


def _take_in(
    version: ModelVersion, pointer: Pointer, file: ReportFile, row: VersionReport | None, tally: Tally
) -> None:
    if file.problem is ReportProblem.UNREACHABLE:
        tally.problems.append(f"{version.name}: {pointer.kind.label} at {file.address}. {file.sentence}")
        if row is not None and row.replaced_at is None:
            return
    values: dict[str, Any] = {"expected_sha256": pointer.sha256, "replaced_at": None, "read_at": file.read_at}
    if not file.is_unchanged:
        values |= _said(pointer, file)
    if row is None:
        VersionReport.objects.create(version=version, kind=pointer.kind, address=_short(pointer), **values)
        tally.created += 1
        return
    changed = [name for name, value in values.items() if name != "content" and getattr(row, name) != value]
    if changed == ["read_at"]:
        values = {"read_at": file.read_at}
        tally.unchanged += 1
    else:
        tally.updated += 1
    VersionReport.objects.filter(pk=row.pk).update(**values)


def _said(pointer: Pointer, file: ReportFile) -> dict[str, Any]:
    content: dict[str, Any] = {}
    if file.problem is None:
        try:
            content = kinds.kept(pointer.kind, file.content)
        except Unreadable as error:
            file = replace(file, problem=error.problem, sentence=error.sentence)
    said: dict[str, Any] = {"problem": file.problem or "", "sentence": file.sentence, "etag": file.etag}
    if file.problem is None:
        said |= {
            "content": content,
            "content_etag": file.etag,
            "s3_version_id": file.version_id,
            "sha256": file.sha256,
            "size": file.size,
            "written_at": file.written_at,
            "content_read_at": file.read_at,
        }
    return said


def _short(pointer: Pointer) -> str:
    return pointer.address[: report_files.LONGEST_ADDRESS]
