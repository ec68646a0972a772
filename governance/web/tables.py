"""The columns of governance's lists."""

from __future__ import annotations

from collections.abc import Iterable
from textwrap import shorten
from typing import Any

import django_tables2 as tables
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from portal.core.tables import PortalTable, absent, name_cell, two
from portal.core.templatetags.portal_ui import (
    badge,
    json_viewer,
    plain,
    reltime,
    risk_badge,
    status_badge,
)

from ..choices import OutboxState
from ..models import AuditEvent, OutboxMessage
from ..selectors.stage_table import ATTRIBUTES, as_row
from ..selectors.words import actor_words, field_words, table_words, value_words
from .wording import url_of


class StageTable(PortalTable):
    """The fifteen attributes; wide on purpose, so it scrolls sideways and keeps its first column in sight."""

    label = "Model stage governance table"
    css_class = "table table-vcenter table-wide"
    use_case_id = tables.Column("Use case", order_by=("row_use_case_number", "pk"), empty_values=())
    use_case_name = tables.Column("Use case name", order_by=("row_use_case_name", "pk"), empty_values=())
    use_case_stage = tables.Column("Use case stage", order_by=("row_use_case_stage", "pk"), empty_values=())
    model_group = tables.Column("Model group", order_by=("version__group__name", "pk"), empty_values=())
    model_version = tables.Column("Version", order_by=("version__number", "pk"), empty_values=())
    model_owner = tables.Column("Model owner", order_by=("version__owner_name", "pk"), empty_values=())
    model_lob = tables.Column("Line of business", order_by=("version__line_of_business", "pk"), empty_values=())
    model_project = tables.Column("Project", order_by=("version__group__project__key", "pk"), empty_values=())
    model_stage = tables.Column("Model stage", order_by=("stage", "pk"), empty_values=())
    model_status = tables.Column("Model status", order_by=("status", "pk"), empty_values=())
    model_risk = tables.Column("Risk", order_by=("version__risk_rating", "pk"), empty_values=())
    validation_metrics = tables.Column("Validation metrics", orderable=False, empty_values=())
    monitoring_metrics = tables.Column("Monitoring metrics", orderable=False, empty_values=())
    audit_timestamp = tables.Column("Audit time", order_by=("audit_at", "pk"), empty_values=())
    audit_user = tables.Column("Audit user", order_by=("audit_user", "pk"), empty_values=())

    class Meta(PortalTable.Meta):
        sequence = ATTRIBUTES

    _told: tuple[Any, dict[str, Any]] = (None, {})

    def _value(self, record: Any, name: str) -> Any:
        return as_row(record)[name]

    def file_value(self, name: str, record: Any) -> Any:
        """Return what the complete file holds, too."""
        if name not in ATTRIBUTES:
            return super().file_value(name, record)
        if self._told[0] is not record:
            self._told = (record, self._as_row(record))
        return self._told[1][name]

    def _as_row(self, record: Any) -> dict[str, Any]:
        return as_row(record)

    def render_use_case_id(self, record: Any) -> SafeString:
        number = record.row_use_case_number
        if number is None:
            is_hidden = getattr(record, "row_use_case_hidden", False)
            return absent("one you may not see" if is_hidden else "no use case")
        return format_html('<a href="{}">UC-{}</a>', reverse("registry:use_case", args=[number]), f"{number:04d}")

    def render_use_case_name(self, record: Any) -> SafeString | str:
        return record.row_use_case_name or absent()

    def render_use_case_stage(self, record: Any) -> SafeString | str:
        return plain(record.row_use_case_stage) or absent()

    def render_model_group(self, record: Any) -> SafeString:
        group = record.version.group
        return format_html('<a href="{}">{}</a>', reverse("registry:group", args=[group.pk]), group.name)

    def render_model_version(self, record: Any) -> SafeString:
        return format_html(
            '<a href="{}">Version {}</a>', reverse("registry:version", args=[record.version_id]), record.version.number
        )

    def render_model_owner(self, record: Any) -> SafeString | str:
        return self._value(record, "model_owner") or absent()

    def render_model_lob(self, record: Any) -> SafeString | str:
        return self._value(record, "model_lob") or absent()

    def render_model_project(self, record: Any) -> SafeString | str:
        return self._value(record, "model_project") or absent("not claimed")

    def render_model_stage(self, record: Any) -> str:
        return f"{plain(record.stage)} ({record.account.alias})" if record.account else plain(record.stage)

    def render_model_status(self, record: Any) -> SafeString:
        return status_badge(record.status)

    def render_model_risk(self, record: Any) -> SafeString:
        return risk_badge(record.version.risk_rating)

    def render_validation_metrics(self, record: Any) -> SafeString:
        return metrics_cell(record.validation_metrics)

    def render_monitoring_metrics(self, record: Any) -> SafeString:
        shown = metrics_cell(record.monitoring_metrics)
        where = record.monitoring_endpoint
        return two(shown, format_html('<span class="kv-hint">{}</span>', where)) if where else shown

    def render_audit_timestamp(self, record: Any) -> SafeString:
        return reltime(record.audit_at)


def metrics_cell(metrics: Any) -> SafeString:
    """Return metrics as `name value` lines, the first three in sight; absent is "not reported"."""
    if metrics is None:
        return absent()
    lines = [f"{name} {value_words(value) or 'not reported'}" for name, value in metrics.items()]
    if len(lines) > 3 or any(isinstance(value, dict | list) for value in metrics.values()):
        return json_viewer(metrics, f"{len(lines)} metric{'s' if len(lines) != 1 else ''}", open=False)
    return format_html('<span class="metric-lines">{}</span>', ", ".join(lines))


class OutboxTable(PortalTable):
    label = "Outbox"
    summary = tables.Column("What is to be done", orderable=False)
    state = tables.Column("State", order_by=("state", "pk"))
    attempts = tables.Column("Attempts", order_by=("attempts", "pk"))
    created_at = tables.Column("Decided", order_by=("created_at", "pk"))
    finished = tables.Column(
        "Done, or next try", accessor="delivered_at", order_by=("delivered_at", "pk"), empty_values=()
    )
    retry = tables.TemplateColumn(
        template_name="governance/outbox_retry.html", verbose_name="Retry", orderable=False, empty_values=()
    )

    def stamp_of(self, record: OutboxMessage) -> str:
        return f"{record.state}-{record.attempts}"

    def name_of(self, record: OutboxMessage) -> str:
        return f"{record.pk} {shorten(record.summary, 80, placeholder=' …')}"

    def render_summary(self, record: OutboxMessage) -> SafeString:
        about = name_cell(record.version.name, url_of(record.version)) if record.version else ""
        request = (
            format_html(
                '<a href="{}">{}</a>',
                reverse("governance:request", args=[record.request_id_copy]),
                f"AR-{record.request_id_copy:06d}",
            )
            if record.request_id_copy
            else ""
        )
        return format_html(
            '<a href="{}">{}</a><span class="kv-hint">{}{}{}</span>{}',
            reverse("governance:outbox_message", args=[record.pk]),
            record.summary,
            about,
            " · " if about and request else "",
            request,
            _said(record),
        )

    def render_state(self, record: OutboxMessage) -> SafeString:
        return status_badge(outbox_look(record), "outbox")

    def render_created_at(self, record: OutboxMessage) -> SafeString:
        return reltime(record.created_at)

    def render_finished(self, record: OutboxMessage) -> SafeString:
        if record.state == OutboxState.PENDING:
            if record.next_attempt_at <= timezone.now():
                # What takes a version out of use goes before what was given up, and is not long in this state.
                behind = getattr(record, "is_held", False)
                return format_html("{}", "behind what was given up" if behind else "as soon as a worker is free")
            return two("next try", reltime(record.next_attempt_at))
        return reltime(record.delivered_at or record.ended_at, "not done")


def outbox_look(message: OutboxMessage) -> str:
    """Return the word for how a message stands: its state, or what a pending one is pending for."""
    if message.state != OutboxState.PENDING:
        return message.state
    if message.is_stuck:
        return "stuck"
    if message.waiting_for:
        return "waiting"
    return "retrying" if message.attempts and message.last_error else message.state


def _said(message: OutboxMessage) -> SafeString:
    """Return what it waits for, what went wrong and how it ended, as far as there is any."""
    waits = f"Waits for {message.waiting_for}." if message.waiting_for else ""
    copied = message.progress.get("copy") or {}
    if message.state == OutboxState.PENDING and copied.get("total"):
        done, total = filesizeformat(copied.get("done", 0)), filesizeformat(copied["total"])
        waits = f"{done} of {total} are copied. {waits}".strip()
    return format_html(
        "{}{}{}",
        format_html('<span class="kv-hint">{}</span>', waits) if waits else "",
        format_html('<span class="cell-error">{}</span>', message.last_error) if message.last_error else "",
        format_html('<span class="kv-hint">{}</span>', message.note) if message.note else "",
    )


class AuditTable(PortalTable):
    """Entries, newest first; of those one operation wrote one after the other, the first says whose it was and why."""

    label = "Audit trail"
    at = tables.Column("When", orderable=False)
    actor = tables.Column("Who", orderable=False, empty_values=())
    what = tables.Column("What", accessor="action", orderable=False)
    changes = tables.Column("Changes", orderable=False)
    sequence = tables.Column("Entry", orderable=False)

    class Meta(PortalTable.Meta):
        row_attrs = {"data-operation": lambda record: "goes-on" if getattr(record, "goes_on", False) else None}

    def render_at(self, record: Any) -> SafeString | str:
        return _SAME if getattr(record, "goes_on", False) else reltime(record.at)

    def value_at(self, record: AuditEvent) -> Any:
        return record.at

    def render_actor(self, record: Any) -> SafeString | str:
        if getattr(record, "goes_on", False):
            return ""
        if record.is_unattributed:
            return badge("Unattributed", "bad", "user-question", f"Made as database user {record.database_user}")
        said = format_html('{}<span class="kv-hint">{}</span>', actor_words(record.actor), record.reason or "")
        if not record.correlation:
            return said
        query = urlencode({"correlation": record.correlation})
        return format_html('{}<span class="kv-hint"><a href="?{}">All of this operation</a></span>', said, query)

    def value_actor(self, record: AuditEvent) -> str:
        who = actor_words(record.actor) if record.actor else "nobody named"
        return f"{who}: {record.reason}" if record.reason else who

    def render_what(self, record: AuditEvent) -> SafeString:
        verb = {"insert": "Created", "update": "Changed", "delete": "Deleted"}.get(record.action, record.action)
        return format_html(
            '{}<span class="kv-hint">{} {}</span>', f"{verb}", table_words(record.table), record.object_id
        )

    def render_changes(self, record: AuditEvent) -> SafeString:
        if record.action != "update" or len(record.changes) > 4:
            names = len(record.changes)
            return json_viewer(record.changes, f"{names} field{'s' if names != 1 else ''}", open=False)
        lines = format_html_join(
            "",
            '<li><span>{}</span> <del>{}</del> <span aria-hidden="true">→</span> <ins>{}</ins></li>',
            ((field_words(name), _brief(pair[0]), _brief(pair[1])) for name, pair in record.changes.items()),
        )
        return format_html('<ul class="timeline-changes">{}</ul>', lines)

    def render_sequence(self, record: AuditEvent) -> SafeString:
        return format_html('<code title="hash {}">{}</code>', bytes(record.hash).hex(), record.sequence)


_SAME = SafeString('<span class="visually-hidden">the same operation</span>')


def grouped(entries: Iterable[Any]) -> None:
    """Mark the entries that go on with the operation of the one shown before them."""
    before = None
    for entry in entries:
        operation = (entry.transaction, entry.correlation, entry.actor)
        entry.goes_on = operation == before
        before = operation


def _brief(value: Any) -> str | SafeString:
    words = value_words(value)
    if words is None:
        return absent("empty")
    return words if len(words) <= 80 else f"{words[:79]}…"
