"""What an outbox message did and will do, in the words of its page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from ..choices import OutboxState
from ..models import OutboxMessage
from ..selectors.outbox_message import Attempt
from ..services.delivery import MOST_ATTEMPTS

# Title, icon and tone of what came of an attempt.
_OUTCOMES: dict[str, tuple[str, str, str]] = {
    "delivered": ("carried out", "circle-check", "good"),
    "failed": ("did not succeed", "alert-circle", "warn"),
    "given_up": ("did not succeed, and it was given up", "alert-octagon", "bad"),
    "waiting": ("has to wait", "clock", "mute"),
    "open": ("is under way", "refresh", "live"),
    "unknown": ("ended without a word: its worker stopped", "clock-off", "warn"),
    "overtaken": ("stopped before it wrote anything: a later word took its place", "replace", "mute"),
    "superseded": ("superseded", "replace", "mute"),
}


def attempt_lines(attempts: Iterable[Attempt]) -> list[dict[str, Any]]:
    """Return the attempts as the timeline component takes them."""
    return [_line(one) for one in attempts]


def _line(one: Attempt) -> dict[str, Any]:
    if one.outcome == "asked":
        title, icon, tone = "Tried again at somebody's wish", "user", "live"
    else:
        words, icon, tone = _OUTCOMES[one.outcome]
        title = f"Attempt {one.number} {words}" if one.number else words.capitalize()
    if one.times > 1:
        title += f" ({one.times} times)"
    said = one.said
    if one.seconds is not None and one.seconds >= 0.1 and one.times == 1:
        said = f"{said} It took {one.seconds:.1f} s.".strip()
    return {"at": one.at, "title": title, "person": one.by, "text": said, "icon": icon, "tone": tone}


@dataclass(frozen=True)
class Next:
    """What happens next with a message: a heading, a tone, sentences, and the moment of the next attempt."""

    title: str
    tone: str
    text: str
    at: Any = None


def what_next(message: OutboxMessage, *, is_held: bool) -> Next:
    """Say what happens next with a message; `is_held` when something given up stands before it."""
    if message.state == OutboxState.DELIVERED:
        return Next("Nothing more happens", "good", message.note or "It was carried out, and AWS confirmed it.")
    if message.state == OutboxState.SUPERSEDED:
        return Next("Nothing more happens", "mute", message.note or "A later word took its place.")
    if message.state == OutboxState.FAILED:
        return Next(
            "It is not tried again by itself",
            "bad",
            "Read below what AWS said and remove the cause. Then try it again here: it gets as many attempts as a new"
            " one. What was decided stands meanwhile, and doing it twice does no harm.",
        )
    if message.is_stuck:
        return Next(
            "Its worker is gone",
            "warn",
            "An attempt began and never ended. A sweep takes it up again by itself; try it now to wait no longer.",
        )
    if is_held:
        return Next(
            "It waits behind what was given up",
            "warn",
            "Messages about the same thing are carried out in their order. Once the one before it is carried out, this"
            " one follows by itself.",
        )
    if message.waiting_for:
        return Next(
            "It waits", "mute", f"Nothing is wrong. It waits for {message.waiting_for}.", message.next_attempt_at
        )
    if message.attempts and message.last_error:
        left = MOST_ATTEMPTS - message.attempts
        tries = "one more attempt fails" if left == 1 else f"{left} more attempts fail"
        return Next(
            "It is tried again by itself",
            "warn",
            f"After {message.attempts} of {MOST_ATTEMPTS} attempts, at growing distances of up to five minutes. If"
            f" {tries} as well, it is given up and becomes a finding.",
            message.next_attempt_at,
        )
    return Next(
        "It is carried out next",
        "live",
        "As soon as a worker is free. If nothing happens for minutes, ask whether a worker runs.",
        message.next_attempt_at if message.next_attempt_at > timezone.now() else None,
    )
