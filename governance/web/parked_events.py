"""Registry events on pages: how each queue is doing, what was kept aside, and what people do about it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import cached_property

from portal.core.bulk_actions import BulkTablePage
from portal.core.permissions import Act, may_anywhere, require_anywhere
from portal.core.views import ActionView, FormPage
from registry.choices import ParkedEventState
from registry.models import ParkedEvent
from registry.selectors import events

from ..services import parked_events
from .bulk import EVENT_ACTIONS
from .parked_event_tables import ParkedEventFilter, ParkedEventTable, short_name

# Enough to see what it is; the API gives all of it.
_SHOWN = 20_000


class DismissForm(forms.Form):
    """Say that an event need not be taken in."""

    reason = forms.CharField(
        label="Why it need not be taken in",
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="The event stays here with these words and your name.",
    )


class ParkedEventList(BulkTablePage):
    template_name = "governance/parked_event_list.html"
    table_class = ParkedEventTable
    filter_class = ParkedEventFilter
    bulk = EVENT_ACTIONS
    needs = Act.SEE_OPERATIONS

    def rows(self) -> QuerySet[Any]:
        return events.parked_events(self.actor)

    def nothing(self) -> dict[str, str]:
        return {
            "title": "Every event was taken in",
            "text": "What arrives and cannot be taken in is kept here with every byte until somebody settles it.",
            "icon": "inbox",
        }

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            queues=events.health_of_all(self.actor), may_handle=may_anywhere(self.actor, Act.HANDLE_EVENTS), **kwargs
        )


class ParkedEventPage(FormPage):
    """One event kept aside; dismissing it needs a reason."""

    template_name = "governance/parked_event.html"
    form_class = DismissForm
    submit_label = "Dismiss it"

    @cached_property
    def event(self) -> ParkedEvent:
        return events.parked_event(self.actor, self.kwargs["pk"])

    def breadcrumbs(self) -> list[dict[str, str]]:
        return [
            {"label": "Registry events", "url": reverse("governance:parked_event_list")},
            {"label": short_name(self.event) or self.event.message_id, "url": ""},
        ]

    def carry_out(self, form: BaseForm) -> str:
        parked_events.dismiss(actor=self.actor, event_id=self.event.pk, reason=form.cleaned_data["reason"])
        self.say("The event is dismissed.")
        return reverse("governance:parked_event_list")

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        # Who may not dismiss it is told so before he is told what is wrong with his reason.
        assert self.event
        require_anywhere(self.actor, Act.HANDLE_EVENTS)
        return super().post(request, *args, **kwargs)

    def cancel_url(self) -> str:
        return reverse("governance:parked_event_list")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        event = self.event
        may_handle = may_anywhere(self.actor, Act.HANDLE_EVENTS)
        body = event.text
        return super().get_context_data(
            event=event,
            name=short_name(event),
            body=body[:_SHOWN],
            is_cut=len(body) > _SHOWN,
            size=len(event.body),
            may_replay=may_handle and event.state != ParkedEventState.REPLAYED,
            may_dismiss=may_handle and event.state == ParkedEventState.PARKED,
            version_id=events.version_ids([event.model_package_arn]).get(event.model_package_arn),
            **kwargs,
        )


class ParkedEventReplay(ActionView):
    """Take an event in anew."""

    def carry_out(self) -> str:
        event = parked_events.replay(actor=self.actor, event_id=self.kwargs["pk"])
        if event.state == ParkedEventState.REPLAYED:
            self.say("The event was taken in.")
            return reverse("governance:parked_event_list")
        self.say(f"The event could not be taken in and stays here. {event.error}", messages.ERROR)
        return reverse("governance:parked_event", args=[event.pk])


class EventRedrive(ActionView):
    """Have a worker take in the dead letters of an account's event queue."""

    def carry_out(self) -> str:
        account = parked_events.request_redrive(actor=self.actor, account_id=self.kwargs["account_id"])
        self.say(f"A worker is reading the dead letters of {account.alias}. What cannot be taken in is listed here.")
        return reverse("governance:parked_event_list")
