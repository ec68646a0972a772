"""Writing model cards: a new one, a new content, another status. Forms parse; the service decides."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.forms import BaseForm
from django.http import FileResponse, HttpRequest
from django.urls import reverse
from django.utils.functional import cached_property
from django.views.generic import View

from portal.core.downloads import attachment
from portal.core.errors import InvalidInput
from portal.core.permissions import Act, require
from portal.core.views import ActionView, FormPage, SignedIn
from registry.choices import CardStatus
from registry.models import ModelCard
from registry.selectors import model_cards
from registry.web.differences import KeepsTyping

from ..services import card_edits, card_exports
from .model_card_forms import CardEditForm, CardNewForm, initial_of, rows_of

_ASKED = "It is on its way to SageMaker. The card is read again once it is there."


class CardNew(FormPage):
    """A card about a model group, written from nothing."""

    needs = Act.EDIT_CARD
    template_name = "governance/model_card_form.html"
    submit_label = "Create the card"

    def build(self, data: Any = None) -> BaseForm:
        groups = model_cards.groups_to_describe(self.actor)
        initial: dict[str, Any] = {"group": self.request.GET.get("group", "")}
        again = model_cards.written_before(self.actor, self.request.GET.get("from", ""))
        if again is not None and again.content is not None:
            initial = {
                "group": again.group_id,
                "name": again.name,
                **initial_of(again.content),
                **rows_of(again.content),
            }
        return CardNewForm(data, groups=groups, initial=initial, before=again.content if again else None)

    def carry_out(self, form: BaseForm) -> str:
        given = cast("CardNewForm", form)
        values = given.cleaned_data
        card_edits.create(
            actor=self.actor,
            group_id=values["group"].pk,
            name=values["name"],
            content=given.content_of({"model_overview": {"model_name": values["group"].name}}),
            reason=values["reason"],
        )
        self.say(_ASKED)
        return self.cancel_url()

    def cancel_url(self) -> str:
        return reverse("governance:model_card_list")

    def breadcrumbs(self) -> list[dict[str, str]]:
        return [{"label": "Model cards", "url": self.cancel_url()}, {"label": "New card", "url": ""}]


class CardEdit(KeepsTyping):
    """Another content of a card: its next version, a draft."""

    template_name = "governance/model_card_form.html"
    submit_label = "Write it to SageMaker"

    @cached_property
    def card(self) -> ModelCard:
        found = model_cards.card(self.actor, self.kwargs["pk"])
        require(self.actor, Act.EDIT_CARD, found.scope_project_id)
        return found

    def build(self, data: Any = None) -> BaseForm:
        fresh = model_cards.card(self.actor, self.card.pk)
        content = model_cards.content_of(fresh)
        again = model_cards.written_before(self.actor, self.request.GET.get("from", ""))
        if again is not None and again.content is not None and again.name == fresh.name:
            # What did not reach SageMaker is typed already; it is written over what the card says now.
            content = again.content
        initial = {**initial_of(content), **rows_of(content), "revision": fresh.revision}
        return CardEditForm(data, initial=initial, before=content)

    def carry_out(self, form: BaseForm) -> str:
        given = cast("CardEditForm", form)
        card_edits.edit(
            actor=self.actor,
            card_id=self.card.pk,
            revision=given.cleaned_data["revision"],
            content=given.content_of(model_cards.content_of(self.card)),
            reason=given.cleaned_data["reason"],
        )
        self.say(_ASKED)
        return self.cancel_url()

    def cancel_url(self) -> str:
        return reverse("governance:model_card", args=[self.card.pk])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(card=self.card, **kwargs)

    def breadcrumbs(self) -> list[dict[str, str]]:
        return [
            {"label": "Model cards", "url": reverse("governance:model_card_list")},
            {"label": self.card.name, "url": self.cancel_url()},
            {"label": "Edit", "url": ""},
        ]


class _Move(forms.Form):
    status = forms.ChoiceField(choices=CardStatus.choices())
    revision = forms.IntegerField(min_value=0, max_value=2_147_483_647)
    reason = forms.CharField(max_length=2000, required=False)


class CardMove(ActionView):
    """Another status of a card."""

    def carry_out(self) -> str:
        card = model_cards.card(self.actor, self.kwargs["pk"])
        require(self.actor, Act.EDIT_CARD if self._is_editing(card) else Act.APPROVE_CARD, card.scope_project_id)
        form = _Move(self.request.POST)
        if not form.is_valid():
            raise InvalidInput(
                "That is no status of a model card.",
                errors={name: [str(said) for said in found] for name, found in form.errors.items()},
            )
        values = form.cleaned_data
        card_edits.move(
            actor=self.actor,
            card_id=card.pk,
            revision=values["revision"],
            status=CardStatus(values["status"]),
            reason=values["reason"],
        )
        self.say(_ASKED)
        return reverse("governance:model_card", args=[card.pk])

    def _is_editing(self, card: ModelCard) -> bool:
        """Whether what is asked for is not an officer's to do; what a card cannot become is refused by the service."""
        wanted = self.request.POST.get("status", "")
        return card_edits.MOVES.get((card.status, wanted)) is not Act.APPROVE_CARD


class CardExport(ActionView):
    """Have SageMaker write the version that is shown as PDF."""

    def carry_out(self) -> str:
        card = model_cards.card(self.actor, self.kwargs["pk"])
        number = model_cards.number_of(self.request.POST.get("version", ""), "version")
        card_exports.order(actor=self.actor, card_id=card.pk, number=number)
        self.say("SageMaker was asked for the PDF. It stands below the versions once it is written.")
        address = reverse("governance:model_card", args=[card.pk])
        return f"{address}?version={number}" if number else address


class CardExportFile(SignedIn, View):
    """The PDF that SageMaker wrote, from S3."""

    http_method_names = ["get", "head", "options"]

    def get(self, request: HttpRequest, pk: int, export: int) -> FileResponse:
        row, file, size = card_exports.fetch(actor=self.actor, card_id=pk, export_id=export)
        name = f"sagemaker-model-card-{row.card.name}-{row.number}.pdf"
        return attachment(file, filename=name, content_type="application/pdf", size=size)
