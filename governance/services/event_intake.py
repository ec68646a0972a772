"""Taking in what events hint at: the versions are read again and recorded, whatever the events themselves say."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from django.db import DatabaseError, OperationalError, connection

from registry.aws import events as gateway
from registry.aws.arns import parse_model_package_arn
from registry.aws.errors import AwsError
from registry.aws.records import RegistryEvent
from registry.choices import EventProblem
from registry.models import AwsAccount
from registry.selectors.events import says_nothing_new
from registry.services import accounts
from registry.sync import run

from ..selectors.own_writes import echoes
from .sync import ACTOR, LISTENERS

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Trouble:
    """Why one event was not taken in: `lasting` does not go away by trying again, `final` needs no other try."""

    problem: EventProblem
    error: str
    lasting: bool = True
    final: bool = False


@dataclass
class TakenIn:
    """What became of some events: what was wrong with some, by message id, and counts of the rest."""

    troubles: dict[str, Trouble] = field(default_factory=dict)
    versions: int = 0
    known: int = 0
    own: int = 0
    other: int = 0


def take_in(events: Sequence[RegistryEvent], *, ask_anyway: bool = False) -> TakenIn:
    """Read the versions that events hint at from AWS and record them, each once however many events name it.

    Versions of one account and region are read together; when that fails for good, one by one, so that one that cannot
    be read hides no other. Events that provably say nothing new cost no request, unless `ask_anyway`. Raises
    DatabaseError when the database is gone; everything else ends as a `Trouble` of the events concerned.
    Source: DescribeModelPackage.
    """
    result = TakenIn()
    named = _sort_out(events, result)
    told = [event for group in named.values() for event in group]
    own, stale = echoes(told), set() if ask_anyway else says_nothing_new(told)
    result.own = len(own)
    places: dict[tuple[str, str], list[str]] = {}
    for arn, group in named.items():
        news = [event for event in group if event.message_id not in stale]
        result.known += sum(event.message_id not in own for event in group[1 if news else 0 :])
        if news:
            parts = parse_model_package_arn(arn)
            places.setdefault((parts.account_id, parts.region), []).append(arn)
    for (account_id, region), arns in places.items():
        for arn, trouble in _take_in_place(account_id, region, arns, result).items():
            result.troubles.update({event.message_id: trouble for event in named[arn]})
    return result


def _sort_out(events: Sequence[RegistryEvent], result: TakenIn) -> dict[str, list[RegistryEvent]]:
    """Count what is of another kind, name what cannot be read; return the rest by version."""
    named: dict[str, list[RegistryEvent]] = {}
    for event in events:
        if event.kind == gateway.KIND_MODEL_PACKAGE:
            named.setdefault(event.model_package_arn, []).append(event)
        elif event.kind == gateway.KIND_OTHER:
            result.other += 1
        else:
            result.troubles[event.message_id] = Trouble(
                EventProblem.UNREADABLE,
                "This is not an event about a model version that the portal can read.",
                final=True,
            )
    return named


def _take_in_place(account_id: str, region: str, arns: list[str], result: TakenIn) -> dict[str, Trouble]:
    """Take in versions of one account and region; returns what was wrong, by ARN."""
    owner = AwsAccount.objects.filter(account_id=account_id).first()
    refusal = _not_ours(owner, account_id, region)
    if owner is None or refusal is not None:
        return dict.fromkeys(arns, refusal) if refusal else {}

    def read(some: list[str]) -> None:
        session = accounts.reach(owner, region)
        changes = run.take_in_versions(actor=ACTOR, account=owner, session=session, arns=some, listeners=LISTENERS)
        result.versions += len(changes)

    trouble = _tried(lambda: read(arns), arns)
    # What passes by itself, such as throttling, would only get worse by asking for each of them.
    if trouble is None or len(arns) == 1 or not trouble.lasting:
        return dict.fromkeys(arns, trouble) if trouble else {}
    found: dict[str, Trouble] = {}
    for arn in arns:
        one = _tried(lambda arn=arn: read([arn]), [arn])  # type: ignore[misc]  # a default binds the loop's value
        if one is not None:
            found[arn] = one
    return found


def _not_ours(owner: AwsAccount | None, account_id: str, region: str) -> Trouble | None:
    if owner is None:
        return Trouble(
            EventProblem.UNKNOWN_ACCOUNT,
            f"The version belongs to account {account_id}, which is not registered. Register it, then take it in.",
            final=True,
        )
    if not owner.is_enabled:
        return Trouble(
            EventProblem.DISABLED_ACCOUNT,
            f"The version belongs to {owner}, which is disabled. Enable it, then take it in; its next full pass finds"
            " the version as well.",
            final=True,
        )
    if region not in owner.regions:
        return Trouble(
            EventProblem.UNKNOWN_ACCOUNT,
            f"The version lies in {region}, where {owner} is not read. Add the region there, then take it in.",
            final=True,
        )
    return None


def _tried(read: Callable[[], None], arns: list[str]) -> Trouble | None:
    try:
        read()
    except AwsError as error:
        logger.warning("Versions were not read after an event (%s): %s", ", ".join(arns), error)
        return Trouble(EventProblem.REFUSED, str(error), lasting=not error.retryable)
    except DatabaseError as error:
        if not connection.is_usable():
            raise
        logger.exception("Versions were not recorded after an event: %s", ", ".join(arns))
        # A deadlock or a full disk passes; what the database refuses as wrong does not.
        lasting = not isinstance(error, OperationalError)
        return Trouble(EventProblem.NOT_RECORDED, f"{type(error).__name__}: {error}", lasting=lasting)
    except Exception as error:
        # Whatever it was, one poison event must not stop those behind it; it is kept and shown.
        logger.exception("Versions were not recorded after an event: %s", ", ".join(arns))
        return Trouble(EventProblem.NOT_RECORDED, f"{type(error).__name__}: {error}")
    return None
