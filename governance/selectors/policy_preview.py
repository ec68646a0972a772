"""What a policy would ask for, before it is published: of one subject, and of everything that is being asked now.

Reads only. A request that is open keeps the policy it was made under: what is shown here is what it would need if it
were submitted anew.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.db.models import F, QuerySet

from portal.core.actors import Actor
from portal.core.vocabulary import Stage, SubjectKind
from registry.models import ModelVersion, UseCase

from ..lifecycle import STAGES, next_stage
from ..models import ApprovalRequest, PolicyVersion
from ..policies.differences import Difference, PolicyDifference, of_policies, of_requirements, path_words
from ..policies.facts import Check, Matrix, Requirements, Tier
from ..policies.rules import NoRule, requirements
from . import overrides
from . import policy as policies

Subject = UseCase | ModelVersion
_USE_CASE = re.compile(r"UC-([0-9]{1,9})", re.IGNORECASE)
_VERSION = re.compile(r"([^/\x00]{1,200})/([0-9]{1,9})")


@dataclass(frozen=True)
class SubjectPreview:
    """What one subject would need at a stage under a policy, and how it stands against it today.

    `needs` is None where the policy has no rule; `on_path` says whether the policy makes it pass that stage.
    """

    subject: Subject
    stage: Stage
    tier: Tier
    on_path: bool
    needs: Requirements | None
    checks: tuple[Check, ...]


@dataclass(frozen=True)
class RequestPreview:
    """What an open request would need differently if it were submitted anew under a policy."""

    request: ApprovalRequest
    differences: tuple[Difference, ...]
    unmet: tuple[Check, ...]


def changes(of: PolicyVersion, since: PolicyVersion | None = None) -> PolicyDifference:
    """Return what a policy asks for differently from another, by default from the one in force."""
    return of_policies(policies.matrix_of(since or policies.in_force()), policies.matrix_of(of))


def of_subject(of: PolicyVersion, subject: Subject, stage: Stage) -> SubjectPreview:
    """Return what a subject would need at a stage it walks, and what of it is missing."""
    matrix, kind, tier = policies.matrix_of(of), policies.kind_of(subject), policies.tier_of(subject)
    needs = _needs(matrix, kind, stage, tier)
    return SubjectPreview(
        subject=subject,
        stage=stage,
        tier=tier,
        on_path=stage in matrix.path(kind),
        needs=needs,
        checks=policies.checks(subject, stage, needs, overrides.overrides_of(subject, stage)) if needs else (),
    )


def open_requests(actor: Actor) -> QuerySet[ApprovalRequest]:
    """Return the requests an actor sees that still wait, oldest first."""
    return (
        ApprovalRequest.objects.visible_to(actor)
        .open()
        .select_related("policy", "requester", "use_case", "version__group__project")
        .prefetch_related("version__use_cases")
        .order_by("pk")
    )


def of_open_requests(actor: Actor, of: PolicyVersion) -> list[RequestPreview]:
    """Return, of the open requests an actor sees, those a policy would ask something else of."""
    matrix = policies.matrix_of(of)
    found = []
    for request in open_requests(actor):
        differences = _differences(request, matrix)
        if differences:
            stage = Stage(request.stage)
            needs = _needs(matrix, SubjectKind(request.kind), stage, policies.tier_of(request.subject))
            found.append(RequestPreview(request, differences, _unmet(request, stage, needs)))
    return found


def subject_named(actor: Actor, name: str) -> Subject | None:
    """Return the use case or version people call by that name, "UC-0001" or "credit-risk/7", if the actor sees it."""
    use_case, version = _USE_CASE.fullmatch(name.strip()), _VERSION.fullmatch(name.strip())
    if use_case:
        return UseCase.objects.visible_to(actor).filter(number=int(use_case[1])).first()
    if version:
        found = ModelVersion.objects.visible_to(actor).filter(group__name=version[1], number=int(version[2]))
        return found.select_related("group__project").order_by(F("missing_since").asc(nulls_first=True), "-pk").first()
    return None


def stages_of(subject: Subject) -> tuple[Stage, ...]:
    """Return the stages one may ask about for a subject."""
    return STAGES[policies.kind_of(subject)]


def _needs(matrix: Matrix, kind: SubjectKind, stage: Stage, tier: Tier) -> Requirements | None:
    try:
        return requirements(matrix.rules, kind, stage, tier.value)
    except NoRule:
        return None


def _unmet(request: ApprovalRequest, stage: Stage, needs: Requirements | None) -> tuple[Check, ...]:
    if needs is None:
        return ()
    found = policies.checks(request.subject, stage, needs, overrides.overrides_of(request.subject, stage))
    return tuple(check for check in found if not check.holds)


def _differences(request: ApprovalRequest, matrix: Matrix) -> tuple[Difference, ...]:
    kind, stage = SubjectKind(request.kind), Stage(request.stage)
    then = _needs(matrix, kind, stage, policies.tier_of(request.subject))
    found = of_requirements(Requirements.from_json(request.requirements), then)
    before = (Stage(request.to_stage),) if request.to_stage else ()
    following = next_stage(kind, stage, matrix.path(kind))
    after = (following,) if following else ()
    # A renewed approval leads nowhere under any policy.
    if before == after or request.renews:
        return found
    return (*found, Difference("to_stage", "Leads to", path_words(before), path_words(after)))
