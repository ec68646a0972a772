"""What a kind of outbox message brings: how it is carried out, and what is written down afterwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from portal.core.actors import Actor
from portal.core.operations import operation
from registry.aws.session import AwsSession
from registry.models import AwsAccount
from registry.services import accounts

from ...models import OutboxMessage

ACTOR = Actor.system("outbox")


class NotYet(Exception):
    """Nothing is wrong, but AWS is not so far: look again in some seconds, and count no attempt.

    `waits_for` says in plain words what is awaited, without a full stop; people read it on the message.
    """

    def __init__(self, waits_for: str, *, seconds: float) -> None:
        super().__init__(waits_for)
        self.waits_for = waits_for
        self.seconds = seconds


class Overtaken(Exception):
    """A later word took this message's place while it was being prepared: nothing was written."""


class TryAgain(Exception):
    """Something that is not AWS did not take it, and may take it later; counts like a retryable AwsError."""


class Hopeless(Exception):
    """No further attempt can help, for a reason of the portal's own; the words are shown and become a finding."""


def remember(message: OutboxMessage, **progress: Any) -> None:
    """Keep what the next attempt needs to go on from here: JSON, merged into the message's `progress`, committed.

    Call it outside any transaction, right after AWS confirmed a step: a worker killed behind it goes on from there.
    """
    with operation(ACTOR, f"progress of outbox message {message.pk}"):
        message.progress = {**message.progress, **progress}
        message.save(update_fields=["progress"])


def _nothing(message: OutboxMessage, result: dict[str, Any]) -> None:
    return None


def _silent(message: OutboxMessage, error: str) -> None:
    return None


def _unasked(message: OutboxMessage, by: OutboxMessage) -> None:
    return None


def _unknown(message: OutboxMessage) -> bool:
    return False


@dataclass(frozen=True)
class Carrier:
    """How one kind of message is carried out.

    `carry` speaks to AWS and returns what is to be remembered. It raises AwsError, whose `retryable` says whether
    another attempt may help, NotYet while there is only waiting to do (for `patience` in all, then it is given up),
    TryAgain, Hopeless, or Overtaken. What a later attempt must know goes into `remember`.

    `delivered` writes the result down in the transaction that marks the message delivered, `given_up` and `superseded`
    in the ones that mark it so; a result's "note" is kept on the message. `landed` says, without writing anything,
    whether an attempt whose answer nobody knows has arrived.
    """

    carry: Callable[[OutboxMessage], dict[str, Any]]
    delivered: Callable[[OutboxMessage, dict[str, Any]], None] = _nothing
    given_up: Callable[[OutboxMessage, str], None] = _silent
    superseded: Callable[[OutboxMessage, OutboxMessage], None] = _unasked
    landed: Callable[[OutboxMessage], bool] = _unknown
    patience: timedelta = timedelta(days=1)


def session_of(account_id: str, region: str) -> AwsSession:
    """Return the session for an account by its twelve digits. Raises AwsAccount.DoesNotExist."""
    return accounts.reach(AwsAccount.objects.get(account_id=account_id), region)
