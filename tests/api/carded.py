"""The model card of its own of the API's world."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from portal.core.actors import Actor
from registry.aws.cards import CardRecord
from registry.models import ModelCard, ModelVersion
from registry.services import model_cards
from tests.cards.contents import whole

MADE = datetime(2026, 2, 3, 9, 0, tzinfo=UTC)


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
