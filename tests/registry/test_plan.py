"""The sync plan: a pure comparison of a complete listing with what is known."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.aws.records import VersionSummary
from registry.sync.plan import KnownVersion, plan_group
from tests.factories.records import START

SUMMARY = VersionSummary(
    arn="arn:aws:sagemaker:us-east-1:111111111111:model-package/credit-risk/1",
    group_name="credit-risk",
    version=1,
    description="first",
    created_at=START,
    status="Completed",
    approval_status="PendingManualApproval",
    life_cycle_stage="",
    life_cycle_status="",
)
KNOWN = KnownVersion("PendingManualApproval", "Completed", "", "", "first", is_missing=False)
KEY = (SUMMARY.arn, START)


def test_what_is_as_known_is_not_described_again() -> None:
    plan = plan_group([SUMMARY], {KEY: KNOWN})
    assert plan.describe == ()
    assert plan.unchanged == 1
    assert plan.present == {KEY}


def test_what_is_new_is_described() -> None:
    assert plan_group([SUMMARY], {}).describe == (SUMMARY.arn,)


@pytest.mark.parametrize(
    "difference",
    [
        {"approval_status": "Approved"},
        {"status": "Failed"},
        {"life_cycle_stage": "QA"},
        {"life_cycle_status": "Approved"},
        {"description": "second"},
    ],
    ids=lambda difference: next(iter(difference)),
)
def test_what_differs_in_a_summary_is_described(difference: dict[str, str]) -> None:
    plan = plan_group([replace(SUMMARY, **difference)], {KEY: KNOWN})
    assert plan.describe == (SUMMARY.arn,)
    assert plan.unchanged == 0


def test_what_came_back_is_described() -> None:
    assert plan_group([SUMMARY], {KEY: replace(KNOWN, is_missing=True)}).describe == (SUMMARY.arn,)


def test_the_same_arn_made_anew_is_another_version() -> None:
    again = replace(SUMMARY, created_at=START + timedelta(days=1))
    plan = plan_group([again], {KEY: KNOWN})
    assert plan.describe == (SUMMARY.arn,)
    assert KEY not in plan.present


def test_what_is_not_listed_is_not_present() -> None:
    assert plan_group([], {KEY: KNOWN}).present == frozenset()


@given(st.sets(st.integers(1, 40)), st.sets(st.integers(1, 40)), st.sets(st.integers(1, 40)))
def test_every_listed_version_is_either_described_or_unchanged(
    listed: set[int], known: set[int], changed: set[int]
) -> None:
    def arn(number: int) -> str:
        return SUMMARY.arn[:-1] + str(number)

    summaries = [
        replace(SUMMARY, arn=arn(n), version=n, approval_status="Approved" if n in changed else "PendingManualApproval")
        for n in sorted(listed)
    ]
    plan = plan_group(summaries, {(arn(n), START): KNOWN for n in known})
    assert set(plan.describe) == {arn(n) for n in listed if n not in known or n in changed}
    assert len(plan.describe) + plan.unchanged == len(listed)
    assert plan.present == {(arn(n), START) for n in listed}
