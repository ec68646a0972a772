"""The row of a pass: begun or taken up, written while it runs, finished."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic

from django.utils import timezone

from ..aws.errors import AwsError
from ..aws.session import Counters, Counts
from ..choices import REGISTRY_PASSES, SyncKind, SyncState
from ..models import AwsAccount, SyncRun
from ..services.versions import VersionChange

ENDED = "The worker ended before this pass did. The next pass does its work again."
# A pass that a dead worker left longer ago is begun anew: its listing is no longer one moment's.
LONGEST_PAUSE = timedelta(hours=1)
_SECONDS_BETWEEN_WRITES = 1.0
# A role that lost a right is refused everything: it is no use asking on for the rest.
MOST_REFUSALS = 20
_TOLD = 20


class AlreadyRunning(Exception):
    """Another worker holds this account and region; its pass will see everything this one would have."""


class LockLost(Exception):
    """The lock of a pass is gone with its database connection, so another worker may be at it."""


@dataclass
class Pass:
    """A pass under way: its row, and what it has done since it was begun or taken up.

    `previous` is when the last successful pass of any kind began, None when there is none. `is_complete` is whether
    every group was listed so far.
    """

    run: SyncRun
    counters: Counters
    previous: datetime | None
    before: Counts
    failures: list[str] = field(default_factory=list)
    written_at: float = 0.0
    is_complete: bool = True
    refusals: int = 0

    def refused(self, arn: str, failure: Exception) -> None:
        """Note what AWS refused to tell, or told so that it could not be read; after too many, raises the last one."""
        words = str(failure) if isinstance(failure, AwsError) else f"{type(failure).__name__}: {failure}"
        self.failures.append(f"{arn} was not read: {words}")
        self.refusals += 1
        if self.refusals > MOST_REFUSALS:
            raise failure

    def note(self, changes: Collection[VersionChange]) -> None:
        """Count what was taken in, and how old its oldest change was by then."""
        now = timezone.now()
        for change in changes:
            if change.is_new:
                self.run.created += 1
            elif change.is_unchanged:
                self.run.unchanged += 1
                continue
            else:
                self.run.updated += 1
            modified = change.version.aws_modified_at
            # What was there before the portal looked for the first time lags behind nothing.
            if change.modified or (change.is_new and self.previous is not None and modified > self.previous):
                age = max((now - modified).total_seconds(), 0.0)
                self.run.lag_seconds = max(age, self.run.lag_seconds or 0.0)
        self.tick()

    def group_done(self, arn: str) -> None:
        """Write down that a group is taken in; with its ARN, that everything up to it is."""
        self.run.after = arn or self.run.after
        self.run.groups_done += 1
        self.tick()

    def tick(self) -> None:
        """Show how far it is, once a second: what comes in between is done again by whoever takes it up."""
        if monotonic() - self.written_at >= _SECONDS_BETWEEN_WRITES:
            self.write()

    def write(self) -> None:
        """Write the row as it stands."""
        counts = self.counters.snapshot()
        for name in ("calls", "pages", "throttles"):
            setattr(self.run, name, getattr(self.before, name) + getattr(counts, name))
        # Whoever takes the pass up must not call what failed before a success.
        self.run.error = " ".join(self.failures[:_TOLD])
        if len(self.failures) > _TOLD:
            self.run.error += f" And {len(self.failures) - _TOLD} more."
        self.run.progress_at = timezone.now()
        self.run.save()
        self.written_at = monotonic()

    def finish(self, error: str) -> SyncRun:
        """End the pass; with an error, or something that could not be recorded, it failed."""
        self.failures = [*([error] if error else []), *self.failures]
        self.run.state = SyncState.FAILED if self.failures else SyncState.SUCCEEDED
        self.run.finished_at = timezone.now()
        # Nobody takes it up any more.
        self.run.absent = []
        self.write()
        return self.run


def begin(
    account: AwsAccount,
    region: str,
    kind: SyncKind,
    requested_by: str,
    counters: Counters,
    *,
    since: datetime | None = None,
) -> Pass:
    """Make the row of a pass, or take up the full one that a killed worker left.

    The caller holds the lock of this account and region, so a row that still says running belongs to nobody.
    """
    rows = SyncRun.objects.filter(account=account, region=region)
    now = timezone.now()
    # Other kinds are read under locks of their own: their rows are not left behind, but somebody else's.
    abandoned = rows.filter(state=SyncState.RUNNING, kind__in=REGISTRY_PASSES)
    run = None
    if kind == SyncKind.FULL:
        run = abandoned.filter(kind=kind, started_at__gt=now - LONGEST_PAUSE).order_by("-started_at").first()
    for left in abandoned if run is None else abandoned.exclude(pk=run.pk):
        left.state, left.finished_at, left.error = SyncState.FAILED, now, ENDED
        left.save(update_fields=["state", "finished_at", "error"])
    if run is None:
        run = SyncRun(account=account, region=region, kind=kind, requested_by=requested_by, since=since)
        before = Counts()
    else:
        run.resumed += 1
        before = Counts(calls=run.calls, pages=run.pages, throttles=run.throttles)
    begun = Pass(run, counters, last_success(account, region), before, [run.error] if run.error else [])
    begun.write()
    return begun


def last_success(account: AwsAccount, region: str) -> datetime | None:
    """Return when the newest successful pass over changes (full or incremental) began, None when there is none."""
    done = SyncRun.objects.filter(
        account=account, region=region, kind__in=(SyncKind.FULL, SyncKind.INCREMENTAL), state=SyncState.SUCCEEDED
    )
    newest: datetime | None = done.order_by("-started_at").values_list("started_at", flat=True).first()
    return newest
