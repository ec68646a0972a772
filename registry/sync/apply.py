"""Taking in what was read, in batches: a transaction each, so a killed worker leaves whole versions only."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db import connection

from portal.core.actors import Actor
from portal.core.operations import operation

from ..aws.records import GroupRecord, VersionRecord
from ..models import AwsAccount, ModelGroup, ModelVersion
from ..services import groups, versions
from ..services.versions import VersionChange

logger = logging.getLogger(__name__)

# Large enough that statements and commits are shared, small enough that others wait for the group only a moment.
BATCH = 100


@dataclass(frozen=True)
class Listeners:
    """What the caller does with each change, inside the transaction that wrote it, and after a whole pass."""

    on_versions: Callable[[Actor, Sequence[VersionChange]], None]
    on_versions_missing: Callable[[Actor, Sequence[ModelVersion]], None]
    on_group: Callable[[Actor, ModelGroup], None]
    after_pass: Callable[[Actor, AwsAccount, str], None]


def group(actor: Actor, account: AwsAccount, record: GroupRecord, listeners: Listeners) -> ModelGroup:
    """Take in one group."""
    with operation(actor, "sync"):
        taken, _ = groups.take_in(actor=actor, account=account, record=record)
        listeners.on_group(actor, taken)
    return taken


def each_group(
    actor: Actor, account: AwsAccount, records: Sequence[GroupRecord], listeners: Listeners
) -> tuple[dict[str, int], list[str]]:
    """Take in groups; returns the keys of their rows by ARN, and a sentence for each that could not be recorded.

    Raises when the connection was lost, and with it the lock of the pass.
    """
    taken: dict[str, int] = {}
    failures: list[str] = []
    for record in records:
        session = connection.connection
        try:
            taken[record.arn] = group(actor, account, record, listeners).pk
        except Exception as error:
            if connection.connection is not session:
                raise
            logger.exception("Group %s was not recorded", record.arn)
            failures.append(f"{record.arn} was not recorded ({type(error).__name__}: {error}).")
    return taken, failures


def batch(
    actor: Actor, of: ModelGroup, records: Sequence[VersionRecord], listeners: Listeners
) -> tuple[list[VersionChange], list[str]]:
    """Take in versions of one group; returns what changed, and a sentence for each that could not be recorded.

    One that cannot be recorded must not hide the others: after a failure, whatever it was, each is taken in on its own.
    Raises when the connection was lost, and with it the lock of the pass.
    """
    if not records:
        return [], []
    session = connection.connection
    try:
        return together(actor, of, records, listeners), []
    except Exception as error:
        if connection.connection is not session:
            raise
        if len(records) == 1:
            logger.exception("Version %s was not recorded", records[0].arn)
            return [], [f"{records[0].arn} was not recorded ({type(error).__name__}: {error})."]
    changes: list[VersionChange] = []
    failures: list[str] = []
    for record in records:
        taken, failed = batch(actor, of, [record], listeners)
        changes += taken
        failures += failed
    return changes, failures


def together(
    actor: Actor, of: ModelGroup, records: Sequence[VersionRecord], listeners: Listeners
) -> list[VersionChange]:
    """Take in versions of one group, all of them or none. Raises what the database or a listener raises."""
    with operation(actor, "sync"):
        # Two workers may take in the same new version at once: the group's row is their queue.
        locked = ModelGroup.objects.select_for_update(of=("self",), no_key=True).select_related("account").get(pk=of.pk)
        changes = versions.take_in_all(actor=actor, group=locked, records=records)
        listeners.on_versions(actor, changes)
    return changes
