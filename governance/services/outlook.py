"""What stands between a subject and its next stage: who must sign, what is asked for, by when, and what would happen.

Said beforehand, from the same rules that `approvals` enforces. Reads only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.db.models import prefetch_related_objects
from django.utils import timezone

from portal.core.actors import Actor
from portal.core.vocabulary import Role, Stage, Status
from registry.models import ModelVersion, UseCase

from ..models import ApprovalRequest, PolicyVersion
from ..policies.engine import waiting_for
from ..policies.facts import ApprovalNeed, Check, OverrideFact, Requirements, Tier
from ..policies.rules import NoRule
from ..selectors import policy as policies
from ..selectors.binding import digest_of
from ..selectors.gathered import Gathered, gather
from ..selectors.overrides import overrides_of_many
from ..selectors.standing import is_outdated_here
from . import approvals, lifecycle, preview
from .entitlement import Signer, missing_approvals, who_could_sign

Subject = UseCase | ModelVersion


@dataclass(frozen=True)
class Signature:
    """One role's signatures: `count` are needed, `given` are there, `could` may give the next ones."""

    role: Role
    count: int
    given: int
    could: tuple[Signer, ...]

    @property
    def is_missing(self) -> bool:
        return self.given < self.count


@dataclass(frozen=True)
class Later:
    """What a later stage of the path asks for, as the policy in force says today."""

    stage: Stage
    approvals: tuple[ApprovalNeed, ...]
    checks: tuple[Check, ...]


@dataclass(frozen=True)
class Outlook:
    """What asking for approval where a subject stands would take now. `refusal` says why it cannot be asked for."""

    stage: Stage
    following: Stage | None
    tier: Tier
    refusal: str
    policy: int
    signatures: tuple[Signature, ...] = ()
    approvals: tuple[ApprovalNeed, ...] = ()
    checks: tuple[Check, ...] = ()
    due_at: datetime | None = None
    expires_at: datetime | None = None
    effects: preview.Effects | None = None
    later: tuple[Later, ...] = ()

    @property
    def unmet(self) -> tuple[Check, ...]:
        """What would keep anybody from approving."""
        return tuple(check for check in self.checks if not check.holds)


class Obstacle(StrEnum):
    """What kind of thing keeps a subject where it is; a page knows by it where to mend it."""

    UNCLAIMED = "unclaimed"
    REFUSED = "refused"
    NOT_ASKED = "not asked"
    CHANGED = "changed"
    CHECK = "check"
    SIGNATURE = "signature"
    MODEL = "model"


@dataclass(frozen=True)
class Block:
    """One thing that keeps a subject from going on, in plain words; `check` is set where the policy asks for it."""

    obstacle: Obstacle
    text: str
    check: Check | None = None
    request: ApprovalRequest | None = None


def outlook(actor: Actor, subject: Subject, *, later: bool = False, brief: bool = False) -> Outlook:
    """Return what asking for approval of a subject would take where it stands; with `later`, also what comes after.

    A `brief` one leaves out who could sign and what an approval would do.
    """
    stage, policy, tier = Stage(subject.stage), policies.in_force(), policies.tier_of(subject)
    # Read once for all stages.
    prefetch_related_objects([policy], "rules")
    overridden = overrides_of_many([subject])
    refusal = approvals.submission_refusal(actor, subject, policy)
    following = None if stage is Stage.RETIRED or is_outdated_here(subject) else policies.stage_after(subject, policy)
    try:
        needs = policies.requirements_for(subject, policy)
    except NoRule:
        return Outlook(stage, following, tier, refusal, policy.number)
    known, now = gather([subject]), timezone.now()
    return Outlook(
        stage=stage,
        following=following,
        tier=tier,
        refusal=refusal,
        policy=policy.number,
        signatures=() if brief else _signatures(subject, needs.approvals, needs.approvals, asker=actor.user_id),
        approvals=needs.approvals,
        checks=policies.checks(
            subject, stage, needs, overridden.get((type(subject), subject.pk, stage), ()), known=known
        ),
        due_at=now + timedelta(days=needs.days_until_due),
        expires_at=now + timedelta(days=needs.days_until_expiry),
        effects=None if brief else preview.of_asking(subject, policy),
        later=_later(subject, policy, known, overridden) if later else (),
    )


def signatures_of(request: ApprovalRequest) -> tuple[Signature, ...]:
    """Return the signatures a request needs, how many are there, and who could give the rest."""
    wanted = Requirements.from_json(request.requirements).approvals
    is_open = request.closed_at is None
    return _signatures(request.subject, wanted, missing_approvals(request) if is_open else (), request=request)


def blocks_of(subject: Subject, open_request: ApprovalRequest | None, seen: Outlook | None) -> tuple[Block, ...]:
    """Return everything that keeps a subject from its next stage, in plain words; empty when nothing does.

    `open_request` is the request that waits about it where it stands, if any; `seen` what asking would take, needed
    where it is to be asked for.
    """
    if subject.stage == Stage.RETIRED:
        return ()
    blocks: list[Block] = []
    if isinstance(subject, ModelVersion) and subject.group.project_id is None:
        text = f"Nobody has claimed its model group {subject.group.name} for a project yet."
        blocks.append(Block(Obstacle.UNCLAIMED, text))
    if open_request is not None:
        blocks += _of_request(subject, open_request)
    elif seen is not None:
        blocks += _of_asking(subject, seen)
    if isinstance(subject, UseCase):
        blocks += [Block(Obstacle.MODEL, text) for text in lifecycle.blockers(subject)]
    return tuple(blocks)


def _of_request(subject: Subject, request: ApprovalRequest) -> list[Block]:
    known = gather([subject])
    if subject.stage != request.stage or digest_of(subject, Stage(request.stage), known) != request.digest:
        text = f"It changed after {request.public_id} was asked: nobody can decide on that any more. Submit it anew."
        return [Block(Obstacle.CHANGED, text, request=request)]
    unmet = [check for check in approvals.checks_of(request, subject, known) if not check.holds]
    blocks = [Block(Obstacle.CHECK, check.detail, check, request) for check in unmet]
    missing = missing_approvals(request)
    if missing:
        words = waiting_for(Requirements.from_json(request.requirements).approvals, missing)
        blocks.append(Block(Obstacle.SIGNATURE, f"{request.public_id} is {words}.", request=request))
    return blocks


def _of_asking(subject: Subject, seen: Outlook) -> list[Block]:
    blocks = [Block(Obstacle.CHECK, check.detail, check) for check in seen.unmet]
    if seen.refusal:
        return [Block(Obstacle.REFUSED, seen.refusal), *blocks]
    if subject.status == Status.REJECTED:
        return [Block(Obstacle.NOT_ASKED, "It was rejected. Rework it, then submit it again."), *blocks]
    return [Block(Obstacle.NOT_ASKED, f"Nobody has asked for approval in {seen.stage.label} yet."), *blocks]


def _signatures(
    subject: Subject,
    wanted: Sequence[ApprovalNeed],
    missing: Sequence[ApprovalNeed],
    *,
    request: ApprovalRequest | None = None,
    asker: int | None = None,
) -> tuple[Signature, ...]:
    left = {need.role: need.count for need in missing}
    could = who_could_sign(subject, [need.role for need in wanted if left.get(need.role)], request=request)
    return tuple(
        Signature(
            need.role,
            need.count,
            need.count - left.get(need.role, 0),
            tuple(
                signer
                for signer in could.get(need.role, ())
                # Whoever asks cannot sign, nor lend his name to somebody who does.
                if asker is None or asker not in (signer.person.pk, getattr(signer.in_the_name_of, "pk", None))
            ),
        )
        for need in wanted
    )


def _later(
    subject: Subject,
    policy: PolicyVersion,
    known: Gathered,
    overridden: Mapping[tuple[type, int, str], Sequence[OverrideFact]],
) -> tuple[Later, ...]:
    path = policies.path_of(policy, policies.kind_of(subject))
    stages = [stage for stage in path if list(Stage).index(stage) > list(Stage).index(Stage(subject.stage))]
    found = []
    for stage in stages:
        try:
            needs = policies.requirements_for(subject, policy, stage)
        except NoRule:
            continue
        checks = policies.checks(
            subject, stage, needs, overridden.get((type(subject), subject.pk, stage), ()), known=known
        )
        found.append(Later(stage, needs.approvals, checks))
    return tuple(found)
