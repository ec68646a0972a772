"""How far the sync of one account is, in the one form pages show long work in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from portal.core.progress import Progress, ProgressState

from ..models import AwsAccount
from ..selectors.sync_health import RegionHealth


def sync_progress(account: AwsAccount, regions: Sequence[RegionHealth], asked_at: datetime | None) -> Progress:
    """Say how far the passes over an account that are under way have come; without one it waits for a worker."""
    label = f"Reading the registry of {account.alias}"
    running = [(one.region, one.running) for one in regions if one.running is not None]
    if not running:
        return Progress(ProgressState.WAITING, label, asked_at=asked_at)
    total = sum(run.groups for _, run in running)
    return Progress(
        ProgressState.RUNNING,
        label,
        f"Reading {', '.join(region for region, _ in running)}",
        done=sum(run.groups_done for _, run in running) if total else None,
        total=total or None,
        unit="groups",
        started_at=min(run.started_at for _, run in running),
    )
