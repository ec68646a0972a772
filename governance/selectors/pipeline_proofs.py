"""What pipelines' checks wrote that is evidence of a version, and what of it is not attached yet."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from portal.core.vocabulary import EvidenceKind, Stage
from registry.models import ModelVersion, PipelineStep

from ..models import ApprovalRequest

_OVER = ("Succeeded", "Failed")
_RESULTS = {
    "DATA_BIAS": EvidenceKind.BIAS_REPORT,
    "MODEL_BIAS": EvidenceKind.BIAS_REPORT,
    "MODEL_EXPLAINABILITY": EvidenceKind.EXPLAINABILITY_REPORT,
    "MODEL_QUALITY": EvidenceKind.VALIDATION_METRICS,
}


@dataclass(frozen=True)
class Proof:
    """One report of a check that is evidence: where it is, of which kind, and its title."""

    uri: str
    kind: EvidenceKind
    title: str


@dataclass(frozen=True)
class Unattached:
    """What a check wrote that is no evidence of a version yet, and why."""

    proofs: tuple[Proof, ...]
    why: str


def kind_of(step: PipelineStep) -> EvidenceKind:
    """Return the kind of evidence that the result of a check is."""
    return _RESULTS.get(str(step.check_details.get("CheckType") or "").upper(), EvidenceKind.TEST_REPORT)


def proofs_of(step: PipelineStep) -> Iterator[Proof]:
    """Yield what a check wrote that is evidence: its violation report, and what it calculated as its result.

    A violation report is a test's outcome, whatever was checked; what a check of data quality calculated is too. A
    check that is under way has written nothing yet.
    """
    if not step.is_check or step.status not in _OVER:
        return
    told = step.check_details
    named = step.display_name or step.name
    if step.violation_report:
        yield Proof(step.violation_report, EvidenceKind.TEST_REPORT, f"Violations found by {named}")
    result = told.get("CalculatedBaselineStatistics") or told.get("CalculatedBaselineConstraints")
    if result and not told.get("SkipCheck") and isinstance(result, str):
        yield Proof(result, kind_of(step), f"Result of {named}")


def unattached(
    version: ModelVersion, steps: Iterable[PipelineStep], attached: Collection[str]
) -> dict[int, Unattached]:
    """Return what of these checks is no evidence of a version yet, by the step's key; `attached` are S3 addresses.

    One query where something is missing: whether it waits for an open request to end.
    """
    missing = {
        step.pk: (step, found)
        for step in steps
        if (found := tuple(proof for proof in proofs_of(step) if proof.uri not in attached))
    }
    if not missing:
        return {}
    asked = ApprovalRequest.objects.open().filter(version=version).order_by("pk").first()
    return {pk: Unattached(found, _why(version, step, asked)) for pk, (step, found) in missing.items()}


def _why(version: ModelVersion, step: PipelineStep, asked: ApprovalRequest | None) -> str:
    if version.stage == Stage.RETIRED:
        return "The version is retired; its evidence does not change any more."
    if asked is not None:
        return (
            f"It waits for {asked.public_id} to end: attached now, it would outdate what was asked. It is attached"
            " as soon as that request is decided, withdrawn or expired."
        )
    return step.evidence_problem or "It is attached with the next reading of the pipelines, in some minutes."
