"""Delegations as their page and the API show them."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from portal.core.actors import Actor
from portal.core.permissions import ROLES, Act, may_anywhere
from portal.core.vocabulary import Role
from registry.models import Project, User

from ..models import Delegation


def register(actor: Actor) -> QuerySet[Any]:
    """Return the delegations an actor may see, newest first."""
    return Delegation.objects.visible_to(actor).select_related("delegator", "delegate", "project").order_by("-pk")


def oneself(actor: Actor) -> User:
    """Return the person an actor is."""
    return User.objects.get(pk=actor.user_id)


def delegators_for(actor: Actor) -> QuerySet[User]:
    """Return in whose name an actor may delegate: his own, and everybody's for those who administer access."""
    people = User.objects.people().filter(is_active=True).order_by("display_name", "username")
    return people if may_anywhere(actor, Act.MANAGE_ACCESS) else people.filter(pk=actor.user_id)


def stand_ins() -> QuerySet[User]:
    """Return the people who can sign in; who of them may stand in is the service's word."""
    return User.objects.people().filter(is_active=True).order_by("display_name", "username")


def roles_to_delegate(actor: Actor) -> list[Role]:
    """Return the deciding roles an actor could delegate: those he holds, all for those who administer access."""
    deciding = ROLES[Act.DECIDE]
    return sorted(deciding if may_anywhere(actor, Act.MANAGE_ACCESS) else actor.grants.anywhere & deciding)


def projects_for(actor: Actor) -> QuerySet[Any]:
    """Return the projects a delegation can be limited to."""
    return Project.objects.visible_to(actor).order_by("name")
