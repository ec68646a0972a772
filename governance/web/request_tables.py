"""The columns of the queue of approval requests."""

from __future__ import annotations

from collections.abc import Mapping

import django_tables2 as tables
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from portal.core.tables import PortalTable, absent, name_cell, two
from portal.core.templatetags.portal_ui import badge, person, plain, reltime, risk_badge, status_badge

from ..choices import RequestState, Verdict
from ..models import ApprovalRequest
from ..selectors.inbox import is_overdue
from ..selectors.marks import Marks, marks_of
from .wording import name_of, request_url, waiting_words

# Of what the policy misses, so much is named in a row.
_NAMED = 2


def move_words(request: ApprovalRequest) -> SafeString:
    """Return from which stage to which a request wants to go."""
    if not request.to_stage:
        return format_html("{}", plain(request.stage))
    return format_html(
        '{} <span aria-hidden="true">→</span><span class="visually-hidden"> to </span> {}',
        plain(request.stage),
        plain(request.to_stage),
    )


class RequestTable(PortalTable):
    """Requests with what stands against each; the marks of a page are read at once, when its first row asks."""

    label = "Approval requests"
    css_class = "table table-vcenter table-stack table-snug"
    subject = tables.Column("Request", accessor="pk", order_by=("pk",))
    move = tables.Column("Stage", accessor="stage", order_by=("stage", "pk"))
    tier = tables.Column("Risk", order_by=("tier", "pk"))
    requester = tables.Column("Asked by", order_by=("created_at", "pk"))
    due_at = tables.Column("Due", order_by=("due_at", "pk"))
    blockers = tables.Column("Blocked by", accessor="pk", orderable=False, empty_values=(), exclude_from_export=True)
    waiting = tables.Column("Who signs", accessor="state", order_by=("state", "pk"))

    class Meta(PortalTable.Meta):
        attrs = {"id": "table", "data-queue": ""}

    _marks: Mapping[int, Marks] | None = None

    def marks(self, record: ApprovalRequest) -> Marks:
        """Return what stands against a request of the page that is shown."""
        if self._marks is None:
            page = getattr(self, "page", None)
            self._marks = marks_of([row.record for row in page.object_list] if page is not None else [record])
        return self._marks.get(record.pk, Marks())

    def stamp_of(self, record: ApprovalRequest) -> str:
        return f"{record.state}-{len(record.decisions.all())}"

    def name_of(self, record: ApprovalRequest) -> str:
        return f"{record.public_id} {name_of(record.subject)}"

    def render_subject(self, record: ApprovalRequest) -> SafeString:
        return name_cell(name_of(record.subject), request_url(record), record.public_id, queue=True)

    def render_move(self, record: ApprovalRequest) -> SafeString:
        return move_words(record)

    def render_tier(self, record: ApprovalRequest) -> SafeString:
        source = self.marks(record).source if record.state == RequestState.OPEN and hasattr(self, "page") else ""
        shown = risk_badge(record.tier, "the tier its policy was chosen by")
        return format_html('{}<span class="kv-hint">{}</span>', shown, source) if source else shown

    def render_requester(self, record: ApprovalRequest) -> SafeString:
        return format_html('{}<span class="kv-hint">{}</span>', person(record.requester), reltime(record.created_at))

    def value_requester(self, record: ApprovalRequest) -> str:
        return str(record.requester)

    def render_due_at(self, record: ApprovalRequest) -> SafeString:
        if record.closed_at:
            return two(absent("closed"), reltime(record.closed_at))
        due = format_html('<span class="is-overdue">{}</span>', reltime(record.due_at))
        if is_overdue(record):
            return two(due, badge("Escalated" if record.escalated_at else "Overdue", "bad", "calendar-due"))
        return reltime(record.due_at)

    def render_blockers(self, record: ApprovalRequest) -> SafeString:
        if record.state != RequestState.OPEN:
            return absent("closed")
        marks = self.marks(record)
        if marks.has_moved:
            return badge("Changed since it was asked", "bad", "refresh-alert")
        if not marks.unmet:
            return badge("Nothing", "good", "circle-check")
        count = len(marks.unmet)
        named = ", ".join(check.label for check in marks.unmet[:_NAMED])
        more = f" and {count - _NAMED} more" if count > _NAMED else ""
        return format_html(
            '{}<span class="kv-hint">{}{}</span>',
            badge(f"{count} not met", "warn", "alert-triangle"),
            named,
            more,
        )

    def render_waiting(self, record: ApprovalRequest) -> SafeString:
        if record.state != RequestState.OPEN:
            return status_badge(record.state, "request")
        words = waiting_words(record)
        signed = [word.decider for word in record.decisions.all() if word.verdict == Verdict.APPROVE]
        return format_html(
            "{}{}",
            words[:1].upper() + words[1:],
            format_html_join("", '<span class="kv-hint">signed by {}</span>', ((name,) for name in signed)),
        )
