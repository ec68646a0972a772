"""Classifications under the AI Act: proposed by answers, confirmed or declined by a governance officer.

Who answers and who decides are two people. One case is both at once: a governance officer who has not registered the
use case answers the questionnaire himself. His answers are assessed and confirmed in one act, because he could set the
class by hand as well and the answers say more; a use case he registered needs another officer, and so does a class
lower than the one he set himself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from portal.core import access
from portal.core.actors import Actor
from portal.core.errors import Forbidden, InvalidInput, WrongState
from portal.core.marks import refuse_unless_read
from portal.core.operations import operation
from portal.core.permissions import Act, may, require

from .. import ai_act
from ..ai_act.engine import ORDER
from ..choices import ClassificationState, RiskClass, Stage
from ..models import Classification, UseCase
from . import use_cases
from .classified import OwnUseCase, lowers_own, mark_of, require_another, supersede


class NotProposed(WrongState):
    """Only a classification that waits can be decided on."""

    code = "not-proposed"
    title = "This classification does not wait for a decision"


def propose(
    *,
    actor: Actor,
    use_case_id: int,
    answers: Mapping[str, Any],
    edition: str | None = None,
    reason: str = "",
    derogation_reason: str = "",
    read_mark: str | None = None,
) -> Classification:
    """Assess answers to the questionnaire of an edition (the current one unless said) and keep what they lead to.

    Takes the place of a proposal that waits. Answers that leave questions open are kept as unclassified, with what is
    missing, and are not confirmed. An officer's own complete answers are confirmed in the same act, unless he
    registered the use case.

    Raises NotFound, Forbidden, WrongState once retired, InvalidInput naming the answers, the edition there is not, or
    the written reason that an exemption by Article 6(3) needs (Art. 6(4)), StaleEdit when the classification is not as
    `classified.mark_of` was read.
    """
    found, read = _read(edition, answers)
    assessment = ai_act.assess(found, read)
    if assessment.is_derogated and not derogation_reason.strip():
        raise InvalidInput(
            "An exemption by Article 6(3) needs its written reason.",
            errors={
                "derogation_reason": ["Say why the system is not high-risk although it is in Annex III (Art. 6(4))."]
            },
        )
    with operation(actor, reason.strip() or "answer the AI Act questionnaire"):
        use_case = _open(access.for_update(UseCase, actor, Act.ASSESS_USE_CASE, pk=use_case_id))
        refuse_unless_read(mark_of(use_case), read_mark, "classification")
        if actor.user_id is None:
            raise Forbidden("Only a person answers for a use case.")
        # What could be confirmed at once is confirmed at once; the answers are read under the same lock.
        confirms = (
            assessment.risk_class is not RiskClass.UNCLASSIFIED
            and may(actor, Act.CLASSIFY_USE_CASE, use_case.scope_project_id)
            and actor.user_id != use_case.registered_by_id
            and not lowers_own(actor, use_case, assessment.risk_class)
        )
        supersede(use_case, confirmed=confirms)
        row = Classification(
            use_case=use_case,
            edition=found.id,
            answers=read,
            proposed_class=assessment.risk_class,
            operator_roles=list(assessment.roles),
            is_derogated=assessment.is_derogated,
            derogation_reason=derogation_reason.strip() if assessment.is_derogated else "",
            reason=reason.strip(),
            assessor_id=actor.user_id,
            **assessment.as_json(),
        )
        if confirms:
            row.state = ClassificationState.CONFIRMED
            row.confirmed_class = row.proposed_class
            row.decided_by_id, row.decided_at = actor.user_id, timezone.now()
        row.save()
        if confirms:
            _take_effect(actor, row)
        return row


def waiting(*, actor: Actor, use_case_id: int, expected: int | None = None) -> Classification:
    """Return the proposal of a use case that waits for this actor's decision, with `expected` only if it is that one.

    Raises NotFound, Forbidden, NotProposed.
    """
    use_case = access.get(UseCase, actor, pk=use_case_id)
    require(actor, Act.CLASSIFY_USE_CASE, use_case.scope_project_id)
    row = use_case.classifications.proposed().first()
    if row is None or expected not in (None, row.pk):
        raise NotProposed("No such classification waits for a decision. Read again what stands and what waits.")
    return row


def confirm(
    *, actor: Actor, classification_id: int, risk_class: RiskClass | None = None, reason: str = ""
) -> Classification:
    """Confirm a proposed classification as it is, or as a stricter class with a reason; the use case gets the class.

    Raises NotFound, Forbidden, OwnUseCase for whoever answered or registered the use case, NotProposed, WrongState when
    questions are open or the use case is retired, InvalidInput for a laxer class or a stricter one without a reason.
    """
    with operation(actor, reason.strip() or "confirm the AI Act classification"):
        row, person_id = _waiting(actor, classification_id)
        if not row.is_complete:
            count = len(row.missing)
            raise WrongState(
                f"{count} question{'' if count == 1 else 's'} of it are still open. Have them answered first."
            )
        wanted = risk_class or RiskClass(row.proposed_class)
        _allowed(RiskClass(row.proposed_class), wanted, reason)
        for standing in row.use_case.classifications.confirmed().select_for_update():
            standing.state = ClassificationState.SUPERSEDED
            standing.save(update_fields=["state"])
        row.state, row.confirmed_class = ClassificationState.CONFIRMED, wanted
        _decide(row, person_id, reason)
        _take_effect(actor, row)
        return row


def decline(*, actor: Actor, classification_id: int, reason: str) -> Classification:
    """Send a proposed classification back with a reason; the class of the use case stays as it is.

    Raises NotFound, Forbidden, OwnUseCase for whoever answered or registered the use case, NotProposed, WrongState
    once retired, InvalidInput without a reason.
    """
    if not reason.strip():
        raise InvalidInput(
            "Say what is to be answered differently.", errors={"reason": ["Declining needs its reason."]}
        )
    with operation(actor, reason):
        row, person_id = _waiting(actor, classification_id)
        row.state = ClassificationState.DECLINED
        _decide(row, person_id, reason)
        return row


def _read(edition: str | None, answers: Mapping[str, Any]) -> tuple[ai_act.Edition, ai_act.Answers]:
    try:
        found = ai_act.current() if edition is None else ai_act.edition(edition)
    except ai_act.UnknownEdition:
        known = ", ".join(known.id for known in ai_act.editions())
        raise InvalidInput("There is no such edition.", errors={"edition": [f"Use one of {known}."]}) from None
    try:
        return found, ai_act.read_answers(found, answers)
    except ai_act.AnswersUnusable as error:
        errors = {f"answers.{key}" if key else "answers": [text] for key, text in error.errors.items()}
        raise InvalidInput("Some answers cannot be used.", errors=errors) from error


def _open(use_case: UseCase) -> UseCase:
    if use_case.stage == Stage.RETIRED:
        raise WrongState(f"{use_case.public_id} is retired and does not change any more.")
    return use_case


def _waiting(actor: Actor, classification_id: int) -> tuple[Classification, int]:
    """Return a proposal locked for a decision, and who decides; the use case is locked first, as everywhere."""
    seen = access.get(Classification, actor, pk=classification_id)
    use_case = _open(access.for_update(UseCase, actor, Act.CLASSIFY_USE_CASE, pk=seen.use_case_id))
    row = Classification.objects.select_for_update().get(pk=seen.pk)
    row.use_case = use_case
    person_id = require_another(actor, use_case)
    if person_id == row.assessor_id:
        raise OwnUseCase("You answered this yourself. Another governance officer must decide on it.")
    if row.state != ClassificationState.PROPOSED:
        raise NotProposed(
            f"It is {ClassificationState(row.state).label.lower()} already. Reload to see what stands now."
        )
    return row, person_id


def _allowed(proposed: RiskClass, wanted: RiskClass, reason: str) -> None:
    if wanted not in ORDER or ORDER.index(wanted) > ORDER.index(proposed):
        text = (
            f"The answers lead to {proposed.label.lower()}: confirm that or a stricter class, have the answers"
            " corrected, or classify by hand with a reason."
        )
        raise InvalidInput("The answers lead to a stricter class.", errors={"risk_class": [text]})
    if wanted is not proposed and not reason.strip():
        raise InvalidInput(
            "Say why a stricter class applies.", errors={"reason": ["A stricter class needs its reason."]}
        )


def _decide(row: Classification, person_id: int, reason: str) -> None:
    row.decided_by_id, row.decided_at, row.decision_reason = person_id, timezone.now(), reason.strip()
    row.save(update_fields=["state", "confirmed_class", "decided_by", "decided_at", "decision_reason"])


def _take_effect(actor: Actor, row: Classification) -> None:
    use_cases.classify(
        actor=actor,
        use_case_id=row.use_case_id,
        risk_class=RiskClass(row.confirmed_class),
        reason=_why(row),
        confirmed=row,
    )


def _why(row: Classification) -> str:
    """The reason beside the class: the officer's own words, then the articles that led to it."""
    articles = [reason["article"] for reason in row.reasons if reason["risk_class"] == row.proposed_class]
    named = "; ".join(dict.fromkeys(articles or [reason["article"] for reason in row.reasons]))
    words = row.decision_reason or row.reason
    text = f"By the questionnaire ({row.edition}): {named or RiskClass(row.proposed_class).label}."
    return f"{words} {text}" if words else text
