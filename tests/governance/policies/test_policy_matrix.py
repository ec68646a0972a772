"""Policy x facts: every comparison with every kind of report, each beside what a reader of the rule would say."""

from __future__ import annotations

import itertools
import math
from datetime import datetime
from typing import Any

import pytest

from governance.choices import MetricKind
from governance.policies.facts import Outcome, OverrideFact, SubjectFacts
from governance.policies.rules import evaluate
from portal.core.vocabulary import EvidenceKind

from .making import DAY, NOW, check, has, metric, needs, report

LOW, LIMIT, HIGH, ABOVE = 0.5, 0.75, 0.9, 2.0
# Operator, threshold, and which of the numbers above meet it.
COMPARISONS: tuple[tuple[str, Any, frozenset[float]], ...] = (
    (">=", LIMIT, frozenset({LIMIT, HIGH, ABOVE})),
    (">", LIMIT, frozenset({HIGH, ABOVE})),
    ("<=", LIMIT, frozenset({LOW, LIMIT})),
    ("<", LIMIT, frozenset({LOW})),
    ("==", LIMIT, frozenset({LIMIT})),
    ("between", (LIMIT, HIGH), frozenset({LIMIT, HIGH})),
)
NUMBERS = (LOW, LIMIT, HIGH, ABOVE)
# What is no number: not reported where it is absent, a failure where something else stands in its place.
NOT_NUMBERS: tuple[tuple[Any, Outcome], ...] = (
    (None, Outcome.MISSING),
    ("0.8", Outcome.FAIL),
    ("", Outcome.FAIL),
    (True, Outcome.FAIL),
    (False, Outcome.FAIL),
    (math.nan, Outcome.FAIL),
    (math.inf, Outcome.FAIL),
    (-math.inf, Outcome.FAIL),
    ([], Outcome.FAIL),
    ([0.8], Outcome.FAIL),
    ({}, Outcome.FAIL),
    ({"value": None}, Outcome.MISSING),
    ({"value": "0.8"}, Outcome.FAIL),
    ({"mean": 0.8}, Outcome.FAIL),
)
AGES = (None, 1, 30)
CAPTURED: tuple[tuple[datetime | None, int], ...] = ((NOW, 0), (NOW - 29 * DAY, 29), (NOW - 31 * DAY, 31), (None, -1))


@pytest.mark.parametrize(("operator", "threshold", "met"), COMPARISONS, ids=lambda value: str(value)[:20])
@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("shape", ["plain", "valued", "dotted", "nested"])
def test_a_number_against_a_threshold(
    operator: str, threshold: Any, met: frozenset[float], number: float, shape: str
) -> None:
    values = {
        "plain": {"auc": number},
        "valued": {"auc": {"value": number, "standard_deviation": "NaN"}},
        "dotted": {"binary.auc": number},
        "nested": {"binary": {"auc": number}},
    }[shape]
    path = "auc" if shape in ("plain", "valued") else "binary.auc"
    found = check(metric(path, operator, threshold), report(values))
    assert found.outcome is (Outcome.PASS if number in met else Outcome.FAIL)
    assert found.holds is (number in met)
    assert found.actual == f"{number:g}"


@pytest.mark.parametrize(("operator", "threshold", "met"), COMPARISONS, ids=lambda value: str(value)[:20])
@pytest.mark.parametrize(("value", "outcome"), NOT_NUMBERS, ids=lambda value: repr(value)[:30])
def test_what_is_no_number_never_passes(
    operator: str, threshold: Any, met: frozenset[float], value: Any, outcome: Outcome
) -> None:
    found = check(metric("auc", operator, threshold), report({"auc": value, "f1": LIMIT}))
    assert found.outcome is outcome
    assert not found.holds


@pytest.mark.parametrize(("operator", "threshold", "met"), COMPARISONS, ids=lambda value: str(value)[:20])
def test_what_is_not_there_is_not_zero(operator: str, threshold: Any, met: frozenset[float]) -> None:
    rule = metric("auc", operator, threshold)
    for found in (check(rule), check(rule, report({})), check(rule, report({"f1": LIMIT}))):
        assert (found.outcome, found.actual) == (Outcome.MISSING, "not reported")
    zero = metric("auc", operator, (0, 0) if operator == "between" else 0)
    assert check(zero, report({})).outcome is Outcome.MISSING
    assert check(zero, report({"auc": 0})).outcome is (Outcome.FAIL if operator in (">", "<") else Outcome.PASS)


@pytest.mark.parametrize("max_age", AGES)
@pytest.mark.parametrize(("captured_at", "age"), CAPTURED, ids=str)
@pytest.mark.parametrize("number", [LOW, HIGH])
def test_an_old_metric_counts_no_more(
    max_age: int | None, captured_at: datetime | None, age: int, number: float
) -> None:
    found = check(metric(max_age_days=max_age), report({"auc": number}, captured_at=captured_at))
    fresh = max_age is None or 0 <= age <= max_age
    assert found.outcome is (Outcome.PASS if number == HIGH and fresh else Outcome.FAIL)


@pytest.mark.parametrize("kind", MetricKind)
@pytest.mark.parametrize("reported", MetricKind)
def test_only_reports_of_its_kind_count(kind: MetricKind, reported: MetricKind) -> None:
    found = check(metric(kind=kind), report({"auc": HIGH}, kind=reported))
    assert found.outcome is (Outcome.PASS if kind is reported else Outcome.MISSING)


STATES: dict[str, tuple[dict[str, Any], Outcome]] = {
    "pass": ({"auc": HIGH}, Outcome.PASS),
    "fail": ({"auc": LOW}, Outcome.FAIL),
    "missing": ({}, Outcome.MISSING),
}
GRAVITY = (Outcome.PASS, Outcome.MISSING, Outcome.FAIL)


@pytest.mark.parametrize("states", list(itertools.product(STATES, repeat=3)), ids="-".join)
def test_of_several_reports_the_worst_counts(states: tuple[str, ...]) -> None:
    reports = [report(STATES[name][0], where=f"account {number}") for number, name in enumerate(states)]
    found = check(metric(), *reports)
    worst = max((STATES[name][1] for name in states), key=GRAVITY.index)
    assert found.outcome is worst
    first = next(number for number, name in enumerate(states) if STATES[name][1] is worst)
    assert f"in account {first}" in found.detail


EVIDENCE = (EvidenceKind.MODEL_CARD, EvidenceKind.BIAS_REPORT, EvidenceKind.VALIDATION_METRICS)
SUBSETS = [kinds for size in range(4) for kinds in itertools.combinations(EVIDENCE, size)]


@pytest.mark.parametrize("asked", SUBSETS, ids=lambda kinds: "+".join(kinds) or "none")
@pytest.mark.parametrize("there", SUBSETS, ids=lambda kinds: "+".join(kinds) or "none")
def test_evidence_asked_for_and_there(asked: tuple[EvidenceKind, ...], there: tuple[EvidenceKind, ...]) -> None:
    found = evaluate(needs(evidence=asked), has(*there), (), NOW)
    assert [(one.key, one.outcome) for one in found] == [
        (f"evidence:{kind}", Outcome.PASS if kind in there else Outcome.MISSING) for kind in asked
    ]


KEYS = ("metric:auc>=0.75", "metric:auc>=0.8", "evidence:bias_report")
EXPIRIES = (NOW - DAY, NOW, NOW + DAY)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("expires_at", EXPIRIES, ids=["past", "now", "future"])
def test_an_override_sets_its_own_check_aside_until_it_expires(state: str, key: str, expires_at: datetime) -> None:
    values, outcome = STATES[state]
    override = OverrideFact(key, "BG-000001", expires_at)
    found = check(metric(), report(values), overrides=(override,))
    applies = key == "metric:auc>=0.75" and expires_at > NOW and outcome is not Outcome.PASS
    assert found.outcome is (Outcome.OVERRIDDEN if applies else outcome)
    assert ("BG-000001" in found.detail) is applies
    assert found.holds is (applies or outcome is Outcome.PASS)


@pytest.mark.parametrize("state", STATES)
def test_missing_evidence_is_overridden_by_its_key(state: str) -> None:
    override = OverrideFact("evidence:bias_report", "BG-000002", NOW + DAY)
    found = evaluate(needs(evidence=EVIDENCE), SubjectFacts(), (override,), NOW)
    assert [one.outcome for one in found] == [Outcome.MISSING, Outcome.OVERRIDDEN, Outcome.MISSING]


def test_nothing_asked_for_is_nothing_checked() -> None:
    assert evaluate(needs(), has(*EvidenceKind), (), NOW) == ()
