"""Error pages: every refusal in the same house style, with what to do next."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

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
    context = {"title": error.title, "detail": error.detail, "errors": error.errors}
    return render(request, template, context, status=error.status)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form that came without its token: nothing was changed, reload and send again."""
    return render(request, "403_csrf.html", {"reason": reason}, status=403)
