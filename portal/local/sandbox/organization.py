"""Who is in an organisation with whom, and in which of its units."""

from __future__ import annotations

import re
from typing import Any

from moto.organizations.models import OrganizationsBackend, organizations_backends

from .state import journal

_UNIT = re.compile(r"arn:aws[a-z-]*:organizations::(\d{12}):(organization|ou)/(o-[a-z0-9]+)(?:/(ou-[a-z0-9-]+))?")


def management_of(account: str) -> OrganizationsBackend | None:
    """Organizations of the management account of the organisation an account is in; None when it is in none."""
    known = organizations_backends.master_accounts.get(account)
    backend = organizations_backends[known[0] if known else account]["aws"]
    return backend if backend.org else None


def members(account: str) -> dict[str, str]:
    """The accounts of an account's organisation, each with the id of the unit or root it is in."""
    backend = management_of(account)
    return {str(a.id): str(a.parent_id) for a in backend.accounts} if backend else {}


def is_unit(principal: str) -> bool:
    """Whether a principal is the ARN of an organisation or of one of its units."""
    return bool(_UNIT.fullmatch(principal))


def covered(principal: str) -> set[str]:
    """The accounts in an organisation or unit, units within units included; none when it is not there."""
    match = _UNIT.fullmatch(principal)
    backend = organizations_backends[match[1]]["aws"] if match else None
    if not match or backend is None or backend.org is None or backend.org.id != match[3]:
        return set()
    if match[2] == "organization":
        return set(members(match[1]))
    within = {match[4]} & {str(u.id) for u in backend.ou}
    while more := {str(u.id) for u in backend.ou if u.parent_id in within} - within:
        within |= more
    return {a for a, parent in members(match[1]).items() if parent in within}


def establish(wanted: Any) -> dict[str, Any]:
    """Make an organisation of accounts that exist, which Organizations' own API can do by invitation only.

    ``{"management": ID, "accounts": {ID: UNIT or null}}``; named units are made under the root. Called again it adds
    what is missing and moves accounts. Returns ``{"arn", "units": {NAME: ARN}, "accounts": [ID]}``. Raises ValueError
    or TypeError, and then nothing is changed.
    """
    if not isinstance(wanted, dict) or not isinstance(wanted.get("accounts"), dict):
        raise TypeError('it must be {"management": ID, "accounts": {ID: UNIT or null}}')
    management, accounts = str(wanted.get("management")), wanted["accounts"]
    for account, unit in {management: None, **accounts}.items():
        if not re.fullmatch(r"\d{12}", account):
            raise ValueError(f"{account!r} is not a 12-digit account id")
        if unit is not None and (not isinstance(unit, str) or not unit):
            raise TypeError("a unit is a name or null")
        known = management_of(account)
        if known is not None and known.account_id != management:
            raise ValueError(f"{account} is in the organisation of {known.account_id}")
    backend = organizations_backends[management]["aws"]
    if backend.org is None:
        backend.create_organization(region="aws")
    units = {str(u.name): u for u in backend.ou}
    assert backend.org is not None
    for name in sorted({u for u in accounts.values() if u} - set(units)):
        backend.create_organizational_unit(ParentId=backend.org.root_id, Name=name)
        units[name] = backend.ou[-1]
    for account, unit in accounts.items():
        record = next((a for a in backend.accounts if a.id == account), None)
        if record is None:
            backend.create_account(AccountName=f"account {account}", Email=f"{account}@example.com")
            record = backend.accounts[-1]
            organizations_backends.master_accounts.pop(record.id, None)
            record.id = account
        organizations_backends.master_accounts[account] = (management, "aws")
        record.parent_id = units[unit].id if unit else backend.org.root_id
    journal.touch("organizations", management, "aws", "backend")
    return {
        "arn": backend.org.arn,
        "units": {name: u.arn for name, u in units.items() if u.type == "ORGANIZATIONAL_UNIT"},
        "accounts": sorted(members(management)),
    }


def relink() -> None:
    """Put back, after a restart, which organisation each account is in."""
    for account, _, backend in organizations_backends.iter_backends():
        assert isinstance(backend, OrganizationsBackend)
        for member in backend.accounts:
            if member.id != account:
                organizations_backends.master_accounts[member.id] = (account, "aws")
