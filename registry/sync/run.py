"""One pass over one account and region, with the row that says what it did."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from django.db import DatabaseError
from django.utils import timezone

from portal.core.actors import Actor
from portal.core.locks import advisory_lock
from portal.core.operations import operation

from ..aws import sagemaker
from ..aws.errors import AwsError, AwsNotFound
from ..aws.records import GroupRecord, VersionRecord
from ..aws.session import AwsSession, Counts
from ..choices import AccountPurpose, SyncKind, SyncState
from ..models import AwsAccount, ModelGroup, ModelVersion, SyncRun
from ..services import accounts, groups, shares, versions
from ..services.versions import VersionChange
from .plan import KnownVersion, plan_group

logger = logging.getLogger(__name__)


class AlreadyRunning(Exception):
    """Another worker holds this account and region; its pass will see everything this one would have."""


@dataclass(frozen=True)
class Listeners:
    """What the caller does with each change, inside the transaction that wrote it."""

    on_version: Callable[[Actor, VersionChange], None]
    on_version_missing: Callable[[Actor, ModelVersion], None]
    on_group: Callable[[Actor, ModelGroup], None]


@dataclass
class Tally:
    """What a pass has done so far."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    missing: int = 0
    groups: set[str] = field(default_factory=set)
    failures: list[str] = field(default_factory=list)


def full_pass(*, actor: Actor, account: AwsAccount, region: str, requested_by: str, listeners: Listeners) -> SyncRun:
    """List everything an account owns in a region and take in what is new or differs; the truth behind the events.

    Each version is one transaction, so a killed worker loses the pass, never a half-written version. An AWS error
    ends the pass as failed with its message, and what was listed before it stays; nothing is marked missing unless
    the listing was complete. Raises AlreadyRunning.
    Source: ListModelPackageGroups, ListModelPackages, DescribeModelPackage, GetResourceShares.
    """
    with advisory_lock(f"sync:{account.account_id}:{region}") as held:
        if not held:
            raise AlreadyRunning(f"A sync of {account.account_id} in {region} is already running.")
        _close_abandoned(account, region)
        run = SyncRun.objects.create(account=account, region=region, kind=SyncKind.FULL, requested_by=requested_by)
        tally = Tally()
        error = ""
        session = accounts.reach(account, region)
        with session.counting() as counters:
            try:
                for group in list(sagemaker.list_groups(session)):
                    _group_pass(actor, account, session, group, tally, listeners)
                _groups_gone(actor, account, region, tally)
                if AccountPurpose.HUB in account.purposes:
                    shares.refresh_owned(actor=actor, account=account, session=session)
                shares.refresh_invitations(actor=actor, account=account, session=session)
            except AwsError as failure:
                error = str(failure)
        return _finished(run, tally, " ".join([*([error] if error else []), *tally.failures]), counters.snapshot())


def take_in_version(
    *, actor: Actor, account: AwsAccount, session: AwsSession, arn: str, listeners: Listeners
) -> VersionChange | None:
    """Describe one version that an event hinted at and take it in; None when AWS no longer has it.

    Raises AwsError. Source: DescribeModelPackage, DescribeModelPackageGroup.
    """
    try:
        record = sagemaker.describe_version(session, arn)
    except AwsNotFound:
        for version in ModelVersion.objects.present().filter(arn=arn).select_related("group"):
            with operation(actor, "event says deleted"):
                for gone in versions.mark_missing(actor=actor, group=version.group, present=_present_but(version)):
                    listeners.on_version_missing(actor, gone)
        return None
    group = ModelGroup.objects.filter(
        account=account, region=record.region, name__iexact=record.group_name, missing_since=None
    ).first()
    if group is None:
        group = _take_in_group(actor, account, sagemaker.describe_group(session, record.group_name), listeners)
    return _take_in(actor, group, record, listeners)


def _group_pass(
    actor: Actor,
    account: AwsAccount,
    session: AwsSession,
    record: GroupRecord,
    tally: Tally,
    listeners: Listeners,
) -> None:
    group = _take_in_group(actor, account, record, listeners)
    tally.groups.add(group.arn)
    known = {
        (version.arn, version.aws_created_at): KnownVersion(
            approval_status=version.aws_approval_status,
            status=version.aws_status,
            stage=version.aws_stage,
            stage_status=version.aws_stage_status,
            description=version.description,
            is_missing=version.missing_since is not None,
        )
        for version in group.versions.all()
    }
    plan = plan_group(list(sagemaker.list_versions(session, record)), known)
    tally.unchanged += plan.unchanged
    for arn in plan.describe:
        try:
            change = _take_in(actor, group, sagemaker.describe_version(session, arn), listeners)
        except (DatabaseError, ValueError, TypeError) as error:
            # One version that cannot be recorded must not hide the others; the run names it.
            logger.exception("Version %s was not recorded", arn)
            tally.failures.append(f"{arn} was not recorded ({type(error).__name__}: {error}).")
            continue
        if change.is_new:
            tally.created += 1
        elif change.is_unchanged:
            tally.unchanged += 1
        else:
            tally.updated += 1
    with operation(actor, "full sync"):
        # Versions taken in while this pass listed are newer than the listing, not missing from it.
        present = set(plan.present) | {
            (version.arn, version.aws_created_at)
            for version in group.versions.all()
            if (version.arn, version.aws_created_at) not in known
        }
        for gone in versions.mark_missing(actor=actor, group=group, present=present):
            tally.missing += 1
            listeners.on_version_missing(actor, gone)


def _take_in_group(actor: Actor, account: AwsAccount, record: GroupRecord, listeners: Listeners) -> ModelGroup:
    with operation(actor, "sync"):
        group, _ = groups.take_in(actor=actor, account=account, record=record)
        listeners.on_group(actor, group)
    return group


def _take_in(actor: Actor, group: ModelGroup, record: VersionRecord, listeners: Listeners) -> VersionChange:
    with operation(actor, "sync"):
        # Two workers may take in the same new version at once: the group's row is their queue.
        locked = ModelGroup.objects.select_for_update().get(pk=group.pk)
        change = versions.take_in(actor=actor, group=locked, record=record)
        listeners.on_version(actor, change)
    return change


def _groups_gone(actor: Actor, account: AwsAccount, region: str, tally: Tally) -> None:
    with operation(actor, "full sync"):
        groups.mark_missing(actor=actor, account=account, region=region, present=tally.groups)


def _present_but(version: ModelVersion) -> set[tuple[str, datetime]]:
    return {(other.arn, other.aws_created_at) for other in version.group.versions.all() if other.pk != version.pk}


def _close_abandoned(account: AwsAccount, region: str) -> None:
    """Whoever holds the lock is alone: a run still open was killed."""
    SyncRun.objects.filter(account=account, region=region, state=SyncState.RUNNING).update(
        state=SyncState.FAILED,
        finished_at=timezone.now(),
        error="The worker ended before this pass did. The next pass does its work again.",
    )


def _finished(run: SyncRun, tally: Tally, error: str, counts: Counts) -> SyncRun:
    run.state = SyncState.FAILED if error else SyncState.SUCCEEDED
    run.error = error
    run.finished_at = timezone.now()
    for name in ("created", "updated", "unchanged", "missing"):
        setattr(run, name, getattr(tally, name))
    for name in ("calls", "pages", "throttles"):
        setattr(run, name, getattr(counts, name))
    run.save()
    return run
