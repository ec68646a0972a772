"""Which state an edit was made on, and which one the reader has already: If-Match, If-None-Match, ETag (RFC 9110).

An ETag names the revision of the row, or the mark of what counts no revisions, and the very bytes that were answered:
`"7-0f3a9c2b1d4e5f60"`, `"7.5d1c0a9e3b7f2468-0f3a9c2b1d4e5f60"`. An edit is held to the revision or the mark alone,
because what else a detail shows may move without anybody having edited it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable

from django.http import HttpResponse
from django.utils.http import parse_etags
from rest_framework.request import Request

from .errors import DomainError, StaleEdit

_TAG = re.compile(r'(?:W/)?"([0-9]{1,9})(?:\.([0-9a-f]{16}))?(?:-[0-9a-f]{16})?"')


class PreconditionRequired(DomainError):
    """An edit must say which state of the row it was made on."""

    code = "precondition-required"
    title = "If-Match is missing"
    status = 428


def revision_tag(revision: int, mark: str = "") -> str:
    """Return the part of an ETag that edits are held to; 0 is the revision of what counts none."""
    return f'"{revision}.{mark}"' if mark else f'"{revision}"'


def agreed(request: Request, noun: str, revision: int) -> int:
    """Return the revision an edit was made on, which the service compares again under its lock.

    Raises PreconditionRequired without If-Match, StaleEdit when it names none but other revisions.
    """
    _refuse_unless_named(request, noun, lambda revision_named, _: int(revision_named) == revision)
    return revision


def agreed_mark(request: Request, noun: str, mark: str) -> str:
    """Return the mark an edit was made on, as `agreed` does a revision; raises the same."""
    _refuse_unless_named(request, noun, lambda _, mark_named: mark_named == mark)
    return mark


def _refuse_unless_named(request: Request, noun: str, is_meant: Callable[[str, str | None], bool]) -> None:
    given = request.headers.get("If-Match", "").strip()
    if not given:
        raise PreconditionRequired(f"Read this {noun} and send its ETag as If-Match, so that nobody's change is lost.")
    named = [match for tag in parse_etags(given) if (match := _TAG.fullmatch(tag))]
    if given != "*" and not any(is_meant(match[1], match[2]) for match in named):
        raise StaleEdit(f"Somebody changed this {noun} since you read it. Read it again and repeat your edit.")


def conditional(request: Request, answer: HttpResponse) -> HttpResponse:
    """Complete the ETag of an answer by its bytes; answer 304 without them where If-None-Match names them."""
    digest = hashlib.blake2b(answer.content, digest_size=8).hexdigest()
    tag = f'"{answer["ETag"].strip(chr(34))}-{digest}"'
    answer["ETag"] = tag
    given = request.headers.get("If-None-Match", "").strip()
    if request.method not in {"GET", "HEAD"} or not given:
        return answer
    if given != "*" and tag not in {known.removeprefix("W/") for known in parse_etags(given)}:
        return answer
    unchanged = HttpResponse(status=304)
    for name in ("ETag", "Cache-Control", "Vary"):
        if answer.has_header(name):
            unchanged[name] = answer[name]
    del unchanged["Content-Type"]
    return unchanged
