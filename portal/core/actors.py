"""Who acts: a person with roles, or a named part of the system. Every service takes one, explicitly."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from .vocabulary import Role


@dataclass(frozen=True)
class Grants:
    """The roles of one actor, everywhere and per project id; and the use cases and groups shown to him by name.

    `accounts` are the service users he keeps or kept: what they did is his when it comes to deciding.
    """

    everywhere: frozenset[Role] = frozenset()
    by_project: Mapping[int, frozenset[Role]] = field(default_factory=dict)
    use_cases: frozenset[int] = frozenset()
    groups: frozenset[int] = frozenset()
    accounts: frozenset[int] = frozenset()

    def on(self, project_id: int | None) -> frozenset[Role]:
        """Return the roles held on a project; a thing without a project answers to global roles only."""
        if project_id is None:
            return self.everywhere
        return self.everywhere | self.by_project.get(project_id, frozenset())

    @property
    def anywhere(self) -> frozenset[Role]:
        """Every role held on anything."""
        return self.everywhere.union(*self.by_project.values())

    def within(self, projects: Iterable[int]) -> Grants:
        """Return what is left of these grants on some projects: no role beyond them, nothing shown by name.

        What bars him from deciding stays.
        """
        held = {project_id: self.on(project_id) for project_id in projects}
        return Grants(by_project={pk: roles for pk, roles in held.items() if roles}, accounts=self.accounts)


@dataclass(frozen=True)
class Bounds:
    """What the token an actor came with is held to; without a token, nothing. `projects` None are all of his."""

    is_token: bool = False
    is_read_only: bool = False
    projects: frozenset[int] | None = None
    until: datetime | None = None


UNBOUND = Bounds()


class Actor:
    """The one on whose word something happens.

    `name` is the username, or the system part ("sync", "outbox"); `user_id` is None for the system.
    The system sees everything and does the portal's own work, but can never decide; nor can a service account, for
    which only tokens speak. `bounds` are those of the token he came with: his grants lie within them already.
    """

    def __init__(
        self,
        *,
        name: str,
        user_id: int | None,
        load_grants: Callable[[], Grants] = Grants,
        is_service: bool = False,
        bounds: Bounds = UNBOUND,
    ) -> None:
        self.name = name
        self.user_id = user_id
        self.is_service = is_service
        self.bounds = bounds
        self._load_grants = load_grants
        # What was read once for this actor while he acts: he lives no longer than one request or task.
        self.memo: dict[str, Any] = {}

    @classmethod
    def system(cls, name: str) -> Actor:
        """Return the actor for one of the portal's own parts."""
        return cls(name=name, user_id=None)

    @property
    def is_system(self) -> bool:
        return self.user_id is None

    @property
    def label(self) -> str:
        """How the audit trail writes the actor: `user:model.owner` or `system:sync`."""
        return f"{'system' if self.is_system else 'user'}:{self.name}"

    @cached_property
    def grants(self) -> Grants:
        return self._load_grants()

    def roles_on(self, project_id: int | None) -> frozenset[Role]:
        """Return the roles this actor holds on a project."""
        return self.grants.on(project_id)

    def holds(self, role: Role) -> bool:
        """Whether this actor holds a role on anything at all (for menus, not for decisions)."""
        return role in self.grants.anywhere

    def holds_everywhere(self, *roles: Role) -> bool:
        """Whether this actor holds one of the roles globally."""
        return bool(self.grants.everywhere.intersection(roles))

    def __repr__(self) -> str:
        return f"<Actor {self.label}>"
