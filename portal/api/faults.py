"""What goes wrong outside of every view, such as an unknown host or a lost database: the API answers JSON there too."""

from __future__ import annotations

import sys

from django.http import HttpRequest, HttpResponse
from django.views import defaults

from .problem import outside_of_views

_API = "/api/"


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a request that cannot be read."""
    if request.path_info.startswith(_API):
        return outside_of_views(exception, 400)
    return defaults.bad_request(request, exception)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer what is not allowed."""
    if request.path_info.startswith(_API):
        return outside_of_views(exception, 403)
    return defaults.permission_denied(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer an address there is not."""
    if request.path_info.startswith(_API):
        return outside_of_views(exception, 404)
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer a fault, or what the portal stands on being away."""
    if request.path_info.startswith(_API):
        return outside_of_views(sys.exc_info()[1], 500)
    return defaults.server_error(request)
