"""Deployments across accounts: what was ordered and reported to run where, against what is approved."""

from __future__ import annotations

from typing import Any

import django_filters as filters
import django_tables2 as tables
from django import forms
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from portal.core.tables import PortalTable, absent, name_cell, two
from portal.core.templatetags.portal_ui import account, plain, reltime, status_badge
from portal.core.views import TablePage
from portal.core.vocabulary import Stage
from registry.choices import DeploymentMode, DeploymentState
from registry.models import Deployment
from registry.web.filters import choice, line_of_business, search

from ..choices import InPlace
from ..selectors import endpoints
from .filters import project_keys
from .wording import url_of

_GROUPS = {"disagrees": endpoints.DISAGREEING}


class DeploymentFilter(filters.FilterSet):
    q = search("Endpoint, model group, account")
    in_place = filters.ChoiceFilter(
        method="by_standing",
        label="Running and approved",
        empty_label="Any way",
        choices=[("disagrees", "Runs without approval"), *InPlace.choices()],
    )
    stage = choice(Stage, "Stage", "stage", "Any stage")
    state = choice(DeploymentState, "Deployment", "state", "Any state")
    mode = choice(DeploymentMode, "Mode", "mode", "Trial or live")
    account = filters.CharFilter(
        method="by_account", label="Account", widget=forms.TextInput(attrs={"placeholder": "Twelve digits"})
    )
    project = filters.ModelChoiceFilter(
        queryset=project_keys, label="Project", field_name="version__group__project", empty_label="Any project"
    )
    line_of_business = line_of_business("version__group__project")

    class Meta:
        model = Deployment
        fields: list[str] = []

    def search(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        condition = Q(version__group__name__icontains=value) | Q(endpoint__icontains=value)
        return rows.filter(condition | Q(account__alias__icontains=value) | Q(account__account_id__startswith=value))

    def by_standing(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return endpoints.standing(rows, *(_GROUPS.get(value) or (InPlace(value),)))

    def by_account(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        digits = value.strip()
        return rows.filter(account__account_id=digits) if digits.isdecimal() and len(digits) == 12 else rows.none()


class DeploymentTable(PortalTable):
    label = "Deployments across accounts"
    endpoint = tables.Column("Endpoint", order_by=("endpoint", "pk"), empty_values=())
    version = tables.Column("Version", order_by=("version__group__name", "version__number", "pk"))
    where = tables.Column("Account", accessor="account", order_by=("account__alias", "region", "pk"))
    stage = tables.Column("For", order_by=("stage", "mode", "pk"))
    state = tables.Column("Deployment", order_by=("state", "pk"))
    record_status = tables.Column("Its approval", order_by=("record_status", "pk"), empty_values=())
    in_place = tables.Column("Running", order_by=("in_place", "pk"))
    seen = tables.Column(
        "Seen serving", accessor="seen_running_at", order_by=("seen_running_at", "pk"), empty_values=()
    )
    since = tables.Column("Since", accessor="reported_at", order_by=("reported_at", "pk"), empty_values=())

    def render_endpoint(self, record: Deployment) -> SafeString | str:
        return record.endpoint or absent("no name reported")

    def render_version(self, record: Deployment) -> SafeString:
        project = record.version.group.project
        return name_cell(record.version.name, url_of(record.version), project.name if project else "", queue=True)

    def render_where(self, record: Deployment) -> SafeString:
        return account(record.account, region=record.region)

    def render_stage(self, record: Deployment) -> SafeString:
        return format_html('{}<span class="kv-hint">{}</span>', plain(record.stage), DeploymentMode(record.mode).label)

    def render_state(self, record: Deployment) -> SafeString:
        return two(status_badge(record.state), "")

    def render_record_status(self, record: Any) -> SafeString:
        return status_badge(record.record_status) if record.record_status else absent("no record there")

    def render_in_place(self, record: Any) -> SafeString:
        return status_badge(record.in_place, "running")

    def render_seen(self, record: Any) -> SafeString:
        return absent("not seen") if record.seen_running_at is None else reltime(record.seen_running_at)

    def render_since(self, record: Deployment) -> SafeString:
        if record.reported_at is None:
            return two(absent(), two("ordered", reltime(record.ordered_at)))
        return reltime(record.reported_at)

    def value_in_place(self, record: Any) -> str:
        return InPlace(record.in_place).label


class DeploymentList(TablePage):
    template_name = "governance/deployment_list.html"
    table_class = DeploymentTable
    filter_class = DeploymentFilter

    def rows(self) -> QuerySet[Any]:
        return endpoints.endpoints(self.actor)

    def nothing(self) -> dict[str, str]:
        return {
            "title": "No deployment is known",
            "text": "An approval orders the deployment for the next stage. What was ordered, and what was reported of"
            " it, is listed here.",
            "icon": "rocket",
            "action_label": "See the model versions",
            "action_url": reverse("registry:version_list"),
        }
