"""What is read of AWS beside the registry: cards, reports, monitors, endpoints, their metrics, lineage and the rest.

Each kind is a pass of its own over an account and region, with its row among the sync runs: when it was read last, what
that cost, and what could not be read. What is kept says when it was read, and is never removed because AWS did not
answer.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.utils import timezone

from portal.core.actors import Actor
from portal.core.errors import InvalidInput
from portal.core.jobs import enqueue_on_commit
from portal.core.locks import advisory_lock
from registry.aws.errors import AwsError
from registry.aws.session import AwsSession, Counts
from registry.choices import SyncKind, SyncState
from registry.models import AwsAccount, SyncRun
from registry.services import account_roles, accounts, lineage, reports, training
from registry.sync.runs import ENDED

from ..choices import FindingKind
from . import model_cards, monitors, observed_deployments, pipeline_evidence, reading_turns, review

logger = logging.getLogger(__name__)

ACTOR = Actor.system("sync")
READ = "governance.read_aws"
_MOST_PROBLEMS = 20
# Below the time after which a worker process is killed, so that the pass can say so itself.
READ_SECONDS = 480
TOO_LONG = (
    f"It was not through after {READ_SECONDS // 60} minutes and was stopped, so that others are read. What was read is"
    " kept, and the next pass goes on. If it lasts: see whether AWS throttles this account (PORTAL_AWS_CONCURRENCY)."
)


@dataclass
class Tally:
    """What a pass took in, and what it could not read: each problem is a sentence naming what it is about."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    missing: int = 0
    problems: list[str] = field(default_factory=list)


Step = Callable[[AwsSession, Tally], object]


@dataclass(frozen=True)
class Reading:
    """How one kind is read: `read` takes in what an account says in a region; `findings` are looked at afterwards."""

    read: Callable[[Actor, AwsAccount, AwsSession, Tally], None]
    findings: tuple[FindingKind, ...] = ()


READINGS: Mapping[SyncKind, Reading] = {
    SyncKind.MONITORS: Reading(
        monitors.read,
        (FindingKind.MONITOR_MISSING, FindingKind.MONITOR_VIOLATIONS, FindingKind.METRIC_BREACHED),
    ),
    SyncKind.ENDPOINTS: Reading(
        observed_deployments.read,
        (
            FindingKind.RUNNING_UNAPPROVED,
            FindingKind.RUNNING_REJECTED,
            FindingKind.APPROVED_NOT_DEPLOYED,
            FindingKind.UNKNOWN_MODEL_RUNNING,
            # Which version a monitor is about follows from what serves where.
            FindingKind.MONITOR_MISSING,
            FindingKind.MONITOR_VIOLATIONS,
        ),
    ),
    SyncKind.CARDS: Reading(model_cards.read),
    SyncKind.LINEAGE: Reading(lineage.read),
    SyncKind.TRAINING: Reading(training.read, (FindingKind.NETWORK_ISOLATION_OFF,)),
    SyncKind.PIPELINES: Reading(pipeline_evidence.read),
    SyncKind.REPORTS: Reading(reports.read, (FindingKind.REPORT_UNREADABLE,)),
    SyncKind.ENDPOINT_METRICS: Reading(monitors.read_metrics, (FindingKind.METRIC_BREACHED,)),
    SyncKind.PERSONAS: Reading(account_roles.read),
}


def request_readings(*, account_id: str, requested_by: str) -> None:
    """Have workers read everything there is to be read of an account, each kind as a task of its own.

    What was turned off (PORTAL_READINGS) is left out.
    """
    for kind in READINGS:
        if kind.value in settings.PORTAL_READINGS_OFF:
            continue
        enqueue_on_commit(READ, account_id=account_id, kind=kind.value, requested_by=requested_by)


def request_regions(*, account_id: str, kind: SyncKind, requested_by: str) -> None:
    """Have each region of an account read by a task of its own: one that is slow keeps no other from being read."""
    asked_at = timezone.now().isoformat()
    for regions in AwsAccount.objects.enabled().filter(account_id=account_id).values_list("regions", flat=True):
        for region in regions:
            enqueue_on_commit(
                READ,
                account_id=account_id,
                region=region,
                kind=kind.value,
                requested_by=requested_by,
                asked_at=asked_at,
            )


def read_in_turn(
    *, account_id: str, region: str, kind: SyncKind, requested_by: str, asked_at: datetime
) -> float | None:
    """Make a pass that was asked for, if it is this account's turn; returns after how many seconds to ask again.

    0 says that no place was free, None that there is nothing more to do: the pass was made, by this or by another, or
    the account is not read (there) any more.
    """
    account = AwsAccount.objects.enabled().filter(account_id=account_id).first()
    if account is None or region not in account.regions:
        return None
    if reading_turns.was_made(account, region, kind, asked_at):
        return None
    if rest := reading_turns.rest_of(account):
        return rest
    with reading_turns.place() as is_ours:
        if not is_ours:
            return 0.0
        _read(account, region, kind, requested_by)
        _look(kind)
    return None


def read_account(*, account_id: str, kind: SyncKind, requested_by: str) -> list[SyncRun]:
    """Read one kind in every region of an account, and look at the findings that rest on it.

    A pass that is under way is left alone. Raises InvalidInput for an account that is unknown or disabled.
    """
    account = AwsAccount.objects.enabled().filter(account_id=account_id).first()
    if account is None:
        raise InvalidInput(f"There is no enabled account {account_id}.")
    runs = [run for region in account.regions if (run := _read(account, region, kind, requested_by)) is not None]
    _look(kind)
    return runs


def _read(account: AwsAccount, region: str, kind: SyncKind, requested_by: str) -> SyncRun | None:
    with advisory_lock(f"read-{kind.value}:{account.account_id}:{region}") as held:
        if held:
            return one_pass(account, region, kind, requested_by, [partial(READINGS[kind].read, ACTOR, account)])
    logger.info("The %s of %s in %s are being read already.", kind.label, account.account_id, region)
    return None


def _look(kind: SyncKind) -> None:
    if findings := READINGS[kind].findings:
        review.review_kinds(actor=ACTOR, kinds=list(findings))


def _take(step: Step, session: AwsSession, tally: Tally, run: SyncRun) -> None:
    try:
        step(session, tally)
    except SoftTimeLimitExceeded:
        raise
    except AwsError as failure:
        tally.problems.append(str(failure))
    except Exception as failure:
        # AWS answered something nobody expected: the pass says so, and what was taken in before it stays.
        logger.exception("%s of %s in %s were not recorded", run.kind, run.account, run.region)
        tally.problems.append(f"What AWS answered was not recorded ({type(failure).__name__}: {failure}).")


def one_pass(
    account: AwsAccount,
    region: str,
    kind: SyncKind,
    requested_by: str,
    steps: Sequence[Callable[[AwsSession, Tally], object]],
) -> SyncRun:
    """Make one pass with its row; what one step could not read does not keep the others from reading.

    The caller holds the lock of this kind, account and region, so a row that still says running belongs to nobody.
    """
    rows = SyncRun.objects.filter(account=account, region=region, kind=kind)
    rows.filter(state=SyncState.RUNNING).update(state=SyncState.FAILED, finished_at=timezone.now(), error=ENDED)
    run = SyncRun.objects.create(account=account, region=region, kind=kind, requested_by=requested_by)
    tally = Tally()
    counts = Counts()
    try:
        session = accounts.reach(account, region)
        with session.counting() as counters:
            try:
                for step in steps:
                    _take(step, session, tally, run)
            finally:
                counts = counters.snapshot()
    except AwsError as failure:
        tally.problems.append(str(failure))
    except SoftTimeLimitExceeded:
        tally.problems.append(TOO_LONG)
    run.calls, run.pages, run.throttles = counts.calls, counts.pages, counts.throttles
    for name in ("created", "updated", "unchanged", "missing"):
        setattr(run, name, getattr(tally, name))
    told = list(dict.fromkeys(tally.problems))
    run.error = " ".join(told[:_MOST_PROBLEMS]).replace("\0", "")
    if len(told) > _MOST_PROBLEMS:
        run.error += f" And {len(told) - _MOST_PROBLEMS} more."
    run.state = SyncState.FAILED if told else SyncState.SUCCEEDED
    run.finished_at = timezone.now()
    run.save()
    return run
