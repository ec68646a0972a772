"""What the gate reads, read the plain way: one question of Django's after the other. The gate's one statement must agree.

Written before that statement was, and kept as what it is compared with; it may take its time.
"""

from __future__ import annotations

from datetime import datetime

from governance.choices import RequestState
from governance.models import ApprovalRequest, Override, PolicyVersion, StageRecord
from governance.policies.facts import Check, Outcome, OverrideFact, Requirements
from governance.policies.gate import GateAccount, GateFacts, GateRecord, GateUseCase, GateVersion
from governance.policies.rules import NoRule
from governance.selectors import policy as policies
from governance.selectors.binding import digest_against
from governance.selectors.gate import GateReading
from governance.services.signing import active_key
from portal.core.access import visible
from portal.core.actors import Actor
from portal.core.vocabulary import RiskClass, Stage, Status, SubjectKind
from registry.models import AwsAccount, ModelVersion, UseCase

_STAGES = {stage.value: stage for stage in Stage}
_DECIDED = (Status.APPROVED, Status.DEPLOYED, Status.SUPERSEDED)


def read(actor: Actor, *, arn: str, stage: str, account_id: str, now: datetime) -> GateReading:
    """Return what is known about a question to the gate; what this actor may not see is as unknown as what is not."""
    asked = _STAGES.get(stage)
    version = _version(actor, arn)
    account = _account(actor, account_id, asked)
    in_force = PolicyVersion.objects.published().order_by("-number").first()
    path = None if in_force is None else policies.path_of(in_force, SubjectKind.MODEL_VERSION)
    known = GateFacts(
        version=None if version is None else _seen(actor, version),
        stage=asked,
        account=None
        if account is None
        else GateAccount(
            str(account), account.is_enabled, frozenset(_STAGES[word] for word in account.purposes if word in _STAGES)
        ),
        path=path,
    )
    if version is None or in_force is None or asked is None:
        return GateReading(known, version, None if in_force is None else in_force.number, (), active_key())
    return _at_stage(known, version, asked, account_id, in_force, now)


def _at_stage(
    known: GateFacts, version: ModelVersion, stage: Stage, account_id: str, in_force: PolicyVersion, now: datetime
) -> GateReading:
    record, elsewhere = _record(version, stage, account_id)
    policy, needs = _requirements(version, stage, in_force, record)
    overrides = list(Override.objects.about(version).filter(stage=stage).order_by("pk"))
    standing = [row for row in overrides if row.is_in_force(now)]
    checks: tuple[Check, ...] | None = None
    if needs is None and stage not in (known.path or ()):
        checks = ()  # Nothing is asked for where nothing runs; that the stage is not on the path says it all.
    elif needs is not None:
        facts = [OverrideFact(row.check_key, row.public_id, row.expires_at) for row in standing]
        checks = policies.checks(version, stage, needs, facts, now)
    rested_on = {check.key for check in checks or () if check.outcome is Outcome.OVERRIDDEN}
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
            digest=digest_against(version, stage, record.approved_digest if record else ""),
            checks=checks,
            lapsed=frozenset(row.check_key for row in overrides if not row.is_in_force(now)),
        ),
        version,
        policy.number,
        tuple(row for row in standing if row.check_key in rested_on),
        active_key(),
    )


def _version(actor: Actor, arn: str) -> ModelVersion | None:
    """Return the newest version of that ARN: one that was deleted may have come back as something else."""
    if not arn or "\x00" in arn:
        return None
    return (
        visible(ModelVersion, actor)
        .filter(arn=arn)
        .select_related("group")
        .defer("described")
        .prefetch_related("use_cases")
        .order_by("-aws_created_at", "-pk")
        .first()
    )


def _seen(actor: Actor, version: ModelVersion) -> GateVersion:
    """Freeze a version; a use case that the actor may not see is judged like the others, but not named."""
    serves = list(version.use_cases.all())
    named = set(visible(UseCase, actor).filter(pk__in=[row.pk for row in serves]).values_list("pk", flat=True))
    return GateVersion(
        name=version.name,
        is_present=version.missing_since is None,
        aws_status=version.aws_status,
        stage=Stage(version.stage),
        use_cases=tuple(
            GateUseCase(
                row.public_id if row.pk in named else "A use case you may not see",
                Stage(row.stage),
                RiskClass(row.risk_class),
            )
            for row in sorted(serves, key=lambda row: row.number)
        ),
    )


def _account(actor: Actor, account_id: str, stage: Stage | None) -> AwsAccount | None:
    """Return the account; to those who may not see accounts it is known only where it runs the stage they ask about."""
    if len(account_id) != 12 or not (account_id.isascii() and account_id.isdigit()):
        return None
    account = AwsAccount.objects.filter(account_id=account_id).first()
    if account is None or (account.is_enabled and stage in account.purposes):
        return account
    return account if visible(AwsAccount, actor).filter(pk=account.pk).exists() else None


def _record(version: ModelVersion, stage: Stage, account_id: str) -> tuple[StageRecord | None, bool]:
    """Return the record that counts in an account, its own or one for no account, and whether there are others."""
    records = {
        row.account.account_id if row.account else "": row
        for row in StageRecord.objects.filter(version=version, stage=stage)
        .select_related("account")
        .only("status", "approved_digest", "outdated_at", "account__account_id")
    }
    return records.get(account_id) or records.get(""), bool(records)


def _requirements(
    version: ModelVersion, stage: Stage, in_force: PolicyVersion, record: StageRecord | None
) -> tuple[PolicyVersion, Requirements | None]:
    """Return what is needed at a stage: by the copy in the request that was approved, else by the policy in force."""
    if record is not None and record.status in _DECIDED:
        approved = (
            ApprovalRequest.objects.about(version)
            .filter(stage=stage, state=RequestState.APPROVED)
            .select_related("policy")
            .only("requirements", "policy__number")
            .order_by("-pk")
            .first()
        )
        if approved is not None:
            return approved.policy, Requirements.from_json(approved.requirements)
    try:
        return in_force, policies.requirements_for(version, in_force, stage)
    except NoRule:
        return in_force, None
