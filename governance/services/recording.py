"""Writing one person's word on a request down. Only `approvals.decide` does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError

from portal.core import kept
from portal.core.actors import Actor
from portal.core.errors import WrongState
from portal.core.vocabulary import Stage, SubjectKind

from ..choices import DecisionSource, Verdict
from ..lifecycle import default_stage_back
from ..models import ApprovalRequest, Decision
from .entitlement import Entitlement


class AlreadyDecided(WrongState):
    """One decision per person and request."""

    code = "already-decided"


@dataclass(frozen=True)
class Adoption:
    """That a decision was made in SageMaker: by which AWS principal, and when by AWS's clock."""

    principal: str
    at: datetime


def record(
    actor: Actor,
    request: ApprovalRequest,
    entitled: Entitlement,
    verdict: Verdict,
    comment: str,
    back_to: Stage | None,
    adopted: Adoption | None,
) -> Decision:
    """Insert the decision on a locked request, with whom it concerns copied. Raises AlreadyDecided."""
    assert actor.user_id is not None
    if verdict is Verdict.REJECT and back_to is None:
        back_to = default_stage_back(SubjectKind(request.kind), Stage(request.stage))
    decision = Decision(
        request=request,
        decider_id=actor.user_id,
        decider_name=actor.name,
        on_behalf_of=entitled.delegation.delegator if entitled.delegation else None,
        delegation=entitled.delegation,
        role=entitled.role,
        verdict=verdict,
        comment=comment,
        back_to=back_to or "",
        digest=request.digest,
        requester_id_copy=request.requester_id,
        registrant_id_copy=request.registrant_id,
        modifier_id_copy=request.modifier_id,
        source=DecisionSource.ADOPTED if adopted else DecisionSource.PORTAL,
        aws_principal=adopted.principal if adopted else "",
        aws_at=adopted.at if adopted else None,
    )
    try:
        return kept.insert(decision)
    except IntegrityError as error:  # pragma: no cover - the locks above make this unreachable; the database is the net
        raise AlreadyDecided(f"The database refused this decision: {error}") from error
