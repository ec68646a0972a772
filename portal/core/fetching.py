"""Asking HTTP servers other people run for JSON: behind the same guard as webhooks, with bounds on time and size.

The address is resolved once, judged, and connected to as judged; redirects are not followed, proxies and passwords of
the environment are not used. Compressed answers are not asked for, so the bytes counted are the bytes there are.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlencode, urlsplit

from .webhooks import USER_AGENT, Address, AddressRefused, WebhookFailed, resolved

if TYPE_CHECKING:
    import requests

    from .connections import Deadline

CONNECT_SECONDS = 3
READ_SECONDS = 8
_CHUNK = 65_536


class FetchFailed(Exception):
    """No answer came. `is_refused` says that the address may not be asked, now or later."""

    def __init__(self, message: str, *, is_refused: bool = False) -> None:
        super().__init__(message)
        self.is_refused = is_refused


class AnswerTooLong(FetchFailed):
    """The answer is longer than anything that was asked for."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """One answer: whatever its status, at most as long as was allowed."""

    status: int
    body: bytes


def fetch(
    url: str,
    *,
    setting: str,
    query: Mapping[str, str] | None = None,
    body: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
    seconds: float,
    largest: int,
) -> Fetched:
    """GET a URL, or POST a JSON body to it, and return the answer.

    `setting` names the networks that are asked although they are not public; `seconds` bounds everything together,
    `largest` the bytes of the answer. Raises FetchFailed, AnswerTooLong.
    """
    import requests  # noqa: PLC0415 - megabytes, in web processes that ask no other server
    import urllib3  # noqa: PLC0415 - as above

    from .connections import deadline_of  # noqa: PLC0415 - as above

    full = f"{url}?{urlencode(query)}" if query else url
    try:
        addresses = resolved(full, setting=setting)
    except AddressRefused as refused:
        raise FetchFailed(str(refused), is_refused=True) from refused
    except WebhookFailed as failed:
        raise FetchFailed(str(failed)) from failed
    host = str(urlsplit(url).hostname)
    with deadline_of(seconds) as deadline:
        try:
            # The first address that is judged good: a second attempt would take the caller's time twice.
            return _ask(full, addresses[0], host, body, headers or {}, deadline, largest)
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            said = f"not done within {seconds:g} seconds" if deadline.is_over else _words(error)
            raise FetchFailed(f"{host} did not answer: {said}.") from error


def _ask(
    url: str,
    address: Address,
    host: str,
    body: Mapping[str, Any] | None,
    headers: Mapping[str, str],
    deadline: Deadline,
    largest: int,
) -> Fetched:
    import requests  # noqa: PLC0415 - as in `fetch`

    from .connections import Pinned  # noqa: PLC0415 - likewise

    port = urlsplit(url).port
    shown = f"[{host}]" if ":" in host else host
    all_headers = {
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "User-Agent": USER_AGENT,
        **headers,
        "Host": f"{shown}:{port}" if port else shown,
    }
    data = None
    if body is not None:
        data = json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
        all_headers["Content-Type"] = "application/json"
    request = requests.Request("GET" if body is None else "POST", url, data=data, headers=all_headers).prepare()
    adapter = Pinned(str(address), host, has_name=not _is_address(host), deadline=deadline)
    try:
        response = adapter.send(
            request,
            stream=True,
            timeout=(CONNECT_SECONDS, READ_SECONDS),
            verify=os.environ.get("REQUESTS_CA_BUNDLE") or True,
        )
        with response:
            content = _read(response, largest)
            if deadline.is_over:
                # What was cut off looks like an answer that ends there.
                raise requests.Timeout
            return Fetched(response.status_code, content)
    finally:
        adapter.close()


def _read(response: requests.Response, largest: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        part = cast("bytes", response.raw.read(_CHUNK, decode_content=False))
        if not part:
            return b"".join(parts)
        size += len(part)
        if size > largest:
            raise AnswerTooLong(f"The answer is longer than {largest:,} bytes.")
        parts.append(part)


def _is_address(host: str) -> bool:
    try:
        ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def _words(error: Exception) -> str:
    import requests  # noqa: PLC0415 - as in `fetch`
    import urllib3  # noqa: PLC0415 - likewise

    if isinstance(error, requests.ConnectTimeout):
        return f"no connection within {CONNECT_SECONDS} seconds"
    if isinstance(error, requests.ReadTimeout | urllib3.exceptions.ReadTimeoutError):
        return f"nothing for {READ_SECONDS} seconds"
    if isinstance(error, requests.exceptions.SSLError):
        return f"its certificate does not hold ({' '.join(str(error).split())[:200]})"
    return f"the connection failed ({type(error).__name__})"
