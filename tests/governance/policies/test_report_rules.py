"""Metric rules over files of SageMaker's jobs: in every part of a facet, for every label, and never on what is absent."""

from __future__ import annotations

from typing import Any

import pytest

from governance.policies.facts import EvidenceFact, MetricsFact, Outcome, SubjectFacts
from governance.policies.metrics import asks_files
from governance.policies.rules import evaluate
from governance.selectors.reports import bare_facts, facts
from portal.core.vocabulary import EvidenceKind
from registry.models import VersionReport
from registry.reports.kinds import ReportKind

from .making import DAY, NOW, check, metric, needs, report


def a_report(kind: ReportKind, content: dict[str, Any] | None, **values: Any) -> VersionReport:
    return VersionReport(kind=kind, content=content, written_at=NOW, **values)


def part(value: Any, of: str = "", code: str = "DI") -> dict[str, Any]:
    return {"value_or_threshold": of, "metrics": [{"name": code, "value": value}]}


def bias(*parts: dict[str, Any], phase: str = "post_training", facet: str = "gender") -> dict[str, Any]:
    return {f"{phase}_bias_metrics": {"facets": {facet: list(parts)}}}


def told(*rows: VersionReport) -> list[MetricsFact]:
    return list(facts(rows))


DI = metric("bias.post_training.DI[gender]", "between", (0.8, 1.25))


@pytest.mark.parametrize(
    ("parts", "outcome", "words"),
    [
        ([part(0.9, "F")], Outcome.PASS, "0.9"),
        ([part(0.9, "F"), part(1.1, "M")], Outcome.PASS, "0.9"),
        ([part(0.9, "F"), part(0.5, "M")], Outcome.FAIL, "0.5"),
        ([part(0.9, "F"), part(None, "M")], Outcome.MISSING, "not reported"),
        ([part("NaN", "F")], Outcome.MISSING, "not reported"),
        ([], Outcome.MISSING, "not reported"),
    ],
)
def test_a_rule_must_hold_in_every_part_of_a_facet(parts: list[Any], outcome: Outcome, words: str) -> None:
    found = check(DI, *told(a_report(ReportKind.BIAS, bias(*parts))))
    assert (found.outcome, found.actual) == (outcome, words)


def test_the_part_that_fails_is_named() -> None:
    found = check(DI, *told(a_report(ReportKind.BIAS, bias(part(0.9, "F"), part(0.5, "M")))))
    assert "is 0.5 in the bias report (gender M) of 2026-03-02, between 0.8 and 1.25 is needed." in found.detail


def test_a_part_may_be_asked_for_by_its_value() -> None:
    rows = told(a_report(ReportKind.BIAS, bias(part(0.9, "F"), part(0.5, "M"))))
    assert check(metric("bias.post_training.DI[gender=F]", ">=", 0.8), *rows).outcome is Outcome.PASS
    assert check(metric("bias.post_training.DI", ">=", 0.4, segment="gender=M"), *rows).actual == "0.5"


def test_another_phase_or_facet_says_nothing() -> None:
    rows = told(a_report(ReportKind.BIAS, bias(part(0.9), phase="pre_training")))
    assert check(DI, *rows).outcome is Outcome.MISSING
    rows = told(a_report(ReportKind.BIAS, bias(part(0.9), facet="age")))
    assert check(DI, *rows).outcome is Outcome.MISSING


def test_a_report_of_one_phase_is_not_asked_for_the_other() -> None:
    content = {**bias(part(0.9)), **bias(part(0.1, code="CI"), phase="pre_training", facet="age")}
    rows = told(a_report(ReportKind.BIAS_PRE_TRAINING, content))
    assert check(metric("bias.pre_training.CI[age]", "<=", 0.2), *rows).outcome is Outcome.PASS
    assert check(DI, *rows).outcome is Outcome.MISSING


def test_every_label_is_explained_and_quality_is_named_by_its_metric() -> None:
    shap = {"explanations": {"kernel_shap": {
        "label0": {"global_shap_values": {"income": 0.4}}, "label1": {"global_shap_values": {"income": 0.2}},
    }}}  # fmt: skip
    quality = {"binary_classification_metrics": {"auc": {"value": 0.8}, "f1": {"value": None}}}
    rows = told(a_report(ReportKind.EXPLAINABILITY, shap), a_report(ReportKind.MODEL_QUALITY, quality))
    income = check(metric("explainability.kernel_shap[income]", "<=", 0.3), *rows)
    assert (income.outcome, income.actual) == (Outcome.FAIL, "0.4")
    assert check(metric("model_quality.auc"), *rows).outcome is Outcome.PASS
    assert check(metric("model_quality.f1"), *rows).outcome is Outcome.MISSING


@pytest.mark.parametrize(
    "values",
    [
        {"problem": "truncated"},
        {"replaced_at": NOW},
        {"sha256": "a" * 64, "expected_sha256": "b" * 64},
    ],
)
def test_what_cannot_be_relied_on_says_nothing(values: dict[str, Any]) -> None:
    assert told(a_report(ReportKind.BIAS, bias(part(0.9)), **values)) == []
    assert told(a_report(ReportKind.BASELINE_BIAS_POST_TRAINING, bias(part(0.9)))) == []
    assert told(a_report(ReportKind.BIAS, None)) == []


def test_what_people_report_and_what_the_file_says_must_both_hold() -> None:
    rows = told(a_report(ReportKind.BIAS, bias(part(0.5))))
    by_hand = report({"bias": {"post_training": {"DI": {"gender": 1.0}}}})
    assert check(DI, by_hand, *rows).outcome is Outcome.FAIL
    silent = report({"auc": 0.8})
    assert check(DI, silent, *rows).actual == "0.5"
    assert check(metric(), silent, *rows).outcome is Outcome.PASS


def test_a_file_is_as_old_as_s3_says() -> None:
    row = a_report(ReportKind.BIAS, bias(part(1.0)))
    row.written_at = NOW - 40 * DAY
    rule = metric("bias.post_training.DI[gender]", ">=", 0.8, max_age_days=30)
    assert check(rule, *told(row)).outcome is Outcome.FAIL


def test_files_are_read_for_rules_that_they_can_answer() -> None:
    assert asks_files(DI)
    assert asks_files(metric("model_quality.auc"))
    assert not asks_files(metric("auc"))
    assert not asks_files(metric("biased.x"))


def test_a_report_that_cannot_be_read_is_no_evidence_and_says_why() -> None:
    kind = EvidenceKind.BIAS_REPORT
    broken = EvidenceFact(kind, "s3://b/a.json", "", "It breaks off in line 3.")
    [check] = evaluate(needs(evidence=(kind,)), SubjectFacts(evidence=(broken,)), (), NOW)
    assert (check.outcome, check.actual) == (Outcome.FAIL, "not readable")
    assert check.detail == "Bias report: s3://b/a.json cannot be relied on: It breaks off in line 3."
    proof = EvidenceFact(kind, "EV-000001 Bias", "a" * 64)
    [check] = evaluate(needs(evidence=(kind,)), SubjectFacts(evidence=(broken, proof)), (), NOW)
    assert (check.outcome, check.actual) == (Outcome.PASS, "EV-000001 Bias")
    assert check.detail.endswith("s3://b/a.json cannot be relied on: It breaks off in line 3.")


def test_a_rule_whose_report_cannot_be_read_says_which_and_why() -> None:
    said = (("bias", "The report at s3://b/a.json cannot be relied on: It breaks off."), ("explainability", "No."))
    [check] = evaluate(needs(DI), SubjectFacts(unreadable=said), (), NOW)
    assert check.outcome is Outcome.MISSING
    assert check.detail.endswith("is needed. The report at s3://b/a.json cannot be relied on: It breaks off.")
    [check] = evaluate(needs(metric()), SubjectFacts(unreadable=said), (), NOW)
    assert "cannot be relied on" not in check.detail


def test_what_is_said_twice_must_hold_both_times() -> None:
    twice = {"value_or_threshold": "F", "metrics": [{"name": "DI", "value": 0.5}, {"name": "DI", "value": 0.9}]}
    for metrics in (twice["metrics"], twice["metrics"][::-1]):
        rows = told(a_report(ReportKind.BIAS, bias({**twice, "metrics": metrics})))
        assert check(DI, *rows).outcome is Outcome.FAIL


@pytest.mark.parametrize("written", ["DCA", "DCAcc"])
@pytest.mark.parametrize("asked", ["DCA", "DCAcc"])
def test_a_metric_is_found_by_each_of_its_names(written: str, asked: str) -> None:
    rows = told(a_report(ReportKind.BIAS, bias(part(0.02, "F", code=written))))
    assert check(metric(f"bias.post_training.{asked}[gender]", "<=", 0.1), *rows).outcome is Outcome.PASS


def test_model_quality_stands_in_for_metrics_that_nobody_reported() -> None:
    quality = {"regression_metrics": {"rmse": {"value": 0.5}, "r2": {"value": "NaN"}}}
    bare = list(bare_facts([a_report(ReportKind.MODEL_QUALITY, quality)]))
    found = check(metric("rmse", "<=", 0.6), report({}), *bare)
    assert (found.outcome, found.actual) == (Outcome.PASS, "0.5")
    assert "in the model quality statistics" in found.detail
    assert check(metric("rmse", "<=", 0.6), report({"rmse": 0.7}), *bare).actual == "0.7"
    assert check(metric("r2"), *bare).outcome is Outcome.MISSING
    assert not list(bare_facts([a_report(ReportKind.MODEL_QUALITY, quality, problem="denied")]))
