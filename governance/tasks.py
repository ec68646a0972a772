"""Work for the Celery worker: ids only, one service call each."""

from __future__ import annotations

from datetime import datetime
from time import monotonic
from typing import Any

from celery import shared_task

from portal.core.actors import Actor
from portal.core.jobs import enqueue_on_commit
from portal.core.operations import correlated
from portal.core.vocabulary import NotificationChannel
from registry.choices import SyncKind, SyncState
from registry.models import AwsAccount
from registry.services import sync_runs

from .choices import AuditCheckScope
from .services import (
    anchors,
    artifacts,
    audit_checks,
    callbacks,
    daily_digest,
    deadlines,
    evidence_checks,
    idempotency,
    lanes,
    notification_delivery,
    out_of_band,
    pipeline_evidence,
    readings,
    registry_events,
    reminders,
    reread,
    review,
    runs,
    share_sync,
    sync,
    telling,
    webhook_delivery,
    webhook_spread,
    webhooks,
)
from .services.audit_pack import building, packs
from .services.reading_turns import seconds_to_wait


@shared_task(name="governance.deliver_outbox")
def deliver_outbox(*, lane: str | None = None, **_: Any) -> None:
    """Carry out what is due in one lane of the outbox; without one, have every lane looked at by a task of its own."""
    with correlated():
        if lane is None:
            lanes.wake()
        else:
            lanes.deliver_lane(lane)


@shared_task(name="governance.take_in_version")
def take_in_version(*, version_id: int, **_: Any) -> None:
    """Read one version anew that a write-back found changed."""
    with correlated():
        reread.take_in_version(version_id=version_id)


@shared_task(name="governance.read_run")
def read_run(*, run_id: int, **_: Any) -> None:
    """Read one MLflow run that was named."""
    with correlated():
        runs.read_run(run_id=run_id)


@shared_task(name="governance.read_runs")
def read_runs(**_: Any) -> None:
    """Read the MLflow runs that go on, and those whose server did not answer."""
    with correlated():
        runs.read_due()


@shared_task(name="governance.read_registry_events")
def read_registry_events(**_: Any) -> None:
    """Take in what the registry events hint at."""
    with correlated():
        registry_events.read_events()


@shared_task(name="governance.redrive_events")
def redrive_events(*, account_id: str, **_: Any) -> None:
    """Take in what lies among the dead letters of an account's event queue."""
    with correlated():
        registry_events.take_in_dead_letters(account_id=account_id)


@shared_task(name="governance.read_callbacks")
def read_callbacks(**_: Any) -> None:
    """Find the pipelines that wait to be told whether they may deploy."""
    with correlated():
        callbacks.read_all()


@shared_task(name="governance.attach_check_reports")
def attach_check_reports(*, version_id: int, **_: Any) -> None:
    """Attach what pipelines' checks wrote about a version whose request has ended; the periodic pass does it too."""
    with correlated():
        pipeline_evidence.attach_to(actor=Actor.system("pipelines"), version_id=version_id)


@shared_task(name="governance.expire_requests")
def expire_requests(**_: Any) -> None:
    """Close the approval requests nobody decided in time, and escalate those past their due date."""
    with correlated():
        deadlines.expire_due(actor=Actor.system("clock"))
        deadlines.escalate_due(actor=Actor.system("clock"))


@shared_task(name="governance.review_findings")
def review_findings(**_: Any) -> None:
    """Compare what is found with what is so, and answer what was changed past the portal and not answered yet."""
    with correlated():
        review.review_all(actor=Actor.system("review"))
        out_of_band.answer_all(actor=out_of_band.ACTOR)


@shared_task(name="governance.settle_artifacts")
def settle_artifacts(**_: Any) -> None:
    """Order the copies of artifacts whose bucket an account has come to name."""
    with correlated():
        artifacts.settle_unreachable()


@shared_task(name="governance.answer_outside_changes")
def answer_outside_changes(*, version_ids: list[int], **_: Any) -> None:
    """Do about changes made past the portal what the policy asks for."""
    with correlated():
        out_of_band.answer_all(actor=out_of_band.ACTOR, version_ids=version_ids)


@shared_task(name="governance.build_pack")
def build_pack(*, pack_id: int, **_: Any) -> None:
    """Build one audit pack that was asked for."""
    with correlated():
        building.build(pack_id=pack_id)


@shared_task(name="governance.sweep_packs")
def sweep_packs(**_: Any) -> None:
    """Have audit packs built whose worker was lost, and remove the files of those that are over."""
    with correlated():
        packs.sweep()


@shared_task(name="governance.anchor_audit_trail")
def anchor_audit_trail(**_: Any) -> None:
    """Sign what the audit trail gained, and keep that outside the database."""
    with correlated():
        anchors.anchor(actor=Actor.system("clock"))


@shared_task(name="governance.check_audit_trail")
def check_audit_trail(*, check_id: int | None = None, **_: Any) -> None:
    """Carry out a check of the audit trail that was asked for; without one, ask for the whole trail's daily one."""
    actor = Actor.system("clock")
    with correlated():
        if check_id is None:
            audit_checks.request(actor=actor, scope=AuditCheckScope.ALL)
        else:
            audit_checks.run(actor=actor, check_id=check_id)


@shared_task(name="governance.reconcile_group")
def reconcile_group(*, group_id: int, **_: Any) -> None:
    """Keep the findings about a model group true after somebody claimed or linked it."""
    with correlated():
        sync.reconcile_group(group_id=group_id)


MOST_SYNC_ATTEMPTS = 4


@shared_task(name="governance.sync_account")
def sync_account(*, account_id: str, requested_by: str, attempt: int = 1, **_: Any) -> None:
    """Make a full pass over one account; one that AWS did not let through is tried again after 15, 30 and 60 s."""
    with correlated():
        runs = sync.sync_account(account_id=account_id, requested_by=requested_by)
    if attempt < MOST_SYNC_ATTEMPTS and any(run.state == SyncState.FAILED for run in runs):
        enqueue_on_commit(
            "governance.sync_account",
            after_seconds=15 * 2 ** (attempt - 1),
            account_id=account_id,
            requested_by=requested_by,
            attempt=attempt + 1,
        )


@shared_task(name="governance.sync_changes")
def sync_changes(*, account_id: str, **_: Any) -> None:
    """Take in what was modified in one account since its last pass; one that fails is due again soon anyway."""
    with correlated():
        sync.sync_changes(account_id=account_id)


@shared_task(name="governance.sync_changes_everywhere")
def sync_changes_everywhere(**_: Any) -> None:
    """Have what was modified taken in from every enabled account, each as a task of its own."""
    for account_id in AwsAccount.objects.enabled().values_list("account_id", flat=True):
        enqueue_on_commit("governance.sync_changes", account_id=account_id)


@shared_task(name="governance.sync_accounts")
def sync_accounts(**_: Any) -> None:
    """Have every enabled account synced, each as a task of its own."""
    for account_id in AwsAccount.objects.enabled().values_list("account_id", flat=True):
        enqueue_on_commit("governance.sync_account", account_id=account_id, requested_by="schedule")


@shared_task(name="governance.sync_shares_of_account")
def sync_shares_of_account(*, account_id: str, requested_by: str, **_: Any) -> None:
    """Read what RAM says of one account's shares and invitations."""
    with correlated():
        share_sync.sync_shares(account_id=account_id, requested_by=requested_by)


@shared_task(name="governance.sync_shares")
def sync_shares(**_: Any) -> None:
    """Have the shares of every enabled account read, each as a task of its own."""
    for account_id in AwsAccount.objects.enabled().values_list("account_id", flat=True):
        enqueue_on_commit("governance.sync_shares_of_account", account_id=account_id, requested_by="schedule")


@shared_task(name="governance.read_aws", soft_time_limit=readings.READ_SECONDS)
def read_aws(
    *,
    account_id: str,
    kind: str,
    requested_by: str,
    region: str = "",
    asked_at: str = "",
    attempt: int = 1,
    **_: Any,
) -> None:
    """Read one kind of what an account holds beside the registry in one region, as soon as it is its turn.

    Without a region, each is read by a task of its own.
    """
    with correlated():
        if not region:
            readings.request_regions(account_id=account_id, kind=SyncKind(kind), requested_by=requested_by)
            return
        seconds = readings.read_in_turn(
            account_id=account_id,
            region=region,
            kind=SyncKind(kind),
            requested_by=requested_by,
            asked_at=datetime.fromisoformat(asked_at),
        )
    if seconds is not None:
        enqueue_on_commit(
            readings.READ,
            after_seconds=seconds or seconds_to_wait(attempt),
            account_id=account_id,
            region=region,
            kind=kind,
            requested_by=requested_by,
            asked_at=asked_at,
            attempt=attempt + 1,
        )


@shared_task(name="governance.read_aws_everywhere")
def read_aws_everywhere(*, kind: str, **_: Any) -> None:
    """Have one kind read in every enabled account, each as a task of its own."""
    for account_id in AwsAccount.objects.enabled().values_list("account_id", flat=True):
        enqueue_on_commit(readings.READ, account_id=account_id, kind=kind, requested_by="schedule")


@shared_task(name="governance.prune_sync_runs")
def prune_sync_runs(**_: Any) -> None:
    """Remove the rows of passes that nobody wants to read any more."""
    with correlated():
        sync_runs.prune()


@shared_task(name="governance.prune_idempotency")
def prune_idempotency(**_: Any) -> None:
    """Remove the answers to Idempotency-Keys that are not given again any more."""
    with correlated():
        idempotency.prune()


# Well below the time a task may run, so that a long pass goes on in the next task instead of being killed.
LONGEST_CHECK_SECONDS = 300


@shared_task(name="governance.check_evidence")
def check_evidence(*, after: int = 0, **_: Any) -> None:
    """Compare all evidence behind that number with what was attached; what differs becomes a finding."""
    deadline = monotonic() + LONGEST_CHECK_SECONDS
    with correlated():
        for found in evidence_checks.check_all(actor=Actor.system("clock"), after=after):
            if monotonic() > deadline:
                enqueue_on_commit("governance.check_evidence", after=found.row.pk)
                return


@shared_task(name="governance.tell_people")
def tell_people(**_: Any) -> None:
    """Tell people of what happened since anybody was told of anything."""
    with correlated():
        telling.tell_due()


@shared_task(name="governance.deliver_notifications")
def deliver_notifications(*, channel: str, **_: Any) -> None:
    """Send the notifications that are due by one way, e-mail or chat, so that neither waits for the other."""
    with correlated():
        notification_delivery.deliver_due(channel=NotificationChannel(channel))


@shared_task(name="governance.remind_people")
def remind_people(**_: Any) -> None:
    """Tell people of what is due or overdue, and send the digests whose hour has come."""
    with correlated():
        reminders.remind(actor=Actor.system("clock"))
        daily_digest.send_due()


@shared_task(name="governance.prune_notifications")
def prune_notifications(**_: Any) -> None:
    """Remove what people were told long ago."""
    with correlated():
        reminders.prune()


@shared_task(name="governance.send_webhooks")
def send_webhooks(**_: Any) -> None:
    """Spread the events that were written down, and send what is due to webhooks."""
    with correlated():
        webhook_spread.spread_due()
        webhook_delivery.send_due()


@shared_task(name="governance.prune_webhooks")
def prune_webhooks(**_: Any) -> None:
    """Remove what was sent to webhooks long ago."""
    with correlated():
        webhooks.prune()
