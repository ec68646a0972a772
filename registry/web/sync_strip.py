"""The last day of sync, per account and region: a strip of hours, as a part of other pages and as a page."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.http import urlencode

from portal.core.figures import Cell, Grid
from portal.core.permissions import Act
from portal.core.templatetags import wording
from portal.core.views import Page

from ..choices import HourOfSync
from ..selectors import operations
from ..selectors.sync_strip import Hour, Strip, strips

_TONES = {
    HourOfSync.OK: "good",
    HourOfSync.SLOW: "warn",
    HourOfSync.FAILING: "bad",
    HourOfSync.NONE: "mute",
}


class SyncStrip(Page):
    template_name = "registry/sync_strip.html"
    fragment = "slot"
    needs = Act.SEE_OPERATIONS

    def breadcrumbs(self) -> list[dict[str, str]]:
        return [
            {"label": "AWS accounts", "url": reverse("registry:account_list")},
            {"label": "Sync in the last 24 hours", "url": ""},
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        found = strips(list(operations.accounts(self.actor)))
        return super().get_context_data(
            strips=[_shown(strip) for strip in found],
            grid=_grid(found),
            legend=[{"label": state.label, "state": state.value} for state in HourOfSync],
            **kwargs,
        )


def runs_url(strip: Strip, begin: Any, end: Any = None) -> str:
    """Return the list of the passes over a region that began within a time."""
    asked = {"account": strip.account.account_id, "region": strip.health.region, "of_changes": "yes"}
    asked["since"] = begin.isoformat()
    if end is not None:
        asked["until"] = end.isoformat()
    return f"{reverse('registry:sync_run_list')}?{urlencode(asked)}"


def _shown(strip: Strip) -> dict[str, Any]:
    return {
        "account": strip.account,
        "health": strip.health,
        "passes": strip.passes,
        "url": runs_url(strip, strip.hours[0].begins),
        "hours": [
            {
                "state": hour.state.value,
                "words": f"{hour.begins:%H:%M} UTC: {_words(hour)}",
                "url": runs_url(strip, hour.begins, hour.ends) if hour.passes else "",
            }
            for hour in strip.hours
        ],
    }


def _words(hour: Hour) -> str:
    if not hour.passes:
        return "no pass"
    said = [f"{hour.passes} pass{'es' if hour.passes != 1 else ''}, {hour.state.label.lower()}"]
    if hour.failed:
        said.append(f"{hour.failed} failed")
    if hour.throttles:
        said.append(f"throttled {hour.throttles} times" if hour.throttles > 1 else "throttled once")
    if hour.lag_seconds is not None:
        said.append(f"changes up to {wording.duration_words(hour.lag_seconds)} old")
    return ", ".join(said)


def _grid(found: list[Strip]) -> Grid:
    if not found:
        return Grid((), ())
    heads = tuple(f"{hour.begins:%H:%M}" for hour in found[0].hours)
    rows = tuple(
        (
            Cell(f"{strip.account.alias} {strip.health.region}"),
            *(
                Cell(
                    _words(hour),
                    runs_url(strip, hour.begins, hour.ends) if hour.passes else "",
                    _TONES[hour.state],
                )
                for hour in strip.hours
            ),
        )
        for strip in found
    )
    return Grid(("Account and region, hours in UTC", *heads), rows)
