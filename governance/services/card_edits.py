"""Model cards written from the portal: asked for here, carried to SageMaker by the outbox, one message each.

A card goes from draft to pending review to approved. A change of its content makes it a draft again; nobody approves
what he wrote last. What was seen when it was asked for is compared with AWS before anything is written.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction

from portal.core import access
from portal.core.actors import Actor
from portal.core.errors import Forbidden, InvalidInput, StaleEdit, WrongState
from portal.core.operations import operation
from portal.core.permissions import Act, require
from registry.aws.cards import LONGEST_CONTENT
from registry.aws.limits import problems_of as limits_of
from registry.aws.values import json_safe
from registry.choices import CardStatus
from registry.models import ModelCard, ModelCardEdit, ModelGroup
from registry.selectors import model_cards
from registry.services import cards
from registry.services.card_links import links_of

from ..choices import OutboxKind
from . import outbox

# Where a card may go from each status, and whose it is to send it there.
MOVES: Mapping[tuple[str, str], Act] = {
    (CardStatus.DRAFT, CardStatus.PENDING_REVIEW): Act.EDIT_CARD,
    (CardStatus.PENDING_REVIEW, CardStatus.DRAFT): Act.EDIT_CARD,
    (CardStatus.PENDING_REVIEW, CardStatus.APPROVED): Act.APPROVE_CARD,
    (CardStatus.APPROVED, CardStatus.ARCHIVED): Act.APPROVE_CARD,
}


def create(*, actor: Actor, group_id: int, name: str, content: Mapping[str, Any], reason: str = "") -> ModelCardEdit:
    """Ask for a new card about a model group, in the group's account and region; it begins as a draft.

    Raises NotFound, Forbidden, InvalidInput for a name or content AWS would refuse, WrongState when a card of that name
    is known or on its way. Source: SageMaker CreateModelCard.
    """
    with operation(actor, reason or "create a model card"):
        group = access.for_update(ModelGroup, actor, Act.EDIT_CARD, pk=group_id)
        _person(actor)
        named = name.strip()
        request = {"ModelCardName": named, "Content": "{}", "ModelCardStatus": CardStatus.DRAFT.value}
        if limits_of("sagemaker", "CreateModelCard", request):
            said = "A name has letters, digits and single hyphens between them, at most 63."
            raise InvalidInput("This card cannot be made as it is.", errors={"name": [said]})
        whole = _about(content, group)
        require_valid(whole)
        same = ModelCard.objects.present().filter(account=group.account, region=group.region, name=named)
        if same.exists():
            raise WrongState(f"There is a model card {named} in {group.account} already. Edit that one.")
        edit = ModelCardEdit(
            account=group.account, region=group.region, name=named, group=group, content=whole, status=CardStatus.DRAFT
        )
        return _ask(actor, edit, reason, f"Create the model card {named}", "a new card")


def edit(*, actor: Actor, card_id: int, revision: int, content: Mapping[str, Any], reason: str = "") -> ModelCardEdit:
    """Ask for a new content of a card: its next version, which is a draft whatever the card was.

    Raises NotFound, Forbidden, StaleEdit when the card changed since `revision`, InvalidInput for content that breaks
    the schema, WrongState for an archived or missing card, or while another edit is on its way. Source: SageMaker
    UpdateModelCard.

    A card that is about a group stays about it: a content that names none is given its name.
    """
    with operation(actor, reason or "edit a model card"):
        card = _locked(actor, card_id, Act.EDIT_CARD, revision)
        if card.status == CardStatus.ARCHIVED:
            raise WrongState("An archived card keeps its content. Make a new card instead.")
        before = model_cards.content_of(card)
        whole = dict(content) if card.group is None else _about(content, card.group)
        require_valid(whole, before)
        if whole == before:
            raise InvalidInput("Nothing was changed.", errors={"content": ["It says the same as before."]})
        asked = _of(card, CardStatus.DRAFT)
        asked.content = whole
        return _ask(
            actor, asked, reason, f"Write version {card.number + 1} of the model card {card.name}", "its content"
        )


def move(*, actor: Actor, card_id: int, revision: int, status: CardStatus, reason: str = "") -> ModelCardEdit:
    """Ask for another status of a card: for review, back to draft, approved, archived.

    Raises NotFound, Forbidden without the role or for who wrote its latest version and would approve it, StaleEdit,
    WrongState for a move the card cannot make, for approving one with problems, or while an edit is on its way.
    """
    with operation(actor, reason or "change the status of a model card"):
        seen = access.get(ModelCard, actor, pk=card_id)
        act = MOVES.get((seen.status, status))
        if act is None:
            require(actor, Act.EDIT_CARD, seen.scope_project_id)
            raise WrongState(f"The card is {CardStatus(seen.status).label}; it cannot become {status.label}.")
        card = _locked(actor, card_id, act, revision)
        if (card.status, status) not in MOVES:
            raise WrongState(f"The card is {CardStatus(card.status).label}; it cannot become {status.label}.")
        if status == CardStatus.APPROVED:
            _refuse_own(actor, card)
            if card.problems:
                raise WrongState("Its content has problems. Nobody approves a card that SageMaker's schema refuses.")
        return _ask(actor, _of(card, status), reason, f"Set the model card {card.name} to {status.label}", "its status")


def moves_from(card: ModelCard) -> list[tuple[CardStatus, Act]]:
    """Return where a card may go from where it stands, with the act that it takes."""
    return [(CardStatus(after), act) for (before, after), act in MOVES.items() if before == card.status]


def wrote_last(actor: Actor, card: ModelCard) -> bool:
    """Whether the actor wrote the content of a card's latest version."""
    author = model_cards.card_version(card).written_by_id
    return author is not None and author == actor.user_id


def require_valid(content: Mapping[str, Any], before: Mapping[str, Any] | None = None) -> None:
    """Raise InvalidInput, naming what is wrong, for content that breaks SageMaker's schema or is too long.

    What `before` broke already does not count: SageMaker took it, and may know more by now than the schema here.
    """
    try:
        text = json.dumps(content, ensure_ascii=False)
        is_storable = json_safe(content) == content
    except (ValueError, RecursionError):
        raise InvalidInput(
            "SageMaker would refuse this card.", errors={"content": ["It is nested too deeply."]}
        ) from None
    known = cards.problems_of(dict(before), own=True) if before else ()
    problems = [problem for problem in cards.problems_of(dict(content), own=True) if problem not in known]
    if not is_storable:
        problems.append("It holds characters or numbers that cannot be stored.")
    if len(text) > LONGEST_CONTENT:
        problems.append(f"The card is too long: {len(text):,} characters, and SageMaker takes {LONGEST_CONTENT:,}.")
    if problems:
        raise InvalidInput("SageMaker would refuse this card.", errors={"content": problems})


def _about(content: Mapping[str, Any], group: ModelGroup) -> dict[str, Any]:
    """Return a content that says which group it is about: a card does not leave its project, nor enter another's."""
    whole, found = dict(content), links_of(content, group.account, group.region, "").group
    if found is None:
        package = {**_section(content, "model_package_details"), "model_package_group_name": group.name}
        whole["model_package_details"] = package
        found = links_of(whole, group.account, group.region, "").group
    if found is not None and found != group:
        said = f"It names another model than those of {group.name}. Make another card for that one."
        raise InvalidInput("The card would be about another model.", errors={"content": [said]})
    return whole


def _section(content: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = content.get(name)
    return found if isinstance(found, dict) else {}


def _person(actor: Actor) -> int:
    if actor.user_id is None:
        raise Forbidden("A model card is written by a person.")
    return actor.user_id


def _locked(actor: Actor, card_id: int, act: Act, revision: int) -> ModelCard:
    card = access.for_update(ModelCard, actor, act, pk=card_id)
    _person(actor)
    if card.revision != revision:
        raise StaleEdit("The card was changed meanwhile. Look at it again before you write.")
    if card.missing_since is not None:
        raise WrongState("AWS no longer has this card; nothing can be written to it.")
    return card


def _refuse_own(actor: Actor, card: ModelCard) -> None:
    if wrote_last(actor, card):
        raise Forbidden("You wrote its latest version. Somebody else must approve it.")


def _of(card: ModelCard, status: CardStatus) -> ModelCardEdit:
    return ModelCardEdit(
        account=card.account,
        region=card.region,
        name=card.name,
        group=card.group,
        card=card,
        status=status,
        expected_number=card.number,
        expected_status=card.status,
    )


def _ask(actor: Actor, asked: ModelCardEdit, reason: str, summary: str, what: str) -> ModelCardEdit:
    asked.requested_by_id, asked.reason = _person(actor), reason.strip()
    try:
        with transaction.atomic():
            asked.save()
    except IntegrityError:
        raise WrongState("Something is on its way to AWS for this card already. Wait until it has arrived.") from None
    outbox.put(
        kind=OutboxKind.CARD,
        ordering_key=f"card:{asked.account.account_id}:{asked.region}:{asked.name}",
        group=asked.group,
        account=None if asked.group else asked.account,
        summary=f"{summary} in SageMaker",
        payload={
            "edit": asked.pk,
            "name": asked.name,
            "account_id": asked.account.account_id,
            "region": asked.region,
            "status": str(asked.status),
            "what": what,
        },
    )
    return asked
