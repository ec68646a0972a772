"""The lists of webhooks and of what was sent to one."""

from __future__ import annotations

from typing import Any

import django_tables2 as tables
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from portal.core.tables import PortalTable, failure, name_cell, two
from portal.core.templatetags.portal_ui import badge, reltime
from portal.core.vocabulary import DeliveryState, WebhookEnd

from ..models import Webhook, WebhookDelivery
from ..policies.webhook_events import ALL

_DELIVERY = {
    DeliveryState.PENDING: ("wait", "hourglass"),
    DeliveryState.DELIVERED: ("good", "circle-check"),
    DeliveryState.FAILED: ("bad", "circle-x"),
}
_SHOWN = 3


def health(webhook: Webhook) -> SafeString:
    """Return how a webhook stands, in a word."""
    if not webhook.is_active:
        words = {
            WebhookEnd.GONE: "Disabled: the receiver is gone",
            WebhookEnd.FAILING: "Disabled: nothing was taken",
            WebhookEnd.PERSON: "Disabled",
        }
        end = WebhookEnd(webhook.ended_by)
        return badge(words[end], "mute" if end is WebhookEnd.PERSON else "bad", "player-pause")
    if webhook.failures:
        return badge("Failing", "warn", "alert-triangle")
    return badge("Healthy", "good", "circle-check")


def delivery_badge(delivery: WebhookDelivery) -> SafeString:
    """Return how far a delivery has come."""
    state = DeliveryState(delivery.state)
    return badge(state.label, *_DELIVERY[state])


def events_words(webhook: Webhook) -> str:
    """Return what a webhook is told of, shortened where it is much."""
    if ALL in webhook.events:
        return "every event"
    shown = ", ".join(webhook.events[:_SHOWN])
    left = len(webhook.events) - _SHOWN
    return f"{shown} and {left} more" if left > 0 else shown


class WebhookTable(PortalTable):
    label = "Webhooks"
    name = tables.Column("Webhook", order_by=("name", "pk"))
    project = tables.Column("Told of", order_by=("project__key", "pk"), empty_values=())
    health = tables.Column("Health", accessor="state", order_by=("state", "-failures", "pk"))
    taken_at = tables.Column("Last taken", order_by=("taken_at", "pk"), empty_values=())
    waiting = tables.Column("Waiting", order_by=("waiting", "pk"))
    given_up = tables.Column("Given up", order_by=("given_up", "pk"))

    def render_name(self, record: Webhook) -> SafeString:
        return name_cell(record.name, reverse("governance:webhook", args=[record.pk]), record.url)

    def render_project(self, record: Webhook) -> SafeString:
        where = str(record.project) if record.project else "Every project"
        return format_html('{}<span class="kv-hint">{}</span>', where, events_words(record))

    def render_health(self, record: Webhook) -> SafeString:
        said = "" if record.is_active else record.disabled_reason
        return format_html("{}{}", health(record), failure(said))

    def render_taken_at(self, record: Any) -> SafeString:
        return reltime(record.taken_at, "none yet")


class DeliveryTable(PortalTable):
    """What is or was sent, newest first."""

    label = "Deliveries"
    type = tables.Column("Event", orderable=False)
    state = tables.Column("State", orderable=False)
    attempts = tables.Column("Attempts", orderable=False)
    created_at = tables.Column("Since", orderable=False)

    def render_type(self, record: WebhookDelivery) -> SafeString:
        page = reverse("governance:webhook_delivery", args=[record.webhook_id, record.pk])
        return name_cell(record.type, page, record.subject_name)

    def render_state(self, record: WebhookDelivery) -> SafeString:
        shown = delivery_badge(record)
        if record.state == DeliveryState.PENDING and record.attempts:
            shown = two(shown, format_html('<span class="kv-hint">again {}</span>', reltime(record.next_attempt_at)))
        return format_html("{}{}", shown, failure(record.last_error))

    def render_attempts(self, record: WebhookDelivery) -> Any:
        if record.last_status is None:
            return record.attempts
        return format_html('{}<span class="kv-hint">answered {}</span>', record.attempts, record.last_status)

    def render_created_at(self, record: WebhookDelivery) -> SafeString:
        return reltime(record.created_at)
