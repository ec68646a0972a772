"""Looking at reality again: what nobody reports is found, and what agrees again is settled.

`review_all` goes through every rule of `selectors.disagreements` on a schedule; `look_at` asks some of them about one
version where an event makes the answer knowable at once. Both write only what has changed.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import DatabaseError
from django.utils import timezone

from portal.core.actors import Actor
from portal.core.locks import advisory_lock
from portal.core.operations import operation

from ..choices import FindingKind
from ..models import Finding
from ..selectors import out_of_band
from ..selectors.disagreements import ABOUT_NO_VERSION, RULES
from ..selectors.observed import Seen
from . import findings

logger = logging.getLogger(__name__)

AGREES = "Reality agrees again."
# What an event may have brought about or settled.
AFTER_DEPLOYMENT = (
    FindingKind.RUNNING_UNAPPROVED,
    FindingKind.RUNNING_REJECTED,
    FindingKind.APPROVED_NOT_DEPLOYED,
)
AFTER_METRICS = (FindingKind.METRIC_BREACHED,)
AFTER_MOVE = (FindingKind.CONTENT_CHANGED, FindingKind.RUNNING_UNAPPROVED, FindingKind.RUNNING_REJECTED)


@dataclass(frozen=True)
class Reviewed:
    """What one review did; `failed` names the kinds that could not be looked at and are tried again next time."""

    opened: int = 0
    resolved: int = 0
    reopened: int = 0
    failed: tuple[FindingKind, ...] = ()


def review_all(*, actor: Actor, now: datetime | None = None, kinds: Collection[FindingKind] = tuple(RULES)) -> Reviewed:
    """Compare what is found with what is so, kind by kind, each in transactions of its own; twice changes nothing.

    First what was accepted for a while opens again, so that the rules may settle it. A fixed number of queries, however
    many subjects there are. Returns without a word while another worker reviews.
    """
    moment = now or timezone.now()
    with advisory_lock("findings:review") as held:
        if not held:
            return Reviewed()
        with operation(actor, "the acceptance ended"):
            reopened = findings.end_acceptances(moment)
        return replace(_reviewed(actor, kinds, moment), reopened=reopened)


def review_kinds(*, actor: Actor, kinds: Collection[FindingKind]) -> Reviewed:
    """Compare what is found of some kinds with what is so, after something was read that bears on them.

    As `review_all`, and like it left to the other worker while one reviews.
    """
    with advisory_lock("findings:review") as held:
        return _reviewed(actor, kinds, timezone.now()) if held else Reviewed()


def _reviewed(actor: Actor, kinds: Collection[FindingKind], moment: datetime) -> Reviewed:
    opened = resolved = 0
    failed: list[FindingKind] = []
    for kind in kinds:
        try:
            new, settled = _compare(actor, kind, moment)
        except DatabaseError:
            # One kind that cannot be looked at must not keep the others from being.
            logger.exception("Findings of the kind %s were not reviewed", kind)
            failed.append(kind)
            continue
        opened, resolved = opened + new, resolved + settled
    return Reviewed(opened, resolved, failed=tuple(failed))


def look_at(*, actor: Actor, version_id: int, kinds: Collection[FindingKind]) -> None:
    """Ask the rules of some kinds about one version now. Runs in the caller's operation, or one of its own."""
    look_at_all(actor=actor, version_ids=[version_id], kinds=kinds)


def look_at_all(*, actor: Actor, version_ids: Collection[int], kinds: Collection[FindingKind]) -> None:
    """Ask the rules of some kinds about some versions now, in the same number of queries however many they are.

    Runs in the caller's operation, or one of its own.
    """
    if not version_ids:
        return
    moment = timezone.now()
    with operation(actor):
        standing = _unresolved(kinds, version_ids)
        # The kinds about changes made outside come from one reading.
        outside = out_of_band.seen(moment, version_ids) if set(kinds) & set(out_of_band.OUTSIDE_KINDS) else {}
        for kind in kinds:
            if kind in ABOUT_NO_VERSION:
                continue
            seen = outside[kind] if kind in outside else RULES[kind](moment, version_ids)
            if seen.holds:
                findings.record(kind, seen.holds, moment, retell=seen.retell)
            agreed = _agreed(standing.get(kind, {}), seen)
            if agreed:
                findings.settle(kind, list(standing[kind]), agreed, AGREES, moment)


def _compare(actor: Actor, kind: FindingKind, moment: datetime) -> tuple[int, int]:
    # What stands is read before what is so: a finding opened in between is left for the next time.
    standing = _unresolved([kind]).get(kind, {})
    seen = RULES[kind](moment, None)
    opened = resolved = 0
    # Two transactions: one that waits for another's new finding must hold no finding that one waits for.
    if seen.holds:
        with operation(actor, "seen in the periodic review"):
            opened = findings.record(kind, seen.holds, moment, retell=seen.retell, skip_locked=True)
    agreed = _agreed(standing, seen)
    if agreed:
        with operation(actor, "agreed in the periodic review"):
            resolved = findings.settle(kind, list(standing), agreed, AGREES, moment)
    return opened, resolved


def _unresolved(
    kinds: Collection[FindingKind], version_ids: Collection[int] | None = None
) -> dict[FindingKind, dict[int, str]]:
    rows = Finding.objects.unresolved().filter(kind__in=list(kinds))
    if version_ids is not None:
        rows = rows.filter(version__in=list(version_ids))
    found: dict[FindingKind, dict[int, str]] = {}
    for pk, kind, key in rows.values_list("pk", "kind", "subject_key"):
        found.setdefault(FindingKind(kind), {})[pk] = key
    return found


def _agreed(standing: dict[int, str], seen: Seen) -> set[str]:
    return set(standing.values()) - {observation.key for observation in seen.holds} - seen.unsure
