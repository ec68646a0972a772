"""What the versions of a use case report while they run in production, beside what the policy asks of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from django.utils import timezone

from portal.core.actors import Actor
from portal.core.vocabulary import Stage, Status
from registry.models import UseCase
from registry.selectors.catalogue import HEAVY

from ..choices import FindingKind, MetricKind
from ..models import Finding, StageRecord
from ..policies.facts import MetricsFact, Outcome
from ..policies.metrics import metric_words, needed_words, number_words, numbers, path_of, read
from . import policy as policies
from .breaches import monitoring_rules

# So many versions and metrics fit a page; the stage table has all of them.
MOST_RECORDS, MOST_METRICS = 20, 12
_ABOUT_MONITORING = (FindingKind.METRIC_BREACHED, FindingKind.MONITOR_VIOLATIONS, FindingKind.MONITOR_MISSING)


@dataclass(frozen=True)
class Watched:
    """One metric: its value in words (None where it is not reported), what the policy asks, and whether it holds."""

    name: str
    value: str | None
    asked: str = ""
    holds: bool | None = None


@dataclass(frozen=True)
class Running:
    """One version in one production account with its latest monitoring report."""

    record: StageRecord
    metrics: tuple[Watched, ...]
    captured_at: datetime | None
    endpoint: str

    @property
    def broken(self) -> int:
        """How many metrics are beyond their thresholds."""
        return sum(metric.holds is False for metric in self.metrics)


def in_production(actor: Actor, use_case: UseCase) -> list[Running]:
    """Return the versions of a use case that are approved for or deployed in production, newest first."""
    records = (
        StageRecord.objects.visible_to(actor)
        .filter(version__use_cases=use_case, stage=Stage.PRODUCTION, status__in=(Status.APPROVED, Status.DEPLOYED))
        .select_related("version__group", "account")
        .prefetch_related("version__use_cases")
        .defer("validation_metrics", *(f"version__{name}" for name in HEAVY))
        .order_by("-version__number", "-pk")[:MOST_RECORDS]
    )
    rules, now = monitoring_rules(), timezone.now()
    found = []
    for record in records:
        report = record.monitoring_metrics or {}
        fact = MetricsFact(MetricKind.MONITORING, report, record.monitoring_captured_at, "")
        asked = rules.get((Stage.PRODUCTION, policies.tier_of(record.version).value), ())
        metrics = []
        for rule in asked:
            # How old a report may be is asked when somebody decides; an old number is not a bad one.
            reading = read(replace(rule, max_age_days=None), fact, now)
            reported = reading.outcome is not Outcome.MISSING
            value = f"{reading.actual}{f', {reading.problem}' if reading.problem else ''}" if reported else None
            holds = reading.outcome is Outcome.PASS if reported else None
            metrics.append(Watched(metric_words(rule), value, needed_words(rule), holds))
        ruled = {path_of(rule) for rule in asked}
        others = [(name, number) for name, number in numbers(report).items() if name not in ruled]
        metrics += [Watched(name, number_words(number)) for name, number in others[:MOST_METRICS]]
        found.append(Running(record, tuple(metrics), record.monitoring_captured_at, record.monitoring_endpoint))
    return found


def findings_about(actor: Actor, use_case: UseCase) -> list[Finding]:
    """Return the standing findings about monitoring of the use case's versions, the newest first."""
    rows = Finding.objects.visible_to(actor).standing().filter(kind__in=_ABOUT_MONITORING)
    rows = rows.filter(version__in=use_case.versions.values("pk")).select_related("owner")
    return list(rows.order_by("-first_seen_at", "-pk")[:MOST_RECORDS])
