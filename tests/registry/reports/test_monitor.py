"""What Model Monitor leaves in S3: real violations and constraints, odd ones, and how two constraints files differ."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from registry.reports import monitor
from registry.reports.document import ReportProblem, Unreadable, read_json

DATA = Path(__file__).parent / "data"


def content(name: str) -> dict[str, Any]:
    return read_json((DATA / name).read_bytes())


def test_real_violations_keep_their_words() -> None:
    found = monitor.violations(content("constraint_violations.json"))
    assert [one.subject for one in found][:2] == ["store_and_fwd_flag", "fare_amount"]
    assert {one.check for one in found} == {"categorical_values_check", "data_type_check", "completeness_check"}
    assert found[0].description == "Value: 0.009009009009009009 does not meet the constraint requirement!"
    assert len(found) == 7


@pytest.mark.parametrize(
    ("one", "subject", "check"),
    [
        ({"metric_name": "recall", "constraint_check_type": "LessThanThreshold"}, "recall", "LessThanThreshold"),
        (
            {"facet": "age", "facet_value": "1", "metric_name": "DI", "constraint_check_type": "bias_drift_check"},
            "DI, age = 1",
            "bias_drift_check",
        ),
        ({"label": "0", "metric_name": "shap", "constraint_check_type": "x", "description": None}, "shap, 0", "x"),
        ({}, "", ""),
        (7, "", ""),
        (None, "", ""),
    ],
)
def test_each_type_of_monitor_names_what_it_is_about(one: Any, subject: str, check: str) -> None:
    (found,) = monitor.violations({"violations": [one]})
    assert (found.subject, found.check) == (subject, check)


@pytest.mark.parametrize("wrong", [{}, {"violations": None}, {"violations": {}}, {"violations": "none"}])
def test_what_lists_no_violations_is_no_report(wrong: dict[str, Any]) -> None:
    with pytest.raises(Unreadable) as caught:
        monitor.violations(wrong)
    assert caught.value.problem is ReportProblem.WRONG_TYPE


def test_constraints_are_compared_by_name_whatever_their_order() -> None:
    real = content("constraints.json")
    approved = monitor.limits(real)
    assert approved["features / message / completeness"] == 1.0
    assert approved["monitoring_config / distribution_constraints / comparison_threshold"] == 1.0
    assert (
        monitor.differences(approved, monitor.limits({**real, "features": real["features"][::-1], "version": 9})) == ()
    )
    first, second = real["features"]
    now = monitor.limits({**real, "features": [{**second, "completeness": 0.5}, {"name": "new", "completeness": 1.0}]})
    named = {one.name: (one.approved, one.now) for one in monitor.differences(approved, now)}
    assert named["features / second_message / completeness"] == (1.0, 0.5)
    assert named["features / new / completeness"] == (None, 1.0)
    assert named["features / message / inferred_type"] == (first["inferred_type"], None)


def test_constraints_that_are_none_or_too_many_are_said_to_be() -> None:
    for wrong, problem in (
        ({"version": 0.0}, ReportProblem.WRONG_TYPE),
        ({"features": [{"name": str(n), "completeness": 1.0} for n in range(6000)]}, ReportProblem.TOO_LARGE),
    ):
        with pytest.raises(Unreadable) as caught:
            monitor.limits(wrong)
        assert caught.value.problem is problem


def test_where_a_version_says_what_it_was_approved_with() -> None:
    baselines = {
        "ModelDataQuality": {"Constraints": {"S3Uri": "s3://b/inputs.json"}},
        "Bias": {"PostTrainingConstraints": {"S3Uri": "s3://b/after.json"}, "PreTrainingConstraints": 7},
    }
    assert monitor.approved_addresses("DataQuality", baselines) == ("s3://b/inputs.json",)
    assert monitor.approved_addresses("ModelBias", baselines) == ("s3://b/after.json",)
    assert monitor.approved_addresses("ModelQuality", baselines) == monitor.approved_addresses("None", {}) == ()
    arn = "arn:aws:sagemaker:us-east-1:111111111111:endpoint/Credit-Risk"
    assert monitor.endpoint_name(arn) == monitor.endpoint_name(" Credit-Risk ") == "credit-risk"
