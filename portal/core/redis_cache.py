"""Django's cache in Redis, with one client for each pool of connections instead of one for each question."""

from __future__ import annotations

from typing import Any

from django.core.cache.backends import redis


class _Client(redis.RedisCacheClient):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._made: dict[Any, Any] = {}

    def get_client(self, key: Any = None, *, write: bool = False) -> Any:
        # Making a client takes longer than asking Redis; it takes its connections from the pool, for any thread.
        pool = self._get_connection_pool(write)  # type: ignore[attr-defined]  # Django's, not in its stubs
        if pool not in self._made:
            self._made[pool] = self._client(connection_pool=pool)  # type: ignore[attr-defined]  # likewise
        return self._made[pool]


class RedisCache(redis.RedisCache):
    """The backend that CACHES names."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = _Client
