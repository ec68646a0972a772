"""What keeps a command from its answer: the portal's problem document, or the like for what never reached it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


class Failure(Exception):
    """A command ends with this, in the words of a problem document (RFC 9457); its exit code is 2, always."""

    def __init__(
        self,
        title: str,
        detail: str = "",
        *,
        status: int | None = None,
        code: str = "",
        errors: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        super().__init__(title)
        self.title, self.detail, self.status, self.code = title, detail, status, code
        self.errors = {str(name): [str(text) for text in texts] for name, texts in (errors or {}).items()}

    def document(self) -> dict[str, Any]:
        """Return it as one JSON object; `status` and `code` are absent where no portal gave them."""
        given = {"status": self.status, "code": self.code or None}
        return {
            "title": self.title,
            "detail": self.detail,
            **{name: value for name, value in given.items() if value is not None},
            "errors": self.errors,
        }

    def lines(self) -> list[str]:
        """Return it for people: what, why, and every field that is wrong."""
        named = " ".join(str(part) for part in (self.status, self.code) if part)
        found = [f"governance: {self.title}{f' ({named})' if named else ''}"]
        found += [f"  {line}" for line in self.detail.splitlines()]
        for name, texts in self.errors.items():
            found += [f"  {name}: {text}" for text in texts]
        return found


def unreadable(what: str, why: str) -> Failure:
    """Return the refusal of an answer that is not what the API promises: nothing is concluded from it."""
    return Failure(f"{what} cannot be read", f"{why} Is the address that of a Model Governance Portal?")
