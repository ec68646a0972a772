"""Monitoring metrics beyond the thresholds of the policy in force."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from portal.core.vocabulary import RiskRating, Stage, Status, SubjectKind
from registry.selectors.catalogue import HEAVY

from ..choices import MetricKind
from ..models import StageRecord
from ..policies.facts import MetricRule, MetricsFact, Outcome
from ..policies.metrics import Reading, key_of, metric_words, needed_words, read
from . import policy as policies
from .observed import Observation, Seen

_CHUNK = 1000
# What is rejected, superseded or retired is not expected to keep to anything.
_WATCHED = (Status.PENDING, Status.APPROVED, Status.DEPLOYED)


def metric_breached(now: datetime, only: Collection[int] | None = None) -> Seen:
    """Records whose newest monitoring report breaks a rule for their stage and the version's tier of risk.

    A metric that is not reported breaks none here: that nobody reports is another finding.
    """
    rules = monitoring_rules()
    if not rules:
        return Seen()
    records = StageRecord.objects.filter(
        stage__in={stage for stage, _ in rules}, status__in=_WATCHED, monitoring_metrics__isnull=False
    )
    if only is not None:
        records = records.filter(version_id__in=list(only))
    records = (
        records.select_related("version__group__account", "account")
        .prefetch_related("version__use_cases")
        .defer("validation_metrics", *(f"version__{name}" for name in HEAVY))
        .order_by("pk")
    )
    found = (_of_record(record, rules, now) for record in records.iterator(chunk_size=_CHUNK))
    return Seen(tuple(observation for observation in found if observation is not None))


def monitoring_rules() -> dict[tuple[Stage, RiskRating], tuple[MetricRule, ...]]:
    """Return what the policy in force asks of monitoring metrics, by stage and tier of risk."""
    return {
        (rule.stage, rule.tier): watched
        for rule in policies.rules_of(policies.in_force())
        if rule.kind is SubjectKind.MODEL_VERSION
        and (watched := tuple(metric for metric in rule.metrics if metric.kind is MetricKind.MONITORING))
    }


def _of_record(
    record: StageRecord, rules: Mapping[tuple[Stage, RiskRating], tuple[MetricRule, ...]], now: datetime
) -> Observation | None:
    stage = Stage(record.stage)
    report = MetricsFact(MetricKind.MONITORING, record.monitoring_metrics or {}, record.monitoring_captured_at, "")
    broken: list[tuple[MetricRule, Reading]] = []
    for rule in rules.get((stage, policies.tier_of(record.version).value), ()):
        # How old a report may be is asked when somebody decides; an old number is not a bad one.
        reading = read(replace(rule, max_age_days=None), report, now)
        if reading.outcome is Outcome.FAIL:
            broken.append((rule, reading))
    if not broken:
        return None
    where = f"{stage.label} ({record.account})" if record.account else stage.label
    return Observation(
        record.version,
        f"{record.version.name} in {where}: {'; '.join(_words(rule, reading) for rule, reading in broken)}.",
        _evidence(record, broken),
        stage=stage,
        account=record.account,
    )


def _words(rule: MetricRule, reading: Reading) -> str:
    problem = f", {reading.problem}" if reading.problem else ""
    return f"{metric_words(rule)} is {reading.actual}{problem}, {needed_words(rule)}"


def _evidence(record: StageRecord, broken: list[tuple[MetricRule, Reading]]) -> dict[str, Any]:
    captured = record.monitoring_captured_at
    return {
        "stage_record": record.pk,
        "endpoint": record.monitoring_endpoint,
        "captured_at": captured.isoformat() if captured else None,
        "rules": {key_of(rule): reading.actual for rule, reading in broken},
    }
