"""Error pages: every refusal in the same house style, with what to do next."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme

from .errors import DomainError

_TEMPLATES = {
    400: "errors/400.html",
    403: "errors/403.html",
    404: "errors/404.html",
    409: "errors/409.html",
    412: "errors/412.html",
    503: "errors/503.html",
}


def refusal(request: HttpRequest, error: DomainError) -> HttpResponse:
    """Render a named refusal with its own status; the detail says what to do."""
    template = _TEMPLATES.get(error.status, "errors/409.html")
    context = {
        "title": error.title,
        "detail": error.detail,
        "errors": error.errors,
        "back_url": _page_before(request),
        # Nothing is written when a refusal is raised; who pressed a button is told so.
        "is_unchanged": request.method == "POST" and "othing was" not in error.detail,
    }
    return render(request, template, context, status=error.status)


def _page_before(request: HttpRequest) -> str:
    """Return the page a refused form was sent from: reloading the answer would only send it again."""
    before = request.headers.get("Referer", "")
    ours = url_has_allowed_host_and_scheme(before, {request.get_host()}, require_https=request.is_secure())
    return before if request.method == "POST" and ours else ""


def not_allowed(request: HttpRequest, methods: str) -> HttpResponse:
    """Answer who opens an address that only takes what a form sends, or the other way round; nothing was changed."""
    response = render(request, "errors/405.html", status=405)
    response["Allow"] = methods
    return response


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form that came without its token: nothing was changed, reload and send again."""
    return render(request, "403_csrf.html", {"reason": reason}, status=403)
