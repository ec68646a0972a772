"""Model cards of their own, as pages and API read them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from portal.core import access
from portal.core.actors import Actor
from portal.core.errors import InvalidInput, NotFound
from portal.core.permissions import Act, may
from portal.core.vocabulary import RiskRating

from ..choices import AskedState
from ..models import ModelCard, ModelCardEdit, ModelCardExport, ModelCardVersion, ModelGroup, ModelVersion

_LARGEST = 2_147_483_647


@dataclass(frozen=True)
class Beside:
    """One governed field as the card of its own says it, beside what the version's embedded card says ("": nothing)."""

    field: str
    own: str
    embedded: str

    @property
    def is_lacking(self) -> bool:
        """Whether the embedded card does not say what the own card says."""
        return bool(self.own) and not self.embedded

    @property
    def differs(self) -> bool:
        return bool(self.own and self.embedded) and self.own.casefold() != self.embedded.casefold()


def cards(actor: Actor) -> QuerySet[ModelCard]:
    """Return the cards the actor may see, those AWS changed last first."""
    rows = ModelCard.objects.visible_to(actor).select_related("account", "group__project", "use_case", "version__group")
    return rows.defer("version__described", "version__card").order_by("-aws_modified_at", "-pk")


def card(actor: Actor, pk: int) -> ModelCard:
    """Return one card. Raises NotFound."""
    return access.get(ModelCard, actor, related=("account", "group__project", "use_case", "version__group"), pk=pk)


def versions(card: ModelCard) -> QuerySet[ModelCardVersion]:
    """Return the versions of a card, newest first, without their content."""
    return card.versions.select_related("written_by").defer("content", "text").order_by("-number")


def card_version(card: ModelCard, number: int | None = None) -> ModelCardVersion:
    """Return one version of a card in full, the latest without a number. Raises NotFound."""
    wanted = card.number if number is None else number
    row = None
    if 0 < wanted <= _LARGEST:
        row = card.versions.select_related("written_by").filter(number=wanted).first()
    if row is None and number is None:
        row = card.versions.select_related("written_by").order_by("-number").first()
    if row is None:
        raise NotFound(f"The model card {card.name} has no version {wanted}.")
    return row


def number_of(given: str, name: str) -> int | None:
    """Return the number of a version as an address gives it, None for none. Raises InvalidInput."""
    if not given:
        return None
    if not (given.isascii() and given.isdecimal() and len(given) < 10):
        raise InvalidInput("That is no version of a card.", errors={name: ["Give the number of a version."]})
    return int(given)


def two_versions(card: ModelCard, before: str, after: str) -> tuple[ModelCardVersion, ModelCardVersion]:
    """Return two versions to compare as an address names them: the latest and the one before it unless it says.

    Raises InvalidInput, NotFound.
    """
    second = card_version(card, number_of(after, "to"))
    first = number_of(before, "from")
    return card_version(card, max(1, second.number - 1) if first is None else first), second


def of_version(actor: Actor, version: ModelVersion) -> list[ModelCard]:
    """Return the cards that are about a version, newest first."""
    return list(cards(actor).filter(version=version)[:20])


def of_group(actor: Actor, version: ModelVersion) -> list[ModelCard]:
    """Return the cards about a version's group that name none of its versions, newest first."""
    return list(cards(actor).filter(group_id=version.group_id, version=None)[:20])


def beside_embedded(card: ModelCard) -> list[Beside]:
    """Return the governed fields of a card beside those of the version it names; empty when it names none.

    The embedded card is what the version is governed by: where it lacks something, nothing is taken over silently.
    """
    version = card.version
    if version is None:
        return []
    details = version.card_section("additional_information").get("custom_details")
    named = details.get("UseCaseId") if isinstance(details, dict) else None
    rows = (
        ("Risk rating", _rating(card.risk_rating), _rating(version.risk_rating)),
        ("Owner", card.owner_name, version.owner_name),
        ("Line of business", card.line_of_business, version.line_of_business),
        ("Use case", card.use_case_named, named.strip() if isinstance(named, str) else ""),
    )
    return [Beside(*row) for row in rows]


def groups_to_describe(actor: Actor) -> QuerySet[ModelGroup]:
    """Return the groups the actor may write a card about, by name."""
    rows = ModelGroup.objects.visible_to(actor).filter(missing_since=None).order_by("name", "pk")
    if actor.is_system or (actor.grants.everywhere and may(actor, Act.EDIT_CARD)):
        return rows
    projects = [pk for pk in actor.grants.by_project if may(actor, Act.EDIT_CARD, pk)]
    return rows.filter(project_id__in=projects)


def pending_edit(card: ModelCard) -> ModelCardEdit | None:
    """Return what is on its way to AWS for a card, None when nothing is."""
    rows = ModelCardEdit.objects.pending().filter(account=card.account, region=card.region, name=card.name)
    return rows.select_related("requested_by").order_by("-pk").first()


def failed_edit(card: ModelCard) -> ModelCardEdit | None:
    """Return the last thing asked for of a card, when it failed."""
    rows = ModelCardEdit.objects.filter(account=card.account, region=card.region, name=card.name)
    last = rows.select_related("requested_by").order_by("-pk").first()
    return last if last is not None and last.state == AskedState.FAILED else None


def exports(card: ModelCard) -> QuerySet[ModelCardExport]:
    """Return the PDFs that people had SageMaker write of a card, newest first."""
    return card.exports.select_related("requested_by", "card").order_by("-pk")


def export(card: ModelCard, pk: int) -> ModelCardExport:
    """Return one of them. Raises NotFound."""
    found = exports(card).filter(pk=pk).first()
    if found is None:
        raise NotFound(f"The model card {card.name} has no such export.")
    return found


def edits(actor: Actor) -> QuerySet[ModelCardEdit]:
    """Return what people asked to be written to the cards the actor may see, newest first."""
    rows = ModelCardEdit.objects.visible_to(actor).select_related("account", "requested_by", "group__project")
    return rows.order_by("-pk")


def asked_anew(actor: Actor) -> list[ModelCardEdit]:
    """Return the cards the actor asked to have made that are not there: on their way, or refused. Newest first."""
    mine = edits(actor).filter(requested_by_id=actor.user_id, card=None).exclude(state=AskedState.DONE)
    there = ModelCard.objects.present().filter(
        account=OuterRef("account"), region=OuterRef("region"), name=OuterRef("name")
    )
    later = ModelCardEdit.objects.filter(
        account=OuterRef("account"), region=OuterRef("region"), name=OuterRef("name"), pk__gt=OuterRef("pk")
    )
    return list(mine.exclude(Exists(there)).exclude(Exists(later)).defer("content")[:5])


def written_before(actor: Actor, given: str) -> ModelCardEdit | None:
    """Return the edit whose content somebody takes up again, as an address names it. Raises NotFound."""
    if not given:
        return None
    number = int(given) if given.isascii() and given.isdecimal() and len(given) < 18 else 0
    found = edits(actor).filter(pk=number, content__isnull=False).first()
    if found is None:
        raise NotFound("Nothing was written under this number.")
    return found


def content_of(card: ModelCard) -> dict[str, Any]:
    """Return the content of a card's latest version, empty for one that cannot be read."""
    return dict(card_version(card).content or {})


def _rating(value: str) -> str:
    return "" if value == RiskRating.UNKNOWN else RiskRating(value).label
