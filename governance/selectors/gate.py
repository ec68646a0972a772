"""The facts the gate judges by, read at one moment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from portal.core.actors import Actor
from portal.core.vocabulary import RiskClass, Stage, Status, SubjectKind
from registry.models import AwsAccount, ModelVersion
from registry.querysets import sees_operations

from ..models import Override, PolicyVersion, SigningKey, StageRecord
from ..policies.facts import Check, Outcome, OverrideFact, Requirements
from ..policies.gate import GateAccount, GateFacts, GateRecord, GateUseCase, GateVersion
from ..policies.rules import NoRule
from . import policy as policies
from .binding import decided_content, digest_bound
from .gate_rows import GateRows, read_rows
from .gathered import Gathered

_STAGES = {stage.value: stage for stage in Stage}
# What a decision is no more asked for once it was given.
_DECIDED = (Status.APPROVED, Status.DEPLOYED, Status.SUPERSEDED)


@dataclass(frozen=True)
class GateReading:
    """The facts, and what the answer says beside the decision.

    `policy` is the number of the policy whose checks were made: the one the approval ran under, or without one the
    policy in force. `set_aside` are the break-glass overrides that a check rests on, `key` the one that signs.
    """

    facts: GateFacts
    version: ModelVersion | None
    policy: int | None
    set_aside: tuple[Override, ...]
    key: SigningKey | None


@contextmanager
def snapshot() -> Iterator[None]:
    """Read everything inside as it was at one moment, writing nothing; inside another transaction it is that one's."""
    if connection.in_atomic_block:
        yield
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield


def read(actor: Actor, *, arn: str, stage: str, account_id: str, now: datetime) -> GateReading:
    """Return what is known about a question to the gate; what this actor may not see is as unknown as what is not."""
    asked = _STAGES.get(stage)
    is_number = len(account_id) == 12 and account_id.isascii() and account_id.isdigit()
    rows = read_rows(
        actor,
        arn="" if "\x00" in arn else arn,
        stage=asked.value if asked else "",
        account_id=account_id if is_number else "",
    )
    account = _account(actor, rows.account, asked)
    path = None if rows.policy is None else policies.path_of(rows.policy, SubjectKind.MODEL_VERSION)
    known = GateFacts(
        version=None if rows.version is None else _seen(rows.version, rows),
        stage=asked,
        account=None
        if account is None
        else GateAccount(
            str(account), account.is_enabled, frozenset(_STAGES[word] for word in account.purposes if word in _STAGES)
        ),
        path=path,
    )
    if rows.version is None or rows.policy is None or asked is None:
        return GateReading(known, rows.version, None if rows.policy is None else rows.policy.number, (), rows.key)
    return _at_stage(known, rows, rows.version, rows.policy, asked, account_id, now)


def _at_stage(
    known: GateFacts,
    rows: GateRows,
    version: ModelVersion,
    in_force: PolicyVersion,
    stage: Stage,
    account_id: str,
    now: datetime,
) -> GateReading:
    record, elsewhere = _record(rows, stage, account_id)
    policy, needs = _requirements(rows, version, stage, in_force, record)
    standing = [row for row in rows.overrides if row.is_in_force(now)]
    readings = {version.pk: rows.reading} if rows.reading is not None else {}
    gathered = Gathered({version.pk: rows.records}, {}, {(ModelVersion, version.pk): rows.evidence}, readings)
    gathered.reports.told({version.pk: rows.troubled})
    checks: tuple[Check, ...] | None = None
    if needs is None and stage not in (known.path or ()):
        checks = ()  # Nothing is asked for where nothing runs; that the stage is not on the path says it all.
    elif needs is not None:
        facts = [OverrideFact(row.check_key, row.public_id, row.expires_at) for row in standing]
        checks = policies.checks(version, stage, needs, facts, now, gathered)
    rested_on = {check.key for check in checks or () if check.outcome is Outcome.OVERRIDDEN}
    approved = record.approved_digest if record else ""
    return GateReading(
        GateFacts(
            version=known.version,
            stage=known.stage,
            account=known.account,
            path=known.path,
            record=None
            if record is None
            else GateRecord(Status(record.status), record.approved_digest, record.outdated_at is not None),
            elsewhere=elsewhere,
            digest=digest_bound(decided_content(version, stage, gathered), approved, lambda: _bound(rows, approved)),
            checks=checks,
            lapsed=frozenset(row.check_key for row in rows.overrides if not row.is_in_force(now)),
        ),
        version,
        policy,
        tuple(row for row in standing if row.check_key in rested_on),
        rows.key,
    )


def _bound(rows: GateRows, digest: str) -> dict[str, Any] | None:
    """Return the evidence that the approval with this digest was given for; None when there was none."""
    return next(({"evidence": one.evidence} for one in rows.approved if one.digest == digest), None)


def _seen(version: ModelVersion, rows: GateRows) -> GateVersion:
    """Freeze a version; a use case that the actor may not see is judged like the others, but not named."""
    return GateVersion(
        name=version.name,
        is_present=version.missing_since is None,
        aws_status=version.aws_status,
        stage=Stage(version.stage),
        use_cases=tuple(
            GateUseCase(
                "A use case you may not see" if row.pk in rows.hidden else row.public_id,
                Stage(row.stage),
                RiskClass(row.risk_class),
            )
            for row in sorted(rows.use_cases, key=lambda row: row.number)
        ),
    )


def _account(actor: Actor, account: AwsAccount | None, stage: Stage | None) -> AwsAccount | None:
    """Return the account; to those who may not see accounts it is known only where it runs the stage they ask about."""
    if account is None or (account.is_enabled and stage in account.purposes):
        return account
    return account if sees_operations(actor) else None


def _record(rows: GateRows, stage: Stage, account_id: str) -> tuple[StageRecord | None, bool]:
    """Return the record that counts in an account, its own or one for no account, and whether there are others."""
    records = {row.account.account_id if row.account else "": row for row in rows.records if row.stage == stage}
    return records.get(account_id) or records.get(""), bool(records)


def _requirements(
    rows: GateRows, version: ModelVersion, stage: Stage, in_force: PolicyVersion, record: StageRecord | None
) -> tuple[int, Requirements | None]:
    """Return the policy and what it needs at a stage: by the copy in the request that was approved, else in force."""
    if record is not None and record.status in _DECIDED and rows.approved:
        approved = rows.approved[-1]
        return approved.policy, Requirements.from_json(approved.requirements)
    try:
        return in_force.number, policies.requirements_for(version, in_force, stage)
    except NoRule:
        return in_force.number, None
