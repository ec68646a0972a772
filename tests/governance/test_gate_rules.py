"""The gate's rules, pure: each alone turns allow into deny, any two together are both named, and unknown is deny."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import combinations, product
from typing import Any

import pytest

from governance.policies.facts import Check, Outcome
from governance.policies.gate import GateAccount, GateFacts, GateRecord, GateUseCase, GateVersion, failed
from portal.core.vocabulary import RiskClass, Stage, Status

DIGEST = "v1:aa"


def check(outcome: Outcome, key: str = "metric:auc>=0.75") -> Check:
    return Check(key, "AUC", outcome, "AUC is 0.71, at least 0.75 is needed.", "0.71", ">=0.75")


def use_case(**values: Any) -> GateUseCase:
    return replace(GateUseCase("UC-0001", Stage.PRODUCTION, RiskClass.LIMITED), **values)


GOOD = GateFacts(
    version=GateVersion("credit-risk/3", True, "Completed", Stage.PRODUCTION, (use_case(),)),
    stage=Stage.PRODUCTION,
    account=GateAccount("production 444444444444", True, frozenset({Stage.PRODUCTION})),
    path=(Stage.DEVELOPMENT, Stage.QA, Stage.PRODUCTION),
    record=GateRecord(Status.APPROVED, DIGEST, False),
    elsewhere=True,
    digest=DIGEST,
    checks=(check(Outcome.PASS), check(Outcome.OVERRIDDEN, "evidence:bias_report")),
)

Change = Callable[[GateFacts], GateFacts]


def version(**values: Any) -> Change:
    return lambda facts: replace(facts, version=replace(facts.version, **values)) if facts.version else facts


def account(**values: Any) -> Change:
    return lambda facts: replace(facts, account=replace(facts.account, **values)) if facts.account else facts


def record(**values: Any) -> Change:
    return lambda facts: replace(facts, record=replace(facts.record, **values)) if facts.record else facts


def serving(**values: Any) -> Change:
    def change(facts: GateFacts) -> GateFacts:
        assert facts.version is not None
        more = use_case(name="UC-0002", **values)
        return replace(facts, version=replace(facts.version, use_cases=(*facts.version.use_cases, more)))

    return change


def failing(outcome: Outcome, key: str, lapsed: bool = False) -> Change:
    return lambda facts: replace(
        facts,
        checks=(*(facts.checks or ()), check(outcome, key)),
        lapsed=facts.lapsed | ({key} if lapsed else frozenset()),
    )


def facts(**values: Any) -> Change:
    return lambda given: replace(given, **values)


# What alone goes wrong, and the code it is answered with.
WRONG: dict[str, Change] = {
    "version_missing": version(is_present=False),
    "version_not_completed": version(aws_status="Failed"),
    "version_retired": version(stage=Stage.RETIRED),
    "no_use_case": version(use_cases=()),
    "use_case_retired": serving(stage=Stage.RETIRED),
    "use_case_unacceptable": serving(risk_class=RiskClass.UNACCEPTABLE),
    "unknown_policy": facts(path=None),
    "stage_not_on_path": facts(path=(Stage.DEVELOPMENT,)),
    "unknown_account": facts(account=None),
    "account_disabled": account(is_enabled=False),
    "account_not_for_stage": account(stages=frozenset({Stage.QA})),
    "never_at_stage": facts(record=None, elsewhere=False),
    "not_approved_in_account": facts(record=None, elsewhere=True),
    "approval_pending": record(status=Status.PENDING),
    "approval_rejected": record(status=Status.REJECTED),
    "superseded": record(status=Status.SUPERSEDED),
    "record_retired": record(status=Status.RETIRED),
    "approval_outdated": record(is_outdated=True),
    "unknown_digest": record(approved_digest=""),
    "content_changed": facts(digest="v1:bb"),
    "unknown_requirements": facts(checks=None),
    "check_failed": failing(Outcome.FAIL, "metric:f1>=0.5"),
    "check_missing": failing(Outcome.MISSING, "evidence:model_card"),
    "break_glass_expired": failing(Outcome.FAIL, "metric:psi<=0.2", lapsed=True),
}
# A version or stage nobody knows leaves nothing else about it to judge.
ROOTS: dict[str, Change] = {"unknown_version": facts(version=None, record=None), "unknown_stage": facts(stage=None)}
# These are about one and the same fact: it is either of them, never both.
STANDING = {
    "never_at_stage", "not_approved_in_account", "approval_pending", "approval_rejected", "superseded", "record_retired",
}  # fmt: skip
BOUND = {"approval_outdated", "unknown_digest", "content_changed"}
EXCLUSIVE = [
    STANDING,
    {"unknown_policy", "stage_not_on_path"},
    {"unknown_account", "account_disabled"},
    {"unknown_account", "account_not_for_stage"},
    {"unknown_digest", "content_changed"},
    {"unknown_requirements", "check_failed"},
    {"unknown_requirements", "check_missing"},
    {"unknown_requirements", "break_glass_expired"},
    {"no_use_case", "use_case_retired"},
    {"no_use_case", "use_case_unacceptable"},
    # What nobody approved there is bound to nothing.
    *({one, other} for one, other in product(STANDING - {"superseded"}, BOUND)),
]


def codes(given: GateFacts) -> list[str]:
    return [reason.code for reason in failed(given)]


@pytest.mark.parametrize("status", [Status.APPROVED, Status.DEPLOYED])
def test_what_is_approved_as_it_is_may_run(status: Status) -> None:
    assert codes(record(status=status)(GOOD)) == []


@pytest.mark.parametrize("code", WRONG)
def test_each_rule_alone_turns_allow_into_deny(code: str) -> None:
    (reason,) = failed(WRONG[code](GOOD))
    assert reason.code == code
    assert reason.rule
    assert reason.detail.endswith(".")


def test_a_code_that_is_unknown_says_so() -> None:
    unknown = {code for code in WRONG if code.startswith("unknown_")}
    assert unknown == {"unknown_policy", "unknown_account", "unknown_digest", "unknown_requirements"}
    for change in ROOTS.values():
        assert codes(change(GOOD))[0].startswith("unknown_")


PAIRS = [pair for pair in combinations(WRONG, 2) if not any(set(pair) <= group for group in EXCLUSIVE)]


@pytest.mark.parametrize(("one", "other"), PAIRS, ids="+".join)
def test_any_two_together_are_both_named(one: str, other: str) -> None:
    for first, second in ((one, other), (other, one)):
        assert set(codes(WRONG[second](WRONG[first](GOOD)))) == {one, other}


def test_nothing_that_is_said_to_exclude_each_other_ever_allows() -> None:
    for group in EXCLUSIVE:
        for one, other in combinations(sorted(group), 2):
            assert codes(WRONG[one](WRONG[other](GOOD))), (one, other)


@pytest.mark.parametrize("root", ROOTS)
@pytest.mark.parametrize("code", WRONG)
def test_what_is_unknown_is_denied_whatever_else_holds(root: str, code: str) -> None:
    assert root in codes(ROOTS[root](WRONG[code](GOOD)))


def test_everything_unknown_names_each_thing() -> None:
    nothing = GateFacts(version=None, stage=None, account=None, path=None)
    assert codes(nothing) == ["unknown_version", "unknown_stage", "unknown_account"]


def test_all_that_can_fail_together_is_named_at_once() -> None:
    given = GOOD
    together = [
        "version_missing", "version_not_completed", "version_retired", "stage_not_on_path", "account_disabled",
        "account_not_for_stage", "superseded", "approval_outdated", "content_changed", "check_failed", "check_missing",
        "break_glass_expired", "use_case_retired", "use_case_unacceptable",
    ]  # fmt: skip
    for code in together:
        given = WRONG[code](given)
    assert codes(given) == together


def test_a_check_that_is_set_aside_no_more_says_which() -> None:
    (reason,) = failed(failing(Outcome.MISSING, "evidence:bias_report", lapsed=True)(GOOD))
    assert (reason.code, reason.rule) == ("break_glass_expired", "evidence:bias_report")
    assert "over" in reason.detail
    assert codes(replace(GOOD, lapsed=frozenset({"metric:auc>=0.75"}))) == [], "a check that holds needs no override"


@pytest.mark.parametrize("status", ["InProgress", "Pending", "Failed", "Deleting", ""])
def test_only_a_completed_version_may_run(status: str) -> None:
    assert codes(version(aws_status=status)(GOOD)) == ["version_not_completed"]


@pytest.mark.parametrize(("status", "stage"), list(product(Status, Stage)))
def test_no_other_standing_allows(status: Status, stage: Stage) -> None:
    given = replace(record(status=status)(GOOD), stage=stage)
    allowed = status in (Status.APPROVED, Status.DEPLOYED) and stage is Stage.PRODUCTION
    assert (codes(given) == []) is allowed
