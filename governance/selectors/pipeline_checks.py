"""What the checks of a version's pipelines found, for whoever decides about it; and what of it is no evidence yet."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from portal.core.actors import Actor
from portal.core.vocabulary import EvidenceKind, Stage
from registry.models import PipelineExecution, PipelineRegistration, PipelineStep

from ..choices import RequestState
from ..models import ApprovalRequest, Evidence
from ..policies.facts import evidence_from_json
from .facts import facts_of
from .pipeline_proofs import kind_of, unattached
from .pipeline_runs import ShownStep, shown_step


@dataclass(frozen=True)
class Check:
    """One check of a run a version came of. `asked` is the kind of evidence the policy asks it for, None: it does not.

    `missing` names the kinds the policy asks for, which the request has nothing of but in what this check wrote.
    """

    execution: PipelineExecution
    shown: ShownStep
    asked: EvidenceKind | None
    missing: tuple[EvidenceKind, ...]

    @property
    def is_bad(self) -> bool:
        """Whether it found something, failed, or left a report nobody could read."""
        step = self.shown.step
        return bool(step.violations or step.violations_left_out or step.report_problem) or step.status == "Failed"


def checks_of_request(actor: Actor, request: ApprovalRequest) -> list[Check]:
    """Return the checks of the runs that registered the version a request is about, those that found something first.

    None for a use case. What waits to become evidence is told as long as the request is open.
    """
    version = request.version
    if version is None:
        return []
    made = PipelineRegistration.objects.visible_to(actor).filter(version=version).values("execution")
    rows = PipelineStep.objects.filter(
        execution__in=made, kind__in=("QualityCheck", "ClarifyCheck"), status__in=("Succeeded", "Failed")
    )
    steps = list(rows.select_related("execution").order_by("-execution__pk", "position"))
    if not steps:
        return []
    evidence: dict[str, list[Evidence]] = defaultdict(list)
    for proof in Evidence.objects.visible_to(actor).filter(version=version).exclude(s3_uri="").order_by("pk"):
        evidence[proof.s3_uri].append(proof)
    waiting = unattached(version, steps, evidence.keys()) if request.state == RequestState.OPEN else {}
    needs = frozenset(evidence_from_json(request.requirements.get("evidence") or ()))
    has = frozenset(fact.kind for fact in facts_of(version, Stage(request.stage)).evidence) if waiting else needs
    found = []
    for step in steps:
        missing = waiting.get(step.pk)
        lacks = {proof.kind for proof in missing.proofs if proof.kind in needs - has} if missing else set()
        kinds = [kind for kind in (kind_of(step), EvidenceKind.TEST_REPORT) if kind in needs]
        found.append(
            Check(
                step.execution,
                shown_step(step, evidence, missing),
                kinds[0] if kinds else None,
                tuple(sorted(lacks)),
            )
        )
    return sorted(found, key=lambda one: not one.is_bad)
