"""What the commands share: their options, the client, and finding what a word names."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from . import access
from .api import Client
from .failures import Failure

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]
Limit = Annotated[int, typer.Option(min=0, help="At most so many; 0 for all.")]
Note = Annotated[str, typer.Option(help="What those who decide should know.")]
VersionName = Annotated[str, typer.Argument(metavar="VERSION", help="Its number, GROUP/NUMBER, or the ARN.")]
UseCaseId = Annotated[str, typer.Argument(metavar="USE_CASE", help="Such as UC-0001.")]
RequestId = Annotated[str, typer.Argument(metavar="REQUEST", help="Such as AR-000001.")]
Pairs = Annotated[list[str] | None, typer.Argument(metavar="NAME=VALUE")]
# Some files are sent as they are, so they must be there; what is read as JSON says itself what is wrong with it.
Readable = typer.Option(exists=True, dir_okay=False, readable=True)


@dataclass(frozen=True)
class Options:
    """What was said before the command."""

    url: str = ""
    insecure_http: bool = False
    timeout: float = 30.0
    retries: int = 3

    def client(self, given: access.Access) -> Client:
        """Return a client for that portal and token."""
        return Client(given.url, given.token, timeout=self.timeout, retries=self.retries)


def options(ctx: typer.Context) -> Options:
    """Return what was said before the command."""
    found = ctx.find_root().obj
    assert isinstance(found, Options)
    return found


def portal(ctx: typer.Context) -> Client:
    """Return the client of whoever is signed in. Raises Failure where nobody is."""
    said = options(ctx)
    return said.client(access.current(said.url, insecure_http=said.insecure_http))


def find_version(client: Client, name: str) -> dict[str, Any]:
    """Return the version a word names: its number, GROUP/NUMBER, or its ARN. Raises Failure where there is none."""
    if name.isascii() and name.isdigit():
        return dict(client.get(f"model-versions/{int(name)}/"))
    if name.startswith("arn:"):
        found = client.rows("model-versions/", limit=1, model_package_arn=name)
    else:
        group, _, number = name.rpartition("/")
        if not group or not (number.isascii() and number.isdigit()):
            raise Failure(
                f"{name} names no version", "Give its number, GROUP/NUMBER such as credit-risk/3, or the ARN."
            )
        rows = client.rows("model-versions/", group=group, ordering="-version")
        found = (row for row in rows if row.get("version") == int(number))
    first = next(iter(found), None)
    if first is None:
        raise Failure(f"There is no version {name}", "Or you may not see it.", status=404)
    return first


def version_id(client: Client, name: str) -> int:
    """Return the number the portal knows a version by."""
    return int(name) if name.isascii() and name.isdigit() else int(find_version(client, name)["id"])


def path_part(name: str) -> str:
    """Return a public id as part of an address. Raises Failure for what could lead elsewhere."""
    if not name or not all(letter.isascii() and (letter.isalnum() or letter in "-_") for letter in name):
        raise Failure(f"{name!r} is no id", "Give it as the portal writes it, such as UC-0001 or AR-000001.")
    return name


def read_json(path: Path) -> dict[str, Any]:
    """Return the JSON object a file holds. Raises Failure for anything else."""
    try:
        found = json.loads(path.read_bytes(), parse_constant=_no_number, parse_float=_number)
    except ValueError as error:
        raise Failure(f"{path} is not JSON", f"{error}.") from error
    if not isinstance(found, dict):
        raise Failure(f"{path} holds no JSON object", "It should begin with { and name its values.")
    return found


def pairs(given: Sequence[str], *, values: bool = False) -> dict[str, Any]:
    """Return `name=value` words as a dict; with `values`, what is a JSON number, true, false or null is one.

    Raises Failure for a word without =, and for a name given twice.
    """
    found: dict[str, Any] = {}
    for word in given:
        name, equals, value = word.partition("=")
        if not name or not equals:
            raise Failure(f"{word!r} says nothing", "Write NAME=VALUE.")
        if name in found:
            raise Failure(f"{name} is given twice", "Give each name once.")
        found[name] = _value(value) if values else value
    return found


def _value(text: str) -> Any:
    if text in ("NaN", "Infinity", "-Infinity"):
        raise Failure(f"{text} is no number in JSON", "Write null for what is not reported.")
    try:
        found = json.loads(text)
    except ValueError:
        return text
    if isinstance(found, float) and not math.isfinite(found):
        raise Failure(f"{text} is too large", "No number of JSON's that programs read is as large.")
    return found if isinstance(found, int | float | None) else text


def _number(text: str) -> float:
    if not math.isfinite(found := float(text)):
        raise ValueError(f"{text} is too large")
    return found


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no number in JSON")
