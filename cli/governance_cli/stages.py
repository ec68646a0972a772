"""The model stage governance table, also as of a moment, also as CSV."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from . import output
from .common import Json, Limit, portal

app = typer.Typer(name="stage", help="The stage governance table.", no_args_is_help=True, rich_markup_mode=None)
COLUMNS = {
    "id": "ID",
    "model_group": "GROUP",
    "model_version": "VERSION",
    "model_stage": "STAGE",
    "model_status": "STATUS",
    "model_risk": "RISK",
    "account": "ACCOUNT",
    "use_case_id": "USE CASE",
    "validation_metrics": "VALIDATION",
    "audit_user": "BY",
}


@app.command("list")
def list_(
    ctx: typer.Context,
    arn: Annotated[str | None, typer.Option(help="Only this model version.")] = None,
    stage: Annotated[str | None, typer.Option(help="Only at this stage.")] = None,
    status: Annotated[str | None, typer.Option(help="Only what stands so.")] = None,
    use_case: Annotated[str | None, typer.Option(help="Only what serves this use case.")] = None,
    project: Annotated[str | None, typer.Option(help="Only of this project, by its key.")] = None,
    as_of: Annotated[str | None, typer.Option(metavar="TIME", help="As it was then: 2026-11-21T10:00:00Z.")] = None,
    csv: Annotated[bool, typer.Option("--csv", help="All of it as CSV, every attribute a column.")] = False,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """List where every model version stands, for which use case, with its metrics; newest first."""
    filters = {
        "model_package_arn": arn,
        "model_stage": stage,
        "model_status": status,
        "use_case_id": use_case,
        "model_project": project,
        "as_of": as_of,
    }
    if csv:
        sent = {name: value for name, value in {**filters, "format": "csv"}.items() if value is not None}
        sys.stdout.write(portal(ctx).call("GET", "stage-records/", params=sent, headers={"Accept": "text/csv"}))
        return
    output.rows(portal(ctx).rows("stage-records/", limit=limit, **filters), COLUMNS, limit=limit, as_json=as_json)
