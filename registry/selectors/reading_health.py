"""How each reading of AWS beside the registry does in an account: what was read last, and why the last one failed."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.utils import timezone

from ..choices import READING_KINDS, SyncHealth, SyncKind, SyncState
from ..models import AwsAccount, SyncRun


@dataclass(frozen=True)
class ReadingHealth:
    """One kind in one region: `good` is the last pass that read everything, `failed` the newest where that failed."""

    kind: SyncKind
    region: str
    is_off: bool
    good: SyncRun | None
    failed: SyncRun | None

    @property
    def state(self) -> SyncHealth:
        """Failing before turned off: what a pass could not read stays so, whoever turned the next ones off."""
        if self.failed is not None:
            return SyncHealth.FAILING
        if self.is_off:
            return SyncHealth.DISABLED
        if self.good is None:
            return SyncHealth.NEVER
        patience = settings.PORTAL_READINGS_LATE.get(self.kind.value)
        is_late = patience is not None and timezone.now() - self.good.started_at > patience
        return SyncHealth.LATE if is_late else SyncHealth.HEALTHY


def readings_of(account: AwsAccount) -> list[ReadingHealth]:
    """Return every kind of reading in every region of an account, what fails first; two questions."""
    runs = SyncRun.objects.filter(account=account, kind__in=READING_KINDS, region__in=account.regions)
    ordered = runs.order_by("region", "kind", "-started_at").distinct("region", "kind")
    good = {(run.region, run.kind): run for run in ordered.filter(state=SyncState.SUCCEEDED)}
    newest = {(run.region, run.kind): run for run in ordered.exclude(state=SyncState.RUNNING)}
    found = []
    for region in account.regions:
        for kind in READING_KINDS:
            last = newest.get((region, kind.value))
            found.append(
                ReadingHealth(
                    kind=kind,
                    region=region,
                    is_off=kind.value in settings.PORTAL_READINGS_OFF,
                    good=good.get((region, kind.value)),
                    failed=last if last is not None and last.state == SyncState.FAILED else None,
                )
            )
    return sorted(found, key=lambda one: one.failed is None)
