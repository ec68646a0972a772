"""One outbox message as its page shows it: what was asked of AWS, every attempt, and what happens next.

A message keeps only how its last attempt ended. All of them stand in the audit trail, where a trigger wrote each.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from portal.core import access
from portal.core.actors import Actor
from portal.core.permissions import Act, may
from registry.models import AwsAccount, DeclaredShare, GroupCreation, Registration, User

from ..choices import OutboxKind, OutboxState
from ..models import AuditEvent, OutboxMessage
from .words import actor_words

# Many more than twelve attempts and some retries make; what only waits is looked at again and again.
MOST_ENTRIES = 400


@dataclass(frozen=True)
class Attempt:
    """One attempt, or somebody's wish for another.

    `said` holds AWS's words, or those of how it ended; `outcome` is one of "delivered", "failed", "given_up",
    "waiting", "open", "unknown" (its worker died), "overtaken", "superseded", "asked" (somebody had it tried again).
    """

    at: datetime
    outcome: str
    number: int = 0
    ended_at: datetime | None = None
    said: str = ""
    by: str = ""
    times: int = 1

    @property
    def seconds(self) -> float | None:
        """How long it took."""
        return None if self.ended_at is None else (self.ended_at - self.at).total_seconds()


def message(actor: Actor, pk: int) -> OutboxMessage:
    """Return one message with what it is about. Raises NotFound for one the actor does not see."""
    return access.get(OutboxMessage, actor, pk=pk)


def may_retry(actor: Actor, of: OutboxMessage) -> bool:
    """Whether the actor may have it tried again now, and there is something to try."""
    is_open = of.state in (OutboxState.PENDING, OutboxState.FAILED)
    return is_open and may(actor, Act.RETRY_OUTBOX, of.scope_project_id)


def ahead_of(actor: Actor, of: OutboxMessage) -> QuerySet[OutboxMessage]:
    """Return the undelivered messages before this one in its order that the actor may see, oldest first."""
    rows = OutboxMessage.objects.visible_to(actor).undelivered().filter(ordering_key=of.ordering_key, pk__lt=of.pk)
    return rows.defer("payload").order_by("pk")


def attempts_of(of: OutboxMessage) -> list[Attempt]:
    """Return every attempt the audit trail knows of, newest first; repeated waiting for the same is one entry."""
    entries = AuditEvent.objects.filter(chain=f"governance_outboxmessage:{of.pk}").order_by("-sequence")
    found = _folded(attempts(list(entries[:MOST_ENTRIES])[::-1], timezone.now()))
    names = {one.by.removeprefix("user:") for one in found if one.by.startswith("user:")}
    people = {f"user:{user.username}": str(user) for user in User.objects.filter(username__in=names)} if names else {}
    return [_by(one, people.get(one.by) or actor_words(one.by)) for one in reversed(found)]


def attempts(entries: Iterable[AuditEvent], now: datetime) -> list[Attempt]:
    """Read the attempts off the entries of a message's chain, oldest first. Pure."""
    found: list[Attempt] = []
    # What the row says after each entry, as far as this needs it.
    row: dict[str, Any] = {}
    begun: datetime | None = None
    number = 0
    for entry in entries:
        is_first = entry.action == "insert"
        after = entry.changes if is_first else {name: pair[1] for name, pair in entry.changes.items()}
        row |= after
        if is_first:
            continue
        if after.get("started_at"):
            if begun is not None:
                found.append(Attempt(begun, "unknown", number))
            begun = parse_datetime(after["started_at"]) or entry.at
            number = int(row.get("attempts") or 0)
        elif begun is not None and after.get("attempts") == number - 1 and "next_attempt_at" not in after:
            found.append(Attempt(begun, "overtaken", number, entry.at))
            begun = None
        elif begun is not None and (after.get("ended_at") or after.get("state")):
            found.append(Attempt(begun, _outcome(row), number, entry.at, _said(row)))
            begun = None
        elif after.get("state") == OutboxState.SUPERSEDED:
            found.append(Attempt(entry.at, "superseded", said=str(row.get("note") or "")))
        elif row.get("state") == OutboxState.PENDING and (entry.actor or "").startswith("user:"):
            found.append(Attempt(entry.at, "asked", by=entry.actor or ""))
    if begun is not None:
        lasts = (now - begun).total_seconds() <= settings.CELERY_TASK_TIME_LIMIT
        found.append(Attempt(begun, "open" if lasts else "unknown", number))
    return found


def _outcome(row: dict[str, Any]) -> str:
    state = row.get("state")
    if state == OutboxState.DELIVERED:
        return "delivered"
    if state == OutboxState.SUPERSEDED:
        return "superseded"
    if state == OutboxState.FAILED:
        return "given_up"
    return "failed" if row.get("last_error") else "waiting"


def _said(row: dict[str, Any]) -> str:
    waits = row.get("waiting_for")
    return str(row.get("last_error") or (f"Waits for {waits}." if waits else "") or row.get("note") or "")


def _folded(found: Iterable[Attempt]) -> list[Attempt]:
    """Put attempts together that one after the other waited for the same."""
    kept: list[Attempt] = []
    for one in found:
        last = kept[-1] if kept else None
        if last is not None and one.outcome == last.outcome == "waiting" and one.said == last.said:
            kept[-1] = Attempt(last.at, "waiting", one.number, one.ended_at, one.said, times=last.times + 1)
        else:
            kept.append(one)
    return kept


def _by(one: Attempt, who: str) -> Attempt:
    return Attempt(one.at, one.outcome, one.number, one.ended_at, one.said, who if one.by else "", one.times)


# What of a payload people are shown, in this order; settings of a channel may hold an address that is a secret.
_SHOWN: dict[str, tuple[tuple[str, str], ...]] = {
    OutboxKind.WRITE_BACK: (
        ("Approval status", "approval_status"),
        ("Approval description", "approval_description"),
        ("Lifecycle stage", "stage"),
        ("Lifecycle status", "stage_status"),
        ("Model package", "model_package_arn"),
    ),
    OutboxKind.DEPLOYMENT_ORDER: (
        ("Order", "detail.action"),
        ("Stage", "detail.stage"),
        ("Into account", "detail.targetAccount"),
        ("Region there", "detail.targetRegion"),
        ("Endpoint", "detail.endpoint"),
        ("Mode", "detail.mode"),
        ("Reason", "detail.reason"),
        ("Artifact", "detail.artifactUrl"),
        ("Content digest", "detail.contentDigest"),
        ("Model package", "detail.modelPackageArn"),
    ),
    OutboxKind.CARD: (("Model card", "name"), ("Region", "region"), ("Status", "status"), ("What", "what")),
    OutboxKind.CARD_EXPORT: (("Model card", "name"), ("Version", "number"), ("Region", "region"), ("Below", "path")),
    OutboxKind.ARTIFACT_COPY: (("From", "source_url"), ("To", "target_url")),
}
_CALLS: dict[str, str] = {
    OutboxKind.WRITE_BACK: "sagemaker:UpdateModelPackage",
    OutboxKind.ARTIFACT_COPY: "s3:CopyObject",
    OutboxKind.GROUP_CREATION: "sagemaker:CreateModelPackageGroup, sagemaker:PutModelPackageGroupPolicy",
    OutboxKind.REGISTRATION: "sagemaker:CreateModelPackage",
    OutboxKind.SHARE: "ram:CreateResourceShare and what changes one",
    OutboxKind.CARD: "sagemaker:CreateModelCard or sagemaker:UpdateModelCard",
    OutboxKind.CARD_EXPORT: "sagemaker:CreateModelCardExportJob",
    OutboxKind.INVITATION: "ram:AcceptResourceShareInvitation",
}


def asked_of(of: OutboxMessage) -> list[tuple[str, Any]]:
    """Return what the message asks for as pairs of a name and a value, without what may be a secret."""
    found = [("AWS operation", _CALLS[of.kind])] if of.kind in _CALLS else []
    for label, path in _SHOWN.get(of.kind, ()):
        value: Any = of.payload
        for part in path.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        if value not in (None, ""):
            found.append((label, value))
    return found


@dataclass(frozen=True)
class Origin:
    """What a message was written for: its page's kind and the key its address takes."""

    kind: str
    number: int
    label: str


def origin_of(actor: Actor, of: OutboxMessage) -> Origin | None:
    """Return the share, registration or new group it carries out, as far as the actor sees it."""
    payload = of.payload
    if of.kind in (OutboxKind.SHARE, OutboxKind.INVITATION):
        share = DeclaredShare.objects.visible_to(actor).filter(pk=payload.get("declared_share")).first()
        return Origin("share", share.number, f"{share.public_id} {share.name}") if share else None
    if of.kind == OutboxKind.REGISTRATION:
        made = Registration.objects.visible_to(actor).filter(number=payload.get("registration")).first()
        return Origin("registration", made.number, made.public_id) if made else None
    if of.kind == OutboxKind.GROUP_CREATION:
        creation = GroupCreation.objects.visible_to(actor).filter(number=payload.get("creation")).first()
        return Origin("group_creation", creation.number, creation.public_id) if creation else None
    return None


def account_of(of: OutboxMessage) -> AwsAccount | None:
    """Return the account in which it is carried out."""
    known = (of.account, of.group.account if of.group else None, of.version.group.account if of.version else None)
    digits = of.lane_account_id
    return next((account for account in known if account and account.account_id == digits), None) or (
        AwsAccount.objects.filter(account_id=digits).first() if digits else None
    )
