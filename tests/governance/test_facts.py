"""What a subject has to show, read from what it really has."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from governance.choices import MetricKind
from governance.models import StageRecord
from governance.policies.facts import Outcome, Requirements
from governance.selectors import policy as policies
from governance.services import evidence, metrics
from portal.core.vocabulary import EvidenceKind, RiskClass, RiskRating, Stage
from registry.choices import AccountPurpose, DocumentKind
from registry.models import ModelVersion
from registry.services import use_cases
from tests.factories import Cast, at_stage, documented, group, use_case, version
from tests.factories.records import REPORTS, card
from tests.factories.walk import account

from .conftest import Place
from .policies.making import metric, needs

HIGH_NEEDS = (
    EvidenceKind.MODEL_CARD,
    EvidenceKind.BIAS_REPORT,
    EvidenceKind.EXPLAINABILITY_REPORT,
    EvidenceKind.VALIDATION_METRICS,
)


@pytest.fixture
def made(place: Place) -> ModelVersion:
    return version(group(place.project, place.people), risk="High")


def kinds_of(subject: Any, stage: Stage) -> set[EvidenceKind]:
    return {fact.kind for fact in policies.facts_of(subject, stage).evidence}


def report(people: Cast, subject: ModelVersion, stage: Stage, values: dict[str, Any], kind: MetricKind) -> None:
    for record in StageRecord.objects.filter(version=subject, stage=stage):
        metrics.report(
            actor=people.engineer.actor, record_id=record.pk, kind=kind, metrics=values, source="ci", endpoint="e"
        )


def test_a_version_shows_its_card_reports_and_metrics(made: ModelVersion) -> None:
    facts = policies.facts_of(made, Stage.QA)
    assert {fact.kind for fact in facts.evidence} == set(HIGH_NEEDS)
    by_kind = {fact.kind: fact for fact in facts.evidence}
    assert by_kind[EvidenceKind.BIAS_REPORT].reference == "s3://hub/clarify/bias/analysis.json"
    assert by_kind[EvidenceKind.BIAS_REPORT].sha256 == "b" * 64
    assert len(by_kind[EvidenceKind.MODEL_CARD].sha256) == 64
    assert by_kind[EvidenceKind.VALIDATION_METRICS].reference.startswith("Reported in Development")


@pytest.mark.parametrize(
    "sources",
    [
        {},
        {"Bias": None},
        {"Bias": []},
        {"Bias": {"Report": None}},
        {"Bias": {"Report": {"S3Uri": ""}}},
        {"Bias": {"Report": {"S3Uri": "  "}}},
        {"Bias": {"Report": {"S3Uri": 1}}},
        {"Bias": {"Report": "s3://x"}},
        {"ModelQuality": REPORTS["Bias"]},
    ],
)
def test_no_report_is_made_up(place: Place, sources: dict[str, Any]) -> None:
    made = version(group(place.project, place.people), metrics=sources)
    assert EvidenceKind.BIAS_REPORT not in kinds_of(made, Stage.QA)


@pytest.mark.parametrize("name", ["Report", "PreTrainingReport", "PostTrainingReport"])
def test_every_report_of_bias_counts(place: Place, name: str) -> None:
    made = version(group(place.project, place.people), metrics={"Bias": {name: {"S3Uri": "s3://b/r.json"}}})
    (fact,) = [one for one in policies.facts_of(made, Stage.QA).evidence if one.kind is EvidenceKind.BIAS_REPORT]
    assert (fact.reference, fact.sha256) == ("s3://b/r.json", "")


@pytest.mark.parametrize("content", [None, "", "{not json", "[]", card(risk="Extreme"), '{"unknown_section": {}}'])
def test_a_card_that_is_missing_or_broken_is_no_evidence(place: Place, content: str | None) -> None:
    made = version(group(place.project, place.people), card_content=content)
    assert EvidenceKind.MODEL_CARD not in kinds_of(made, Stage.QA)


@pytest.mark.parametrize("metadata", [{}, {"algorithm": "xgboost"}, {"validation_auc": "good"}])
def test_without_a_number_no_validation_metrics_are_reported(place: Place, metadata: dict[str, str]) -> None:
    made = version(group(place.project, place.people), metadata=metadata)
    assert EvidenceKind.VALIDATION_METRICS not in kinds_of(made, Stage.QA)
    assert policies.facts_of(made, Stage.QA).metrics == ()


def test_metrics_of_the_stage_come_before_those_of_earlier_ones(place: Place, made: ModelVersion) -> None:
    people = place.people
    at_stage(people, made, Stage.QA)
    rule = needs(metric("validation_auc", value=0.7), metric("auc", value=0.7))
    before = policies.checks(made, Stage.QA, rule)
    assert [(one.outcome, "Development" in one.detail) for one in before] == [
        (Outcome.PASS, True),
        (Outcome.MISSING, True),
    ]
    report(people, made, Stage.QA, {"auc": 0.81}, MetricKind.VALIDATION)
    after = policies.checks(made, Stage.QA, rule)
    assert [one.outcome for one in after] == [Outcome.MISSING, Outcome.PASS]
    assert "QA (account-333)" in after[1].detail
    # What is reported later says nothing of an earlier stage, and stands in for a later one until that has its own.
    assert [one.outcome for one in policies.checks(made, Stage.DEVELOPMENT, rule)] == [Outcome.PASS, Outcome.MISSING]
    assert [one.outcome for one in policies.checks(made, Stage.PRODUCTION, rule)] == [Outcome.MISSING, Outcome.PASS]


def test_null_alone_is_not_a_report(place: Place, made: ModelVersion) -> None:
    at_stage(place.people, made, Stage.QA)
    report(place.people, made, Stage.QA, {"auc": None}, MetricKind.VALIDATION)
    (fact,) = [one for one in policies.facts_of(made, Stage.QA).metrics if one.kind is MetricKind.VALIDATION]
    assert fact.where == "Development"


def test_each_account_of_a_stage_owes_its_own_metrics(place: Place, made: ModelVersion) -> None:
    account("666666666666", AccountPurpose.QA)
    at_stage(place.people, made, Stage.QA)
    first, second = StageRecord.objects.filter(version=made, stage=Stage.QA).order_by("pk")
    rule = needs(metric("auc"))

    def outcome() -> Outcome:
        return policies.checks(made, Stage.QA, rule)[0].outcome

    for record, value, expected in (
        (first, 0.9, Outcome.MISSING),
        (second, 0.7, Outcome.FAIL),
        (second, 0.8, Outcome.PASS),
    ):
        metrics.report(
            actor=place.people.engineer.actor, record_id=record.pk, kind=MetricKind.VALIDATION, metrics={"auc": value}
        )
        assert outcome() is expected


def test_monitoring_is_told_from_validation(place: Place, made: ModelVersion) -> None:
    at_stage(place.people, made, Stage.QA)
    report(place.people, made, Stage.QA, {"drift": 0.1}, MetricKind.MONITORING)
    rule = needs(
        metric("drift", "<=", 0.2, kind=MetricKind.MONITORING), metric("drift", "<=", 0.2, kind=MetricKind.VALIDATION)
    )
    found = policies.checks(made, Stage.QA, rule)
    assert [one.outcome for one in found] == [Outcome.PASS, Outcome.MISSING]
    assert [" at e, at most" in one.detail for one in found] == [True, False]


def test_the_documents_of_a_use_case_are_its_evidence(place: Place) -> None:
    case = use_case(place.people, place.project)
    assert kinds_of(case, Stage.PRODUCTION) == set()
    use_cases.write_documents(
        actor=place.people.scientist.actor,
        use_case_id=case.pk,
        texts={DocumentKind.RISK_ASSESSMENT: "Low.", DocumentKind.OVERSIGHT: "   "},
    )
    (fact,) = policies.facts_of(case, Stage.PRODUCTION).evidence
    assert (fact.kind, len(fact.sha256)) == (EvidenceKind.RISK_ASSESSMENT, 64)
    assert "data_scientist" in fact.reference
    assert kinds_of(documented(place.people, case), Stage.POC) == {EvidenceKind(kind.value) for kind in DocumentKind}


def test_uploaded_evidence_counts_until_it_is_withdrawn(place: Place, made: ModelVersion) -> None:
    attached = evidence.attach_upload(
        actor=place.people.scientist.actor,
        subject_type=ModelVersion,
        subject_id=made.pk,
        kind=EvidenceKind.TEST_REPORT,
        file=SimpleUploadedFile("report.txt", b"It holds.", "text/plain"),
        title="Tests of March",
    )
    (fact,) = [one for one in policies.facts_of(made, Stage.QA).evidence if one.kind is EvidenceKind.TEST_REPORT]
    assert (fact.reference, fact.sha256) == (f"{attached.public_id} Tests of March", attached.sha256)
    evidence.withdraw(actor=place.people.scientist.actor, evidence_id=attached.pk, reason="Of another model.")
    assert EvidenceKind.TEST_REPORT not in kinds_of(made, Stage.QA)


def test_nothing_is_read_where_nothing_is_asked_for(made: ModelVersion, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert policies.checks(made, Stage.QA, needs()) == ()


def test_facts_cost_a_few_queries(made: ModelVersion, django_assert_max_num_queries: Any) -> None:
    with django_assert_max_num_queries(3):
        policies.facts_of(made, Stage.PRODUCTION)


# The shipped default


def asked_for(subject: Any, stage: Stage) -> Requirements:
    return policies.requirements_for(subject, policies.in_force(), stage)


@pytest.mark.parametrize("stage", [Stage.QA, Stage.PRE_PRODUCTION, Stage.PRODUCTION])
@pytest.mark.parametrize(
    ("risk", "officers", "evidence"),
    [
        ("High", 2, HIGH_NEEDS),
        ("Medium", 1, (EvidenceKind.MODEL_CARD, EvidenceKind.VALIDATION_METRICS)),
        ("Low", 1, (EvidenceKind.VALIDATION_METRICS,)),
    ],
)
def test_the_default_asks_for_more_where_the_risk_is_higher(
    place: Place, stage: Stage, risk: str, officers: int, evidence: tuple[EvidenceKind, ...]
) -> None:
    needed = asked_for(version(group(place.project, place.people), risk=risk), stage)
    assert [(need.role.value, need.count) for need in needed.approvals] == [("governance_officer", officers)]
    assert (needed.evidence, needed.metrics) == (evidence, ())
    early = asked_for(version(group(place.project, place.people), risk=risk), Stage.DEVELOPMENT)
    assert [(need.role.value, need.count) for need in early.approvals] == [("model_owner", 1)]
    assert early.evidence == ()


@pytest.mark.parametrize(
    ("risk", "stage", "documents"),
    [
        (RiskClass.HIGH, Stage.QA, 0),
        (RiskClass.HIGH, Stage.PRE_PRODUCTION, 5),
        (RiskClass.HIGH, Stage.PRODUCTION, 5),
        (RiskClass.LIMITED, Stage.PRE_PRODUCTION, 0),
        (RiskClass.LIMITED, Stage.PRODUCTION, 2),
        (RiskClass.MINIMAL, Stage.PRODUCTION, 0),
    ],
)
def test_the_default_asks_use_cases_for_their_documents(
    place: Place, risk: RiskClass, stage: Stage, documents: int
) -> None:
    assert len(asked_for(use_case(place.people, place.project, risk), stage).evidence) == documents


def test_number_one_stays_as_it_was(place: Place) -> None:
    first = policies.by_number(place.people.scientist.actor, 1)
    rules = policies.rules_of(first)
    assert all(
        (rule.evidence, rule.metrics, rule.days_until_due, rule.days_until_expiry) == ((), (), 5, 30) for rule in rules
    )
    assert {rule.tier for rule in rules} == {RiskRating.HIGH, RiskRating.MEDIUM, RiskRating.LOW}
    assert policies.in_force().number == 2
