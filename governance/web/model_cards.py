"""Pages of model cards of their own: the list, one card in one version, two versions compared, and a card as PDF."""

from __future__ import annotations

import io
from typing import Any

import django_filters as filters
import django_tables2 as tables
from django.db.models import Q, QuerySet
from django.http import FileResponse, HttpRequest
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.generic import View

from portal.core.downloads import attachment
from portal.core.permissions import Act, may, may_anywhere
from portal.core.tables import PortalTable, absent, name_cell, two
from portal.core.templatetags.portal_ui import account, badge, reltime, risk_badge
from portal.core.views import Page, SignedIn, TablePage
from portal.core.vocabulary import RiskRating
from registry.choices import CardStatus
from registry.models import ModelCard, ModelCardVersion
from registry.selectors import card_sheet, model_cards
from registry.services import cards
from registry.web.filters import choice, search

from ..services import card_edits
from ..services.card_pdf import pdf_of

_LOOKS = {
    CardStatus.DRAFT: ("mute", "pencil"),
    CardStatus.PENDING_REVIEW: ("warn", "clock"),
    CardStatus.APPROVED: ("good", "circle-check"),
    CardStatus.ARCHIVED: ("mute", "archive"),
}


# What people press to send a card there.
_MOVES = {
    CardStatus.DRAFT: "Back to draft",
    CardStatus.PENDING_REVIEW: "Send for review",
    CardStatus.APPROVED: "Approve",
    CardStatus.ARCHIVED: "Archive",
}


def card_status(status: str) -> SafeString:
    """Show how far a card has come."""
    word = CardStatus(status)
    tone, icon = _LOOKS[word]
    return badge(word.label, tone, icon)


class CardTable(PortalTable):
    label = "Model cards"
    optional = ("account", "use_case")
    name = tables.Column("Card", order_by=("name", "pk"))
    about = tables.Column("About", accessor="group__name", order_by=("group__name", "pk"), empty_values=())
    status = tables.Column("Status", order_by=("status", "pk"))
    risk_rating = tables.Column("Risk", order_by=("risk_rating", "pk"))
    owner_name = tables.Column("Owner", order_by=("owner_name", "pk"), empty_values=())
    line_of_business = tables.Column("Line of business", order_by=("line_of_business", "pk"), empty_values=())
    use_case = tables.Column("Use case", accessor="use_case_named", orderable=False, empty_values=())
    account = tables.Column("Account", accessor="account__account_id", orderable=False)
    aws_modified_at = tables.Column("Changed", order_by=("aws_modified_at", "pk"), empty_values=())
    read_at = tables.Column("Read", order_by=("read_at", "pk"))

    def value_about(self, record: ModelCard) -> str:
        return str(record.version or record.group or "")

    def value_use_case(self, record: ModelCard) -> str:
        return record.use_case_named

    def render_name(self, record: ModelCard) -> SafeString:
        shown = name_cell(record.name, reverse("governance:model_card", args=[record.pk]), f"version {record.number}")
        if record.missing_since:
            return two(shown, badge("Gone from AWS", "bad", "cloud-off"))
        count = len(record.problems)
        return (
            two(shown, badge(f"{count} problem{'' if count == 1 else 's'}", "warn", "alert-triangle"))
            if count
            else shown
        )

    def render_about(self, record: ModelCard) -> SafeString:
        if record.version:
            address = reverse("registry:version_card", args=[record.version.pk])
            return format_html('<a href="{}">{}</a>', address, record.version.name)
        if record.group:
            address = reverse("registry:group", args=[record.group.pk])
            return format_html('<a href="{}">{}</a>', address, record.group.name)
        return absent("names no model known here")

    def render_status(self, record: ModelCard) -> SafeString:
        return card_status(record.status)

    def render_risk_rating(self, record: ModelCard) -> SafeString:
        return risk_badge(record.risk_rating, "from the model card")

    def render_owner_name(self, record: ModelCard) -> SafeString | str:
        return record.owner_name or absent("not reported")

    def render_line_of_business(self, record: ModelCard) -> SafeString | str:
        return record.line_of_business or absent("not reported")

    def render_use_case(self, record: ModelCard) -> SafeString | str:
        if record.use_case:
            address = reverse("registry:use_case", args=[record.use_case.number])
            return format_html('<a href="{}">{}</a>', address, record.use_case.public_id)
        return record.use_case_named or absent("not reported")

    def render_account(self, record: ModelCard) -> SafeString:
        return account(record.account, region=record.region)

    def render_aws_modified_at(self, record: ModelCard) -> SafeString:
        return reltime(record.aws_modified_at, "not reported")

    def render_read_at(self, record: ModelCard) -> SafeString:
        return reltime(record.read_at)


class CardFilter(filters.FilterSet):
    q = search("Card, model, owner, UC-0001")
    status = choice(CardStatus, "Status", "status", "Any status")
    risk_rating = choice(RiskRating, "Risk", "risk_rating", "Any risk")
    problems = filters.ChoiceFilter(
        method="by_problems", label="Content", empty_label="Any", choices=[("yes", "With problems"), ("no", "Valid")]
    )

    class Meta:
        model = ModelCard
        fields: list[str] = []

    def by_problems(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.exclude(problems=[]) if value == "yes" else rows.filter(problems=[])

    def search(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        found = Q()
        for field in ("name", "model_name", "group__name", "owner_name", "line_of_business", "use_case_named"):
            found |= Q(**{f"{field}__icontains": value})
        return rows.filter(found)


class CardList(TablePage):
    """Every card of their own that the actor may see."""

    template_name = "governance/model_card_list.html"
    table_class = CardTable
    filter_class = CardFilter

    def rows(self) -> QuerySet[Any]:
        return model_cards.cards(self.actor)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            may_write=may_anywhere(self.actor, Act.EDIT_CARD), asked=model_cards.asked_anew(self.actor), **kwargs
        )

    def nothing(self) -> dict[str, str]:
        return {
            "title": "No model card has been read yet",
            "text": "Cards that people write in SageMaker appear here with the next reading of their account.",
            "icon": "notebook",
        }


class OfCard(Page):
    """A page about one card."""

    @cached_property
    def card(self) -> ModelCard:
        return model_cards.card(self.actor, self.kwargs["pk"])

    @property
    def url(self) -> str:
        return reverse("governance:model_card", args=[self.card.pk])

    def breadcrumbs(self) -> list[dict[str, str]]:
        return [
            {"label": "Model cards", "url": reverse("governance:model_card_list")},
            {"label": self.card.name, "url": self.url},
        ]

    def of_number(self, name: str) -> ModelCardVersion:
        """Return the version of the card that the address names. Raises InvalidInput, NotFound."""
        return model_cards.card_version(self.card, model_cards.number_of(self.request.GET.get(name, ""), name))


class CardPage(OfCard):
    """One card in one version: every section, what is wrong with it, and what it says that its version does not."""

    template_name = "governance/model_card.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        shown = self.of_number("version")
        is_latest = shown.number == self.card.number
        beside = model_cards.beside_embedded(self.card) if is_latest else []
        return super().get_context_data(
            card=self.card,
            shown=shown,
            is_latest=is_latest,
            facts=cards.facts_of(shown.content or {}),
            status=card_status(shown.status),
            sections=card_sheet.sheet(shown.content),
            versions=[{"row": row, "status": card_status(row.status)} for row in model_cards.versions(self.card)],
            lacking=[row for row in beside if row.is_lacking],
            differing=[row for row in beside if row.differs],
            exports=list(model_cards.exports(self.card)[:10]),
            pending=model_cards.pending_edit(self.card),
            failed=model_cards.failed_edit(self.card),
            **self._to_do(),
            **kwargs,
        )

    def _to_do(self) -> dict[str, Any]:
        card, project = self.card, self.card.scope_project_id
        moves = [
            {"status": str(status), "label": _MOVES[status], "icon": _LOOKS[status][1]}
            for status, act in card_edits.moves_from(card)
            if may(self.actor, act, project)
            and not (status == CardStatus.APPROVED and (card.problems or card_edits.wrote_last(self.actor, card)))
        ]
        is_open = card.missing_since is None
        return {
            "moves": moves if is_open else [],
            "may_store": bool(card.account.artifact_buckets),
            "may_export": is_open and may(self.actor, Act.EXPORT_CARD, project),
            "may_edit": is_open and card.status != CardStatus.ARCHIVED and may(self.actor, Act.EDIT_CARD, project),
        }


class CardCompare(OfCard):
    """Two versions of a card, field by field."""

    template_name = "governance/model_card_compare.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        given = self.request.GET
        before, after = model_cards.two_versions(self.card, given.get("from", ""), given.get("to", ""))
        return super().get_context_data(
            card=self.card,
            before=before,
            after=after,
            before_words=str(before.number),
            after_words=str(after.number),
            rows=card_sheet.differences(before.content, after.content),
            versions=list(model_cards.versions(self.card)),
            **kwargs,
        )

    def breadcrumbs(self) -> list[dict[str, str]]:
        return [*super().breadcrumbs(), {"label": "Compare", "url": ""}]


class CardFile(SignedIn, View):
    """One version of a card as PDF."""

    http_method_names = ["get", "head", "options"]

    def get(self, request: HttpRequest, pk: int) -> FileResponse:
        card = model_cards.card(self.actor, pk)
        shown = model_cards.card_version(card, model_cards.number_of(request.GET.get("version", ""), "version"))
        content = pdf_of(card, shown)
        name = f"model-card-{card.name}-{shown.number}.pdf"
        return attachment(io.BytesIO(content), filename=name, content_type="application/pdf", size=len(content))
