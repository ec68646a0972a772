"""What is known of where versions come from: by SageMaker's lineage, by their own description, by their MLflow run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from portal.core.vocabulary import Provenance
from registry.lineage import facts
from registry.models import ModelVersion, RunReading

from ..policies.facts import ProvenanceFact

_COLUMNS = (
    "pk",
    "training_job_arn",
    "described__MetadataProperties",
    "aws_lineage__facts",
    "aws_lineage__read_at",
    "aws_lineage__problem",
    "training__job_name",
    "training__network_isolation",
    "training__problem",
    "training__tried_at",
)
DESCRIBED, LINEAGE, TRAINING = "the version in SageMaker", "SageMaker's lineage", "its training job in SageMaker"


@dataclass(frozen=True)
class Isolation:
    """What the training job of a version says of its network isolation; `is_on` None: it does not, or none is known."""

    job: str
    is_on: bool | None
    problem: str
    is_read: bool

    @property
    def why_not(self) -> str:
        """Why nobody can say that it was on, in words; "" where it was."""
        if self.is_on:
            return ""
        if self.is_on is False:
            return f"The training job {self.job} ran without network isolation."
        if not self.is_read:
            return "How it was trained is not read yet."
        return f"How it was trained is not known. {self.problem or 'No training job of it is known.'}"


@dataclass(frozen=True)
class Known:
    """What two sources say of one version, and when the lineage was read; None: never."""

    described: facts.Facts
    lineage: facts.Facts
    read_at: datetime | None
    problem: str
    training: Isolation

    @property
    def unread(self) -> str:
        """Why the lineage is not known, in words; "" where SageMaker was asked and answered."""
        if self.read_at is not None:
            return ""
        return f"Its lineage could not be read: {self.problem}" if self.problem else "Its lineage is not read yet."


@dataclass
class Provenances:
    """What is known of several versions, read at once when the first of them is asked about."""

    versions: Iterable[int] = ()
    _known: dict[int, Known] = field(default_factory=dict)

    def of(self, version: ModelVersion) -> Known:
        """Return what is known of a version."""
        if version.pk not in self._known:
            rows = ModelVersion.objects.filter(pk__in={*self.versions, version.pk}).values(*_COLUMNS)
            self._known |= {row["pk"]: _known(row) for row in rows}
        return self._known[version.pk]


def _known(row: Mapping[str, Any]) -> Known:
    return Known(
        described=facts.of_description(
            {"MetadataProperties": row["described__MetadataProperties"]}, row["training_job_arn"]
        ),
        lineage=facts.from_json(row["aws_lineage__facts"] or {}),
        read_at=row["aws_lineage__read_at"],
        problem=row["aws_lineage__problem"] or "",
        training=Isolation(
            job=row["training__job_name"] or "",
            is_on=row["training__network_isolation"],
            problem=row["training__problem"] or "",
            is_read=row["training__tried_at"] is not None,
        ),
    )


def provenance_of(known: Known, reading: RunReading | None) -> Iterator[ProvenanceFact]:
    """Yield what is known, each with who says so. What a model card claims is not among it: nobody checked that."""
    for found, source in ((known.described, DESCRIBED), (known.lineage, LINEAGE)):
        for kind, references in found.items():
            for reference in references:
                yield ProvenanceFact(kind, reference, source)
    if known.training.is_on:
        yield ProvenanceFact(Provenance.NETWORK_ISOLATION, known.training.job, TRAINING)
    if reading is not None and reading.git_commit:
        source = f"the MLflow run {reading.name or reading.run.run_id}"
        yield ProvenanceFact(Provenance.CODE_COMMIT, reading.git_commit, source)
