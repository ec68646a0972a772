"""Approving one of many at once: only what is of low or medium risk, and never without a word.

What is of high or unknown risk is looked at and decided on alone, on its own page.
"""

from __future__ import annotations

from portal.core import access
from portal.core.actors import Actor
from portal.core.errors import Forbidden, InvalidInput
from portal.core.vocabulary import RiskRating

from ..choices import Verdict
from ..models import ApprovalRequest, Decision
from . import approvals

IN_BULK = frozenset({RiskRating.LOW, RiskRating.MEDIUM})


class NotInBulk(Forbidden):
    """What is of high or unknown risk is decided on alone."""

    code = "not-in-bulk"
    title = "Decide on this one alone"


def bulk_refusal(actor: Actor, request: ApprovalRequest) -> str:
    """Say why this actor may not approve a request among others, "" when he may. The list asks; the service enforces.

    A request keeps the tier its policy was chosen by, so it does not matter when it is asked.
    """
    if RiskRating(request.tier) not in IN_BULK:
        return f"Its risk is {RiskRating(request.tier).label.lower()}: open it and decide on it alone."
    return approvals.refusal_for(actor, request)


def approve_among_many(*, actor: Actor, request_id: int, comment: str) -> Decision:
    """Approve one request that was marked together with others, as `approvals.decide` does.

    Raises NotInBulk for a tier that is neither low nor medium, InvalidInput without a comment, and whatever `decide`
    raises: NotFound, Forbidden, SelfApproval, RequestClosed, AlreadyDecided, StaleRequest, RequirementsUnmet.
    """
    if not comment.strip():
        raise InvalidInput(
            "Say what you looked at.", errors={"comment": ["Approving several at once needs a comment."]}
        )
    request = access.get(ApprovalRequest, actor, pk=request_id)
    if RiskRating(request.tier) not in IN_BULK:
        raise NotInBulk(f"{request.public_id}: {bulk_refusal(actor, request)}")
    return approvals.decide(actor=actor, request_id=request_id, verdict=Verdict.APPROVE, comment=comment)
