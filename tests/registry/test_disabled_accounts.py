"""A disabled account is left alone by everything: one door leads to AWS, and it is shut."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import governance.services
import registry.services
import registry.sync
from governance.services.sync import LISTENERS
from portal.core.actors import Actor
from portal.core.errors import DomainError
from registry.aws.errors import AwsDisabled
from registry.models import AwsAccount
from registry.services import accounts
from tests.aws.conftest import aws_environment, wire
from tests.aws.wire import Wire
from tests.governance.conftest import Place

__all__ = ["aws_environment", "wire"]

ROOT = Path(__file__).resolve().parents[2]
DISABLED = "333333333333"
# What a service is called with here; one that needs more takes it from somebody who came through the door.
KNOWN = {
    "actor", "account", "account_id", "of", "region", "requested_by", "listeners", "work", "wait_seconds", "reader",
}  # fmt: skip
ENTRIES = {
    "registry.services.accounts.test_connection",
    "registry.services.accounts.reach",
    "registry.services.accounts.in_each_region",
    "registry.services.preflight.check_permissions",
    "registry.sync.run.full_pass",
    "governance.services.sync.sync_account",
    "governance.services.carriers.carrier.session_of",
}


def _services() -> dict[str, Callable[..., Any]]:
    """Return every public service that takes an account and can be called with what is KNOWN."""
    found = {}
    for package in (registry.services, registry.sync, governance.services):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            loaded = importlib.import_module(module.name)
            for name, function in inspect.getmembers(loaded, inspect.isfunction):
                parameters = inspect.signature(function).parameters.values()
                needed = {p.name for p in parameters if p.default is p.empty and p.kind is not p.VAR_KEYWORD}
                takes_one = any(p.name == "account_id" or "AwsAccount" in str(p.annotation) for p in parameters)
                if function.__module__ == module.name and not name.startswith("_") and takes_one and needed <= KNOWN:
                    found[f"{module.name}.{name}"] = function
    return found


SERVICES = _services()


def test_the_entries_one_would_think_of_are_among_them() -> None:
    assert set(SERVICES) >= ENTRIES


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_nothing_is_asked_of_a_disabled_account(name: str, place: Place, wire: Wire) -> None:
    admin = place.people.admin.actor
    account = AwsAccount.objects.get(account_id=DISABLED)
    accounts.edit(actor=admin, account=account, is_enabled=False, event_queue_url="https://sqs.example.com/1/events")
    account.refresh_from_db()
    known = {
        "actor": admin,
        "account": account,
        "account_id": DISABLED,
        "of": account,
        "region": "us-east-1",
        "requested_by": "somebody",
        "listeners": LISTENERS,
        "work": lambda session: session.sts.get_caller_identity(),
        "wait_seconds": 0,
        "reader": "a test",
    }
    function = SERVICES[name]
    wanted = inspect.signature(function).parameters
    with suppress(AwsDisabled, DomainError):
        function(**{key: value for key, value in known.items() if key in wanted})
    assert not wire.requests


def test_the_refusal_is_retryable_and_says_what_to_do(place: Place, wire: Wire) -> None:
    admin = place.people.admin.actor
    account = accounts.edit(actor=admin, account=AwsAccount.objects.get(account_id=DISABLED), is_enabled=False)
    with pytest.raises(AwsDisabled) as caught:
        accounts.reach(account)
    assert caught.value.retryable
    assert "Enable the account" in str(caught.value)
    said = accounts.test_connection(actor=admin, account_id=DISABLED).check_error
    assert "is disabled in the portal" in said
    accounts.edit(actor=Actor.system("test"), account=account, is_enabled=True)
    account.refresh_from_db()
    assert accounts.reach(account).account.account_id == DISABLED


def test_there_is_no_other_door() -> None:
    """A session is only had from `reach`: nothing else of the portal makes one."""
    doors = set()
    for folder in ("registry", "governance", "portal"):
        for path in (ROOT / folder).rglob("*.py"):
            if "/aws/" in path.as_posix() or "/portal/local/" in path.as_posix():
                continue
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
                    called = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
                    if called in {"session_for", "AwsSession"}:
                        doors.add(path.relative_to(ROOT).as_posix())
    assert doors == {"registry/services/accounts.py"}
