"""The policy in force, and the facts it is asked about."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from portal.core import access
from portal.core.actors import Actor
from portal.core.vocabulary import EvidenceKind, RiskClass, RiskRating, Stage, SubjectKind
from registry.models import ModelGroup, ModelVersion, UseCase

from ..choices import MetricKind, OutsideResponse, PolicyState
from ..lifecycle import next_stage
from ..models import PolicyRule, PolicyVersion, StageRecord
from ..policies.facts import (
    Check,
    Matrix,
    ModelInScope,
    OverrideFact,
    Requirements,
    Rule,
    Tier,
    UseCaseRisk,
    evidence_from_json,
    metrics_from_json,
    needs_from_json,
    provenance_from_json,
)
from ..policies.metrics import asks_files, asks_training
from ..policies.rules import evaluate, requirements, tier_of_use_case, tier_of_version
from .facts import facts_of
from .gathered import Gathered

__all__ = [
    "STANDING", "by_number", "checks", "facts_of", "in_force", "kind_of", "matrix_of", "models_in_scope", "path_of",
    "requirements_for", "risk_class_of", "rules_of", "stage_after", "tier_of",
]  # fmt: skip

STANDING = ("approved", "deployed", "superseded")
# Of a group that is not ready, the newest versions are named.
_NAMED = 5


def in_force() -> PolicyVersion:
    """Return the newest published policy."""
    return PolicyVersion.objects.published().order_by("-number")[0]


def by_number(actor: Actor, number: int) -> PolicyVersion:
    """Return one policy the actor may read. Raises NotFound for what is missing and for drafts hidden from him."""
    return access.get(PolicyVersion, actor, number=number)


def rules_of(policy: PolicyVersion) -> tuple[Rule, ...]:
    """Return a policy's cells as frozen facts.

    Those of a published policy are read once in a process: the database lets nobody change them.
    """
    if policy.state != PolicyState.PUBLISHED or policy.published_at is None:
        return _frozen(policy.rules.all())
    return _published_cells(policy.pk, policy.revision, policy.published_at)


@lru_cache(maxsize=64)
def _published_cells(policy_id: int, revision: int, published_at: datetime) -> tuple[Rule, ...]:
    """Named by the moment of publication too: one that was undone leaves a draft that may become another policy."""
    return _frozen(PolicyRule.objects.filter(policy=policy_id))


def _frozen(rows: Iterable[PolicyRule]) -> tuple[Rule, ...]:
    return tuple(
        Rule(
            kind=SubjectKind(rule.kind),
            stage=Stage(rule.stage),
            tier=RiskRating(rule.tier),
            approvals=needs_from_json(rule.approvals),
            days_until_due=rule.days_until_due,
            days_until_expiry=rule.days_until_expiry,
            evidence=evidence_from_json(rule.evidence),
            metrics=metrics_from_json(rule.metrics),
            provenance=provenance_from_json(rule.provenance),
        )
        # In the order they were written: equal policies are equal, whatever order the database reads them in.
        for rule in sorted(rows, key=lambda row: row.pk)
    )


def matrix_of(policy: PolicyVersion) -> Matrix:
    """Return a whole policy as frozen facts."""
    return Matrix(
        rules=rules_of(policy),
        model_path=path_of(policy, SubjectKind.MODEL_VERSION),
        use_case_path=path_of(policy, SubjectKind.USE_CASE),
        on_outside_approval=OutsideResponse(policy.on_outside_approval),
        on_outside_rejection=OutsideResponse(policy.on_outside_rejection),
    )


def path_of(policy: PolicyVersion, kind: SubjectKind) -> tuple[Stage, ...]:
    """Return the stages the policy makes this kind of subject pass."""
    path = policy.use_case_path if kind is SubjectKind.USE_CASE else policy.model_path
    return tuple(Stage(stage) for stage in path)


def kind_of(subject: UseCase | ModelVersion) -> SubjectKind:
    """Return what kind of subject this is."""
    return SubjectKind.USE_CASE if isinstance(subject, UseCase) else SubjectKind.MODEL_VERSION


def stage_after(subject: UseCase | ModelVersion, policy: PolicyVersion | None = None) -> Stage | None:
    """Return the stage a subject enters after the one it is in; None at the end of the path."""
    kind = kind_of(subject)
    return next_stage(kind, Stage(subject.stage), path_of(policy or in_force(), kind))


def tier_of(subject: UseCase | ModelVersion) -> Tier:
    """Return the tier of risk of a subject and where it comes from."""
    if isinstance(subject, UseCase):
        return tier_of_use_case(_risk(subject))
    return tier_of_version(RiskRating(subject.risk_rating), map(_risk, subject.use_cases.all()))


def requirements_for(
    subject: UseCase | ModelVersion, policy: PolicyVersion, stage: Stage | None = None
) -> Requirements:
    """Return what a request about this subject needs now (or at another stage). Raises NoRule."""
    return requirements(rules_of(policy), kind_of(subject), stage or Stage(subject.stage), tier_of(subject).value)


def checks(
    subject: UseCase | ModelVersion,
    stage: Stage,
    needs: Requirements,
    overrides: Sequence[OverrideFact] = (),
    now: datetime | None = None,
    known: Gathered | None = None,
) -> tuple[Check, ...]:
    """Return how a subject stands, at a stage, against what is needed there; every one must hold before a decision."""
    if not needs.has_checks:
        return ()
    facts = facts_of(
        subject,
        stage,
        known,
        with_provenance=bool(needs.provenance),
        with_files=any(map(asks_files, needs.metrics)),
        with_quality=EvidenceKind.VALIDATION_METRICS in needs.evidence
        or any(rule.kind is MetricKind.VALIDATION for rule in needs.metrics),
        with_training=any(map(asks_training, needs.metrics)),
    )
    return evaluate(needs, facts, overrides, now or timezone.now())


def models_in_scope(use_case: UseCase, stage: Stage) -> tuple[ModelInScope, ...]:
    """Return each model group behind a use case with what its versions have at a stage.

    In scope is every group linked to the use case and every group with a version that names it. A group is ready
    when one of its versions stands approved there, for what it is now; its newest versions are named otherwise.
    """
    members = ModelVersion.objects.present().filter(use_cases=use_case).exclude(stage=Stage.RETIRED)
    standing = StageRecord.objects.filter(
        version__in=members,
        version__group_id=OuterRef("pk"),
        stage=stage,
        status__in=STANDING,
        outdated_at=None,
    )
    found = list(
        ModelGroup.objects.filter(
            Q(pk__in=use_case.groups.filter(missing_since=None).values("pk")) | Q(pk__in=members.values("group_id"))
        )
        .annotate(has_approved=Exists(standing))
        .order_by("name", "pk")
        .values_list("pk", "name", "has_approved")
    )
    waiting = _waiting(members, [pk for pk, _, approved in found if not approved])
    return tuple(
        ModelInScope(group=name, approved=approved, waiting=tuple(waiting.get(pk, ()))) for pk, name, approved in found
    )


def _waiting(members: QuerySet[ModelVersion], group_ids: Sequence[int]) -> dict[int, list[str]]:
    """Return where the newest versions of these groups stand, in words, by group."""
    if not group_ids:
        return {}
    rank = Window(RowNumber(), partition_by="group_id", order_by=F("number").desc())
    newest = members.filter(group_id__in=group_ids).annotate(rank=rank).filter(rank__lte=_NAMED)
    words: dict[int, list[str]] = {}
    for pk, number, status, stage in newest.order_by("group_id", "-number").values_list(
        "group_id", "number", "status", "stage"
    ):
        words.setdefault(pk, []).append(f"version {number} is {status} in {Stage(stage).label}")
    return words


def _risk(use_case: UseCase) -> UseCaseRisk:
    return UseCaseRisk(use_case.public_id, RiskClass(use_case.risk_class))


def risk_class_of(use_case: UseCase) -> RiskClass:
    """Return the class of a use case as the vocabulary's word."""
    return RiskClass(use_case.risk_class)
