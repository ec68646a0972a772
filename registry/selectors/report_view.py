"""What a version's reports say, for people: bias by facet, features by weight, quality, baselines, their sources."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from portal.core.figures import Cell, Heat
from portal.core.plots import Plot, Weight, Weights

from ..models import ModelVersion, VersionReport
from ..reports import bias, data_quality, explainability, kinds, model_quality
from ..reports.bias_words import Convention, Meaning, Verdict, meaning_of, verdict_of
from ..reports.kinds import Pointer, ReportKind
from ..reports.model_quality import ModelQuality
from .report_tables import ReportTable, limit_words, table_of

_MOST_FEATURES = 20
_MOST_CLASSES = 12
_MOST_METHODS = 5
_ACRONYMS = frozenset({"auc", "f1", "mae", "mse", "rmse", "r2"})
_BIAS = (ReportKind.BIAS, ReportKind.BIAS_PRE_TRAINING, ReportKind.BIAS_POST_TRAINING)
_TONES = {
    Verdict.WITHIN: ("Within what is usual", "good", "circle-check"),
    Verdict.OUTSIDE: ("Outside what is usual", "bad", "alert-triangle"),
    Verdict.UNKNOWN: ("No usual limits known", "mute", "point"),
    Verdict.NOT_REPORTED: ("Not reported", "mute", "circle-minus"),
}


@dataclass(frozen=True)
class Said:
    """What one report says; empty where it speaks of something else, or was never read."""

    parts: tuple[BiasPart, ...] = ()
    explanations: tuple[explainability.Explanation, ...] = ()
    qualities: tuple[ModelQuality, ...] = ()


@dataclass(frozen=True)
class Source:
    """One report a version points at and what was read of it; `row` is None for one not read yet."""

    pointer: Pointer
    row: VersionReport | None

    @property
    def trouble(self) -> str:
        """What is wrong with it, as a sentence for people; "" for nothing, and for one not read yet."""
        return self.row.trouble if self.row else ""

    @property
    def holds(self) -> str:
        """In a few words what it says, for one that nothing else on the page shows."""
        return _held(self.pointer.kind, self._content)

    @property
    def table(self) -> ReportTable | None:
        """What it holds that nothing else on the page shows, as a table."""
        return table_of(self.pointer.kind, self._content)

    @property
    def untold(self) -> tuple[str, ...]:
        """What the report holds beside what the page shows of it, a sentence each: nothing is left out unsaid."""
        return tuple(_untold(self.pointer.kind, self._content))

    @property
    def _content(self) -> Mapping[str, Any]:
        return (self.row.content if self.row else None) or {}

    def said(self) -> Said:
        """Return what it says of bias, features and quality, as it was read last."""
        kind, content = self.pointer.kind.value.removeprefix("baseline_"), self._content
        if kind == "explainability":
            return Said(explanations=explainability.parse(content))
        if kind == "model_quality":
            return Said(qualities=model_quality.parse(content))
        return Said(parts=tuple(map(_part, _of_phase(kind, content)))) if kind.startswith("bias") else Said()


@dataclass(frozen=True)
class BiasRow:
    """One metric of one part of a facet, against what is usual for it."""

    code: str
    meaning: Meaning | None
    description: str
    value: float | None
    note: str
    verdict: Verdict

    @property
    def leaning(self) -> str:
        """Which way the value leans, in words; "" for none, and for a metric that is not known."""
        return self.meaning.leaning(self.value) if self.meaning else ""

    @property
    def look(self) -> tuple[str, str, str]:
        """The verdict in words, its tone and its icon."""
        return _TONES[self.verdict]


@dataclass(frozen=True)
class BiasPart:
    """What was measured for one part of a facet."""

    phase: bias.Phase
    facet: str
    part: str
    about: str
    rows: tuple[BiasRow, ...]

    @property
    def outside(self) -> int:
        """How many of its metrics lie outside what is usual."""
        return sum(row.verdict is Verdict.OUTSIDE for row in self.rows)


@dataclass(frozen=True)
class Explained:
    """The features of one label by one method."""

    title: str
    expected: float | None
    weights: Weights
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Quality:
    """How well the model predicts, with its limits where a constraints file sets some."""

    said: ModelQuality
    rows: tuple[tuple[str, float | None, str, float | None, str], ...]
    confusion: Heat | None
    plots: tuple[Plot, ...]


@dataclass(frozen=True)
class ReportView:
    """Everything the reports of a version say; `read_at` is when the portal looked at them last, None: never."""

    sources: tuple[Source, ...]
    parts: tuple[BiasPart, ...]
    explained: tuple[Explained, ...]
    qualities: tuple[Quality, ...]

    @property
    def read_at(self) -> datetime | None:
        """When the portal looked at any of them last."""
        return max((source.row.read_at for source in self.sources if source.row), default=None)

    @property
    def conventions(self) -> list[Convention]:
        """Whose limits are shown, each once."""
        rows = (row for part in self.parts for row in part.rows if row.meaning)
        return sorted({row.meaning.convention for row in rows if row.meaning}, key=list(Convention).index)

    @property
    def troubled(self) -> list[Source]:
        """Those that cannot be read, or are not what was registered."""
        return [source for source in self.sources if source.trouble]

    @property
    def baselines(self) -> list[Source]:
        """What monitoring compares with."""
        return [source for source in self.sources if source.pointer.kind.is_baseline]

    @property
    def own(self) -> list[Source]:
        """Reports about the version itself."""
        return [source for source in self.sources if not source.pointer.kind.is_baseline]


def reports_of(version: ModelVersion) -> list[VersionReport]:
    """Return what was read of the reports a version points at now, by kind."""
    return list(VersionReport.objects.filter(version=version, replaced_at=None).order_by("kind", "pk"))


def view_of(version: ModelVersion) -> ReportView:
    """Return what a version's reports say, with those it points at that were not read yet; one query."""
    rows = {(row.kind, row.address): row for row in reports_of(version)}
    sources = tuple(
        Source(pointer, rows.get((pointer.kind.value, pointer.address)))
        for pointer in kinds.pointers(version.metric_sources, version.drift_baselines)
    )
    return ReportView(
        sources=sources,
        parts=tuple(map(_part, dict.fromkeys(_parts(sources)))),
        explained=tuple(
            _explained(one)
            for content in _contents(sources, ReportKind.EXPLAINABILITY)
            for one in explainability.parse(content)
        ),
        qualities=tuple(_qualities(sources)),
    )


def _contents(sources: Iterable[Source], *wanted: ReportKind) -> Iterator[Mapping[str, Any]]:
    for source in sources:
        if source.pointer.kind in wanted and source.row is not None and source.row.content is not None:
            yield source.row.content


def _parts(sources: Sequence[Source]) -> Iterator[bias.FacetPart]:
    for kind in _BIAS:
        for content in _contents(sources, kind):
            yield from _of_phase(kind.value, content)


def _of_phase(kind: str, content: Mapping[str, Any]) -> Iterator[bias.FacetPart]:
    """A package may point at one file as two reports: each stands for its own phase."""
    return (part for part in bias.parse(content) if kind in ("bias", f"bias_{part.phase}"))


def _part(found: bias.FacetPart) -> BiasPart:
    label = f"{found.label} = {found.label_value}" if found.label and found.label_value else found.label
    return BiasPart(
        found.phase,
        found.facet,
        found.part,
        label,
        tuple(
            BiasRow(
                one.code, meaning_of(one.code), one.description, one.value, one.note, verdict_of(one.code, one.value)
            )
            for one in found.metrics
        ),
    )


def _explained(one: explainability.Explanation) -> Explained:
    method = one.method.replace("_", " ").replace("shap", "SHAP")
    shown = one.attributions[:_MOST_FEATURES]
    return Explained(
        f"{method[:1].upper()}{method[1:]}{f', {one.label}' if one.label else ''}",
        one.expected,
        Weights(
            tuple(Weight(attribution.feature, attribution.value) for attribution in shown),
            "Feature",
            "Mean weight in the prediction",
            tuple(Weight(attribution.feature, attribution.value) for attribution in one.attributions[_MOST_FEATURES:]),
        ),
        tuple(f"{attribution.feature}: {attribution.note}" for attribution in one.attributions if attribution.note),
    )


def _qualities(sources: Sequence[Source]) -> Iterator[Quality]:
    limits = {
        limit.name: limit
        for content in _contents(
            sources, ReportKind.BASELINE_MODEL_QUALITY_CONSTRAINTS, ReportKind.MODEL_QUALITY_CONSTRAINTS
        )
        for limit in model_quality.limits(content)
    }
    for content in _contents(sources, ReportKind.MODEL_QUALITY):
        for said in model_quality.parse(content):
            rows = tuple(
                (_measure(one.name), one.value, one.note, one.deviation, limit_words(limits.get(one.name)))
                for one in said.metrics
            )
            yield Quality(said, rows, _heat(said), tuple(map(_plot, said.curves)))


def _measure(name: str) -> str:
    words = [word.upper() if word in _ACRONYMS else word for word in name.split("_")]
    return " ".join([words[0][:1].upper() + words[0][1:], *words[1:]])


def _heat(said: ModelQuality) -> Heat | None:
    if said.confusion is None or len(said.confusion.classes) > _MOST_CLASSES:
        return None
    rows = zip(said.confusion.classes, said.confusion.counts, strict=True)
    return Heat(
        tuple(f"Predicted {one}" for one in said.confusion.classes),
        tuple((Cell(f"Truly {true}"), *(Cell(_whole(count)) for count in counts)) for true, counts in rows),
        "Class",
    )


def _whole(count: float | None) -> float | None:
    return int(count) if isinstance(count, float) and count.is_integer() else count


def _plot(curve: model_quality.Curve) -> Plot:
    return Plot(curve.name, curve.x_name, curve.y_name, curve.points, diagonal=curve.name == "ROC curve")


def _untold(kind: ReportKind, content: Mapping[str, Any]) -> Iterator[str]:
    name = kind.value.removeprefix("baseline_")
    if name.startswith("bias") and name != "bias_config":
        left = bias.left_out(content)
        if left:
            yield f"{left} of its values stand in places where no facet is; they are not shown."
    elif name == "explainability":
        methods = explainability.others(content)
        if methods:
            yield f"It also has {', '.join(methods[:_MOST_METHODS])}, which no weight of a feature is; not shown here."
    elif name == "data_quality" and content:
        yield "The distributions behind these numbers stay in S3."
    elif name == "model_quality":
        for said in model_quality.parse(content):
            yield from said.untold
            if said.confusion is not None and len(said.confusion.classes) > _MOST_CLASSES:
                yield f"Its confusion matrix has {len(said.confusion.classes)} classes, too many to draw."


def _held(kind: ReportKind, content: Mapping[str, Any]) -> str:
    if not content:
        return ""
    name = kind.value.removeprefix("baseline_")
    if name in ("data_quality", "data_quality_constraints"):
        return f"{len(data_quality.constraints(content))} columns"
    if name == "model_quality_constraints":
        return f"{len(model_quality.limits(content))} limits"
    if name == "model_quality":
        return f"{sum(len(one.metrics) for one in model_quality.parse(content))} measures"
    if name == "explainability":
        return f"{sum(len(one.attributions) for one in explainability.parse(content))} features"
    if name.startswith("bias") and name != "bias_config":
        found = bias.parse(content)
        return f"{sum(len(part.metrics) for part in found)} metrics of {len({part.facet for part in found})} facets"
    return "settings"
