"""Sending a use case back for rework by the request that waits about it."""

from __future__ import annotations

from portal.core import access
from portal.core.actors import Actor
from portal.core.errors import InvalidInput, WrongState
from portal.core.permissions import Act, require
from portal.core.vocabulary import Stage
from registry.models import UseCase

from ..choices import Verdict
from ..models import Decision
from ..selectors import inbox, standing
from . import approvals


def reject_back(*, actor: Actor, use_case_id: int, reason: str, back_to: Stage | None = None) -> Decision:
    """Reject the open request about a use case, which waits in `back_to` (the usual stage unless given) for rework.

    It is the decision that `approvals.decide` takes and no other. Raises NotFound, Forbidden for who decides nothing,
    WrongState when no request about it waits, InvalidInput without a reason, and whatever `decide` raises.
    """
    use_case = access.get(UseCase, actor, pk=use_case_id)
    if not inbox.may_decide(actor):
        require(actor, Act.DECIDE, use_case.scope_project_id)
    if not reason.strip():
        raise InvalidInput("Say why.", errors={"reason": ["A reason is needed to send it back."]})
    asked = standing.open_request_about(use_case)
    if asked is None:
        raise WrongState(
            f"No request about {use_case.public_id} waits for a decision: only what was asked for can be sent back."
        )
    return approvals.decide(actor=actor, request_id=asked.pk, verdict=Verdict.REJECT, comment=reason, back_to=back_to)
