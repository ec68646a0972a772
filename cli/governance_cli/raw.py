"""Any call of the API: what has no command of its own."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from . import output
from .common import Pairs, pairs, portal, read_json
from .failures import Failure


def api(
    ctx: typer.Context,
    method: Annotated[str, typer.Argument(metavar="METHOD", help="GET, POST, PUT, PATCH or DELETE.")],
    path: Annotated[str, typer.Argument(metavar="PATH", help="Under /api/v1/, such as findings/.")],
    value: Pairs = None,
    body: Annotated[Path | None, typer.Option("--body", help="A JSON object to send.")] = None,
    if_match: Annotated[str | None, typer.Option(help="The ETag of the state an edit is of.")] = None,
    save: Annotated[
        Path | None, typer.Option("--output", metavar="FILE", help="Keep what a GET answers there, as it is.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The answer is JSON anyway.")] = False,
) -> None:
    """Make one call of the API and print the answer; values are the query of a GET, the body of anything else."""
    method = method.upper()
    if method not in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        raise Failure(f"There is no method {method}", "Give GET, POST, PUT, PATCH or DELETE.")
    path = path.lstrip("/").removeprefix("api/v1/")
    if ".." in path or "://" in path or "?" in path or "#" in path:
        raise Failure(f"{path} is no path of the API", "Give it as use-cases/UC-0001/, and the query as NAME=VALUE.")
    given: dict[str, Any] = pairs(value or [], values=method != "GET")
    if body is not None:
        given = read_json(body) | given
    if save is not None:
        if method != "GET":
            raise Failure("--output is for GET", "What anything else answers is printed.")
        size = portal(ctx).download(path, save, params=given)
        if as_json:
            output.document({"file": str(save), "size": size})
        else:
            output.say(f"{save}: {size} bytes.")
        return
    sent: dict[str, Any] = {"params": given} if method == "GET" else {"json": given}
    sent["headers"] = {"Accept": "application/json, */*"} | ({} if if_match is None else {"If-Match": if_match})
    found = portal(ctx).call(method, path, **sent)
    if isinstance(found, str):
        sys.stdout.write(found)
    elif found is not None:
        output.document(found)
    elif as_json:
        sys.stdout.write(f"{json.dumps(None)}\n")
