"""The list of events kept aside: its columns and its filters."""

from __future__ import annotations

from typing import Any

import django_filters as filters
import django_tables2 as tables
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from portal.core.tables import PortalTable, name_cell
from portal.core.templatetags.portal_ui import reltime, status_badge
from registry.choices import EventProblem, ParkedEventState
from registry.models import AwsAccount, ParkedEvent
from registry.selectors.operations import accounts
from registry.web.filters import choice, search


class ParkedEventTable(PortalTable):
    label = "Parked events"
    problem = tables.Column("Problem", order_by=("problem", "pk"))
    account = tables.Column("Queue of", order_by=("account__alias", "pk"))
    state = tables.Column("State", order_by=("state", "pk"))
    attempts = tables.Column("Attempts", order_by=("attempts", "pk"))
    last_seen_at = tables.Column("Last seen", order_by=("last_seen_at", "pk"))

    def stamp_of(self, record: ParkedEvent) -> str:
        return f"{record.state}-{record.attempts}"

    def name_of(self, record: ParkedEvent) -> str:
        return short_name(record) or f"message {record.message_id}"

    def render_problem(self, record: ParkedEvent) -> SafeString:
        about = short_name(record) or f"message {record.message_id}"
        link = name_cell(
            EventProblem(record.problem).label, reverse("governance:parked_event", args=[record.pk]), about
        )
        return format_html('{}<span class="cell-error">{}</span>', link, record.error)

    def render_account(self, record: ParkedEvent) -> SafeString:
        url = reverse("registry:account", args=[record.account.account_id])
        return name_cell(record.account.alias, url, record.account.account_id)

    def render_state(self, record: ParkedEvent) -> SafeString:
        return status_badge(record.state, "event")

    def render_last_seen_at(self, record: ParkedEvent) -> SafeString:
        return reltime(record.last_seen_at)


def short_name(record: ParkedEvent) -> str:
    """Return group and number of the version an event is about, as its ARN has them; "" when it says none."""
    return record.model_package_arn.partition(":model-package/")[2]


def _accounts(request: Any) -> QuerySet[AwsAccount]:
    return accounts(request.user.actor)


class ParkedEventFilter(filters.FilterSet):
    q = search("Version, message id, error")
    state = choice(ParkedEventState, "State", "state", "Any state")
    problem = choice(EventProblem, "Problem", "problem", "Any problem")
    account = filters.ModelChoiceFilter(queryset=_accounts, label="Queue of", empty_label="Any account")

    class Meta:
        model = ParkedEvent
        fields: list[str] = []

    def search(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(
            Q(model_package_arn__icontains=value) | Q(message_id__icontains=value) | Q(error__icontains=value)
        )
