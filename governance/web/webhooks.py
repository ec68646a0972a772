"""Webhooks: who is told of events; what was sent to each, what was answered, and sent again."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import cached_property
from django.views.generic import View

from portal.core.errors import InvalidInput
from portal.core.permissions import Act, may, may_anywhere, require, require_anywhere
from portal.core.views import UNUSABLE, ActionView, FormPage, Page, SignedIn, TablePage, put_back
from portal.core.vocabulary import DeliveryState

from ..models import Webhook, WebhookDelivery
from ..policies.webhook_events import TEST, TYPES
from ..selectors import webhooks as selectors
from ..services import webhooks
from .channel_forms import GraceForm
from .webhook_forms import DeliveryFilter, WebhookFilter, WebhookForm
from .webhook_tables import DeliveryTable, WebhookTable, delivery_badge, events_words, health


def _list() -> dict[str, str]:
    return {"label": "Webhooks", "url": reverse("governance:webhook_list")}


class WebhookList(TablePage):
    template_name = "governance/webhook_list.html"
    table_class = WebhookTable
    filter_class = WebhookFilter
    needs = Act.SEE_WEBHOOKS

    def rows(self) -> QuerySet[Any]:
        return selectors.webhook_list(self.actor).order_by("name", "pk")

    def nothing(self) -> dict[str, str]:
        found = {
            "title": "Nobody is told by webhook",
            "text": "A webhook posts every event, signed, to a server of yours: when an approval is given, a finding"
            " opens, a deployment fails.",
            "icon": "webhook",
        }
        if may_anywhere(self.actor, Act.MANAGE_WEBHOOKS):
            found |= {"action_label": "Set up a webhook", "action_url": reverse("governance:webhook_new")}
        return found

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(may_edit=may_anywhere(self.actor, Act.MANAGE_WEBHOOKS), **kwargs)


class WebhookPage(TablePage):
    """One webhook: how it stands, and what was sent to it."""

    template_name = "governance/webhook.html"
    table_class = DeliveryTable
    filter_class = DeliveryFilter

    @cached_property
    def webhook(self) -> Webhook:
        return selectors.webhook(self.actor, self.kwargs["pk"])

    def rows(self) -> QuerySet[Any]:
        return selectors.deliveries(self.actor, self.webhook.pk)

    def breadcrumbs(self) -> list[dict[str, str]]:
        return [_list(), {"label": self.webhook.name, "url": ""}]

    def nothing(self) -> dict[str, str]:
        return {
            "title": "Nothing was sent yet",
            "text": "The next event it is told of appears here. Send a test to see whether the receiver answers.",
            "icon": "send",
        }

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        webhook = self.webhook
        return super().get_context_data(
            webhook=webhook,
            health=health(webhook),
            events=events_words(webhook),
            chosen=[{"name": name, "when": TYPES[name].when if name in TYPES else ""} for name in webhook.events],
            may_edit=may(self.actor, Act.MANAGE_WEBHOOKS, webhook.project_id),
            **kwargs,
        )


class DeliveryPage(Page):
    """One event on its way to one webhook: the bytes, and what came of each attempt."""

    template_name = "governance/webhook_delivery.html"

    @cached_property
    def delivery(self) -> WebhookDelivery:
        return selectors.delivery(self.actor, self.kwargs["pk"], self.kwargs["delivery"])

    def breadcrumbs(self) -> list[dict[str, str]]:
        webhook = self.delivery.webhook
        page = {"label": webhook.name, "url": reverse("governance:webhook", args=[webhook.pk])}
        return [_list(), page, {"label": self.delivery.type, "url": ""}]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        delivery = self.delivery
        webhook = delivery.webhook
        may_send = may(self.actor, Act.MANAGE_WEBHOOKS, webhook.project_id) and delivery.type != TEST
        context = {
            **kwargs,
            "delivery": delivery,
            "webhook": webhook,
            "look": delivery_badge(delivery),
            "payload": json.loads(delivery.body),
            "when": TYPES[delivery.type].when if delivery.type in TYPES else "Somebody tried the webhook out.",
            "attempts": selectors.attempts(delivery),
            "may_send": may_send and webhook.is_active,
            "is_held": may_send and not webhook.is_active,
            "is_pending": delivery.state == DeliveryState.PENDING,
        }
        return super().get_context_data(**context)


class WebhookForming(FormPage):
    """The form of one webhook."""

    template_name = "governance/webhook_form.html"
    form_class = WebhookForm

    def cancel_url(self) -> str:
        return reverse("governance:webhook_list")


class WebhookNew(WebhookForming):
    submit_label = "Set it up"

    def form_arguments(self) -> dict[str, Any]:
        require_anywhere(self.actor, Act.MANAGE_WEBHOOKS)
        everywhere = may(self.actor, Act.MANAGE_WEBHOOKS)
        return {"projects": selectors.projects_to_serve(self.actor), "everywhere": everywhere}

    def breadcrumbs(self) -> list[dict[str, str]]:
        return [_list(), {"label": "New", "url": ""}]

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        form = self.build(request.POST)
        assert isinstance(form, WebhookForm)
        if form.is_valid():
            given = form.cleaned_data
            try:
                made = webhooks.create(
                    actor=self.actor,
                    name=given["name"],
                    url=given["url"],
                    events=given["events"],
                    project_id=given["project"].pk if given["project"] else None,
                )
            except InvalidInput as refusal:
                put_back(form, refusal)
            else:
                return shown(request, made)
        return self.show_again(form, UNUSABLE)


class WebhookEdit(WebhookForming):
    @cached_property
    def webhook(self) -> Webhook:
        found = selectors.webhook(self.actor, self.kwargs["pk"])
        require(self.actor, Act.MANAGE_WEBHOOKS, found.project_id)
        return found

    def cancel_url(self) -> str:
        return reverse("governance:webhook", args=[self.webhook.pk])

    def form_arguments(self) -> dict[str, Any]:
        return {"projects": selectors.projects_to_serve(self.actor), "webhook": self.webhook}

    def breadcrumbs(self) -> list[dict[str, str]]:
        return [_list(), {"label": self.webhook.name, "url": self.cancel_url()}, {"label": "Edit", "url": ""}]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**{**kwargs, "webhook": self.webhook})

    def carry_out(self, form: BaseForm) -> str:
        given = form.cleaned_data
        made = webhooks.edit(
            actor=self.actor,
            webhook_id=self.webhook.pk,
            revision=given["revision"],
            name=given["name"],
            url=given["url"],
            events=given["events"],
        )
        messages.success(self.request, f"{made.name} was changed.")
        return self.cancel_url()


class _Act(ActionView):
    def page(self) -> str:
        return reverse("governance:webhook", args=[self.kwargs["pk"]])


class WebhookTest(_Act):
    """Send a test now and say what was answered."""

    def carry_out(self) -> str:
        sent = webhooks.try_out(actor=self.actor, webhook_id=self.kwargs["pk"])
        if sent.state == DeliveryState.DELIVERED:
            self.say(f"The receiver took the test: it answered {sent.last_status}.")
        else:
            self.say(f"The test was not taken. {sent.last_error}", messages.ERROR)
        return reverse("governance:webhook_delivery", args=[sent.webhook_id, sent.pk])


class WebhookEnable(_Act):
    """Have events written down and sent again."""

    def carry_out(self) -> str:
        made = webhooks.enable(actor=self.actor, webhook_id=self.kwargs["pk"])
        self.say(f"{made.name} is told of events again, what waits first.")
        return self.page()


class WebhookDisable(_Act):
    """Stop."""

    def carry_out(self) -> str:
        reason = self.request.POST.get("reason", "")
        made = webhooks.disable(actor=self.actor, webhook_id=self.kwargs["pk"], reason=reason)
        self.say(f"{made.name} is disabled. What waits is kept.")
        return self.page()


class WebhookRemove(_Act):
    """Take a webhook away."""

    def carry_out(self) -> str:
        webhooks.remove(actor=self.actor, webhook_id=self.kwargs["pk"])
        self.say("The webhook is gone, with what waited for it.")
        return reverse("governance:webhook_list")


class WebhookRedeliver(_Act):
    """Send one event again."""

    def carry_out(self) -> str:
        sent = webhooks.redeliver(actor=self.actor, webhook_id=self.kwargs["pk"], delivery_id=self.kwargs["delivery"])
        self.say(f"{sent.type} is sent again, the same bytes under the same id.")
        return reverse("governance:webhook_delivery", args=[sent.webhook_id, sent.pk])


class WebhookRotate(SignedIn, View):
    """Sign with a new secret; it is shown in the answer, once."""

    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        form = GraceForm(request.POST)
        if not form.is_valid():
            selectors.webhook(self.actor, self.kwargs["pk"])
            errors = {name: [str(error) for error in errors] for name, errors in form.errors.items()}
            raise InvalidInput("Nothing was done: give 0 to 168 hours.", errors=errors)
        grace = timedelta(hours=form.cleaned_data["grace_hours"])
        return shown(request, webhooks.rotate_secret(actor=self.actor, webhook_id=self.kwargs["pk"], grace=grace))


def shown(request: HttpRequest, made: webhooks.Made) -> HttpResponse:
    """Show a new secret, once; reloading the page does not repeat what was done."""
    page = reverse("governance:webhook", args=[made.webhook.pk])
    context = {
        "webhook": made.webhook,
        "secret": made.secret,
        "back_url": page,
        "breadcrumbs": [_list(), {"label": made.webhook.name, "url": page}, {"label": "The secret", "url": ""}],
    }
    return render(request, "governance/webhook_secret.html", context)
