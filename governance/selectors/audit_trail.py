"""The audit trail as its pages show it: the entries, and how far they have been verified."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from portal.core.actors import Actor
from portal.core.permissions import Act, may_anywhere, require_anywhere

from ..choices import AuditCheckState
from ..models import AuditAnchor, AuditCheck, AuditEvent
from . import audit, audit_coverage, database_role

_OPEN = (AuditCheckState.WAITING, AuditCheckState.RUNNING)
# A worker takes a check up within moments; after this long, people are told that none has.
_PATIENCE = timedelta(minutes=1)


@dataclass(frozen=True)
class Standing:
    """How far the trail has been verified: the last check that came to an end, the one under way, the newest anchor.

    `broken` is a check that found the trail not as it was written, until the whole trail was found sound afterwards.
    `unanchored` counts the entries behind the newest anchor, `excess` says what the portal's own database role could do
    to the trail.
    """

    last: AuditCheck | None
    broken: AuditCheck | None
    under_way: AuditCheck | None
    is_late: bool
    anchor: AuditAnchor | None
    unanchored: int
    excess: list[str]


def trail(actor: Actor) -> QuerySet[Any]:
    """Return every entry, newest first, for those who may read the trail; nothing for others."""
    return AuditEvent.objects.visible_to(actor).order_by("-sequence")


def tables(actor: Actor) -> list[str]:
    """Return the tables an entry can be about, by name; nothing for those who may not read the trail."""
    return audit_coverage.audited_tables() if actor.is_system or may_anywhere(actor, Act.SEE_AUDIT) else []


def checks(actor: Actor) -> QuerySet[AuditCheck]:
    """Return the checks of the trail, newest first. Raises Forbidden for who may not read it."""
    require_anywhere(actor, Act.SEE_AUDIT)
    return AuditCheck.objects.visible_to(actor).select_related("requested_by").order_by("-pk")


def standing(actor: Actor) -> Standing:
    """Return how far the trail has been verified. Raises Forbidden."""
    found = checks(actor)
    ended = found.exclude(state__in=_OPEN).order_by("-finished_at", "-pk")
    newest = {
        check.state in _OPEN: check
        for check in found.filter(
            Q(pk__in=found.filter(state__in=_OPEN).values("pk")[:1]) | Q(pk__in=ended.values("pk")[:1])
        )
    }
    under_way = newest.get(True)
    anchor = AuditAnchor.objects.order_by("-number").first()
    is_waiting = under_way is not None and under_way.state == AuditCheckState.WAITING
    return Standing(
        last=newest.get(False),
        broken=unresolved_break(),
        under_way=under_way,
        is_late=bool(is_waiting and under_way and timezone.now() - under_way.requested_at > _PATIENCE),
        anchor=anchor,
        unanchored=audit.entries_from(anchor.last_sequence + 1 if anchor else audit.LOWEST),
        excess=database_role.excessive_rights(),
    )


def unresolved_break() -> AuditCheck | None:
    """Return the first check that found the trail broken since the whole of it was last found sound."""
    whole = AuditCheck.objects.filter(state=AuditCheckState.SOUND, since=None)
    healed = Exists(whole.filter(finished_at__gte=OuterRef("finished_at")))
    broken = AuditCheck.objects.filter(state=AuditCheckState.BROKEN).exclude(healed)
    return broken.order_by("finished_at", "pk").first()


def is_under_way(actor: Actor) -> bool:
    """Whether a check waits or runs. Raises Forbidden."""
    return checks(actor).filter(state__in=_OPEN).exists()


def last_sound_anchor() -> int | None:
    """Return the newest anchor of the last check that found all sound, behind which a check of what is new begins.

    None before there is one, and while a break is unresolved: then everything is to be read again.
    """
    if unresolved_break() is not None:
        return None
    return (
        AuditCheck.objects.filter(state=AuditCheckState.SOUND, anchor__isnull=False)
        .order_by("-finished_at")
        .values_list("anchor", flat=True)
        .first()
    )
