"""A decision is bound to exactly what was decided: every part of it, and nothing else."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.choices import FindingKind, MetricKind, Verdict
from governance.models import ApprovalRequest, Finding, StageEvent, StageRecord, UseCaseStageRecord
from governance.selectors.binding import FieldDifference, decided_content, difference, digest_of, moved_since
from governance.services import approvals, lifecycle, metrics
from portal.core.vocabulary import RiskClass, Stage, Status
from registry.aws.records import ContainerRecord
from registry.choices import DocumentKind
from registry.models import ModelGroup, ModelVersion, UseCase
from registry.services import groups, use_cases
from registry.services.digests import canonical
from registry.services.use_cases import UseCaseText
from tests.factories import at_stage, group, use_case, version
from tests.factories.records import card
from tests.factories.walk import approve_once, deciders
from tests.scene import settle

from .conftest import Place

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
OBJECT = st.dictionaries(st.text(max_size=4), JSON, max_size=4)


@given(OBJECT)
def test_a_content_does_not_differ_from_itself(content: dict[str, Any]) -> None:
    assert difference(content, content) == []


@given(OBJECT, OBJECT)
def test_what_differs_is_told_and_both_ways(before: dict[str, Any], after: dict[str, Any]) -> None:
    there, back = difference(before, after), difference(after, before)
    assert bool(there) == (canonical(before) != canonical(after))
    assert [(one.field, one.before, one.after) for one in there] == [(one.field, one.after, one.before) for one in back]


def test_a_field_that_became_null_or_empty_is_a_difference() -> None:
    assert difference({"a": {"b": 1}}, {"a": {}}) == [
        FieldDifference("a", None, {}),
        FieldDifference("a.b", 1, None),
    ]
    assert difference({"a": [1, 2]}, {"a": [1]}) == [FieldDifference("a[1]", 2, None)]
    assert difference({"a": None}, {}) == [FieldDifference("a", None, None)]
    assert difference({"a": 1}, {"a": True}) == [FieldDifference("a", 1, True)]


@pytest.fixture
def case(place: Place) -> UseCase:
    return use_case(place.people, place.project)


@pytest.fixture
def of(place: Place, case: UseCase) -> ModelGroup:
    return group(place.project, place.people, case)


def ask(place: Place, subject: ModelVersion | UseCase) -> ApprovalRequest:
    return approvals.submit(actor=place.people.scientist.actor, subject_type=type(subject), subject_id=subject.pk)


CHANGES: dict[str, dict[str, Any]] = {
    "card": {"card_content": card(risk="Low", training_details={"training_observations": "another"})},
    "rating": {"card_content": card(risk="Medium")},
    "metadata": {"metadata": {"algorithm": "xgboost", "validation_auc": "0.91"}},
    "metric pointers": {"metrics": {"ModelQuality": {"Statistics": {"S3Uri": "s3://hub/statistics.json"}}}},
    "drift baselines": {"drift_baselines": {"Bias": {"ConfigFile": {"S3Uri": "s3://hub/config.json"}}}},
    "artifact": {"containers": (ContainerRecord(image="registry/xgboost:1.7-1", model_data_url="s3://hub/o.tar.gz"),)},
    "image": {"containers": (ContainerRecord(image="registry/other:1", model_data_url="s3://hub/model.tar.gz"),)},
    "image digest": {
        "containers": (
            ContainerRecord(
                image="registry/xgboost:1.7-1", image_digest="sha256:1", model_data_url="s3://hub/model.tar.gz"
            ),
        )
    },
    "ETag": {
        "containers": (
            ContainerRecord(
                image="registry/xgboost:1.7-1", model_data_url="s3://hub/model.tar.gz", model_data_etag="2"
            ),
        )
    },
    "source": {"source_uri": "https://git.example/commit/2"},
}
NOT_CONTENT: dict[str, dict[str, Any]] = {
    "approval": {"approval_status": "Approved", "approval_description": "AR-000001"},
    "description": {"description": "Renamed"},
}


@pytest.mark.django_db
@pytest.mark.parametrize("name", CHANGES)
def test_every_part_of_a_version_outdates_what_was_asked_and_approved(place: Place, of: ModelGroup, name: str) -> None:
    made = version(of)
    approve_once(place.people, made)
    request = ask(place, made)
    version(of, created_at=made.aws_created_at, **{"card_content": card(risk="Low"), **CHANGES[name]})
    request.refresh_from_db()
    assert request.state == "outdated"
    assert moved_since(request)
    record = StageRecord.objects.get(version=made, stage=Stage.DEVELOPMENT)
    assert record.outdated_at is not None
    assert Finding.objects.standing().filter(kind=FindingKind.CONTENT_CHANGED, version=made).count() == 1
    # Back to what was approved, the approval holds again; the request is closed and stays so.
    version(of, created_at=made.aws_created_at)
    record.refresh_from_db()
    assert record.outdated_at is None
    assert not Finding.objects.standing().filter(kind=FindingKind.CONTENT_CHANGED, version=made).exists()
    settle()


@pytest.mark.django_db
@pytest.mark.parametrize("name", NOT_CONTENT)
def test_what_is_not_content_changes_nothing(place: Place, of: ModelGroup, name: str) -> None:
    made = version(of)
    request = ask(place, made)
    version(of, created_at=made.aws_created_at, **NOT_CONTENT[name])
    request.refresh_from_db()
    assert request.state == "open"
    assert moved_since(request) == []


@pytest.mark.django_db
def test_test_results_that_come_in_after_the_asking_outdate_it(place: Place, of: ModelGroup) -> None:
    made = at_stage(place.people, version(of), Stage.QA)
    record = StageRecord.objects.get(version=made, stage=Stage.QA)
    request = ask(place, made)
    metrics.report(
        actor=place.people.engineer.actor, record_id=record.pk, kind=MetricKind.VALIDATION, metrics={"auc": 0.5}
    )
    request.refresh_from_db()
    assert request.state == "outdated"
    assert [change.field for change in moved_since(request)] == [
        "validation_metrics",
        "validation_metrics.333333333333.auc",
    ]
    again = ask(place, made)
    metrics.report(
        actor=place.people.engineer.actor, record_id=record.pk, kind=MetricKind.MONITORING, metrics={"latency": 5}
    )
    again.refresh_from_db()
    assert again.state == "open", "what comes in while it runs is not what is decided"


@pytest.mark.django_db
def test_a_use_case_linked_or_classified_anew_outdates(place: Place, of: ModelGroup, case: UseCase) -> None:
    made = version(of)
    request = ask(place, made)
    use_cases.classify(
        actor=place.people.officer.actor, use_case_id=case.pk, risk_class=RiskClass.HIGH, reason="Annex III."
    )
    request.refresh_from_db()
    assert request.state == "outdated"
    again = ask(place, made)
    other = use_case(place.people, place.project)
    of.refresh_from_db()
    groups.edit(
        actor=place.people.engineer.actor,
        group_id=of.pk,
        revision=of.revision,
        project=place.project,
        owner=place.people.owner,
        use_cases=[case, other],
    )
    again.refresh_from_db()
    assert again.state == "outdated"
    assert [change.field for change in moved_since(again)] == [f"use_cases.{other.public_id}"]


@pytest.mark.django_db
@pytest.mark.parametrize("field", ["name", "intended_purpose", "description", "business_owner", "document"])
def test_every_part_of_a_use_case_outdates(place: Place, case: UseCase, field: str) -> None:
    request = ask(place, case)
    if field == "document":
        use_cases.write_documents(
            actor=place.people.scientist.actor, use_case_id=case.pk, texts={DocumentKind.OVERSIGHT: "A person looks."}
        )
    else:
        values = {"name": case.name, "intended_purpose": case.intended_purpose, field: "Something else"}
        case.refresh_from_db()
        use_cases.edit(
            actor=place.people.scientist.actor,
            use_case_id=case.pk,
            revision=case.revision,
            text=UseCaseText(**values),
        )
    request.refresh_from_db()
    assert request.state == "outdated"
    assert len(moved_since(request)) in (1, 2)


@pytest.mark.django_db
def test_what_is_added_for_the_next_stage_takes_no_approval_back(place: Place, case: UseCase) -> None:
    approve_once(place.people, case)
    write = partial(use_cases.write_documents, actor=place.people.scientist.actor, use_case_id=case.pk)
    write(texts={DocumentKind.OVERSIGHT: "A person looks."})
    record = UseCaseStageRecord.objects.get(use_case=case, stage=Stage.POC)
    assert record.outdated_at is None
    request = ask(place, case)
    approvals.decide(actor=place.people.owner.actor, request_id=request.pk, verdict=Verdict.APPROVE)
    write(texts={DocumentKind.OVERSIGHT: "Nobody looks."})
    record.refresh_from_db()
    assert record.outdated_at is None, "POC was approved without that document"
    assert UseCaseStageRecord.objects.get(use_case=case, stage=Stage.DEVELOPMENT).outdated_at is not None
    settle()


@pytest.mark.django_db
def test_a_use_case_does_not_go_on_by_an_outdated_approval(place: Place, case: UseCase) -> None:
    of = group(place.project, place.people, case)
    made = version(of)
    approve_once(place.people, case)
    approve_once(place.people, case)
    assert (case.stage, case.status) == ("development", "approved")
    edit = partial(use_cases.edit, actor=place.people.scientist.actor, use_case_id=case.pk)
    edit(revision=case.revision, text=UseCaseText(name=case.name, intended_purpose="Something else."))
    approve_once(place.people, made)
    case.refresh_from_db()
    assert case.stage == "development"
    assert any("no longer what was approved" in blocker for blocker in lifecycle.blockers(case))
    renewed = approve_once(place.people, case)
    assert (renewed.renews, case.stage) == (True, "qa")
    settle()


@pytest.mark.django_db
def test_an_outdated_version_does_not_take_its_use_case_along(place: Place, case: UseCase) -> None:
    of = group(place.project, place.people, case)
    made = version(of)
    approve_once(place.people, made)
    version(of, created_at=made.aws_created_at, metadata={"validation_auc": "0.10"})
    approve_once(place.people, case)
    approve_once(place.people, case)
    assert (case.stage, case.status) == ("development", "approved")
    version(of, created_at=made.aws_created_at)
    case.refresh_from_db()
    assert case.stage == "qa", "it is again what was approved"
    settle()


@pytest.mark.django_db
def test_an_outdated_approval_is_given_anew_and_nothing_moves(place: Place, of: ModelGroup) -> None:
    made = at_stage(place.people, version(of), Stage.PRODUCTION, Status.DEPLOYED)
    version(of, created_at=made.aws_created_at, metadata={"algorithm": "xgboost", "validation_auc": "0.80"})
    made.refresh_from_db()
    request = ask(place, made)
    assert (request.renews, request.to_stage) == (True, "")
    for decider in deciders(place.people, request):
        approvals.decide(actor=decider.actor, request_id=request.pk, verdict=Verdict.APPROVE)
        request.refresh_from_db()
        if request.state != "open":
            break
    made.refresh_from_db()
    assert (made.stage, made.status) == ("production", "deployed")
    record = StageRecord.objects.get(version=made, stage=Stage.PRODUCTION)
    assert (record.outdated_at, record.approved_digest) == (None, digest_of(made, Stage.PRODUCTION))
    assert StageEvent.objects.filter(version=made, verb="renew", request_id_copy=request.pk).exists()
    with pytest.raises(approvals.WrongState, match="nothing to approve"):
        ask(place, made)
    settle()


@pytest.mark.django_db
def test_a_renewal_takes_the_stages_on_the_way_along_and_ends_the_finding(place: Place, of: ModelGroup) -> None:
    made = at_stage(place.people, version(of), Stage.PRODUCTION, Status.DEPLOYED)
    version(of, created_at=made.aws_created_at, metadata={"validation_auc": "0.80"})
    assert StageRecord.objects.filter(version=made, outdated_at__isnull=False).count() == 4
    request = ask(place, made)
    for decider in deciders(place.people, request):
        approvals.decide(actor=decider.actor, request_id=request.pk, verdict=Verdict.APPROVE)
        request.refresh_from_db()
        if request.state != "open":
            break
    assert not StageRecord.objects.filter(version=made, outdated_at__isnull=False).exists()
    assert not Finding.objects.standing().filter(kind=FindingKind.CONTENT_CHANGED, version=made).exists()
    settle()


@pytest.mark.django_db
def test_what_card_and_metadata_claim_is_what_is_judged(place: Place, of: ModelGroup) -> None:
    made = version(of, metadata={"validation_auc": "0.90"})
    version(of, created_at=made.aws_created_at, metadata={"validation_auc": "0.10"})
    record = StageRecord.objects.get(version=made)
    assert record.validation_metrics == {"validation_auc": 0.10}
    metrics.report(
        actor=place.people.engineer.actor,
        record_id=record.pk,
        kind=MetricKind.VALIDATION,
        metrics={"auc": 0.5},
        source="test run",
    )
    version(of, created_at=made.aws_created_at, metadata={"validation_auc": "0.99"})
    record.refresh_from_db()
    assert record.validation_metrics == {"auc": 0.5}, "what somebody measured is not overwritten by a claim"


@pytest.mark.django_db
def test_a_refused_renewal_leaves_what_stands_outdated(place: Place, of: ModelGroup) -> None:
    made = at_stage(place.people, version(of), Stage.PRODUCTION, Status.DEPLOYED)
    version(of, created_at=made.aws_created_at, metadata={"validation_auc": "0.10"})
    request = ask(place, made)
    approvals.decide(
        actor=deciders(place.people, request)[0].actor,
        request_id=request.pk,
        verdict=Verdict.REJECT,
        comment="Worse than before.",
    )
    made.refresh_from_db()
    record = StageRecord.objects.get(version=made, stage=Stage.PRODUCTION)
    assert (made.status, record.status) == ("deployed", "deployed")
    assert record.outdated_at is not None
    settle()


@pytest.mark.django_db
def test_a_use_case_found_unacceptable_goes_back_to_poc_with_all_its_approvals(place: Place, case: UseCase) -> None:
    approve_once(place.people, case)
    assert case.stage == Stage.DEVELOPMENT
    request = ask(place, case)
    use_cases.classify(
        actor=place.people.officer.actor, use_case_id=case.pk, risk_class=RiskClass.UNACCEPTABLE, reason="Art. 5(1)(c)."
    )
    case.refresh_from_db()
    request.refresh_from_db()
    assert (case.stage, case.status, request.state) == ("poc", "rejected", "outdated")
    assert set(UseCaseStageRecord.objects.filter(use_case=case).values_list("status", flat=True)) == {"rejected"}
    settle()
    with pytest.raises(approvals.WrongState, match="unacceptable"):
        ask(place, case)


@pytest.mark.django_db
def test_the_content_is_canonical(place: Place, of: ModelGroup) -> None:
    made = version(of)
    content = decided_content(made, Stage.DEVELOPMENT)
    assert content["edition"] == 2
    request = ask(place, made)
    assert (request.facts, request.digest) == (content, digest_of(made, Stage.DEVELOPMENT))
