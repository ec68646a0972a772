"""The lifecycle table: every legal move of everything that has a state, as data, Django-free.

Buttons, API, documentation diagram, database guard and tests are all derived from `EDGES`. A state is the
text the guard sees: `stage/status` for what walks through stages, a single word for the rest; `""` is
"does not exist yet".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from portal.core.vocabulary import Stage, Status, SubjectKind


class Machine(StrEnum):
    """What the table speaks of."""

    USE_CASE = "use_case"
    MODEL_VERSION = "model_version"
    STAGE_RECORD = "stage_record"
    APPROVAL_REQUEST = "approval_request"


class Verb(StrEnum):
    """The moves."""

    REGISTER = "register"
    APPROVE = "approve"
    ADVANCE = "advance"
    REJECT = "reject"
    RESUBMIT = "resubmit"
    DEPLOY = "deploy"
    SUPERSEDE = "supersede"
    ROLLBACK = "rollback"
    RENEW = "renew"
    PROHIBIT = "prohibit"
    RETIRE = "retire"
    WITHDRAW = "withdraw"
    REQUEST_CHANGES = "request_changes"
    EXPIRE = "expire"
    OUTDATE = "outdate"


class RequestState(StrEnum):
    """The states of an approval request; only `open` can still change."""

    OPEN = "open"
    APPROVED = "approved"
    REJECTED = "rejected"
    CHANGES_REQUESTED = "changes_requested"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    OUTDATED = "outdated"


@dataclass(frozen=True, order=True)
class Edge:
    """One legal move of one machine."""

    machine: Machine
    verb: Verb
    source: str
    target: str


@dataclass(frozen=True)
class Position:
    """Where a subject stands."""

    stage: Stage
    status: Status

    @property
    def state(self) -> str:
        """The text the guard compares: `qa/pending`."""
        return f"{self.stage}/{self.status}"


MODEL_STAGES: tuple[Stage, ...] = (Stage.DEVELOPMENT, Stage.QA, Stage.PRE_PRODUCTION, Stage.PRODUCTION)
USE_CASE_STAGES: tuple[Stage, ...] = (Stage.POC, *MODEL_STAGES)
STAGES: dict[SubjectKind, tuple[Stage, ...]] = {
    SubjectKind.MODEL_VERSION: MODEL_STAGES,
    SubjectKind.USE_CASE: USE_CASE_STAGES,
}
# A policy may take these out of the path; the first and the last stage are never skipped.
SKIPPABLE: frozenset[Stage] = frozenset({Stage.QA, Stage.PRE_PRODUCTION})
RETIRED = Position(Stage.RETIRED, Status.RETIRED)


def _state(stage: Stage, status: Status) -> str:
    return Position(stage, status).state


def _walk(machine: Machine, stages: Sequence[Stage]) -> Iterable[Edge]:
    """The moves that use cases and model versions share."""
    yield Edge(machine, Verb.REGISTER, "", _state(stages[0], Status.PENDING))
    for index, stage in enumerate(stages):
        pending = _state(stage, Status.PENDING)
        yield Edge(machine, Verb.APPROVE, pending, _state(stage, Status.APPROVED))
        yield Edge(machine, Verb.RESUBMIT, _state(stage, Status.REJECTED), pending)
        for back_to in stages[: index + 1]:
            yield Edge(machine, Verb.REJECT, pending, _state(back_to, Status.REJECTED))
        for ahead in range(index + 1, len(stages)):
            if SKIPPABLE.issuperset(stages[index + 1 : ahead]):
                yield Edge(
                    machine,
                    Verb.ADVANCE,
                    _state(stage, Status.APPROVED),
                    _state(stages[ahead], Status.PENDING),
                )
        for status in (Status.PENDING, Status.APPROVED, Status.REJECTED):
            yield Edge(machine, Verb.RETIRE, _state(stage, status), RETIRED.state)


def _model_version() -> Iterable[Edge]:
    machine = Machine.MODEL_VERSION
    yield from _walk(machine, MODEL_STAGES)
    approved, deployed, superseded = (
        _state(Stage.PRODUCTION, status) for status in (Status.APPROVED, Status.DEPLOYED, Status.SUPERSEDED)
    )
    yield Edge(machine, Verb.DEPLOY, approved, deployed)
    yield Edge(machine, Verb.SUPERSEDE, deployed, superseded)
    # Its approval stands again until its deployment is reported.
    yield Edge(machine, Verb.ROLLBACK, superseded, approved)
    for state in (deployed, superseded):
        yield Edge(machine, Verb.RETIRE, state, RETIRED.state)


def _use_case() -> Iterable[Edge]:
    machine = Machine.USE_CASE
    yield from _walk(machine, USE_CASE_STAGES)
    # Found unacceptable after it left POC, it goes back there at once: nobody has to reject it first.
    for stage in USE_CASE_STAGES:
        for status in (Status.PENDING, Status.APPROVED, Status.REJECTED):
            if (stage, status) != (Stage.POC, Status.REJECTED):
                yield Edge(machine, Verb.PROHIBIT, _state(stage, status), _state(Stage.POC, Status.REJECTED))


def _stage_record() -> Iterable[Edge]:
    machine = Machine.STAGE_RECORD
    yield Edge(machine, Verb.REGISTER, "", Status.PENDING)
    yield Edge(machine, Verb.APPROVE, Status.PENDING, Status.APPROVED)
    yield Edge(machine, Verb.REJECT, Status.PENDING, Status.REJECTED)
    # A rejection at a later stage sends the subject back to this one, and takes its approval away.
    yield Edge(machine, Verb.REJECT, Status.APPROVED, Status.REJECTED)
    yield Edge(machine, Verb.RESUBMIT, Status.REJECTED, Status.PENDING)
    # On its way up again the subject asks for every stage once more.
    yield Edge(machine, Verb.ADVANCE, Status.REJECTED, Status.PENDING)
    yield Edge(machine, Verb.ADVANCE, Status.APPROVED, Status.PENDING)
    yield Edge(machine, Verb.DEPLOY, Status.APPROVED, Status.DEPLOYED)
    yield Edge(machine, Verb.SUPERSEDE, Status.DEPLOYED, Status.SUPERSEDED)
    yield Edge(machine, Verb.ROLLBACK, Status.SUPERSEDED, Status.APPROVED)
    yield Edge(machine, Verb.PROHIBIT, Status.PENDING, Status.REJECTED)
    yield Edge(machine, Verb.PROHIBIT, Status.APPROVED, Status.REJECTED)
    for status in Status:
        if status is not Status.RETIRED:
            yield Edge(machine, Verb.RETIRE, status, Status.RETIRED)


def _approval_request() -> Iterable[Edge]:
    machine = Machine.APPROVAL_REQUEST
    yield Edge(machine, Verb.REGISTER, "", RequestState.OPEN)
    for verb, state in (
        (Verb.APPROVE, RequestState.APPROVED),
        (Verb.REJECT, RequestState.REJECTED),
        (Verb.REQUEST_CHANGES, RequestState.CHANGES_REQUESTED),
        (Verb.WITHDRAW, RequestState.WITHDRAWN),
        (Verb.EXPIRE, RequestState.EXPIRED),
        (Verb.OUTDATE, RequestState.OUTDATED),
    ):
        yield Edge(machine, verb, RequestState.OPEN, state)


EDGES: tuple[Edge, ...] = tuple(
    sorted(
        {
            *_use_case(),
            *_model_version(),
            *_stage_record(),
            *_approval_request(),
        }
    )
)
_LEGAL: frozenset[Edge] = frozenset(EDGES)


def is_legal(machine: Machine, verb: Verb, source: str, target: str) -> bool:
    """Whether the table has this move."""
    return Edge(machine, verb, source, target) in _LEGAL


def verbs_from(machine: Machine, state: str) -> frozenset[Verb]:
    """Return the verbs that lead anywhere from a state."""
    return frozenset(edge.verb for edge in EDGES if edge.machine is machine and edge.source == state)


def targets(machine: Machine, verb: Verb, source: str) -> tuple[str, ...]:
    """Return every state a verb can lead to from a state, sorted."""
    return tuple(
        edge.target for edge in EDGES if edge.machine is machine and edge.verb is verb and edge.source == source
    )


def next_stage(kind: SubjectKind, stage: Stage, path: Sequence[Stage]) -> Stage | None:
    """Return the stage after this one on a policy's path, None after the last.

    Raises ValueError when the path leaves out a stage that may not be skipped, or names an unknown one.
    """
    check_path(kind, path)
    stages = STAGES[kind]
    ahead = [candidate for candidate in stages[stages.index(stage) + 1 :] if candidate in path]
    return ahead[0] if ahead else None


def check_path(kind: SubjectKind, path: Sequence[Stage]) -> None:
    """Raise ValueError unless the path is the kind's stages in order with only skippable ones left out."""
    stages = STAGES[kind]
    if list(path) != [stage for stage in stages if stage in path]:
        raise ValueError(f"The path {list(path)} does not follow the order of the stages.")
    left_out = set(stages) - set(path) - SKIPPABLE
    if left_out:
        raise ValueError(f"The path may not leave out {sorted(left_out)}.")


def stages_back_to(kind: SubjectKind, stage: Stage) -> tuple[Stage, ...]:
    """Return the stages a rejection at `stage` may send a subject back to, earliest first."""
    stages = STAGES[kind]
    return stages[: stages.index(stage) + 1]


def default_stage_back(kind: SubjectKind, stage: Stage) -> Stage:
    """Return where a rejection sends a subject unless told otherwise: development, or POC while still there."""
    return Stage.DEVELOPMENT if Stage.DEVELOPMENT in stages_back_to(kind, stage) else stage


def mermaid(machine: Machine) -> str:
    """Return the machine as a Mermaid state diagram, for the documentation."""
    names = {"": "[*]"}
    lines = ["stateDiagram-v2"]
    for edge in EDGES:
        if edge.machine is machine:
            for state in (edge.source, edge.target):
                names.setdefault(state, state.replace("/", "_"))
            lines.append(f"    {names[edge.source]} --> {names[edge.target]}: {edge.verb}")
    return "\n".join(lines)
