"""Model cards of their own as AWS tells them: taken in version by version, linked to what they name, marked missing."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from portal.core.actors import Actor
from portal.core.operations import operation

from ..aws.arns import is_portal, role_of_session
from ..aws.cards import CardRecord
from ..aws.session import SESSION_NAME
from ..choices import AskedState, CardStatus
from ..models import AwsAccount, AwsIdentity, ModelCard, ModelCardEdit, ModelCardVersion, User
from . import cards
from .card_links import links_of

_LONGEST_NAME = 200


@dataclass(frozen=True)
class CardChange:
    """What taking in a card did."""

    card: ModelCard
    is_new: bool
    is_changed: bool


def known(account: AwsAccount, region: str) -> dict[str, ModelCard]:
    """Return the cards of an account and region that AWS listed last, by ARN."""
    return {card.arn: card for card in ModelCard.objects.present().filter(account=account, region=region)}


def take_in(
    *,
    actor: Actor,
    account: AwsAccount,
    region: str,
    records: Sequence[CardRecord],
    created_at: datetime | None,
    modified_at: datetime | None,
) -> CardChange:
    """Write down what AWS says of versions of one card: the latest of them is what the card says.

    `created_at` and `modified_at` are the card's own. Broken content never stops a card from being recorded: what is
    wrong stands on it. Runs in one operation of its own, or the caller's.
    """
    with operation(actor, "read model cards"):
        now = timezone.now()
        latest = max(records, key=lambda record: record.number)
        facts = cards.read(latest.content, own=True)
        problems = list(facts.problems) or ([] if facts.content is not None else ["The card is empty."])
        links = links_of(facts.content, account, region, facts.use_case_id)
        overview = (facts.content or {}).get("model_overview")
        values: dict[str, Any] = {
            "number": latest.number,
            "status": _status(latest.status),
            "problems": problems,
            "model_name": _text(overview.get("model_name")) if isinstance(overview, dict) else "",
            "purpose": facts.purpose,
            "risk_rating": facts.risk_rating,
            "owner_name": facts.owner_name,
            "line_of_business": facts.line_of_business,
            "use_case_named": facts.use_case_id,
            "use_case": links.use_case,
            "group": links.group,
            "version": links.version,
            "kms_key": latest.kms_key,
            "aws_modified_at": modified_at or latest.modified_at,
            "missing_since": None,
        }
        born = created_at or latest.created_at or now
        rows = ModelCard.objects.select_for_update(of=("self",), no_key=True).filter(arn=latest.arn)
        card = rows.filter(aws_created_at=born).first() if created_at else rows.order_by("-aws_created_at").first()
        is_new = card is None
        if card is None:
            # Another card under the ARN of one that was deleted.
            rows.filter(missing_since=None).update(missing_since=now)
            card = ModelCard(
                account=account,
                region=region,
                name=latest.name,
                arn=latest.arn,
                aws_created_at=born,
                read_at=now,
                **values,
            )
            card.save()
            is_changed = True
        else:
            names = [name for name, value in values.items() if getattr(card, name) != value]
            is_changed = bool(names)
            for name in names:
                setattr(card, name, values[name])
            card.revision += is_changed
            card.read_at = now
            card.save(update_fields=[*names, "revision", "read_at"])
        for record in sorted(records, key=lambda record: record.number):
            is_changed |= _version(card, record, problems if record is latest else None, now)
        return CardChange(card, is_new, is_changed)


def seen_again(*, actor: Actor, card_ids: Collection[int]) -> None:
    """Write down that AWS lists cards as they are known, and link them anew: what they name may have come since."""
    with operation(actor, "read model cards"):
        rows = ModelCard.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=list(card_ids))
        latest = {v.card_id: v for v in ModelCardVersion.objects.filter(card__in=list(card_ids)).order_by("number")}
        for card in rows.select_related("account").order_by("pk"):
            content = latest[card.pk].content if card.pk in latest else None
            links = links_of(content, card.account, card.region, card.use_case_named)
            now_linked = {"version": links.version, "group": links.group, "use_case": links.use_case}
            names = [name for name, value in now_linked.items() if getattr(card, name) != value]
            for name in names:
                setattr(card, name, now_linked[name])
            card.read_at = timezone.now()
            card.revision += bool(names)
            card.save(update_fields=[*names, "read_at", "revision"])


def mark_missing(*, actor: Actor, account: AwsAccount, region: str, listed: Collection[str], began: datetime) -> int:
    """Mark the cards a complete listing no longer has; returns how many. One read since it `began` is newer than it."""
    with operation(actor, "read model cards"):
        gone = ModelCard.objects.present().filter(account=account, region=region, read_at__lt=began)
        return int(gone.exclude(arn__in=list(listed)).update(missing_since=timezone.now()))


def _version(card: ModelCard, record: CardRecord, problems: list[str] | None, now: datetime) -> bool:
    row = ModelCardVersion.objects.filter(card=card, number=record.number).first()
    status, modifier = _status(record.status), record.last_modified_by.arn if record.last_modified_by else ""
    if row is not None:
        is_changed = (row.status, row.aws_modified_at) != (status, record.modified_at)
        row.status, row.modifier_arn, row.aws_modified_at, row.read_at = status, modifier, record.modified_at, now
        row.save(update_fields=["status", "modifier_arn", "aws_modified_at", "read_at"])
        return is_changed
    facts = cards.read(record.content, own=True)
    author = record.last_modified_by if record.number > 1 else record.created_by
    ModelCardVersion.objects.create(
        card=card,
        number=record.number,
        status=status,
        content=facts.content,
        text="" if facts.content is not None else record.content,
        problems=problems if problems is not None else list(facts.problems),
        author_arn=author.arn if author else "",
        modifier_arn=modifier,
        written_by=_writer(card, record),
        aws_created_at=record.created_at,
        aws_modified_at=record.modified_at,
        read_at=now,
    )
    return True


def _writer(card: ModelCard, record: CardRecord) -> User | None:
    """Return the person behind a version's content: who asked the portal for it, or whom its principal stands for."""
    author = (record.last_modified_by if record.number > 1 else record.created_by) or record.created_by
    role = card.account.role_arn
    if author is None:
        return None
    if is_portal(author.arn, author.source_identity, role=role, session_name=SESSION_NAME):
        asked = ModelCardEdit.objects.filter(
            account=card.account,
            region=card.region,
            name=card.name,
            expected_number=record.number - 1,
            content__isnull=False,
        ).exclude(state=AskedState.FAILED)
        edit = asked.select_related("requested_by").order_by("-pk").first()
        return edit.requested_by if edit else None
    linked = AwsIdentity.objects.filter(arn__in=[author.arn, role_of_session(author.arn)]).select_related("user")
    by_arn = {identity.arn: identity.user for identity in linked}
    return by_arn.get(author.arn) or by_arn.get(role_of_session(author.arn))


def _status(status: str) -> str:
    return status if status in set(CardStatus) else CardStatus.DRAFT.value


def _text(value: object) -> str:
    return value.strip()[:_LONGEST_NAME] if isinstance(value, str) else ""
