"""Signed HTTP POSTs to addresses other people run: signed after Standard Webhooks, and never into the own network.

Each request carries `webhook-id`, `webhook-timestamp` (seconds since 1970) and `webhook-signature`: space-separated
`v1,` signatures, each the base64 of HMAC-SHA256 over `id.timestamp.body` under a secret that is written
`whsec_<base64>`. Source: the Standard Webhooks specification, section "Symmetric signatures".

An address is resolved once, every answer is judged, and the connection goes to the very address that was judged, so
a name that changes between the two (DNS rebinding) leads nowhere. Redirects are not followed, proxies of the
environment are not used, of an answer a few kilobytes are read, and no receiver is listened to for longer than a total
time, however it spends it. REQUESTS_CA_BUNDLE names a private authority.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import socket
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from secrets import token_bytes
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from django.conf import settings
from django.utils import timezone

if TYPE_CHECKING:
    import requests

    from .connections import Deadline

CONNECT_SECONDS = 3
READ_SECONDS = 10
# For everything together, from the first address to the end of the answer: who drips a byte every nine seconds is
# within READ_SECONDS for ever.
TOTAL_SECONDS = 20.0
LONGEST_URL = 2048
_EXCERPT_BYTES = 2048
_SECRET_BYTES = 32
_PREFIX = "whsec_"
_MOST_ADDRESSES = 3
USER_AGENT = "model-governance-portal"

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# Where clouds hand out credentials to whoever asks from inside: refused whatever networks are allowed.
METADATA: tuple[Address, ...] = tuple(
    ip_address(text)
    for text in (
        "169.254.169.254",
        "169.254.170.2",
        "169.254.170.23",
        "100.100.100.200",
        "fd00:ec2::254",
        "fd00:ec2::23",
    )
)
# The setting that names the networks webhooks go to although they are not public; other callers have their own.
WEBHOOKS = "PORTAL_WEBHOOK_ALLOWED_NETWORKS"
_NAT64 = ip_network("64:ff9b::/96")
# Translated by a network's own rules (RFC 8215): where it leads nobody outside can tell.
_LOCAL_NAT64 = ip_network("64:ff9b:1::/48")


class WebhookFailed(Exception):
    """A webhook was not taken. `retryable` says whether the same request may be taken later; `status` is 0 without
    an answer, `retry_after` how many seconds the receiver asks for (RFC 9110, Retry-After), None when it says nothing;
    `said` is the beginning of what it answered.
    """

    def __init__(
        self, message: str, *, retryable: bool, status: int = 0, retry_after: float | None = None, said: str = ""
    ) -> None:
        super().__init__(message)
        self.retryable = retryable
        self.status = status
        self.retry_after = retry_after
        self.said = said

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (type(self), str(self), self.retryable, self.status, self.retry_after, self.said))


class AddressRefused(WebhookFailed):
    """The address may not be written to: it leads into a network that is not public, or is none."""

    def __init__(
        self,
        message: str,
        *,
        retryable: bool = False,
        status: int = 0,
        retry_after: float | None = None,
        said: str = "",
    ) -> None:
        super().__init__(message, retryable=retryable, status=status, retry_after=retry_after, said=said)


def _rebuild(
    kind: type[WebhookFailed], message: str, retryable: bool, status: int, retry_after: float | None, said: str
) -> WebhookFailed:
    return kind(message, retryable=retryable, status=status, retry_after=retry_after, said=said)


@dataclass(frozen=True, slots=True)
class Answer:
    """A webhook that was taken: the HTTP status, the address it went to, and the beginning of what it said."""

    status: int
    address: str
    said: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """How many seconds a receiver is waited for: for the connection, for each part of its answer, for all of it."""

    connect: float
    read: float
    total: float


def new_secret() -> str:
    """Return a fresh signing secret, `whsec_` and 32 random bytes in base64."""
    return _PREFIX + base64.b64encode(token_bytes(_SECRET_BYTES)).decode("ascii")


def sign(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """Return one `v1,...` signature of a message. Raises ValueError for a secret that is none."""
    if not secret.startswith(_PREFIX):
        raise ValueError(f"A webhook secret begins with {_PREFIX}.")
    key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    signed = b".".join((message_id.encode(), str(timestamp).encode(), body))
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode("ascii")


def encoded(payload: Mapping[str, Any]) -> bytes:
    """Return the bytes that are signed and sent for a payload."""
    return json.dumps(payload, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def send(
    url: str,
    *,
    secrets: Sequence[str],
    message_id: str,
    body: bytes,
    at: datetime | None = None,
    limits: Limits | None = None,
) -> Answer:
    """POST a JSON body, signed under each of the secrets (the newest first), and return the answer of a 2xx.

    Raises as `post` does.
    """
    timestamp = int((at or timezone.now()).timestamp())
    signatures = " ".join(sign(secret, message_id, timestamp, body) for secret in secrets)
    signed = {"webhook-id": message_id, "webhook-timestamp": str(timestamp), "webhook-signature": signatures}
    return post(url, body=body, headers=signed, limits=limits)


def post(url: str, *, body: bytes, headers: Mapping[str, str] | None = None, limits: Limits | None = None) -> Answer:
    """POST a JSON body as it is, for receivers that know the sender by the secret in their address.

    Without limits waits 3 s for the connection, 10 s for each part of the answer and 20 s for all of it. Raises
    AddressRefused before anything is sent, WebhookFailed otherwise: not retryable for 410 and the other refusals of 400
    to 499 except 408, 425 and 429, and for a redirect; retryable for everything else.
    """
    import requests  # noqa: PLC0415 - megabytes, in web processes that ask no other server
    import urllib3  # noqa: PLC0415 - as above

    from .connections import deadline_of, failure_in_words, never_reached  # noqa: PLC0415 - as above

    limits = limits or Limits(CONNECT_SECONDS, READ_SECONDS, TOTAL_SECONDS)
    addresses = resolved(url)
    headers = {"Content-Type": "application/json", "User-Agent": USER_AGENT, **(headers or {})}
    with deadline_of(limits.total) as deadline:
        for left, address in zip(range(len(addresses) - 1, -1, -1), addresses, strict=True):
            try:
                return _post(url, address, headers, body, deadline, limits)
            except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
                if left and never_reached(error) and not deadline.is_over:
                    continue
                said = (
                    f"not done within {limits.total:g} seconds."
                    if deadline.is_over
                    else failure_in_words(error, limits.connect, limits.read)
                )
                raise WebhookFailed(f"{_host(url)} did not answer: {said}", retryable=True) from error
    raise AssertionError("resolved() returns at least one address")


def check_url(url: str, *, setting: str = WEBHOOKS) -> None:
    """Refuse a URL nothing may be sent to, as far as that is known without asking DNS. Raises AddressRefused.

    `setting` names the networks that are gone to although they are not public.
    """
    parts = _parts(url)
    literal = _literal(parts.hostname or "")
    if literal is not None:
        _judge([literal], parts.scheme, parts.hostname or "", setting)
    elif parts.scheme != "https" and not allowed_networks(setting):
        raise AddressRefused(f"Use https; plain http is for networks named in {setting}.")


def resolved(url: str, *, setting: str = WEBHOOKS) -> list[Address]:
    """Return the addresses behind a URL, at most three, each of which may be written to.

    One address that may not be written to refuses the whole name; `setting` as in `check_url`. Raises AddressRefused,
    and WebhookFailed (retryable) when the name cannot be resolved now.
    """
    parts = _parts(url)
    host = parts.hostname or ""
    try:
        found = socket.getaddrinfo(host, _port(parts), type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise WebhookFailed(f"The name {host} cannot be resolved: {error}", retryable=True) from error
    addresses = list(dict.fromkeys(ip_address(str(entry[4][0]).partition("%")[0]) for entry in found))
    if not addresses:
        raise WebhookFailed(f"The name {host} has no address.", retryable=True)
    _judge(addresses, parts.scheme, host, setting)
    return addresses[:_MOST_ADDRESSES]


def allowed_networks(setting: str = WEBHOOKS) -> tuple[Network, ...]:
    """Return the networks that are written to although they are not public."""
    return tuple(ip_network(text) for text in getattr(settings, setting))


def is_public(address: Address) -> bool:
    """Whether an address belongs to the public internet, looking through the ways IPv6 wraps an IPv4 address."""
    return address not in _LOCAL_NAT64 and all(
        each.is_global and not each.is_multicast and not each.is_reserved and not _is_site_local(each)
        for each in _meant(address)
    )


def _is_site_local(address: Address) -> bool:
    """Whether it is of fec0::/10: deprecated (RFC 3879), still private where it is routed, and called global."""
    return isinstance(address, IPv6Address) and address.is_site_local


def _meant(address: Address) -> Iterable[Address]:
    """Return every address a packet to this one may reach."""
    if isinstance(address, IPv4Address):
        return [address]
    inner: list[Address | None] = [address.ipv4_mapped, address.sixtofour]
    if address.teredo is not None:
        inner += address.teredo
    number = int(address)
    # NAT64, and the long deprecated ::a.b.c.d.
    if address in _NAT64 or number >> 32 == 0:
        inner.append(IPv4Address(number & 0xFFFFFFFF))
    found = [each for each in inner if each is not None]
    # A wrapped address is the one inside: the wrapper itself is reserved, and 64:ff9b:: counts as global.
    return found or [address]


def _judge(addresses: Iterable[Address], scheme: str, host: str, setting: str) -> None:
    allowed = allowed_networks(setting)
    for address in addresses:
        meant = list(_meant(address))
        if any(each in METADATA for each in (address, *meant)):
            raise AddressRefused(f"{host} hands out cloud credentials ({address}); it is never written to.")
        by_setting = any(each in network for network in allowed for each in (address, *meant))
        if not by_setting and not is_public(address):
            said = f"{host} is" if host == str(address) else f"{host} is {address}, which is"
            raise AddressRefused(f"{said} not a public address. If it is meant, name its network in {setting}.")
        if scheme != "https" and not by_setting:
            raise AddressRefused(f"Use https; plain http is for networks named in {setting}.")


def _parts(url: str) -> Any:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise AddressRefused(f"This is not a URL: {error}.") from None
    if len(url) > LONGEST_URL or any(ord(sign) <= 0x20 or ord(sign) == 0x7F for sign in url) or "\\" in url:
        raise AddressRefused("This is not a URL: it is too long, or holds blanks, backslashes or control characters.")
    if parts.scheme not in ("https", "http"):
        raise AddressRefused("Use an https URL.")
    if not parts.hostname or port == 0:
        raise AddressRefused("The URL names no host.")
    if parts.username is not None or parts.password is not None:
        raise AddressRefused("Leave name and password out of the URL; the signature says who sends it.")
    if parts.fragment:
        raise AddressRefused("Leave out what follows #; it would not be sent.")
    return parts


def _port(parts: Any) -> int:
    return int(parts.port or (443 if parts.scheme == "https" else 80))


def _host(url: str) -> str:
    return str(urlsplit(url).hostname or "")


def _literal(host: str) -> Address | None:
    try:
        return ip_address(host.partition("%")[0])
    except ValueError:
        pass
    # 2130706433, 0x7f.1 and the like: the resolver takes them for IPv4 addresses, and so does this.
    try:
        return IPv4Address(socket.inet_aton(host)) if host[:1].isdigit() else None
    except OSError:
        return None


def _post(
    url: str, address: Address, headers: Mapping[str, str], body: bytes, deadline: Deadline, limits: Limits
) -> Answer:
    import requests  # noqa: PLC0415 - as in `post`

    from .connections import Pinned  # noqa: PLC0415 - likewise

    parts = _parts(url)
    host = str(parts.hostname)
    shown = f"[{host}]" if ":" in host else host
    request = requests.Request(
        "POST",
        url,
        data=body,
        headers={**headers, "Host": f"{shown}:{parts.port}" if parts.port else shown},
    ).prepare()
    # An address has no name to indicate; the certificate of a literal address is held against the address.
    adapter = Pinned(str(address), host, has_name=_literal(host) is None, deadline=deadline)
    try:
        # Not by a session: that reads the whole body of a redirect, even of one that it is told not to follow, and
        # takes proxies and passwords from the environment.
        response = adapter.send(
            request,
            stream=True,
            timeout=(limits.connect, limits.read),
            # A private certificate authority is the operator's to name.
            verify=os.environ.get("REQUESTS_CA_BUNDLE") or True,
        )
        with response:
            if deadline.is_over:
                # What was cut off in its headers looks like an answer that ends there.
                raise requests.Timeout
            if 200 <= response.status_code < 300:
                return Answer(response.status_code, str(address), _excerpt(response))
            raise _refusal(host, response)
    finally:
        adapter.close()


def _refusal(host: str, response: requests.Response) -> WebhookFailed:
    status = response.status_code
    if 300 <= status < 400:
        return WebhookFailed(
            f"{host} redirects ({status}); redirects are not followed. Give the final URL.",
            retryable=False,
            status=status,
            said=_excerpt(response),
        )
    gone = " It says it is gone for good." if status == 410 else ""
    said = _excerpt(response)
    return WebhookFailed(
        f"{host} answered {status}{f': {said}' if said else '.'}{gone}",
        retryable=not 400 <= status < 500 or status in (408, 425, 429),
        status=status,
        retry_after=_seconds(response.headers.get("Retry-After", "")),
        said=said,
    )


def _seconds(retry_after: str) -> float | None:
    """Return how long a receiver asks to be left alone, given in seconds or as a date; None when it says neither."""
    text = retry_after.strip()
    if text.isdecimal() and len(text) < 10:
        return float(text)
    try:
        return max((parsedate_to_datetime(text) - timezone.now()).total_seconds(), 0.0)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _excerpt(response: requests.Response) -> str:
    """Return the first words of an answer: one read of the socket, so that nobody can keep this waiting."""
    try:
        raw = cast("bytes", response.raw.read1(_EXCERPT_BYTES) or b"")
    except Exception:  # noqa: BLE001 - an answer that breaks off has still its status
        return ""
    text = raw[:_EXCERPT_BYTES].decode("utf-8", "replace").replace("\0", "")
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())[:300]
