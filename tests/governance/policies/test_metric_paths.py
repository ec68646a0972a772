"""Metrics are found in whatever shape they were reported, and told apart when they contradict each other."""

from __future__ import annotations

from typing import Any

import pytest

from governance.choices import MetricKind
from governance.policies.facts import Outcome
from governance.policies.metrics import has_number, is_number, key_of, metric_words, needed_words, number_words

from .making import DAY, NOW, check, metric, report

DI = "bias.post_training.DI[gender]"
CLARIFY = {
    "post_training_bias_metrics": {
        "label": "default",
        "facets": {
            "gender": [
                {"value_or_threshold": "0", "metrics": [{"name": "DI", "value": 0.9}, {"name": "DPL", "value": None}]},
                {"value_or_threshold": "1", "metrics": [{"name": "DI", "value": 1.1}]},
            ]
        },
    }
}
FACET = "post_training_bias_metrics.facets.gender"


@pytest.mark.parametrize(
    ("path", "values", "actual"),
    [
        (DI, {"bias": {"post_training": {"DI": {"gender": 0.9}}}}, "0.9"),
        (DI, {"bias": {"post_training": {"DI": {"[gender]": 0.9}}}}, "0.9"),
        (DI, {"bias": {"post_training": {"DI[gender]": 0.9}}}, "0.9"),
        (DI, {"bias.post_training": {"DI[gender]": 0.9}}, "0.9"),
        (DI, {"bias": {"post_training.DI": {"gender": {"value": 0.9}}}}, "0.9"),
        (DI, {"bias.post_training.DI[gender]": 0.9}, "0.9"),
        (DI, {"bias.post_training.DI.gender": 0.9}, "0.9"),
        (DI, {"bias": {"post_training": {"DI": [{"name": "gender", "value": 0.9}]}}}, "0.9"),
        (DI, {"bias": {"post_training": {"DI": [{"segment": "gender", "value": 0.9}]}}}, "0.9"),
        (DI, {"bias": {"post_training": {"DI": [{"facet": "gender", "value": 0.9}]}}}, "0.9"),
        (DI, {"bias": {"post_training": {"DI": [{"group": "gender", "value": 0.9}]}}}, "0.9"),
        (DI, {"bias": [{"name": "post_training", "DI": {"gender": 0.9}}]}, "0.9"),
        (DI, {"bias": {"post_training": {"DI": [{"name": "age", "value": 0.1}]}}}, "not reported"),
        (DI, {"bias": {"post_training": {"DI": {"age": 0.9}}}}, "not reported"),
        (DI, {"bias": {"post_training": 0.9}}, "not reported"),
        (DI, {"gender": 0.9}, "not reported"),
        (DI, {"DI": {"gender": 0.9}}, "not reported"),
        (f"{FACET}[0].metrics.DI", CLARIFY, "0.9"),
        (f"{FACET}[1].metrics.DI", CLARIFY, "1.1"),
        (f"{FACET}[2].metrics.DI", CLARIFY, "not reported"),
        (f"{FACET}[0].metrics.DPL", CLARIFY, "not reported"),
        ("scores[0]", {"scores": [0.9, 0.8]}, "0.9"),
        ("scores[1]", {"scores": [0.9, 0.8]}, "0.8"),
        ("scores[2]", {"scores": [0.9, 0.8]}, "not reported"),
        ("scores[0]", {"scores": [{"name": "first", "value": 0.9}]}, "not reported"),
        ("scores[0]", {"scores": [{"value": 0.9}]}, "0.9"),
        ("auc", {"AUC": 0.9}, "not reported"),
        ("auc", {"auc": {"value": {"value": 0.9}}}, "a group of metrics"),
        ("auc.value", {"auc": {"value": 0.9}}, "0.9"),
        ("a", {"": 0.9, ".": 0.9}, "not reported"),
        ("1", {1: 0.9}, "0.9"),
    ],
)
def test_where_a_metric_may_stand(path: str, values: Any, actual: str) -> None:
    assert check(metric(path, value=(0.0, 2.0)), report(values)).actual == actual


@pytest.mark.parametrize(
    ("values", "outcome"),
    [
        ({"auc": {"gender=female": 0.8}}, Outcome.PASS),
        ({"auc[gender=female]": 0.8}, Outcome.PASS),
        ({"auc": [{"segment": "gender=female", "value": 0.8}]}, Outcome.PASS),
        ({"segments": {"gender=female": {"auc": 0.8}}}, Outcome.PASS),
        ({"segments": {"gender=female": {"auc": 0.7}}}, Outcome.FAIL),
        ({"auc": {"gender=female": 0.8}, "segments": {"gender=female": {"auc": 0.7}}}, Outcome.FAIL),
        ({"auc": 0.8}, Outcome.MISSING),
        ({"auc": {"gender=male": 0.8}}, Outcome.MISSING),
        ({"segments": {"gender=male": {"auc": 0.8}}}, Outcome.MISSING),
    ],
)
def test_a_segment_is_never_made_up_from_the_whole(values: Any, outcome: Outcome) -> None:
    assert check(metric(segment="gender=female"), report(values)).outcome is outcome


def test_without_a_segment_the_segments_are_not_looked_at() -> None:
    assert check(metric("gender.auc"), report({"segments": {"gender": {"auc": 0.8}}})).outcome is Outcome.MISSING


@pytest.mark.parametrize(
    ("values", "outcome", "detail"),
    [
        ({"a.b": 0.8, "a": {"b": 0.8}}, Outcome.PASS, "a.b is 0.8, at least 0.75 is needed."),
        ({"a.b": 1, "a": {"b": 1.0}}, Outcome.PASS, "a.b is 1, at least 0.75 is needed."),
        ({"a.b": 0.8, "a": {"b": 0.9}}, Outcome.FAIL, "a.b is 0.8 and 0.9, so it is reported with different values."),
        ({"a.b": 0.8, "a": {"b": None}}, Outcome.FAIL, "a.b is null, which is not a number."),
        ({"a.b": 1, "a": {"b": True}}, Outcome.FAIL, "a.b is true, which is not a number."),
        ({"a.b": None, "a": {"b": None}}, Outcome.MISSING, "a.b is not reported, at least 0.75 is needed."),
    ],
)
def test_what_is_reported_twice_must_agree(values: Any, outcome: Outcome, detail: str) -> None:
    found = check(metric("a.b"), report(values))
    assert (found.outcome, found.detail) == (outcome, detail)


@pytest.mark.parametrize(
    ("rule", "values", "detail"),
    [
        (metric(), {"auc": 0.71}, "AUC is 0.71 in QA, at least 0.75 is needed."),
        (metric(), {"auc": 3.0}, "AUC is 3 in QA, at least 0.75 is needed."),
        (metric(), {}, "AUC is not reported in QA, at least 0.75 is needed."),
        (metric(operator=">"), {"auc": 0.75}, "AUC is 0.75 in QA, more than 0.75 is needed."),
        (metric("rmse", "<=", 4), {"rmse": 5}, "RMSE is 5 in QA, at most 4 is allowed."),
        (metric("rmse", "<", 4), {"rmse": 5}, "RMSE is 5 in QA, less than 4 is needed."),
        (metric("leaks", "==", 0), {"leaks": 2}, "Leaks is 2 in QA, exactly 0 is needed."),
        (metric("DI", value=(0.8, 1.25)), {"DI": 0.5}, "DI is 0.5 in QA, between 0.8 and 1.25 is needed."),
        (metric(), {"auc": "high"}, "AUC is 'high' in QA, which is not a number."),
        (metric(), {"auc": "x" * 50}, f"AUC is '{'x' * 40}' in QA, which is not a number."),
        (metric(), {"auc": False}, "AUC is false in QA, which is not a number."),
        (metric(), {"auc": float("nan")}, "AUC is nan in QA, which is not a number."),
        (metric(), {"auc": {"f": 1}}, "AUC is a group of metrics in QA, which is not a number."),
        (metric(), {"auc": [1]}, "AUC is a group of metrics in QA, which is not a number."),
        (metric(), {"auc": 10**5000}, "AUC is more than 1e18 in QA, at least 0.75 is needed."),
        (metric(), {"auc": -(10**5000)}, "AUC is less than -1e18 in QA, at least 0.75 is needed."),
    ],
)
def test_the_number_and_the_threshold_are_said(rule: Any, values: Any, detail: str) -> None:
    assert check(rule, report(values, where="QA")).detail == detail


def test_without_any_report_nothing_is_said_of_a_place() -> None:
    found = check(metric())
    assert found.detail == "AUC is not reported, at least 0.75 is needed."
    assert (found.label, found.threshold) == ("AUC", ">=0.75")


@pytest.mark.parametrize(
    ("age", "most", "detail"),
    [
        (30 * DAY, 30, None),
        (30 * DAY + DAY / 24, 30, "AUC is 0.8, but 31 days old, which is more than 30 days."),
        (2 * DAY, 1, "AUC is 0.8, but 2 days old, which is more than 1 day."),
        (None, 30, "AUC is 0.8, but nobody said when it was captured (at most 30 days ago)."),
        (-DAY, 30, None),
    ],
)
def test_how_old_a_metric_may_be(age: Any, most: int, detail: str | None) -> None:
    found = check(metric(max_age_days=most), report({"auc": 0.8}, captured_at=None if age is None else NOW - age))
    assert found.outcome is (Outcome.PASS if detail is None else Outcome.FAIL)
    assert detail is None or found.detail == detail


@pytest.mark.parametrize(
    ("rule", "key"),
    [
        (metric(), "metric:auc>=0.75"),
        (metric(value=3.0), "metric:auc>=3"),
        (metric(operator="=="), "metric:auc==0.75"),
        (metric(segment="gender=female"), "metric:auc[gender=female]>=0.75"),
        (metric(value=(0.8, 1.25)), "metric:auc between 0.8 and 1.25"),
        (metric(max_age_days=30), "metric:auc>=0.75"),
    ],
)
def test_the_key_of_a_check_is_stable(rule: Any, key: str) -> None:
    assert key_of(rule) == key
    assert check(rule).key == key


def test_monitored_metrics_have_keys_of_their_own() -> None:
    rule = metric(kind=MetricKind.MONITORING)
    assert key_of(rule) == "metric:monitoring:auc>=0.75"
    assert check(rule).label == "AUC (monitoring)"


@pytest.mark.parametrize(
    ("path", "segment", "words"),
    [
        ("auc", "", "AUC"),
        ("validation_auc", "", "Validation AUC"),
        ("f1_macro", "", "F1 macro"),
        ("accuracy", "", "Accuracy"),
        ("binary.auc", "", "binary.auc"),
        ("DI[gender]", "", "DI[gender]"),
        ("auc", "age<25", "AUC for age<25"),
    ],
)
def test_metrics_are_named_for_people(path: str, segment: str, words: str) -> None:
    assert metric_words(metric(path, segment=segment)) == words


def test_thresholds_are_said_for_people() -> None:
    assert needed_words(metric(value=(1, 2))) == "between 1 and 2 is needed"
    assert needed_words(metric(operator="<=", value=0.1)) == "at most 0.1 is allowed"


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0.75, "0.75"),
        (0.7499999999, "0.7499999999"),
        (3, "3"),
        (3.0, "3"),
        (-2.0, "-2"),
        (1e22, "1e+22"),
        (10**18 - 1, "999999999999999999"),
        (10**18, "more than 1e18"),
        (-(10**18), "less than -1e18"),
        (-(10**18) + 1, "-999999999999999999"),
    ],
)
def test_numbers_are_short_and_told_apart(number: Any, words: str) -> None:
    assert number_words(number) == words


@pytest.mark.parametrize(
    ("value", "answer"),
    [(0, True), (0.0, True), (10**400, True), (-1.5, True), (True, False), ("1", False), (None, False), ([], False),
     (float("inf"), False), (float("nan"), False)],
)  # fmt: skip
def test_what_a_number_is(value: Any, answer: bool) -> None:
    assert is_number(value) is answer


@pytest.mark.parametrize(
    ("values", "answer"),
    [({}, False), (None, False), ({"auc": None}, False), ({"auc": "0.8"}, False), ({"auc": 0}, True),
     ({"a": {"b": [{"c": 1.5}]}}, True), ({"a": {"b": [{"c": None}]}}, False), ([1], True), ({"a": True}, False)],
)  # fmt: skip
def test_a_report_without_any_number_reports_nothing(values: Any, answer: bool) -> None:
    assert has_number(values) is answer
