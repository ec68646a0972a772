"""What is known of where versions come from: by SageMaker's lineage, by their own description, by their training job
and by their MLflow run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.utils.dateparse import parse_datetime

from portal.core.vocabulary import Provenance
from registry.choices import TrainingSource
from registry.lineage import facts
from registry.models import ModelVersion, RunReading

from ..choices import MetricKind
from ..policies.facts import MetricsFact, ProvenanceFact

_COLUMNS = (
    "pk",
    "training_job_arn",
    "described__MetadataProperties",
    "aws_lineage__facts",
    "aws_lineage__read_at",
    "aws_lineage__problem",
    *(
        f"training__{name}"
        for name in (
            "source",
            "job_arn",
            "job_name",
            "status",
            "ended_at",
            "inputs",
            "metrics",
            "network_isolation",
            "hub",
            "licence",
            "eula_accepted",
            "problem",
            "tried_at",
        )
    ),
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
class Licence:
    """What is known of the hub's model a version began with: `words` name it, "" where it began with none.

    `is_accepted` None: nobody says; `has_agreement` whether the hub names one; `is_known` whether SageMaker told of a
    training job or of the hub's model at all.
    """

    words: str
    licence: str
    is_accepted: bool | None
    has_agreement: bool
    is_known: bool
    unknown: str

    @property
    def holds(self) -> str:
        """Why nothing stands against it, in words; "" where something does, or nobody knows."""
        if not self.is_known:
            return ""
        if not self.words:
            return "No model of a hub, so no licence to accept"
        if self.is_accepted:
            return f"{self.words}: {self.licence or 'licence not reported'}, accepted"
        if self.is_accepted is None and self.licence and not self.has_agreement:
            return f"{self.words}: {self.licence}, which has no agreement to accept"
        return ""

    @property
    def why_not(self) -> str:
        """Why nobody can say that its licence was accepted, in words; "" where it was."""
        if self.holds:
            return ""
        if not self.is_known:
            return self.unknown
        if self.is_accepted is False:
            return f"The licence agreement of {self.words} was not accepted."
        return f"Whether the licence agreement of {self.words} was accepted is not reported."


@dataclass(frozen=True)
class Job:
    """The training job of a version as SageMaker described it; `arn` "" where none is known.

    `is_named_by_card`: only the model card says that it is this version's.
    """

    arn: str = ""
    name: str = ""
    is_named_by_card: bool = False
    data: tuple[str, ...] = ()
    metrics: Sequence[Mapping[str, Any]] = ()
    captured_at: datetime | None = None


@dataclass(frozen=True)
class Known:
    """What the sources say of one version, and when the lineage was read; None: never."""

    described: facts.Facts
    lineage: facts.Facts
    read_at: datetime | None
    problem: str
    training: Isolation
    licence: Licence
    job: Job

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
    isolation = Isolation(
        job=row["training__job_name"] or "",
        is_on=row["training__network_isolation"],
        problem=row["training__problem"] or "",
        is_read=row["training__tried_at"] is not None,
    )
    return Known(
        described=facts.of_description(
            {"MetadataProperties": row["described__MetadataProperties"]}, row["training_job_arn"]
        ),
        lineage=facts.from_json(row["aws_lineage__facts"] or {}),
        read_at=row["aws_lineage__read_at"],
        problem=row["aws_lineage__problem"] or "",
        training=isolation,
        licence=_licence(row, isolation),
        job=_job(row),
    )


def _licence(row: Mapping[str, Any], isolation: Isolation) -> Licence:
    hub = row["training__hub"] or {}
    words = str(hub.get("title") or hub.get("name") or hub.get("arn") or "")
    if not words and row["training__eula_accepted"] is not None:
        words = "the model it began with"
    return Licence(
        words=words,
        licence=row["training__licence"] or "",
        is_accepted=row["training__eula_accepted"],
        has_agreement=bool(hub.get("eula_uri")),
        is_known=bool(words or row["training__job_arn"]),
        unknown=replace(isolation, is_on=None).why_not,
    )


def _job(row: Mapping[str, Any]) -> Job:
    metrics = row["training__metrics"] or ()
    # What a job that runs says may still change, and one that failed made no model.
    final = metrics if row["training__status"] in ("Completed", "Stopped") else ()
    moments = [at for at in (parse_datetime(str(one.get("at") or "")) for one in final) if at is not None]
    return Job(
        arn=row["training__job_arn"] or "",
        name=row["training__job_name"] or "",
        is_named_by_card=row["training__source"] == TrainingSource.CARD,
        data=tuple(uri for one in row["training__inputs"] or () if (uri := one.get("uri"))),
        metrics=tuple(final),
        captured_at=max(moments, default=row["training__ended_at"]),
    )


def provenance_of(known: Known, reading: RunReading | None) -> Iterator[ProvenanceFact]:
    """Yield what is known, each with who says so. What a model card claims is not among it: nobody checked that."""
    for found, source in ((known.described, DESCRIBED), (known.lineage, LINEAGE)):
        for kind, references in found.items():
            for reference in references:
                yield ProvenanceFact(kind, reference, source)
    if known.job.arn and not known.job.is_named_by_card:
        yield ProvenanceFact(Provenance.TRAINING_JOB, known.job.arn, TRAINING)
        for uri in known.job.data:
            yield ProvenanceFact(Provenance.DATA_SET, uri, TRAINING)
    if known.licence.holds:
        yield ProvenanceFact(Provenance.LICENCE_ACCEPTED, known.licence.holds, TRAINING)
    if known.training.is_on:
        yield ProvenanceFact(Provenance.NETWORK_ISOLATION, known.training.job, TRAINING)
    if reading is not None and reading.git_commit:
        source = f"the MLflow run {reading.name or reading.run.run_id}"
        yield ProvenanceFact(Provenance.CODE_COMMIT, reading.git_commit, source)


def measured_in_training(known: Known) -> Iterator[MetricsFact]:
    """Yield the final metrics of a version's training job, as rules name them: `training.validation:auc`.

    The job says these of itself, so they count for the rules that ask for them by that name, and for no others.
    """
    if known.job.metrics:
        told = [{"name": one.get("name"), "value": one.get("value")} for one in known.job.metrics]
        where = f"the training job {known.job.name}"
        yield MetricsFact(MetricKind.VALIDATION, {"training": told}, known.job.captured_at, where, is_of_file=True)
