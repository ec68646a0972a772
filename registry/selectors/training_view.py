"""How a version was trained, for people: checks in words, tables, who labeled the data; "not known" where absent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from portal.core.figures import Bar, Bars, Part

from ..models import LabelingJob, ModelVersion, TrainingProvenance
from ..training import algorithms
from ..training.algorithms import Algorithm

_SOURCES = {
    "version": "the version itself names it in SageMaker",
    "card": "the model card names it",
    "pipeline": "it is the one the pipeline run had that registered the version",
    "artifact": "the version's artifact is the one it wrote",
}
_TONES = {"Completed": "good", "Failed": "bad", "Stopped": "warn", "InProgress": "busy", "Stopping": "busy"}
_ICONS = {"Completed": "circle-check", "Failed": "alert-triangle", "Stopped": "ban"}


@dataclass(frozen=True)
class TrainingView:
    """What the page of a version says of its training; `row` is None while nobody looked."""

    version: ModelVersion
    row: TrainingProvenance | None
    algorithm: Algorithm
    image: str
    image_is_of_job: bool

    @property
    def is_known(self) -> bool:
        """Whether a training job of it is known."""
        return self.row is not None and bool(self.row.job_arn)

    @property
    def found_by(self) -> str:
        """How the job was found, in words."""
        return _SOURCES.get(self.row.source, "") if self.row else ""

    @property
    def algorithm_name(self) -> str:
        """What trained it: recognised from the image, or as the job names it; "" where nobody knows."""
        return self.algorithm.name or (self.row.algorithm if self.row else "")

    @property
    def tone(self) -> str:
        """How the job's state is coloured."""
        return _TONES.get(self.row.status, "mute") if self.row else "mute"

    @property
    def state_icon(self) -> str:
        """The state's icon."""
        return _ICONS.get(self.row.status, "clock") if self.row else "clock"

    @property
    def hyperparameters(self) -> list[tuple[str, str]]:
        """Name and value, by name."""
        return sorted(self.row.hyperparameters.items()) if self.row else []

    @property
    def named(self) -> str:
        """One of its final metrics, for an example of a rule."""
        return str(self.row.metrics[0].get("name") or "validation:auc") if self.row and self.row.metrics else "loss"

    @property
    def checks(self) -> list[dict[str, str]]:
        """Isolation, encryption and network as checks; what AWS did not say is missing, never off."""
        if self.row is None or not self.row.job_arn:
            return []
        row = self.row
        return [
            _flag(
                row.network_isolation,
                "Network isolation",
                "The training could reach nothing outside, and nothing could leave it.",
                "The training could reach other systems over the network.",
            ),
            _flag(
                row.traffic_encryption,
                "Traffic between instances encrypted",
                "What instances told each other was encrypted.",
                "One instance trained, so nothing travelled between instances."
                if row.instance_count == 1
                else "What instances told each other was not encrypted.",
                is_needed=row.instance_count != 1,
            ),
            _key(row.volume_key, "Disk encrypted with a key of your own"),
            _key(row.output_key, "Output encrypted with a key of your own"),
            {
                "state": "pass" if _subnets(row.vpc) else "fail",
                "words": "Yes" if _subnets(row.vpc) else "No",
                "label": "In your own network (VPC)",
                "detail": _network(row.vpc or {}) if _subnets(row.vpc) else "It ran in SageMaker's network.",
            },
        ]

    @property
    def labels(self) -> Bars | None:
        """Who labeled the data, as one bar; None where no labeling job is known or it says no counts."""
        return _labels(self.row.labeling) if self.row and self.row.labeling else None


def view_of(version: ModelVersion) -> TrainingView:
    """Return how a version was trained, as it was read last."""
    row = TrainingProvenance.objects.filter(version=version).select_related("labeling").first()
    of_job = bool(row and row.image)
    image = row.image if row and row.image else _image(version.containers)
    return TrainingView(version, row, algorithms.recognise(image), image, of_job)


def beside(versions: Iterable[ModelVersion]) -> dict[int, TrainingProvenance]:
    """Return how several versions were trained, by the version; one without a known job is left out."""
    rows = TrainingProvenance.objects.filter(version__in=[one.pk for one in versions]).exclude(job_arn="")
    return {row.version_id: row for row in rows}


def _image(containers: Any) -> str:
    first = containers[0] if isinstance(containers, list) and containers else {}
    return str(first.get("image") or "") if isinstance(first, dict) else ""


def _flag(value: bool | None, label: str, on: str, off: str, *, is_needed: bool = True) -> dict[str, str]:
    if value is None:
        return {"state": "missing", "words": "Not reported", "label": label, "detail": "SageMaker does not say."}
    state = "pass" if value else "fail" if is_needed else "not_applicable"
    words = "On" if value else "Off" if is_needed else "Not needed"
    return {"state": state, "words": words, "label": label, "detail": on if value else off}


def _key(key: str, label: str) -> dict[str, str]:
    if key:
        return {"state": "pass", "words": "Yes", "label": label, "detail": key}
    return {"state": "fail", "words": "No", "label": label, "detail": "No key was named, so AWS's own applies."}


def _subnets(vpc: dict[str, Any] | None) -> bool:
    # A network of no subnets is none.
    return bool((vpc or {}).get("subnets"))


def _network(vpc: dict[str, Any]) -> str:
    subnets, groups = vpc.get("subnets") or [], vpc.get("security_groups") or []
    return f"Subnets {', '.join(map(str, subnets)) or 'none'}; security groups {', '.join(map(str, groups)) or 'none'}."


def _labels(job: LabelingJob) -> Bars | None:
    # The total is people's and the machine's together, so only the parts are drawn.
    parts = (
        ("By people", job.human, "good"),
        ("By machine", job.machine, "live"),
        ("Failed", job.failed, "bad"),
        ("Not labeled", job.unlabeled, "mute"),
    )
    told = tuple(Part(label, count, tone=tone) for label, count, tone in parts if count is not None)
    return Bars((Bar("Objects", told),), "Labeled") if told else None
