"""Which number counts when a report and the MLflow run both say one, or neither does. Pure."""

from __future__ import annotations

from dataclasses import replace

import pytest

from governance.choices import MetricKind
from governance.policies.facts import MetricsFact, Outcome
from tests.governance.policies.making import DAY, NOW, check, metric, report


def run(values: dict[str, object], **changed: object) -> MetricsFact:
    return replace(report(values, where="the MLflow run loud-fox"), is_of_run=True, **changed)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("reports", "of_run", "outcome"),
    [
        ([], {"auc": 0.8}, Outcome.PASS),
        ([], {"auc": 0.7}, Outcome.FAIL),
        ([], {"auc": "NaN"}, Outcome.FAIL),
        ([], {"auc": "Infinity"}, Outcome.FAIL),
        ([], {}, Outcome.MISSING),
        # A report of the stage speaks first, for better or worse.
        ([{"auc": 0.7}], {"auc": 0.9}, Outcome.FAIL),
        ([{"auc": 0.9}], {"auc": 0.7}, Outcome.PASS),
        ([{"auc": "high"}], {"auc": 0.9}, Outcome.FAIL),
        # Of what it does not speak, or says nothing, the run does.
        ([{"loss": 1}], {"auc": 0.9}, Outcome.PASS),
        ([{"auc": None}], {"auc": 0.9}, Outcome.PASS),
        ([{}], {"auc": 0.9}, Outcome.PASS),
        # What one account owes, neither another account nor the run makes up for.
        ([{"auc": 0.9}, {}], {"auc": 0.9}, Outcome.MISSING),
        ([{}, {}], {"auc": 0.9}, Outcome.PASS),
    ],
)
def test_the_run_counts_where_no_report_speaks(
    reports: list[dict[str, object]], of_run: dict[str, object], outcome: Outcome
) -> None:
    assert check(metric(), *map(report, reports), run(of_run)).outcome is outcome


def test_the_check_names_the_run() -> None:
    assert (
        check(metric(), run({"auc": 0.8})).detail == "AUC is 0.8 in the MLflow run loud-fox, at least 0.75 is needed."
    )


def test_a_run_grows_old_and_says_nothing_of_what_is_monitored() -> None:
    fresh, stale = run({"auc": 0.8}), run({"auc": 0.8}, captured_at=NOW - 40 * DAY)
    undated = run({"auc": 0.8}, captured_at=None)
    rule = metric(max_age_days=30)
    assert [check(rule, one).outcome for one in (fresh, stale, undated)] == [Outcome.PASS, Outcome.FAIL, Outcome.FAIL]
    assert check(metric(kind=MetricKind.MONITORING), fresh).outcome is Outcome.MISSING
