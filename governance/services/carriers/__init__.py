"""How each kind of outbox message is carried out: one module per kind, gathered in `CARRIERS` here.

A carrier speaks to AWS outside any transaction and must bear being asked twice: a worker may die between AWS's
answer and the mark that says so.
"""

from __future__ import annotations

from ...choices import OutboxKind
from . import (
    artifact_copy,
    card_export,
    deployment_order,
    group_creation,
    invitation,
    model_card,
    registration,
    share,
    write_back,
)
from .carrier import Carrier

CARRIERS: dict[OutboxKind, Carrier] = {
    OutboxKind.WRITE_BACK: write_back.CARRIER,
    OutboxKind.DEPLOYMENT_ORDER: deployment_order.CARRIER,
    OutboxKind.ARTIFACT_COPY: artifact_copy.CARRIER,
    OutboxKind.GROUP_CREATION: group_creation.CARRIER,
    OutboxKind.REGISTRATION: registration.CARRIER,
    OutboxKind.SHARE: share.CARRIER,
    OutboxKind.INVITATION: invitation.CARRIER,
    OutboxKind.CARD: model_card.CARRIER,
    OutboxKind.CARD_EXPORT: card_export.CARRIER,
}

__all__ = ["CARRIERS", "Carrier"]
