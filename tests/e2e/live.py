"""A portal inside the test process: for journeys that need pages and a browser, but no worker, beat or AWS.

A module costs about two seconds: a copy of the test database in which everything is really committed, with one of
everything in it (tests/api/world.py), a server on a loopback port, and a window per person in the Chromium all modules
of this process share. Fixtures, all of which tests/e2e/conftest.py offers to every file in this folder:

    live      the portal of this module: live.url, live.world (people, use cases, versions ...), live.work()
    person    person("scientist") or person(a_user) -> a signed-in Person (pages.py): .page, .confirm(), .accessible()

    pytestmark = pytest.mark.e2e

    def test_an_officer_signs(live: Live, person: Callable[..., Person]) -> None:
        officer = person("officer")
        officer.page.goto(f"/approvals/{live.world.version_request.public_id}/")
        officer.confirm("Approve")
        live.work()  # what the page left to the worker, or of it only the tasks one names

Names are those of the cast (tests/factories/people.py): scientist, owner, engineer, officer, admin, auditor, stranger.
A script error, a violation of the content security policy or an answer of 500 and above fails the test at its end;
take what a test provokes on purpose out of `person.complaints`. What a test writes stays for the tests behind it in
the same file, so let each act on an object of its own (tests/factories make more, with the world's people).

The test may read models and call services as usual; services that reach AWS need the `aws` fixture beside `live`.
For a worker and beat of their own there is `started_portal` (tests/e2e/started), which takes half a minute.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from threading import Thread
from typing import Any

import pytest
from celery import current_app
from django.conf import settings
from django.core.servers.basehttp import ThreadedWSGIServer
from django.core.wsgi import get_wsgi_application
from django.test import Client
from django.test.testcases import QuietWSGIRequestHandler
from playwright.sync_api import Browser

from portal.core import jobs
from registry.models import User
from tests.api.world import World, build
from tests.committed import own_database

from .pages import Person

HOST = "127.0.0.1"
BACKEND = "django.contrib.auth.backends.ModelBackend"
_ROUNDS = 20


@dataclass
class Live:
    """A portal answering on a loopback port, on a database of its module's own."""

    url: str
    world: World
    waiting: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def user(self, who: str | User) -> User:
        """Return somebody of the cast by his part in it."""
        return who if isinstance(who, User) else getattr(self.world.people, who)

    def work(self, *names: str) -> list[str]:
        """Do what pages left to the worker, and what that leaves again; return the names of the tasks done.

        With names only those tasks are done; the others wait on. A task's error is the test's. Work that keeps asking
        for more ends after some rounds, and periodic work is never done.
        """
        current_app.loader.import_default_modules()
        done = []
        for _ in range(_ROUNDS):
            tasks = [task for task in self.waiting if not names or task[0] in names]
            self.waiting[:] = [task for task in self.waiting if task not in tasks]
            for name, arguments in tasks:
                current_app.tasks[name].apply(kwargs=arguments, throw=True)
                done.append(name)
            if not tasks:
                break
        return done


@pytest.fixture(scope="module")
def live(made_database: None, django_db_blocker: Any) -> Iterator[Live]:
    """Serve the portal to this module's browsers, with the world in it."""
    patch = pytest.MonkeyPatch()
    # Playwright's loop is on the test's thread; what the test reads is read between its steps.
    patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    # Where there is no AWS, nobody looks for credentials of the machine.
    patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with django_db_blocker.unblock(), own_database():
        left: list[tuple[str, dict[str, Any]]] = []
        patch.setattr(jobs, "_send", lambda name, arguments, delay: left.append((name, arguments)))
        portal = Live("", build(), left)
        left.clear()
        server = ThreadedWSGIServer((HOST, 0), QuietWSGIRequestHandler, connections_override={})
        server.set_app(get_wsgi_application())
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        portal.url = f"http://{HOST}:{server.server_port}"
        yield portal
        server.shutdown()
        server.server_close()
        thread.join()
    patch.undo()


@pytest.fixture
def person(live: Live, chromium: Browser) -> Iterator[Callable[[str | User], Person]]:
    """Sign people in, each once a test; afterwards no page may have complained behind anybody's back."""
    windows: dict[str, Person] = {}

    def enter(who: str | User) -> Person:
        user = live.user(who)
        if user.username not in windows:
            client = Client()
            client.force_login(user, backend=BACKEND)
            cookie = {
                "name": settings.SESSION_COOKIE_NAME,
                "value": client.cookies[settings.SESSION_COOKIE_NAME].value,
            }
            windows[user.username] = Person(chromium, live.url, user.username, cookie)
        return windows[user.username]

    yield enter
    complaints = {name: window.complaints for name, window in windows.items() if window.complaints}
    for window in windows.values():
        window.context.close()
    assert not complaints, complaints


__all__ = ["Live", "Person", "live", "person"]
