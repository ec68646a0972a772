"""Whose roles reach where: the grants of a user, read from Django's and guardian's permission tables.

A role on a project is a guardian row `role_<role>` on that project; a role held everywhere is the Django
permission of the same name. Both can be given to a person or to a group of people.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.db import connection

from portal.core.actors import Grants
from portal.core.permissions import SERVICE_ROLES
from portal.core.vocabulary import Role

if TYPE_CHECKING:
    from .models import User

ROLE_PREFIX = "role_"
VIEW_USE_CASE = "view_usecase"
VIEW_GROUP = "view_modelgroup"

# What registry_grants says of a service user that somebody keeps or kept.
_KEEPS = "keeps"


def role_codename(role: Role) -> str:
    """Return the permission codename that stands for a role on a project."""
    return f"{ROLE_PREFIX}{role.value}"


_ROLES = {role_codename(role): role for role in Role}


def load_grants(user: User) -> Grants:
    """Return every role of a user, and what is shown to him by name, in one query.

    A superuser holds no role by being one, and who is not active holds nothing.
    """
    if not user.is_active:
        return Grants()
    with connection.cursor() as cursor:
        cursor.execute("SELECT registry_grants(%s)", [user.pk])
        found = cursor.fetchone()
    return grants_from(found[0] if found else (), is_service=user.is_service)


def grants_from(rows: Iterable[tuple[str, int | None]], *, is_service: bool = False) -> Grants:
    """Return the grants that `registry_grants` told, as pairs of a codename and the object it is about.

    A service account has no role that decides or gives roles, whatever its rows say.
    """
    everywhere: set[Role] = set()
    by_project: dict[int, set[Role]] = {}
    shown: dict[str, set[int]] = {VIEW_USE_CASE: set(), VIEW_GROUP: set(), _KEEPS: set()}
    for codename, object_id in rows:
        role = _ROLES.get(codename)
        if role is None:
            # Without an object it is a permission of Django's own console, which the portal does not ask.
            if object_id is not None:
                shown[codename].add(object_id)
        elif is_service and role not in SERVICE_ROLES:
            continue
        elif object_id is None:
            everywhere.add(role)
        else:
            by_project.setdefault(object_id, set()).add(role)
    return Grants(
        everywhere=frozenset(everywhere),
        by_project={project_id: frozenset(roles) for project_id, roles in by_project.items()},
        use_cases=frozenset(shown[VIEW_USE_CASE]),
        groups=frozenset(shown[VIEW_GROUP]),
        accounts=frozenset(shown[_KEEPS]),
    )
