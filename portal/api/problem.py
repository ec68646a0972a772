"""Every refusal as a problem document (RFC 9457), with the status and code the error itself carries."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.core.exceptions import ValidationError as FormError
from django.core.signals import got_request_exception
from django.db import DatabaseError, DataError, IntegrityError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from redis.exceptions import RedisError
from rest_framework import exceptions
from rest_framework.views import set_rollback

from portal.core.errors import DomainError
from portal.core.openapi import PROBLEM_JSON
from portal.core.operations import correlation_id

logger = logging.getLogger(__name__)

# PostgreSQL names this as the source of what a trigger raises: those words are written for people, while the
# messages of its own constraints name tables and keys.
_RAISED_BY_A_GUARD = "exec_stmt_raise"
_EVERYTHING = "non_field_errors"
_FROM_DRF: dict[type[exceptions.APIException], tuple[str, str]] = {
    exceptions.NotAuthenticated: ("not-authenticated", "Nobody is signed in"),
    exceptions.AuthenticationFailed: ("authentication-failed", "Not signed in"),
    exceptions.PermissionDenied: ("forbidden", "Not allowed"),
    exceptions.NotFound: ("not-found", "Not found"),
    exceptions.MethodNotAllowed: ("method-not-allowed", "This address does not know the method"),
    exceptions.NotAcceptable: ("not-acceptable", "No such representation"),
    exceptions.UnsupportedMediaType: ("unsupported-media-type", "The body is not JSON"),
    exceptions.Throttled: ("too-many-attempts", "Too many attempts"),
    exceptions.ParseError: ("malformed", "The body cannot be read"),
}


@dataclass(frozen=True)
class Problem:
    """One refusal, ready to be sent."""

    status: int
    code: str
    title: str
    detail: str
    errors: Mapping[str, Sequence[str]] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    def response(self) -> HttpResponse:
        """Return the answer."""
        document = {
            "type": f"urn:model-governance:problem:{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            "errors": {name: list(texts) for name, texts in self.errors.items()},
        }
        return HttpResponse(
            json.dumps(document), status=self.status, content_type=PROBLEM_JSON, headers=dict(self.headers)
        )


INVALID = Problem(
    400, "invalid-input", "The input is not valid", "Some fields need your attention; nothing was changed."
)
NOT_FOUND = Problem(404, "not-found", "Not found", "There is no such thing.")
GUARDED = Problem(409, "guard", "The database refused this", "A guard refused this.")
CONFLICT = Problem(
    409,
    "conflict",
    "In conflict with another change",
    "Somebody else changed or took this at the same moment. Nothing of yours was saved: read it again.",
)
STALE = Problem(412, "stale-edit", "Changed meanwhile", "Somebody changed this at the same moment. Read it again.")
INTERNAL = Problem(500, "internal-error", "The portal failed", "This is a fault of the portal and was logged.")
UNAVAILABLE = Problem(
    503,
    "unavailable",
    "Temporarily unavailable",
    "Something the portal needs does not answer. Nothing was lost: try again.",
    headers={"Retry-After": "5"},
)
# In this order: a body that is too large is a suspicious operation too.
_FROM_DJANGO: dict[type[Exception], Problem] = {
    Http404: NOT_FOUND,
    PermissionDenied: Problem(403, "forbidden", "Not allowed", "You may not do this."),
    RequestDataTooBig: Problem(413, "body-too-large", "The body is too large", "Send less in one request."),
    SuspiciousOperation: Problem(400, "malformed", "The request cannot be read", "The request cannot be read."),
}


def exception_handler(exc: Exception, context: Mapping[str, Any]) -> HttpResponse:
    """Turn whatever a view raised into a problem document; what nobody foresaw is logged and answered with 500."""
    set_rollback()
    problem = _problem(exc)
    if problem is None:
        # The page-side machinery (error trackers, the test client) hears of it as it would of any other view's.
        logger.error("The API failed: %s", exc, exc_info=exc)
        request = context.get("request")
        got_request_exception.send(sender=sys.modules[__name__], request=getattr(request, "_request", request))
        problem = _fault()
    return problem.response()


def known_problems() -> list[Problem]:
    """Return what the API refuses with besides the portal's own named errors."""
    from_drf = [Problem(kind.status_code, code, title, "") for kind, (code, title) in _FROM_DRF.items()]
    return [INVALID, GUARDED, CONFLICT, STALE, INTERNAL, UNAVAILABLE, *_FROM_DJANGO.values(), *from_drf]


def outside_of_views(exc: BaseException | None, status: int) -> HttpResponse:
    """Answer what went wrong before or after a view, such as a host that is not known or a lost database."""
    problem = _problem(exc) if isinstance(exc, Exception) else None
    if problem is None:
        problem = next((known for known in _FROM_DJANGO.values() if known.status == status), None)
    return (problem or _fault()).response()


def _fault() -> Problem:
    quoted = f" Nothing was changed. Quote {correlation_id()}." if correlation_id() else " Nothing was changed."
    return replace(INTERNAL, detail=f"{INTERNAL.detail}{quoted}")


def not_found(request: HttpRequest, path: str) -> HttpResponse:
    """Answer an address the API does not have."""
    hint = "" if path.endswith("/") or not path else f" Addresses end with a slash: try /api/v1/{path}/."
    return replace(NOT_FOUND, detail=f"The API has no such address.{hint}").response()


def _problem(exc: Exception) -> Problem | None:
    if isinstance(exc, DomainError):
        return _refusal(exc)
    if isinstance(exc, exceptions.ValidationError):
        return _invalid(flattened(exc.detail))
    if isinstance(exc, exceptions.APIException):
        return _from_drf(exc)
    if isinstance(exc, FormError):
        return _invalid(exc.message_dict if hasattr(exc, "error_dict") else {_EVERYTHING: exc.messages})
    if isinstance(exc, DatabaseError | InterfaceError):
        return _from_database(exc)
    if isinstance(exc, RedisError):
        return UNAVAILABLE
    return next((problem for kind, problem in _FROM_DJANGO.items() if isinstance(exc, kind)), None)


def _refusal(exc: DomainError) -> Problem:
    errors = {_EVERYTHING if name == "__all__" else name: texts for name, texts in exc.errors.items()}
    wait = getattr(exc, "retry_after", 5 if exc.status == 503 else None)
    return Problem(
        exc.status, exc.code, exc.title, exc.detail, errors, {} if wait is None else {"Retry-After": str(wait)}
    )


def _invalid(errors: Mapping[str, Sequence[str]]) -> Problem:
    return replace(INVALID, detail=" ".join(errors.get(_EVERYTHING, ())) or INVALID.detail, errors=errors)


def _from_drf(exc: exceptions.APIException) -> Problem:
    code, title = next(
        (named for kind, named in _FROM_DRF.items() if isinstance(exc, kind)),
        ("refused", "The portal refused this"),
    )
    headers: dict[str, str] = {}
    if challenge := getattr(exc, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if wait := getattr(exc, "wait", None):
        headers["Retry-After"] = str(max(1, int(wait)))
    return Problem(exc.status_code, code, title, " ".join(_texts(exc.detail)), {}, headers)


def _from_database(exc: Exception) -> Problem | None:
    cause = exc.__cause__
    state = getattr(cause, "sqlstate", None) or ""
    diagnosis = getattr(cause, "diag", None)
    constraint = getattr(diagnosis, "constraint_name", None) or ""
    if isinstance(exc, IntegrityError):
        if getattr(diagnosis, "source_function", None) == _RAISED_BY_A_GUARD:
            said = getattr(diagnosis, "message_primary", None) or "A guard refused this"
            return replace(GUARDED, code=constraint.replace("_", "-") or GUARDED.code, detail=f"{said}.")
        return CONFLICT
    if isinstance(exc, DataError):
        return _invalid({_EVERYTHING: ["A value is outside of what can be stored."]})
    if state == "40001":
        return STALE
    return UNAVAILABLE if isinstance(exc, OperationalError | InterfaceError) else None


def flattened(detail: Any, prefix: str = "") -> dict[str, list[str]]:
    """Return DRF's nested errors as one level: `metrics.auc` -> what is wrong there."""
    if isinstance(detail, Mapping):
        found: dict[str, list[str]] = {}
        for name, inner in detail.items():
            for path, texts in flattened(inner, f"{prefix}.{name}" if prefix else str(name)).items():
                found.setdefault(path, []).extend(texts)
        return found
    if isinstance(detail, list) and any(isinstance(item, Mapping | list) for item in detail):
        return flattened({str(place): item for place, item in enumerate(detail) if item}, prefix)
    return {prefix or _EVERYTHING: _texts(detail)}


def _texts(detail: Any) -> list[str]:
    if isinstance(detail, Mapping):
        return [text for inner in detail.values() for text in _texts(inner)]
    if isinstance(detail, list | tuple):
        return [text for inner in detail for text in _texts(inner)]
    return [str(detail)]
