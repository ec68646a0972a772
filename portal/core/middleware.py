"""What every request gets: a correlation id, and house-style pages for named refusals."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from redis.exceptions import RedisError

from .error_views import not_allowed, refusal
from .errors import DomainError, Unavailable
from .operations import correlated

_SAFE_ID = re.compile(r"[A-Za-z0-9_.-]{8,64}")


class CorrelationMiddleware:
    """Give the request an id (the caller's X-Request-ID when it is a sane one) and answer with it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        given = request.headers.get("X-Request-ID", "")
        with correlated(given if _SAFE_ID.fullmatch(given) else uuid.uuid4().hex) as value:
            response = self.get_response(request)
        response["X-Request-ID"] = value
        return response


class DomainErrorMiddleware:
    """Turn a named refusal that a page did not handle itself into an error page with its status."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if isinstance(response, HttpResponseNotAllowed) and not response.content:
            return not_allowed(request, response["Allow"])
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, DomainError):
            return refusal(request, exception)
        if isinstance(exception, RedisError):
            # Sign-in counts wrong passwords there, and does not go on without counting.
            return refusal(request, Unavailable("A part of the portal is being restarted. Try again in a moment."))
        return None
