"""Reading model cards of their own: what AWS lists is taken in, and what is wrong with a card becomes a finding."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from django.utils import timezone

from portal.core.actors import Actor
from portal.core.jobs import enqueue_on_commit
from portal.core.operations import operation
from registry.aws import cards as gateway
from registry.aws.cards import CardRecord, CardSummary
from registry.aws.errors import AwsDenied, AwsInvalid, AwsNotFound
from registry.aws.session import AwsSession
from registry.models import AwsAccount, ModelCard, ModelCardVersion
from registry.services import model_cards

from ..choices import FindingKind
from ..models import Finding
from ..selectors.observed import Observation, Subject
from . import findings

if TYPE_CHECKING:
    from .readings import Tally

_WRONG = "The content of the model card {name} is not what SageMaker's schema asks for: {problems}"
_SETTLED = "The next reading of the card found nothing wrong with it."


def read(actor: Actor, account: AwsAccount, session: AwsSession, tally: Tally) -> None:
    """Take in every model card of the session's account and region, with the versions not known yet.

    A card whose status and moment of change are as known costs nothing beyond the listing. A card that cannot be read
    is named in the tally, and the others go on. Raises AwsError when the listing fails: nothing is then marked missing.
    Source: ListModelCards, ListModelCardVersions, DescribeModelCard.
    """
    began, region = timezone.now(), session.account.region
    before = model_cards.known(account, region)
    listed: list[str] = []
    unchanged: list[int] = []
    for summary in gateway.list_cards(session):
        listed.append(summary.arn)
        known = before.get(summary.arn)
        if known is not None and _is_as_known(summary, known):
            unchanged.append(known.pk)
            continue
        try:
            change = take_in(actor, account, session, summary)
        except (AwsNotFound, AwsDenied, AwsInvalid) as error:
            tally.problems.append(f"The model card {summary.name} could not be read: {error}")
            continue
        tally.created += change.is_new
        tally.updated += change.is_changed and not change.is_new
        tally.unchanged += not change.is_changed
    model_cards.seen_again(actor=actor, card_ids=unchanged)
    tally.unchanged += len(unchanged)
    tally.missing += model_cards.mark_missing(actor=actor, account=account, region=region, listed=listed, began=began)
    judge(actor=actor, account=account, region=region)


def take_in(actor: Actor, account: AwsAccount, session: AwsSession, summary: CardSummary) -> model_cards.CardChange:
    """Read one card in every version that is not known yet, and its latest. Raises AwsError."""
    region = session.account.region
    have: set[int] = set()
    if summary.created_at is not None:
        kept = ModelCardVersion.objects.filter(card__arn=summary.arn, card__aws_created_at=summary.created_at)
        have = set(kept.values_list("number", flat=True))
    records: list[CardRecord] = []
    versions = list(gateway.list_card_versions(session, summary.name))
    for version in versions:
        if version.number not in have or version is versions[-1]:
            record = gateway.describe_card(session, summary.name, version.number)
            # Describe tells when the card was made, the list when this version was.
            records.append(replace(record, created_at=version.created_at or record.created_at))
    if not records:
        records.append(gateway.describe_card(session, summary.name))
    return model_cards.take_in(
        actor=actor,
        account=account,
        region=region,
        records=records,
        created_at=summary.created_at,
        modified_at=summary.modified_at,
    )


def take_in_one(*, actor: Actor, account: AwsAccount, session: AwsSession, name: str) -> model_cards.CardChange:
    """Read one card by name, as after a write to it. Raises AwsError."""
    latest = gateway.describe_card(session, name)
    summary = CardSummary(latest.arn, latest.name, latest.status, latest.created_at, latest.modified_at)
    change = take_in(actor, account, session, summary)
    judge(actor=actor, account=account, region=session.account.region)
    return change


def read_soon(*, account: AwsAccount) -> None:
    """Have a worker read the cards of an account once the caller's operation is committed."""
    enqueue_on_commit("governance.read_aws", account_id=account.account_id, kind="cards", requested_by="outbox")


def judge(*, actor: Actor, account: AwsAccount, region: str) -> None:
    """Keep the findings about broken cards of an account and region true, from what is kept of them."""
    moment = timezone.now()
    rows = ModelCard.objects.filter(account=account, region=region)
    present = list(rows.present().select_related("account", "group__account", "version__group__account"))
    wrong = [observation_of(card) for card in present if card.problems]
    prefix = _mark(account, region, "")
    with operation(actor, "read model cards"):
        findings.record(FindingKind.CARD_INVALID, wrong, moment)
        standing = Finding.objects.unresolved().filter(kind=FindingKind.CARD_INVALID, subject_key__contains=prefix)
        keys = dict(standing.values_list("pk", "subject_key"))
        agreed = set(keys.values()) - {observation.key for observation in wrong}
        if agreed:
            findings.settle(FindingKind.CARD_INVALID, list(keys), agreed, _SETTLED, moment)


def observation_of(card: ModelCard) -> Observation:
    """Return what is wrong with a card, about what it describes: a version, a group, or the account it lies in."""
    subject: Subject = card.version or card.group or card.account
    told = " ".join(str(problem) for problem in card.problems)
    return Observation(
        subject,
        _WRONG.format(name=card.name, problems=told),
        {"problems": list(card.problems), "model_card": card.pk, "arn": card.arn, "version": card.number},
        mark=_mark(card.account, card.region, card.name),
    )


def _mark(account: AwsAccount, region: str, name: str) -> str:
    return f"card:{account.account_id}:{region}:{name}"


def _is_as_known(summary: CardSummary, card: ModelCard) -> bool:
    return summary.modified_at is not None and (summary.modified_at, summary.status, summary.created_at) == (
        card.aws_modified_at,
        card.status,
        card.aws_created_at,
    )
