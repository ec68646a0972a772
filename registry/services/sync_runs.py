"""Keeping the rows of past passes, and no longer than somebody may want to read them."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import OuterRef, Q, Subquery
from django.utils import timezone

from ..choices import SyncState
from ..models import SyncRun
from ..selectors.sync_health import is_routine

# A search a minute that finds nothing is of no interest tomorrow; what brought or failed something is, for a quarter.
KEEP_ROUTINE = timedelta(days=2)
KEEP = timedelta(days=90)


def prune() -> int:
    """Remove the rows of passes that are of no interest any more; returns how many.

    The newest successful pass of each account, region and kind stays whatever its age: searches begin where it did.
    """
    now = timezone.now()
    newest = (
        SyncRun.objects.filter(
            account=OuterRef("account"), region=OuterRef("region"), kind=OuterRef("kind"), state=SyncState.SUCCEEDED
        )
        .order_by("-started_at")
        .values("pk")[:1]
    )
    old = Q(started_at__lt=now - KEEP) | is_routine() & Q(started_at__lt=now - KEEP_ROUTINE)
    over = SyncRun.objects.filter(old).exclude(state=SyncState.RUNNING)
    removed, _ = over.exclude(pk__in=Subquery(newest)).delete()
    return removed
