"""What ran in production at a moment and on whose word, and one subject as it stood."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from governance.choices import Verdict
from governance.models import ApprovalRequest, Decision
from governance.selectors.as_of import stage_table_as_of, then, use_cases_as_of, versions_as_of
from governance.selectors.production import Running, in_production, on_whose_word, running_row
from governance.services import approvals, deployments
from governance.services.in_production import rollback
from portal.core.actors import Actor
from portal.core.vocabulary import RiskClass, Stage, Status
from registry.choices import DeploymentState
from registry.models import Deployment, ModelVersion
from registry.services import use_cases
from tests import factories
from tests.factories import at_stage
from tests.factories.walk import all_accounts, approve_once
from tests.governance.test_as_of import clock

EVERYBODY = Actor.system("test")


def ran(moment: datetime, actor: Actor = EVERYBODY) -> list[Running]:
    return list(on_whose_word(in_production(actor, moment).order_by("id", "row_key"), moment))


def named(found: list[Running]) -> list[tuple[str, int, str, str]]:
    return [
        (item.row.model_group, item.row.model_version, item.row.use_case_name, item.row.model_status) for item in found
    ]


def test_what_ran_and_on_whose_word(committed_db: str) -> None:
    """One story: approved, deployed, replaced, rolled back to; each moment is told as it was."""
    home, other = factories.project(), factories.project()
    all_accounts()
    people = factories.cast(home, other)
    case = factories.use_case(people, home, name="Lending")
    group = factories.group(home, people, case, name="scoring")
    nothing = clock()
    first = factories.version(group, 1)
    at_stage(people, first, Stage.PRODUCTION)
    trial = clock()
    approve_once(people, first)
    approved = clock()

    def report(version: ModelVersion, endpoint: str) -> None:
        row = Deployment.objects.get(version=version, stage=Stage.PRODUCTION)
        deployments.report(
            actor=people.engineer.actor, deployment_id=row.pk, state=DeploymentState.DEPLOYED, endpoint=endpoint
        )

    report(first, "endpoint/one")
    deployed = clock()
    second = at_stage(people, factories.version(group, 2), Stage.PRODUCTION, Status.APPROVED)
    report(second, "endpoint/two")
    replaced = clock()
    rollback(actor=people.officer.actor, version_id=first.pk, stage=Stage.PRODUCTION, reason="Two drifts too much.")
    ordered_back = clock()
    report(first, "endpoint/three")
    back = clock()

    assert ran(nothing) == ran(trial) == []
    assert named(ran(approved)) == [("scoring", 1, "Lending", "approved")]
    assert [item.reported for item in ran(approved)] == [None]
    (running,) = ran(deployed)
    assert named([running]) == [("scoring", 1, "Lending", "deployed")]
    assert running.reported is not None
    assert (running.reported.by, running.reported.endpoint) == (people.engineer.username, "endpoint/one")
    request = ApprovalRequest.objects.get(version=first, stage=Stage.PRODUCTION)
    assert running.request == request
    assert running.approvals == tuple(request.decisions.filter(verdict="approve").order_by("pk"))
    assert {given.role for given in running.approvals} == {"governance_officer"}
    assert [move.verb for move in running.moves] == ["approve", "deploy"]
    assert running.approved_at == running.moves[0].at
    row = running_row(running)
    assert row["request"] == request.public_id
    assert row["policy_version"] == request.policy.number
    assert row["digest"] == request.digest
    assert row["account"] == "444444444444"
    assert row["approvals"][0]["decided_by"] == people.officer.username
    assert row["reported_by"] == people.engineer.username

    assert named(ran(replaced)) == [("scoring", 2, "Lending", "deployed")]
    assert ("scoring", 1, "Lending", "approved") in named(ran(ordered_back))
    again = next(item for item in ran(ordered_back) if item.row.model_version == 1)
    assert again.reported is None, "what was reported before the rollback is over"
    assert [move.verb for move in again.moves] == ["approve", "deploy", "supersede", "rollback"]
    (finally_,) = ran(back)
    assert named([finally_]) == [("scoring", 1, "Lending", "deployed")]
    assert finally_.reported is not None
    assert finally_.reported.endpoint == "endpoint/three"
    assert finally_.moves[3].reason == "Two drifts too much."
    assert finally_.request == request, "a rollback rests on the approval that was given"

    # Rights are those of today.
    assert ran(deployed, people.stranger.actor) == []
    assert named(ran(deployed, people.auditor.actor)) == named(ran(deployed))


def test_one_subject_as_it_stood(committed_db: str) -> None:
    home, other = factories.project(), factories.project()
    all_accounts()
    people = factories.cast(home, other)
    before = clock()
    case = factories.use_case(people, home, name="Lending", risk=RiskClass.LIMITED)
    version = factories.version(factories.group(home, people, case), 1)
    fresh = clock()
    request = approvals.submit(actor=people.scientist.actor, subject_type=ModelVersion, subject_id=version.pk)
    asked = clock()
    approvals.decide(actor=people.owner.actor, request_id=request.pk, verdict=Verdict.APPROVE, comment="Fine.")
    decided = clock()
    use_cases.classify(actor=people.officer.actor, use_case_id=case.pk, risk_class=RiskClass.HIGH, reason="Annex III.")
    approve_once(people, case)
    now = clock()

    unknown = then(EVERYBODY, version, before)
    assert (unknown.position, unknown.rows, unknown.waiting, unknown.decisions, unknown.moves) == (None, (), (), (), ())
    assert then(EVERYBODY, case, before).position is None
    was = then(EVERYBODY, version, fresh)
    assert (was.position.stage, was.position.status, was.position.use_cases) == (
        "development",
        "pending",
        [case.number],
    )
    assert [row.model_status for row in was.rows] == ["pending"]
    assert was.waiting == ()
    assert then(EVERYBODY, version, asked).waiting == (request,)
    was = then(EVERYBODY, version, decided)
    assert (was.position.stage, was.position.status) == ("qa", "pending")
    assert was.waiting == ()
    assert was.decisions == tuple(Decision.objects.filter(request=request))
    assert [row.model_stage for row in was.rows] == ["qa", "development"]
    assert {move.verb for move in was.moves} == {"register", "approve", "advance"}
    assert then(EVERYBODY, case, decided).position.risk_class == "limited"
    was = then(EVERYBODY, case, now)
    assert (was.position.risk_class, was.position.stage, was.position.status) == ("high", "development", "pending")
    assert [(record.stage, record.status) for record in was.records] == [
        (Stage.POC, "approved"),
        (Stage.DEVELOPMENT, "pending"),
    ]
    assert then(EVERYBODY, case, fresh).records[0].status == "pending"

    assert (
        versions_as_of(people.stranger.actor, now).count() == use_cases_as_of(people.stranger.actor, now).count() == 0
    )
    assert versions_as_of(people.auditor.actor, fresh).get().status == "pending"


def test_it_costs_the_same_however_much_there_is(committed_db: str) -> None:
    home, other = factories.project(), factories.project()
    all_accounts()
    people = factories.cast(home, other)
    cases = [factories.use_case(people, home) for _ in range(2)]
    group = factories.group(home, people, *cases)
    costs: list[dict[str, int]] = []
    numbers = iter(range(1, 100))
    for size in (1, 4):
        for _ in range(size):
            at_stage(people, factories.version(group, next(numbers)), Stage.PRODUCTION, Status.APPROVED)
        moment = clock()
        reads: dict[str, Any] = {
            "table": lambda at: list(stage_table_as_of(people.auditor.actor, at)),
            "versions": lambda at: list(versions_as_of(people.auditor.actor, at)),
            "production": lambda at: ran(at, people.auditor.actor),
            "subject": lambda at: then(people.auditor.actor, ModelVersion.objects.order_by("pk")[0], at),
        }
        # What is read once per actor is read before: his grants, and what is shown to him by name.
        assert people.auditor.actor.grants is not None
        assert versions_as_of(people.auditor.actor, moment).exists()
        assert use_cases_as_of(people.auditor.actor, moment).exists()
        taken = {}
        for name, read in reads.items():
            with CaptureQueriesContext(connection) as queries:
                assert read(moment)
            taken[name] = len(queries)
        costs.append(taken)
    assert costs[0] == costs[1]
    assert costs[0]["table"] == costs[0]["versions"] == 1


@pytest.mark.parametrize(
    "filtered", [{"model_stage": "qa"}, {"use_case_name__icontains": "lend"}, {"model_risk": "low"}]
)
def test_what_is_filtered_is_what_was_so_then(committed_db: str, filtered: dict[str, str]) -> None:
    home, other = factories.project(), factories.project()
    all_accounts()
    people = factories.cast(home, other)
    case = factories.use_case(people, home, name="Lending")
    at_stage(people, factories.version(factories.group(home, people, case), 1), Stage.QA)
    moment = clock()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE registry_usecase SET name = 'Other'")
        cursor.execute("UPDATE registry_modelversion SET risk_rating = 'high'")
    factories.walk.approve_once(people, ModelVersion.objects.get())
    assert stage_table_as_of(EVERYBODY, moment).filter(**filtered).exists()
    assert stage_table_as_of(EVERYBODY, moment).exclude(**filtered).count() == stage_table_as_of(
        EVERYBODY, moment
    ).count() - len(stage_table_as_of(EVERYBODY, moment).filter(**filtered))
    if "model_stage" not in filtered:
        assert not stage_table_as_of(EVERYBODY, clock()).filter(**filtered).exists()
