"""The API's world, built once per module and undone after each test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from registry.aws.records import AccountRef
from registry.aws.session import AwsSession, session_for
from registry.models import AwsAccount
from registry.services import accounts, preflight
from registry.services.permission_check import failed
from tests.scene import undone

from .world import World, build


@pytest.fixture(scope="module")
def shared_world(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    with django_db_blocker.unblock(), undone():
        yield build()


@pytest.fixture
def world(shared_world: World, db: None) -> World:
    """One of everything; what the test writes is undone."""
    return shared_world


@pytest.fixture
def aws_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """An AWS that says who the portal is, for what only passes through."""

    class Identity:
        account_id = "333333333333"

    def reach(account: AwsAccount, region: str | None = None, **_: Any) -> AwsSession:
        return session_for(AccountRef(account.account_id, region or account.region))

    monkeypatch.setattr(accounts, "reach", reach)
    monkeypatch.setattr(preflight, "look", lambda session, place, needed: failed(place, needed, "Nobody was asked."))
    monkeypatch.setattr(accounts.sts, "caller_identity", lambda session: Identity())
