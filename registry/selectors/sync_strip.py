"""How the passes over each account and region went in the last day, hour by hour."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from operator import or_

from django.db.models import Count, Max, Q, Sum
from django.db.models.functions import TruncHour
from django.utils import timezone

from ..choices import HourOfSync, SyncState
from ..models import AwsAccount, SyncRun
from .sync_health import LATE_AFTER, OF_CHANGES, RegionHealth, health

HOURS = 24


@dataclass(frozen=True)
class Hour:
    """The passes that began within one hour; `lag_seconds` is the worst any of them told, None when none did."""

    begins: datetime
    passes: int = 0
    succeeded: int = 0
    failed: int = 0
    throttles: int = 0
    lag_seconds: float | None = None

    @property
    def ends(self) -> datetime:
        return self.begins + timedelta(hours=1)

    @property
    def state(self) -> HourOfSync:
        """Failing when only failures ended; slow when some failed, AWS throttled, or changes came in late."""
        if not self.passes:
            return HourOfSync.NONE
        if self.failed and not self.succeeded:
            return HourOfSync.FAILING
        late = self.lag_seconds is not None and self.lag_seconds > LATE_AFTER.total_seconds()
        return HourOfSync.SLOW if self.failed or self.throttles or late else HourOfSync.OK


@dataclass(frozen=True)
class Strip:
    """One region of an account: how it stands now, and its last 24 hours, the running one last."""

    account: AwsAccount
    health: RegionHealth
    hours: tuple[Hour, ...]

    @property
    def passes(self) -> int:
        return sum(hour.passes for hour in self.hours)


def first_hour(now: datetime) -> datetime:
    """Return when the first of the hours begins that end with the running one."""
    return now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=HOURS - 1)


def strips(accounts: Collection[AwsAccount], now: datetime | None = None) -> list[Strip]:
    """Return the strip of each region of these accounts, in their order; a fixed number of queries for all."""
    moment = now or timezone.now()
    begin = first_hour(moment)
    regions = [(account, region) for account in accounts for region in account.regions]
    found = _hours([(account.pk, region) for account, region in regions], begin)
    known = health(accounts)
    times = [begin + timedelta(hours=number) for number in range(HOURS)]
    return [
        Strip(account, standing, tuple(found.get((account.pk, standing.region, at), Hour(at)) for at in times))
        for account in accounts
        for standing in known[account.pk]
    ]


def _hours(regions: list[tuple[int, str]], begin: datetime) -> dict[tuple[int, str, datetime], Hour]:
    if not regions:
        return {}
    # Each region by its own, as the index on account, region and start finds them.
    where = reduce(or_, (Q(account=pk, region=region, started_at__gte=begin) for pk, region in regions))
    rows = (
        SyncRun.objects.filter(where, kind__in=OF_CHANGES)
        .values("account_id", "region", begins=TruncHour("started_at"))
        .annotate(
            passes=Count("pk"),
            succeeded=Count("pk", filter=Q(state=SyncState.SUCCEEDED)),
            failed=Count("pk", filter=Q(state=SyncState.FAILED)),
            throttled=Sum("throttles"),
            lag=Max("lag_seconds"),
        )
        .order_by()
    )
    return {
        (row["account_id"], row["region"], row["begins"]): Hour(
            row["begins"], row["passes"], row["succeeded"], row["failed"], row["throttled"], row["lag"]
        )
        for row in rows
    }
