"""What the portal holds about several subjects, read at once: the same number of queries however many there are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q

from portal.core.kept import Kept
from registry.models import ModelVersion, RunReading, UseCase, UseCaseDocument

from ..models import Evidence, StageRecord
from .provenance import Provenances
from .reports import Reports

Subject = UseCase | ModelVersion
_PROOFS = Kept(lambda version_id: Evidence.objects.filter(version=version_id).standing().order_by("pk"), int)


@dataclass(frozen=True)
class Gathered:
    """Stage records and MLflow runs of versions, documents of use cases and the evidence that counts, by their
    subjects' keys."""

    records: Mapping[int, Sequence[StageRecord]]
    documents: Mapping[int, Sequence[UseCaseDocument]]
    proofs: Mapping[tuple[type, int], Sequence[Evidence]]
    readings: Mapping[int, RunReading] = field(default_factory=dict)
    # Read when a policy asks for it, which most do not.
    provenances: Provenances = field(default_factory=Provenances)
    reports: Reports = field(default_factory=Reports)

    def records_of(self, version: ModelVersion) -> Sequence[StageRecord]:
        """Return a version's records, oldest first."""
        return self.records.get(version.pk, ())

    def reading_of(self, version: ModelVersion) -> RunReading | None:
        """Return what was read last of the MLflow run a version comes from, None for one without."""
        return self.readings.get(version.pk)

    def documents_of(self, use_case: UseCase) -> Sequence[UseCaseDocument]:
        """Return what is written of a use case's governance, in the order it was first written."""
        return self.documents.get(use_case.pk, ())

    def evidence_of(self, subject: Subject) -> Sequence[Evidence]:
        """Return the evidence that counts for a subject: latest editions that are not withdrawn, oldest first."""
        return self.proofs.get((type(subject), subject.pk), ())


def gather(subjects: Iterable[Subject], *, known: Sequence[StageRecord] | None = None) -> Gathered:
    """Read what decisions about these subjects rest on, beside the subjects themselves.

    `known` are the records of all the versions among them, with their accounts and in order, where they were read.
    """
    subjects = list(subjects)
    versions, use_cases = keys_of(subjects)
    records: dict[int, list[StageRecord]] = defaultdict(list)
    documents: dict[int, list[UseCaseDocument]] = defaultdict(list)
    proofs: dict[tuple[type, int], list[Evidence]] = defaultdict(list)
    if versions:
        for record in _records_of(versions) if known is None else known:
            records[record.version_id].append(record)
    if use_cases:
        found = UseCaseDocument.objects.filter(use_case__in=use_cases).select_related("author").order_by("pk")
        for document in found:
            documents[document.use_case_id].append(document)
    for row in _proofs_of(versions, use_cases):
        about: tuple[type, Any] = (UseCase, row.use_case_id)
        proofs[about if row.version_id is None else (ModelVersion, row.version_id)].append(row)
    return Gathered(records, documents, proofs, readings_of(subjects), Provenances(versions), Reports(versions))


def _records_of(versions: Sequence[int]) -> Iterable[StageRecord]:
    return StageRecord.objects.filter(version__in=versions).select_related("account").order_by("pk")


def _proofs_of(versions: Sequence[int], use_cases: Sequence[int]) -> Iterable[Evidence]:
    if not use_cases and len(versions) < 2:
        return _PROOFS.all(versions[0]) if versions else ()
    about = Q(version__in=versions) | Q(use_case__in=use_cases)
    return Evidence.objects.filter(about).standing().order_by("pk")


def readings_of(subjects: Sequence[Subject]) -> dict[int, RunReading]:
    """Return what was read last of the MLflow runs of the versions among some subjects, by the version's key.

    Most versions come from no run, and then nothing is read.
    """
    keys = {
        subject.run_reading_id: subject.pk
        for subject in subjects
        if isinstance(subject, ModelVersion) and subject.run_reading_id is not None
    }
    if not keys:
        return {}
    rows = RunReading.objects.filter(pk__in=keys).select_related("run__server")
    return {keys[row.pk]: row for row in rows}


def keys_of(subjects: Iterable[Subject]) -> tuple[list[int], list[int]]:
    """Return the keys of the versions and of the use cases among some subjects."""
    versions: list[int] = []
    use_cases: list[int] = []
    for subject in subjects:
        (versions if isinstance(subject, ModelVersion) else use_cases).append(subject.pk)
    return versions, use_cases
