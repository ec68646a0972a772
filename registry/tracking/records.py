"""What a tracking server says, frozen. Source: MLflow REST API 2.0 (Run, Experiment, Metric)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

# A number as the database keeps it, or the name of what is none: "NaN", "Infinity", "-Infinity".
Measured = int | float | str


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run. `cut` counts what was left out of `metrics`, `params` and `tags`, and texts that were cut (`texts`).

    `measured_at` is when the newest of its metrics was logged, None where nobody said.
    """

    run_id: str
    name: str
    experiment_id: str
    status: str
    lifecycle_stage: str
    started_at: datetime | None
    ended_at: datetime | None
    user: str
    artifact_uri: str
    metrics: Mapping[str, Measured] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    measured_at: datetime | None = None
    cut: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_over(self) -> bool:
        """Whether the run has ended, well or not: its numbers no longer move by themselves."""
        return self.status in ("FINISHED", "FAILED", "KILLED")

    @property
    def source_name(self) -> str:
        """What ran: a script, a notebook, a project."""
        return self.tags.get("mlflow.source.name", "")

    @property
    def source_type(self) -> str:
        """How it ran, in MLflow's words: LOCAL, NOTEBOOK, JOB, PROJECT."""
        return self.tags.get("mlflow.source.type", "")

    @property
    def git_commit(self) -> str:
        """The commit of the source, "" where MLflow did not note one."""
        return self.tags.get("mlflow.source.git.commit", "")


@dataclass(frozen=True, slots=True)
class ExperimentRecord:
    """One experiment: the runs that are compared with each other."""

    experiment_id: str
    name: str
    lifecycle_stage: str


@dataclass(frozen=True, slots=True)
class PointRecord:
    """One logged value of a metric."""

    value: Measured
    step: int
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Found:
    """The runs of a search, best first; `has_more` when the server has others behind them."""

    runs: tuple[RunRecord, ...]
    has_more: bool
