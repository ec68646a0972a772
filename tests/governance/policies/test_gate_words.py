"""What the gate answers to a program and to a person: each code with its rule and its words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from governance.policies.facts import Check, Outcome
from governance.policies.gate import GateAccount, GateFacts, GateRecord, GateUseCase, GateVersion, Reason, failed
from portal.core.vocabulary import RiskClass, Stage, Status

CASE = GateUseCase("UC-0001", Stage.PRODUCTION, RiskClass.LIMITED)
VERSION = GateVersion("credit-risk/3", True, "Completed", Stage.PRODUCTION, (CASE,))
ACCOUNT = GateAccount("live", True, frozenset({Stage.PRODUCTION}))
RECORD = GateRecord(Status.DEPLOYED, "v1:aa", False)
GOOD = GateFacts(
    version=VERSION,
    stage=Stage.PRODUCTION,
    account=ACCOUNT,
    path=(Stage.DEVELOPMENT, Stage.PRODUCTION),
    record=RECORD,
    digest="v1:aa",
)
CHECK = Check("metric:auc>=0.75", "AUC", Outcome.FAIL, "AUC is 0.71, at least 0.75 is needed.", "0.71", ">=0.75")


def test_nothing_fails_where_everything_is_known_and_right() -> None:
    assert failed(GOOD) == ()


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        (
            {"version": None},
            ("unknown_version", "version", "The portal knows no such version, or none that you may see."),
        ),
        (
            {"version": replace(VERSION, is_present=False)},
            ("version_missing", "version", "SageMaker no longer has credit-risk/3."),
        ),
        (
            {"version": replace(VERSION, aws_status="Failed")},
            ("version_not_completed", "version", "SageMaker has not completed credit-risk/3: its status is Failed."),
        ),
        (
            {"version": replace(VERSION, aws_status="")},
            ("version_not_completed", "version", "SageMaker has not completed credit-risk/3: its status is not known."),
        ),
        (
            {"version": replace(VERSION, stage=Stage.RETIRED)},
            ("version_retired", "version", "credit-risk/3 is retired."),
        ),
        ({"stage": None}, ("unknown_stage", "stage", "There is no such stage.")),
        ({"path": None}, ("unknown_policy", "stage", "No policy is published, so no stage is on the path.")),
        (
            {"path": (Stage.QA,)},
            ("stage_not_on_path", "stage", "By the policy in force no model version runs at Production."),
        ),
        (
            {"account": None},
            ("unknown_account", "account", "The portal knows no such account, or none for this stage."),
        ),
        (
            {"account": replace(ACCOUNT, is_enabled=False)},
            ("account_disabled", "account", "The account live is switched off in the portal."),
        ),
        (
            {"account": replace(ACCOUNT, stages=frozenset({Stage.QA}))},
            ("account_not_for_stage", "account", "Production does not run in the account live."),
        ),
        ({"record": None}, ("never_at_stage", "approval", "credit-risk/3 has never reached Production.")),
        (
            {"record": None, "elsewhere": True},
            (
                "not_approved_in_account",
                "approval",
                "credit-risk/3 stands at Production in other accounts, not in this one.",
            ),
        ),
        (
            {"record": replace(RECORD, status=Status.PENDING)},
            ("approval_pending", "approval", "credit-risk/3 waits for its approval at Production."),
        ),
        (
            {"record": replace(RECORD, status=Status.REJECTED)},
            ("approval_rejected", "approval", "credit-risk/3 was rejected at Production."),
        ),
        (
            {"record": replace(RECORD, status=Status.SUPERSEDED)},
            (
                "superseded",
                "approval",
                (
                    "credit-risk/3 is superseded at Production: a later version was deployed there."
                    " It may run again only after a rollback."
                ),
            ),
        ),
        (
            {"record": replace(RECORD, status=Status.RETIRED)},
            ("record_retired", "approval", "credit-risk/3 is retired at Production."),
        ),
        (
            {"record": replace(RECORD, is_outdated=True)},
            ("approval_outdated", "content", "Its approval is outdated: it changed after it was approved."),
        ),
        ({"digest": ""}, ("unknown_digest", "content", "It is not known what exactly was approved.")),
        (
            {"record": replace(RECORD, approved_digest="")},
            ("unknown_digest", "content", "It is not known what exactly was approved."),
        ),
        (
            {"digest": "v1:bb"},
            ("content_changed", "content", "What was approved is not what there is now: v1:aa was, v1:bb is."),
        ),
        (
            {"checks": None},
            ("unknown_requirements", "policy", "The policy does not say what is needed at this stage."),
        ),
        ({"checks": (CHECK,)}, ("check_failed", CHECK.key, CHECK.detail)),
        (
            {"checks": (replace(CHECK, outcome=Outcome.MISSING),)},
            ("check_missing", CHECK.key, CHECK.detail),
        ),
        (
            {"checks": (CHECK,), "lapsed": frozenset({CHECK.key})},
            ("break_glass_expired", CHECK.key, f"{CHECK.detail} It was set aside for a while, which is over."),
        ),
        (
            {"version": replace(VERSION, use_cases=())},
            ("no_use_case", "use_case", "credit-risk/3 is linked to no use case."),
        ),
        (
            {"version": replace(VERSION, use_cases=(CASE, replace(CASE, name="UC-0002", stage=Stage.RETIRED)))},
            ("use_case_retired", "use_case", "UC-0002, which it serves, is retired."),
        ),
        (
            {"version": replace(VERSION, use_cases=(replace(CASE, risk_class=RiskClass.UNACCEPTABLE), CASE))},
            ("use_case_unacceptable", "use_case", "The risk of UC-0001, which it serves, is unacceptable."),
        ),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_each_refusal_has_its_code_its_rule_and_its_words(
    changed: dict[str, Any], reason: tuple[str, str, str]
) -> None:
    assert failed(replace(GOOD, **changed)) == (Reason(*reason),)


@pytest.mark.parametrize("outcome", [Outcome.PASS, Outcome.OVERRIDDEN])
def test_a_check_that_holds_is_no_reason(outcome: Outcome) -> None:
    assert failed(replace(GOOD, checks=(replace(CHECK, outcome=outcome),), lapsed=frozenset({CHECK.key}))) == ()
