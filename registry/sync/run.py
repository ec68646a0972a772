"""One pass over one account and region, with the row that says what it did."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import TypeVar

from django.conf import settings

from portal.core.actors import Actor
from portal.core.locks import Held, advisory_lock

from ..aws import sagemaker
from ..aws.arns import parse_group_arn
from ..aws.errors import AwsError, AwsNotFound
from ..aws.records import GroupRecord, VersionRecord, VersionSummary
from ..aws.session import AwsSession
from ..choices import SyncKind
from ..models import AwsAccount, ModelGroup, ModelVersion, SyncRun
from ..services import accounts
from ..services.versions import VersionChange
from . import apply, missing, runs
from .apply import BATCH, Listeners
from .describing import describe
from .plan import Key, KnownGroup, KnownVersion, plan_found, plan_group, plan_groups
from .reading import in_order
from .runs import AlreadyRunning, LockLost, Pass

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
            return _ended(under_way, held, lambda: _list_all(actor, account, session, under_way, listeners))


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
            return _ended(under_way, held, lambda: _search_all(actor, account, session, since, under_way, listeners))


def _ended(under_way: Pass, held: Held, read: Callable[[], None]) -> SyncRun:
    """Do the reading of a pass and end it, whatever comes of that.

    Raises when the lock was lost with its connection: the row is then whoever's that comes next.
    """
    error = ""
    try:
        read()
    except AwsError as failure:
        error = str(failure)
    except Exception as failure:
        if not held:
            raise
        logger.exception("%s failed", under_way.run)
        error = f"It ended with an error of the portal's own ({type(failure).__name__}: {failure})."
    if not held:
        raise LockLost(f"{under_way.run} lost its lock with its database connection; the next one takes it up.")
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
    """Describe versions of one account and region by ARN and take them in, group by group.

    All of a group's are taken in or none. One that AWS does not have is left to the next full pass: a read may be
    behind the write it was told of, and only a complete listing takes anything for missing. Raises AwsError of the
    first that could not be read, before anything of its batch is written. Source: DescribeModelPackage,
    DescribeModelPackageGroup.
    """
    changes: list[VersionChange] = []
    for some in _batches(arns, BATCH):
        found = describe(session, some)
        found.require_all()
        for of, theirs in by_group(actor, account, session, found.records, listeners):
            changes += apply.together(actor, of, theirs, listeners)
    return changes


def _search_all(
    actor: Actor,
    account: AwsAccount,
    session: AwsSession,
    since: datetime,
    under_way: Pass,
    listeners: Listeners,
) -> None:
    for records in _batches(_modified_since(account, session, since), BATCH):
        found = plan_found(records, _modified(records))
        under_way.run.unchanged += found.unchanged
        doubtful = _described(session, found.doubtful, under_way)
        for of, theirs in by_group(actor, account, session, [*found.differing, *doubtful], listeners):
            _take_in(actor, of, theirs, under_way, listeners)


def _modified_since(account: AwsAccount, session: AwsSession, since: datetime) -> Iterator[VersionRecord]:
    """Search the account's own versions, and where groups of others are read through it, theirs."""
    yield from sagemaker.search_versions_modified_since(session, since)
    groups = ModelGroup.objects.filter(account=account, region=session.account.region, missing_since=None)
    arns = groups.exclude(arn__contains=f":{account.account_id}:").values_list("arn", flat=True)
    # Names of groups are not case-sensitive, and a version may spell its group's otherwise.
    if given := {arn.lower() for arn in arns}:
        for record in sagemaker.search_versions_modified_since(session, since, cross_account=True):
            if record.group_arn.lower() in given:
                yield record


def _list_all(actor: Actor, account: AwsAccount, session: AwsSession, under_way: Pass, listeners: Listeners) -> None:
    region = session.account.region
    run = under_way.run
    listed = [*sagemaker.list_groups(session), *_given(account, session)]
    known = {
        arn: KnownGroup(pk, description, missing is not None, created_at)
        for arn, pk, description, missing, created_at in ModelGroup.objects.filter(
            account=account, region=region
        ).values_list("arn", "pk", "description", "missing_since", "aws_created_at")
    }
    plan = plan_groups(listed, known)
    run.groups = len(listed)
    taken, failures = apply.each_group(actor, account, plan.take_in, listeners)
    under_way.failures += failures
    keys = {arn: row.pk for arn, row in known.items()} | taken
    arns = [record.arn for record in listed]
    # Groups are listed by creation: those up to the one noted last were done before the pass was taken up. One shared
    # since then stands among them, but was not there.
    done = arns.index(run.after) + 1 if run.after in arns else 0
    waiting = [record for record in listed[:done] if record.arn in taken] + listed[done:]
    waiting = [record for record in waiting if record.arn in keys]
    run.groups_done = run.groups - len(waiting)
    passed = set(arns[:done])
    for some in _batches(waiting, _GROUPS_TOGETHER):
        _require_enabled(account, region)
        rows = _known_versions([keys[record.arn] for record in some])
        for record, summaries in in_order(
            some, lambda group: _listed(session, group), at_once=settings.PORTAL_AWS_READS_AT_ONCE
        ):
            key = keys[record.arn]
            if isinstance(summaries, list):
                plan_of_group = plan_group(summaries, {at: row for at, (_, row) in rows.get(key, {}).items()})
                run.unchanged += plan_of_group.unchanged
                run.absent += [rows[key][at][0] for at in plan_of_group.absent]
                if plan_of_group.describe:
                    _describe_and_take_in(actor, session, key, plan_of_group.describe, under_way, listeners)
            elif not isinstance(summaries, AwsNotFound):
                under_way.is_complete = False
                under_way.refused(record.arn, summaries)
            under_way.group_done("" if record.arn in passed else record.arn)
    under_way.write()
    missing.mark(actor, account, session, under_way, plan.absent, listeners)
    listeners.after_pass(actor, account, region)


def _listed(session: AwsSession, group: GroupRecord) -> list[VersionSummary] | Exception:
    """List a group; returns why not, when that lies in the group: gone since it was listed, or not for the role.

    Raises the AwsError that may be another one next time.
    """
    try:
        return list(sagemaker.list_versions(session, group))
    except AwsError as error:
        if error.retryable:
            raise
        return error
    except (ValueError, TypeError, LookupError) as error:
        return error


def _require_enabled(account: AwsAccount, region: str) -> None:
    """Ask nothing further of an account that was disabled meanwhile. Raises AwsDisabled."""
    account.refresh_from_db(fields=["is_enabled"])
    accounts.reach(account, region)


def _given(account: AwsAccount, session: AwsSession) -> list[GroupRecord]:
    """Return the groups others share with this account, but for those the portal reads in their owner's account.

    One that two accounts were given is read through the one that was first.
    """
    given = list(sagemaker.list_groups(session, cross_account=True))
    registered = set(AwsAccount.objects.enabled().values_list("account_id", flat=True))
    rows = ModelGroup.objects.filter(arn__in=[record.arn for record in given]).exclude(account=account)
    elsewhere = set(rows.values_list("arn", flat=True)) if given else set()
    return [record for record in given if record.account_id not in registered and record.arn not in elsewhere]


def _describe_and_take_in(
    actor: Actor, session: AwsSession, group_id: int, arns: Sequence[str], under_way: Pass, listeners: Listeners
) -> None:
    of = ModelGroup.objects.get(pk=group_id)
    for some in _batches(arns, BATCH):
        found = describe(session, some)
        # What was read before AWS stopped answering is kept, or a throttled account would never get on.
        _take_in(actor, of, found.records, under_way, listeners)
        for arn, error in found.refused.items():
            under_way.refused(arn, error)
        if found.stopped is not None:
            raise found.stopped


def _described(session: AwsSession, arns: Sequence[str], under_way: Pass) -> list[VersionRecord]:
    """Describe what is doubtful; returns what AWS still has. Raises AwsError."""
    if not arns:
        return []
    found = describe(session, arns)
    if found.stopped is not None:
        raise found.stopped
    for arn, error in found.refused.items():
        under_way.refused(arn, error)
    return found.records


def _take_in(
    actor: Actor, of: ModelGroup, records: Sequence[VersionRecord], under_way: Pass, listeners: Listeners
) -> None:
    changes, failures = apply.batch(actor, of, records, listeners)
    under_way.failures += failures
    under_way.note(changes)


def by_group(
    actor: Actor, account: AwsAccount, session: AwsSession, records: Iterable[VersionRecord], listeners: Listeners
) -> Iterator[tuple[ModelGroup, list[VersionRecord]]]:
    """Yield the records of each group with its row; a group that is not known yet is described and taken in.

    Those of a group that AWS has no more are left out. Raises AwsError.
    """
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
            try:
                described = sagemaker.describe_group(session, wanted)
            except AwsNotFound:
                # Deleted since, and its versions with it: a search index is behind.
                logger.info("The group %s is gone.", theirs[0].group_arn)
                continue
            of = apply.group(actor, account, described, listeners)
        yield of, theirs


def _known_versions(group_ids: Sequence[int]) -> dict[int, dict[Key, tuple[int, KnownVersion]]]:
    """Return what is known of the versions of some groups, by group and key, with each row's own key."""
    known: dict[int, dict[Key, tuple[int, KnownVersion]]] = {}
    rows = ModelVersion.objects.filter(group_id__in=group_ids).values_list(
        "group_id", "pk", "arn", "aws_created_at", "aws_approval_status", "aws_status", "aws_stage",
        "aws_stage_status", "description", "missing_since",
    )  # fmt: skip
    for group_id, pk, arn, created_at, approval, status, stage, stage_status, text, gone in rows.iterator(
        chunk_size=5000
    ):
        row = KnownVersion(approval, status, stage, stage_status, text, gone is not None)
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
