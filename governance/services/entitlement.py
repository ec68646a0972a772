"""Who may decide on a request, in which role, and for whom. Separation of duties comes before every role."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from portal.core.actors import Actor
from portal.core.errors import Forbidden
from portal.core.permissions import ROLES, Act
from portal.core.vocabulary import Role
from registry.models import ModelVersion, UseCase, User
from registry.selectors.people import holders_on, holding
from registry.selectors.service_accounts import keepers_of

from ..choices import Verdict
from ..models import ApprovalRequest, Decision, Delegation
from ..policies.facts import ApprovalNeed, Requirements, Vote
from ..policies.rules import outstanding
from ..querysets import delegated_to

Subject = UseCase | ModelVersion


class SelfApproval(Forbidden):
    """Nobody decides on what he requested, brought in or changed himself, nor has somebody else do it for him."""

    code = "self-approval"
    title = "Somebody else must decide"


@dataclass(frozen=True)
class Entitlement:
    """In which role a person's word on a request counts, and whose word it is when he is a delegate."""

    role: Role
    delegation: Delegation | None = None


def entitlement(actor: Actor, request: ApprovalRequest, subject: Subject) -> Entitlement:
    """Return how this actor may decide on a request: by a role of his own that is missing, else by a delegation.

    Raises SelfApproval for whoever has a part in the subject, Forbidden without a way to decide.
    """
    if actor.user_id is None or actor.is_service:
        raise Forbidden("Only a person can decide.")
    if refusal := part_in(subject, actor.user_id, actor.name, request=request, keeps=actor.grants.accounts):
        raise SelfApproval(refusal)
    project_id = subject.scope_project_id
    if Role.ML_ADMIN in actor.roles_on(project_id):
        raise Forbidden("An ML admin administers roles and accounts, so he decides on nothing.")
    if spoken := next((w for w in request.decisions.all() if actor.user_id in (w.decider_id, w.on_behalf_of_id)), None):
        # He was entitled when he spoke; that he has spoken is for the caller to say.
        return Entitlement(Role(spoken.role), spoken.delegation)
    needed = [need.role for need in Requirements.from_json(request.requirements).approvals]
    missing = {need.role for need in missing_approvals(request)}
    own = sorted(
        (actor.roles_on(project_id) & ROLES[Act.DECIDE]).intersection(needed), key=lambda role: role not in missing
    )
    if own and own[0] in missing:
        return Entitlement(own[0])
    for delegation in delegated_to(actor) if actor.roles_on(project_id) & ROLES[Act.DECIDE] else ():
        if delegation.role in missing and not _cannot_delegate(delegation, request, subject):
            return Entitlement(Role(delegation.role), delegation)
    if own:
        return Entitlement(own[0])
    raise Forbidden.for_act(Act.DECIDE.value, [role.label for role in dict.fromkeys(needed)])


def part_in(
    subject: Subject,
    user_id: int,
    name: str,
    *,
    request: ApprovalRequest | None = None,
    keeps: Collection[int] = (),
) -> str:
    """Say why a person has a part in a subject that bars him from deciding on it, "" when he has none.

    His part is having asked, having brought it in - also in AWS, by an identity linked to him - or, unless the
    setting PORTAL_MODIFIER_MAY_DECIDE says otherwise, having changed it last in AWS; and whatever a service account
    did that he keeps or kept (`keeps`).
    """
    if keeps and not involved(subject, request).isdisjoint(keeps):
        return "A service account that you answer or answered for has a part in this, so somebody else must decide."
    if request is not None and user_id == request.requester_id:
        return f"You asked for {request.public_id} yourself, so somebody else must decide."
    if user_id in (request.registrant_id if request else None, subject.registered_by_id):
        return "You brought this in yourself, so somebody else must decide."
    if not isinstance(subject, ModelVersion):
        return ""
    if user_id in (request.modifier_id if request else None, modifier_of(subject)):
        return "You changed this last in AWS, so somebody else must decide."
    if subject.registered_by_id is None and name == subject.registrant_name:
        return (
            f"It was registered in AWS by a session named {name}, which nobody has linked to a person yet."
            " An ML admin must say who that is, or somebody else must decide."
        )
    if (
        subject.modified_by_id is None
        and subject.changed_by_arn
        and name == subject.changer_name
        and not settings.PORTAL_MODIFIER_MAY_DECIDE
    ):
        return (
            f"It was changed last in AWS by a session named {name}, which nobody has linked to a person yet."
            " An ML admin must say who that is, or somebody else must decide."
        )
    return ""


def involved(subject: Subject, request: ApprovalRequest | None = None) -> set[int]:
    """Return the users, service accounts included, whose part in a subject bars them and their keepers."""
    found = {subject.registered_by_id, modifier_of(subject)}
    if request is not None:
        found |= {request.requester_id, request.registrant_id, request.modifier_id}
    return {pk for pk in found if pk is not None}


def modifier_of(subject: Subject) -> int | None:
    """Return the person whose change of a version in AWS bars him from deciding on it; None where none does."""
    if settings.PORTAL_MODIFIER_MAY_DECIDE or not isinstance(subject, ModelVersion):
        return None
    return subject.modified_by_id


def missing_approvals(request: ApprovalRequest, *given: Decision) -> tuple[ApprovalNeed, ...]:
    """Return the approvals a request still waits for, also after words just `given`.

    A delegate's word counts as the delegator's.
    """
    votes = [
        Vote(decision.on_behalf_of_id or decision.decider_id, Role(decision.role))
        for decision in (*request.decisions.all(), *given)
        if decision.verdict == Verdict.APPROVE
    ]
    return outstanding(Requirements.from_json(request.requirements).approvals, votes)


@dataclass(frozen=True)
class Signer:
    """Somebody who may sign, in his own name or (a delegate) in another's."""

    person: User
    in_the_name_of: User | None = None


def who_could_sign(
    subject: Subject, roles: Iterable[Role], *, request: ApprovalRequest | None = None
) -> dict[Role, tuple[Signer, ...]]:
    """Return by role who could sign about a subject now, by name; delegates after those they speak for.

    Left out is whom `entitlement` would refuse: who has a part in it, administers, or has spoken on the `request`.
    """
    wanted = list(dict.fromkeys(roles))
    if not wanted:
        return {}
    project_id = subject.scope_project_id
    admins = holders_on(Role.ML_ADMIN, project_id).order_by().values_list("pk", flat=True)
    # One question for both kinds of people who never decide here, whatever else they hold.
    never = set(admins.union(keepers_of(involved(subject, request))))
    spoken = {
        person
        for word in (request.decisions.all() if request else ())
        for person in (word.decider_id, word.on_behalf_of_id)
    }

    def barred(person: User) -> bool:
        return (
            person.pk in never
            or person.pk in spoken
            or bool(part_in(subject, person.pk, person.username, request=request))
        )

    signers = {
        role: {person.pk: person for person in holders_on(role, project_id) if not barred(person)} for role in wanted
    }
    lent = (
        Delegation.objects.in_force(timezone.now().date())
        .filter(role__in=wanted, delegator__in={pk for people in signers.values() for pk in people})
        .filter(Q(project=None) | Q(project_id=project_id))
        .select_related("delegate")
        .order_by("delegate__display_name", "pk")
    )
    lent_by = [row for row in lent if row.delegate.is_active and not barred(row.delegate)]
    # Only who decides here himself may do it for somebody else.
    deciding = set(holding(ROLES[Act.DECIDE], project_id).values_list("pk", flat=True)) if lent_by else set()
    return {
        role: (
            *map(Signer, people.values()),
            *(
                Signer(row.delegate, people[row.delegator_id])
                for row in lent_by
                if row.role == role and row.delegator_id in people
                if row.delegate_id in deciding and row.delegate_id not in people
            ),
        )
        for role, people in signers.items()
    }


def _cannot_delegate(delegation: Delegation, request: ApprovalRequest, subject: Subject) -> bool:
    """Whether the delegator's word is worth nothing here: another project, no role, a part in it, or given already."""
    delegator: User = delegation.delegator
    held = delegator.actor.roles_on(subject.scope_project_id)
    return bool(
        delegation.project_id not in (None, subject.scope_project_id)
        or delegation.role not in held
        or Role.ML_ADMIN in held
        or part_in(subject, delegator.pk, delegator.username, request=request, keeps=delegator.actor.grants.accounts)
        or any(delegator.pk in (word.decider_id, word.on_behalf_of_id) for word in request.decisions.all())
    )
