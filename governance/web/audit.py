"""The audit trail as pages: its entries, how far they have been verified, its anchors and its checks."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import django_tables2 as tables
from django.db.models import QuerySet
from django.http import FileResponse, HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.generic import View

from portal.core.downloads import attachment
from portal.core.errors import InvalidInput
from portal.core.permissions import Act
from portal.core.tables import PortalTable, absent, two
from portal.core.templatetags.portal_ui import arn, icon, person, reltime, status_badge
from portal.core.views import ActionView, SignedIn, TablePage, wants_fragment

from ..choices import AuditCheckScope, AuditCheckState
from ..models import AuditAnchor, AuditCheck
from ..selectors import anchors, audit_trail
from ..services import audit_checks
from .filters import AuditFilter
from .list_filters import AnchorFilter, CheckFilter
from .progress_words import check_progress
from .tables import AuditTable, grouped


class AnchorTable(PortalTable):
    label = "Anchors"
    number = tables.Column("Anchor", orderable=False)
    signed_at = tables.Column("Signed", orderable=False)
    entries = tables.Column("Covers entries", accessor="first_sequence", orderable=False)
    total_rows = tables.Column("Entries so far", orderable=False)
    digest = tables.Column("Digest of its entries", orderable=False)
    file = tables.Column("Signed file", accessor="pk", orderable=False)

    def render_signed_at(self, record: AuditAnchor) -> SafeString:
        return reltime(record.signed_at)

    def render_entries(self, record: AuditAnchor) -> str:
        return f"{record.first_sequence:,} to {record.last_sequence:,}"

    def render_total_rows(self, value: int) -> str:
        return f"{value:,}"

    def render_digest(self, value: str) -> SafeString:
        return arn(value, "digest")

    def render_file(self, record: AuditAnchor) -> SafeString:
        url = reverse("governance:audit_anchor_file", args=[record.number])
        return format_html(
            '<a class="btn btn-sm" href="{}" download>{}Download<span class="visually-hidden"> anchor {}</span></a>',
            url,
            icon("download"),
            record.number,
        )


class CheckTable(PortalTable):
    label = "Checks"
    requested_at = tables.Column("Asked", orderable=False)
    scope = tables.Column("What", orderable=False)
    state = tables.Column("Found", orderable=False)
    rows = tables.Column("Entries read", orderable=False)
    verified_to = tables.Column("Up to", orderable=False, empty_values=())
    took = tables.Column("Took", accessor="started_at", orderable=False, empty_values=())

    def render_requested_at(self, record: AuditCheck) -> SafeString:
        by = person(record.requested_by) if record.requested_by else format_html("{}", "the schedule")
        return two(reltime(record.requested_at), by)

    def render_scope(self, record: AuditCheck) -> SafeString | str:
        label = AuditCheckScope(record.scope).label
        return two(label, format_html("behind anchor {}", record.since)) if record.since else label

    def render_state(self, record: AuditCheck) -> SafeString:
        shown = status_badge(record.state, "check")
        return format_html('{}<span class="cell-error">{}</span>', shown, record.problem) if record.problem else shown

    def render_rows(self, value: int) -> str:
        return f"{value:,}"

    def render_verified_to(self, record: AuditCheck) -> SafeString:
        if record.verified_to is None:
            return absent("nothing")
        by = format_html("anchor {}", record.anchor) if record.anchor else absent("no anchor yet")
        return two(f"entry {record.verified_to:,}", by)

    def render_took(self, record: AuditCheck) -> SafeString | str:
        if record.started_at is None or record.finished_at is None:
            return absent("not finished")
        return f"{(record.finished_at - record.started_at).total_seconds():.1f} s"


class AuditTrail(TablePage):
    """The entries, and above them how far they have been verified."""

    template_name = "governance/audit_trail.html"
    table_class = AuditTable
    filter_class = AuditFilter
    needs = Act.SEE_AUDIT
    per_page = 50

    def rows(self) -> QuerySet[Any]:
        return audit_trail.trail(self.actor)

    def get_template_names(self) -> list[str]:
        if wants_fragment(self.request) and self.request.headers.get("HX-Target") == "standing":
            return [f"{self.template_name}#standing"]
        return super().get_template_names()

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        standing = audit_trail.standing(self.actor)
        progress = check_progress(standing.under_way) if standing.under_way else None
        context = super().get_context_data(
            standing=standing,
            progress=progress,
            scopes={scope.name: scope.value for scope in AuditCheckScope},
            **kwargs,
        )
        grouped(row.record for row in context["table"].page.object_list)
        return context


class AuditChecks(TablePage):
    """What the checks of the trail found."""

    template_name = "governance/audit_checks.html"
    table_class = CheckTable
    filter_class = CheckFilter
    needs = Act.SEE_AUDIT

    def rows(self) -> QuerySet[Any]:
        return audit_trail.checks(self.actor)

    def breadcrumbs(self) -> list[dict[str, str]]:
        return _below("Checks")

    def nothing(self) -> dict[str, str]:
        return {
            "title": "The trail has not been checked yet",
            "text": "The whole of it is checked every night, and whenever somebody asks for it.",
            "icon": "shield-check",
        }

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(polls=audit_trail.is_under_way(self.actor), **kwargs)


class AuditAnchors(TablePage):
    """The signed anchors, which lie outside the database."""

    template_name = "governance/audit_anchors.html"
    table_class = AnchorTable
    filter_class = AnchorFilter
    needs = Act.SEE_AUDIT

    def rows(self) -> QuerySet[Any]:
        return anchors.anchors(self.actor)

    def breadcrumbs(self) -> list[dict[str, str]]:
        return _below("Anchors")

    def nothing(self) -> dict[str, str]:
        return {
            "title": "No anchor yet",
            "text": "The first one is signed within ten minutes of the first change.",
            "icon": "fingerprint",
        }


class AuditAnchorFile(SignedIn, View):
    """One signed anchor, to be kept or checked elsewhere."""

    http_method_names = ["get", "head", "options"]
    needs = Act.SEE_AUDIT

    def get(self, request: HttpRequest, pk: int) -> FileResponse:
        name, text = anchors.anchor_file(self.actor, pk)
        content = text.encode()
        return attachment(BytesIO(content), filename=name, content_type="application/jose", size=len(content))


class AuditCheckNow(ActionView):
    """Have a worker check the trail; its page shows how far it has come."""

    needs = Act.SEE_AUDIT

    def carry_out(self) -> str:
        try:
            scope = AuditCheckScope(self.request.POST.get("scope", ""))
        except ValueError:
            raise InvalidInput("Choose what to check: the whole trail, or what is new.") from None
        check = audit_checks.request(actor=self.actor, scope=scope)
        words = "is being checked" if check.state == AuditCheckState.RUNNING else "will be checked in a moment"
        self.say(f"{scope.label} {words}.")
        return reverse("governance:audit_trail")


def _below(label: str) -> list[dict[str, str]]:
    return [{"label": "Audit trail", "url": reverse("governance:audit_trail")}, {"label": label, "url": ""}]
