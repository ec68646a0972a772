"""What is read of AWS beside the registry: cards, reports, monitors, endpoints, their metrics, lineage and the rest.

Each kind is a pass of its own over an account and region, with its row among the sync runs: when it was read last, what
that cost, and what could not be read. What is kept says when it was read, and is never removed because AWS did not
answer.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from django.conf import settings
from django.db import DatabaseError
from django.utils import timezone

from portal.core.actors import Actor
from portal.core.errors import InvalidInput
from portal.core.jobs import enqueue_on_commit
from portal.core.locks import advisory_lock
from registry.aws.errors import AwsError
from registry.aws.session import AwsSession
from registry.choices import SyncKind, SyncState
from registry.models import AwsAccount, SyncRun
from registry.services import account_roles, accounts, lineage, reports, training
from registry.sync.runs import ENDED

from ..choices import FindingKind
from . import model_cards, monitors, observed_deployments, pipeline_evidence, review

logger = logging.getLogger(__name__)

ACTOR = Actor.system("sync")
READ = "governance.read_aws"
_MOST_PROBLEMS = 20


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


def read_account(*, account_id: str, kind: SyncKind, requested_by: str) -> list[SyncRun]:
    """Read one kind in every region of an account, and look at the findings that rest on it.

    A pass that is under way is left alone. Raises InvalidInput for an account that is unknown or disabled.
    """
    account = AwsAccount.objects.enabled().filter(account_id=account_id).first()
    if account is None:
        raise InvalidInput(f"There is no enabled account {account_id}.")
    reading, runs = READINGS[kind], []
    for region in account.regions:
        with advisory_lock(f"read-{kind.value}:{account.account_id}:{region}") as held:
            if held:
                runs.append(one_pass(account, region, kind, requested_by, [partial(reading.read, ACTOR, account)]))
            else:
                logger.info("The %s of %s in %s are being read already.", kind.label, account.account_id, region)
    if reading.findings:
        review.review_kinds(actor=ACTOR, kinds=list(reading.findings))
    return runs


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
    session = accounts.reach(account, region)
    with session.counting() as counters:
        for step in steps:
            try:
                step(session, tally)
            except AwsError as failure:
                tally.problems.append(str(failure))
            except (DatabaseError, ValueError, TypeError, KeyError, AttributeError) as failure:
                # AWS answered something nobody expected: the pass says so, and what was taken in before it stays.
                logger.exception("%s of %s in %s were not recorded", kind.label, account.account_id, region)
                tally.problems.append(f"What AWS answered was not recorded ({type(failure).__name__}: {failure}).")
    counts = counters.snapshot()
    run.calls, run.pages, run.throttles = counts.calls, counts.pages, counts.throttles
    for name in ("created", "updated", "unchanged", "missing"):
        setattr(run, name, getattr(tally, name))
    told = list(dict.fromkeys(tally.problems))
    run.error = " ".join(told[:_MOST_PROBLEMS])
    if len(told) > _MOST_PROBLEMS:
        run.error += f" And {len(told) - _MOST_PROBLEMS} more."
    run.state = SyncState.FAILED if told else SyncState.SUCCEEDED
    run.finished_at = timezone.now()
    run.save()
    return run
