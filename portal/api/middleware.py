"""The short way of calls with a token: past the middleware that only browsers need."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.handlers.base import BaseHandler
from django.core.handlers.exception import convert_exception_to_response
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.security import SecurityMiddleware

from portal.core.middleware import CorrelationMiddleware

Handler = Callable[[HttpRequest], HttpResponseBase]

API = "/api/v1/"
# Signing in counts wrong passwords, and the pages that document the API are pages: they go the whole way.
_WHOLE_WAY = tuple(f"{API}{name}/" for name in ("auth", "docs", "schema"))
# What is not a page has nothing to load, and is not to be framed.
_POLICY = "default-src 'none'; frame-ancestors 'none'"


class TokenCalls:
    """Sends a call of the API that carries a token straight to its view.

    Such a call is answered for its token or refused; it has no cookies that count, so it needs no session, messages or
    protection against forged forms, and neither static files nor htmx. It keeps what every answer has: the correlation
    id, a host that is known, and the security headers. Calls without a token, those of the browser's session among
    them, go the whole way.
    """

    def __init__(self, get_response: Handler) -> None:
        self.whole_way = get_response
        views: Any = _Views().answer
        for wrapper in (_Bare, CorrelationMiddleware, XFrameOptionsMiddleware, SecurityMiddleware):
            views = convert_exception_to_response(wrapper(views))
        self.short_way: Handler = views

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return (self.short_way if carries_token(request) else self.whole_way)(request)


def carries_token(request: HttpRequest) -> bool:
    """Whether the caller says who he is by a token, on an address that asks for nothing else."""
    given: str = request.META.get("HTTP_AUTHORIZATION", "")
    path = request.path_info
    return given[:6].lower() == "token " and path.startswith(API) and not path.startswith(_WHOLE_WAY)


class _Views(BaseHandler):
    """Django's own finding and calling of a view, without any middleware of views, templates or exceptions."""

    def __init__(self) -> None:
        nothing: list[Any] = []
        self._view_middleware = self._template_response_middleware = self._exception_middleware = nothing

    def answer(self, request: HttpRequest) -> HttpResponseBase:
        answer: HttpResponseBase = self._get_response(request)  # type: ignore[attr-defined]  # Django's, not in its stubs
        return answer


class _Bare:
    """What Django's CommonMiddleware and the content security policy do for every answer."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request.get_host()  # raises DisallowedHost
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", _POLICY)
        if isinstance(response, HttpResponse) and not response.has_header("Content-Length"):
            response.headers["Content-Length"] = str(len(response.content))
        return response
