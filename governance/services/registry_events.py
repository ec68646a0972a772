"""Taking in what the registry events of every account hint at, and keeping what nobody could read."""

from __future__ import annotations

import logging

from django.db import DatabaseError

from portal.core.locks import advisory_lock
from portal.core.operations import operation
from registry.aws import events
from registry.aws.errors import AwsError
from registry.aws.records import RegistryEvent
from registry.models import AwsAccount
from registry.services import accounts
from registry.sync import run

from ..choices import FindingKind
from . import findings
from .sync import ACTOR, LISTENERS

logger = logging.getLogger(__name__)


def read_events(*, wait_seconds: int = 0) -> int:
    """Take in what the registry events of every account hint at; returns how many messages were handled.

    A message is deleted only after its version has been taken in, so a killed worker or an AWS that does not answer
    means it is delivered again. Events are hints: the version is described anew, and one that says what is already
    known (such as the echo of the portal's own write-back) changes nothing.
    """
    handled = 0
    for account in AwsAccount.objects.enabled().exclude(event_queue_url=""):
        with advisory_lock(f"events:{account.account_id}") as held:
            if held:
                handled += _read_account_events(account, wait_seconds)
    return handled


def _read_account_events(account: AwsAccount, wait_seconds: int) -> int:
    session = accounts.reach(account)
    handled = 0
    try:
        while received := events.receive(session, account.event_queue_url, wait_seconds=wait_seconds):
            done = _handle(account, received)
            if done:
                events.delete(session, account.event_queue_url, done)
            handled += len(done)
            if len(done) < len(received):
                break
    except AwsError as error:
        logger.warning("Events of %s: %s", account, error)
    return handled


def _handle(account: AwsAccount, received: list[RegistryEvent]) -> list[RegistryEvent]:
    """Take in each version once however many messages name it; returns the messages that are done with."""
    done: list[RegistryEvent] = []
    by_arn: dict[str, list[RegistryEvent]] = {}
    for event in received:
        if event.kind == "model_package":
            by_arn.setdefault(event.model_package_arn, []).append(event)
        else:
            if event.kind == "unreadable":
                _park(account, event)
            done.append(event)
    for arn, group in by_arn.items():
        owner = AwsAccount.objects.enabled().filter(account_id=group[0].owner_account_id).first()
        if owner is None:
            done.extend(group)
            continue
        try:
            session = accounts.reach(owner, arn.split(":")[3])
            run.take_in_version(actor=ACTOR, account=owner, session=session, arn=arn, listeners=LISTENERS)
        except AwsError as error:
            logger.warning("Version %s was not taken in and its event stays on the queue: %s", arn, error)
            continue
        except (DatabaseError, ValueError, TypeError):
            # It comes back until the queue's own limit moves it to the dead letters; the others go on.
            logger.exception("Version %s was not recorded and its event stays on the queue", arn)
            continue
        done.extend(group)
    return done


def _park(account: AwsAccount, event: RegistryEvent) -> None:
    with operation(ACTOR, "unreadable registry event"):
        findings.observe(
            FindingKind.EVENT_UNREADABLE,
            account,
            f"The event queue of {account} held a message the portal cannot read.",
            {"message_id": event.message_id, "body": event.body[:4000]},
        )
