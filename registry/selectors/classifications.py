"""Classifications under the AI Act as they are read: what stands, what waits, and what another edition would change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import QuerySet

from portal.core import access
from portal.core.actors import Actor
from portal.core.errors import NotFound
from portal.core.permissions import Act

from .. import ai_act
from ..choices import ClassificationState, RiskClass, Stage
from ..models import Classification, UseCase
from .scope import where_may


def history(actor: Actor, of: UseCase) -> QuerySet[Classification]:
    """Return every classification of a use case, newest first."""
    rows = Classification.objects.visible_to(actor).filter(use_case=of)
    return rows.select_related("assessor", "decided_by", "use_case").order_by("-assessed_at", "-pk")


def classification(actor: Actor, pk: int) -> Classification:
    """Return one classification. Raises NotFound."""
    return access.get(Classification, actor, pk=pk)


def standing(rows: list[Classification]) -> Classification | None:
    """Return the one the class rests on, of a use case's history."""
    return next((row for row in rows if row.state == ClassificationState.CONFIRMED), None)


def waiting(rows: list[Classification]) -> Classification | None:
    """Return the one that waits for a governance officer, of a use case's history."""
    return next((row for row in rows if row.state == ClassificationState.PROPOSED), None)


def to_confirm(actor: Actor) -> QuerySet[Classification]:
    """Return the complete answers that wait for this actor's word: not his own, nor for what he registered."""
    return (
        Classification.objects.visible_to(actor)
        .proposed()
        .filter(where_may(actor, Act.CLASSIFY_USE_CASE, "use_case__project_id"))
        .exclude(proposed_class=RiskClass.UNCLASSIFIED)
        .exclude(assessor_id=actor.user_id)
        .exclude(use_case__registered_by_id=actor.user_id)
        .exclude(use_case__stage=Stage.RETIRED)
        .select_related("use_case")
        .order_by("use_case__number")
    )


def edition(edition_id: str) -> ai_act.Edition:
    """Return an edition of the Act. Raises NotFound."""
    try:
        return ai_act.edition(edition_id)
    except ai_act.UnknownEdition:
        raise NotFound("There is no such edition of the AI Act.") from None


@dataclass(frozen=True)
class DutyChange:
    """A duty whose day differs; None where an edition has no such duty for this use case."""

    duty: str
    article: str
    text: str
    before: date | None
    after: date | None


@dataclass(frozen=True)
class Change:
    """What another edition makes of the answers a use case was classified by.

    `class_after` is what the answers lead to there, unclassified while that edition asks what nobody answered; `so_far`
    is what they lead to already.
    """

    use_case: UseCase
    classification: Classification
    edition: str
    class_before: RiskClass
    class_after: RiskClass
    so_far: RiskClass
    duties: tuple[DutyChange, ...]
    unanswered: tuple[ai_act.Missing, ...]
    flags_gained: tuple[ai_act.Flag, ...]
    flags_lost: tuple[str, ...]

    @property
    def is_class_changed(self) -> bool:
        """Whether the answers lead to another class as far as can be said."""
        known = self.class_after if self.class_after is not RiskClass.UNCLASSIFIED else self.so_far
        return known not in (self.class_before, RiskClass.UNCLASSIFIED)


def rerun(actor: Actor, edition: ai_act.Edition) -> list[Change]:
    """Return the use cases for which an edition changes the class or a duty's day, or asks what nobody answered.

    Looks at every confirmed classification under another edition that the actor may see, of use cases that are not
    retired; writes nothing. Those set by hand hold no answers to read again (`by_hand`).
    """
    rows = (
        _confirmed(actor)
        .exclude(edition__in=["", edition.id])
        .select_related("use_case__project", "use_case__model_owner")
        .order_by("use_case__number")
    )
    return [change for row in rows if (change := _change(row, edition)) is not None]


def by_hand(actor: Actor) -> int:
    """Return how many use cases the actor sees were classified by hand."""
    return _confirmed(actor).filter(edition="").count()


def by_edition(actor: Actor) -> dict[str, int]:
    """Return how many use cases the actor sees rest on which edition."""
    counted: dict[str, int] = {}
    for found in _confirmed(actor).values_list("edition", flat=True):
        counted[found] = counted.get(found, 0) + 1
    return counted


def _confirmed(actor: Actor) -> QuerySet[Classification]:
    return Classification.objects.visible_to(actor).confirmed().exclude(use_case__stage=Stage.RETIRED)


def _change(row: Classification, edition: ai_act.Edition) -> Change | None:
    # An edition may no longer ask what another did.
    kept = {key: answer for key, answer in row.answers.items() if key in edition.questions}
    try:
        answers = ai_act.read_answers(edition, kept)
    except ai_act.AnswersUnusable as error:
        answers = ai_act.read_answers(edition, {key: kept[key] for key in kept if key not in error.errors})
    after = ai_act.assess(edition, answers)
    before = {flag["key"] for flag in row.flags}
    change = Change(
        use_case=row.use_case,
        classification=row,
        edition=edition.id,
        class_before=RiskClass(row.proposed_class),
        class_after=after.risk_class,
        so_far=after.so_far,
        duties=tuple(_duty_changes(row.duties, after)),
        unanswered=after.missing,
        flags_gained=tuple(flag for flag in after.flags if flag.key not in before),
        flags_lost=tuple(flag["label"] for flag in row.flags if flag["key"] not in {flag.key for flag in after.flags}),
    )
    differs = change.duties or change.unanswered or change.class_after is not change.class_before
    return change if differs or change.flags_gained or change.flags_lost else None


def _duty_changes(before: list[dict[str, Any]], after: ai_act.Assessment) -> Iterator[DutyChange]:
    old = {duty["key"]: duty for duty in before}
    new = {duty.key: duty for duty in after.duties}
    for key in dict.fromkeys((*old, *new)):
        was = date.fromisoformat(old[key]["applies_from"]) if key in old else None
        will = new[key].applies_from if key in new else None
        if was != will:
            article, text = (new[key].article, new[key].text) if key in new else (old[key]["article"], old[key]["text"])
            yield DutyChange(key, article, text, was, will)
