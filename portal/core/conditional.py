"""Which state an edit was made on, and which one the reader has already: If-Match, If-None-Match, ETag (RFC 9110).

An ETag names the revision of the row and the very bytes that were answered: `"7-0f3a9c2b1d4e5f60"`. An edit is held to
the revision alone, because what else a detail shows may move without anybody having edited it.
"""

from __future__ import annotations

import hashlib
import re

from django.http import HttpResponse
from django.utils.http import parse_etags
from rest_framework.request import Request

from .errors import DomainError, StaleEdit

_TAG = re.compile(r'(?:W/)?"([0-9]{1,9})(?:-[0-9a-f]{16})?"')


class PreconditionRequired(DomainError):
    """An edit must say which state of the row it was made on."""

    code = "precondition-required"
    title = "If-Match is missing"
    status = 428


def revision_tag(revision: int) -> str:
    """Return the part of an ETag that edits are held to."""
    return f'"{revision}"'


def agreed(request: Request, noun: str, revision: int) -> int:
    """Return the revision an edit was made on, which the service compares again under its lock.

    Raises PreconditionRequired without If-Match, StaleEdit when it names none but other revisions.
    """
    given = request.headers.get("If-Match", "").strip()
    if not given:
        raise PreconditionRequired(f"Read this {noun} and send its ETag as If-Match, so that nobody's change is lost.")
    named = {int(match[1]) for tag in parse_etags(given) if (match := _TAG.fullmatch(tag))}
    if given != "*" and revision not in named:
        raise StaleEdit(f"Somebody changed this {noun} since you read it. Read it again and repeat your edit.")
    return revision


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
