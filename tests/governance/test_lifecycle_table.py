"""The lifecycle table by itself: no database but for the last test, which compares its mirror."""

from __future__ import annotations

import pytest

from governance.lifecycle import (
    EDGES,
    MODEL_STAGES,
    SKIPPABLE,
    USE_CASE_STAGES,
    Edge,
    Machine,
    Verb,
    check_path,
    default_stage_back,
    is_legal,
    mermaid,
    next_stage,
    stages_back_to,
    targets,
    verbs_from,
)
from governance.models import LifecycleEdge
from portal.core.vocabulary import Stage, SubjectKind
from tests.matrices.lifecycle import FINAL, FORBIDDEN_MOVES, STATES, WALK

VERSION, USE_CASE = SubjectKind.MODEL_VERSION, SubjectKind.USE_CASE


def edges_of(machine: Machine) -> list[Edge]:
    return [edge for edge in EDGES if edge.machine is machine]


@pytest.mark.parametrize("machine", Machine)
def test_the_table_has_exactly_the_states_of_the_domain(machine: Machine) -> None:
    states = {edge.source for edge in edges_of(machine)} | {edge.target for edge in edges_of(machine)}
    assert states - {""} == STATES[machine]


@pytest.mark.parametrize("machine", Machine)
def test_every_state_is_reached_from_the_beginning_and_only_final_ones_are_dead_ends(machine: Machine) -> None:
    reached, waiting = {""}, [""]
    while waiting:
        state = waiting.pop()
        for edge in edges_of(machine):
            if edge.source == state and edge.target not in reached:
                reached.add(edge.target)
                waiting.append(edge.target)
    assert reached - {""} == STATES[machine]
    assert {state for state in STATES[machine] if not verbs_from(machine, state)} == FINAL[machine]


@pytest.mark.parametrize("machine", Machine)
def test_there_is_one_way_in_and_it_is_registration(machine: Machine) -> None:
    (entry,) = [edge for edge in edges_of(machine) if edge.source == ""]
    assert entry.verb is Verb.REGISTER
    assert [edge for edge in edges_of(machine) if edge.verb is Verb.REGISTER] == [entry]


def test_edges_are_sorted_and_unique() -> None:
    assert list(EDGES) == sorted(set(EDGES))


@pytest.mark.parametrize(("machine", "source", "target"), FORBIDDEN_MOVES)
def test_forbidden_moves_do_not_exist_under_any_verb(machine: str, source: str, target: str) -> None:
    assert source in STATES[machine]
    assert not any(is_legal(Machine(machine), verb, source, target) for verb in Verb)


@pytest.mark.parametrize("kind", SubjectKind)
def test_no_move_but_approval_leads_to_approved_and_no_approval_changes_the_stage(kind: SubjectKind) -> None:
    for edge in edges_of(Machine(kind)):
        if edge.verb is Verb.ROLLBACK:
            # What was approved there before stands approved again, and nothing else does.
            assert (edge.source, edge.target) == ("production/superseded", "production/approved")
        elif edge.target.endswith("/approved"):
            assert (edge.verb, edge.source) == (Verb.APPROVE, edge.target.replace("approved", "pending"))


@pytest.mark.parametrize("kind", SubjectKind)
def test_a_stage_is_entered_only_from_an_approved_earlier_one(kind: SubjectKind) -> None:
    walk = WALK[kind]
    for edge in edges_of(Machine(kind)):
        if edge.verb is not Verb.ADVANCE:
            continue
        (source, status), (target, entered) = edge.source.split("/"), edge.target.split("/")
        assert (status, entered) == ("approved", "pending")
        between = walk[walk.index(source) + 1 : walk.index(target)]
        assert set(between) <= {"qa", "pre_production"}, f"{edge} skips a stage that may not be skipped"


@pytest.mark.parametrize("kind", SubjectKind)
def test_every_living_state_can_be_retired_and_rejection_never_leads_forward(kind: SubjectKind) -> None:
    machine, walk = Machine(kind), WALK[kind]
    for state in STATES[machine] - FINAL[machine]:
        assert targets(machine, Verb.RETIRE, state) == ("retired/retired",)
    for edge in edges_of(machine):
        if edge.verb is Verb.REJECT:
            source, target = edge.source.split("/")[0], edge.target.split("/")[0]
            assert walk.index(target) <= walk.index(source)


def test_a_use_case_found_unacceptable_goes_back_to_poc_from_wherever_it_is() -> None:
    found = [edge for edge in EDGES if edge.verb is Verb.PROHIBIT and edge.machine is Machine.USE_CASE]
    assert {edge.target for edge in found} == {"poc/rejected"}
    assert {edge.source for edge in found} == STATES["use_case"] - {"poc/rejected", "retired/retired"}


def test_only_versions_are_deployed() -> None:
    assert {edge.machine for edge in EDGES if edge.verb in (Verb.DEPLOY, Verb.SUPERSEDE, Verb.ROLLBACK)} == {
        Machine.MODEL_VERSION,
        Machine.STAGE_RECORD,
    }


def test_the_next_stage_follows_the_path() -> None:
    whole = MODEL_STAGES
    assert [next_stage(VERSION, stage, whole) for stage in whole] == [*whole[1:], None]
    assert next_stage(USE_CASE, Stage.POC, USE_CASE_STAGES) is Stage.DEVELOPMENT


def test_a_path_without_pre_production_goes_from_qa_to_production() -> None:
    path = [stage for stage in MODEL_STAGES if stage is not Stage.PRE_PRODUCTION]
    check_path(VERSION, path)
    assert next_stage(VERSION, Stage.QA, path) is Stage.PRODUCTION
    # A version that was in pre-production when the policy changed goes on from where it stands.
    assert next_stage(VERSION, Stage.PRE_PRODUCTION, path) is Stage.PRODUCTION
    assert is_legal(Machine.MODEL_VERSION, Verb.ADVANCE, "qa/approved", "production/pending")


def test_whatever_path_a_policy_takes_the_table_has_its_moves() -> None:
    for kind, stages in ((VERSION, MODEL_STAGES), (USE_CASE, USE_CASE_STAGES)):
        for left_out in (set(), {Stage.QA}, {Stage.PRE_PRODUCTION}, set(SKIPPABLE)):
            path = [stage for stage in stages if stage not in left_out]
            check_path(kind, path)
            for stage in path[:-1]:
                following = next_stage(kind, stage, path)
                assert is_legal(Machine(kind), Verb.ADVANCE, f"{stage}/approved", f"{following}/pending")


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        (VERSION, [Stage.DEVELOPMENT, Stage.QA, Stage.PRE_PRODUCTION]),
        (VERSION, [Stage.QA, Stage.PRODUCTION]),
        (VERSION, [Stage.PRODUCTION, Stage.DEVELOPMENT]),
        (VERSION, [Stage.DEVELOPMENT, Stage.DEVELOPMENT, Stage.PRODUCTION]),
        (VERSION, [Stage.POC, Stage.DEVELOPMENT, Stage.PRODUCTION]),
        (USE_CASE, [Stage.DEVELOPMENT, Stage.PRODUCTION]),
        (USE_CASE, [Stage.POC, Stage.PRODUCTION]),
        (USE_CASE, []),
    ],
)
def test_a_path_that_leaves_out_or_reorders_stages_is_refused(kind: SubjectKind, path: list[Stage]) -> None:
    with pytest.raises(ValueError, match="path"):
        check_path(kind, path)


def test_a_rejection_goes_to_development_unless_it_is_earlier_still() -> None:
    assert default_stage_back(USE_CASE, Stage.POC) is Stage.POC
    assert default_stage_back(USE_CASE, Stage.PRODUCTION) is Stage.DEVELOPMENT
    for stage in MODEL_STAGES:
        assert default_stage_back(VERSION, stage) is Stage.DEVELOPMENT
        assert default_stage_back(VERSION, stage) in stages_back_to(VERSION, stage)
    assert stages_back_to(VERSION, Stage.QA) == (Stage.DEVELOPMENT, Stage.QA)


@pytest.mark.parametrize("machine", Machine)
def test_the_diagram_draws_every_move_once(machine: Machine) -> None:
    lines = mermaid(machine).splitlines()
    assert lines[0] == "stateDiagram-v2"
    assert len(lines) - 1 == len(set(lines[1:])) == len(edges_of(machine))
    assert all("/" not in line for line in lines), "Mermaid takes no slash in the name of a state"
    assert sum("[*] -->" in line for line in lines) == 1


@pytest.mark.django_db
def test_the_database_has_the_same_table() -> None:
    mirrored = set(LifecycleEdge.objects.values_list("machine", "verb", "source", "target"))
    assert mirrored == {(str(e.machine), str(e.verb), e.source, e.target) for e in EDGES}
