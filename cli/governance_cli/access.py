"""Which portal, and as whom: the environment first, then what `governance login` kept."""

from __future__ import annotations

import ipaddress
import json
import os
import stat
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

from .failures import Failure

URL, TOKEN = "GOVERNANCE_URL", "GOVERNANCE_TOKEN"
_HOW = f"Sign in with `governance login`, or set {URL} and {TOKEN}."


@dataclass(frozen=True)
class Access:
    """A portal's address, a token on it ("" for none), and whose it is as far as that is known."""

    url: str
    token: str
    username: str = ""


def file() -> Path:
    """Return where the token is kept: under the XDG base directory for configuration."""
    given = os.environ.get("XDG_CONFIG_HOME", "")
    # The specification: a relative path is to be ignored.
    folder = Path(given) if given and Path(given).is_absolute() else Path.home() / ".config"
    return folder / "governance" / "token.json"


def kept() -> Access | None:
    """Return what was kept, None where nothing is. Raises Failure for a file that others may read or that is torn."""
    path = file()
    try:
        with path.open(encoding="utf-8") as opened:
            if os.name == "posix" and stat.S_IMODE(os.fstat(opened.fileno()).st_mode) & 0o077:
                raise Failure("Others may read your token", f"Say `chmod 600 {path}`, and make a new token to be safe.")
            found = json.load(opened)
        return Access(str(found["url"]), str(found["token"]), str(found["username"]))
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise Failure(f"{path} cannot be read", "Remove it and sign in again with `governance login`.") from error


def keep(access: Access) -> Path:
    """Keep it, readable by its owner alone from the first byte on; return where."""
    path = file()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
        json.dump(asdict(access), opened)
    new.replace(path)
    return path


def forget() -> None:
    """Remove what was kept."""
    file().unlink(missing_ok=True)


def current(url: str, *, insecure_http: bool, needs_token: bool = True) -> Access:
    """Return whom to be, and where: `url` when given, then the environment, then what was kept.

    A kept token is for the portal it was kept with: it is never sent to another address. Raises Failure where the
    address or the token is missing or cannot be used.
    """
    told = url or os.environ.get(URL, "")
    token = os.environ.get(TOKEN, "").strip()
    before = None if told and token else kept()
    address = told or (before.url if before else "")
    if not address:
        raise Failure("Which portal?", _HOW)
    address, username = checked(address, insecure_http=insecure_http), ""
    if not token and before is not None and before.url == address:
        token, username = before.token, before.username
    if needs_token and not token:
        raise Failure(f"Nobody is signed in at {address}", _HOW)
    return Access(address, sound(token), username)


def sound(token: str) -> str:
    """Return a token that can stand in a header. Raises Failure for one that cannot: it was copied wrongly."""
    if not all("!" <= letter <= "~" for letter in token):
        raise Failure("This is no token", "It holds spaces or letters that no token has: copy it again.")
    return token


def checked(url: str, *, insecure_http: bool) -> str:
    """Return the address without what may stand behind it. Raises Failure unless it is https, or http to this machine.

    The token travels with every call, and whoever sees it may do all that its owner may.
    """
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise Failure(f"{url} is no address", f"{error}.") from error
    if parts.scheme not in ("https", "http") or not host or parts.username is not None:
        raise Failure(f"{url} is no address of a portal", "Give it as https://portal.example.org.")
    if parts.query or parts.fragment:
        raise Failure(f"{url} is no address of a portal", "Leave out what stands behind ? or #.")
    if parts.scheme == "http" and not insecure_http and not _is_this_machine(host):
        raise Failure(
            f"{url} is not encrypted",
            "Everybody on the way could take the token. Use https, or say --insecure-http if you must.",
        )
    shown = f"[{host}]" if ":" in host else host
    path = parts.path.rstrip("/").removesuffix("/api/v1")
    return f"{parts.scheme}://{shown}{f':{port}' if port else ''}{path}"


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
