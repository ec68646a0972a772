"""How well the portal knows each account and region: what its passes last did, and how old that knowledge is."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from operator import or_

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from ..choices import READING_KINDS, SyncHealth, SyncKind, SyncState
from ..models import AwsAccount, SyncRun

# The passes that read changes of versions; events are a hint on top and shares another matter.
OF_CHANGES = (SyncKind.FULL, SyncKind.INCREMENTAL)
# Searches run every minute and full passes every quarter of an hour (portal.schedule): some may fail in between.
LATE_AFTER = timedelta(minutes=10)
_BEGINNING = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


@dataclass(frozen=True)
class RegionHealth:
    """What is known of one region of an account.

    `full` and `incremental` are the newest passes that ended well, `running` one under way, `failing` how many failed
    since one of them succeeded, with the last one's `error`. `known_as_of` is the moment up to which every change in
    AWS is known, None when no pass has succeeded yet; `lag_seconds` the age of the oldest change the newest pass that
    brought any took in.
    """

    region: str
    state: SyncHealth
    full: SyncRun | None
    incremental: SyncRun | None
    running: SyncRun | None
    failing: int
    error: str
    known_as_of: datetime | None
    lag_seconds: float | None


def health_of(account: AwsAccount) -> list[RegionHealth]:
    """Return the health of each region of an account, in their order; a fixed number of queries."""
    return health([account])[account.pk]


def health(accounts: Collection[AwsAccount]) -> dict[int, list[RegionHealth]]:
    """Return the health of each region of some accounts by the account's key; a fixed number of queries for all."""
    runs = SyncRun.objects.filter(account__in=accounts, kind__in=OF_CHANGES).order_by(
        "account_id", "region", "kind", "-started_at"
    )
    good = _newest(runs.filter(state=SyncState.SUCCEEDED))
    running = _newest(runs.filter(state=SyncState.RUNNING))
    lagging = _newest(runs.filter(lag_seconds__isnull=False))
    failed = {
        place: newest
        for place, ended in _newest(runs.filter(state=SyncState.FAILED)).items()
        if (newest := max(ended, key=_started)).started_at > _since(good.get(place, []))
    }
    counted = _counted(runs, {place: _since(good.get(place, [])) for place in failed})
    found: dict[int, list[RegionHealth]] = {}
    for account in accounts:
        found[account.pk] = [
            _judge(
                account,
                region,
                good.get((account.pk, region), []),
                running.get((account.pk, region), []),
                failed.get((account.pk, region)),
                counted.get((account.pk, region), 0),
                lagging.get((account.pk, region), []),
            )
            for region in account.regions
        ]
    return found


def _since(good: list[SyncRun]) -> datetime:
    return max((run.started_at for run in good), default=_BEGINNING)


def _started(run: SyncRun) -> datetime:
    return run.started_at


def _counted(runs: QuerySet[SyncRun], since: dict[tuple[int, str], datetime]) -> dict[tuple[int, str], int]:
    """Return how many passes failed in each place since a moment; an account may fail every minute for months."""
    if not since:
        return {}
    places = reduce(or_, (Q(account=pk, region=region, started_at__gt=at) for (pk, region), at in since.items()))
    rows = runs.filter(places, state=SyncState.FAILED).order_by().values_list("account_id", "region")
    return {(pk, region): total for pk, region, total in rows.annotate(total=Count("pk"))}


def _newest(runs: QuerySet[SyncRun]) -> dict[tuple[int, str], list[SyncRun]]:
    newest: dict[tuple[int, str], list[SyncRun]] = {}
    for run in runs.distinct("account_id", "region", "kind"):
        newest.setdefault((run.account_id, run.region), []).append(run)
    return newest


def _judge(
    account: AwsAccount,
    region: str,
    good: list[SyncRun],
    running: list[SyncRun],
    failed: SyncRun | None,
    failing: int,
    lagging: list[SyncRun],
) -> RegionHealth:
    known_as_of = max((run.started_at for run in good), default=None)
    by_kind = {run.kind: run for run in good}
    newest_lag = max(lagging, key=_started, default=None)
    return RegionHealth(
        region=region,
        state=_state(account, known_as_of, is_failing=failed is not None),
        full=by_kind.get(SyncKind.FULL),
        incremental=by_kind.get(SyncKind.INCREMENTAL),
        running=running[0] if running else None,
        failing=failing,
        error=failed.error if failed else "",
        known_as_of=known_as_of,
        lag_seconds=newest_lag.lag_seconds if newest_lag else None,
    )


def _state(account: AwsAccount, known_as_of: datetime | None, *, is_failing: bool) -> SyncHealth:
    if not account.is_enabled:
        return SyncHealth.DISABLED
    if is_failing:
        return SyncHealth.FAILING
    if known_as_of is None:
        return SyncHealth.NEVER
    return SyncHealth.LATE if timezone.now() - known_as_of > LATE_AFTER else SyncHealth.HEALTHY


def worst(regions: Collection[RegionHealth]) -> SyncHealth:
    """Return the state that asks most for somebody's attention; healthy when there is no region."""
    order = list(SyncHealth)
    return max((one.state for one in regions), key=order.index, default=SyncHealth.HEALTHY)


def oldest(regions: Collection[RegionHealth]) -> datetime | None:
    """Return the moment up to which every change in every region is known, None while nothing is known of one."""
    moments = [one.known_as_of for one in regions]
    return min((at for at in moments if at is not None), default=None) if all(moments) else None


def is_routine() -> Q:
    """Return what tells the passes nobody wants to read about: searches and readings that ended well and brought
    nothing."""
    kinds = (SyncKind.INCREMENTAL, *READING_KINDS)
    return Q(kind__in=kinds, state=SyncState.SUCCEEDED, created=0, updated=0, missing=0)
