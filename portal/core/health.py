"""Two questions a load balancer asks: is the process there, and can it do its work."""

from __future__ import annotations

from django.core.cache import cache
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from redis.exceptions import RedisError


def alive(request: HttpRequest) -> JsonResponse:
    """Answer 200 while the process can answer at all."""
    return JsonResponse({"status": "ok"})


def ready(request: HttpRequest) -> JsonResponse:
    """Answer 200 when database, schema and cache are usable, else 503 naming what is not."""
    problems = {}
    try:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            problems["schema"] = "migrations are waiting"
    except DatabaseError:
        problems["database"] = "does not answer"
    try:
        cache.get("readyz")
    except RedisError:
        problems["cache"] = "does not answer"
    return JsonResponse(
        {"status": "failing", **problems} if problems else {"status": "ok"}, status=503 if problems else 200
    )
