"""Pages of Model Monitor: every schedule of every account, and one of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import django_filters as filters
import django_tables2 as tables
from django.db.models import F, Q, QuerySet
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from portal.core.figures import Cell, Grid, Line, Lines, Point, milliseconds
from portal.core.tables import PortalTable, absent, failure, name_cell
from portal.core.templatetags.portal_ui import account, badge, reltime
from portal.core.views import Page, TablePage

from ..choices import MonitorType
from ..models import MonitoringExecution, MonitoringSchedule
from ..selectors import monitoring
from .filters import choice, search

# AWS's words for how a schedule or a run stands: tone, icon, and the words people read.
STANDING = {
    "Scheduled": ("good", "circle-check", "Scheduled"),
    "Pending": ("wait", "hourglass", "Pending"),
    "Stopped": ("mute", "player-pause", "Stopped"),
    "Failed": ("bad", "alert-octagon", "Failed"),
    "Completed": ("good", "circle-check", "No violations"),
    "CompletedWithViolations": ("warn", "alert-triangle", "Violations"),
    "InProgress": ("live", "progress", "Running"),
    "Stopping": ("mute", "player-pause", "Stopping"),
    "InAlert": ("bad", "alert-octagon", "In alert"),
    "OK": ("good", "circle-check", "OK"),
}
_ANSWERS = [
    ("violations", "Violations"),
    ("alert", "In alert"),
    ("trouble", "Not working"),
    ("clear", "Nothing found"),
    ("unknown", "Not known"),
]


def standing(status: str) -> SafeString:
    """Return how a schedule, a run or an alert stands, as a badge."""
    tone, icon, words = STANDING.get(status, ("mute", "question-mark", status or "not reported"))
    return badge(words, tone, icon)


def kind_words(monitor_type: str) -> str:
    """Return what a schedule looks at: "Data quality"."""
    return MonitorType(monitor_type).label if monitor_type in set(MonitorType) else monitor_type or "not reported"


def found_words(status: str | None, count: int | None, problem: str | None) -> SafeString:
    """Return what the newest finished run found: "3 violations", never 0 for what is not known."""
    if status is None:
        return absent("no run yet")
    if count is None:
        return format_html("{}{}", standing(status), failure("The report could not be read.") if problem else "")
    if count == 0:
        return badge("None found", "good", "circle-check")
    return badge(f"{count} violation{'' if count == 1 else 's'}", "warn", "alert-triangle")


class MonitorTable(PortalTable):
    label = "Monitoring schedules"
    name = tables.Column("Schedule", order_by=("name", "pk"))
    endpoint = tables.Column("Endpoint", order_by=("endpoint", "pk"), empty_values=())
    account = tables.Column("Account", order_by=("account__alias", "pk"))
    last_count = tables.Column("Newest result", order_by=("last_count", "pk"), empty_values=())
    alerts_raised = tables.Column("Alerts", order_by=("alerts_raised", "pk"))
    status = tables.Column("State", order_by=("status", "pk"))
    read_at = tables.Column("Read", order_by=("read_at", "pk"))

    def render_name(self, record: MonitoringSchedule) -> SafeString:
        return name_cell(record.name, reverse("registry:monitor", args=[record.pk]), kind_words(record.monitor_type))

    def render_endpoint(self, record: MonitoringSchedule) -> SafeString:
        return format_html("{}", record.endpoint) if record.endpoint else absent("batch transforms")

    def render_account(self, record: MonitoringSchedule) -> SafeString:
        return format_html(
            '{}<span class="kv-hint">{}</span>',
            account(alias=record.account.alias, id=record.account.account_id),
            record.region,
        )

    def render_last_count(self, record: Any) -> SafeString:
        shown = found_words(record.last_status, record.last_count, record.last_problem)
        if record.last_at is None:
            return shown
        return format_html('{}<span class="kv-hint">{}</span>', shown, reltime(record.last_at))

    def render_alerts_raised(self, record: Any) -> SafeString:
        if not record.alerts_raised:
            return absent("none raised")
        return badge(f"{record.alerts_raised} in alert", "bad", "alert-octagon")

    def render_status(self, record: MonitoringSchedule) -> SafeString:
        if record.missing_since is not None:
            return badge("Gone from AWS", "mute", "circle-minus")
        why = monitoring.trouble_of(record)
        if not why:
            return standing(record.status)
        shown = standing(record.status) if record.status == "Failed" else badge("Not working", "bad", "alert-octagon")
        return format_html("{}{}", shown, failure(f"It {why}."))

    def render_read_at(self, record: MonitoringSchedule) -> SafeString:
        return reltime(record.read_at)


class MonitorFilter(filters.FilterSet):
    q = search("Schedule, endpoint, account")
    type = choice(MonitorType, "Type", "monitor_type", "Any type")
    found = filters.ChoiceFilter(method="by_found", choices=_ANSWERS, label="Result", empty_label="Any result")

    class Meta:
        model = MonitoringSchedule
        fields: list[str] = []

    def search(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(
            Q(name__icontains=value)
            | Q(endpoint__icontains=value)
            | Q(account__alias__icontains=value)
            | Q(account__account_id__startswith=value)
        )

    def by_found(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        match value:
            case "violations":
                return rows.filter(last_status="CompletedWithViolations")
            case "alert":
                return rows.filter(alerts_raised__gt=0)
            case "trouble":
                return rows.filter(pk__in=[row.pk for row in rows if monitoring.trouble_of(row)])
            case "clear":
                return rows.filter(last_status="Completed", alerts_raised=0)
            case _:
                return rows.filter(Q(last_status=None) | Q(last_count=None))


class MonitorList(TablePage):
    template_name = "registry/monitor_list.html"
    table_class = MonitorTable
    filter_class = MonitorFilter

    def rows(self) -> QuerySet[Any]:
        return monitoring.schedules(self.actor).order_by(
            F("missing_since").asc(nulls_first=True), "endpoint", "name", "pk"
        )

    def nothing(self) -> dict[str, str]:
        return {
            "title": "No monitoring schedule is known",
            "text": "Model Monitor's schedules appear here once the accounts they run in were read.",
            "icon": "activity",
            "action_label": "See the endpoints",
            "action_url": reverse("governance:endpoint_list"),
        }


class MonitorDetail(Page):
    """One schedule: its runs as a series, what the newest found, its alerts, its constraints beside the approved."""

    template_name = "registry/monitor.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        self.schedule = monitoring.schedule(self.actor, self.kwargs["pk"])
        runs = monitoring.runs_of(self.schedule)
        newest = next((run for run in runs if run.status in ("Completed", "CompletedWithViolations")), None)
        return super().get_context_data(
            schedule=self.schedule,
            kind=kind_words(self.schedule.monitor_type),
            standing=standing(self.schedule.status),
            trouble=monitoring.trouble_of(self.schedule),
            series=series(runs),
            runs=[
                {
                    "row": run,
                    "found": found_words(run.status, run.violation_count, run.report_problem)
                    if run.status in ("Completed", "CompletedWithViolations")
                    else standing(run.status),
                }
                for run in runs[:_SHOWN]
            ],
            newest=newest,
            metrics=sorted((newest.metrics or {}).items()) if newest else [],
            alerts=[
                {
                    "row": alert,
                    "standing": standing(alert.status),
                    "history": [_change(one) for one in alert.history[:5]],
                }
                for alert in monitoring.alerts_of(self.schedule)
            ],
            constraints=monitoring.own_constraints(self.schedule),
            comparisons=monitoring.compared(self.actor, self.schedule),
            **kwargs,
        )

    def breadcrumbs(self) -> list[dict[str, str]]:
        return [
            {"label": "Monitors", "url": reverse("registry:monitor_list")},
            {"label": self.schedule.name, "url": ""},
        ]


_SHOWN = 30


def _change(one: dict[str, str]) -> dict[str, Any]:
    return {"at": datetime.fromisoformat(one["at"]), "standing": standing(one["status"])}


def series(runs: list[MonitoringExecution]) -> Lines | None:
    """Return the violations of each run as a line; a run that reported none of it has no point, never a zero."""
    known = [run for run in reversed(runs) if run.violation_count is not None]
    if not known:
        return None
    points = tuple(
        Point(
            milliseconds(run.scheduled_at),
            float(run.violation_count or 0),
            note=STANDING.get(run.status, ("", "", run.status))[2],
            is_bad=bool(run.violation_count),
        )
        for run in known
    )
    rows = tuple(
        (
            Cell(f"{run.scheduled_at:%Y-%m-%d %H:%M} UTC"),
            Cell(STANDING.get(run.status, ("", "", run.status))[2]),
            Cell("not reported" if run.violation_count is None else run.violation_count),
        )
        for run in runs
    )
    return Lines(
        "Violations found by each run", (Line("Violations", points),), Grid(("Run", "How it ended", "Violations"), rows)
    )


def watched(places: list[monitoring.WatchedPlace]) -> list[dict[str, Any]]:
    """Return the endpoints of a version with their schedules as its page shows them."""
    return [
        {
            "place": place,
            "schedules": [
                {
                    "row": one,
                    "kind": kind_words(one.monitor_type),
                    "standing": standing(one.status),
                    "found": found_words(one.last_status, one.last_count, one.last_problem),  # type: ignore[attr-defined]
                    "trouble": monitoring.trouble_of(one),
                    "last_at": one.last_at,  # type: ignore[attr-defined]
                    "raised": one.alerts_raised,  # type: ignore[attr-defined]
                }
                for one in place.schedules
            ],
            "absent": ", ".join(kind.label.lower() for kind in place.absent),
        }
        for place in places
    ]
