"""The fifteen attributes, and who is linked to what."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.utils import timezone
from guardian.shortcuts import assign_perm

from governance.selectors.as_of import stage_table_as_of
from governance.selectors.stage_table import ATTRIBUTES, rows, stage_table
from governance.services import approvals, intake, metrics
from portal.core.errors import InvalidInput, NotFound
from portal.core.operations import operation
from portal.core.vocabulary import RiskClass
from registry.models import User
from registry.services import groups
from tests.factories import Cast, group, use_case, version
from tests.factories.people import SYSTEM
from tests.factories.records import card
from tests.factories.walk import approve_once
from tests.scene import fingerprint, settle

from .conftest import Place
from .walking_by_hand import position

pytestmark = pytest.mark.django_db


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
    intake.take_use_cases_along(SYSTEM, [other])
    assert position(case) == "qa/pending"
    settle()


def test_a_use_case_one_may_not_see_is_not_told_through_a_group_one_may(place: Place, people: Cast) -> None:
    case = use_case(people, place.project, name="Layoffs of next year")
    models = group(place.project, people, case)
    made = version(models)
    assign_perm("registry.view_modelgroup", people.stranger, models)
    actor = User.objects.get(pk=people.stranger.pk).actor
    (shown,) = stage_table(actor).filter(version=made)
    assert shown.row_use_case_hidden
    (row,) = rows([shown])
    assert (row["use_case_id"], row["use_case_name"], row["use_case_stage"]) == (None, None, None)
    assert not stage_table(actor).filter(row_use_case_name__icontains="layoffs").exists()
    assert not stage_table(actor).filter(row_use_case_number=case.number).exists()
    assert not stage_table_as_of(actor, timezone.now()).filter(use_case_name="Layoffs of next year").exists()
    (whole,) = rows(stage_table(people.auditor.actor).filter(version=made))
    assert whole["use_case_name"] == "Layoffs of next year"
