"""Metrics of one version by stage and over time, and one metric over the versions of a group: what figures show.

Which numbers a policy asks for is read as the gate reads it (`policies.metrics`), under the policy in force today.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from portal.core.actors import Actor
from portal.core.vocabulary import RiskRating, Stage, SubjectKind
from registry.models import ModelGroup, ModelVersion

from ..choices import MetricKind
from ..lifecycle import MODEL_STAGES
from ..models import MetricReport, StageRecord
from ..policies.facts import MetricRule, Number, Operator, Rule
from ..policies.metrics import metric_words, needed_words, number_at, number_for, numbers, path_of, within
from . import policy as policies

# As many points as a line can be read with, and as many names as a person chooses from.
MOST_REPORTS = 200
MOST_VERSIONS = 60
MOST_NAMES = 100


@dataclass(frozen=True)
class Reading:
    """One number that was reported, and the rules about it: `needed` in words, `is_bad` when one of them is broken."""

    record: StageRecord
    number: Number
    rules: tuple[MetricRule, ...]
    at: datetime | None = None
    report: int | None = None

    @property
    def is_bad(self) -> bool:
        return any(not within(rule, self.number) for rule in self.rules)

    @property
    def needed(self) -> str:
        return ", ".join(needed_words(rule) for rule in self.rules)


@dataclass(frozen=True)
class Metric:
    """A metric by its dotted path, with what people call it."""

    name: str
    words: str


class Rules:
    """The policy in force, read once: which metrics it asks for at which stage and tier."""

    def __init__(self) -> None:
        self._rules: tuple[Rule, ...] = policies.rules_of(policies.in_force())

    def about(self, kind: MetricKind, stage: Stage, tier: RiskRating) -> tuple[MetricRule, ...]:
        """Return the rules about metrics of one kind at a stage."""
        for rule in self._rules:
            if (rule.kind, rule.stage, rule.tier) == (SubjectKind.MODEL_VERSION, stage, tier):
                return tuple(metric for metric in rule.metrics if metric.kind is kind)
        return ()

    def named(self, name: str, kind: MetricKind, stage: Stage, tier: RiskRating) -> tuple[MetricRule, ...]:
        """Return the rules about one metric."""
        return tuple(rule for rule in self.about(kind, stage, tier) if path_of(rule) == name)


def stage_records(version: ModelVersion) -> list[StageRecord]:
    """Return the records of a version in the order of the stages, with their accounts."""
    order = [str(stage) for stage in Stage]
    found = StageRecord.objects.filter(version=version).select_related("account")
    return sorted(found, key=lambda record: (order.index(record.stage), record.pk))


def where_words(record: StageRecord) -> str:
    """Say of which stage a record is, with its account where the stage runs in several."""
    stage = Stage(record.stage).label
    return f"{stage} ({record.account.alias})" if record.account else stage


def choices(values: Iterable[Mapping[str, Any] | None], rules: Iterable[MetricRule]) -> list[Metric]:
    """Return the metrics that were reported or are asked for: those a rule is about first, then by name."""
    ruled = {path_of(rule): metric_words(rule) for rule in rules}
    named: dict[str, None] = {}
    for report in values:
        for name in numbers(report or {}):
            named.setdefault(name)
    rest = sorted(name for name in named if name not in ruled)
    found = [Metric(name, words) for name, words in ruled.items()]
    return [*found, *(Metric(name, metric_words(MetricRule(name, Operator.AT_LEAST, 0))) for name in rest)][:MOST_NAMES]


def chosen(asked: str, offered: Sequence[Metric]) -> Metric | None:
    """Return the metric that was asked for, else the first on offer, else None."""
    return next((metric for metric in offered if metric.name == asked), offered[0] if offered else None)


def value_of(name: str, rules: Sequence[MetricRule], values: Mapping[str, Any] | None) -> Number | None:
    """Return what a report says of a metric, read through the rule about it where there is one."""
    if values is None:
        return None
    return number_for(rules[0], values) if rules else number_at(name, values)


def by_stage(
    records: Iterable[StageRecord], metric: Metric, rules: Rules, tier: RiskRating
) -> list[tuple[StageRecord, Reading | None]]:
    """Return the validation result of each record for one metric, None where it was not reported."""
    found = []
    for record in records:
        about = rules.named(metric.name, MetricKind.VALIDATION, Stage(record.stage), tier)
        number = value_of(metric.name, about, record.validation_metrics)
        reading = None if number is None else Reading(record, number, about, record.validation_captured_at)
        found.append((record, reading))
    return found


def monitoring_reports(records: Sequence[StageRecord]) -> tuple[list[MetricReport], int]:
    """Return the newest monitoring reports of these records, oldest first, and how many there are in all."""
    rows: QuerySet[MetricReport] = MetricReport.objects.filter(
        record__in=[record.pk for record in records], kind=MetricKind.MONITORING
    )
    newest = list(rows.order_by("-captured_at", "-pk")[: MOST_REPORTS + 1])
    total = rows.count() if len(newest) > MOST_REPORTS else len(newest)
    return sorted(newest[:MOST_REPORTS], key=lambda report: (report.captured_at, report.pk)), total


def over_time(
    reports: Iterable[MetricReport], records: Iterable[StageRecord], metric: Metric, rules: Rules, tier: RiskRating
) -> list[tuple[StageRecord, list[Reading]]]:
    """Return what was monitored of one metric, record by record."""
    by_record = {record.pk: record for record in records}
    found: dict[int, list[Reading]] = {}
    for report in reports:
        record = by_record[report.record_id]
        about = rules.named(metric.name, MetricKind.MONITORING, Stage(record.stage), tier)
        number = value_of(metric.name, about, report.metrics)
        if number is not None:
            reading = Reading(record, number, about, report.captured_at, report.pk)
            found.setdefault(record.pk, []).append(reading)
    return [(by_record[pk], readings) for pk, readings in found.items()]


def group_records(actor: Actor, group: ModelGroup) -> tuple[list[ModelVersion], dict[int, list[StageRecord]]]:
    """Return the newest versions of a group, oldest first, and their records with validation results by version."""
    versions = list(
        ModelVersion.objects.visible_to(actor)
        .filter(group=group)
        .only("pk", "number", "stage", "status", "risk_rating", "group_id", "aws_created_at")
        .prefetch_related("use_cases")
        .order_by("-number", "-pk")[:MOST_VERSIONS]
    )[::-1]
    records: dict[int, list[StageRecord]] = {}
    rows = StageRecord.objects.filter(
        version__in=[version.pk for version in versions], validation_metrics__isnull=False
    ).select_related("account")
    for record in rows.order_by("pk"):
        records.setdefault(record.version_id, []).append(record)
    return versions, records


def over_versions(
    versions: Iterable[ModelVersion],
    records: Mapping[int, Sequence[StageRecord]],
    metric: Metric,
    rules: Rules,
    stage: Stage | None = None,
) -> list[tuple[ModelVersion, Reading | None]]:
    """Return one metric per version: at a stage, else at the latest stage where the version has it; None for none."""
    found: list[tuple[ModelVersion, Reading | None]] = []
    for version in versions:
        tier = policies.tier_of(version).value
        readings: list[Reading] = []
        for record in sorted(records.get(version.pk, ()), key=_latest_first):
            if stage is not None and record.stage != stage:
                continue
            about = rules.named(metric.name, MetricKind.VALIDATION, Stage(record.stage), tier)
            number = value_of(metric.name, about, record.validation_metrics)
            if number is not None:
                readings.append(Reading(record, number, about, record.validation_captured_at))
        found.append((version, readings[0] if readings else None))
    return found


def _latest_first(record: StageRecord) -> tuple[int, int]:
    order = [str(stage) for stage in MODEL_STAGES]
    return (-order.index(record.stage) if record.stage in order else 0, record.pk)
