"""Refusals with a name. A surface turns `status` into its own language and never invents a rule.

Each says what was refused and what to do; nothing has been changed when one is raised, but for those that say so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar


class DomainError(Exception):
    """The base: `code` is stable and machine-readable, `title` is for people, `detail` says what to do."""

    code: ClassVar[str] = "refused"
    title: ClassVar[str] = "The portal refused this"
    status: ClassVar[int] = 409
    # Whether what was found out on the way was written down, so that the transaction around it must not undo it.
    is_recorded: ClassVar[bool] = False

    def __init__(self, detail: str, *, errors: Mapping[str, Sequence[str]] | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors: dict[str, list[str]] = {name: list(texts) for name, texts in (errors or {}).items()}


class NotFound(DomainError):
    """What one may not see does not exist for him."""

    code = "not-found"
    title = "Not found"
    status = 404


class Forbidden(DomainError):
    """Visible, but not his to do."""

    code = "forbidden"
    title = "Not allowed"
    status = 403

    @classmethod
    def for_act(cls, act: str, roles: Sequence[str]) -> Forbidden:
        """Return the refusal that names the act and the roles that may do it."""
        words = [role if role.startswith("ML") else role.lower() for role in roles]
        who = " or ".join([*([", ".join(words[:-1])] if len(words) > 1 else []), *words[-1:]])
        return cls(f"You may not {act}. This needs the role {who}.")


class InvalidInput(DomainError):
    """What was sent cannot be used; `errors` names the fields."""

    code = "invalid-input"
    title = "The input is not valid"
    status = 400


class WrongState(DomainError):
    """A legal act at the wrong moment."""

    code = "wrong-state"
    title = "Not possible now"
    status = 409


class StaleEdit(DomainError):
    """Somebody changed it since it was read."""

    code = "stale-edit"
    title = "Changed meanwhile"
    status = 412


class Unavailable(DomainError):
    """Something outside did not answer; nothing was lost."""

    code = "unavailable"
    title = "Temporarily unavailable"
    status = 503
