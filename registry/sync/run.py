"""One pass over one account and region, with the row that says what it did."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import TypeVar

from django.conf import settings
from django.db.models import Q

from portal.core.actors import Actor
from portal.core.locks import advisory_lock
from portal.core.operations import operation

from ..aws import sagemaker
from ..aws.arns import parse_group_arn
from ..aws.errors import AwsError, AwsNotFound
from ..aws.records import GroupRecord, VersionRecord
from ..aws.session import AwsSession
from ..choices import SyncKind
from ..models import AwsAccount, ModelGroup, ModelVersion, SyncRun
from ..services import accounts, groups, versions
from ..services.versions import VersionChange
from . import apply, runs
from .apply import BATCH, Listeners
from .plan import Key, KnownGroup, KnownVersion, plan_found, plan_group, plan_groups
from .reading import in_order
from .runs import AlreadyRunning, Pass

__all__ = ["AlreadyRunning", "Listeners", "full_pass", "incremental_pass", "take_in_version", "take_in_versions"]

T = TypeVar("T")
logger = logging.getLogger(__name__)

# Groups whose rows are read from the database together: some thousand rows in memory, few round trips.
_GROUPS_TOGETHER = 50


def full_pass(*, actor: Actor, account: AwsAccount, region: str, requested_by: str, listeners: Listeners) -> SyncRun:
    """List everything an account owns or was given in a region and take in what is new or differs.

    It is the truth behind events and searches. Versions are taken in by batches, a transaction each, so a killed worker
    leaves whole versions, and whoever comes next within the hour goes on behind the last group that was done. An AWS
    error ends the pass as failed with its message, and what was listed before it stays. Something is only marked
    missing by a pass that was complete and never throttled, after AWS was asked for it by name. Groups of accounts that
    the portal knows itself are left to those. Raises AlreadyRunning.
    Source: ListModelPackageGroups (own and CrossAccount), ListModelPackages, DescribeModelPackage.
    """
    with advisory_lock(_lock(account, region)) as held:
        if not held:
            raise AlreadyRunning(f"A sync of {account.account_id} in {region} is already running.")
        session = accounts.reach(account, region)
        with session.counting() as counters:
            under_way = runs.begin(account, region, SyncKind.FULL, requested_by, counters)
            error = ""
            try:
                _list_all(actor, account, session, under_way, listeners)
            except AwsError as failure:
                error = str(failure)
            return under_way.finish(error)


def incremental_pass(
    *, actor: Actor, account: AwsAccount, region: str, requested_by: str, listeners: Listeners
) -> SyncRun | None:
    """Take in what was modified since the last successful pass; None when there was none yet, so a full one is due.

    Reads from some minutes before that pass began (PORTAL_SYNC_OVERLAP_MINUTES), since the search index follows writes
    with an undocumented delay. Sees what no list tells: cards, metadata, descriptions of approvals. Nothing is marked
    missing. Raises AlreadyRunning. Source: Search by LastModifiedTime.
    """
    with advisory_lock(_lock(account, region)) as held:
        if not held:
            raise AlreadyRunning(f"A sync of {account.account_id} in {region} is already running.")
        newest = runs.last_success(account, region)
        if newest is None:
            return None
        since = newest - settings.PORTAL_SYNC_OVERLAP
        session = accounts.reach(account, region)
        with session.counting() as counters:
            under_way = runs.begin(account, region, SyncKind.INCREMENTAL, requested_by, counters, since=since)
            error = ""
            try:
                for records in _batches(sagemaker.search_versions_modified_since(session, since), BATCH):
                    found = plan_found(records, _modified(records))
                    under_way.run.unchanged += found.unchanged
                    for of, theirs in by_group(actor, account, session, found.differing, listeners):
                        _take_in(actor, of, theirs, under_way, listeners)
            except AwsError as failure:
                error = str(failure)
            return under_way.finish(error)


def take_in_version(
    *, actor: Actor, account: AwsAccount, session: AwsSession, arn: str, listeners: Listeners
) -> VersionChange | None:
    """Describe one version that an event hinted at and take it in; None when AWS no longer has it.

    Raises AwsError. Source: DescribeModelPackage, DescribeModelPackageGroup.
    """
    changes = take_in_versions(actor=actor, account=account, session=session, arns=[arn], listeners=listeners)
    return changes[0] if changes else None


def take_in_versions(
    *, actor: Actor, account: AwsAccount, session: AwsSession, arns: Sequence[str], listeners: Listeners
) -> list[VersionChange]:
    """Describe versions of one account and region by ARN and take them in, group by group; what is gone is missing.

    All of a group's are taken in or none. Raises AwsError of the first that could not be read, before anything of its
    batch is written. Source: DescribeModelPackage, DescribeModelPackageGroup.
    """
    changes: list[VersionChange] = []
    for some in _batches(arns, BATCH):
        records, gone = _describe(session, some)
        if gone:
            rows = ModelVersion.objects.present().filter(arn__in=gone)
            _mark_missing(actor, list(rows.values_list("pk", flat=True)), None, listeners, "event says deleted")
        for of, theirs in by_group(actor, account, session, records, listeners):
            changes += apply.together(actor, of, theirs, listeners)
    return changes


def _list_all(actor: Actor, account: AwsAccount, session: AwsSession, under_way: Pass, listeners: Listeners) -> None:
    region = session.account.region
    run = under_way.run
    listed = [*sagemaker.list_groups(session), *_given(account, session)]
    known = {
        arn: KnownGroup(pk, description, missing is not None)
        for arn, pk, description, missing in ModelGroup.objects.filter(account=account, region=region).values_list(
            "arn", "pk", "description", "missing_since"
        )
    }
    plan = plan_groups(listed, known)
    run.groups = len(listed)
    taken = {record.arn: apply.group(actor, account, record, listeners).pk for record in plan.take_in}
    keys = {record.arn: taken.get(record.arn) or known[record.arn].pk for record in listed}
    arns = [record.arn for record in listed]
    # Groups are listed by creation: those up to the one noted last were done before the pass was taken up.
    done = arns.index(run.after) + 1 if run.after in arns else 0
    run.groups_done = done
    for some in _batches(listed[done:], _GROUPS_TOGETHER):
        _require_enabled(account, region)
        rows = _known_versions([keys[record.arn] for record in some])
        for record, summaries in in_order(
            some, lambda group: list(sagemaker.list_versions(session, group)), at_once=settings.PORTAL_AWS_READS_AT_ONCE
        ):
            key = keys[record.arn]
            versions_plan = plan_group(summaries, {at: row for at, (_, row) in rows.get(key, {}).items()})
            run.unchanged += versions_plan.unchanged
            run.absent += [rows[key][at][0] for at in versions_plan.absent]
            if versions_plan.describe:
                _describe_and_take_in(actor, account, session, key, versions_plan.describe, under_way, listeners)
            under_way.group_done(record.arn)
    under_way.write()
    _find_missing(actor, account, session, under_way, plan.absent, listeners)
    listeners.after_pass(actor, account, region)


def _require_enabled(account: AwsAccount, region: str) -> None:
    """Ask nothing further of an account that was disabled meanwhile. Raises AwsDisabled."""
    account.refresh_from_db(fields=["is_enabled"])
    accounts.reach(account, region)


def _given(account: AwsAccount, session: AwsSession) -> Iterator[GroupRecord]:
    """Yield the groups others share with this account, but for those the portal reads in their owner's account.

    One that two accounts were given is read through the one that was first.
    """
    registered = set(AwsAccount.objects.enabled().values_list("account_id", flat=True))
    for record in sagemaker.list_groups(session, cross_account=True):
        if record.account_id in registered:
            continue
        if not ModelGroup.objects.filter(arn=record.arn).exclude(account=account).exists():
            yield record


def _describe_and_take_in(
    actor: Actor,
    account: AwsAccount,
    session: AwsSession,
    group_id: int,
    arns: Sequence[str],
    under_way: Pass,
    listeners: Listeners,
) -> None:
    of = ModelGroup.objects.get(pk=group_id)
    for some in _batches(arns, BATCH):
        records, _ = _describe(session, some)
        _take_in(actor, of, records, under_way, listeners)


def _take_in(
    actor: Actor, of: ModelGroup, records: Sequence[VersionRecord], under_way: Pass, listeners: Listeners
) -> None:
    changes, failures = apply.batch(actor, of, records, listeners)
    under_way.failures += failures
    under_way.note(changes)


def _describe(session: AwsSession, arns: Sequence[str]) -> tuple[list[VersionRecord], list[str]]:
    """Describe versions, a few at once; returns them, and the ARNs AWS does not have."""

    def read(arn: str) -> VersionRecord | None:
        try:
            return sagemaker.describe_version(session, arn)
        except AwsNotFound:
            return None

    records: list[VersionRecord] = []
    gone: list[str] = []
    if len(arns) == 1:
        found: Iterable[tuple[str, VersionRecord | None]] = [(arns[0], read(arns[0]))]
    else:
        found = in_order(arns, read, at_once=settings.PORTAL_AWS_READS_AT_ONCE)
    for arn, record in found:
        if record is None:
            gone.append(arn)
        else:
            records.append(record)
    return records, gone


def by_group(
    actor: Actor, account: AwsAccount, session: AwsSession, records: Iterable[VersionRecord], listeners: Listeners
) -> Iterator[tuple[ModelGroup, list[VersionRecord]]]:
    """Yield the records of each group with its row; a group that is not known yet is described and taken in."""
    by_name: dict[tuple[str, str], list[VersionRecord]] = {}
    for record in records:
        by_name.setdefault((record.account_id, record.group_name.lower()), []).append(record)
    for (owner, name), theirs in by_name.items():
        candidates = ModelGroup.objects.filter(
            account=account, region=theirs[0].region, name__iexact=name, missing_since=None
        )
        of = next((row for row in candidates if parse_group_arn(row.arn).account_id == owner), None)
        if of is None:
            wanted = theirs[0].group_name if owner == account.account_id else theirs[0].group_arn
            of = apply.group(actor, account, sagemaker.describe_group(session, wanted), listeners)
        yield of, theirs


def _find_missing(
    actor: Actor,
    account: AwsAccount,
    session: AwsSession,
    under_way: Pass,
    groups_absent: Sequence[str],
    listeners: Listeners,
) -> None:
    """Mark what the pass did not list, if it may be believed: complete, unthrottled, and AWS says so when asked."""
    run = under_way.run
    suspects = list(
        ModelVersion.objects.present()
        .filter(Q(pk__in=run.absent) | Q(group__arn__in=groups_absent, group__account=account))
        .values_list("arn", "aws_created_at", "pk")
    )
    if run.throttles:
        if suspects or groups_absent:
            logger.warning("%s was throttled: what it did not list is not taken for missing.", run)
        return
    gone: list[int] = []
    for some in _batches(suspects, BATCH):
        records, _ = _describe(session, sorted({arn for arn, _, _ in some}))
        # An ARN may have come back as another version: the row AWS has no more is the one of another creation.
        there = {(record.arn, record.created_at) for record in records}
        gone += [pk for arn, created_at, pk in some if (arn, created_at) not in there]
    run.missing += len(_mark_missing(actor, gone, run.started_at, listeners, "full sync"))
    vanished = [arn for arn in groups_absent if _is_gone(session, account, arn)]
    if vanished:
        with operation(actor, "full sync"):
            groups.mark_missing(actor=actor, account=account, arns=vanished)


def _is_gone(session: AwsSession, account: AwsAccount, arn: str) -> bool:
    parsed = parse_group_arn(arn)
    try:
        sagemaker.describe_group(session, parsed.name if parsed.account_id == account.account_id else arn)
    except AwsNotFound:
        return True
    return False


def _mark_missing(
    actor: Actor, version_ids: Sequence[int], seen_before: datetime | None, listeners: Listeners, why: str
) -> list[ModelVersion]:
    if not version_ids:
        return []
    with operation(actor, why):
        gone = versions.mark_missing(actor=actor, version_ids=version_ids, seen_before=seen_before)
        listeners.on_versions_missing(actor, gone)
    return gone


def _known_versions(group_ids: Sequence[int]) -> dict[int, dict[Key, tuple[int, KnownVersion]]]:
    """Return what is known of the versions of some groups, by group and key, with each row's own key."""
    known: dict[int, dict[Key, tuple[int, KnownVersion]]] = {}
    rows = ModelVersion.objects.filter(group_id__in=group_ids).values_list(
        "group_id", "pk", "arn", "aws_created_at", "aws_approval_status", "aws_status", "aws_stage",
        "aws_stage_status", "description", "missing_since",
    )  # fmt: skip
    for group_id, pk, arn, created_at, approval, status, stage, stage_status, text, missing in rows.iterator(
        chunk_size=5000
    ):
        row = KnownVersion(approval, status, stage, stage_status, text, missing is not None)
        known.setdefault(group_id, {})[arn, created_at] = (pk, row)
    return known


def _modified(records: Sequence[VersionRecord]) -> dict[Key, datetime | None]:
    rows = ModelVersion.objects.filter(arn__in=[record.arn for record in records])
    return {
        (arn, created_at): None if missing_since else modified_at
        for arn, created_at, modified_at, missing_since in rows.values_list(
            "arn", "aws_created_at", "aws_modified_at", "missing_since"
        )
    }


def _batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    waiting = iter(items)
    while some := list(islice(waiting, size)):
        yield some


def _lock(account: AwsAccount, region: str) -> str:
    return f"sync:{account.account_id}:{region}"
