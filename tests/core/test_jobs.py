"""Wake-ups: one on its way is enough, and none is lost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.db import transaction
from kombu.exceptions import OperationalError
from redis.exceptions import ConnectionError as RedisDown

from portal.core import jobs

TASK = "governance.deliver_outbox"


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, Any]]]:
    """The tasks the broker was given."""
    found: list[dict[str, Any]] = []
    monkeypatch.setattr(jobs.current_app, "send_task", lambda name, kwargs, **_: found.append(kwargs))
    for lane in ("a", "b"):
        jobs.awake(TASK, lane=lane)
    yield found
    for lane in ("a", "b"):
        jobs.awake(TASK, lane=lane)


@pytest.fixture
def wake(db: None, django_capture_on_commit_callbacks: Any) -> Any:
    def commit(*lanes: str) -> None:
        with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
            for lane in lanes:
                jobs.wake_on_commit(TASK, lane=lane)

    return commit


def test_one_that_is_on_its_way_is_enough_for_each_lane(sent: list[dict[str, Any]], wake: Any) -> None:
    wake("a", "a", "b")
    wake("a")
    wake("b")
    assert sent == [{"lane": "a"}, {"lane": "b"}]
    jobs.awake(TASK, lane="a")
    wake("a", "b")
    assert sent == [{"lane": "a"}, {"lane": "b"}, {"lane": "a"}]


def test_one_the_broker_did_not_take_does_not_keep_the_next_from_being_sent(
    sent: list[dict[str, Any]], wake: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*args: Any, **kwargs: Any) -> None:
        raise OperationalError("No broker.")

    with monkeypatch.context() as broken:
        broken.setattr(jobs.current_app, "send_task", down)
        wake("a")
    assert sent == []
    wake("a")
    assert sent == [{"lane": "a"}]


def test_without_a_cache_every_one_is_sent(
    sent: list[dict[str, Any]], wake: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*args: Any, **kwargs: Any) -> None:
        raise RedisDown("No cache.")

    monkeypatch.setattr(cache, "add", down)
    monkeypatch.setattr(cache, "delete", down)
    wake("a")
    wake("a")
    jobs.awake(TASK, lane="a")
    assert sent == [{"lane": "a"}, {"lane": "a"}]


def test_one_that_got_lost_is_sent_again_after_a_while(sent: list[dict[str, Any]], wake: Any) -> None:
    wake("a")
    (mark,) = [key for key in (jobs._mark(TASK, {"lane": "a"}),) if cache.get(key) is not None]
    assert 0 < cache._cache.get_client().ttl(cache.make_key(mark)) <= jobs.ON_ITS_WAY_SECONDS  # type: ignore[attr-defined]
