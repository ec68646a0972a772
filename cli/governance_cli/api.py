"""The portal's REST API as the commands use it: one connection, problems, repeats, pages."""

from __future__ import annotations

import email.utils
import json
import random
import ssl
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from .failures import Failure, unreadable

# A repeat waits this many seconds at first, then twice as long each time; the portal may ask for more.
FIRST_WAIT = 0.5
# Whoever is told to come back later than this is told so, instead of being kept waiting.
LONGEST_WAIT = 60.0
LARGEST_ANSWER = 64 * 1024 * 1024
LARGEST_PAGE = 200
BUSY = (429, 503)


class Client:
    """One person's or pipeline's way to one portal.

    GET, and POST under an `Idempotency-Key` that stays the same, are repeated when the connection fails or the portal
    is busy (429, 503), as its `Retry-After` asks; everything else is tried once. `timeout` is in seconds: of every
    wait for the network, and, times ten, of one whole answer. A refusal raises Failure with the portal's own words.
    """

    def __init__(
        self,
        base: str,
        token: str = "",
        *,
        timeout: float = 30.0,
        retries: int = 3,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.base, self.timeout, self.retries, self.sleep = base, timeout, retries, sleep
        headers = {"Accept": "application/json", "User-Agent": "governance-cli"}
        if token:
            headers["Authorization"] = f"Token {token}"
        # A proxy of the environment is for other machines: a token in plain text never goes through one.
        self.http = httpx.Client(
            base_url=f"{base}/api/v1/", headers=headers, timeout=timeout, trust_env=base.startswith("https://")
        )

    def get(self, path: str, **params: Any) -> Any:
        """Return what the portal shows at a path; parameters that are None are left out."""
        return self.call("GET", path, params=_given(params))

    def post(self, path: str, body: dict[str, Any] | None = None, **kwargs: Any) -> Any:
        """Send a JSON body, or httpx's `data` and `files`, and return the answer; None for an empty one."""
        return self.call("POST", path, **(kwargs or {"json": body or {}}))

    def rows(self, path: str, *, limit: int = 0, **params: Any) -> Iterator[dict[str, Any]]:
        """Yield a list's rows, page by page as they are asked for; `limit` only sizes the pages."""
        size = min(limit + 1, LARGEST_PAGE) if limit else LARGEST_PAGE
        query, seen = httpx.QueryParams({**_given(params), "page_size": size}), set()
        while True:
            page = self.call("GET", path, params=query)
            rows, following = (page.get("results"), page.get("next")) if isinstance(page, dict) else (None, None)
            if not isinstance(rows, list) or not isinstance(following, str | None):
                raise unreadable("The list", "It has no page of results.")
            yield from rows
            if not following:
                return
            # Only the place is taken from the link: the token goes to no other address than the one it is for.
            query = httpx.URL(following).params
            if query in seen:
                raise unreadable("The list", "Its pages go in a circle.")
            seen.add(query)

    def call(self, method: str, path: str, *, repeat: bool = True, **kwargs: Any) -> Any:
        """Make one call and return its JSON; None for an empty answer, the text of one that is no JSON (CSV)."""
        repeat = repeat and method in ("GET", "POST")
        headers = {**kwargs.pop("headers", {})}
        if repeat and method == "POST":
            headers["Idempotency-Key"] = str(uuid.uuid4())
        for attempt in range(self.retries + 1):
            last = attempt == self.retries or not repeat
            wait = FIRST_WAIT * 2**attempt * random.uniform(0.75, 1.25)  # noqa: S311 - so that pipelines spread out
            try:
                status, fields, content = self._send(method, path, headers=headers, **kwargs)
            except httpx.DecodingError as error:
                raise unreadable("The answer", f"{error}.") from error
            except httpx.TransportError as error:
                if last or _is_for_good(error):
                    raise Failure(f"The portal at {self.base} cannot be reached", _words(error)) from error
            else:
                asked = _retry_after(fields)
                # The first of two equal requests may still be under way: the portal says when to ask what became of it.
                is_busy = status in BUSY or (status == httpx.codes.CONFLICT and asked > 0)
                if not is_busy or last or asked > LONGEST_WAIT:
                    return _read(status, fields, content)
                wait = max(wait, asked)
            self.sleep(wait)
        raise AssertionError("the last attempt returns or raises")

    def download(self, path: str, file: Path, *, params: dict[str, Any]) -> int:
        """Write what lies at a path to a file, as it arrives, all of it or nothing; return its size in bytes."""
        new = file.with_name(f"{file.name}.part")
        try:
            with self.http.stream("GET", path, params=params, headers={"Accept": "*/*"}) as answer:
                if answer.status_code != httpx.codes.OK:
                    _read(answer.status_code, answer.headers, answer.read())
                    raise unreadable(f"The answer ({answer.status_code})", "It holds no file.")
                with new.open("wb") as opened:
                    size = sum(opened.write(piece) for piece in answer.iter_bytes())
            new.replace(file)
        except httpx.HTTPError as error:
            raise Failure(f"{path} could not be read from {self.base}", _words(error)) from error
        finally:
            new.unlink(missing_ok=True)
        return size

    def _send(self, method: str, path: str, **kwargs: Any) -> tuple[int, httpx.Headers, bytes]:
        """Send one request and read its answer within the limits of time and size."""
        deadline, content = time.monotonic() + 10 * self.timeout, bytearray()
        with self.http.stream(method, path, **kwargs) as answer:
            for piece in answer.iter_bytes():
                content += piece
                if len(content) > LARGEST_ANSWER:
                    raise unreadable("The answer", f"It is larger than {LARGEST_ANSWER} bytes.")
                if time.monotonic() > deadline:
                    raise httpx.ReadTimeout(f"the answer took longer than {10 * self.timeout:g} seconds")
            return answer.status_code, answer.headers, bytes(content)


def _read(status: int, fields: httpx.Headers, content: bytes) -> Any:
    is_json = "json" in fields.get("Content-Type", "")
    try:
        document = json.loads(content) if is_json and content else None
    except ValueError as error:  # also bytes that are no text
        raise unreadable(f"The answer ({status})", f"It should be JSON and is not: {error}.") from error
    if 300 <= status < 400:
        where = fields.get("Location", "another address")
        raise unreadable("The answer", f"It sends to {where}, and a token is not carried on to other addresses.")
    if status >= 400:
        raise _problem(status, document, fields)
    if content and not is_json and "csv" not in fields.get("Content-Type", ""):
        raise unreadable(f"The answer ({status})", f"It is {fields.get('Content-Type', 'of no type')}, not JSON.")
    return document if is_json or not content else content.decode("utf-8-sig")


def _problem(status: int, document: Any, fields: httpx.Headers) -> Failure:
    """Return a refusal in the portal's words, or in plain ones where somebody else refused (a proxy, a gateway)."""
    if not isinstance(document, dict) or "title" not in document:
        return Failure(f"The portal, or something before it, answered {status}", status=status)
    errors = document.get("errors")
    named = errors.items() if isinstance(errors, dict) else ()
    texts = {name: each if isinstance(each, list) else [each] for name, each in named}
    detail = str(document.get("detail") or "")
    if asked := _retry_after(fields):
        detail += f"\nTry again in {asked:.0f} seconds."
    if status == 401:
        detail += "\nSign in with `governance login`, or set GOVERNANCE_TOKEN."
    return Failure(str(document["title"]), detail.strip(), status=status, code=document.get("code", ""), errors=texts)


def _retry_after(fields: httpx.Headers) -> float:
    """Return the seconds of `Retry-After`, which may also be a date (RFC 9110, 10.2.3); 0 where there is none."""
    said = fields.get("Retry-After", "").strip()
    if said.isascii() and said.isdigit():
        return float(said[:9])
    try:
        moment = email.utils.parsedate_to_datetime(said)
    except ValueError:
        return 0.0
    return max(0.0, (moment.astimezone(UTC) - datetime.now(UTC)).total_seconds())


def _is_for_good(error: httpx.TransportError) -> bool:
    """Whether the same would happen again: a certificate that is not trusted, a header that cannot be sent."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError | httpx.LocalProtocolError | httpx.UnsupportedProtocol):
            return True
        cause = cause.__cause__ or cause.__context__
    return False


def _words(error: httpx.HTTPError) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _given(params: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in params.items() if value is not None}
