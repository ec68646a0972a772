"""What CloudWatch counted of an endpoint, as figures: hours nothing was counted in are gaps in the lines."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.functional import cached_property

from portal.core.figures import Cell, Grid, Line, Lines, Point, milliseconds
from portal.core.templatetags.wording import absolute_words
from portal.core.views import Page

from ..models import ModelVersion
from ..selectors import catalogue
from ..selectors import endpoint_metrics as selectors
from ..selectors.endpoint_metrics import DAYS, HOURLY_DAYS, KINDS, Metrics, Points, Shown

# Of requests, what was refused and what failed look like it.
_TONES = ("live", "good", "busy", "mute")
_OF_REQUESTS = ("live", "warn", "bad")
NO_DATA = "no data"


class EndpointMetrics(Page):
    """One endpoint over some days, by variant and monitoring schedule."""

    template_name = "registry/endpoint_metrics.html"

    @cached_property
    def metrics(self) -> Metrics:
        given = self.kwargs
        return selectors.metrics(
            self.actor, given["account_id"], given["region"], given["name"], days_in(self.request.GET)
        )

    def breadcrumbs(self) -> list[dict[str, str]]:
        return [
            {"label": "Endpoints", "url": reverse("governance:endpoint_list")},
            {"label": self.metrics.at.name, "url": ""},
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        days = days_in(self.request.GET)
        return super().get_context_data(
            metrics=self.metrics, parts=drawn(self.metrics, days), days=days, offered=DAYS, **kwargs
        )


class VersionEndpointMetrics(Page):
    """The same of each endpoint a version runs on: a part of its page, and a page without script."""

    template_name = "registry/version_endpoint_metrics.html"
    fragment = "slot"

    @cached_property
    def version(self) -> ModelVersion:
        return catalogue.version(self.actor, self.kwargs["pk"])

    def breadcrumbs(self) -> list[dict[str, str]]:
        version = self.version
        return [
            {"label": version.name, "url": reverse("registry:version", args=[version.pk])},
            {"label": "Endpoints", "url": ""},
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        found = selectors.metrics_of_version(self.actor, self.version)
        return super().get_context_data(
            version=self.version,
            endpoints=[{"metrics": one, "parts": drawn(one, HOURLY_DAYS), "url": url_of(one)} for one in found],
            **kwargs,
        )


def url_of(metrics: Metrics) -> str:
    """Return the address of an endpoint's page."""
    at = metrics.at
    return reverse("registry:endpoint_metrics", args=[at.account.account_id, at.region, at.name])


def days_in(given: Any) -> int:
    """Return how many days an address asks for, a week unless it is one of those on offer."""
    return next((days for days in DAYS if given.get("days") == str(days)), HOURLY_DAYS)


def drawn(metrics: Metrics, days: int) -> list[dict[str, Any]]:
    """Return the figures of an endpoint part by part: of each variant, then of each monitoring schedule."""
    return [
        {
            "variant": part.variant,
            "schedule": part.schedule,
            "figures": [
                {"title": shown.kind.title, "lines": _lines(shown, days), "unreported": shown.unreported}
                for shown in part.shown
            ],
        }
        for part in metrics.parts
    ]


def _lines(shown: Shown, days: int) -> Lines | None:
    if not shown.series:
        return None
    tones = _OF_REQUESTS if shown.kind is KINDS[0] else _TONES
    lines = tuple(
        Line(measure.words, tuple(Point(milliseconds(at), value) for at, value in found), tones[place % len(tones)])
        for place, (measure, found) in enumerate(shown.series)
    )
    hourly = days <= HOURLY_DAYS
    unit = shown.kind.unit if hourly else shown.kind.unit.replace("in an hour", "in a day")
    notes = [f"Not reported: {', '.join(shown.unreported)}."] if shown.unreported else []
    gaps = sum(value is None for _, value in shown.series[0][1])
    if shown.is_by_run:
        notes.append("A point for each time the schedule measured it.")
    elif gaps:
        of, what = len(shown.series[0][1]), "hours" if hourly else "days"
        notes.append(f"{shown.series[0][0].words}: {gaps} of {of} {what} have no data; the line is broken there.")
    if shown.kind.note:
        notes.append(shown.kind.note)
    words = f"{shown.kind.title}, {unit}."
    return Lines(words, lines, _table(shown, hourly=hourly), unit=unit, notes=notes)


def _table(shown: Shown, *, hourly: bool) -> Grid:
    columns = ("Hour from" if hourly else "Day from", *(measure.words for measure, _ in shown.series))
    held: list[Points] = [found for _, found in shown.series]
    rows = []
    for place in range(len(held[0]) - 1, -1, -1):
        at: datetime = held[0][place][0]
        rows.append((Cell(absolute_words(at)), *(Cell(_number(found[place][1])) for found in held)))
    return Grid(columns, tuple(rows))


def _number(value: float | None) -> str:
    if value is None:
        return NO_DATA
    return f"{value:,.0f}" if value == int(value) and abs(value) < 1e15 else f"{value:,.4g}"
