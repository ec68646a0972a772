"""Work for the Celery worker: ids only, one service call each."""

from __future__ import annotations

from typing import Any

from celery import shared_task

from portal.core.actors import Actor
from portal.core.jobs import enqueue_on_commit
from portal.core.operations import correlated
from registry.choices import SyncState
from registry.models import AwsAccount

from .services import deadlines, delivery, review, sync


@shared_task(name="governance.deliver_outbox")
def deliver_outbox(**_: Any) -> None:
    """Carry out what is due in the outbox."""
    with correlated():
        delivery.deliver_due()


@shared_task(name="governance.read_registry_events")
def read_registry_events(**_: Any) -> None:
    """Take in what the registry events hint at."""
    with correlated():
        sync.read_events()


@shared_task(name="governance.expire_requests")
def expire_requests(**_: Any) -> None:
    """Close the approval requests nobody decided in time, and escalate those past their due date."""
    with correlated():
        deadlines.expire_due(actor=Actor.system("clock"))
        deadlines.escalate_due(actor=Actor.system("clock"))


@shared_task(name="governance.review_findings")
def review_findings(**_: Any) -> None:
    """Compare what is found with what is so."""
    with correlated():
        review.review_all(actor=Actor.system("review"))


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


@shared_task(name="governance.sync_accounts")
def sync_accounts(**_: Any) -> None:
    """Have every enabled account synced, each as a task of its own."""
    for account_id in AwsAccount.objects.enabled().values_list("account_id", flat=True):
        enqueue_on_commit("governance.sync_account", account_id=account_id, requested_by="schedule")
