"""Every legal move, written out from the domain beside the table that is built in code. No database."""

from __future__ import annotations

import importlib.util
from types import ModuleType

import pytest

from governance import lifecycle
from governance.lifecycle import Machine, Verb
from portal.core.vocabulary import Stage, SubjectKind

Move = tuple[str, str, str]
GONE = "retired/retired"

# From where each stage is entered, and to which a rejection there may go back.
FORWARD = {
    "poc": ["development"],
    "development": ["qa", "pre_production", "production"],
    "qa": ["pre_production", "production"],
    "pre_production": ["production"],
    "production": [],
}
BACK = {
    "poc": ["poc"],
    "development": ["poc", "development"],
    "qa": ["poc", "development", "qa"],
    "pre_production": ["poc", "development", "qa", "pre_production"],
    "production": ["poc", "development", "qa", "pre_production", "production"],
}


def walk(*stages: str) -> set[Move]:
    """The moves that use cases and model versions share."""
    moves: set[Move] = {("register", "", f"{stages[0]}/pending")}
    for stage in stages:
        moves |= {
            ("approve", f"{stage}/pending", f"{stage}/approved"),
            ("resubmit", f"{stage}/rejected", f"{stage}/pending"),
            ("retire", f"{stage}/pending", GONE),
            ("retire", f"{stage}/approved", GONE),
            ("retire", f"{stage}/rejected", GONE),
        }
        moves |= {("advance", f"{stage}/approved", f"{other}/pending") for other in FORWARD[stage]}
        moves |= {("reject", f"{stage}/pending", f"{other}/rejected") for other in BACK[stage] if other in stages}
    return moves


MOVES: dict[str, set[Move]] = {
    "use_case": walk("poc", "development", "qa", "pre_production", "production")
    | {
        ("prohibit", f"{stage}/{status}", "poc/rejected")
        for stage in BACK["production"]
        for status in ("pending", "approved", "rejected")
        if (stage, status) != ("poc", "rejected")
    },
    "model_version": walk("development", "qa", "pre_production", "production")
    | {
        ("deploy", "production/approved", "production/deployed"),
        ("supersede", "production/deployed", "production/superseded"),
        ("rollback", "production/superseded", "production/approved"),
        ("retire", "production/deployed", GONE),
        ("retire", "production/superseded", GONE),
    },
    "stage_record": {
        ("register", "", "pending"),
        ("approve", "pending", "approved"),
        ("reject", "pending", "rejected"),
        ("reject", "approved", "rejected"),
        ("prohibit", "pending", "rejected"),
        ("prohibit", "approved", "rejected"),
        ("resubmit", "rejected", "pending"),
        ("advance", "rejected", "pending"),
        ("advance", "approved", "pending"),
        ("deploy", "approved", "deployed"),
        ("supersede", "deployed", "superseded"),
        ("rollback", "superseded", "approved"),
        *(("retire", status, "retired") for status in ("pending", "approved", "rejected", "deployed", "superseded")),
    },
    "approval_request": {
        ("register", "", "open"),
        ("approve", "open", "approved"),
        ("reject", "open", "rejected"),
        ("request_changes", "open", "changes_requested"),
        ("withdraw", "open", "withdrawn"),
        ("expire", "open", "expired"),
        ("outdate", "open", "outdated"),
    },
}


@pytest.fixture
def built_anew() -> ModuleType:
    """The module executed once more: what builds the table runs inside the test that judges it."""
    spec = importlib.util.find_spec("governance.lifecycle")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def moves_of(module: ModuleType, machine: str) -> list[Move]:
    return [(str(edge.verb), str(edge.source), str(edge.target)) for edge in module.EDGES if edge.machine == machine]


@pytest.mark.parametrize("machine", MOVES)
def test_the_table_has_exactly_these_moves(built_anew: ModuleType, machine: str) -> None:
    for module in (built_anew, lifecycle):
        found = moves_of(module, machine)
        assert set(found) == MOVES[machine]
        assert len(found) == len(MOVES[machine])


def test_every_machine_is_written_out(built_anew: ModuleType) -> None:
    assert set(MOVES) == set(Machine) == {str(edge.machine) for edge in built_anew.EDGES}
    # Compared as text: each build has classes of its own.
    as_text = [tuple(map(str, (edge.machine, edge.verb, edge.source, edge.target))) for edge in built_anew.EDGES]
    assert as_text == sorted(as_text)


@pytest.mark.parametrize("machine", Machine)
def test_questions_about_moves_are_answered_from_the_table(machine: Machine) -> None:
    states = {source for _, source, _ in MOVES[machine]} | {target for _, _, target in MOVES[machine]}
    for source in states:
        leading = {verb for verb, before, _ in MOVES[machine] if before == source}
        assert lifecycle.verbs_from(machine, source) == leading
        for verb in Verb:
            there = sorted(after for said, before, after in MOVES[machine] if (said, before) == (verb, source))
            assert list(lifecycle.targets(machine, verb, source)) == there
            assert {state for state in states if lifecycle.is_legal(machine, verb, source, state)} == set(there)
    assert not lifecycle.verbs_from(machine, "elsewhere")
    others = [other for other in Machine if other is not machine]
    assert not any(lifecycle.is_legal(other, Verb.APPROVE, "elsewhere", "approved") for other in others)


@pytest.mark.parametrize("kind", SubjectKind)
def test_a_rejection_may_go_back_to_every_stage_up_to_its_own(kind: SubjectKind) -> None:
    stages = lifecycle.STAGES[kind]
    for stage in stages:
        reachable = tuple(Stage(other) for other in BACK[stage] if other in stages)
        assert lifecycle.stages_back_to(kind, stage) == reachable
        assert lifecycle.default_stage_back(kind, stage) is (Stage.POC if stage is Stage.POC else Stage.DEVELOPMENT)


@pytest.mark.parametrize(
    ("kind", "path", "words"),
    [
        (SubjectKind.MODEL_VERSION, [Stage.PRODUCTION, Stage.DEVELOPMENT], "does not follow the order of the stages"),
        (SubjectKind.USE_CASE, [Stage.QA], "may not leave out .*development.*poc.*production"),
    ],
)
def test_a_path_that_cannot_be_walked_says_why(kind: SubjectKind, path: list[Stage], words: str) -> None:
    with pytest.raises(ValueError, match=f"^The path .*{words}.*\\.$"):
        lifecycle.check_path(kind, path)
    with pytest.raises(ValueError, match=words):
        lifecycle.next_stage(kind, path[0], path)


@pytest.mark.parametrize("machine", Machine)
def test_the_diagram_is_the_table(machine: Machine) -> None:
    drawn = {
        f"    {source.replace('/', '_') or '[*]'} --> {target.replace('/', '_')}: {verb}"
        for verb, source, target in MOVES[machine]
    }
    first, *lines = lifecycle.mermaid(machine).split("\n")
    assert first == "stateDiagram-v2"
    assert set(lines) == drawn
    assert len(lines) == len(drawn)
