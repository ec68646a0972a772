"""The model card of its own of the API's world."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from portal.core.actors import Actor
from portal.core.operations import operation
from registry.aws.cards import CardRecord
from registry.choices import AskedState, CardStatus
from registry.models import ModelCard, ModelCardEdit, ModelCardExport, ModelVersion, User
from registry.services import model_cards
from tests.cards.contents import whole

MADE = datetime(2026, 2, 3, 9, 0, tzinfo=UTC)


def exported(card: ModelCard, person: User) -> ModelCardExport:
    """Return an order of the first version's PDF that SageMaker has not written yet."""
    with operation(Actor.system("sync"), "the world"):
        return ModelCardExport.objects.create(
            card=card, number=1, path="s3://ml-artifacts-hub/model-card-exports/", requested_by=person
        )


def edited(card: ModelCard, person: User) -> ModelCardEdit:
    """Return what somebody asked for that SageMaker has."""
    with operation(Actor.system("sync"), "the world"):
        return ModelCardEdit.objects.create(
            account=card.account,
            region=card.region,
            name=card.name,
            group=card.group,
            card=card,
            content={},
            status=CardStatus.DRAFT,
            expected_number=1,
            expected_status=CardStatus.DRAFT,
            requested_by=person,
            state=AskedState.DONE,
        )


def carded(version: ModelVersion, name: str = "card-of-the-world", status: str = "PendingReview") -> ModelCard:
    """Take in a card about a version, in two versions, as a reading does."""
    group = version.group
    account = group.account
    records = [
        CardRecord(
            arn=f"arn:aws:sagemaker:{group.region}:{account.account_id}:model-card/{name}",
            name=name,
            number=number,
            status=status,
            content=json.dumps(content),
            kms_key="",
            created_by=None,
            last_modified_by=None,
            created_at=MADE,
            modified_at=MADE,
        )
        for number, content in enumerate(({}, whole(group, version)), start=1)
    ]
    return model_cards.take_in(
        actor=Actor.system("sync"),
        account=account,
        region=group.region,
        records=records,
        created_at=MADE,
        modified_at=MADE,
    ).card
