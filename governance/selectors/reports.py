"""What a version's reports say to policy, and which of them cannot be read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import F, Q

from portal.core.vocabulary import Status
from registry.models import ModelVersion, VersionReport
from registry.reports import bias, bias_words, explainability, model_quality
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
# So many of them stand beside each other when versions are compared.
_MOST_FEATURES = 30
_QUALITY = "the model quality statistics"
_ALTERED = ~Q(expected_sha256="") & ~Q(sha256="") & ~Q(sha256=F("expected_sha256"))


@dataclass
class Reports:
    """The reports of several versions, read at once when the first of them is asked about."""

    versions: Iterable[int] = ()
    _known: dict[int, list[VersionReport]] = field(default_factory=dict)
    _quality: dict[int, list[VersionReport]] = field(default_factory=dict)
    _troubles: dict[int, dict[tuple[str, str], str]] = field(default_factory=dict)

    def of(self, version: ModelVersion) -> Sequence[VersionReport]:
        """Return the readable reports a version points at, which rules may rest on."""
        return self._of(version, self._known, MEASURED)

    def quality_of(self, version: ModelVersion) -> Sequence[VersionReport]:
        """Return those of them that say how well it predicts; the others, which are large, are left unread."""
        if version.pk in self._known:
            return [row for row in self._known[version.pk] if row.kind == ReportKind.MODEL_QUALITY]
        return self._of(version, self._quality, (ReportKind.MODEL_QUALITY,))

    def troubles_of(self, version: ModelVersion) -> Mapping[tuple[str, str], str]:
        """Return why reports a version points at cannot be relied on, by what they are about ("bias") and address."""
        if version.pk not in self._troubles:
            wanted = {*self.versions, version.pk}
            self._troubles |= {pk: {} for pk in wanted}
            rows = VersionReport.objects.filter(
                ~Q(problem="") | _ALTERED, version__in=wanted, replaced_at=None, kind__in=MEASURED
            )
            for row in rows.defer("content").order_by("pk"):
                self._troubles[row.version_id][about(row.kind), row.address] = row.trouble
        return self._troubles[version.pk]

    def told(self, troubled: Mapping[int, Iterable[VersionReport]]) -> None:
        """Take what was read elsewhere of the reports that cannot be relied on, by version."""
        for version, rows in troubled.items():
            self._troubles[version] = {(about(row.kind), row.address): row.trouble for row in rows}

    def _of(
        self, version: ModelVersion, known: dict[int, list[VersionReport]], kinds: Sequence[ReportKind]
    ) -> Sequence[VersionReport]:
        if version.pk not in known:
            wanted = {*self.versions, version.pk}
            known |= {pk: [] for pk in wanted}
            rows = VersionReport.objects.filter(version__in=wanted, replaced_at=None, problem="", kind__in=kinds)
            for row in rows.order_by("pk"):
                known[row.version_id].append(row)
        return known[version.pk]


def about(kind: str) -> str:
    """Return the first word of the paths of what a report says: "bias", "explainability", "model_quality"."""
    return "bias" if kind.startswith("bias") else kind


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
                yield MetricsFact(MetricKind.VALIDATION, values, row.written_at, _dated(where, row), is_of_file=True)


def bare_facts(reports: Iterable[VersionReport]) -> Iterator[MetricsFact]:
    """Yield the numbers of model quality under their bare names: validation metrics where nobody reported any."""
    for row in reports:
        if row.counts and row.kind == ReportKind.MODEL_QUALITY:
            for quality in model_quality.parse(row.content or {}):
                for values in _apart((metric.name, metric.value) for metric in quality.metrics):
                    yield MetricsFact(
                        MetricKind.VALIDATION,
                        values,
                        row.written_at,
                        _dated(_QUALITY, row),
                        is_of_file=True,
                        is_bare=True,
                    )


def _dated(where: str, row: VersionReport) -> str:
    return f"{where} of {row.written_at:%Y-%m-%d}" if row.written_at else where


def numbers_of_quality(reports: Iterable[VersionReport]) -> dict[str, Any]:
    """Return the numbers of model quality by their bare names, None for one that was not computed."""
    return {name: value for fact in reversed([*bare_facts(reports)]) for name, value in fact.values.items()}


def numbers_of_reports(reports: Iterable[VersionReport]) -> dict[str, Any]:
    """Return what reports of bias and explainability say, named for people; None: not computed.

    For several labels the label is named too. Of the features the weightiest are told.
    """
    found: dict[str, Any] = {}
    for row in reports:
        if not row.counts:
            continue
        if row.kind == ReportKind.EXPLAINABILITY:
            for one in explainability.parse(row.content or {}):
                method = one.method.replace("_", " ").replace("shap", "SHAP")
                for weight in one.attributions[:_MOST_FEATURES]:
                    _tell(found, f"Weight of {weight.feature} ({method})", one.label, weight.value)
        elif row.kind in MEASURED and row.kind != ReportKind.MODEL_QUALITY:
            for part in _parts(ReportKind(row.kind), row.content or {}):
                where = f"{part.phase.label.lower()}, {part.facet} {part.part}".strip()
                for metric in part.metrics:
                    _tell(found, f"{metric.code} {where}", part.label, metric.value)
    return found


def _tell(found: dict[str, Any], name: str, label: str, value: Any) -> None:
    """The first label goes unnamed, as most reports have one; the same number twice is told once."""
    if label and name in found and found[name] != value:
        name = f"{name}, {label}"
    found.setdefault(name, value)


def _parts(kind: ReportKind, content: Mapping[str, Any]) -> Iterator[bias.FacetPart]:
    """A package may point at one file as two reports: each is asked for its own phase."""
    return (
        part
        for part in bias.parse(content)
        if not kind.value.endswith("training") or kind.value == f"bias_{part.phase}"
    )


def _said(kind: ReportKind, content: Mapping[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    if kind is ReportKind.EXPLAINABILITY:
        yield from _explained(content)
    elif kind is ReportKind.MODEL_QUALITY:
        for quality in model_quality.parse(content):
            for values in _apart((metric.name, metric.value) for metric in quality.metrics):
                yield {"model_quality": values}, _QUALITY
    else:
        yield from _biased(kind, content)


def _biased(kind: ReportKind, content: Mapping[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    for part in _parts(kind, content):
        names = [part.facet, f"{part.facet}={part.part}"] if part.part else [part.facet]
        where = ", ".join(filter(None, (f"{part.facet} {part.part}".strip(), part.label)))
        for values in _apart((metric.code, metric.value) for metric in part.metrics):
            named = {code: dict.fromkeys(names, values[name]) for name in values for code in bias_words.names_of(name)}
            yield {"bias": {part.phase.value: named}}, f"the bias report ({where})"


def _explained(content: Mapping[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    for explanation in explainability.parse(content):
        where = f" ({explanation.label})" if explanation.label else ""
        for values in _apart((one.feature, one.value) for one in explanation.attributions):
            yield {"explainability": {explanation.method: values}}, f"the explainability report{where}"


def _apart(pairs: Iterable[tuple[str, Any]]) -> list[dict[str, Any]]:
    """Put what is named twice into a report of its own, so that no value stands behind another."""
    told: list[dict[str, Any]] = [{}]
    times: Counter[str] = Counter()
    for name, value in pairs:
        if times[name] == len(told):
            told.append({})
        told[times[name]][name] = value
        times[name] += 1
    return told


def _observation(row: VersionReport) -> Observation:
    kind = ReportKind(row.kind)
    return Observation(
        row.version,
        f"{row.version.name}: {kind.label} at {row.address}. {row.trouble}",
        {"report": kind.value, "address": row.address, "problem": row.problem or "altered"},
        mark=kind.value,
    )
