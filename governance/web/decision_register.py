"""The decision register: who decided what, in which role, on exactly which content, under which policy."""

from __future__ import annotations

from typing import Any

import django_filters as filters
import django_tables2 as tables
from django import forms
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from portal.core.tables import PortalTable, name_cell, two
from portal.core.templatetags.portal_ui import arn, badge, person, plain, reltime, risk_badge, status_badge
from portal.core.views import TablePage
from portal.core.vocabulary import RiskRating, Role, Stage
from registry.web.filters import choice, search

from ..choices import DecisionSource, Verdict
from ..models import Decision
from ..selectors import decisions
from .request_filters import line_of_business, project
from .wording import name_of, request_url, url_of

_DAY = {"type": "date"}
_SUBJECT = ("request__use_case__project", "request__version__group__project")
_EITHER = [("yes", "Yes"), ("no", "No")]


class DecisionTable(PortalTable):
    label = "Decisions"
    decided_at = tables.Column("When", order_by=("pk",))
    subject = tables.Column("About", accessor="request", orderable=False)
    stage = tables.Column("Stage", accessor="request__stage", orderable=False)
    verdict = tables.Column("Verdict", order_by=("verdict", "pk"))
    decider = tables.Column("By", order_by=("decider__display_name", "pk"))
    tier = tables.Column("Risk", accessor="request__tier", orderable=False)
    comment = tables.Column("Comment", orderable=False)
    policy = tables.Column("Under", accessor="request__policy", orderable=False)
    source = tables.Column("Made in", order_by=("source", "pk"))
    digest = tables.Column("On this content", orderable=False)

    def render_decided_at(self, record: Decision) -> SafeString:
        return reltime(record.decided_at)

    def render_subject(self, record: Decision) -> SafeString:
        subject = record.request.subject
        request = format_html('<a href="{}">{}</a>', request_url(record.request), record.request.public_id)
        return name_cell(name_of(subject), url_of(subject), request)

    def value_subject(self, record: Decision) -> str:
        return f"{record.request.public_id} {name_of(record.request.subject)}"

    def render_stage(self, record: Decision) -> str:
        return plain(record.request.stage)

    def render_verdict(self, record: Any) -> SafeString:
        shown = status_badge(record.verdict)
        if not record.is_outdated:
            return shown
        return two(shown, badge("Outdated", "warn", "refresh-alert", "What it was given for has changed since"))

    def value_verdict(self, record: Any) -> str:
        return f"{plain(record.verdict)}{' (outdated)' if record.is_outdated else ''}"

    def render_decider(self, record: Decision) -> SafeString:
        shown = person(record.decider, record.role)
        if record.on_behalf_of is None:
            return shown
        return two(shown, format_html('<span class="kv-hint">for {}</span>', record.on_behalf_of))

    def value_decider(self, record: Decision) -> str:
        lent = f", for {record.on_behalf_of}" if record.on_behalf_of else ""
        return f"{record.decider} ({plain(record.role)}){lent}"

    def render_tier(self, record: Decision) -> SafeString:
        return risk_badge(record.request.tier, "the tier its policy was chosen by")

    def render_comment(self, record: Decision) -> SafeString | str:
        text = record.comment
        if len(text) <= _SHOWN:
            return format_html('<span class="cell-words">{}</span>', text)
        beginning = text[:_SHOWN].rsplit(" ", 1)[0]
        return format_html('<details class="cell-words"><summary>{} …</summary>{}</details>', beginning, text)

    def value_comment(self, record: Decision) -> str:
        return record.comment

    def render_policy(self, record: Decision) -> SafeString:
        number = record.request.policy.number
        return format_html('<a href="{}">Policy {}</a>', reverse("governance:policy", args=[number]), number)

    def render_source(self, record: Decision) -> SafeString | str:
        if record.source == DecisionSource.PORTAL:
            return "The portal"
        return two("SageMaker", arn(record.aws_principal, "principal"))

    def value_source(self, record: Decision) -> str:
        return f"SageMaker, by {record.aws_principal}" if record.aws_principal else "The portal"

    def render_digest(self, record: Decision) -> SafeString:
        return arn(record.digest, "digest", 8)


_SHOWN = 140


class DecisionFilter(filters.FilterSet):
    q = search("Name, AR-000001, comment")
    since = filters.DateFilter(
        field_name="decided_at", lookup_expr="date__gte", label="From", widget=forms.DateInput(attrs=_DAY)
    )
    until = filters.DateFilter(
        field_name="decided_at", lookup_expr="date__lte", label="To", widget=forms.DateInput(attrs=_DAY)
    )
    by = filters.CharFilter(method="by_person", label="By", widget=forms.TextInput(attrs={"placeholder": "Name"}))
    role = choice(Role, "Role", "role", "Any role")
    verdict = choice(Verdict, "Verdict", "verdict", "Any verdict")
    stage = choice(Stage, "Stage", "request__stage", "Any stage")
    tier = choice(RiskRating, "Risk", "request__tier", "Any risk")
    project = project(*_SUBJECT)
    line_of_business = line_of_business(*_SUBJECT)
    source = choice(DecisionSource, "Made in", "source", "Portal or SageMaker")
    delegated = filters.ChoiceFilter(
        method="by_delegation", label="In another's name", empty_label="Either way", choices=_EITHER
    )
    outdated = filters.ChoiceFilter(
        method="by_content", label="Outdated since", empty_label="Either way", choices=_EITHER
    )
    policy = filters.NumberFilter(field_name="request__policy__number", label="Policy", max_value=2_147_483_647)

    class Meta:
        model = Decision
        fields: list[str] = []

    def search(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return decisions.searched(rows, value.strip())

    def by_person(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return decisions.by(rows, value.strip())

    def by_delegation(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return decisions.delegated(rows, are=value == "yes")

    def by_content(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return decisions.outdated(rows, are=value == "yes")


class DecisionRegister(TablePage):
    """Every decision on what one may see."""

    template_name = "governance/decision_register.html"
    table_class = DecisionTable
    filter_class = DecisionFilter

    def rows(self) -> QuerySet[Any]:
        return decisions.register(self.actor)

    def nothing(self) -> dict[str, str]:
        return {
            "title": "Nothing was decided yet",
            "text": "Each word on an approval request is listed here, with who gave it, in which role, and on what.",
            "icon": "clipboard-check",
        }
