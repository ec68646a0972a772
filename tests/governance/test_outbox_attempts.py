"""What the page of an outbox message reads off the audit trail, as pure as it is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from governance.choices import OutboxState
from governance.models import AuditEvent, OutboxMessage
from governance.selectors.outbox_message import attempts
from governance.web.outbox_words import attempt_lines, what_next

START = datetime(2026, 5, 4, 8, 0, tzinfo=UTC)
WRITTEN = {"state": "pending", "attempts": 0, "last_error": "", "waiting_for": "", "note": "", "started_at": None}


def entry(minute: int, actor: str = "system:outbox", **changes: Any) -> AuditEvent:
    at = START + timedelta(minutes=minute)
    if minute == 0:
        return AuditEvent(at=at, actor=actor, action="insert", changes=WRITTEN)
    return AuditEvent(at=at, actor=actor, action="update", changes={name: [None, to] for name, to in changes.items()})


def begun(minute: int, number: int) -> AuditEvent:
    at = (START + timedelta(minutes=minute)).isoformat()
    return entry(minute, attempts=number, started_at=at, ended_at=None)


def ended(minute: int, **changes: Any) -> AuditEvent:
    return entry(minute, ended_at=(START + timedelta(minutes=minute)).isoformat(), next_attempt_at="later", **changes)


def outcomes(*entries: AuditEvent, now: int = 600) -> list[tuple[str, int, str]]:
    found = attempts([entry(0), *entries], START + timedelta(minutes=now))
    return [(one.outcome, one.number, one.said) for one in found]


def test_every_attempt_keeps_what_aws_said_of_it() -> None:
    assert outcomes(
        begun(1, 1),
        ended(2, last_error="Throttled."),
        begun(3, 2),
        # The same words again are no change, and are said again.
        ended(4),
        begun(5, 3),
        ended(6, state="failed", last_error="Not authorised."),
        entry(7, actor="user:engineer", state="pending", attempts=0),
        begun(8, 1),
        ended(9, state="delivered", last_error="", note="Read back."),
    ) == [
        ("failed", 1, "Throttled."),
        ("failed", 2, "Throttled."),
        ("given_up", 3, "Not authorised."),
        ("asked", 0, ""),
        ("delivered", 1, "Read back."),
    ]


def test_a_worker_that_died_is_told_from_one_at_work() -> None:
    assert outcomes(begun(1, 1), begun(30, 2), now=31) == [("unknown", 1, ""), ("open", 2, "")]
    assert outcomes(begun(1, 1), now=600) == [("unknown", 1, "")]


def test_waiting_and_standing_back_are_no_failures() -> None:
    assert outcomes(
        begun(1, 1),
        ended(2, attempts=0, waiting_for="the pipeline", last_error=""),
        begun(3, 1),
        entry(4, attempts=0, ended_at="2026-05-04T08:04:00+00:00"),
        entry(5, state="superseded", note="Not sent."),
    ) == [("waiting", 1, "Waits for the pipeline."), ("overtaken", 1, ""), ("superseded", 0, "Not sent.")]


def test_the_words_of_an_attempt_say_how_it_went() -> None:
    found = attempts([entry(0), begun(1, 1), ended(2, last_error="Throttled.")], START)
    (line,) = attempt_lines(found)
    assert (line["title"], line["text"]) == ("Attempt 1 did not succeed", "Throttled. It took 60.0 s.")


def test_what_happens_next_is_said_for_every_way_a_message_stands() -> None:
    later = datetime.now(UTC) + timedelta(minutes=3)
    said = {
        what_next(OutboxMessage(state=state, next_attempt_at=later, **fields), is_held=held).title
        for state, fields, held in (
            (OutboxState.DELIVERED, {}, False),
            (OutboxState.FAILED, {}, False),
            (OutboxState.PENDING, {}, False),
            (OutboxState.PENDING, {}, True),
            (OutboxState.PENDING, {"waiting_for": "the pipeline"}, False),
            (OutboxState.PENDING, {"attempts": 11, "last_error": "Throttled."}, False),
            (OutboxState.PENDING, {"started_at": START}, False),
        )
    }
    assert len(said) == 7
    once = OutboxMessage(state=OutboxState.PENDING, next_attempt_at=later, attempts=11, last_error="x")
    assert "If one more attempt fails as well" in what_next(once, is_held=False).text
