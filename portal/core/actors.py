"""Who acts: a person with roles, or a named part of the system. Every service takes one, explicitly."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from .vocabulary import Role


@dataclass(frozen=True)
class Grants:
    """The roles of one actor, everywhere and per project id; and the use cases and groups shown to him by name."""

    everywhere: frozenset[Role] = frozenset()
    by_project: Mapping[int, frozenset[Role]] = field(default_factory=dict)
    use_cases: frozenset[int] = frozenset()
    groups: frozenset[int] = frozenset()

    def on(self, project_id: int | None) -> frozenset[Role]:
        """Return the roles held on a project; a thing without a project answers to global roles only."""
        if project_id is None:
            return self.everywhere
        return self.everywhere | self.by_project.get(project_id, frozenset())

    @property
    def anywhere(self) -> frozenset[Role]:
        """Every role held on anything."""
        return self.everywhere.union(*self.by_project.values())


class Actor:
    """The one on whose word something happens.

    `name` is the username, or the system part ("sync", "outbox"); `user_id` is None for the system.
    The system sees everything and does the portal's own work, but can never decide.
    """

    def __init__(self, *, name: str, user_id: int | None, load_grants: Callable[[], Grants] = Grants) -> None:
        self.name = name
        self.user_id = user_id
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
