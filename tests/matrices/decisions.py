"""Who may do what to a subject, where, and what becomes of it: DOMAIN sections 1, 4 and 5 as tables.

An outcome is a position "stage/status" the subject ends in, or the name of the refusal. Refusals are tried in the
order visibility, separation of duties, role, state, as the services do.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

ROLES = (
    "data_scientist",
    "model_owner",
    "ml_engineer",
    "governance_officer",
    "ml_admin",
    "auditor",
    "stranger",
)
VERBS = (
    "submit",
    "approve",
    "reject",
    "request_changes",
    "withdraw",
    "retire",
    "report_deployed",
    "rollback",
    "break_glass",
    "prohibit",
)

# Where a subject can come to stand. "approved" holds a use case until its models are; a version goes on at once.
POSITIONS: dict[str, tuple[str, ...]] = {
    "model_version": (
        "development/pending",
        "development/rejected",
        "qa/pending",
        "qa/rejected",
        "pre_production/pending",
        "pre_production/rejected",
        "production/pending",
        "production/rejected",
        "production/approved",
        "production/deployed",
        "production/superseded",
        "retired/retired",
    ),
    "use_case": (
        "poc/pending",
        "poc/rejected",
        "development/pending",
        "development/approved",
        "development/rejected",
        "qa/pending",
        "qa/approved",
        "qa/rejected",
        "pre_production/pending",
        "pre_production/approved",
        "pre_production/rejected",
        "production/pending",
        "production/approved",
        "production/rejected",
        "retired/retired",
    ),
}

# The data scientist of the scene made every request.
MAY: dict[str, frozenset[str]] = {
    "submit": frozenset({"data_scientist", "model_owner", "ml_engineer"}),
    "withdraw": frozenset({"data_scientist"}),
    "retire": frozenset({"governance_officer"}),
    "report_deployed": frozenset({"ml_engineer"}),
    "rollback": frozenset({"governance_officer"}),
    "break_glass": frozenset({"governance_officer"}),
    "prohibit": frozenset({"governance_officer"}),
}
DECIDES_AT: dict[str, str] = {
    "poc": "model_owner",
    "development": "model_owner",
    "qa": "governance_officer",
    "pre_production": "governance_officer",
    "production": "governance_officer",
}

# Approval at a stage leads to: a version goes on, a use case waits until its models are approved there too. In the
# scene the models of a use case in qa or later are pending in the same stage.
APPROVED_TO: dict[str, dict[str, str]] = {
    "model_version": {
        "development": "qa/pending",
        "qa": "pre_production/pending",
        "pre_production": "production/pending",
        "production": "production/approved",
    },
    "use_case": {
        "poc": "development/pending",
        "development": "development/approved",
        "qa": "qa/approved",
        "pre_production": "pre_production/approved",
        "production": "production/approved",
    },
}
REJECTED_TO = {
    "poc": "poc/rejected",
    "development": "development/rejected",
    "qa": "development/rejected",
    "pre_production": "development/rejected",
    "production": "development/rejected",
}
# Reported deployed: what was ordered for the stage the version is in. Only approved production moves.
DEPLOYABLE = {
    "qa/pending": "qa/pending",
    "qa/rejected": "qa/rejected",
    "pre_production/pending": "pre_production/pending",
    "pre_production/rejected": "pre_production/rejected",
    "production/pending": "production/pending",
    "production/rejected": "production/rejected",
    "production/approved": "production/deployed",
    # What is live may be reported again, deployed anew or failed; it moves nothing.
    "production/deployed": "production/deployed",
    "production/superseded": "WrongState",
}
# What still runs or is still served cannot be retired silently.
IN_USE = {
    "model_version": {"production/deployed"},
    "use_case": {
        position
        for position in POSITIONS["use_case"]
        if position.split("/")[0] in ("qa", "pre_production", "production")
    },
}


class Case(NamedTuple):
    """One cell of the matrix."""

    kind: str
    position: str
    verb: str
    role: str
    outcome: str

    @property
    def id(self) -> str:
        """The name pytest shows."""
        return f"{self.kind}-{self.position.replace('/', '-')}-{self.verb}-{self.role}"


def cases() -> Iterator[Case]:
    """Every kind, position, verb and role with what must come of it."""
    for kind, positions in POSITIONS.items():
        for position in positions:
            for verb in VERBS:
                if verb == "report_deployed" and (kind == "use_case" or position not in DEPLOYABLE):
                    continue
                if (verb == "rollback" and kind == "use_case") or (verb == "prohibit" and kind == "model_version"):
                    continue
                for role in ROLES:
                    yield Case(kind, position, verb, role, _outcome(kind, position, verb, role))


def _outcome(kind: str, position: str, verb: str, role: str) -> str:
    if role == "stranger":
        return "NotFound"
    stage, status = position.split("/")
    if verb in ("approve", "reject", "request_changes"):
        return _decided(kind, stage, status, verb, role)
    if role not in MAY[verb]:
        return "Forbidden"
    if verb == "submit":
        return f"{stage}/pending" if status in ("pending", "rejected") else "WrongState"
    if verb == "withdraw":
        return position if status == "pending" else "RequestClosed"
    if verb == "rollback":
        return "production/approved" if position == "production/superseded" else "WrongState"
    if verb == "break_glass":
        # The one rule of low risk asks for validation metrics from QA on; the scene's versions have them.
        return "WrongState" if kind == "model_version" and stage not in ("development", "retired") else "InvalidInput"
    if verb == "prohibit":
        return "WrongState" if status == "retired" else f"poc/{status if stage == 'poc' else 'rejected'}"
    if verb == "retire":
        return "WrongState" if status == "retired" or position in IN_USE[kind] else "retired/retired"
    return DEPLOYABLE[position]


def _decided(kind: str, stage: str, status: str, verb: str, role: str) -> str:
    if role == "data_scientist":
        return "SelfApproval"
    # A retired subject keeps the request it was retired under: the one of its first stage.
    if role != DECIDES_AT.get(stage, "model_owner"):
        return "Forbidden"
    if status != "pending":
        return "RequestClosed"
    if verb == "approve":
        return APPROVED_TO[kind][stage]
    return REJECTED_TO[stage] if verb == "reject" else f"{stage}/pending"
