"""Signing in and out, and who one is."""

from __future__ import annotations

import os
import socket
import sys
from typing import Annotated, Any

import typer

from . import access, output
from .api import Client
from .common import Json, options, portal
from .failures import Failure

ME = {"username": "Signed in as", "display_name": "Name", "roles": "Everywhere", "project_roles": "On projects"}


def login(
    ctx: typer.Context,
    username: Annotated[str, typer.Option("--username", "-u", help="Your sign-in name; asked for unless given.")] = "",
    token: Annotated[
        str,
        typer.Option(metavar="TOKEN", help="Keep a token made in the portal instead; - asks for it, or reads a pipe."),
    ] = "",
    as_json: Json = False,
) -> None:
    """Sign in: change a password into a token and keep it, for you alone, until `governance logout`.

    The password is asked for without showing it, or read from a pipe. Where the portal gives no tokens for passwords,
    make one in its pages under API tokens and say --token -.
    """
    said = options(ctx)
    before = access.kept()
    address = said.url or os.environ.get(access.URL, "") or (before.url if before else "")
    address = access.checked(address or _asked("Address of the portal"), insecure_http=said.insecure_http)
    if token:
        asks = token == "-"  # noqa: S105 - not a token but the wish to be asked
        given = access.sound((_secret("Token") if asks else token).strip())
    else:
        username = username or _asked("User name")
        answer = said.client(access.Access(address, "")).call(
            "POST",
            "auth/token/",
            # Not repeated, and under no key: a token is shown once and kept by the portal in no form it could repeat.
            repeat=False,
            json={
                "username": username,
                "password": _secret("Password"),
                "name": f"CLI on {socket.gethostname()}"[:100],
            },
        )
        given = access.sound(str(answer["token"]))
    me = _me(said.client(access.Access(address, given)))
    where = access.keep(access.Access(address, given, str(me["username"])))
    shown = {"url": address, "username": me["username"], "file": str(where)}
    if as_json:
        output.document(shown)
    else:
        output.say(f"Signed in at {address} as {me['username']}; the token is kept in {where}.")
    if os.environ.get(access.TOKEN):
        output.note(f"{access.TOKEN} is set: the other commands use that token.")


def logout(ctx: typer.Context, as_json: Json = False) -> None:
    """Revoke the token in use, and remove it from this machine."""
    said = options(ctx)
    given = access.current(said.url, insecure_http=said.insecure_http)
    try:
        said.client(given).post("auth/logout/")
    except Failure as failure:
        # What the portal knows no more is revoked already; anything else leaves the token in force, and kept.
        if failure.status != 401:
            raise
    before = None if os.environ.get(access.TOKEN) else access.kept()
    if before is not None and before.token == given.token:
        access.forget()
    if as_json:
        output.document({"url": given.url, "signed_out": True})
    else:
        output.say(f"Signed out at {given.url}: the token is revoked.")


def whoami(ctx: typer.Context, as_json: Json = False) -> None:
    """Show who you are to the portal, and which roles you hold where."""
    client = portal(ctx)
    me = _me(client)
    if as_json:
        output.document({"url": client.base, **me})
        return
    roles = me["project_roles"].items()
    me["project_roles"] = [f"{project}: {' and '.join(held)}" for project, held in roles]
    output.fields({"url": client.base, **me}, {"url": "Portal", **ME})


def _me(client: Client) -> dict[str, Any]:
    return dict(client.get("me/"))


def _asked(what: str) -> str:
    if not sys.stdin.isatty():
        raise Failure(f"{what}?", "Nobody is there to ask: give it as an option or in the environment.")
    return str(typer.prompt(what, err=True))


def _secret(what: str) -> str:
    """Ask for a secret without showing it; from a pipe, its first line is the secret."""
    if sys.stdin.isatty():
        return str(typer.prompt(what, hide_input=True, err=True))
    line = sys.stdin.readline().rstrip("\r\n")
    if not line:
        raise Failure(f"{what}?", "Nothing was entered.")
    return line
