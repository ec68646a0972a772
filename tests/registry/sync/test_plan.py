"""The sync plan: a pure comparison of a complete listing with what is known."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.aws.records import GroupRecord, VersionSummary
from registry.sync.plan import KnownGroup, KnownVersion, plan_found, plan_group, plan_groups
from tests.factories.records import START, version_record

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
    assert plan.absent == ()


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
    assert plan_group([SUMMARY], {KEY: KNOWN._replace(is_missing=True)}).describe == (SUMMARY.arn,)


def test_the_same_arn_made_anew_is_another_version() -> None:
    again = replace(SUMMARY, created_at=START + timedelta(days=1))
    plan = plan_group([again], {KEY: KNOWN})
    assert plan.describe == (SUMMARY.arn,)
    assert plan.absent == (KEY,)


def test_what_is_not_listed_is_absent_unless_that_is_known_already() -> None:
    assert plan_group([], {KEY: KNOWN}).absent == (KEY,)
    assert plan_group([], {KEY: KNOWN._replace(is_missing=True)}).absent == ()


GROUP = GroupRecord(
    arn="arn:aws:sagemaker:us-east-1:111111111111:model-package-group/credit-risk", name="credit-risk",
    account_id="111111111111", region="us-east-1", description="first", created_at=START, status="Completed",
)  # fmt: skip


@pytest.mark.parametrize(
    ("known", "is_taken_in"),
    [
        ({}, True),
        ({GROUP.arn: KnownGroup(1, "first", is_missing=False, created_at=START)}, False),
        ({GROUP.arn: KnownGroup(1, "second", is_missing=False, created_at=START)}, True),
        ({GROUP.arn: KnownGroup(1, "first", is_missing=True, created_at=START)}, True),
        ({GROUP.arn: KnownGroup(1, "first", is_missing=False, created_at=START - timedelta(days=1))}, True),
    ],
    ids=["new", "as known", "described anew", "came back", "made anew"],
)
def test_a_group_is_taken_in_when_it_differs(known: dict[str, KnownGroup], is_taken_in: bool) -> None:
    plan = plan_groups([GROUP], known)
    assert (plan.take_in, plan.unchanged) == (((GROUP,), ()) if is_taken_in else ((), (GROUP,)))
    assert plan.absent == ()


def test_groups_that_are_not_listed_are_absent() -> None:
    known = {"gone": KnownGroup(1, "", is_missing=False), "long gone": KnownGroup(2, "", is_missing=True)}
    assert plan_groups([GROUP], known).absent == ("gone",)


@pytest.mark.parametrize(
    ("modified", "known", "becomes"),
    [
        (0, None, "differing"),
        (0, "missing", "doubtful"),
        (0, 0, "unchanged"),
        (0, 5, "unchanged"),
        (5, 0, "differing"),
        (None, 0, "differing"),
    ],
    ids=["new", "marked missing", "as known", "older than an event brought", "modified since", "without a time"],
)
def test_what_a_search_found_is_taken_in_when_it_is_later_than_what_is_known(
    modified: int | None, known: int | str | None, becomes: str
) -> None:
    record = version_record(GROUP.arn, 1, created_at=START)
    record = replace(record, last_modified_at=None if modified is None else START + timedelta(seconds=modified))
    assert record.created_at is not None
    key = (record.arn, record.created_at)
    rows = {} if known is None else {key: START + timedelta(seconds=known) if isinstance(known, int) else None}
    found = plan_found([record], rows)
    assert found.differing == ((record,) if becomes == "differing" else ())
    assert found.doubtful == ((record.arn,) if becomes == "doubtful" else ())
    assert found.unchanged == (becomes == "unchanged")


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
    assert set(plan.absent) == {(arn(n), START) for n in known - listed}
