"""Every metric of a version, or one over the versions of a group, as numbers beside what the policy asks of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from portal.core.actors import Actor
from portal.core.vocabulary import RiskRating, Stage
from registry.models import ModelGroup, ModelVersion

from ..choices import MetricKind
from ..lifecycle import MODEL_STAGES
from ..models import StageRecord
from ..policies.facts import MetricRule, Number
from . import metric_history as history
from . import policy as policies
from .metric_history import Metric, Reading, Rules

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Told:
    """What one record says of a metric: the number (None: not reported), what is asked of it, whether it holds."""

    record: StageRecord
    value: Number | None
    captured_at: datetime | None
    needed: str
    holds: bool | None

    @property
    def stage_record(self) -> int:
        return self.record.pk

    @property
    def stage(self) -> str:
        return self.record.stage

    @property
    def account(self) -> str | None:
        return self.record.account.account_id if self.record.account else None


@dataclass(frozen=True)
class Series:
    """One metric with its readings, in the order of the stages or of time."""

    kind: MetricKind
    metric: str
    words: str
    readings: tuple[Told, ...]


@dataclass(frozen=True)
class VersionMetrics:
    """Every metric of a version; `reports_left_out` are older monitoring reports that were not read."""

    risk_tier: str
    risk_tier_source: str
    series: tuple[Series, ...]
    reports_left_out: int


@dataclass(frozen=True)
class OfVersion:
    """One version of a group and what it says of the metric; None where it was not reported."""

    version: ModelVersion
    reading: Told | None


@dataclass(frozen=True)
class GroupMetrics:
    """One metric over the newest versions of a group, oldest first, and the metrics that could be asked for."""

    offered: tuple[Metric, ...]
    metric: Metric | None
    versions: tuple[OfVersion, ...]


def of_version(version: ModelVersion) -> VersionMetrics:
    """Return every metric that was reported of a version or is asked for; a fixed number of queries."""
    tier, rules = policies.tier_of(version), Rules()
    records = history.stage_records(version)
    stages = [Stage(record.stage) for record in records]
    reports, total = history.monitoring_reports(records)
    validated = history.choices(
        (record.validation_metrics for record in records), _asked(rules, MetricKind.VALIDATION, stages, tier.value)
    )
    monitored = history.choices(
        (report.metrics for report in reports), _asked(rules, MetricKind.MONITORING, stages, tier.value)
    )
    series = [
        Series(
            MetricKind.VALIDATION,
            metric.name,
            metric.words,
            tuple(_told(record, found) for record, found in history.by_stage(records, metric, rules, tier.value)),
        )
        for metric in validated
    ]
    for metric in monitored:
        found = [
            _told(record, reading)
            for record, readings in history.over_time(reports, records, metric, rules, tier.value)
            for reading in readings
        ]
        found.sort(key=lambda told: told.captured_at or _LONG_AGO)
        series.append(Series(MetricKind.MONITORING, metric.name, metric.words, tuple(found)))
    return VersionMetrics(tier.value.value, tier.source, tuple(series), total - len(reports))


def of_group(actor: Actor, group: ModelGroup, name: str = "", stage: Stage | None = None) -> GroupMetrics:
    """Return one metric over a group's versions: the one named, else the first there is; at a stage, or the latest.

    No metric is returned for a name that nobody reported or asks for.
    """
    versions, records = history.group_records(actor, group)
    rules = Rules()
    reports = [record.validation_metrics for found in records.values() for record in found]
    asked = _of_newest(versions, rules)
    offered = history.choices(reports, asked)
    metric = next((one for one in offered if one.name == name), None) if name else next(iter(offered), None)
    if metric is None:
        return GroupMetrics(tuple(offered), None, ())
    found = history.over_versions(versions, records, metric, rules, stage)
    shown = tuple(
        OfVersion(version, None if reading is None else _told(reading.record, reading)) for version, reading in found
    )
    return GroupMetrics(tuple(offered), metric, shown)


def _of_newest(versions: Sequence[ModelVersion], rules: Rules) -> list[MetricRule]:
    if not versions:
        return []
    return _asked(rules, MetricKind.VALIDATION, MODEL_STAGES, policies.tier_of(versions[-1]).value)


def _asked(rules: Rules, kind: MetricKind, stages: Iterable[Stage], tier: RiskRating) -> list[MetricRule]:
    return [rule for stage in dict.fromkeys(stages) for rule in rules.about(kind, stage, tier)]


def _told(record: StageRecord, reading: Reading | None) -> Told:
    if reading is None:
        return Told(record, None, None, "", None)
    return Told(record, reading.number, reading.at, reading.needed, None if not reading.rules else not reading.is_bad)
