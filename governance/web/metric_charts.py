"""Metrics as figures: of one version by stage and over time, and of a group over its versions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.http import urlencode

from portal.core.figures import Cell, Grid, Line, Lines, Point, milliseconds
from portal.core.templatetags import palette
from portal.core.templatetags.wording import absolute_words
from portal.core.views import Page
from portal.core.vocabulary import RiskRating, Stage
from registry.models import ModelGroup, ModelVersion
from registry.selectors import catalogue

from ..choices import FindingKind, MetricKind
from ..lifecycle import MODEL_STAGES
from ..models import StageRecord
from ..policies.facts import MetricRule
from ..policies.metrics import number_words
from ..selectors import metric_history as history
from ..selectors import policy as policies
from ..selectors.metric_history import Metric, Reading, Rules, where_words
from .panels import OfSubject
from .wording import url_of

_TONES = ("live", "busy", "warn", "good", "mute", "wait")
_ALONE = timedelta(hours=12)
_LARGEST = 10**300


class VersionMetrics(OfSubject):
    """What was validated stage by stage, and what was monitored over time, against what the policy asks for."""

    template_name = "governance/version_metrics.html"
    part = "Metrics"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        version = self.subject
        assert isinstance(version, ModelVersion)
        tier = policies.tier_of(version)
        rules = Rules()
        records = history.stage_records(version)
        stages = [Stage(record.stage) for record in records]
        validated = history.choices(
            (record.validation_metrics for record in records), _asked(rules, MetricKind.VALIDATION, stages, tier.value)
        )
        reports, total = history.monitoring_reports(records)
        monitored = history.choices(
            (report.metrics for report in reports), _asked(rules, MetricKind.MONITORING, stages, tier.value)
        )
        metric = history.chosen(self.request.GET.get("metric", ""), validated)
        watched = history.chosen(self.request.GET.get("monitored", ""), monitored)
        readings = history.over_time(reports, records, watched, rules, tier.value) if watched else []
        results = history.by_stage(records, metric, rules, tier.value) if metric else []
        return super().get_context_data(
            tier=tier,
            validated=validated,
            metric=metric,
            by_stage=_by_stage(version, metric, results) if metric and any(found for _, found in results) else None,
            monitored=monitored,
            watched=watched,
            over_time=_over_time(version, watched, readings) if watched and readings else None,
            left_out=total - len(reports),
            every=_every(records, validated, rules, tier.value),
            choose_url=reverse("governance:version_metrics_chart", args=[version.pk]),
            **kwargs,
        )


class GroupMetrics(Page):
    """One metric over the versions of a group; which one, and at which stage, is in the address."""

    template_name = "governance/group_metric_figures.html"
    fragment = "slot"

    @cached_property
    def group(self) -> ModelGroup:
        return catalogue.group(self.actor, self.kwargs["pk"])

    def breadcrumbs(self) -> list[dict[str, str]]:
        return [
            {"label": "Model groups", "url": reverse("registry:group_list")},
            {"label": self.group.name, "url": reverse("registry:group", args=[self.group.pk])},
            {"label": "Metrics over versions", "url": ""},
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        versions, records = history.group_records(self.actor, self.group)
        rules = Rules()
        asked = self.request.GET.get("stage", "")
        stage = next((one for one in MODEL_STAGES if one.value == asked), None)
        reports = [record.validation_metrics for found in records.values() for record in found]
        offered = history.choices(reports, _of_versions(versions, rules))
        metric = history.chosen(self.request.GET.get("metric", ""), offered)
        results = history.over_versions(versions, records, metric, rules, stage) if metric else []
        return super().get_context_data(
            group=self.group,
            offered=offered,
            metric=metric,
            stage=stage,
            stages=MODEL_STAGES,
            figure=_over_versions(metric, results) if metric and any(found for _, found in results) else None,
            is_cut=len(versions) == history.MOST_VERSIONS,
            choose_url=reverse("governance:group_metrics_chart", args=[self.group.pk]),
            back_url=reverse("registry:group", args=[self.group.pk]),
            **kwargs,
        )


def _asked(rules: Rules, kind: MetricKind, stages: Iterable[Stage], tier: RiskRating) -> list[MetricRule]:
    return [rule for stage in dict.fromkeys(stages) for rule in rules.about(kind, stage, tier)]


def _of_versions(versions: Sequence[ModelVersion], rules: Rules) -> list[MetricRule]:
    """What the policy asks of the newest version at any stage: what a group is looked at for first."""
    if not versions:
        return []
    return _asked(rules, MetricKind.VALIDATION, MODEL_STAGES, policies.tier_of(versions[-1]).value)


def _records_url(version: ModelVersion, record: StageRecord) -> str:
    query = urlencode({"model_package_arn": version.arn, "model_stage": record.stage})
    return f"{reverse('governance:stage_table')}?{query}"


def _breaches_url(version: ModelVersion) -> str:
    query = urlencode({"version": str(version.pk), "kind": FindingKind.METRIC_BREACHED.value})
    return f"{reverse('governance:finding_list')}?{query}"


def _note(reading: Reading) -> str:
    if not reading.rules:
        return ""
    return f"{'beyond the threshold: ' if reading.is_bad else ''}{reading.needed}"


def _is_drawn(reading: Reading) -> bool:
    """Whether a number has a place on an axis: JSON knows integers that no axis does; the table still has them."""
    return abs(reading.number) <= _LARGEST


def _ends(rule: MetricRule) -> tuple[float, ...]:
    return tuple(map(float, rule.value)) if isinstance(rule.value, tuple) else (float(rule.value),)


def _thresholds(readings: Sequence[tuple[float, Reading]]) -> list[Line]:
    """Return the thresholds as lines through the places of the readings they were asked of; a number may have two."""
    steps: dict[int, list[Point]] = {}
    for place, reading in readings:
        for index, end in enumerate(end for rule in reading.rules for end in _ends(rule)):
            steps.setdefault(index, []).append(Point(place, end))
    return [Line("Threshold of the policy", tuple(points), "bad", is_threshold=True) for points in steps.values()]


def _by_stage(version: ModelVersion, metric: Metric, results: Sequence[tuple[StageRecord, Reading | None]]) -> Lines:
    labels = tuple(where_words(record) for record, _ in results)
    found = [(float(place), reading) for place, (_, reading) in enumerate(results) if reading and _is_drawn(reading)]
    points = tuple(
        Point(place, float(reading.number), _records_url(version, reading.record), _note(reading), reading.is_bad)
        for place, reading in found
    )
    rows = tuple(
        (
            Cell(where_words(record), _records_url(version, record)),
            *_value_cells(reading),
            Cell(absolute_words(reading.at) if reading and reading.at else None),
        )
        for record, reading in results
    )
    table = Grid(("Stage", metric.words, "Needed", "Captured"), rows)
    words = f"{metric.words} of {version.name}, stage by stage."
    return Lines(words, (Line(metric.words, points), *_thresholds(found)), table, labels)


def _over_time(version: ModelVersion, metric: Metric, readings: Sequence[tuple[StageRecord, list[Reading]]]) -> Lines:
    lines: list[Line] = []
    rows = []
    for index, (record, found) in enumerate(readings):
        placed = [(milliseconds(reading.at), reading) for reading in found if reading.at and _is_drawn(reading)]
        points = tuple(
            Point(
                place,
                float(reading.number),
                _breaches_url(version) if reading.is_bad else _records_url(version, record),
                _note(reading),
                reading.is_bad,
            )
            for place, reading in placed
        )
        lines.append(Line(f"{metric.words}, {where_words(record)}", points, _TONES[index % len(_TONES)]))
        lines += [_stretched(line) for line in _thresholds(placed)]
        for reading in found:
            url = _breaches_url(version) if reading.is_bad else ""
            when = absolute_words(reading.at) if reading.at else None
            rows.append((reading.at, (Cell(when), Cell(where_words(record)), *_value_cells(reading, url))))
    rows.sort(key=lambda row: str(row[0]), reverse=True)
    table = Grid(("Captured", "Stage", metric.words, "Needed"), tuple(cells for _, cells in rows))
    return Lines(f"{metric.words} of {version.name} over time.", tuple(lines), table)


def _stretched(line: Line) -> Line:
    """A threshold under one report is a line as well, and not a dot nobody sees."""
    if len(line.points) != 1:
        return line
    at, half = line.points[0], _ALONE / timedelta(milliseconds=1)
    return Line(line.label, (Point(at.x - half, at.y), Point(at.x + half, at.y)), line.tone, is_threshold=True)


def _over_versions(metric: Metric, results: Sequence[tuple[ModelVersion, Reading | None]]) -> Lines:
    found = [
        (float(place), version, reading)
        for place, (version, reading) in enumerate(results)
        if reading and _is_drawn(reading)
    ]
    points = tuple(
        Point(place, float(reading.number), url_of(version), _where_note(reading), reading.is_bad)
        for place, version, reading in found
    )
    rows = tuple(
        (
            Cell(f"Version {version.number}", url_of(version)),
            Cell(where_words(reading.record) if reading else None),
            *_value_cells(reading),
            Cell(palette.look(version.status).words),
        )
        for version, reading in results
    )
    return Lines(
        f"{metric.words} over the versions of this group.",
        (Line(metric.words, points), *_thresholds([(place, reading) for place, _, reading in found])),
        Grid(("Version", "Reported in", metric.words, "Needed", "Status"), rows[::-1]),
        tuple(f"v{version.number}" for version, _ in results),
    )


def _where_note(reading: Reading) -> str:
    note = _note(reading)
    return f"{where_words(reading.record)}{f', {note}' if note else ''}"


def _value_cells(reading: Reading | None, url: str = "") -> tuple[Cell, Cell]:
    """Return the number and what is needed of it; what breaks a rule says so in words, not by its colour alone."""
    if reading is None:
        return Cell(None), Cell("")
    words = number_words(reading.number)
    if not reading.rules:
        return Cell(words, url), Cell("nothing")
    if reading.is_bad:
        return Cell(f"{words}, not met", url, "bad"), Cell(reading.needed)
    return Cell(f"{words}, met", url, "good"), Cell(reading.needed)


def _every(records: Sequence[StageRecord], metrics: Sequence[Metric], rules: Rules, tier: RiskRating) -> Grid | None:
    """Return every validation result by metric and stage."""
    told = [record for record in records if record.validation_metrics is not None]
    if not told:
        return None
    rows = []
    for metric in metrics:
        cells = [Cell(metric.words)]
        for _, reading in history.by_stage(told, metric, rules, tier):
            cells.append(_value_cells(reading)[0])
        rows.append(tuple(cells))
    return Grid(("Metric", *(where_words(record) for record in told)), tuple(rows))
