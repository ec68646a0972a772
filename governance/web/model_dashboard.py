"""The model dashboard across accounts: live where, failing what, watched or not; every figure opens its list."""

from __future__ import annotations

from typing import Any, ClassVar
from urllib.parse import urlencode

import django_filters as filters
import django_tables2 as tables
from django import forms
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from portal.core.tables import PortalTable, absent, name_cell
from portal.core.templatetags.portal_ui import account, plain, reltime, status_badge
from portal.core.views import TablePage
from registry.services.deployments import region_of
from registry.web.filters import choice, line_of_business, search

from ..choices import FindingKind
from ..models import LiveVersion
from ..selectors import model_dashboard, served
from ..serving_words import Presence, Serves, Watched
from .filters import project_keys
from .wording import url_of

_KINDS_NAMED, _PLACES_NAMED = 3, 5


class DashboardFilter(filters.FilterSet):
    q = search("Model group, account")
    presence = choice(Presence, "Live", "presence", "Anywhere")
    verdict = filters.ChoiceFilter(
        method="by_verdict",
        label="Running and approved",
        empty_label="Any way",
        choices=[("disagrees", "Runs and must not"), *Serves.choices()],
    )
    watched = choice(Watched, "Monitor", "watched", "Watched or not")
    checks = filters.ChoiceFilter(
        method="by_checks",
        label="Findings",
        empty_label="Any",
        choices=[("fails", "Has open findings"), ("none", "Has none"), *FindingKind.choices()],
    )
    region = filters.CharFilter(
        method="by_region", label="Region", widget=forms.TextInput(attrs={"placeholder": "us-east-1"})
    )
    account = filters.CharFilter(
        method="by_account", label="Account", widget=forms.TextInput(attrs={"placeholder": "Twelve digits"})
    )
    project = filters.ModelChoiceFilter(
        queryset=project_keys, label="Project", field_name="version__group__project", empty_label="Any project"
    )
    line_of_business = line_of_business("version__group__project")

    class Meta:
        model = LiveVersion
        fields: list[str] = []

    def search(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        condition = Q(version__group__name__icontains=value) | Q(account__alias__icontains=value)
        return rows.filter(condition | Q(account__account_id__startswith=value))

    def by_verdict(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        words = served.DISAGREEING if value == "disagrees" else (Serves(value),)
        return rows.filter(verdict__in=[word.value for word in words])

    def by_checks(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        if value in ("fails", "none"):
            return rows.filter(findings__gt=0) if value == "fails" else rows.filter(findings=0)
        return model_dashboard.failing(rows, value)

    def by_region(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return model_dashboard.in_region(rows, value.strip())

    def by_account(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        digits = value.strip()
        return rows.filter(account__account_id=digits) if digits.isdecimal() and len(digits) == 12 else rows.none()


class DashboardTable(PortalTable):
    label = "Model dashboard"
    optional: ClassVar[tuple[str, ...]] = ("read_at",)
    version = tables.Column("Version", order_by=("version__group__name", "version__number", "pk"))
    where = tables.Column("Account", accessor="account", order_by=("account__alias", "pk"))
    presence = tables.Column("Live", order_by=("presence", "pk"))
    places = tables.Column("Serves at", accessor="version", orderable=False)
    verdict = tables.Column("Approved there", order_by=("verdict", "pk"), empty_values=())
    findings = tables.Column("Fails checks", order_by=("findings", "pk"))
    watched = tables.Column("Monitor", order_by=("watched", "pk"))
    read_at = tables.Column("Last read", order_by=("read_at", "pk"), empty_values=())

    def render_version(self, record: Any) -> SafeString:
        project = record.version.group.project
        stage = plain(record.version.stage)
        note = f"{project.name}, {stage}" if project else stage
        return name_cell(record.version.name, url_of(record.version), note, queue=True)

    def render_where(self, record: Any) -> SafeString:
        seen = sorted({one.endpoint.region for one in model_dashboard.places(record)})
        return account(record.account, region=", ".join(seen) or region_of(record.version, record.account))

    def render_presence(self, record: Any) -> SafeString:
        shown = status_badge(record.presence, "serves")
        if record.read_at is None:
            return shown
        return format_html('{}<span class="kv-hint">read {}</span>', shown, reltime(record.read_at))

    def render_places(self, record: Any) -> SafeString:
        found = model_dashboard.places(record)
        if not found:
            return absent("nothing seen")
        lines = format_html_join(
            "",
            '<span class="cell-line"><a href="{}">{}</a> <span class="kv-hint">{}</span></span>',
            (
                (reverse("governance:endpoint", args=[one.endpoint_id]), one.endpoint.name, _share(one))
                for one in found[:_PLACES_NAMED]
            ),
        )
        more = len(found) - _PLACES_NAMED
        return format_html('{}<span class="kv-hint">and {} more</span>', lines, more) if more > 0 else lines

    def render_verdict(self, record: Any) -> SafeString:
        return status_badge(record.verdict, "serves") if record.verdict else absent("nothing seen")

    def render_findings(self, record: Any) -> SafeString | str:
        if not record.findings:
            return "none open"
        query = urlencode({"version": record.version_id, "state": "standing", "touches": record.account.account_id})
        url = f"{reverse('governance:finding_list')}?{query}"
        named = [FindingKind(kind).label for kind in record.failing[:_KINDS_NAMED]]
        if len(record.failing) > _KINDS_NAMED:
            named.append(f"{len(record.failing) - _KINDS_NAMED} more")
        return format_html(
            '<a href="{}">{} open</a><span class="kv-hint">{}</span>', url, record.findings, "; ".join(named)
        )

    def render_watched(self, record: Any) -> SafeString:
        return status_badge(record.watched, "serves")

    def render_read_at(self, record: Any) -> SafeString:
        return absent("not read yet") if record.read_at is None else reltime(record.read_at)

    def value_places(self, record: Any) -> str:
        return "; ".join(f"{one.endpoint.name} {_share(one)}" for one in model_dashboard.places(record))

    def value_presence(self, record: Any) -> str:
        return Presence(record.presence).label

    def value_findings(self, record: Any) -> str:
        kinds = "; ".join(FindingKind(kind).label for kind in record.failing)
        return f"{record.findings}: {kinds}" if record.findings else "0"

    def value_verdict(self, record: Any) -> str:
        return Serves(record.verdict).label if record.verdict else ""

    def value_watched(self, record: Any) -> str:
        return Watched(record.watched).label


class ModelDashboard(TablePage):
    template_name = "governance/model_dashboard.html"
    table_class = DashboardTable
    filter_class = DashboardFilter

    def rows(self) -> QuerySet[Any]:
        return model_dashboard.rows(self.actor)

    def nothing(self) -> dict[str, str]:
        return {
            "title": "Nothing is live yet",
            "text": "A version appears here when it is approved for production, reported deployed, or seen serving.",
            "icon": "rocket",
        }

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(figures=self._figures(), **kwargs)

    def _figures(self) -> list[dict[str, Any]]:
        found, here = model_dashboard.counts(self.actor), reverse("governance:model_dashboard")
        unknown = f"{reverse('governance:endpoint_list')}?verdict=unknown_model"
        shown = (
            ("Seen serving", "live", f"{here}?presence=live", "rocket", "good"),
            ("Runs and must not", "disagrees", f"{here}?verdict=disagrees", "alert-triangle", "grave"),
            ("With open findings", "fails", f"{here}?checks=fails", "flag", "warn"),
            ("Without a monitor", "unwatched", f"{here}?watched=no_monitor", "gauge", "warn"),
            ("Not serving there", "absent", f"{here}?presence=not_there", "hourglass", "warn"),
            ("Models nobody registered", "unknown", unknown, "alert-octagon", "bad"),
        )
        return [
            {"label": label, "value": found[name], "url": url, "icon": icon, "tone": tone if found[name] else "mute"}
            for label, name, url, icon, tone in shown
        ]


def _share(one: Any) -> str:
    weight = "" if one.weight is None else f", weight {plain(one.weight)}"
    coming = "" if one.endpoint.status == "InService" else f", {one.endpoint.status}"
    marks = f"{', shadow' if one.is_shadow else ''}{', coming up' if one.is_pending else ''}"
    return f"{one.endpoint.region}, {one.name}{weight}{marks}{coming}"
