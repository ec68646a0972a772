"""How often one may ask: a bucket per token, kept in Redis, asked in one round trip and filled as time goes by.

The generic cell rate algorithm: one number per bucket, the moment at which it would be full again. A bucket holds a
burst and gets `rate` requests back each minute. Without Redis everybody is let in: the API must not fall with it.
"""

from __future__ import annotations

import hashlib
import logging
import time
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.conf import settings
from django.core.cache import caches
from redis.client import Redis
from redis.exceptions import NoScriptError, RedisError
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from portal.core.errors import DomainError
from registry.models import ApiToken

logger = logging.getLogger(__name__)

# KEYS[1] is the bucket; ARGV are microseconds per request and the burst. Answers whether the request is let in, how
# many more would be now, and the microseconds until one is (if it is not) or until the bucket is full (if it is).
SCRIPT = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local step, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local full = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now)
local after = full + step
if after - now > burst * step then
  return {0, 0, after - now - burst * step}
end
redis.call('SET', KEYS[1], string.format('%.0f', after), 'PX', math.ceil((after - now) / 1000))
return {1, math.floor((burst * step - (after - now)) / step), after - now}
"""
_SHA = hashlib.sha1(SCRIPT.encode(), usedforsecurity=False).hexdigest()
_MINUTE = 60_000_000
# After a failure nobody waits for Redis again before this has passed, in seconds; nor is it logged more often than so.
_REST, _LOG_EVERY = 5.0, 60.0


class TooManyRequests(DomainError):
    """More requests than this token, person or address may make; those refused did nothing."""

    code = "rate-limited"
    title = "Too many requests"
    status = 429

    def __init__(self, detail: str, *, retry_after: int) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Limit:
    """So many requests a minute, and how many of them at once."""

    rate: int
    burst: int

    @property
    def policy(self) -> str:
        """The limit as `RateLimit-Policy` says it: this many requests, back after so many seconds."""
        return f'"requests";q={self.burst};w={max(1, round(self.burst * 60 / self.rate))}'


# Tokens that are none, from one address.
GUESSES = Limit(rate=60, burst=60)


class _Outage:
    """When Redis failed last, and when that was logged."""

    failed_at = logged_at = float("-inf")


class RequestRate(BaseThrottle):
    """Lets in what the bucket of the token has room for - of the person for a session, of the address for nobody.

    Every answer says what is left in `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers).
    """

    def allow_request(self, request: Request, view: Any) -> bool:
        """Take one request from the bucket. Raises TooManyRequests, which says when there is room again."""
        bucket, limit = self.bucket(request)
        if limit is not None:
            take(bucket, limit, view.headers)
        return True

    def bucket(self, request: Request) -> tuple[str, Limit | None]:
        """Return whose bucket a request is taken from, with its limit; without a limit everybody is let in."""
        if isinstance(request.auth, ApiToken):
            terms = getattr(request.auth, "terms", None)
            own = terms.rate if terms is not None else None
            return f"token:{request.auth.digest[:40]}", usual() if own is None else Limit(own, max(1, own // 6))
        if request.user is not None and request.user.is_authenticated:
            return f"person:{request.user.pk}", usual()
        return f"address:{self.get_ident(request)}", usual()


def usual() -> Limit | None:
    """Return the limit of whoever has none of his own; None where it is switched off."""
    rate: int = settings.PORTAL_API_RATE
    return Limit(rate, settings.PORTAL_API_BURST) if rate else None


def refuse_guessing(request: Request) -> None:
    """Count a token that is none against the address it came from. Raises TooManyRequests when there were too many."""
    if usual() is not None:
        view = request.parser_context.get("view")
        take(f"guess:{BaseThrottle().get_ident(request)}", GUESSES, getattr(view, "headers", {}))


def take(bucket: str, limit: Limit, headers: dict[str, str]) -> None:
    """Take one request from a bucket and say in `headers` what is left. Raises TooManyRequests."""
    answer = _ask(bucket, _MINUTE // limit.rate or 1, limit.burst)
    if answer is None:
        return
    is_let_in, left, wait = answer
    seconds = max(1, -(-wait // 1_000_000))
    headers["RateLimit-Policy"] = limit.policy
    headers["RateLimit"] = f'"requests";r={left};t={seconds}'
    if not is_let_in:
        raise TooManyRequests(
            f"{limit.rate} requests a minute are let in, {limit.burst} of them at once. Wait {seconds} s.",
            retry_after=seconds,
        )


def _ask(bucket: str, step: int, burst: int) -> list[int] | None:
    """Return what the script answers, None when Redis does not answer or did not a moment ago."""
    now = time.monotonic()
    if now - _Outage.failed_at < _REST:
        return None
    try:
        client, key = _client(), f"portal:rate:{bucket}"
        try:
            answer: list[int] = client.evalsha(_SHA, 1, key, step, burst)
        except NoScriptError:
            answer = client.eval(SCRIPT, 1, key, step, burst)
    except (RedisError, OSError) as error:
        _Outage.failed_at = now
        if now - _Outage.logged_at >= _LOG_EVERY:
            _Outage.logged_at = now
            logger.warning("Requests to the API are not counted: Redis does not answer (%s).", error)
        return None
    return answer


@cache
def _client() -> Redis:
    """Return the client of the cache, made once: it takes its connections from a pool."""
    cached = caches["default"]._cache  # type: ignore[attr-defined]  # noqa: SLF001 - Django keeps its pool there
    client: Redis = cached.get_client(None, write=True)
    return client
