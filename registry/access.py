"""Whose roles reach where: the grants of a user, read from Django's and guardian's permission tables.

A role on a project is a guardian row `role_<role>` on that project; a role held everywhere is the Django
permission of the same name. Both can be given to a person or to a group of people.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from django.contrib.auth.models import Permission
from django.db.models import Q, QuerySet

from portal.core.actors import Grants
from portal.core.vocabulary import Role

if TYPE_CHECKING:
    from .models import User

ROLE_PREFIX = "role_"
VIEW_USE_CASE = "view_usecase"
VIEW_GROUP = "view_modelgroup"


def role_codename(role: Role) -> str:
    """Return the permission codename that stands for a role on a project."""
    return f"{ROLE_PREFIX}{role.value}"


def load_grants(user: User) -> Grants:
    """Return every role of a user in two queries. A superuser holds no role by being one."""
    if not user.is_active:
        return Grants()
    everywhere = (
        Permission.objects.filter(
            content_type__app_label="registry",
            content_type__model="project",
            codename__startswith=ROLE_PREFIX,
        )
        .filter(Q(user=user) | Q(group__user=user))
        .values_list("codename", flat=True)
    )
    direct = user.projectuserobjectpermission_set.filter(permission__codename__startswith=ROLE_PREFIX).values_list(
        "content_object_id", "permission__codename"
    )
    through_groups = (
        user.groups.filter(projectgroupobjectpermission__permission__codename__startswith=ROLE_PREFIX)
        .values_list(
            "projectgroupobjectpermission__content_object_id",
            "projectgroupobjectpermission__permission__codename",
        )
        .order_by()
    )
    by_project: dict[int, set[Role]] = defaultdict(set)
    for project_id, codename in direct.union(through_groups):
        by_project[project_id].add(Role(codename.removeprefix(ROLE_PREFIX)))
    return Grants(
        everywhere=frozenset(Role(codename.removeprefix(ROLE_PREFIX)) for codename in everywhere),
        by_project={project_id: frozenset(roles) for project_id, roles in by_project.items()},
    )


def shared_use_case_ids(user_id: int) -> QuerySet[Permission, int]:
    """Return the ids of use cases shown to one person or his groups without a role on their project."""
    return _granted_ids(user_id, "usecase", VIEW_USE_CASE)


def shared_group_ids(user_id: int) -> QuerySet[Permission, int]:
    """Return the ids of model groups shown to one person or his groups without a role on their project."""
    return _granted_ids(user_id, "modelgroup", VIEW_GROUP)


def _granted_ids(user_id: int, model: str, codename: str) -> QuerySet[Permission, int]:
    permission = Permission.objects.filter(content_type__app_label="registry", codename=codename)
    direct = f"{model}userobjectpermission"
    group = f"{model}groupobjectpermission"
    return (
        permission.filter(**{f"{direct}__user": user_id})
        .values_list(f"{direct}__content_object_id", flat=True)
        .union(
            permission.filter(**{f"{group}__group__user": user_id}).values_list(
                f"{group}__content_object_id", flat=True
            )
        )
    )
