"""What every classification has to do, by hand or by answers: who may decide, and what it takes the place of."""

from __future__ import annotations

from django.utils import timezone

from portal.core.actors import Actor
from portal.core.errors import Forbidden
from portal.core.marks import mark

from ..ai_act.engine import ORDER
from ..choices import ClassificationState, RiskClass
from ..models import Classification, UseCase


class OwnUseCase(Forbidden):
    """Nobody decides on the class of what he registered or answered himself."""

    code = "own-use-case"
    title = "Somebody else must classify this"


def mark_of(use_case: UseCase) -> str:
    """Return the mark of a use case's class: what it is, what was proposed or decided last, and what came of it."""
    newest = use_case.classifications.order_by("-pk").values_list("pk", "state").first()
    return mark(use_case.risk_class, use_case.risk_reason, newest)


def require_another(actor: Actor, use_case: UseCase) -> int:
    """Return who decides. Raises OwnUseCase for whoever registered the use case, Forbidden for the system."""
    if actor.user_id is None:
        raise Forbidden("Only a person classifies a use case.")
    if actor.user_id == use_case.registered_by_id:
        raise OwnUseCase(f"You registered {use_case.public_id}. Another governance officer must decide on its class.")
    return actor.user_id


def lowers_own(actor: Actor, use_case: UseCase, risk_class: RiskClass) -> bool:
    """Whether somebody would lower a class he set himself; a class that nobody decided counts as high."""
    before = RiskClass(use_case.risk_class)
    if before is RiskClass.UNCLASSIFIED or use_case.risk_classified_by_id != actor.user_id:
        return False
    after = RiskClass.HIGH if risk_class is RiskClass.UNCLASSIFIED else risk_class
    return ORDER.index(after) > ORDER.index(before) or risk_class is RiskClass.UNCLASSIFIED


def supersede(use_case: UseCase, *, confirmed: bool) -> None:
    """Set aside the proposal that waits and, with `confirmed`, the classification that stands; the use case is locked.

    Row by row, so that each is known to the trail by what happened to it.
    """
    states = [ClassificationState.PROPOSED, *([ClassificationState.CONFIRMED] if confirmed else [])]
    for row in use_case.classifications.select_for_update().filter(state__in=states):
        row.state = ClassificationState.SUPERSEDED
        row.save(update_fields=["state"])


def by_hand(*, actor: Actor, use_case: UseCase, risk_class: RiskClass, reason: str) -> Classification:
    """Record a class that an officer set without the questionnaire, in place of what stood or waited.

    Runs in the caller's operation with the use case locked. Raises OwnUseCase for whoever registered it and for whoever
    would lower the class he set himself, Forbidden for the system.
    """
    person_id = require_another(actor, use_case)
    if lowers_own(actor, use_case, risk_class):
        raise OwnUseCase(
            f"You classified {use_case.public_id} {RiskClass(use_case.risk_class).label.lower()} yourself."
            " Another governance officer must decide on a lower class."
        )
    supersede(use_case, confirmed=True)
    return Classification.objects.create(
        use_case=use_case,
        proposed_class=risk_class,
        assessor_id=person_id,
        state=ClassificationState.CONFIRMED,
        confirmed_class=risk_class,
        decided_by_id=person_id,
        decided_at=timezone.now(),
        decision_reason=reason,
    )
