"""What a kind of outbox message brings: how it is carried out, and what is written down afterwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from portal.core.actors import Actor
from registry.aws.session import AwsSession
from registry.models import AwsAccount
from registry.services import accounts

from ...models import OutboxMessage

ACTOR = Actor.system("outbox")


def _nothing(message: OutboxMessage, result: dict[str, Any]) -> None:
    return None


def _silent(message: OutboxMessage, error: str) -> None:
    return None


@dataclass(frozen=True)
class Carrier:
    """How one kind of message is carried out.

    `carry` speaks to AWS and returns what is to be remembered; it raises AwsError, whose `retryable` says whether
    another attempt may help. `delivered` writes the result down in the transaction that marks the message delivered;
    `given_up` does so in the one that marks it failed for good, with the last error.
    """

    carry: Callable[[OutboxMessage], dict[str, Any]]
    delivered: Callable[[OutboxMessage, dict[str, Any]], None] = _nothing
    given_up: Callable[[OutboxMessage, str], None] = _silent


def session_of(account_id: str, region: str) -> AwsSession:
    """Return the session for an account by its twelve digits. Raises AwsAccount.DoesNotExist."""
    return accounts.reach(AwsAccount.objects.get(account_id=account_id), region)
