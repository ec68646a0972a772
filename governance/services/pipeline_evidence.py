"""What a pipeline's checks found becomes evidence of the version the pipeline registered, once each."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.db.models import QuerySet
from django.utils import timezone

from portal.core.actors import Actor
from portal.core.errors import DomainError
from portal.core.operations import operation
from portal.core.vocabulary import Stage
from registry.aws.session import AwsSession
from registry.models import AwsAccount, ModelVersion, PipelineRegistration, PipelineStep
from registry.services import pipeline_reports, pipeline_runs
from registry.services.pipeline_runs import Counts

from ..models import ApprovalRequest, Evidence
from ..selectors.pipeline_proofs import proofs_of
from . import evidence

logger = logging.getLogger(__name__)

# A report that cannot be attached is tried again as long as it may still come.
_AS_LONG = timedelta(days=30)
_MOST_OF_PASS = 100


def read(actor: Actor, account: AwsAccount, session: AwsSession, tally: Counts) -> None:
    """Read the executions of an account and region with their checks' reports, and attach these as evidence.

    Raises AwsError when AWS does not answer at all; what was taken in before stays.
    """
    pipeline_runs.read(actor, account, session, tally)
    pipeline_reports.read(actor, account, session, tally)
    attach(actor, account, session.account.region, tally)


def attach(actor: Actor, account: AwsAccount, region: str, tally: Counts) -> int:
    """Attach what nobody has attached yet to the versions that executions registered; returns how many are new.

    A version with an open request waits until that is closed, for a report attached meanwhile would outdate what was
    asked, and a retired one keeps the evidence it has. What cannot be attached says why beside its check, and is tried
    again for a month.
    """
    here = _registrations().filter(execution__account=account, execution__region=region)
    return _attach(actor, here.filter(found_at__gt=timezone.now() - _AS_LONG), tally.problems)


def attach_to(*, actor: Actor, version_id: int) -> int:
    """Attach what waited for a version's request to end, however long that took; returns how many are new."""
    return _attach(actor, _registrations().filter(version=version_id), [])


def _attach(actor: Actor, registrations: QuerySet[PipelineRegistration], told: list[str]) -> int:
    done = 0
    for registration in registrations:
        version = registration.version
        if version.stage == Stage.RETIRED:
            continue
        for step in registration.execution.steps.all():
            if done >= _MOST_OF_PASS:
                return done
            done += _attach_step(actor, version, step, told)
    return done


def _registrations() -> QuerySet[PipelineRegistration]:
    """Return what executions with checks registered, also those that go on: one may wait for this very decision."""
    return (
        PipelineRegistration.objects.filter(execution__steps__kind__in=("QualityCheck", "ClarifyCheck"))
        .select_related("execution", "version__group")
        .prefetch_related("execution__steps")
        .order_by("-pk")
        .distinct()
    )


def _attach_step(actor: Actor, version: ModelVersion, step: PipelineStep, told: list[str]) -> int:
    proofs = list(proofs_of(step))
    if not proofs:
        return 0
    # Also what was withdrawn or has a later edition: somebody has looked at it.
    there = set(
        Evidence.objects.filter(version=version, s3_uri__in=[p.uri for p in proofs]).values_list("s3_uri", flat=True)
    )
    missing = [proof for proof in proofs if proof.uri not in there]
    if missing and ApprovalRequest.objects.open().filter(version=version).exists():
        return 0
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
                unless_asked=True,
            )
            done += 1
        except evidence.RequestIsOpen:
            # Somebody asked while S3 was: the next time is when that request ends.
            return done
        except DomainError as refusal:
            said = " ".join(words for texts in getattr(refusal, "errors", {}).values() for words in texts)
            problems.append(f"{proof.title}: {said or refusal.detail}")
            told.append(f"{proof.title} of {step.execution} is no evidence of {version.name}. {said or refusal.detail}")
    _note(actor, step, " ".join(problems))
    return done


def _note(actor: Actor, step: PipelineStep, problem: str) -> None:
    if step.evidence_problem != problem:
        with operation(actor, "attach a check's report as evidence"):
            PipelineStep.objects.filter(pk=step.pk).update(evidence_problem=problem)
        step.evidence_problem = problem


def _note_of(step: PipelineStep) -> str:
    told = f"Written by the step {step.name} ({step.status.lower()}) of {step.execution}, {step.execution.arn}."
    if step.violations is None:
        return told
    count = len(step.violations) + step.violations_left_out
    found = "It found no violation." if not count else f"It found {count} violation{'s' if count > 1 else ''}."
    return f"{found} {told}"
