"""What a pipeline's checks found becomes evidence of the version the pipeline registered, once each."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import QuerySet
from django.utils import timezone

from portal.core.actors import Actor
from portal.core.errors import DomainError
from portal.core.operations import operation
from portal.core.vocabulary import EvidenceKind, Stage
from registry.aws.session import AwsSession
from registry.models import AwsAccount, ModelVersion, PipelineRegistration, PipelineStep
from registry.services import pipeline_reports, pipeline_runs
from registry.services.pipeline_runs import Counts

from ..models import ApprovalRequest, Evidence
from . import evidence

logger = logging.getLogger(__name__)

# A report that cannot be attached is tried again as long as it may still come.
_AS_LONG = timedelta(days=30)
_MOST_OF_PASS = 100
WAITS = "It is attached when no request about the version is open: attached now, it would outdate what is asked."
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


def read(actor: Actor, account: AwsAccount, session: AwsSession, tally: Counts) -> None:
    """Read the executions of an account and region with their checks' reports, and attach these as evidence.

    Raises AwsError when AWS does not answer at all; what was taken in before stays.
    """
    pipeline_runs.read(actor, account, session, tally)
    pipeline_reports.read(actor, account, session, tally)
    attach(actor, account, session.account.region, tally)


def attach(actor: Actor, account: AwsAccount, region: str, tally: Counts) -> int:
    """Attach what nobody has attached yet to the versions that executions registered; returns how many are new.

    A version with an open request waits until that is closed, and a retired one keeps the evidence it has. What cannot
    be attached says why beside its check, and is tried again for a month.
    """
    done = 0
    for registration in _registrations(account, region):
        version = registration.version
        if version.stage == Stage.RETIRED:
            continue
        for step in registration.execution.steps.all():
            if done >= _MOST_OF_PASS:
                return done
            done += _attach_step(actor, version, step, tally)
    return done


def proofs_of(step: PipelineStep) -> Iterator[Proof]:
    """Yield what a check wrote that is evidence: its violation report, and what it calculated as its result.

    A violation report is a test's outcome, whatever was checked; what a check of data quality calculated is too.
    """
    if not step.is_check:
        return
    told = step.check_details
    kind = _RESULTS.get(str(told.get("CheckType") or "").upper(), EvidenceKind.TEST_REPORT)
    named = step.display_name or step.name
    if step.violation_report:
        yield Proof(step.violation_report, EvidenceKind.TEST_REPORT, f"Violations found by {named}")
    result = told.get("CalculatedBaselineStatistics") or told.get("CalculatedBaselineConstraints")
    if result and not told.get("SkipCheck") and isinstance(result, str):
        yield Proof(result, kind, f"Result of {named}")


def _registrations(account: AwsAccount, region: str) -> QuerySet[PipelineRegistration]:
    return (
        PipelineRegistration.objects.filter(
            execution__account=account,
            execution__region=region,
            execution__is_settled=True,
            found_at__gt=timezone.now() - _AS_LONG,
            execution__steps__kind__in=("QualityCheck", "ClarifyCheck"),
        )
        .select_related("execution", "version__group")
        .prefetch_related("execution__steps")
        .order_by("-pk")
        .distinct()
    )


def _attach_step(actor: Actor, version: ModelVersion, step: PipelineStep, tally: Counts) -> int:
    proofs = list(proofs_of(step))
    # Also what was withdrawn or has a later edition: somebody has looked at it.
    there = set(
        Evidence.objects.filter(version=version, s3_uri__in=[p.uri for p in proofs]).values_list("s3_uri", flat=True)
    )
    missing = [proof for proof in proofs if proof.uri not in there]
    if not missing:
        return _note(actor, step, "")
    if ApprovalRequest.objects.open().filter(version=version).exists():
        return _note(actor, step, WAITS)
    problems, done = [], 0
    for proof in missing:
        try:
            evidence.attach_s3(
                actor=actor,
                subject_type=ModelVersion,
                subject_id=version.pk,
                kind=proof.kind,
                uri=proof.uri,
                title=proof.title[: evidence.LONGEST_TITLE],
                note=_note_of(step),
            )
            done += 1
        except DomainError as refusal:
            said = " ".join(words for texts in getattr(refusal, "errors", {}).values() for words in texts)
            problems.append(f"{proof.title}: {said or refusal.detail}")
            tally.problems.append(f"{proof.title} of {step.execution} is no evidence of {version.name}. {said}")
    _note(actor, step, " ".join(problems))
    return done


def _note(actor: Actor, step: PipelineStep, problem: str) -> int:
    if step.evidence_problem != problem:
        with operation(actor, "attach a check's report as evidence"):
            PipelineStep.objects.filter(pk=step.pk).update(evidence_problem=problem)
        step.evidence_problem = problem
    return 0


def _note_of(step: PipelineStep) -> str:
    told = f"Written by the step {step.name} ({step.status.lower()}) of {step.execution}, {step.execution.arn}."
    if step.violations is None:
        return told
    count = len(step.violations) + step.violations_left_out
    found = "It found no violation." if not count else f"It found {count} violation{'s' if count > 1 else ''}."
    return f"{found} {told}"
