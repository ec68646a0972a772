"""What a subject has to show for itself: evidence and metrics, frozen for the policy to judge."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from portal.core.templatetags.palette import plain_words
from portal.core.vocabulary import EvidenceKind, Stage
from registry.models import ModelVersion, UseCase, VersionReport
from registry.services import cards, digests
from registry.services.report_files import LONGEST_ADDRESS

from ..choices import MetricKind
from ..lifecycle import MODEL_STAGES
from ..models import StageRecord
from ..policies.facts import EvidenceFact, MetricsFact, SubjectFacts
from ..policies.metrics import has_number
from . import reports
from .gathered import Gathered, gather
from .provenance import measured_in_training, provenance_of

# Where ModelMetrics of a model package points at a report SageMaker Clarify wrote. Source: DescribeModelPackage.
_REPORTS = {
    EvidenceKind.BIAS_REPORT: ("Bias", "bias"),
    EvidenceKind.EXPLAINABILITY_REPORT: ("Explainability", "explainability"),
}


def facts_of(
    subject: UseCase | ModelVersion,
    stage: Stage,
    known: Gathered | None = None,
    *,
    with_provenance: bool = False,
    with_files: bool = False,
    with_quality: bool = False,
    with_training: bool = False,
) -> SubjectFacts:
    """Return what a subject has to show at a stage: its own content, what was reported, what was uploaded.

    Metrics are those of the stage, or else of the latest earlier stage that has any. `known` is what was read before.
    Where a version comes from, what files of SageMaker's jobs and what its training job say, is told only when asked
    for. With `with_quality` SageMaker's model quality stands in for validation metrics nobody reported.
    """
    known = known or gather([subject])
    if isinstance(subject, UseCase):
        return SubjectFacts(evidence=(*_documents(known, subject), *_uploaded(known, subject)))
    records = _records_up_to(known, subject, stage)
    origin = known.provenances.of(subject) if with_provenance else None
    quality = known.reports.quality_of(subject) if with_quality and "ModelQuality" in subject.metric_sources else ()
    return SubjectFacts(
        evidence=(
            *_card(subject),
            *_reports(known, subject),
            *_validation(records),
            *_measured(quality),
            *_uploaded(known, subject),
        ),
        metrics=(
            *(fact for kind in MetricKind for fact in _metrics(records, kind)),
            *_run(known, subject),
            *(reports.facts(known.reports.of(subject)) if with_files else ()),
            *reports.bare_facts(quality),
            *(measured_in_training(known.provenances.of(subject)) if with_training else ()),
        ),
        provenance=tuple(provenance_of(origin, known.reading_of(subject))) if origin else (),
        unread=origin.unread if origin else "",
        isolation=origin.training.why_not if origin else "",
        isolation_off=origin is not None and origin.training.is_on is False,
        licence=origin.licence.why_not if origin else "",
        licence_refused=origin is not None and origin.licence.is_accepted is False,
        unreadable=tuple(_unreadable(known, subject)) if with_files else (),
    )


def _documents(known: Gathered, use_case: UseCase) -> Iterator[EvidenceFact]:
    for document in known.documents_of(use_case):
        if document.text.strip():
            yield EvidenceFact(
                EvidenceKind(document.kind),
                f"Written by {document.author} on {document.written_at:%Y-%m-%d}",
                hashlib.sha256(document.text.encode()).hexdigest(),
            )


def _card(version: ModelVersion) -> Iterator[EvidenceFact]:
    # A card that breaks SageMaker's schema shows nothing: whoever reads it elsewhere would read something else.
    if version.card and not cards.problems_of(version.card):
        status = f", {plain_words(version.card_status).lower()}" if version.card_status else ""
        yield EvidenceFact(EvidenceKind.MODEL_CARD, f"The card in SageMaker{status}", _sha256(version.card))


def _reports(known: Gathered, version: ModelVersion) -> Iterator[EvidenceFact]:
    for kind, (section, about) in _REPORTS.items():
        pointers = version.metric_sources.get(section)
        for report in pointers.values() if isinstance(pointers, Mapping) else ():
            uri = report.get("S3Uri") if isinstance(report, Mapping) else None
            if isinstance(uri, str) and uri.strip():
                content_digest = str(report.get("ContentDigest") or "")
                yield EvidenceFact(
                    kind,
                    uri.strip(),
                    content_digest.removeprefix("sha256:").lower(),
                    # Pointed at is not shown: what could not be read, or is another file, is no evidence.
                    known.reports.troubles_of(version).get((about, uri.strip()[:LONGEST_ADDRESS]), ""),
                )


def _measured(quality: Iterable[VersionReport]) -> Iterator[EvidenceFact]:
    for row in quality:
        if any(has_number(fact.values) for fact in reports.bare_facts([row])):
            yield EvidenceFact(
                EvidenceKind.VALIDATION_METRICS, f"SageMaker's model quality statistics at {row.address}", row.sha256
            )


def _unreadable(known: Gathered, version: ModelVersion) -> Iterator[tuple[str, str]]:
    for (about, address), trouble in known.reports.troubles_of(version).items():
        yield about, f"The report at {address} cannot be relied on: {trouble}"


def _uploaded(known: Gathered, subject: UseCase | ModelVersion) -> Iterator[EvidenceFact]:
    for row in known.evidence_of(subject):
        yield EvidenceFact(EvidenceKind(row.kind), f"{row.public_id} {row.title}", row.sha256)


def _records_up_to(known: Gathered, version: ModelVersion, stage: Stage) -> list[list[StageRecord]]:
    """Return the records of a stage and of those before it, by stage, the latest first."""
    reached = MODEL_STAGES[: MODEL_STAGES.index(stage) + 1] if stage in MODEL_STAGES else MODEL_STAGES
    found = known.records_of(version)
    return [[record for record in found if record.stage == one] for one in reversed(reached)]


def _reported(records: Iterable[Sequence[StageRecord]], kind: MetricKind) -> Sequence[StageRecord]:
    """Return the records of the latest stage where any has metrics of this kind."""
    for of_stage in records:
        if any(has_number(_values(record, kind)) for record in of_stage):
            return of_stage
    return ()


def _validation(records: Iterable[Sequence[StageRecord]]) -> Iterator[EvidenceFact]:
    for record in _reported(records, MetricKind.VALIDATION):
        if has_number(record.validation_metrics):
            source = f", from {record.validation_source}" if record.validation_source else ""
            yield EvidenceFact(
                EvidenceKind.VALIDATION_METRICS,
                f"Reported in {_where(record)}{source}",
                _sha256(record.validation_metrics),
            )


def _metrics(records: Iterable[Sequence[StageRecord]], kind: MetricKind) -> Iterator[MetricsFact]:
    """A stage that runs in several accounts is awaited in each: what one of them owes is not made up for by another."""
    for record in _reported(records, kind):
        captured = getattr(record, f"{kind}_captured_at")
        # What was measured while it ran is of one endpoint, which whoever decides is told.
        at = f" at {record.monitoring_endpoint}" if kind is MetricKind.MONITORING and record.monitoring_endpoint else ""
        yield MetricsFact(kind, _values(record, kind) or {}, captured, f"{_where(record)}{at}")


def _run(known: Gathered, version: ModelVersion) -> Iterator[MetricsFact]:
    """The numbers of the MLflow run it comes from, once the run is over and as long as it is not deleted.

    They are as old as the newest of them; a time in the future, which whoever logs may give, is when they were read.
    """
    reading = known.reading_of(version)
    if reading is not None and reading.is_final and reading.metrics:
        measured = reading.measured_at or reading.ended_at
        captured = min(measured, reading.read_at) if measured is not None else None
        name = reading.name or reading.run.run_id
        yield MetricsFact(MetricKind.VALIDATION, reading.metrics, captured, f"the MLflow run {name}", is_of_run=True)


def _values(record: StageRecord, kind: MetricKind) -> Any:
    return getattr(record, f"{kind}_metrics")


def _where(record: StageRecord) -> str:
    stage = Stage(record.stage).label
    return f"{stage} ({record.account.alias})" if record.account else stage


def _sha256(content: Any) -> str:
    return hashlib.sha256(digests.canonical(content)).hexdigest()
