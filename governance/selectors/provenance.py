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
)
DESCRIBED, LINEAGE = "the version in SageMaker", "SageMaker's lineage"


@dataclass(frozen=True)
class Known:
    """What two sources say of one version, and when the lineage was read; None: never."""

    described: facts.Facts
    lineage: facts.Facts
    read_at: datetime | None
    problem: str

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
    )


def provenance_of(known: Known, reading: RunReading | None) -> Iterator[ProvenanceFact]:
    """Yield what is known, each with who says so. What a model card claims is not among it: nobody checked that."""
    for found, source in ((known.described, DESCRIBED), (known.lineage, LINEAGE)):
        for kind, references in found.items():
            for reference in references:
                yield ProvenanceFact(kind, reference, source)
    if reading is not None and reading.git_commit:
        source = f"the MLflow run {reading.name or reading.run.run_id}"
        yield ProvenanceFact(Provenance.CODE_COMMIT, reading.git_commit, source)
