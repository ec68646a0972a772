"""Endpoints across accounts as AWS shows them, and one endpoint: what serves, of which version, approved or not."""

from __future__ import annotations

from typing import Any, ClassVar

import django_filters as filters
import django_tables2 as tables
from django import forms
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from portal.core import access
from portal.core.tables import PortalTable, absent, name_cell, two
from portal.core.templatetags.portal_ui import account, badge, plain, reltime, status_badge
from portal.core.templatetags.wording import breakable
from portal.core.views import Page, TablePage
from portal.core.vocabulary import Stage
from registry.choices import SERVING
from registry.models import Endpoint, EndpointVariant
from registry.web.filters import choice, line_of_business, search

from ..selectors import served
from ..serving_words import Serves
from .filters import project_keys
from .wording import url_of


class ServedFilter(filters.FilterSet):
    q = search("Endpoint, model, model group, account")
    verdict = filters.ChoiceFilter(
        method="by_verdict",
        label="Running and approved",
        empty_label="Any way",
        choices=[("disagrees", "Runs and must not"), *Serves.choices()],
    )
    stage = choice(Stage, "Stage", "record_stage", "Any stage")
    region = filters.CharFilter(
        field_name="endpoint__region", label="Region", widget=forms.TextInput(attrs={"placeholder": "us-east-1"})
    )
    account = filters.CharFilter(
        method="by_account", label="Account", widget=forms.TextInput(attrs={"placeholder": "Twelve digits"})
    )
    shadow = filters.ChoiceFilter(
        field_name="is_shadow",
        label="Variant",
        empty_label="Any variant",
        choices=[("False", "Answers requests"), ("True", "Shadow")],
    )
    project = filters.ModelChoiceFilter(
        queryset=project_keys, label="Project", field_name="version__group__project", empty_label="Any project"
    )
    line_of_business = line_of_business("version__group__project")

    class Meta:
        model = EndpointVariant
        fields: list[str] = []

    def search(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        condition = Q(version__group__name__icontains=value) | Q(endpoint__name__icontains=value)
        condition |= Q(model_name__icontains=value) | Q(endpoint__account__alias__icontains=value)
        return rows.filter(condition | Q(endpoint__account__account_id__startswith=value))

    def by_verdict(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        words = served.DISAGREEING if value == "disagrees" else (Serves(value),)
        return rows.filter(verdict__in=[word.value for word in words])

    def by_account(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        digits = value.strip()
        found = digits.isdecimal() and len(digits) == 12
        return rows.filter(endpoint__account__account_id=digits) if found else rows.none()


class ServedTable(PortalTable):
    label = "Endpoints across accounts"
    optional: ClassVar[tuple[str, ...]] = ("image", "isolation")
    endpoint = tables.Column("Endpoint", order_by=("endpoint__name", "name", "pk"))
    version = tables.Column("Version", order_by=("version__group__name", "version__number", "pk"), empty_values=())
    where = tables.Column(
        "Account", accessor="endpoint__account", order_by=("endpoint__account__alias", "endpoint__region", "pk")
    )
    weight = tables.Column("Weight", order_by=("weight", "pk"), empty_values=())
    record_status = tables.Column("Its approval", order_by=("record_status", "pk"), empty_values=())
    verdict = tables.Column("Running", order_by=("verdict", "pk"))
    isolation = tables.Column(
        "Network isolation", accessor="network_isolation", order_by=("network_isolation", "pk"), empty_values=()
    )
    image = tables.Column("Image", order_by=("image", "pk"), empty_values=())
    read_at = tables.Column("Last read", accessor="endpoint__read_at", order_by=("endpoint__read_at", "pk"))

    def render_endpoint(self, record: EndpointVariant) -> SafeString:
        url = reverse("governance:endpoint", args=[record.endpoint_id])
        return format_html("{}{}", name_cell(record.endpoint.name, url, queue=True), _variant(record))

    def render_version(self, record: EndpointVariant) -> SafeString:
        if record.version is not None:
            project = record.version.group.project
            return name_cell(record.version.name, url_of(record.version), project.name if project else "")
        if record.serves_nothing:
            return absent("nothing placed yet")
        words = record.model_name or record.inference_component or "its model is gone from AWS"
        if record.many_under:
            words = f"{words}, any model under {record.many_under}"
        return format_html('{}<span class="kv-hint">{}</span>', absent("no registered version"), words)

    def render_where(self, record: EndpointVariant) -> SafeString:
        return account(record.endpoint.account, region=record.endpoint.region)

    def render_weight(self, record: EndpointVariant) -> SafeString | str:
        return absent() if record.weight is None else plain(record.weight)

    def render_record_status(self, record: Any) -> SafeString:
        if record.version is None:
            return absent("no version")
        if not record.record_status:
            return absent("none needed" if not record.is_governed else "no record there")
        return two(status_badge(record.record_status), plain(record.record_stage))

    def render_verdict(self, record: Any) -> SafeString:
        shown = status_badge(record.verdict, "serves")
        word = _unsettled(record)
        return format_html('{}<span class="kv-hint">{}</span>', shown, word) if word else shown

    def render_isolation(self, record: EndpointVariant) -> SafeString | str:
        return absent() if record.network_isolation is None else "on" if record.network_isolation else "off"

    def render_image(self, record: EndpointVariant) -> SafeString | str:
        return breakable(record.image) if record.image else absent()

    def render_read_at(self, record: EndpointVariant) -> SafeString:
        return reltime(record.endpoint.read_at)

    def value_endpoint(self, record: EndpointVariant) -> str:
        return served.where(record)

    def value_verdict(self, record: Any) -> str:
        word = _unsettled(record)
        return f"{Serves(record.verdict).label} ({word})" if word else Serves(record.verdict).label


class VariantTable(ServedTable):
    label = "What the endpoint serves"
    optional: ClassVar[tuple[str, ...]] = ()

    class Meta:
        sequence = ("endpoint", "version", "weight", "record_status", "verdict", "isolation", "image")
        exclude = ("where", "read_at")
        orderable = False

    endpoint = tables.Column("Variant")

    def render_endpoint(self, record: EndpointVariant) -> SafeString:
        return _variant(record)


class EndpointList(TablePage):
    template_name = "governance/endpoint_list.html"
    table_class = ServedTable
    filter_class = ServedFilter

    def rows(self) -> QuerySet[Any]:
        return served.served(self.actor)

    def nothing(self) -> dict[str, str]:
        return {
            "title": "No endpoint was read",
            "text": "The portal reads the endpoints of every account each ten minutes. None was found, or none serves"
            " a version you may see.",
            "icon": "server-2",
            "action_label": "See what was ordered",
            "action_url": reverse("governance:deployment_list"),
        }


class EndpointPage(Page):
    """One endpoint: what it serves, as it was last read."""

    template_name = "governance/endpoint.html"

    @cached_property
    def endpoint(self) -> Endpoint:
        return access.get(Endpoint, self.actor, pk=self.kwargs["pk"])

    def breadcrumbs(self) -> list[dict[str, str]]:
        return [
            {"label": "Endpoints", "url": reverse("governance:endpoint_list")},
            {"label": self.endpoint.name, "url": ""},
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        rows = served.of_endpoint(self.actor, self.endpoint)
        return super().get_context_data(
            endpoint=self.endpoint,
            tone="good" if self.endpoint.status in SERVING else "warn",
            table=VariantTable(rows),
            monitors=served.monitors_of(self.actor, self.endpoint),
            **kwargs,
        )


def _variant(record: EndpointVariant) -> SafeString:
    parts = [record.name, *(part for part in (record.inference_component, record.container) if part)]
    marks = [
        badge(word, tone=tone)
        for holds, word, tone in (
            (record.is_shadow, "Shadow", "live"),
            (record.is_pending, "Coming up", "wait"),
            (record.many_under, "Many models", "warn"),
            (record.is_serverless, "Serverless", "mute"),
            (record.endpoint.is_asynchronous, "Asynchronous", "mute"),
        )
        if holds
    ]
    shown = format_html_join(" ", "{}", ((mark,) for mark in marks))
    return format_html('<span class="kv-hint">{} {}</span>', ", ".join(parts), shown)


def _unsettled(record: EndpointVariant) -> str:
    """AWS's own word about an endpoint or a component that is not simply in service."""
    if record.endpoint.status != "InService":
        return f"endpoint {record.endpoint.status}"
    settled = record.component_status in ("", "InService")
    return "" if settled else f"component {record.component_status}"
