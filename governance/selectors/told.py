"""What notifications are about: the tables, their pages, and whether somebody may see a row of them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db.models import Model
from django.urls import reverse

from portal.core.access import visible
from portal.core.actors import Actor
from registry.models import AwsAccount, Deployment, ModelVersion, UseCase

from ..models import ApprovalRequest, AuditPack, Delegation, Finding, OutboxMessage, Webhook

ABOUT: dict[str, type[Model]] = {
    "request": ApprovalRequest,
    "finding": Finding,
    "use_case": UseCase,
    "version": ModelVersion,
    "deployment": Deployment,
    "account": AwsAccount,
    "delegation": Delegation,
    "message": OutboxMessage,
    "pack": AuditPack,
    "webhook": Webhook,
}
NAMES: dict[type[Model], str] = {model: name for name, model in ABOUT.items()}


def subject_of(about: str, about_id: int | None) -> Any:
    """Return the row a notification is about, None when it is about none or that is gone."""
    if not about or about_id is None:
        return None
    return ABOUT[about]._default_manager.filter(pk=about_id).first()


def seen(actor: Actor, about: str, ids: Collection[int]) -> set[int]:
    """Return which rows of one kind the actor may see, in one query."""
    if not about:
        return set(ids)
    rows: Any = visible(ABOUT[about], actor)
    return set(rows.filter(pk__in=list(ids)).values_list("pk", flat=True))


def path_of(row: Any) -> str:
    """Return the page of what a notification is about, beginning with a slash."""
    match row:
        case ApprovalRequest():
            return reverse("governance:request", args=[row.pk])
        case Finding():
            return reverse("governance:finding", args=[row.pk])
        case UseCase():
            return reverse("registry:use_case", args=[row.number])
        case ModelVersion():
            return reverse("registry:version", args=[row.pk])
        case Deployment():
            return reverse("registry:version", args=[row.version_id])
        case AwsAccount():
            return reverse("registry:account", args=[row.account_id])
        case OutboxMessage():
            return reverse("governance:outbox_message", args=[row.pk])
        case AuditPack():
            return reverse("governance:pack", args=[row.pk])
        case Webhook():
            return reverse("governance:webhook", args=[row.pk])
        case _:
            return reverse("governance:delegation_list")
