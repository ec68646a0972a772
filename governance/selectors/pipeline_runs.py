"""The pipeline executions a version comes from or is waited for by, in the words people read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from portal.core.actors import Actor
from registry.models import ModelVersion, PipelineExecution, PipelineRegistration, PipelineStep
from registry.models.pipeline import RegisteredBy

from ..models import Evidence
from .pipeline_proofs import Unattached, unattached
from .waiting_steps import WaitingStep, waiting_for_version

# Of a report, the lines that are shown; the object itself is named beside them.
MOST_SHOWN = 50
_KINDS = {
    "Training": ("Trains the model", "robot"),
    "Processing": ("Processes data", "database"),
    "Transform": ("Runs the model over data", "test-pipe"),
    "Tuning": ("Looks for the best settings", "adjustments"),
    "AutoML": ("Looks for the best model", "star"),
    "Model": ("Makes the model", "package"),
    "RegisterModel": ("Registers the version", "upload"),
    "ClarifyCheck": ("Checks bias or explainability", "scale"),
    "QualityCheck": ("Checks quality", "list-check"),
    "Condition": ("Decides which way to go", "git-branch"),
    "Callback": ("Waits for an answer from outside", "hourglass"),
    "Lambda": ("Runs a function", "code"),
    "EMR": ("Runs a cluster job", "server"),
    "EMRServerless": ("Runs a cluster job", "server"),
    "Fail": ("Ends the run as failed", "circle-x"),
    "Endpoint": ("Makes an endpoint", "building-broadcast-tower"),
    "EndpointConfig": ("Configures an endpoint", "settings"),
}
_STATUS = {
    "Succeeded": ("succeeded", "good"),
    "Failed": ("failed", "bad"),
    "Stopped": ("stopped", "mute"),
    "Stopping": ("is being stopped", "wait"),
    "Executing": ("is under way", "live"),
    "Starting": ("is starting", "live"),
    "CompletedWithFailures": ("ended with failures", "warn"),
}
_CHECKED = {
    "DATA_QUALITY": "the quality of the data",
    "MODEL_QUALITY": "the quality of the model",
    "DATA_BIAS": "bias in the data",
    "MODEL_BIAS": "bias of the model",
    "MODEL_EXPLAINABILITY": "what the model's answers rest on",
}
_CHECK_WORDS = {
    "data_type_check": "values of another type than in the baseline",
    "completeness_check": "more missing values than the baseline allows",
    "baseline_drift_check": "another distribution than the baseline's",
    "missing_column_check": "a column of the baseline is missing",
    "extra_column_check": "a column the baseline does not have",
    "categorical_values_check": "values the baseline does not know",
    "bias_drift_check": "more bias than the baseline allows",
    "feature_attribution_drift_check": "features weigh otherwise than in the baseline",
    "lessthanthreshold": "less than the baseline's threshold",
    "greaterthanthreshold": "more than the baseline's threshold",
}


@dataclass(frozen=True)
class ShownStep:
    """One step as pages and the API show it; `found` sums a check up, `tone` and `icon` go with what it came to.

    `took` is in seconds, None where AWS gives no end.
    """

    step: PipelineStep
    does: str
    status: str
    tone: str
    icon: str
    took: float | None
    found: str
    violations: tuple[dict[str, str], ...]
    more: int
    results: tuple[dict[str, Any], ...]
    more_results: int
    evidence: tuple[Evidence, ...]
    unattached: Unattached | None = None

    @property
    def not_evidence(self) -> str:
        """Why what it wrote is no evidence of the version yet, "" where all of it is."""
        return self.unattached.why if self.unattached else ""

    @property
    def link(self) -> str:
        """The ARN of what the step made or ran, "" where it names none."""
        return self.step.registered_arn or self.step.resource_arn


@dataclass(frozen=True)
class ShownRun:
    """One execution with its steps; `registered` says whether this version came of it, `how` in words."""

    execution: PipelineExecution
    registered: bool
    how: str
    status: str
    tone: str
    took: float | None
    steps: tuple[ShownStep, ...]
    waits: tuple[WaitingStep, ...]


def runs_of(actor: Actor, version: ModelVersion) -> list[ShownRun]:
    """Return the executions that registered a version the caller has seen, then those that wait for it, newest first.

    The same number of queries, however many there are.
    """
    registrations = PipelineRegistration.objects.visible_to(actor).filter(version=version)
    rows = list(registrations.select_related("execution__account").prefetch_related("execution__steps").order_by("-pk"))
    waits: dict[str, list[WaitingStep]] = defaultdict(list)
    for one in waiting_for_version(actor, version):
        waits[one.callback.execution_arn].append(one)
    made = {row.execution.arn for row in rows}
    asking = (
        PipelineExecution.objects.filter(arn__in=[arn for arn in waits if arn and arn not in made])
        .select_related("account")
        .prefetch_related("steps")
        .order_by("-begun_at", "-pk")
    )
    evidence: dict[str, list[Evidence]] = defaultdict(list)
    for proof in Evidence.objects.visible_to(actor).filter(version=version).exclude(s3_uri="").order_by("pk"):
        evidence[proof.s3_uri].append(proof)
    steps = [step for row in rows for step in row.execution.steps.all()]
    waiting = unattached(version, steps, evidence.keys())
    shown = [_run(row.execution, RegisteredBy(row.source), evidence, waits, waiting) for row in rows]
    return [*shown, *(_run(execution, None, evidence, waits, {}) for execution in asking)]


def _run(
    execution: PipelineExecution,
    source: RegisteredBy | None,
    evidence: dict[str, list[Evidence]],
    waits: dict[str, list[WaitingStep]],
    waiting: dict[int, Unattached],
) -> ShownRun:
    status, tone = status_words(execution.status)
    if execution.missing_since is not None and not execution.steps.all():
        status, tone = "is not known to AWS any more", "mute"
    how = {
        None: "It waits for a decision about this version",
        RegisteredBy.STEP: "Its step registered this version",
        RegisteredBy.GENERATED_BY: "This version names it as what made it",
    }[source]
    return ShownRun(
        execution=execution,
        registered=source is not None,
        how=how,
        status=status,
        tone=tone,
        took=_took(execution.begun_at, execution.ended_at),
        steps=tuple(shown_step(step, evidence, waiting.get(step.pk)) for step in execution.steps.all()),
        waits=tuple(waits.get(execution.arn, ())),
    )


def status_words(status: str) -> tuple[str, str]:
    """Return AWS's word for how a run or a step stands in plain words, and its tone."""
    return _STATUS.get(status, (status.lower() or "not read yet", "mute"))


def shown_step(
    step: PipelineStep, evidence: Mapping[str, list[Evidence]], missing: Unattached | None = None
) -> ShownStep:
    """Return a step in words, with the evidence it wrote by its address and what of it is none yet."""
    status, tone = status_words(step.status)
    does, icon = _KINDS.get(step.kind, (step.kind or "A step", "point"))
    if step.kind == "Condition" and step.outcome:
        status = {"True": "was met", "False": "was not met"}.get(step.outcome, step.outcome)
        tone = "good" if step.outcome == "True" else "warn"
    if step.cached_from and step.status == "Succeeded":
        status = "was taken from an earlier run"
    if step.is_check:
        does = f"Checks {_CHECKED[kind]}" if (kind := _check_type(step)) in _CHECKED else does
        if step.violations:
            tone = "bad" if step.status == "Failed" else "warn"
    listed = step.violations or []
    result = step.result if isinstance(step.result, dict) else {}
    rows = result.get("rows") or []
    proofs = [proof for address in _addresses(step) for proof in evidence.get(address, [])]
    return ShownStep(
        step=step,
        does=does,
        status=status,
        tone=tone,
        icon=icon,
        took=_took(step.started_at, step.ended_at),
        found=_found(step),
        violations=tuple(_violation(row, _check_type(step)) for row in listed[:MOST_SHOWN]),
        more=max(0, len(listed) - MOST_SHOWN) + step.violations_left_out,
        results=tuple(rows[:MOST_SHOWN]),
        more_results=max(0, len(rows) - MOST_SHOWN) + (result.get("left_out") or 0),
        evidence=tuple({proof.pk: proof for proof in proofs}.values()),
        unattached=missing,
    )


def _found(step: PipelineStep) -> str:
    """Sum up what a check found; "" for what is no check."""
    if not step.is_check or step.status not in ("Succeeded", "Failed"):
        return ""
    if step.check_details.get("SkipCheck") is True:
        return "It compared nothing: it was told to calculate a new baseline only."
    if step.report_problem:
        return "It wrote a report of violations that could not be read."
    if step.violations is not None:
        count = len(step.violations) + step.violations_left_out
        return "It found no violation." if not count else f"It found {count} violation{'s' if count > 1 else ''}."
    if step.violation_report:
        return "It wrote a report of violations that was not read yet."
    return "It reported no violation." if step.status == "Succeeded" else "It named no report of violations."


def _violation(row: Any, checked: str) -> dict[str, str]:
    told = row if isinstance(row, dict) else {}
    check = str(told.get("check") or "")
    # Of a distribution only data has one; a metric has a value.
    drifts = check == "baseline_drift_check" and checked == "MODEL_QUALITY"
    return {
        "feature": str(told.get("feature") or ""),
        "words": "outside what the baseline allows"
        if drifts
        else _CHECK_WORDS.get(check.lower(), check.replace("_", " ")),
        "description": str(told.get("description") or ""),
    }


def _check_type(step: PipelineStep) -> str:
    return str(step.check_details.get("CheckType") or "").upper()


def _addresses(step: PipelineStep) -> Iterable[str]:
    names = ("ViolationReport", "CalculatedBaselineStatistics", "CalculatedBaselineConstraints")
    return [str(step.check_details[name]) for name in names if step.check_details.get(name)]


def _took(begun: datetime | None, ended: datetime | None) -> float | None:
    return (ended - begun).total_seconds() if begun is not None and ended is not None and ended >= begun else None
