"""Who decides on a use case next: on what is asked, or on what would be asked where it stands. Reads only."""

from __future__ import annotations

from dataclasses import dataclass

from portal.core.vocabulary import Stage, Status
from registry.models import UseCase

from ..models import ApprovalRequest
from ..policies.rules import NoRule
from ..selectors import policy as policies
from ..selectors import standing
from . import outlook
from .entitlement import who_could_sign
from .outlook import Signature


@dataclass(frozen=True)
class Deciders:
    """The signatures that are needed at a stage, for the request that waits or, with None, for one that would be made.

    Empty where nothing can be asked for.
    """

    stage: Stage
    request: ApprovalRequest | None
    seats: tuple[Signature, ...]


def of_use_case(use_case: UseCase) -> Deciders:
    """Return who decides on a use case next."""
    stage = Stage(use_case.stage)
    asked = standing.open_request_about(use_case)
    seats: tuple[Signature, ...] = ()
    if asked is not None:
        seats = tuple(outlook.signatures_of(asked))
    elif use_case.status in (Status.PENDING, Status.REJECTED) and stage is not Stage.RETIRED:
        seats = _would_decide(use_case)
    return Deciders(stage, asked, seats)


def _would_decide(use_case: UseCase) -> tuple[Signature, ...]:
    try:
        needs = policies.requirements_for(use_case, policies.in_force()).approvals
    except NoRule:
        return ()
    could = who_could_sign(use_case, [need.role for need in needs])
    return tuple(Signature(role=need.role, count=need.count, given=0, could=could[need.role]) for need in needs)
