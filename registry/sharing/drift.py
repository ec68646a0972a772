"""Compare what is declared to be shared with what RAM says, and name every difference."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_THERE = frozenset({"ASSOCIATED", "ASSOCIATING"})
_LIVE = frozenset({"PENDING", "ACTIVE"})


@dataclass(frozen=True, slots=True)
class Declared:
    """What is wanted: the share's name, its groups' ARNs, principals, and permission."""

    name: str
    groups: frozenset[str]
    principals: frozenset[str]
    permission_arn: str
    allows_external: bool


@dataclass(frozen=True, slots=True)
class InRam:
    """What RAM says; `principals` with the state of each."""

    state: str
    name: str
    groups: frozenset[str]
    principals: Mapping[str, str]
    permission_arns: frozenset[str]
    allows_external: bool

    @property
    def is_settled(self) -> bool:
        """Whether everybody who is let in has accepted, and nothing is on its way."""
        there = [status for status in self.principals.values() if status in _THERE]
        return self.state == "ACTIVE" and all(status == "ASSOCIATED" for status in there)


def differences(declared: Declared, found: InRam | None) -> tuple[str, ...]:
    """Return every difference in plain words, "" for none: what is missing in RAM, and what is there undeclared."""
    return tuple(_differences(declared, found))


def _differences(declared: Declared, found: InRam | None) -> Iterator[str]:
    if found is None or found.state not in _LIVE:
        yield (
            "RAM could not make this share." if found and found.state == "FAILED" else "RAM has no such share any more."
        )
        return
    for arn in sorted(declared.groups - found.groups):
        yield f"The model group {_last(arn)} is declared, but RAM does not share it."
    for arn in sorted(found.groups - declared.groups):
        yield f"RAM shares {_last(arn)}, which is not declared."
    there = {principal for principal, status in found.principals.items() if status in _THERE}
    for principal in sorted(declared.principals - there):
        status = found.principals.get(principal, "")
        yield f"{_who(principal)} is declared, but not let in{f' (RAM says {status})' if status else ''}."
    for principal in sorted(there - declared.principals):
        yield f"{_who(principal)} is let in, but not declared."
    for arn in sorted(found.permission_arns - {declared.permission_arn}):
        yield f"RAM shares under the permission {_last(arn)}, which is not declared."
    if declared.permission_arn not in found.permission_arns:
        yield f"The permission {_last(declared.permission_arn) or 'declared'} is not the one RAM shares under."
    if found.allows_external != declared.allows_external:
        yield (
            "RAM lets principals outside of the organisation be added, which is not declared."
            if found.allows_external
            else "Principals outside of the organisation are declared to be allowed, but RAM refuses them."
        )
    if found.name != declared.name:
        yield f"RAM calls the share {found.name}, declared is {declared.name}."


def _last(arn: str) -> str:
    return arn.rsplit("/", 1)[-1]


def _who(principal: str) -> str:
    return f"The account {principal}" if principal.isdecimal() else principal
