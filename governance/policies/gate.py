"""The gate: may this version run at that stage in that account now? Every rule that fails, over frozen facts. Pure.

What is not known is never taken for granted: each fact that is missing fails under a code of its own, `unknown_...`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from portal.core.vocabulary import RiskClass, Stage, Status

from .facts import Check, Outcome

# SageMaker's ModelPackageStatus of a version that can be deployed. Source: DescribeModelPackage.
COMPLETED = "Completed"
RUNNABLE = frozenset({Status.APPROVED, Status.DEPLOYED})


@dataclass(frozen=True)
class GateUseCase:
    """A use case the version serves; `name` is how it may be called towards whoever asks."""

    name: str
    stage: Stage
    risk_class: RiskClass


@dataclass(frozen=True)
class GateVersion:
    """The version asked about, visible to whoever asks."""

    name: str
    is_present: bool
    aws_status: str
    stage: Stage
    use_cases: tuple[GateUseCase, ...]


@dataclass(frozen=True)
class GateAccount:
    """The account asked about, and the stages that run there."""

    name: str
    is_enabled: bool
    stages: frozenset[Stage]


@dataclass(frozen=True)
class GateRecord:
    """What the governance table says of the version at the stage in that account."""

    status: Status
    approved_digest: str
    is_outdated: bool


@dataclass(frozen=True)
class GateFacts:
    """Everything the gate looks at. None is "not known", whatever the reason.

    `elsewhere` says that the version has records at the stage, though none that counts in this account. `checks` are
    those of the policy that its approval there ran under, `lapsed` the keys of checks that were set aside by a
    break-glass which is over.
    """

    version: GateVersion | None
    stage: Stage | None
    account: GateAccount | None
    path: tuple[Stage, ...] | None
    record: GateRecord | None = None
    elsewhere: bool = False
    digest: str = ""
    checks: tuple[Check, ...] | None = ()
    lapsed: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Reason:
    """One rule that failed: `code` is stable and for programs, `rule` names the rule, `detail` is for people."""

    code: str
    rule: str
    detail: str


def failed(facts: GateFacts) -> tuple[Reason, ...]:
    """Return every rule that fails, in a fixed order; empty means allow."""
    return tuple(reason for rule in _RULES for reason in rule(facts))


def _version(facts: GateFacts) -> Iterator[Reason]:
    version = facts.version
    if version is None:
        yield Reason("unknown_version", "version", "The portal knows no such version, or none that you may see.")
        return
    if not version.is_present:
        yield Reason("version_missing", "version", f"SageMaker no longer has {version.name}.")
    if version.aws_status != COMPLETED:
        status = version.aws_status or "not known"
        yield Reason(
            "version_not_completed", "version", f"SageMaker has not completed {version.name}: its status is {status}."
        )
    if version.stage is Stage.RETIRED:
        yield Reason("version_retired", "version", f"{version.name} is retired.")


def _stage(facts: GateFacts) -> Iterator[Reason]:
    if facts.stage is None:
        yield Reason("unknown_stage", "stage", "There is no such stage.")
    elif facts.path is None:
        yield Reason("unknown_policy", "stage", "No policy is published, so no stage is on the path.")
    elif facts.stage not in facts.path:
        yield Reason(
            "stage_not_on_path", "stage", f"By the policy in force no model version runs at {facts.stage.label}."
        )


def _account(facts: GateFacts) -> Iterator[Reason]:
    account = facts.account
    if account is None:
        yield Reason("unknown_account", "account", "The portal knows no such account, or none for this stage.")
        return
    if not account.is_enabled:
        yield Reason("account_disabled", "account", f"The account {account.name} is switched off in the portal.")
    if facts.stage is not None and facts.stage not in account.stages:
        yield Reason(
            "account_not_for_stage", "account", f"{facts.stage.label} does not run in the account {account.name}."
        )


_STANDINGS: dict[Status, tuple[str, str]] = {
    Status.PENDING: ("approval_pending", "{} waits for its approval at {}."),
    Status.REJECTED: ("approval_rejected", "{} was rejected at {}."),
    Status.SUPERSEDED: (
        "superseded",
        "{} is superseded at {}: a later version was deployed there. It may run again only after a rollback.",
    ),
    Status.RETIRED: ("record_retired", "{} is retired at {}."),
}


def _approval(facts: GateFacts) -> Iterator[Reason]:
    if facts.version is None or facts.stage is None:
        return
    name, stage, record = facts.version.name, facts.stage.label, facts.record
    if record is None:
        if facts.elsewhere:
            yield Reason(
                "not_approved_in_account", "approval", f"{name} stands at {stage} in other accounts, not in this one."
            )
        else:
            yield Reason("never_at_stage", "approval", f"{name} has never reached {stage}.")
        return
    if record.status not in RUNNABLE:
        code, text = _STANDINGS[record.status]
        yield Reason(code, "approval", text.format(name, stage))


def _content(facts: GateFacts) -> Iterator[Reason]:
    """A decision is bound to the exact content it was given for (DOMAIN section 6)."""
    record = facts.record
    if record is None or record.status not in (*RUNNABLE, Status.SUPERSEDED):
        return
    if record.is_outdated:
        yield Reason("approval_outdated", "content", "Its approval is outdated: it changed after it was approved.")
    if not record.approved_digest or not facts.digest:
        yield Reason("unknown_digest", "content", "It is not known what exactly was approved.")
    elif record.approved_digest != facts.digest:
        yield Reason(
            "content_changed",
            "content",
            f"What was approved is not what there is now: {record.approved_digest} was, {facts.digest} is.",
        )


def _checks(facts: GateFacts) -> Iterator[Reason]:
    if facts.checks is None:
        yield Reason("unknown_requirements", "policy", "The policy does not say what is needed at this stage.")
        return
    for check in facts.checks:
        if check.holds:
            continue
        if check.key in facts.lapsed:
            yield Reason(
                "break_glass_expired", check.key, f"{check.detail} It was set aside for a while, which is over."
            )
        else:
            code = "check_missing" if check.outcome is Outcome.MISSING else "check_failed"
            yield Reason(code, check.key, check.detail)


def _use_cases(facts: GateFacts) -> Iterator[Reason]:
    if facts.version is None:
        return
    if not facts.version.use_cases:
        yield Reason("no_use_case", "use_case", f"{facts.version.name} is linked to no use case.")
    for use_case in facts.version.use_cases:
        if use_case.stage is Stage.RETIRED:
            yield Reason("use_case_retired", "use_case", f"{use_case.name}, which it serves, is retired.")
        if use_case.risk_class is RiskClass.UNACCEPTABLE:
            yield Reason(
                "use_case_unacceptable", "use_case", f"The risk of {use_case.name}, which it serves, is unacceptable."
            )


_RULES: tuple[Callable[[GateFacts], Iterator[Reason]], ...] = (
    _version, _stage, _account, _approval, _content, _checks, _use_cases,
)  # fmt: skip
