"""People and groups of people as the REST API lists them, for those who manage access."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib.auth.models import Group
from django.db.models import Count, Prefetch, Q, QuerySet

from portal.core.actors import Actor
from portal.core.errors import NotFound
from portal.core.permissions import Act, require, require_anywhere

from ..access import ROLE_PREFIX
from ..choices import Role
from ..models import (
    ApiToken,
    AwsIdentity,
    LineOfBusiness,
    ProjectGroupObjectPermission,
    ProjectUserObjectPermission,
    User,
)
from ..querysets import in_projects
from .catalogue import visible_projects
from .people import HeldRole, groups_with_people, held_roles, holders_of, with_roles_everywhere

_IS_ROLE = Q(permission__codename__startswith=ROLE_PREFIX)
_WHERE = ("permission", "content_object")


def people(actor: Actor) -> QuerySet[User]:
    """Return everybody with his identities, groups and own roles, as far as the actor sees the projects they are on.

    Raises Forbidden for who manages access nowhere.
    """
    require_anywhere(actor, Act.MANAGE_ACCESS)
    granted = ProjectUserObjectPermission.objects.filter(_IS_ROLE, _seen_by(actor)).select_related(*_WHERE)
    granted = granted.order_by("pk")
    return with_roles_everywhere(User.objects.people()).prefetch_related(
        Prefetch("aws_identities", AwsIdentity.objects.order_by("arn")),
        Prefetch("groups", Group.objects.order_by("name")),
        Prefetch("projectuserobjectpermission_set", granted),
    )


def roles_held_by(actor: Actor, person: User) -> list[HeldRole]:
    """Return every role of a person, everywhere and on the projects the actor sees, with where it comes from."""
    seen = set(visible_projects(actor).values_list("pk", flat=True))
    return [role for role in held_roles(person) if role.project is None or role.project.pk in seen]


def _seen_by(actor: Actor) -> Q:
    """Return the filter for roles on projects the actor sees: who manages access on one does not know all others."""
    return in_projects(actor, "content_object_id") or Q()


def holding_anywhere(roles: Iterable[Role]) -> set[int]:
    """Return the keys of everybody who holds one of these roles anywhere, himself or through a group of people."""
    return {pk for role in roles for pk in holders_of(User.objects.all(), role).values_list("pk", flat=True)}


def groups_of_people(actor: Actor) -> QuerySet[Group]:
    """Return every group of people with who is in it, and its roles as `people` does. Raises Forbidden likewise."""
    require_anywhere(actor, Act.MANAGE_ACCESS)
    granted = ProjectGroupObjectPermission.objects.filter(_IS_ROLE, _seen_by(actor)).select_related(*_WHERE)
    granted = granted.order_by("pk")
    return groups_with_people(Group.objects.all()).prefetch_related(
        Prefetch("user_set", User.objects.order_by("username")),
        Prefetch("projectgroupobjectpermission_set", granted),
    )


def identities(actor: Actor) -> list[str]:
    """Return the ARNs of the AWS principals that are the same person as the actor."""
    if actor.user_id is None:
        return []
    return list(AwsIdentity.objects.filter(user_id=actor.user_id).order_by("arn").values_list("arn", flat=True))


def tokens_of(actor: Actor, person: User) -> list[ApiToken]:
    """Return a person's API tokens, newest first. Raises Forbidden for who does not manage access everywhere."""
    require(actor, Act.MANAGE_ACCESS)
    return list(ApiToken.objects.filter(user=person).order_by("-created", "token_key"))


def token_of(actor: Actor, person: User, token_key: str) -> ApiToken:
    """Return one of a person's API tokens by how it begins. Raises Forbidden, as `tokens_of`, NotFound."""
    found = next((token for token in tokens_of(actor, person) if token.token_key == token_key), None)
    if found is None:
        raise NotFound("There is no such token of this person.")
    return found


def identity_of(person: User, pk: int) -> AwsIdentity:
    """Return one AWS identity of a person. Raises NotFound."""
    found = AwsIdentity.objects.filter(user=person, pk=pk).first()
    if found is None:
        raise NotFound("There is no such AWS identity of this person.")
    return found


def person_called(username: str) -> User | None:
    """Return a person by sign-in name, also one who is switched off."""
    return User.objects.people().filter(username=username).first()


def lines_of_business(actor: Actor) -> QuerySet[LineOfBusiness]:
    """Return the lines of business, each with `project_count`: how many of its projects the actor sees."""
    seen = Count("projects", filter=Q(projects__in=visible_projects(actor).values("pk")), distinct=True)
    return LineOfBusiness.objects.visible_to(actor).annotate(project_count=seen)


def line_called(name: str) -> LineOfBusiness | None:
    """Return a line of business by its name."""
    return LineOfBusiness.objects.filter(name=name).first()
