"""Events that could not be taken in: kept with every byte, replayed or dismissed by people, never dropped."""

from __future__ import annotations

import hashlib

from django.utils import timezone

from portal.core import access
from portal.core.actors import Actor
from portal.core.errors import InvalidInput, WrongState
from portal.core.jobs import enqueue_on_commit
from portal.core.operations import operation
from portal.core.permissions import Act, require_anywhere
from registry.aws import events as gateway
from registry.aws.records import RegistryEvent
from registry.aws.values import plain_text
from registry.choices import ParkedEventState
from registry.models import AwsAccount, ParkedEvent, User

from ..choices import FindingKind
from . import findings
from .event_intake import Trouble, take_in
from .sync import ACTOR

REDRIVE = "governance.redrive_events"
_LONGEST_ARN = 2048
_LONGEST_ID = 200


def park(account: AwsAccount, event: RegistryEvent, trouble: Trouble) -> ParkedEvent:
    """Keep a message of an account's queue that could not be taken in; one that is kept already is seen once more.

    What somebody dismissed stays dismissed; what was replayed and fails again waits again. Commits before it returns
    unless it runs in the caller's operation, so that the message may then be deleted from the queue.
    """
    now = timezone.now()
    body = event.body.encode("utf-8", "surrogatepass")
    message_id = event.message_id[:_LONGEST_ID] or f"sha256:{hashlib.sha256(body).hexdigest()}"
    with operation(ACTOR, "park registry event"):
        parked, is_new = ParkedEvent.objects.select_for_update(of=("self",)).get_or_create(
            account=account,
            message_id=message_id,
            defaults={
                "body": body,
                "model_package_arn": event.model_package_arn[:_LONGEST_ARN],
                "queued_at": event.queued_at,
                "problem": trouble.problem,
                "error": plain_text(trouble.error),
                "attempts": max(1, min(event.receives, 2**31 - 1)),
                "first_seen_at": now,
                "last_seen_at": now,
            },
        )
        if not is_new:
            parked.last_seen_at = now
            if parked.state == ParkedEventState.REPLAYED:
                parked.state = ParkedEventState.PARKED
                parked.settled_at = parked.settled_by = None
                parked.note = ""
            if parked.state == ParkedEventState.PARKED:
                parked.attempts += 1
                parked.problem, parked.error = trouble.problem, plain_text(trouble.error)
            parked.save()
        _tell(account, parked)
    return parked


def replay(*, actor: Actor, event_id: int) -> ParkedEvent:
    """Take in a parked or dismissed event anew: it is replayed when that works, and stays with the new error if not.

    Raises NotFound, Forbidden, WrongState when it was replayed before. Source: DescribeModelPackage.
    """
    parked = access.get(ParkedEvent, actor, pk=event_id)
    require_anywhere(actor, Act.HANDLE_EVENTS)
    _refuse_replayed(parked)
    event = gateway.read_message({"MessageId": parked.message_id, "Body": parked.original})
    trouble = take_in([event], ask_anyway=True).troubles.get(event.message_id)
    with operation(actor, "replay registry event"):
        parked = ParkedEvent.objects.select_for_update(of=("self",)).select_related("account").get(pk=parked.pk)
        _refuse_replayed(parked)
        parked.attempts += 1
        if trouble is None:
            parked.state, parked.note = ParkedEventState.REPLAYED, ""
            parked.settled_at, parked.settled_by = timezone.now(), _person(actor)
        else:
            parked.problem, parked.error = trouble.problem, plain_text(trouble.error)
        parked.save()
        _tell(parked.account, parked)
    return parked


def dismiss(*, actor: Actor, event_id: int, reason: str) -> ParkedEvent:
    """Say that a parked event need not be taken in, and why; it is kept all the same.

    Raises NotFound, Forbidden, InvalidInput without a reason, WrongState unless it is parked.
    """
    parked = access.get(ParkedEvent, actor, only=("pk",), pk=event_id)
    require_anywhere(actor, Act.HANDLE_EVENTS)
    if not reason.strip():
        raise InvalidInput("Say why this event is of no use.", errors={"reason": ["A reason is needed."]})
    with operation(actor, reason.strip()):
        parked = ParkedEvent.objects.select_for_update(of=("self",)).select_related("account").get(pk=parked.pk)
        if parked.state != ParkedEventState.PARKED:
            raise WrongState(f"This event is {parked.state}; only a parked one can be dismissed.")
        parked.state, parked.note = ParkedEventState.DISMISSED, reason.strip()
        parked.settled_at, parked.settled_by = timezone.now(), _person(actor)
        parked.save()
        _tell(parked.account, parked)
    return parked


def request_redrive(*, actor: Actor, account_id: str) -> AwsAccount:
    """Have a worker take in what SQS gave up as dead letters of an account's event queue.

    Raises NotFound, Forbidden, WrongState for an account that is disabled or has no event queue.
    """
    account = access.get(AwsAccount, actor, account_id=account_id)
    require_anywhere(actor, Act.HANDLE_EVENTS)
    if not account.is_enabled:
        raise WrongState(f"{account} is disabled. Enable it before reading its dead letters.")
    if not account.event_queue_url:
        raise WrongState(f"{account} has no event queue, so there are no dead letters.")
    enqueue_on_commit(REDRIVE, account_id=account.account_id, requested_by=actor.name)
    return account


def _refuse_replayed(parked: ParkedEvent) -> None:
    if parked.state == ParkedEventState.REPLAYED:
        raise WrongState("This event was replayed already.")


def _person(actor: Actor) -> User | None:
    return User.objects.filter(pk=actor.user_id).first() if actor.user_id else None


def _tell(account: AwsAccount, latest: ParkedEvent) -> None:
    """Keep the finding true: it stands while an event of the account waits for somebody.

    It says which event, not what it holds: whoever can send to the queue writes that, and the trail keeps a finding.
    """
    waiting = ParkedEvent.objects.filter(account=account, state=ParkedEventState.PARKED).count()
    if not waiting:
        findings.clear(FindingKind.EVENT_UNREADABLE, account, "No registry event waits for anybody any more.")
        return
    if latest.state != ParkedEventState.PARKED:
        # What the finding tells of was settled: another one speaks for those that wait.
        latest = ParkedEvent.objects.filter(account=account, state=ParkedEventState.PARKED).latest("pk")
    events = "1 registry event" if waiting == 1 else f"{waiting} registry events"
    findings.observe(
        FindingKind.EVENT_UNREADABLE,
        account,
        f"{events} of {account} could not be taken in and wait to be replayed or dismissed.",
        {
            "parked": waiting,
            "message_id": latest.message_id,
            "problem": latest.problem,
            "error": latest.error,
        },
    )
