"""People as the admin console shows them."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.models import Permission
from django.db.models import Prefetch, Q, QuerySet

from ..access import ROLE_PREFIX, role_codename
from ..choices import Role
from ..models import Project, ProjectGroupObjectPermission, ProjectUserObjectPermission, User

_IS_ROLE = Q(content_type__app_label="registry", content_type__model="project", codename__startswith=ROLE_PREFIX)


@dataclass(frozen=True)
class HeldRole:
    """One role of a person: on a project or (None) everywhere; `through` names the group of people that gives it."""

    role: Role
    project: Project | None
    through: str = ""


def held_roles(user: User) -> list[HeldRole]:
    """Return every role of a person with where it comes from: everywhere first, then by project."""
    everywhere = Permission.objects.filter(_IS_ROLE)
    found = [HeldRole(_role(permission.codename), None) for permission in everywhere.filter(user=user)]
    for codename, group in everywhere.filter(group__user=user).values_list("codename", "group__name"):
        found.append(HeldRole(_role(codename), None, group))
    by_project = Q(permission__codename__startswith=ROLE_PREFIX)
    for own in ProjectUserObjectPermission.objects.filter(by_project, user=user).select_related(*_PLACE):
        found.append(HeldRole(_role(own.permission.codename), own.content_object))
    for shared in ProjectGroupObjectPermission.objects.filter(by_project, group__user=user).select_related(
        *_PLACE, "group"
    ):
        found.append(HeldRole(_role(shared.permission.codename), shared.content_object, shared.group.name))
    order = list(Role)
    return sorted(found, key=lambda held: (held.project.name if held.project else "", order.index(held.role)))


def with_roles_everywhere(people: QuerySet[User]) -> QuerySet[User]:
    """Return people whose `user_permissions` hold the roles given to them everywhere, read at once."""
    return people.prefetch_related(Prefetch("user_permissions", queryset=Permission.objects.filter(_IS_ROLE)))


def holders_of(people: QuerySet[User], role: Role) -> QuerySet[User]:
    """Return those who hold a role anywhere: themselves or through a group of people."""
    codename = role_codename(role)
    return people.filter(
        Q(user_permissions__codename=codename)
        | Q(groups__permissions__codename=codename)
        | Q(projectuserobjectpermission__permission__codename=codename)
        | Q(groups__projectgroupobjectpermission__permission__codename=codename)
    ).distinct()


_PLACE = ("permission", "content_object")


def _role(codename: str) -> Role:
    return Role(codename.removeprefix(ROLE_PREFIX))
