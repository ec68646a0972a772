"""People with roles."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count

from portal.core.actors import Actor
from portal.core.vocabulary import Role
from registry.models import Project, User
from registry.services import people

SYSTEM = Actor.system("test")
PASSWORD = "correct horse battery"
_numbers = count(1)


def person(*roles: Role, project: Project | None = None, name: str = "") -> User:
    """Create a person who holds these roles on a project, or everywhere without one."""
    user = people.create_person(
        actor=SYSTEM,
        username=name or f"{(roles[0].value if roles else 'nobody')}.{next(_numbers)}",
        display_name="",
        password=PASSWORD,
    )
    for role in roles:
        people.grant(actor=SYSTEM, role=role, to=user, project=project)
    return User.objects.get(pk=user.pk)


@dataclass(frozen=True)
class Cast:
    """One person per role on a project, a second officer, and a stranger with every role elsewhere."""

    scientist: User
    owner: User
    engineer: User
    officer: User
    second_officer: User
    admin: User
    auditor: User
    stranger: User


def cast(project: Project, elsewhere: Project) -> Cast:
    """Create the people of a project. The admin holds his role everywhere, as he must to run accounts."""
    return Cast(
        scientist=person(Role.DATA_SCIENTIST, project=project),
        owner=person(Role.MODEL_OWNER, project=project),
        engineer=person(Role.ML_ENGINEER, project=project),
        officer=person(Role.GOVERNANCE_OFFICER, project=project),
        second_officer=person(Role.GOVERNANCE_OFFICER, project=project),
        admin=person(Role.ML_ADMIN),
        auditor=person(Role.AUDITOR, project=project),
        stranger=person(
            Role.DATA_SCIENTIST, Role.MODEL_OWNER, Role.ML_ENGINEER, Role.GOVERNANCE_OFFICER, project=elsewhere
        ),
    )
