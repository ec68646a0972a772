"""Whose roles reach where: the grants of a user, read from Django's and guardian's permission tables.

A role on a project is a guardian row `role_<role>` on that project; a role held everywhere is the Django
permission of the same name. Both can be given to a person or to a group of people.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from django.db import connection

from portal.core.actors import Grants
from portal.core.vocabulary import Role

if TYPE_CHECKING:
    from .models import User

ROLE_PREFIX = "role_"
VIEW_USE_CASE = "view_usecase"
VIEW_GROUP = "view_modelgroup"

# Everything somebody was granted, in one question: it stands before every page and every call. A role held everywhere
# has no object; what is shown by name is a permission to view one use case or one group.
_GRANTED = """
WITH permission AS (
  SELECT p.id, p.codename FROM auth_permission p JOIN django_content_type t ON t.id = p.content_type_id
   WHERE t.app_label = 'registry'
     AND (t.model = 'project' AND starts_with(p.codename, %(role)s) OR p.codename IN (%(use_case)s, %(group)s))
), circle AS (SELECT group_id FROM registry_user_groups WHERE user_id = %(user)s),
granted AS (
  SELECT g.permission_id, NULL::bigint AS object_id FROM registry_user_user_permissions g WHERE g.user_id = %(user)s
  UNION ALL
  SELECT g.permission_id, NULL FROM auth_group_permissions g JOIN circle USING (group_id)
  UNION ALL
  SELECT g.permission_id, g.content_object_id FROM registry_projectuserobjectpermission g WHERE g.user_id = %(user)s
  UNION ALL
  SELECT g.permission_id, g.content_object_id FROM registry_projectgroupobjectpermission g JOIN circle USING (group_id)
  UNION ALL
  SELECT g.permission_id, g.content_object_id FROM registry_usecaseuserobjectpermission g WHERE g.user_id = %(user)s
  UNION ALL
  SELECT g.permission_id, g.content_object_id FROM registry_usecasegroupobjectpermission g JOIN circle USING (group_id)
  UNION ALL
  SELECT g.permission_id, g.content_object_id FROM registry_modelgroupuserobjectpermission g WHERE g.user_id = %(user)s
  UNION ALL
  SELECT g.permission_id, g.content_object_id FROM registry_modelgroupgroupobjectpermission g
    JOIN circle USING (group_id)
)
SELECT DISTINCT permission.codename, granted.object_id FROM granted JOIN permission ON permission.id = permission_id
"""


def role_codename(role: Role) -> str:
    """Return the permission codename that stands for a role on a project."""
    return f"{ROLE_PREFIX}{role.value}"


def load_grants(user: User) -> Grants:
    """Return every role of a user, and what is shown to him by name, in one query.

    A superuser holds no role by being one, and who is not active holds nothing.
    """
    if not user.is_active:
        return Grants()
    parameters: dict[str, int | str] = {
        "user": user.pk,
        "role": ROLE_PREFIX,
        "use_case": VIEW_USE_CASE,
        "group": VIEW_GROUP,
    }
    everywhere: set[Role] = set()
    by_project: dict[int, set[Role]] = defaultdict(set)
    shown: dict[str, set[int]] = {VIEW_USE_CASE: set(), VIEW_GROUP: set()}
    with connection.cursor() as cursor:
        cursor.execute(_GRANTED, parameters)
        for codename, object_id in cursor.fetchall():
            if codename in shown:
                # Without an object it is a permission of Django's own console, which the portal does not ask.
                shown[codename] |= {object_id} - {None}
            elif object_id is None:
                everywhere.add(Role(codename.removeprefix(ROLE_PREFIX)))
            else:
                by_project[object_id].add(Role(codename.removeprefix(ROLE_PREFIX)))
    return Grants(
        everywhere=frozenset(everywhere),
        by_project={project_id: frozenset(roles) for project_id, roles in by_project.items()},
        use_cases=frozenset(shown[VIEW_USE_CASE]),
        groups=frozenset(shown[VIEW_GROUP]),
    )
