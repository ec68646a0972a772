"""Delegations: a deciding role put into another's hands for some days, and taken back."""

from __future__ import annotations

from datetime import date, timedelta

from django.utils import timezone

from portal.core import access
from portal.core.actors import Actor
from portal.core.errors import Forbidden, InvalidInput, NotFound, WrongState
from portal.core.operations import operation
from portal.core.permissions import ROLES, Act, may, require_anywhere
from portal.core.vocabulary import NotificationKind, Role
from registry.models import Project, User

from ..models import Delegation
from .notifications import tell

LONGEST = timedelta(days=90)


def delegate(
    *,
    actor: Actor,
    delegator: User,
    to: User,
    role: Role,
    project: Project | None,
    starts_on: date,
    ends_on: date,
    reason: str,
) -> Delegation:
    """Let `to` decide in the delegator's name and role, on one project or wherever he holds it, from day to day (UTC).

    One delegates one's own role; an ML admin may do it for somebody who is away. The delegate must hold
    a deciding role there himself - who may never decide does not by delegation - and may not be the delegator, nor pass
    it on. With a token that is held to some projects, one delegates on these only.
    Raises Forbidden, InvalidInput naming the fields.
    """
    with operation(actor, reason or "delegate"):
        require_anywhere(actor, Act.DELEGATE)
        if actor.user_id != delegator.pk and not may(actor, Act.MANAGE_ACCESS, project.pk if project else None):
            raise Forbidden("One delegates one's own role. An ML admin may do it for somebody who is away.")
        problems = _problems(delegator, to, role, project, starts_on, ends_on, reason)
        within = actor.bounds.projects
        if within is not None and (project is None or project.pk not in within):
            problems["project"] = ["This token is held to some projects: name one of them."]
        if problems:
            raise InvalidInput("This cannot be delegated.", errors=problems)
        row = Delegation.objects.create(
            delegator=delegator,
            delegate=to,
            role=role,
            project=project,
            starts_on=starts_on,
            ends_on=ends_on,
            reason=reason.strip(),
            made_by=actor.name,
        )
        tell(NotificationKind.DELEGATION_BEGINS, key=f"delegation:{row.pk}:made", about=row, actor=actor)
        return row


def revoke(*, actor: Actor, delegation_id: int) -> Delegation:
    """End a delegation now; what was decided under it stands. The delegator, the delegate or an ML admin may.

    Raises NotFound, Forbidden, WrongState when it is revoked or over.
    """
    with operation(actor, "revoke delegation"):
        seen = access.get(Delegation, actor, pk=delegation_id)
        row = Delegation.objects.select_for_update(of=("self",)).filter(pk=seen.pk).first()
        if row is None:
            raise NotFound("There is no such delegation.")
        own = actor.user_id in (row.delegator_id, row.delegate_id)
        if not own and not may(actor, Act.MANAGE_ACCESS, row.project_id):
            raise Forbidden("Only the two people of a delegation or an ML admin may revoke it.")
        if row.revoked_at is not None or row.ends_on < timezone.now().date():
            raise WrongState("This delegation is over already.")
        row.revoked_at, row.revoked_by = timezone.now(), actor.name
        row.save(update_fields=["revoked_at", "revoked_by"])
        tell(NotificationKind.DELEGATION_ENDS, key=f"delegation:{row.pk}:revoked", about=row, actor=actor)
        return row


def _problems(
    delegator: User, to: User, role: Role, project: Project | None, starts_on: date, ends_on: date, reason: str
) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    held = delegator.actor.roles_on(project.pk) if project else delegator.actor.grants.anywhere
    if role not in ROLES[Act.DECIDE]:
        found["role"] = ["Only a role that decides can be delegated."]
    elif role not in held:
        found["role"] = [f"{delegator.username} does not hold the role {role.label.lower()} there."]
    if problem := _stand_in_problem(delegator, to, project):
        found["delegate"] = [problem]
    if ends_on < starts_on:
        found["ends_on"] = ["It must end on the day it starts, or later."]
    elif ends_on < timezone.now().date():
        found["ends_on"] = ["This day has passed."]
    elif ends_on - starts_on > LONGEST:
        found["ends_on"] = [f"A delegation lasts at most {LONGEST.days} days."]
    if not reason.strip():
        found["reason"] = ["Say why."]
    return found


def _stand_in_problem(delegator: User, to: User, project: Project | None) -> str:
    held = to.actor.roles_on(project.pk) if project else to.actor.grants.anywhere
    if to.pk == delegator.pk:
        return "Somebody else must stand in."
    if to.is_service:
        return f"{to.username} is a service account, which decides nothing."
    if not to.is_active:
        return f"{to.username} cannot sign in."
    if not held & ROLES[Act.DECIDE]:
        return f"{to.username} holds no role there that decides, and a delegation does not make him one who does."
    if Role.ML_ADMIN in held:
        return "An ML admin administers roles and accounts, so he decides on nothing."
    return ""
