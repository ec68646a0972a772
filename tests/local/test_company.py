"""The story of the demo's company, as data: rich enough to look like one, in order, and the same for the same day."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from portal.core.vocabulary import RiskClass, Stage
from portal.local.company import play
from portal.local.company.evidence_files import _FILES, _KINDS
from portal.local.company.models import GROUPS
from portal.local.company.packages import monitored, parameters_of, request_of, values_of
from portal.local.company.people import OFFICERS, PEOPLE, PROJECTS, grants
from portal.local.company.plan import plan
from portal.local.company.steps import Step, begun, worked, working
from portal.local.company.use_cases import USE_CASES, documents_of
from portal.local.demo_users import DEMO_USERS
from registry import ai_act
from registry.services import cards

# A Wednesday noon, a Saturday, a Monday before anybody is there.
MOMENTS = [
    datetime(2026, 11, 18, 12, 0, tzinfo=UTC),
    datetime(2026, 11, 21, 13, 40, tzinfo=UTC),
    datetime(2027, 3, 1, 5, 10, tzinfo=UTC),
]


@pytest.fixture(scope="module")
def story() -> list[Step]:
    return plan(MOMENTS[0])


@pytest.mark.parametrize("now", MOMENTS, ids=str)
def test_it_is_a_company_for_three_months(now: datetime) -> None:
    steps = plan(now)
    done = Counter(step.verb for step in steps)
    assert done["use_case"] >= 12
    assert done["group"] >= 25
    assert done["version"] >= 150
    assert timedelta(days=85) < steps[-1].at - steps[0].at < timedelta(days=100)
    assert [step.at for step in steps] == sorted(step.at for step in steps)
    assert steps[0].verb == "company"
    assert all(step.at <= now for step in steps)
    for verb in ("publish_policy", "delegate", "break_glass", "rollback", "retire", "given_up", "findings"):
        assert done[verb], verb


def test_it_is_the_same_for_the_same_moment(story: list[Step]) -> None:
    assert plan(MOMENTS[0]) == story


def test_people_work_when_people_work(story: list[Step]) -> None:
    by_hand = [step for step in story if step.verb in ("ask", "word", "use_case", "ask_use_case", "use_case_word")]
    assert all(step.at.weekday() < 5 for step in by_hand)
    assert all(8 <= step.at.hour < 18 for step in by_hand)
    night = datetime(2026, 11, 14, 23, 50, tzinfo=UTC)
    assert (working(night).weekday(), worked(night).weekday()) == (0, 4)


def test_every_step_is_one_the_player_knows(story: list[Step]) -> None:
    assert {step.verb for step in story} == set(play.DEEDS)


def test_versions_come_one_after_the_other_and_nothing_happens_to_one_before(story: list[Step]) -> None:
    known: dict[str, int] = {}
    for step in story:
        if "number" not in step.about or step.verb == "group":
            continue
        group, number = step.about["group"], step.about["number"]
        if step.verb == "version":
            assert number == known.get(group, 0) + 1
            known[group] = number
        else:
            assert number <= known.get(group, 0), step
    assert known == {group.name: group.versions for group in GROUPS}


def test_use_cases_stand_in_every_stage_and_of_every_class() -> None:
    assert {plan.until for plan in USE_CASES} == set(Stage) - {Stage.RETIRED}
    edition = ai_act.current()
    classes = set()
    for plan_ in USE_CASES:
        if plan_.answers is not None:
            assessment = ai_act.assess(edition, ai_act.read_answers(edition, plan_.all_answers()))
            assert not assessment.missing, plan_.name
            assert assessment.is_derogated == bool(plan_.derogation), plan_.name
            classes.add(assessment.risk_class)
    assert classes == set(RiskClass) - {RiskClass.UNCLASSIFIED}


def test_everybody_named_is_somebody_with_a_role() -> None:
    people = {person.username for person in PEOPLE} | {user.username for user in DEMO_USERS}
    named = {name for name, *_ in grants()} | set(OFFICERS)
    assert len(people) == len(PEOPLE) + len(DEMO_USERS) >= 25
    assert named <= people
    assert {plan.project for plan in USE_CASES} <= {project.key for project in PROJECTS}
    use_cases = {plan.name: plan.project for plan in USE_CASES}
    for group in GROUPS:
        assert group.use_case is None or use_cases[group.use_case] == group.project


@pytest.mark.parametrize("group", [group for group in GROUPS if group.project], ids=lambda group: group.name)
def test_cards_are_what_sagemaker_takes(group) -> None:  # type: ignore[no-untyped-def]  # a fixture's parameter
    for number in range(1, group.versions + 1):
        request = request_of(group, number, use_case_id="UC-0007", use_case_name="Any", owner="Somebody")
        assert all(len(value) <= 256 for value in request["CustomerMetadataProperties"].values())
        if "ModelCard" in request:
            content = json.loads(request["ModelCard"]["ModelCardContent"])
            assert cards.problems_of(content) == ()
            assert parameters_of(group, number)


def test_metrics_move_but_do_not_jump() -> None:
    for group in GROUPS:
        first, last = values_of(group, 1), values_of(group, group.versions)
        assert first == values_of(group, 1)
        assert all(isinstance(value, float) for value in last.values())
        main = next(iter(first))
        assert abs(last[main] - first[main]) < 0.12
    drifting = next(group for group in GROUPS if group.name == "damage-cost")
    assert monitored(drifting, 4, 1, 0.034)["psi"] < 0.2 < monitored(drifting, 4, 6, 0.034)["psi"]


def test_what_people_attach_is_there_and_small() -> None:
    for _, name, _ in _KINDS:
        if name:
            assert 100 < (_FILES / name).stat().st_size < 50_000
    assert all(documents_of(plan_) or plan_.documents == 0 for plan_ in USE_CASES)


def test_it_begins_on_a_monday_morning() -> None:
    for now in MOMENTS:
        assert (begun(now.date()).weekday(), begun(now.date()).hour) == (0, 8)
