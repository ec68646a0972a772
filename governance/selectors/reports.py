"""What a version's reports say to policy, and which of them cannot be read."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import F, Q

from portal.core.vocabulary import Status
from registry.models import ModelVersion, VersionReport
from registry.reports import bias, explainability, model_quality
from registry.reports.kinds import ReportKind
from registry.selectors.catalogue import HEAVY

from ..choices import MetricKind
from ..policies.facts import MetricsFact
from .observed import Observation, Seen

# What says something of the version's own quality; baselines are what monitoring compares with.
MEASURED = (
    ReportKind.BIAS,
    ReportKind.BIAS_PRE_TRAINING,
    ReportKind.BIAS_POST_TRAINING,
    ReportKind.EXPLAINABILITY,
    ReportKind.MODEL_QUALITY,
)
_ALTERED = ~Q(expected_sha256="") & ~Q(sha256="") & ~Q(sha256=F("expected_sha256"))


@dataclass
class Reports:
    """The reports of several versions, read at once when the first of them is asked about."""

    versions: Iterable[int] = ()
    _known: dict[int, list[VersionReport]] = field(default_factory=dict)

    def of(self, version: ModelVersion) -> Sequence[VersionReport]:
        """Return the readable reports a version points at, which rules may rest on."""
        if version.pk not in self._known:
            wanted = {*self.versions, version.pk}
            self._known |= {pk: [] for pk in wanted}
            rows = VersionReport.objects.filter(version__in=wanted, replaced_at=None, problem="", kind__in=MEASURED)
            for row in rows.order_by("pk"):
                self._known[row.version_id].append(row)
        return self._known[version.pk]


def report_unreadable(now: datetime, only: Collection[int] | None = None) -> Seen:
    """Reports a version points at that cannot be read, or are not what it says they are; one finding for each kind.

    That S3 was not reached is told by the pass, not here: nobody can say of those what they are, so they stay.
    """
    rows = VersionReport.objects.filter(
        ~Q(problem="") | _ALTERED, replaced_at=None, version__missing_since=None
    ).exclude(version__status=Status.RETIRED)
    if only is not None:
        rows = rows.filter(version__in=list(only))
    rows = (
        rows.select_related("version__group__account")
        .defer("content", *(f"version__{name}" for name in HEAVY))
        .order_by("pk")
    )
    seen = [(row, _observation(row)) for row in rows]
    unsure = [one.key for row, one in seen if row.problem == "unreachable"]
    return Seen(tuple(one for row, one in seen if row.problem != "unreachable"), unsure=frozenset(unsure))


def facts(reports: Iterable[VersionReport]) -> Iterator[MetricsFact]:
    """Yield what readable reports say, in the paths that metric rules are written in.

    `bias.post_training.DI[gender]` and `bias.pre_training.CI[age=25]`; `explainability.kernel_shap[income]`;
    `model_quality.auc`. Each part of a facet and each label is a report of its own: a rule must hold in all of them.
    """
    for row in reports:
        if row.counts and row.kind in MEASURED:
            for values, where in _said(ReportKind(row.kind), row.content or {}):
                yield MetricsFact(MetricKind.VALIDATION, values, row.written_at, where, is_of_file=True)


def _said(kind: ReportKind, content: Mapping[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    if kind is ReportKind.EXPLAINABILITY:
        yield from _explained(content)
    elif kind is ReportKind.MODEL_QUALITY:
        for quality in model_quality.parse(content):
            values = {metric.name: metric.value for metric in quality.metrics}
            yield {"model_quality": values}, "the model quality statistics"
    else:
        yield from _biased(kind, content)


def _biased(kind: ReportKind, content: Mapping[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    for part in bias.parse(content):
        # A package may point at one file as two reports: each is asked for its own phase.
        if kind.value.endswith("training") and kind.value != f"bias_{part.phase}":
            continue
        names = [part.facet, f"{part.facet}={part.part}"] if part.part else [part.facet]
        values = {metric.code: dict.fromkeys(names, metric.value) for metric in part.metrics}
        about = ", ".join(filter(None, (f"{part.facet} {part.part}".strip(), part.label)))
        yield {"bias": {part.phase.value: values}}, f"the bias report ({about})"


def _explained(content: Mapping[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    for explanation in explainability.parse(content):
        values = {one.feature: one.value for one in explanation.attributions}
        about = f" ({explanation.label})" if explanation.label else ""
        yield {"explainability": {explanation.method: values}}, f"the explainability report{about}"


def _observation(row: VersionReport) -> Observation:
    kind = ReportKind(row.kind)
    return Observation(
        row.version,
        f"{row.version.name}: {kind.label} at {row.address}. {row.trouble}",
        {"report": kind.value, "address": row.address, "problem": row.problem or "altered"},
        mark=kind.value,
    )
