"""Syncing AWS accounts: asked for, and waited for."""

from __future__ import annotations

import sys
import time
from typing import Annotated, Any

import typer

from . import output
from .api import Client
from .common import Json, portal
from .failures import Failure

POLLS = 1.0
_FAILED = 1


def sync(
    ctx: typer.Context,
    account: Annotated[
        str | None, typer.Argument(help="The twelve digits of one account; all of them unless given.")
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until the passes have ended, and show how.")] = False,
    patience: Annotated[float, typer.Option(metavar="SECONDS", min=1, help="How long --wait waits.")] = 600.0,
    as_json: Json = False,
) -> None:
    """Have the portal read AWS now: one account or all.

    With --wait it ends with 0 when every pass succeeded, 1 when one failed, 2 when they did not end in time.
    """
    client = portal(ctx)
    accounts = _accounts(client, account)
    before = {each["account_id"]: _newest(client, each["account_id"]) for each in accounts}
    for each in accounts:
        client.post(f"accounts/{each['account_id']}/sync/")
    if not wait:
        _say_asked(accounts, as_json=as_json)
        return
    deadline = time.monotonic() + patience
    ended = [
        run for each in accounts for run in _ended(client, each, before[each["account_id"]], deadline, quiet=as_json)
    ]
    if as_json:
        output.document(ended)
    else:
        for run in ended:
            counts = ", ".join(f"{run[name]} {name}" for name in ("created", "updated", "unchanged", "missing"))
            output.say(f"{run['account']} {run['region']}: {run['state']}, {counts}", *_reason(run))
    raise typer.Exit(_FAILED if any(run["state"] == "failed" for run in ended) else 0)


def _accounts(client: Client, account: str | None) -> list[dict[str, Any]]:
    if account is not None:
        if not (account.isascii() and account.isdigit() and len(account) == 12):
            raise Failure(f"{account} is no account", "Give its twelve digits.")
        return [dict(client.get(f"accounts/{account}/"))]
    found = [each for each in client.rows("accounts/") if each["is_enabled"]]
    if not found:
        raise Failure("There is no account to sync", "None is enabled, or you may see none.")
    return found


def _newest(client: Client, account: str) -> int:
    first = next(client.rows("sync-runs/", limit=1, account=account, kind="full", ordering="-id"), None)
    return int(first["id"]) if first else 0


def _ended(
    client: Client, account: dict[str, Any], before: int, deadline: float, *, quiet: bool
) -> list[dict[str, Any]]:
    """Return the first pass of each region that began since, once all of them have ended."""
    said = ""
    while True:
        begun: dict[str, dict[str, Any]] = {}
        for run in client.rows("sync-runs/", limit=50, account=account["account_id"], kind="full", ordering="-id"):
            if run["id"] <= before:
                break
            begun[run["region"]] = run
        done = [run for run in begun.values() if run["state"] != "running"]
        if set(account["regions"]) <= {run["region"] for run in done}:
            return sorted(done, key=lambda run: str(run["region"]))
        now = ", ".join(f"{run['groups_done']} of {run['groups']} groups in {run['region']}" for run in begun.values())
        if now != said and not quiet and sys.stderr.isatty():
            output.note(f"{account['account_id']}: {now}")
            said = now
        if time.monotonic() > deadline:
            raise Failure(f"The sync of {account['account_id']} has not ended", now or "No worker has begun it yet.")
        time.sleep(POLLS)


def _say_asked(accounts: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        output.document([{"account_id": each["account_id"], "alias": each["alias"]} for each in accounts])
        return
    for each in accounts:
        output.say(f"A sync of {each['alias']} ({each['account_id']}) was asked for.")


def _reason(run: dict[str, Any]) -> list[str]:
    return [f"  {run['error']}"] if run["error"] else []
