"""What the pages' tests act on: the world of the API's tests, with a browser per role instead of a token."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import pytest
from django.test import Client

from registry.aws.records import AccountRef
from registry.aws.session import AwsSession, session_for
from registry.models import AwsAccount, User
from registry.services import accounts, preflight
from registry.services.permission_check import failed
from tests.api.world import World, actors, build
from tests.scene import undone

BACKEND = "django.contrib.auth.backends.ModelBackend"


def browser(person: User | None) -> Client:
    """Return a client signed in as a person, or as nobody; errors of the portal's own are answers here, too."""
    client = Client(raise_request_exception=False)
    if person is not None:
        client.force_login(person, backend=BACKEND)
    return client


def signed_in(world: World) -> dict[str, Client]:
    """Sign in whoever plays a role, each once: their sessions live as long as the world does."""
    return {role: browser(person) for role, person in actors(world.people).items()}


def again(kept: Client) -> Client:
    """Return another client with the session of one that is kept; what it is told stays with it."""
    client = browser(None)
    client.handler, client.cookies = kept.handler, deepcopy(kept.cookies)
    return client


@pytest.fixture(scope="module")
def shared_world(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    with django_db_blocker.unblock(), undone():
        yield build()


@pytest.fixture
def world(shared_world: World, db: None) -> World:
    """One of everything; what the test writes is undone."""
    return shared_world


@pytest.fixture(scope="module")
def sessions(shared_world: World) -> dict[str, Client]:
    """Everybody's client, signed in."""
    return signed_in(shared_world)


@pytest.fixture
def as_role(world: World, sessions: dict[str, Client]) -> Callable[[str], Client]:
    """Return a client of whoever plays a role, signed in."""
    return lambda role: again(sessions[role])


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
