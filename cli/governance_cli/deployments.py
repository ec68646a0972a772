"""Deployments: what was ordered to run where, and reporting what became of it."""

from __future__ import annotations

from typing import Annotated

import typer

from . import output
from .common import Json, Limit, portal

app = typer.Typer(name="deployment", help="Deployments.", no_args_is_help=True, rich_markup_mode=None)
COLUMNS = {
    "id": "ID",
    "name": "VERSION",
    "stage": "STAGE",
    "account": "ACCOUNT",
    "mode": "MODE",
    "status": "STATUS",
    "endpoint": "ENDPOINT",
}


@app.command("list")
def list_(
    ctx: typer.Context,
    arn: Annotated[str | None, typer.Option(help="Only of this model version.")] = None,
    stage: Annotated[str | None, typer.Option(help="Only at this stage.")] = None,
    status: Annotated[str | None, typer.Option(help="Only those that stand so.")] = None,
    account: Annotated[str | None, typer.Option(help="Only in this account.")] = None,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """List deployments, newest first."""
    found = portal(ctx).rows(
        "deployments/", limit=limit, model_package_arn=arn, stage=stage, status=status, account=account
    )
    output.rows(found, COLUMNS, limit=limit, as_json=as_json)


@app.command()
def report(
    ctx: typer.Context,
    deployment: Annotated[int, typer.Argument(help="Its number.", min=1)],
    status: Annotated[str, typer.Option(help="in_progress, deployed or failed.")],
    endpoint: Annotated[str, typer.Option(help="What answers there.")] = "",
    detail: Annotated[str, typer.Option(help="More about it.")] = "",
    as_json: Json = False,
) -> None:
    """Report what became of an ordered deployment."""
    body = {"status": status, "endpoint": endpoint, "detail": detail}
    found = portal(ctx).post(f"deployments/{deployment}/status/", body)
    if as_json:
        output.document(found)
    else:
        output.say(f"{found['name']} at {found['stage']} in {found['account']}: {found['status']} ({found['mode']}).")
