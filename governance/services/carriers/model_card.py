"""Carrying an edit of a model card to SageMaker: CreateModelCard, UpdateModelCard.

Neither takes a token or an expected version: the card is looked at first. One that says what is to be written already
is the work of an earlier attempt; one that says anything else than what was seen when it was asked for is left alone.
"""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any

from registry.aws import cards
from registry.aws.cards import CardRecord
from registry.aws.errors import AwsError, AwsNotFound
from registry.aws.session import AwsSession
from registry.choices import AskedState
from registry.models import ModelCardEdit

from ...models import OutboxMessage
from .. import model_cards
from .carrier import ACTOR, Carrier, Hopeless, session_of

logger = logging.getLogger(__name__)


def carry(message: OutboxMessage) -> dict[str, Any]:
    """Write what was asked for once, however often this is asked.

    Raises AwsError, Hopeless when AWS has it otherwise. Source: DescribeModelCard, CreateModelCard, UpdateModelCard.
    """
    edit = _edit(message)
    session = session_of(edit.account.account_id, edit.region)
    found = _described(session, edit.name)
    if found is None:
        if edit.card_id is not None:
            raise Hopeless(f"{edit.account} has no model card {edit.name} any more. Nothing was written.")
        cards.create_card(session, name=edit.name, content=_text(edit), status=_status(edit))
    elif not _says(found, edit):
        _require_expected(found, edit)
        text = None if edit.content is None else _text(edit)
        cards.update_card(session, edit.name, content=text, status=_status(edit))
    try:
        model_cards.take_in_one(actor=ACTOR, account=edit.account, session=session, name=edit.name)
    except AwsError as error:
        # The write is done whatever comes of this; the next reading brings the same.
        logger.warning("The model card %s was written, but could not be read again: %s", edit.name, error)
        return {"is_read": False}
    return {"is_read": True}


def landed(message: OutboxMessage) -> bool:
    """Whether AWS says what this message writes. Raises AwsError."""
    edit = _edit(message)
    found = _described(session_of(edit.account.account_id, edit.region), edit.name)
    return found is not None and _says(found, edit)


def delivered(message: OutboxMessage, result: dict[str, Any]) -> None:
    """Mark it done; the card is read anew once that is written down."""
    edit = _edit(message)
    edit.state, edit.error, edit.finished_at = AskedState.DONE, "", datetime.now(UTC)
    edit.save(update_fields=["state", "error", "finished_at"])
    if not result.get("is_read"):
        model_cards.read_soon(account=edit.account)


def given_up(message: OutboxMessage, error: str) -> None:
    """Mark it failed, and have the card read: what stopped the write may be a change of it."""
    edit = _edit(message)
    edit.state, edit.error, edit.finished_at = AskedState.FAILED, error, datetime.now(UTC)
    edit.save(update_fields=["state", "error", "finished_at"])
    model_cards.read_soon(account=edit.account)


def _edit(message: OutboxMessage) -> ModelCardEdit:
    return ModelCardEdit.objects.select_related("account", "requested_by").get(pk=message.payload["edit"])


def _described(session: AwsSession, name: str) -> CardRecord | None:
    try:
        return cards.describe_card(session, name)
    except AwsNotFound:
        return None


def _says(found: CardRecord, edit: ModelCardEdit) -> bool:
    is_next = edit.content is None or (
        found.number == edit.expected_number + 1 and _parsed(found.content) == edit.content
    )
    at = edit.expected_number + (edit.content is not None)
    return is_next and found.number == at and found.status == edit.status


def _require_expected(found: CardRecord, edit: ModelCardEdit) -> None:
    if edit.card_id is None:
        raise Hopeless(
            f"{edit.account} has another model card {edit.name} in {edit.region} already. Choose another name, or edit"
            " that one after the next reading."
        )
    if (found.number, found.status) != (edit.expected_number, edit.expected_status):
        raise Hopeless(
            f"Somebody changed the card in AWS meanwhile: it is version {found.number}, {found.status}, and was version"
            f" {edit.expected_number}, {edit.expected_status}. Nothing was written. Look at it and ask again."
        )


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _text(edit: ModelCardEdit) -> str:
    return json.dumps(edit.content, ensure_ascii=False)


def _status(edit: ModelCardEdit) -> Any:
    return str(edit.status)


CARRIER = Carrier(carry, delivered, given_up, landed=landed)
