"""Give a list answer in smaller pieces than was asked for, or with entries missing."""

from __future__ import annotations

import base64
import functools
import io
import json
from typing import Any

from botocore.model import ListShape
from moto.core.utils import get_service_model

from .faults import Fault
from .identify import Call
from .wire import Answer

_MARK = "sandbox-rest:"


@functools.cache
def _members(service: str, operation: str) -> tuple[str, str] | None:
    """The members of an answer that hold its entries and its token; None when it is not a list's."""
    shape = get_service_model(service).operation_model(operation).output_shape
    if shape is None:
        return None
    token = next((n for n in shape.members if n in ("NextToken", "nextToken")), None)
    rows = next((n for n, member in shape.members.items() if isinstance(member, ListShape)), None)
    return (rows, token) if rows and token else None


def cut(answer: Answer, call: Call, fault: Fault) -> Answer:
    """Leave ``fault.keep`` entries on a page.

    The others come on the next page, as RAM and SageMaker do of their own accord; with ``fault.lose`` they are gone
    and the token stays what it was, as from an index that is behind.
    """
    members = _members(call.service, call.operation)
    if answer.status >= 400 or members is None:
        return answer
    rows, token = members
    found: dict[str, Any] = json.loads(answer.body or b"{}")
    entries = found.get(rows) or []
    if len(entries) <= fault.keep:
        return answer
    found[rows] = entries[: fault.keep]
    if not fault.lose:
        rest = json.dumps([fault.keep, call.parameters.get(token)])
        found[token] = _MARK + base64.urlsafe_b64encode(rest.encode()).decode()
    return Answer(answer.status, json.dumps(found).encode(), answer.headers)


def resume(environ: dict[str, Any], call: Call) -> int:
    """Put back the token a cut page replaced, and return how many entries its caller has already."""
    for name in ("NextToken", "nextToken"):
        token = call.parameters.get(name)
        if not isinstance(token, str) or not token.startswith(_MARK):
            continue
        try:
            kept, original = json.loads(base64.urlsafe_b64decode(token.removeprefix(_MARK)))
            kept = int(kept)
        except (ValueError, TypeError):
            return 0  # garbled on the way: the service will say so
        parameters = {k: v for k, v in call.parameters.items() if k != name}
        if original:
            parameters[name] = original
        call.parameters = parameters
        body = json.dumps(parameters).encode()
        environ["wsgi.input"] = io.BytesIO(body)
        environ["CONTENT_LENGTH"] = str(len(body))
        return kept
    return 0


def rest(answer: Answer, call: Call, kept: int) -> Answer:
    """Take away the entries that were on the cut page already."""
    members = _members(call.service, call.operation)
    if not kept or members is None or answer.status >= 400:
        return answer
    found = json.loads(answer.body or b"{}")
    found[members[0]] = (found.get(members[0]) or [])[kept:]
    return Answer(answer.status, json.dumps(found).encode(), answer.headers)
