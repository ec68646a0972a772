"""How far long work has come, in one form for every page: a sync, a share, a registration, an audit check, a file.

A page shows it by ``{% load working %}{% working progress url %}``. While it is not over, the browser asks `url`
again, more rarely while nothing changes, and puts in place what comes back; the view behind it answers
`progress_response(request, progress, url)`. When it is over the asking stops, and the element fires ``progress-over``
(bubbling), on which the page around it may fetch what came of it: hx-trigger="progress-over from:body".
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import timezone

# A worker that lives takes work up within seconds.
PATIENCE = timedelta(minutes=1)


class ProgressState(StrEnum):
    """Where long work stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True)
class Progress:
    """One piece of long work: `label` names it ("Building the pack of UC-0012"), `step` what is done now.

    `done` of `total` are counts in `unit` ("groups"); without a total nobody knows how much there is. `problem` says
    of failed work why, and what to do. `result_url` and `result_label` lead to what came of it.
    """

    state: ProgressState
    label: str
    step: str = ""
    done: int | None = None
    total: int | None = None
    unit: str = ""
    asked_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    problem: str = ""
    result_url: str = ""
    result_label: str = ""

    @property
    def is_over(self) -> bool:
        return self.state in (ProgressState.DONE, ProgressState.FAILED)

    @property
    def is_late(self) -> bool:
        """Whether no worker took it up within a minute: then one probably does not run."""
        waits = self.state == ProgressState.WAITING and self.asked_at is not None
        return waits and timezone.now() - (self.asked_at or timezone.now()) > PATIENCE

    @property
    def share(self) -> float | None:
        """The part that is done, from 0 to 1; None when nobody knows how much there is."""
        if not self.total or self.done is None:
            return None
        return min(max(self.done / self.total, 0.0), 1.0)

    @property
    def seconds(self) -> float | None:
        """How long it has been running, or ran; None before it started."""
        if self.started_at is None:
            return None
        return max(((self.finished_at or timezone.now()) - self.started_at).total_seconds(), 0.0)

    @property
    def announcement(self) -> str:
        """What those who cannot see it are told: its step and each quarter, not each count."""
        if self.state == ProgressState.DONE:
            return f"{self.label}: done."
        if self.state == ProgressState.FAILED:
            return f"{self.label}: failed. {self.problem}".strip()
        if self.state == ProgressState.WAITING:
            return f"{self.label}: waiting for a worker."
        share = self.share
        quarters = "" if share is None or share < 0.25 else f", {int(share * 4) * 25} percent done"
        return f"{self.label}: {self.step or 'running'}{quarters}."


def progress_html(progress: Progress, url: str = "") -> str:
    """Return the component; `url` is where the browser asks how far it is, left out to show it without asking."""
    return render_to_string("components/working.html", {"progress": progress, "url": url})


def progress_response(request: HttpRequest, progress: Progress, url: str) -> HttpResponse:
    """Answer the browser's asking with the component as it stands now."""
    response = HttpResponse(progress_html(progress, url))
    response["Cache-Control"] = "no-store"
    return response
