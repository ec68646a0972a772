"""What the sync brings in: requests outdated by changed content, findings that open, stay single and resolve."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.utils import timezone

from governance.choices import FindingKind, Verdict
from governance.models import Finding, OutboxMessage, StageRecord
from governance.services import approvals, findings, intake
from portal.core.errors import Forbidden, InvalidInput, NotFound, WrongState
from portal.core.operations import operation
from portal.core.vocabulary import RiskClass, Stage
from registry.aws.records import ContainerRecord
from registry.models import AwsAccount, ModelGroup, ModelVersion
from registry.services import use_cases, versions
from registry.services.versions import VersionChange
from tests.factories import Cast, at_stage, group, use_case, version
from tests.factories.people import SYSTEM
from tests.factories.records import START, card, version_record
from tests.scene import fingerprint, settle

from .conftest import Place

pytestmark = pytest.mark.django_db


@pytest.fixture
def of(place: Place) -> ModelGroup:
    return group(place.project, place.people)


def take(of: ModelGroup, number: int = 1, **values: Any) -> VersionChange:
    """Take in version `number` as described now; always the same one."""
    values.setdefault("card_content", card(risk="Low"))
    record = version_record(of.arn, number, created_at=START, **values)
    with operation(SYSTEM):
        change = versions.take_in(actor=SYSTEM, group=of, record=record)
        intake.absorb_version(SYSTEM, change)
    return change


def standing(version: ModelVersion, kind: FindingKind) -> Finding | None:
    return Finding.objects.standing().filter(version=version, kind=kind).first()


def ask(people: Cast, subject: ModelVersion) -> Any:
    return approvals.submit(actor=people.scientist.actor, subject_type=ModelVersion, subject_id=subject.pk)


def test_a_new_version_has_a_ledger_from_its_first_moment(of: ModelGroup) -> None:
    change = take(of)
    assert change.is_new
    record = StageRecord.objects.get(version=change.version)
    assert (record.stage, record.status, record.validation_metrics) == (
        "development",
        "pending",
        {"validation_auc": 0.78},
    )
    settle()


def test_the_same_description_changes_nothing(of: ModelGroup) -> None:
    take(of)
    before = fingerprint()
    change = take(of)
    assert change.is_unchanged
    assert fingerprint() == before


@pytest.mark.parametrize(
    "changed",
    [
        {"card_content": card(risk="High")},
        {"metadata": {"validation_auc": "0.91"}},
        {"containers": (ContainerRecord(image="registry/xgboost:1.7-1", model_data_url="s3://hub/other.tar.gz"),)},
        {"containers": (ContainerRecord(image="registry/other:1", model_data_url="s3://hub/model.tar.gz"),)},
    ],
    ids=["card", "metadata", "artifact", "image"],
)
def test_changed_content_outdates_what_was_asked(of: ModelGroup, people: Cast, changed: dict[str, Any]) -> None:
    subject = take(of).version
    request = ask(people, subject)
    assert take(of, **changed).content_changed
    request.refresh_from_db()
    assert (request.state, request.waiting_roles) == ("outdated", [])
    found = standing(subject, FindingKind.CONTENT_CHANGED)
    assert found is not None
    assert found.evidence["outdated_requests"] == [request.public_id]
    with pytest.raises(approvals.StaleRequest) as refusal:
        approvals.decide(actor=people.owner.actor, request_id=request.pk, verdict=Verdict.APPROVE)
    assert refusal.value.errors, "the refusal names what changed, field by field"
    assert ask(people, subject).digest != request.digest


def test_what_the_portal_writes_back_is_not_content(of: ModelGroup, people: Cast) -> None:
    subject = take(of).version
    request = ask(people, subject)
    change = take(of, approval_status="Approved", approval_description="AR-000001", description="Renamed")
    assert (change.content_changed, change.aws_changed) == (False, True)
    request.refresh_from_db()
    assert request.state == "open"
    assert standing(subject, FindingKind.CONTENT_CHANGED) is None


def test_content_changed_after_approval_is_a_serious_finding(of: ModelGroup, people: Cast) -> None:
    subject = at_stage(people, take(of).version, Stage.PRE_PRODUCTION)
    take(of, metadata={"validation_auc": "0.99"})
    found = standing(subject, FindingKind.CONTENT_CHANGED)
    assert found is not None
    assert found.severity == "serious"
    assert sorted(found.evidence["approved_stages"]) == ["development", "qa"]


def test_a_risk_class_that_changes_between_asking_and_deciding_outdates_the_request(place: Place, people: Cast) -> None:
    case = use_case(people, place.project)
    subject = version(group(place.project, people, case))
    request = ask(people, subject)
    use_cases.classify(actor=people.officer.actor, use_case_id=case.pk, risk_class=RiskClass.HIGH, reason="Annex III.")
    with pytest.raises(approvals.StaleRequest):
        approvals.decide(actor=people.owner.actor, request_id=request.pk, verdict=Verdict.APPROVE)
    request.refresh_from_db()
    subject.refresh_from_db()
    assert (request.state, subject.stage) == ("outdated", "development")
    assert not request.decisions.exists()
    assert not OutboxMessage.objects.filter(version=subject).exists()
    settle()


def test_a_version_gone_from_aws_takes_its_request_along_and_may_come_back(of: ModelGroup, people: Cast) -> None:
    subject = take(of).version
    request = ask(people, subject)
    with operation(SYSTEM):
        intake.absorb_missing(SYSTEM, versions.mark_missing(actor=SYSTEM, version_ids=[subject.pk]))
    request.refresh_from_db()
    assert request.state == "outdated"
    assert standing(subject, FindingKind.MISSING_IN_AWS)
    with pytest.raises(WrongState, match="no longer has"):
        ask(people, subject)
    take(of)
    assert standing(subject, FindingKind.MISSING_IN_AWS) is None
    assert ask(people, subject).state == "open"


# --- findings


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ({"card_content": None}, FindingKind.CARD_MISSING),
        ({"card_content": "{"}, FindingKind.CARD_INVALID),
        ({"card_content": "[1]"}, FindingKind.CARD_INVALID),
        ({"card_content": '{"intended_uses": {"risk_rating": "Enormous"}}'}, FindingKind.CARD_INVALID),
        ({"metadata": {"validation_auc": "high"}}, FindingKind.METADATA_INVALID),
        ({"metadata": {"validation_auc": "NaN"}}, FindingKind.METADATA_INVALID),
        ({"card_content": card("UC-9999")}, FindingKind.USE_CASE_UNKNOWN),
        ({"card_content": card("credit")}, FindingKind.USE_CASE_UNKNOWN),
    ],
)
def test_a_finding_opens_once_and_resolves_itself(of: ModelGroup, values: dict[str, Any], kind: FindingKind) -> None:
    subject = take(of, **values).version
    assert (subject.stage, subject.status) == ("development", "pending"), "it is in the portal all the same"
    first = standing(subject, kind)
    assert first is not None
    seen = first.last_seen_at
    take(of, **values)
    again = standing(subject, kind)
    assert again is not None
    assert (again.pk, again.state) == (first.pk, "open")
    assert again.last_seen_at > seen
    take(of)
    resolved = Finding.objects.get(pk=first.pk)
    assert (resolved.state, standing(subject, kind)) == ("resolved", None)
    assert resolved.closed_at
    assert resolved.closing_note
    take(of, **values)
    reopened = standing(subject, kind)
    assert reopened is not None
    assert reopened.pk != first.pk, "what comes again is a new finding; the old one keeps its history"


def test_a_bad_metric_is_absent_and_not_zero(of: ModelGroup) -> None:
    subject = take(of, metadata={"validation_auc": "NaN", "validation_f1": "0.5"}).version
    assert StageRecord.objects.get(version=subject).validation_metrics == {"validation_f1": 0.5}
    other = take(of, 2, metadata={"validation_auc": "high"}).version
    assert StageRecord.objects.get(version=other).validation_metrics is None


def test_a_use_case_registered_later_resolves_the_finding(place: Place, people: Cast, of: ModelGroup) -> None:
    number = use_case(people, place.project).number + 1
    subject = take(of, card_content=card(f"UC-{number:04d}")).version
    assert standing(subject, FindingKind.USE_CASE_UNKNOWN)
    case = use_case(people, place.project)
    assert case.number == number
    with operation(SYSTEM):
        intake.absorb_group(SYSTEM, of)
    assert standing(subject, FindingKind.USE_CASE_UNKNOWN) is None
    assert list(subject.use_cases.all()) == [case]


def test_the_finding_about_another_projects_use_case_tells_nothing_about_it(place: Place, people: Cast) -> None:
    theirs = use_case(
        replace(people, scientist=people.stranger), place.elsewhere, RiskClass.UNCLASSIFIED, "Secret plan"
    )
    subject = version(group(place.project, people), card_content=card(theirs.public_id))
    found = standing(subject, FindingKind.USE_CASE_UNKNOWN)
    nowhere = version(group(place.project, people), card_content=card("UC-8888"))
    other = standing(nowhere, FindingKind.USE_CASE_UNKNOWN)
    assert found is not None
    assert other is not None
    assert "Secret" not in found.summary
    assert found.summary.replace(theirs.public_id, "X") == other.summary.replace("UC-8888", "X")


def test_an_unclaimed_group_is_found_until_it_is_claimed(place: Place, people: Cast) -> None:
    unclaimed = group(None)
    found = Finding.objects.standing().get(group=unclaimed, kind=FindingKind.GROUP_UNLINKED)
    assert found.account is not None
    ModelGroup.objects.filter(pk=unclaimed.pk).update(project=place.project)
    with operation(SYSTEM):
        intake.absorb_group(SYSTEM, ModelGroup.objects.get(pk=unclaimed.pk))
    found.refresh_from_db()
    assert found.state == "resolved"


def test_people_handle_findings(of: ModelGroup, people: Cast) -> None:
    found = standing(take(of, card_content=None).version, FindingKind.CARD_MISSING)
    assert found is not None
    with pytest.raises(NotFound):
        findings.acknowledge(actor=people.stranger.actor, finding_id=found.pk)
    for nobody in (people.scientist, people.owner, people.engineer, people.admin, people.auditor):
        with pytest.raises(Forbidden):
            findings.acknowledge(actor=nobody.actor, finding_id=found.pk)
        with pytest.raises(Forbidden):
            findings.resolve(actor=nobody.actor, finding_id=found.pk, note="Nothing to see.")
    taken = findings.acknowledge(actor=people.officer.actor, finding_id=found.pk)
    assert (taken.state, taken.owner) == ("acknowledged", people.officer)
    with pytest.raises(WrongState):
        findings.acknowledge(actor=people.officer.actor, finding_id=found.pk)
    with pytest.raises(InvalidInput):
        findings.resolve(actor=people.officer.actor, finding_id=found.pk, note=" ")
    assert (
        findings.resolve(actor=people.officer.actor, finding_id=found.pk, note="Card on its way.").state == "resolved"
    )
    with pytest.raises(WrongState):
        findings.resolve(actor=people.officer.actor, finding_id=found.pk, note="Again.")
    # Reality still disagrees, so the next sync says so again.
    assert take(of, card_content=None)
    assert Finding.objects.standing().filter(kind=FindingKind.CARD_MISSING).exclude(pk=found.pk).exists()


# --- artifacts


def test_the_artifact_of_a_spoke_is_ordered_into_the_hub(of: ModelGroup) -> None:
    AwsAccount.objects.filter(account_id="111111111111").update(artifact_buckets=["ml-hub"])
    AwsAccount.objects.filter(account_id="222222222222").update(artifact_buckets=["ml-dev"])
    of.refresh_from_db()
    there = (ContainerRecord(image="i", model_data_url="s3://ml-dev/runs/7/model.tar.gz"),)
    subject = take(of, containers=there).version
    order = OutboxMessage.objects.get(version=subject)
    assert (order.kind, order.payload["source_url"], order.payload["target_url"]) == (
        "artifact_copy",
        "s3://ml-dev/runs/7/model.tar.gz",
        f"s3://ml-hub/{of.name}/1/model.tar.gz",
    )
    assert order.ordering_key != subject.arn, "a slow copy holds up no decision"
    take(of, containers=there)
    assert OutboxMessage.objects.filter(version=subject).count() == 1
    for elsewhere in ("s3://ml-hub/x/model.tar.gz", "s3://unknown/model.tar.gz", "https://example.com/model", ""):
        other = take(of, 2, containers=(ContainerRecord(image="i", model_data_url=elsewhere),)).version
        assert not OutboxMessage.objects.filter(version=other).exists(), elsewhere


def test_who_registered_it_is_named_in_the_ledger(of: ModelGroup) -> None:
    session = "arn:aws:sts::222222222222:assumed-role/DataScientist/dana"
    subject = take(of, registrant=session).version
    assert StageRecord.objects.get(version=subject).audit_user == "aws:dana"
    assert subject.registered_by is None
    assert subject.seen_at <= timezone.now()
