"""`Idempotency-Key` on a POST: the first request is carried out, every repetition of it is told the same answer."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.http import HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from governance.services import idempotency
from governance.services.idempotency import KeptAnswer, KeyedRequest
from portal.core.errors import DomainError
from portal.core.viewsets import IDEMPOTENCY_KEY, Handler, PortalView
from registry.models import ApiToken

REPLAYED = "Idempotency-Replayed"
_KEY = re.compile(r"[\x20-\x7e]{1,255}")
# What of an answer belongs to its effect; everything else is said anew with each answer.
_KEPT = ("Content-Type", "Location", "ETag", "Retry-After")


class UnusableKey(DomainError):
    """Something that is no key."""

    code = "idempotency-key-unusable"
    title = "This Idempotency-Key cannot be used"
    status = 400


def once(view: PortalView, handler: Handler) -> Handler:
    """Return a view's handler of POST that does everything in one transaction with the answer it keeps.

    What is refused is rolled back with its key, and may be repeated. What AWS carries out waits for the commit, so a
    keyed request that would have waited for AWS is answered with 202. The handler raises UnusableKey, KeyReused,
    KeyInProgress beside what it raises itself.
    """

    def answer(request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        key = request.headers[IDEMPOTENCY_KEY]
        if not _KEY.fullmatch(key):
            raise UnusableKey("Send 1 to 255 printable ASCII characters, such as a UUID.")
        path = request.get_full_path()
        asked = KeyedRequest(view.actor, key, path, _fingerprint(path, request.data, _told_to(view)))
        with transaction.atomic():
            kept = idempotency.answered(asked)
            if kept is not None:
                return _again(kept)
            try:
                given = _written(view, handler(request, *args, **kwargs))
            except DomainError as refusal:
                if not refusal.is_recorded:
                    raise
                recorded = refusal
            else:
                if given.status_code >= 400:
                    transaction.set_rollback(True)
                else:
                    headers = {name: given[name] for name in _KEPT if given.has_header(name)}
                    idempotency.keep(asked, KeptAnswer(given.status_code, headers, given.content))
                return given
        raise recorded

    return answer


def _written(view: PortalView, given: HttpResponseBase) -> HttpResponse:
    """Return an answer with its bytes, which are kept with the effect: one that cannot be written has none."""
    if isinstance(given, Response) and not given.is_rendered:
        request = view.request
        given.accepted_renderer = request.accepted_renderer
        given.accepted_media_type = request.accepted_media_type
        given.renderer_context = view.get_renderer_context()  # type: ignore[attr-defined]  # DRF's own sets it so
        given.render()
    if given.streaming:
        headers = {name: value for name, value in given.items() if name in _KEPT}
        return HttpResponse(given.getvalue(), status=given.status_code, headers=headers)
    assert isinstance(given, HttpResponse)
    return given


def _again(kept: KeptAnswer) -> HttpResponse:
    answer = HttpResponse(kept.body, status=kept.status, headers={**kept.headers, REPLAYED: "true"})
    if "Content-Type" not in kept.headers:
        del answer["Content-Type"]
    return answer


def _told_to(view: PortalView) -> list[Any]:
    """Return what else has to be the same: what one token is answered may be more than another of the person sees.

    That are the projects it is held to; where the answer is a token itself, the one it was asked with.
    """
    told: list[Any] = []
    if view.actor.bounds.projects is not None:
        told.append(sorted(view.actor.bounds.projects))
    if view.answers_its_token_alone:
        told.append(view.request.auth.digest if isinstance(view.request.auth, ApiToken) else "session")
    return told


def _fingerprint(path: str, body: Any, told_to: Iterable[Any] = ()) -> str:
    """Return the SHA-256 of an address and a body; a form counts by its fields and by what its files hold."""
    if isinstance(body, QueryDict):
        body = {name: [_of(one) for one in body.getlist(name)] for name in body}
    written = json.dumps([path, body, *told_to], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(written.encode()).hexdigest()


def _of(value: Any) -> Any:
    if not isinstance(value, UploadedFile):
        return value
    digest = hashlib.sha256()
    for chunk in value.chunks():
        digest.update(chunk)
    value.seek(0)
    return [str(value.name), str(value.content_type), digest.hexdigest()]
