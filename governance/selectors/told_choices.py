"""What each kind of notification is called, and by what ways people are told of it unless they choose otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from portal.core.vocabulary import NotificationKind

from ..models import NotificationSettings


@dataclass(frozen=True)
class Ways:
    """How somebody is told of one kind: the bell, e-mail, chat; `digest` keeps the last two for the daily digest."""

    bell: bool = True
    email: bool = False
    chat: bool = False
    digest: bool = False


@dataclass(frozen=True)
class Kind:
    """One row of what people choose: its words, and what holds for whoever has not chosen."""

    kind: NotificationKind
    label: str
    text: str
    usual: Ways


ALL_WAYS = Ways(email=True, chat=True)
BELL_AND_DIGEST = Ways(email=True, digest=True)
JUST_BELL = Ways()

_K = NotificationKind
GROUPS: tuple[tuple[str, tuple[Kind, ...]], ...] = (
    (
        "What I may decide",
        (
            Kind(_K.REQUEST_WAITS, "A request waits for me", "In a role of mine, or for whom I stand in.", ALL_WAYS),
            Kind(_K.REQUEST_DUE_SOON, "It is due soon", "A reminder before the due date.", ALL_WAYS),
            Kind(_K.REQUEST_OVERDUE, "It is overdue", "Also when I asked for it.", ALL_WAYS),
            Kind(_K.REQUEST_ESCALATED, "It is escalated", "Nobody decided in time, and others than me may.", ALL_WAYS),
            Kind(_K.DELEGATION_BEGINS, "A delegation begins", "Somebody stands in for me, or I for him.", ALL_WAYS),
            Kind(_K.DELEGATION_ENDS, "A delegation ends", "It is over, or was revoked.", ALL_WAYS),
        ),
    ),
    (
        "What I asked for",
        (
            Kind(_K.REQUEST_APPROVED, "It is approved", "The last word that was missing was given.", ALL_WAYS),
            Kind(_K.REQUEST_SENT_BACK, "It is sent back", "Rejected, or changes are asked for, with why.", ALL_WAYS),
            Kind(_K.REQUEST_PROGRESS, "Somebody approved", "Others still have to.", JUST_BELL),
            Kind(_K.REQUEST_LAPSED, "It is over undecided", "Expired, outdated or withdrawn.", ALL_WAYS),
            Kind(_K.PACK_READY, "An audit pack is ready", "Or could not be made.", ALL_WAYS),
        ),
    ),
    (
        "Models and use cases",
        (
            Kind(_K.DEPLOYMENT_FAILED, "A deployment failed", "Of a version of mine, or one I deploy.", ALL_WAYS),
            Kind(_K.DEPLOYMENT_DONE, "A deployment is in place", "Of a version of mine.", JUST_BELL),
            Kind(_K.REVIEW_DUE, "A review is due", "Of a use case of mine.", ALL_WAYS),
            Kind(_K.BREAK_GLASS, "A rule is overridden", "An officer broke the glass.", ALL_WAYS),
        ),
    ),
    (
        "Findings",
        (
            Kind(
                _K.FINDING_OPENED,
                "A finding opens",
                "Serious and critical ones at once; lesser ones are listed and come with the digest.",
                ALL_WAYS,
            ),
            Kind(_K.FINDING_ASSIGNED, "A finding is given to me", "By somebody else.", ALL_WAYS),
            Kind(_K.FINDING_DUE, "A finding is due", "One of mine, or nobody's where I handle them.", BELL_AND_DIGEST),
        ),
    ),
    (
        "AWS",
        (
            Kind(_K.WRITE_BACK_GIVEN_UP, "Something did not reach AWS", "Its attempts are used up.", ALL_WAYS),
            Kind(_K.SYNC_FAILING, "An account cannot be read", "Several passes failed in a row.", ALL_WAYS),
            Kind(_K.SHARE_DRIFT, "A share is not as declared", "Or shares with somebody unknown.", ALL_WAYS),
            Kind(_K.WEBHOOK_DISABLED, "A webhook is disabled", "Its receiver is gone, or took nothing.", ALL_WAYS),
        ),
    ),
)
KINDS: dict[NotificationKind, Kind] = {row.kind: row for _, rows in GROUPS for row in rows}
WAYS = ("bell", "email", "chat", "digest")


def ways(settings: NotificationSettings | None, kind: NotificationKind) -> Ways:
    """Return how a person is told of one kind: what he chose, else the usual."""
    usual = KINDS[kind].usual
    chosen: Any = settings.choices.get(kind.value) if settings else None
    if not isinstance(chosen, Mapping):
        return usual
    return Ways(**{name: bool(chosen.get(name, getattr(usual, name))) for name in WAYS})
