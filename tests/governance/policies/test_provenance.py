"""Rules about where a version comes from: known passes, not known fails, not read yet is missing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from governance.policies.differences import of_requirements
from governance.policies.facts import Check, Outcome, OverrideFact, ProvenanceFact, Requirements, SubjectFacts
from governance.policies.rules import evaluate, requirements
from governance.policies.validation import ASKABLE, problems_of, problems_of_rule
from governance.selectors.provenance import Isolation, Job, Known, Licence, measured_in_training, provenance_of
from portal.core.vocabulary import Provenance, RiskRating, Stage

from .making import DAY, NOW, USE_CASE, VERSION, cell, check, matrix, metric, needs, report

ASKED = (Provenance.TRAINING_JOB, Provenance.DATA_SET)
JOB = "arn:aws:sagemaker:us-east-1:111111111111:training-job/credit-risk-7"


def checked(*facts: ProvenanceFact, unread: str = "", overrides: tuple[OverrideFact, ...] = ()) -> list[Check]:
    wanted = replace(needs(), provenance=ASKED)
    return list(evaluate(wanted, SubjectFacts(provenance=facts, unread=unread), overrides, NOW))


def test_what_is_known_passes_and_says_by_whom() -> None:
    job, data = checked(
        ProvenanceFact(Provenance.TRAINING_JOB, JOB, "SageMaker's lineage"),
        ProvenanceFact(Provenance.TRAINING_JOB, JOB, "the version in SageMaker"),
    )
    assert (job.key, job.label, job.outcome) == ("provenance:training_job", "Training job known", Outcome.PASS)
    assert job.detail == f"{JOB}, by SageMaker's lineage and the version in SageMaker."
    assert (data.outcome, data.actual, data.threshold) == (Outcome.FAIL, "not known", "known")
    assert data.detail == "Data set known: not known. SageMaker's lineage and the version itself name none."


def test_what_nobody_read_is_missing_and_says_why() -> None:
    job, data = checked(
        ProvenanceFact(Provenance.TRAINING_JOB, JOB, "the version in SageMaker"), unread="Its lineage is not read yet."
    )
    assert job.outcome is Outcome.PASS
    assert (data.outcome, data.actual) == (Outcome.MISSING, "not read yet")
    assert data.detail == "Data set known: not known. Its lineage is not read yet."
    assert not data.holds


def test_many_references_are_counted() -> None:
    facts = (ProvenanceFact(Provenance.DATA_SET, f"s3://b/{number}", "SageMaker's lineage") for number in range(5))
    _, data = checked(*facts)
    assert data.actual == "s3://b/0, s3://b/1, s3://b/2 and 2 more"


def test_an_officer_may_set_it_aside() -> None:
    override = OverrideFact("provenance:data_set", "OV-000001", NOW + DAY)
    _, data = checked(overrides=(override,))
    assert data.outcome is Outcome.OVERRIDDEN


def test_a_cell_asks_for_it_and_the_request_keeps_it() -> None:
    rule = cell(provenance=ASKED)
    wanted = requirements([rule], VERSION, Stage.QA, RiskRating.LOW)
    assert (wanted.provenance, wanted.has_checks) == (ASKED, True)
    kept = wanted.as_json()
    assert kept["provenance"] == ["training_job", "data_set"]
    assert Requirements.from_json(kept) == wanted
    del kept["provenance"]
    assert Requirements.from_json(kept).provenance == (), "one from before it could be asked for asks for none"


def test_a_change_of_it_is_told() -> None:
    (one,) = of_requirements(cell(), cell(provenance=ASKED))
    assert (one.label, one.before, one.after) == ("Provenance", "none", "Training job known, Data set known")


@pytest.mark.parametrize("kind", ASKABLE)
def test_every_word_but_the_endpoint_may_be_asked_for(kind: Provenance) -> None:
    assert problems_of_rule(cell(provenance=(kind,))) == {}


def test_what_cannot_be_asked_for_is_named() -> None:
    assert problems_of(matrix(cell(provenance=ASKED))) == {}
    (late,) = problems_of_rule(cell(provenance=(Provenance.ENDPOINT,)))["provenance"]
    assert late == "Endpoint known cannot be asked for: it comes after the decision."
    (twice,) = problems_of_rule(cell(provenance=ASKED[:1] * 2))["provenance"]
    assert twice == "Training job known is asked for more than once."
    (odd,) = problems_of_rule(cell(USE_CASE, Stage.POC, provenance=ASKED[:1]))["provenance"]
    assert "use case has no such thing" in odd


def trained(**job: Any) -> Known:
    licence = Licence("", "", None, False, True, "")
    said = {"arn": JOB, "name": "credit-risk-7", "captured_at": NOW - DAY, **job}
    return Known({}, {}, NOW, "", Isolation("credit-risk-7", None, "", True), licence, Job(**said))


def test_the_job_that_sagemaker_told_of_proves_itself_and_its_data() -> None:
    found = [*provenance_of(trained(data=("s3://loans/train/",)), None)]
    assert {(fact.kind, fact.reference) for fact in found} >= {
        (Provenance.TRAINING_JOB, JOB),
        (Provenance.DATA_SET, "s3://loans/train/"),
    }
    of_card = [*provenance_of(trained(data=("s3://loans/train/",), is_named_by_card=True), None)]
    assert not {fact.kind for fact in of_card} & {Provenance.TRAINING_JOB, Provenance.DATA_SET}, "a card only claims"


AUC = metric("training.validation:auc", ">=", 0.8)


@pytest.mark.parametrize(
    ("metrics", "outcome", "words"),
    [
        ([("validation:auc", 0.9)], Outcome.PASS, "Training.validation:auc is 0.9 in the training job credit-risk-7"),
        ([("validation:auc", 0.7)], Outcome.FAIL, "is 0.7"),
        ([("validation:auc", "NaN")], Outcome.FAIL, "which is not a number"),
        ([("validation:auc", None)], Outcome.MISSING, "not reported"),
        ([("validation:auc", 0.9), ("validation:auc", 0.7)], Outcome.FAIL, "different values"),
        ([("train:auc", 0.9)], Outcome.MISSING, "not reported"),
        ([], Outcome.MISSING, "not reported"),
    ],
)
def test_final_metrics_count_for_the_rules_that_name_them(metrics: Any, outcome: Outcome, words: str) -> None:
    told = trained(metrics=[{"name": name, "value": value, "at": None} for name, value in metrics])
    found = check(AUC, *measured_in_training(told))
    assert found.outcome is outcome
    assert words.lower() in found.detail.lower()


def test_final_metrics_count_for_no_other_rule_and_grow_old() -> None:
    told = [*measured_in_training(trained(metrics=[{"name": "validation:auc", "value": 0.9}]))]
    assert check(metric("validation:auc", ">=", 0.8), *told).outcome is Outcome.MISSING
    assert check(metric("auc", ">=", 0.8), *told).outcome is Outcome.MISSING
    old = replace(AUC, max_age_days=1)
    assert check(old, *measured_in_training(trained(metrics=[{"name": "validation:auc", "value": 0.9}]))).holds
    stale = trained(metrics=[{"name": "validation:auc", "value": 0.9}], captured_at=NOW - 3 * DAY)
    assert check(old, *measured_in_training(stale)).outcome is Outcome.FAIL
    # What a person reported under the same name must hold as well.
    assert check(AUC, *told, report({"training": {"validation:auc": 0.5}})).outcome is Outcome.FAIL
