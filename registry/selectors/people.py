"""People as the admin console shows them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.contrib.auth.models import Group, Permission
from django.db.models import Count, OuterRef, Prefetch, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from ..access import ROLE_PREFIX, role_codename
from ..choices import Role
from ..models import (
    ModelGroup,
    Project,
    ProjectGroupObjectPermission,
    ProjectUserObjectPermission,
    UseCase,
    User,
)

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


def held_by_group(group: Group) -> list[HeldRole]:
    """Return every role of a group of people: everywhere first, then by project."""
    everywhere = Permission.objects.filter(_IS_ROLE, group=group)
    found = [HeldRole(_role(permission.codename), None) for permission in everywhere]
    by_project = ProjectGroupObjectPermission.objects.filter(permission__codename__startswith=ROLE_PREFIX, group=group)
    found += [
        HeldRole(_role(row.permission.codename), row.content_object) for row in by_project.select_related(*_PLACE)
    ]
    order = list(Role)
    return sorted(found, key=lambda held: (held.project.name if held.project else "", order.index(held.role)))


def people_of(group: Group) -> QuerySet[User]:
    """Return who is in a group, also those who are switched off, by name."""
    return User.objects.filter(groups=group).order_by("display_name", "username")


def groups_with_people(groups: QuerySet[Group]) -> QuerySet[Group]:
    """Return groups with `people`, how many are in each, whose `permissions` hold the roles given everywhere."""
    roles = Prefetch("permissions", queryset=Permission.objects.filter(_IS_ROLE))
    # A count over the join would shrink to those a search finds.
    members = User.groups.through.objects.filter(group=OuterRef("pk")).order_by().values("group")
    counted = Subquery(members.values_list(Count("pk")))
    return groups.annotate(people=Coalesce(counted, 0)).prefetch_related(roles)


def groups_holding(groups: QuerySet[Group], role: Role) -> QuerySet[Group]:
    """Return those that give a role, everywhere or on a project."""
    codename = role_codename(role)
    return groups.filter(
        Q(permissions__codename=codename) | Q(projectgroupobjectpermission__permission__codename=codename)
    ).distinct()


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


def holding(roles: Collection[Role], project_id: int | None) -> QuerySet[User]:
    """Return the active people who hold one of the roles on a project or everywhere; without a project, everywhere."""
    named = {"codename__in": [role_codename(role) for role in roles]}
    given = Permission.objects.filter(_IS_ROLE, **named)
    who = Q(pk__in=given.values("user")) | Q(groups__in=given.values("group"))
    if project_id is not None:
        there = {"content_object_id": project_id, "permission__in": given}
        who |= Q(pk__in=ProjectUserObjectPermission.objects.filter(**there).values("user"))
        who |= Q(groups__in=ProjectGroupObjectPermission.objects.filter(**there).values("group"))
    found = User.objects.filter(who).values("pk")
    return User.objects.people().filter(pk__in=found, is_active=True).order_by("pk")


def holders_on(role: Role, project_id: int | None) -> QuerySet[User]:
    """Return the active people who hold a role on a project or (also without one) everywhere, by name."""
    codename = role_codename(role)
    held = Q(user_permissions__codename=codename) | Q(groups__permissions__codename=codename)
    if project_id is not None:
        for path in ("projectuserobjectpermission", "groups__projectgroupobjectpermission"):
            held |= Q(**{f"{path}__permission__codename": codename, f"{path}__content_object": project_id})
    found = User.objects.people().filter(held, is_active=True).values("pk")
    return User.objects.filter(pk__in=found).order_by("display_name", "username", "pk")


_PLACE = ("permission", "content_object")


def _role(codename: str) -> Role:
    return Role(codename.removeprefix(ROLE_PREFIX))


@dataclass(frozen=True)
class Holder:
    """One person and every role he holds on a project, his own first; `everywhere` are those he holds on all."""

    person: User
    roles: tuple[Role, ...]
    everywhere: frozenset[Role]
    through: tuple[str, ...]


def who_works_on(project: Project) -> list[Holder]:
    """Return the active people with a role on a project or everywhere, by name, in four queries."""
    held: dict[int, dict[Role, bool]] = {}
    through: dict[int, set[str]] = {}

    def note(user_id: int, codename: str, *, everywhere: bool, name: str = "") -> None:
        role, roles = _role(codename), held.setdefault(user_id, {})
        roles[role] = roles.get(role, False) or everywhere
        if name:
            through.setdefault(user_id, set()).add(name)

    by_project = Q(permission__codename__startswith=ROLE_PREFIX, content_object=project)
    own = ProjectUserObjectPermission.objects.filter(by_project)
    for user_id, codename in own.values_list("user_id", "permission__codename"):
        note(user_id, codename, everywhere=False)
    shared = ProjectGroupObjectPermission.objects.filter(by_project, group__user__is_active=True)
    for user_id, codename, name in shared.values_list("group__user", "permission__codename", "group__name"):
        note(user_id, codename, everywhere=False, name=name)
    everywhere = Permission.objects.filter(_IS_ROLE)
    for user_id, codename in everywhere.filter(user__is_active=True).values_list("user", "codename"):
        note(user_id, codename, everywhere=True)
    grouped = everywhere.filter(group__user__is_active=True)
    for user_id, codename, name in grouped.values_list("group__user", "codename", "group__name"):
        note(user_id, codename, everywhere=True, name=name)
    order = list(Role)
    users = User.objects.filter(pk__in=held, is_active=True).order_by("display_name", "username")
    return [
        Holder(
            person=user,
            roles=tuple(sorted(held[user.pk], key=order.index)),
            everywhere=frozenset(role for role, is_everywhere in held[user.pk].items() if is_everywhere),
            through=tuple(sorted(through.get(user.pk, ()))),
        )
        for user in users
    ]


def shown_use_case(use_case: UseCase) -> list[User]:
    """Return the active people to whom a use case is shown by name, themselves or through a group, by name."""
    return _shown("usecase", use_case.pk)


def shown_group(group: ModelGroup) -> list[User]:
    """Return the active people to whom a model group is shown by name, themselves or through a group, by name."""
    return _shown("modelgroup", group.pk)


def _shown(model: str, pk: int) -> list[User]:
    codename = f"view_{model}"
    direct = Q(
        **{
            f"{model}userobjectpermission__content_object": pk,
            f"{model}userobjectpermission__permission__codename": codename,
        }
    )
    through = Q(
        **{
            f"groups__{model}groupobjectpermission__content_object": pk,
            f"groups__{model}groupobjectpermission__permission__codename": codename,
        }
    )
    found = User.objects.filter(direct | through, is_active=True).values("pk")
    return list(User.objects.filter(pk__in=found).order_by("display_name", "username"))
