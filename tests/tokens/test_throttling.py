"""Requests are counted per token in Redis, in one round trip, and let in when Redis is gone."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from governance.services import api_tokens
from portal.api import throttling
from portal.api.throttling import Limit, TooManyRequests, take
from tests.api.client import Api, assert_problem
from tests.api.world import World

from .test_scope import client_of


@pytest.fixture(autouse=True)
def no_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin as if Redis had never failed."""
    for name in ("failed_at", "logged_at"):
        monkeypatch.setattr(throttling._Outage, name, float("-inf"))


@pytest.fixture
def strict(settings: Any) -> None:
    settings.PORTAL_API_RATE, settings.PORTAL_API_BURST = 60, 3


def bucket() -> str:
    return f"test:{uuid.uuid4()}"


def test_a_bucket_holds_its_burst_and_is_filled_as_time_goes_by() -> None:
    name, limit, headers = bucket(), Limit(rate=60, burst=3), {}
    for left in (2, 1, 0):
        take(name, limit, headers)
        assert headers["RateLimit"].startswith(f'"requests";r={left};t=')
    assert headers["RateLimit-Policy"] == '"requests";q=3;w=3'
    with pytest.raises(TooManyRequests) as refusal:
        take(name, limit, headers)
    assert refusal.value.retry_after == 1, "one a second comes back"
    assert headers["RateLimit"] == '"requests";r=0;t=1'
    take(bucket(), limit, headers)
    assert throttling._ask(name, 1, 10_000_000)[0] == 1, "the same bucket, measured by a wider limit, has room"


def test_a_bucket_is_forgotten_when_it_is_full_again_and_asked_for_in_one_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client, name = throttling._client(), bucket()
    asked: list[str] = []
    real = client.execute_command

    def listening(*args: Any, **options: Any) -> Any:
        asked.append(str(args[0]))
        return real(*args, **options)

    throttling._ask(name, 1_000_000, 5)
    monkeypatch.setattr(client, "execute_command", listening)
    throttling._ask(name, 1_000_000, 5)
    assert asked == ["EVALSHA"]
    assert 0 < client.pttl(f"portal:rate:{name}") <= 2_000
    client.script_flush()
    assert throttling._ask(name, 1_000_000, 5) is not None, "a Redis that forgot the script is told it again"


def test_every_answer_says_what_is_left_and_the_last_one_when_to_come_again(world: World, strict: None) -> None:
    _, text = api_tokens.issue(actor=world.people.owner.actor, name="t", days=1, is_read_only=True)
    client = client_of(text)
    seen = [client.call("GET", path) for path in ("me/", "use-cases/UC-9999/", "me/?x=1")]
    assert [answer.status_code for answer in seen] == [200, 404, 400]
    assert all(answer["RateLimit-Policy"] == '"requests";q=3;w=3' for answer in seen)
    assert [answer["RateLimit"].split(";")[1] for answer in seen] == ["r=2", "r=1", "r=0"]
    answer = client.call("GET", "me/")
    assert assert_problem(answer, 429)["code"] == "rate-limited"
    assert int(answer["Retry-After"]) == 1
    assert answer["RateLimit"].startswith('"requests";r=0')
    _, other = api_tokens.issue(actor=world.people.owner.actor, name="u", days=1, is_read_only=True)
    assert client_of(other).call("GET", "me/").status_code == 200, "each token has a bucket of its own"


def test_a_token_may_have_a_rate_of_its_own(world: World, strict: None) -> None:
    _, text = api_tokens.issue_for(
        actor=world.people.admin.actor, account=world.service, name="gate", days=1, is_read_only=True, rate=12_000
    )
    answer = client_of(text).call("GET", "me/")
    assert answer["RateLimit-Policy"] == '"requests";q=2000;w=10'


def test_a_session_and_an_address_have_their_buckets_too(world: World, strict: None) -> None:
    throttling._client().delete(
        "portal:rate:address:127.0.0.1", f"portal:rate:person:{world.people.auditor.pk}", "portal:rate:guess:127.0.0.1"
    )
    browser = Api()
    browser.client.force_login(world.people.auditor, backend="django.contrib.auth.backends.ModelBackend")
    assert [browser.call("GET", "me/").status_code for _ in range(4)] == [200, 200, 200, 429]
    nobody = Api()
    assert [nobody.call("GET", "gate/keys/").status_code for _ in range(4)] == [200, 200, 200, 429]


def test_guessing_tokens_is_slowed_down(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    throttling._client().delete("portal:rate:guess:127.0.0.1")
    monkeypatch.setattr(throttling, "GUESSES", Limit(60, 2))
    guesser = client_of("0" * 64)
    assert [guesser.call("GET", "me/").status_code for _ in range(3)] == [401, 401, 429]
    throttling._client().delete("portal:rate:guess:127.0.0.1")


def test_without_redis_everybody_is_let_in_and_it_is_said_once(
    world: World, strict: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Gone:
        asked = 0

        def evalsha(self, *args: object) -> None:
            Gone.asked += 1
            raise RedisConnectionError("gone")

    monkeypatch.setattr(throttling, "_client", Gone)
    client = world.api("auditor")
    answers = [client.call("GET", "me/") for _ in range(6)]
    assert {answer.status_code for answer in answers} == {200}
    assert not any(answer.has_header("RateLimit") for answer in answers)
    assert Gone.asked == 1, "nobody waits for it again before a while has passed"
    assert sum("Redis does not answer" in record.message for record in caplog.records) == 1


def test_it_can_be_switched_off(world: World, settings: Any) -> None:
    settings.PORTAL_API_RATE = 0
    answer = world.api("auditor").call("GET", "me/")
    assert answer.status_code == 200
    assert not answer.has_header("RateLimit")
