"""Metrics of a stage: validation results before a decision, monitoring results of what runs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from portal.core import access
from portal.core.actors import Actor
from portal.core.errors import InvalidInput, WrongState
from portal.core.operations import operation
from portal.core.permissions import Act
from registry.aws.values import plain_text

from ..choices import MetricKind, Status
from ..models import MetricReport, StageRecord
from . import review
from .binding import subject_changed
from .locking import lock_version

_CLOCK_SKEW = timedelta(minutes=5)
_MOST_METRICS = 500


def report(
    *,
    actor: Actor,
    record_id: int,
    kind: MetricKind,
    metrics: Mapping[str, Any],
    source: str = "",
    endpoint: str = "",
    captured_at: datetime | None = None,
) -> StageRecord:
    """Add a report to a stage record; the newest by capture time is the record's attribute.

    `metrics` is a JSON object; null means "not reported" and stays null. Raises NotFound, Forbidden, WrongState
    for a retired record, InvalidInput for an empty object, a number that is not finite or a capture in the future.
    A monitoring report beyond a threshold of the policy in force opens a finding, one within resolves it.
    """
    _check(metrics, captured_at)
    with operation(actor, f"report {kind.label.lower()} metrics"):
        seen = access.get(StageRecord, actor, pk=record_id)
        # Test results are part of what is decided, so they come in behind the lock a decision takes.
        version = lock_version(seen.version_id)
        record = access.for_update(StageRecord, actor, Act.REPORT_METRICS, pk=record_id)
        if record.status == Status.RETIRED:
            raise WrongState("This version is retired; metrics are no longer recorded for it.")
        moment = captured_at or timezone.now()
        MetricReport.objects.create(
            record=record,
            kind=kind,
            metrics=dict(metrics),
            source=source.strip(),
            endpoint=endpoint.strip(),
            captured_at=moment,
            reported_by=actor.name,
        )
        prefix = kind.value
        newest: datetime | None = getattr(record, f"{prefix}_captured_at")
        if newest is None or moment >= newest:
            setattr(record, f"{prefix}_metrics", dict(metrics))
            setattr(record, f"{prefix}_captured_at", moment)
            where = "validation_source" if kind is MetricKind.VALIDATION else "monitoring_endpoint"
            setattr(record, where, (source if kind is MetricKind.VALIDATION else endpoint).strip())
            record.audit_at, record.audit_user = timezone.now(), actor.name
            record.save(update_fields=[f"{prefix}_metrics", f"{prefix}_captured_at", where, "audit_at", "audit_user"])
            if kind is MetricKind.VALIDATION:
                subject_changed(actor=actor, subject=version, why="New validation metrics came in.")
            else:
                review.look_at(actor=actor, version_id=record.version_id, kinds=review.AFTER_METRICS)
        return record


def _check(metrics: object, captured_at: datetime | None) -> None:
    problems: dict[str, list[str]] = {}
    if not isinstance(metrics, Mapping) or not metrics:
        problems["metrics"] = ["Send a JSON object with at least one metric."]
    elif len(metrics) > _MOST_METRICS:
        problems["metrics"] = [f"Send at most {_MOST_METRICS} metrics."]
    else:
        bad = sorted(ascii(name) for name, value in metrics.items() if not (_is_text(name) and _is_sound(value)))
        if bad:
            problems["metrics"] = [
                f"Not a finite number, plain text, true, false, null or object of these: {', '.join(bad)}."
            ]
    if captured_at is not None and captured_at > timezone.now() + _CLOCK_SKEW:
        problems["captured_at"] = ["Metrics cannot be captured in the future."]
    if problems:
        raise InvalidInput("These metrics cannot be recorded.", errors=problems)


def _is_sound(value: object, depth: int = 0) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, Mapping):
        return depth < 4 and all(_is_text(name) and _is_sound(item, depth + 1) for name, item in value.items())
    if isinstance(value, list):
        return depth < 4 and all(_is_sound(item, depth + 1) for item in value)
    return value is None or isinstance(value, bool | int) or _is_text(value)


def _is_text(value: object) -> bool:
    """Whether this is text that PostgreSQL can keep: JSON allows NUL and halves of characters, jsonb does not."""
    return isinstance(value, str) and plain_text(value) == value
