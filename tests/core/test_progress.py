"""Long work in one form: it says how far it is, asks again only while it is not over, and escapes what it is given."""

from __future__ import annotations

from datetime import timedelta

from django.test import RequestFactory
from django.utils import timezone

from portal.core.progress import Progress, ProgressState, progress_html, progress_response

LABEL = "Building the pack of <UC-0012>"


def test_running_work_says_step_count_and_time_and_asks_again() -> None:
    started = timezone.now() - timedelta(seconds=125)
    running = Progress(ProgressState.RUNNING, LABEL, "Copying evidence", 3, 4, "files", started_at=started)
    shown = progress_html(running, "/packs/1/progress/")
    assert 'hx-get="/packs/1/progress/" hx-trigger="poll"' in shown
    assert '<progress aria-label="Building the pack of &lt;UC-0012&gt;" max="4" value="3">' in shown
    assert "Copying evidence" in shown
    assert "3 of 4 files" in shown
    assert ">2 min<" in shown
    assert running.announcement == f"{LABEL}: Copying evidence, 75 percent done."
    assert "<UC-0012>" not in shown


def test_work_of_unknown_length_shows_no_figure_it_does_not_have() -> None:
    shown = progress_html(Progress(ProgressState.RUNNING, LABEL), "/x/")
    assert 'max="100">' in shown
    assert " of " not in shown.split("working-facts")[1].split("</ul>")[0]


def test_work_that_is_over_is_not_asked_for_again_and_leads_to_its_result() -> None:
    over = Progress(
        ProgressState.DONE, LABEL, finished_at=timezone.now(), result_url="/packs/1/", result_label="Open the pack"
    )
    shown = progress_html(over, "/x/")
    assert "hx-get" not in shown
    assert "data-progress-over" in shown
    assert 'href="/packs/1/">Open the pack' in shown
    failed = progress_html(Progress(ProgressState.FAILED, LABEL, problem="<b>The disk is full.</b>"), "/x/")
    assert "&lt;b&gt;The disk is full.&lt;/b&gt;" in failed
    assert "hx-get" not in failed


def test_work_no_worker_takes_up_says_so_after_a_minute() -> None:
    now = timezone.now()
    fresh = Progress(ProgressState.WAITING, LABEL, asked_at=now)
    late = Progress(ProgressState.WAITING, LABEL, asked_at=now - timedelta(minutes=2))
    assert not fresh.is_late
    assert "No worker has taken this up yet" in progress_html(late, "/x/")


def test_a_count_beyond_its_total_is_all_of_it() -> None:
    assert Progress(ProgressState.RUNNING, LABEL, done=9, total=4).share == 1.0
    assert Progress(ProgressState.RUNNING, LABEL, done=9, total=0).share is None


def test_an_answer_is_not_kept() -> None:
    answer = progress_response(RequestFactory().get("/x/"), Progress(ProgressState.RUNNING, LABEL), "/x/")
    assert answer["Cache-Control"] == "no-store"
    assert b"data-working" in answer.content
