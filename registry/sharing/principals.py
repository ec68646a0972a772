"""Who stands behind a principal of a RAM share: an account, a role of one, an organisation or a part of it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from .documents import ACCOUNT, PERSON, Caller

_ORGANISATION = re.compile(
    r"arn:[a-z0-9-]+:organizations::\d{12}:(?:organization/|ou/)(o-[a-z0-9]{10,32})(/ou-[a-z0-9-]+)?"
)


@dataclass(frozen=True, slots=True)
class Behind:
    """One account behind a principal; `sure` is False for one that only may belong to it, `to` says who of it."""

    account_id: str
    sure: bool = True
    to: str = ""


def organisation_of(principal: str) -> str:
    """Return the organisation id of an organisation's or organisational unit's ARN, "" for anything else."""
    match = _ORGANISATION.fullmatch(principal)
    return match[1] if match else ""


def behind(principal: str, known: Iterable[Caller]) -> tuple[Behind, ...]:
    """Return the accounts behind a principal, as far as the accounts known can say.

    An organisation stands for the known accounts in it, and for itself, since it has others; an organisational unit
    may hold any of them. A service stands for itself.
    """
    if ACCOUNT.fullmatch(principal):
        return (Behind(principal),)
    person = PERSON.fullmatch(principal)
    if person:
        return (Behind(person[1], to="" if person[2] == "root" else person[2]),)
    organisation = organisation_of(principal)
    if organisation:
        whole = ":ou/" not in principal
        members = [Behind(one.account_id, sure=whole) for one in known if one.organisation_id == organisation]
        return (*members, Behind(principal))
    return (Behind(principal),)
