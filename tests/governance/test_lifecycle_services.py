"""How subjects walk: up, back and up again, out of service, and use cases with their models."""

from __future__ import annotations

from dataclasses import replace

import pytest

from governance.choices import OutboxKind, Verdict
from governance.models import ApprovalRequest, OutboxMessage, StageEvent, StageRecord, UseCaseStageRecord
from governance.selectors.stage_table import ATTRIBUTES, rows, stage_table
from governance.services import approvals, deployments, intake, lifecycle, metrics, retirement
from portal.core.errors import InvalidInput, NotFound, WrongState
from portal.core.operations import operation
from portal.core.vocabulary import RiskClass, Stage, Status
from registry.choices import AccountPurpose, DeploymentState
from registry.models import AwsAccount, Deployment, ModelVersion, UseCase
from registry.services import accounts, groups, use_cases
from tests.factories import Cast, at_stage, group, use_case, version
from tests.factories.people import SYSTEM
from tests.factories.records import card
from tests.factories.walk import approve_once, deciders
from tests.scene import fingerprint, settle

from .conftest import Place

pytestmark = pytest.mark.django_db


@pytest.fixture
def made(place: Place) -> ModelVersion:
    return version(group(place.project, place.people))


def position(subject: ModelVersion | UseCase) -> str:
    subject.refresh_from_db()
    return f"{subject.stage}/{subject.status}"


def ask(people: Cast, subject: ModelVersion | UseCase, note: str = "") -> ApprovalRequest:
    return approvals.submit(actor=people.scientist.actor, subject_type=type(subject), subject_id=subject.pk, note=note)


def reject(people: Cast, subject: ModelVersion | UseCase, back_to: Stage | None = None) -> ApprovalRequest:
    request = ask(people, subject)
    approvals.decide(
        actor=deciders(people, request)[0].actor,
        request_id=request.pk,
        verdict=Verdict.REJECT,
        comment="The bias report is missing.",
        back_to=back_to,
    )
    return request


def statuses(subject: ModelVersion) -> dict[str, str]:
    return {record.stage: record.status for record in StageRecord.objects.filter(version=subject)}


def written_back(subject: ModelVersion) -> list[tuple[str, str, str]]:
    messages = OutboxMessage.objects.filter(version=subject, kind=OutboxKind.WRITE_BACK).order_by("pk")
    return [(m.payload["approval_status"], m.payload["stage"], m.payload["stage_status"]) for m in messages]


def report(people: Cast, subject: ModelVersion, stage: Stage, state: DeploymentState, **values: str) -> Deployment:
    ordered = Deployment.objects.get(version=subject, stage=stage)
    return deployments.report(actor=people.engineer.actor, deployment_id=ordered.pk, state=state, **values)


# --- the walk of a version


def test_the_whole_walk_of_a_version(made: ModelVersion, people: Cast) -> None:
    assert position(made) == "development/pending"
    walked = []
    for stage in ("development", "qa", "pre_production"):
        assert made.stage == stage
        approve_once(people, made)
        report(people, made, Stage(made.stage), DeploymentState.DEPLOYED)
        walked.append(position(made))
    assert walked == ["qa/pending", "pre_production/pending", "production/pending"]
    approve_once(people, made)
    # Its deployment was in place on trial: approval makes it live.
    assert position(made) == "production/deployed"
    assert statuses(made) == dict.fromkeys(("development", "qa", "pre_production"), "approved") | {
        "production": "deployed"
    }
    assert written_back(made) == [
        ("Approved", "Development", "Approved"),
        ("Approved", "QA", "Approved"),
        ("Approved", "PreProduction", "Approved"),
        ("Approved", "Production", "Approved"),
    ]
    orders = OutboxMessage.objects.filter(version=made, kind=OutboxKind.DEPLOYMENT_ORDER).order_by("pk")
    assert [(o.payload["detail"]["stage"], o.payload["detail"]["mode"]) for o in orders] == [
        ("qa", "trial"),
        ("pre_production", "trial"),
        ("production", "trial"),
        ("production", "live"),
    ]
    assert [o.payload["detail"]["targetAccount"] for o in orders] == [
        "333333333333",
        "333333333333",
        "444444444444",
        "444444444444",
    ]
    events = StageEvent.objects.filter(version=made).order_by("pk")
    assert [(e.verb, e.stage, e.from_status, e.status) for e in events] == [
        ("register", "development", "", "pending"),
        ("approve", "development", "pending", "approved"),
        ("advance", "qa", "", "pending"),
        ("approve", "qa", "pending", "approved"),
        ("advance", "pre_production", "", "pending"),
        ("approve", "pre_production", "pending", "approved"),
        ("advance", "production", "", "pending"),
        ("approve", "production", "pending", "approved"),
        ("deploy", "production", "approved", "deployed"),
    ]
    assert all(event.correlation for event in events[1:])
    settle()


def test_each_message_waits_behind_the_write_back_of_its_version(made: ModelVersion, people: Cast) -> None:
    approve_once(people, made)
    messages = OutboxMessage.objects.filter(version=made).order_by("pk")
    assert [m.kind for m in messages] == ["write_back", "deployment_order"]
    assert len({m.ordering_key for m in messages}) == 1


def test_a_rejection_goes_back_to_development_and_the_climb_begins_again(made: ModelVersion, people: Cast) -> None:
    at_stage(people, made, Stage.PRE_PRODUCTION)
    request = reject(people, made)
    assert position(made) == "development/rejected"
    assert statuses(made) == {"development": "rejected", "qa": "rejected", "pre_production": "rejected"}
    decision = request.decisions.get()
    assert (decision.back_to, decision.comment) == ("development", "The bias report is missing.")
    assert written_back(made)[-1] == ("Rejected", "PreProduction", "Rejected")

    again = ask(people, made, note="Bias report attached.")
    assert (position(made), again.stage) == ("development/pending", "development")
    assert written_back(made)[-1] == ("PendingManualApproval", "Development", "PendingApproval")
    approvals.decide(actor=people.owner.actor, request_id=again.pk, verdict=Verdict.APPROVE)
    assert position(made) == "qa/pending"
    # What was approved in the first climb is asked for again.
    assert statuses(made) == {"development": "approved", "qa": "pending", "pre_production": "rejected"}
    at_stage(people, made, Stage.PRODUCTION, Status.DEPLOYED)
    assert set(statuses(made).values()) == {"approved", "deployed"}
    assert StageRecord.objects.filter(version=made).count() == 4, "a second climb opens no second record"
    settle()


def test_a_rejection_can_name_the_stage_to_go_back_to(made: ModelVersion, people: Cast) -> None:
    at_stage(people, made, Stage.PRODUCTION)
    reject(people, made, Stage.QA)
    assert position(made) == "qa/rejected"
    assert statuses(made) == {
        "development": "approved",
        "qa": "rejected",
        "pre_production": "rejected",
        "production": "rejected",
    }
    settle()


@pytest.mark.parametrize("back_to", [Stage.PRE_PRODUCTION, Stage.PRODUCTION, Stage.POC, Stage.RETIRED])
def test_a_rejection_cannot_go_forward_or_elsewhere(made: ModelVersion, people: Cast, back_to: Stage) -> None:
    at_stage(people, made, Stage.QA)
    request = ask(people, made)
    before = fingerprint()
    with pytest.raises((InvalidInput, ValueError)) as refusal:
        approvals.decide(
            actor=people.officer.actor,
            request_id=request.pk,
            verdict=Verdict.REJECT,
            comment="No.",
            back_to=back_to,
        )
    assert isinstance(refusal.value, InvalidInput)
    assert "back_to" in refusal.value.errors
    assert fingerprint() == before


def test_only_a_rejection_goes_back(made: ModelVersion, people: Cast) -> None:
    request = ask(people, made)
    with pytest.raises(InvalidInput):
        approvals.decide(
            actor=people.owner.actor, request_id=request.pk, verdict=Verdict.APPROVE, back_to=Stage.DEVELOPMENT
        )


@pytest.mark.parametrize("verdict", [Verdict.REJECT, Verdict.REQUEST_CHANGES])
@pytest.mark.parametrize("comment", ["", "   \n"])
def test_a_refusal_needs_its_reason(made: ModelVersion, people: Cast, verdict: Verdict, comment: str) -> None:
    request = ask(people, made)
    before = fingerprint()
    with pytest.raises(InvalidInput) as refusal:
        approvals.decide(actor=people.owner.actor, request_id=request.pk, verdict=verdict, comment=comment)
    assert "comment" in refusal.value.errors
    assert fingerprint() == before


def test_changes_requested_leave_it_where_it_is_and_it_is_asked_anew(made: ModelVersion, people: Cast) -> None:
    request = ask(people, made)
    approvals.decide(
        actor=people.owner.actor, request_id=request.pk, verdict=Verdict.REQUEST_CHANGES, comment="Say which data."
    )
    request.refresh_from_db()
    assert (position(made), request.state) == ("development/pending", "changes_requested")
    assert written_back(made) == []
    second = ask(people, made, "Data named.")
    assert second.pk != request.pk
    approvals.decide(actor=people.owner.actor, request_id=second.pk, verdict=Verdict.APPROVE)
    assert position(made) == "qa/pending"


def test_a_withdrawn_request_can_be_made_again(made: ModelVersion, people: Cast) -> None:
    request = ask(people, made)
    approvals.withdraw(actor=people.scientist.actor, request_id=request.pk, reason="Wrong version.")
    request.refresh_from_db()
    assert (request.state, request.closing_note, request.waiting_roles) == ("withdrawn", "Wrong version.", [])
    with pytest.raises(approvals.RequestClosed):
        approvals.decide(actor=people.owner.actor, request_id=request.pk, verdict=Verdict.APPROVE)
    assert ask(people, made).state == "open"


def test_one_open_request_per_subject_and_stage(made: ModelVersion, people: Cast) -> None:
    request = ask(people, made)
    with pytest.raises(approvals.AlreadyOpen, match=request.public_id):
        approvals.submit(actor=people.engineer.actor, subject_type=ModelVersion, subject_id=made.pk)


def test_whoever_sees_the_subject_and_nobody_else_sees_the_request(made: ModelVersion, people: Cast) -> None:
    request = ask(people, made)
    assert list(ApprovalRequest.objects.visible_to(people.stranger.actor)) == []
    with pytest.raises(NotFound):
        approvals.withdraw(actor=people.stranger.actor, request_id=request.pk)
    assert ApprovalRequest.objects.awaiting(people.owner.actor).get() == request
    for other in (people.scientist, people.officer, people.stranger, people.admin):
        assert not ApprovalRequest.objects.awaiting(other.actor).exists()


# --- deployments


def test_reports_arrive_in_order(made: ModelVersion, people: Cast) -> None:
    at_stage(people, made, Stage.QA)
    report(people, made, Stage.QA, DeploymentState.IN_PROGRESS)
    report(people, made, Stage.QA, DeploymentState.FAILED, detail="No capacity.")
    report(people, made, Stage.QA, DeploymentState.IN_PROGRESS)
    done = report(people, made, Stage.QA, DeploymentState.DEPLOYED, endpoint="credit-risk-test")
    assert (done.state, done.endpoint) == ("deployed", "credit-risk-test")
    assert position(made) == "qa/pending"
    before = fingerprint()
    for late in (DeploymentState.IN_PROGRESS, DeploymentState.FAILED, DeploymentState.DEPLOYED):
        with pytest.raises(WrongState):
            report(people, made, Stage.QA, late)
    for never in (DeploymentState.ORDERED, DeploymentState.REPLACED):
        with pytest.raises(InvalidInput):
            report(people, made, Stage.QA, never)
    assert fingerprint() == before


def test_deployed_before_production_is_approved_is_a_trial(made: ModelVersion, people: Cast) -> None:
    at_stage(people, made, Stage.PRODUCTION)
    report(people, made, Stage.PRODUCTION, DeploymentState.DEPLOYED, endpoint="shadow")
    assert (position(made), statuses(made)["production"]) == ("production/pending", "pending")
    approve_once(people, made)
    assert (position(made), statuses(made)["production"]) == ("production/deployed", "deployed")
    assert Deployment.objects.get(version=made, stage="production").mode == "live"
    settle()


def test_deployed_after_production_is_approved(made: ModelVersion, people: Cast) -> None:
    at_stage(people, made, Stage.PRODUCTION, Status.APPROVED)
    report(people, made, Stage.PRODUCTION, DeploymentState.IN_PROGRESS)
    assert position(made) == "production/approved"
    report(people, made, Stage.PRODUCTION, DeploymentState.DEPLOYED, endpoint="credit-risk")
    assert position(made) == "production/deployed"
    settle()


def test_a_second_version_supersedes_the_first(made: ModelVersion, people: Cast) -> None:
    at_stage(people, made, Stage.PRODUCTION, Status.DEPLOYED)
    second = at_stage(people, version(made.group, 2), Stage.PRODUCTION, Status.APPROVED)
    assert position(made) == "production/deployed", "approval alone replaces nothing"
    report(people, second, Stage.PRODUCTION, DeploymentState.DEPLOYED)
    assert (position(made), position(second)) == ("production/superseded", "production/deployed")
    assert Deployment.objects.get(version=made, stage="production").state == "replaced"
    event = StageEvent.objects.filter(version=made).latest("pk")
    assert (event.verb, event.position_status) == ("supersede", "superseded")
    assert "Version 2" in event.reason
    settle()


def test_another_group_in_the_same_account_is_left_alone(place: Place, made: ModelVersion, people: Cast) -> None:
    at_stage(people, made, Stage.PRODUCTION, Status.DEPLOYED)
    at_stage(people, version(group(place.project, people)), Stage.PRODUCTION, Status.DEPLOYED)
    assert position(made) == "production/deployed"


def test_each_production_account_has_its_own_record(made: ModelVersion, people: Cast) -> None:
    second = accounts.register(
        actor=SYSTEM, account_id="555555555555", alias="production-eu", purposes=[AccountPurpose.PRODUCTION]
    )
    at_stage(people, made, Stage.PRODUCTION, Status.APPROVED)
    both = {d.account.account_id: d for d in Deployment.objects.filter(version=made, stage="production")}
    assert set(both) == {"444444444444", "555555555555"}
    for number, account_id in enumerate(("444444444444", second.account_id), start=1):
        deployments.report(
            actor=people.engineer.actor, deployment_id=both[account_id].pk, state=DeploymentState.DEPLOYED
        )
        assert StageRecord.objects.filter(version=made, stage="production", status="deployed").count() == number
        assert position(made) == "production/deployed"
    newer = at_stage(people, version(made.group, 2), Stage.PRODUCTION, Status.APPROVED)
    one, other = Deployment.objects.filter(version=newer, stage="production").order_by("account__account_id")
    deployments.report(actor=people.engineer.actor, deployment_id=one.pk, state=DeploymentState.DEPLOYED)
    assert position(made) == "production/deployed", "it still runs in the other account"
    deployments.report(actor=people.engineer.actor, deployment_id=other.pk, state=DeploymentState.DEPLOYED)
    assert position(made) == "production/superseded"
    settle()


def test_a_stage_without_an_account_still_has_its_record(made: ModelVersion, people: Cast) -> None:
    AwsAccount.objects.filter(account_id="333333333333").update(is_enabled=False)
    approve_once(people, made)
    record = StageRecord.objects.get(version=made, stage="qa")
    assert (record.account, record.status) == (None, "pending")
    assert not Deployment.objects.filter(version=made).exists()


# --- retirement


def retire(people: Cast, subject: ModelVersion | UseCase, **values: bool) -> None:
    retirement.retire(
        actor=people.officer.actor,
        subject_type=type(subject),
        subject_id=subject.pk,
        reason="Replaced by the vendor's.",
        **values,
    )


def test_what_runs_is_not_retired_silently(made: ModelVersion, people: Cast) -> None:
    at_stage(people, made, Stage.PRODUCTION, Status.APPROVED)
    report(people, made, Stage.PRODUCTION, DeploymentState.DEPLOYED, endpoint="credit-risk-live")
    before = fingerprint()
    with pytest.raises(WrongState, match="credit-risk-live in account-444"):
        retire(people, made)
    assert fingerprint() == before
    retire(people, made, force=True)
    assert position(made) == "retired/retired"
    assert set(statuses(made).values()) == {"retired"}
    assert written_back(made)[-1] == ("Rejected", "Archived", "Retired")
    settle()


def test_retirement_needs_a_reason_and_ends_everything(made: ModelVersion, people: Cast) -> None:
    with pytest.raises(InvalidInput):
        retirement.retire(actor=people.officer.actor, subject_type=ModelVersion, subject_id=made.pk, reason="  ")
    request = ask(people, made)
    retire(people, made)
    request.refresh_from_db()
    assert (request.state, request.closing_note) == ("outdated", "It was retired.")
    with pytest.raises(WrongState):
        ask(people, made)
    with pytest.raises(WrongState, match="already"):
        retire(people, made)
    with pytest.raises(WrongState):
        metrics.report(
            actor=people.engineer.actor,
            record_id=StageRecord.objects.get(version=made).pk,
            kind=metrics.MetricKind.VALIDATION,
            metrics={"auc": 1},
        )
    settle()


def test_a_use_case_is_retired_after_its_models(place: Place, people: Cast) -> None:
    case = use_case(people, place.project)
    serving = version(group(place.project, people, case))
    with pytest.raises(WrongState, match=serving.name):
        retire(people, case)
    retire(people, serving)
    retire(people, case)
    assert position(case) == "retired/retired"
    assert set(UseCaseStageRecord.objects.filter(use_case=case).values_list("status", flat=True)) == {"retired"}
    with pytest.raises(WrongState):
        use_cases.classify(actor=people.officer.actor, use_case_id=case.pk, risk_class=RiskClass.MINIMAL, reason="x")
    settle()


# --- use cases


def test_an_unclassified_use_case_asks_in_vain(place: Place, people: Cast) -> None:
    case = use_case(people, place.project, RiskClass.UNCLASSIFIED)
    before = fingerprint()
    with pytest.raises(WrongState, match="not classified"):
        ask(people, case)
    assert fingerprint() == before


def test_an_unacceptable_use_case_never_leaves_poc(place: Place, people: Cast) -> None:
    case = use_case(people, place.project, RiskClass.UNACCEPTABLE)
    with pytest.raises(WrongState, match="never leave POC"):
        ask(people, case)
    assert lifecycle.blockers(case)


def test_it_cannot_become_unacceptable_between_asking_and_deciding(place: Place, people: Cast) -> None:
    case = use_case(people, place.project)
    request = ask(people, case)
    use_cases.classify(
        actor=people.officer.actor,
        use_case_id=case.pk,
        risk_class=RiskClass.UNACCEPTABLE,
        reason="Social scoring.",
    )
    with pytest.raises(approvals.StaleRequest):
        approvals.decide(actor=people.owner.actor, request_id=request.pk, verdict=Verdict.APPROVE)
    request.refresh_from_db()
    assert (request.state, position(case)) == ("outdated", "poc/pending")
    assert not request.decisions.exists()
    with pytest.raises(WrongState):
        ask(people, case)


def test_a_use_case_waits_for_each_of_its_models_and_names_them(place: Place, people: Cast) -> None:
    case = use_case(people, place.project)
    approve_once(people, case)
    assert position(case) == "development/pending"
    assert lifecycle.blockers(case) == ("No model group is linked to it.",)

    scorer = version(group(place.project, people, case, name="scorer"))
    group(place.project, people, case, name="explainer")
    approve_once(people, case)
    assert position(case) == "development/approved"
    assert lifecycle.blockers(case) == (
        "No version of explainer is approved in Development (it has no version there).",
        "No version of scorer is approved in Development (version 1 is pending in Development).",
    )
    approve_once(people, scorer)
    assert position(case) == "development/approved"
    explainer = version(scorer.group.__class__.objects.get(name="explainer"))
    approve_once(people, explainer)
    # The last model to be approved takes the use case along, in its own transaction.
    assert position(case) == "qa/pending"
    event = StageEvent.objects.filter(use_case=case).latest("pk")
    assert (event.verb, event.stage, event.status) == ("advance", "qa", "pending")
    settle()


def test_the_whole_walk_of_a_use_case_with_its_model(place: Place, people: Cast) -> None:
    case = use_case(people, place.project)
    approve_once(people, case)
    model = version(group(place.project, people, case))
    seen = []
    for _ in range(4):
        approve_once(people, model)
        approve_once(people, case)
        seen.append(position(case))
    assert seen == ["qa/pending", "pre_production/pending", "production/pending", "production/approved"]
    assert lifecycle.blockers(case) == ()
    settle()


def test_a_newer_version_still_in_development_does_not_hold_the_use_case_back(place: Place, people: Cast) -> None:
    case = use_case(people, place.project)
    approve_once(people, case)
    model = version(group(place.project, people, case))
    approve_once(people, model)
    version(model.group, 2)
    approve_once(people, case)
    assert position(case) == "qa/pending"


def test_a_use_case_goes_back_for_rework_and_up_again(place: Place, people: Cast) -> None:
    case = use_case(people, place.project)
    at_stage(people, version(group(place.project, people, case)), Stage.PRODUCTION)
    for _ in range(3):
        approve_once(people, case)
    assert position(case) == "pre_production/pending"
    reject(people, case)
    assert position(case) == "development/rejected"
    approve_once(people, case)
    assert position(case) == "qa/pending"
    settle()


def test_retiring_the_model_in_the_way_takes_the_use_case_along(place: Place, people: Cast) -> None:
    """A version that names a use case without its group being linked leaves its scope when it is retired."""
    case = use_case(people, place.project)
    approve_once(people, case)
    approve_once(people, version(group(place.project, people, case)))
    stray = version(group(place.project, people), card_content=card(case.public_id, risk="Low"))
    approve_once(people, case)
    assert position(case) == "development/approved"
    retire(people, stray)
    assert position(case) == "qa/pending"
    settle()


# --- the fifteen attributes


def test_all_fifteen_attributes_are_filled(place: Place, people: Cast) -> None:
    case = use_case(people, place.project, name="Credit risk scoring")
    made = version(
        group(place.project, people, name="credit-risk"),
        card_content=card(case.public_id, risk="Medium", model_overview={"model_owner": "Morgan Owner"}),
    )
    (row,) = rows(stage_table(people.auditor.actor).filter(version=made))
    assert set(ATTRIBUTES) <= set(row)
    assert {name: row[name] for name in ATTRIBUTES if name != "audit_timestamp"} == {
        "use_case_id": case.public_id,
        "use_case_name": "Credit risk scoring",
        "use_case_stage": "poc",
        "model_group": "credit-risk",
        "model_version": 1,
        "model_owner": "Morgan Owner",
        "model_lob": "Consumer Lending",
        "model_project": place.project.key,
        "model_stage": "development",
        "model_status": "pending",
        "model_risk": "medium",
        "validation_metrics": {"validation_auc": 0.78},
        "monitoring_metrics": None,
        "audit_user": "aws:unknown",
    }
    assert row["audit_timestamp"]
    metrics.report(
        actor=people.engineer.actor,
        record_id=row["id"],
        kind=metrics.MetricKind.MONITORING,
        metrics={"drift": 0.1},
        endpoint="credit-risk-live",
    )
    (row,) = rows(stage_table(people.auditor.actor).filter(version=made))
    assert row["monitoring_metrics"]["metrics"] == {"drift": 0.1}
    assert row["monitoring_metrics"]["endpoint"] == "credit-risk-live"
    assert row["audit_user"] == people.engineer.username


def test_two_use_cases_are_two_rows_and_none_is_one(place: Place, people: Cast) -> None:
    cases = [use_case(people, place.project) for _ in range(2)]
    both = version(group(place.project, people, *cases))
    alone = version(group(place.project, people))
    table = rows(stage_table(people.auditor.actor))
    assert [row["use_case_id"] for row in table if row["model_package_arn"] == both.arn] == [
        case.public_id for case in cases
    ]
    assert [row["use_case_id"] for row in table if row["model_package_arn"] == alone.arn] == [None]
    assert rows(stage_table(people.stranger.actor)) == []


def test_the_table_costs_as_many_queries_for_thirty_rows_as_for_three(
    place: Place, people: Cast, django_assert_num_queries: object
) -> None:
    served = group(place.project, people, use_case(people, place.project))
    for number in range(1, 4):
        version(served, number)
    with django_assert_num_queries(1):  # type: ignore[operator]
        assert len(rows(stage_table(SYSTEM))) == 3
    for number in range(4, 31):
        version(served, number)
    with django_assert_num_queries(1):  # type: ignore[operator]
        assert len(rows(stage_table(SYSTEM))) == 30


# --- who is linked to what


def test_a_card_cannot_reach_into_another_project(place: Place, people: Cast) -> None:
    theirs = use_case(replace(people, scientist=people.stranger), place.elsewhere, RiskClass.UNCLASSIFIED)
    made = version(group(place.project, people), card_content=card(theirs.public_id))
    assert list(made.use_cases.all()) == []
    (row,) = rows(stage_table(people.auditor.actor).filter(version=made))
    assert row["use_case_name"] is None


def test_a_group_serves_use_cases_of_its_own_project(place: Place, people: Cast) -> None:
    theirs = use_case(replace(people, scientist=people.stranger), place.elsewhere, RiskClass.UNCLASSIFIED)
    claimed = group(place.project, people)
    before = fingerprint()
    with pytest.raises(InvalidInput) as refusal:
        groups.edit(
            actor=people.engineer.actor,
            group_id=claimed.pk,
            revision=claimed.revision,
            project=place.project,
            owner=None,
            use_cases=[theirs],
        )
    assert "use_cases" in refusal.value.errors
    assert fingerprint() == before


def test_a_group_is_claimed_by_people_of_the_project_it_goes_to(place: Place, people: Cast) -> None:
    unclaimed = group(None)
    values = {"revision": unclaimed.revision, "owner": None, "use_cases": []}
    with pytest.raises(approvals.Forbidden, match="claim"):
        groups.edit(actor=people.stranger.actor, group_id=unclaimed.pk, project=place.project, **values)
    with pytest.raises(NotFound):
        groups.edit(actor=people.scientist.actor, group_id=unclaimed.pk, project=place.project, **values)
    claimed = groups.edit(actor=people.engineer.actor, group_id=unclaimed.pk, project=place.project, **values)
    with pytest.raises(NotFound):
        groups.edit(
            actor=people.stranger.actor,
            group_id=claimed.pk,
            revision=claimed.revision,
            project=place.elsewhere,
            owner=None,
            use_cases=[],
        )
    with pytest.raises(approvals.Forbidden, match="claim"):
        groups.edit(
            actor=people.engineer.actor,
            group_id=claimed.pk,
            revision=claimed.revision,
            project=place.elsewhere,
            owner=None,
            use_cases=[],
        )


def test_unlinking_the_group_in_the_way_takes_the_use_case_along_at_the_next_sync(place: Place, people: Cast) -> None:
    case = use_case(people, place.project)
    approve_once(people, case)
    approve_once(people, version(group(place.project, people, case)))
    other = group(place.project, people, case)
    approve_once(people, case)
    assert position(case) == "development/approved"
    groups.edit(
        actor=people.engineer.actor,
        group_id=other.pk,
        revision=other.revision,
        project=place.project,
        owner=None,
        use_cases=[],
    )
    with operation(SYSTEM):
        intake.absorb_group(SYSTEM, other)
    assert position(case) == "qa/pending"
    settle()
