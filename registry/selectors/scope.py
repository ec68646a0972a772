"""Where an actor may do something: filters for choices in forms and for what to do next. They hide; services decide."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from portal.core.actors import Actor
from portal.core.permissions import ROLES, Act

from ..models import Project, UseCase, User


def where_may(actor: Actor, act: Act, path: str) -> Q:
    """Return the filter for rows whose project (at `path`) is one where the actor may do this."""
    if actor.is_system or actor.holds_everywhere(*ROLES[act]):
        return Q()
    return Q(**{f"{path}__in": [pk for pk, roles in actor.grants.by_project.items() if roles & ROLES[act]]})


def of_projects(project: int | None, line_of_business: int | None, *paths: str) -> Q:
    """Return the filter for rows one of whose projects (at `paths`) is this one and belongs to this line of business.

    Lists and figures narrow their rows by the same one, so a number and the list behind it agree.
    """
    found = Q()
    for name, value in (("", project), ("__line_of_business", line_of_business)):
        if value is not None:
            either = Q()
            for path in paths:
                either |= Q(**{f"{path}{name}": value})
            found &= either
    return found


def projects_with_lines(actor: Actor) -> list[Project]:
    """Return the projects an actor may see with their lines of business, by name; one query."""
    return list(Project.objects.visible_to(actor).select_related("line_of_business").order_by("name", "pk"))


def projects_where(actor: Actor, act: Act) -> QuerySet[Project]:
    """Return the visible projects on which the actor may do this, by name."""
    rows = Project.objects.visible_to(actor).filter(where_may(actor, act, "pk"))
    return rows.select_related("line_of_business").order_by("name", "pk")


def people_of(projects: QuerySet[Project]) -> QuerySet[User]:
    """Return the active people who hold a role on one of the projects, or everywhere, by name."""
    ids = list(projects.values_list("pk", flat=True))
    role = "codename__startswith"
    on_project = Q(
        **{
            "projectuserobjectpermission__content_object__in": ids,
            f"projectuserobjectpermission__permission__{role}": "role_",
        }
    ) | Q(groups__projectgroupobjectpermission__content_object__in=ids)
    everywhere = Q(**{f"user_permissions__{role}": "role_"}) | Q(**{f"groups__permissions__{role}": "role_"})
    found = User.objects.filter(on_project | everywhere).values("pk")
    return User.objects.people().filter(pk__in=found, is_active=True).order_by("display_name", "username")


def use_cases_of(projects: QuerySet[Project]) -> QuerySet[UseCase]:
    """Return the use cases of the projects that are not retired, by number."""
    return UseCase.objects.active().filter(project__in=projects).select_related("project").order_by("number")
