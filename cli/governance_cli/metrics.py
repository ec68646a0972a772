"""Metrics: results of tests and of monitoring, reported to where a version stands."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from . import output
from .api import Client
from .common import Json, Pairs, find_version, pairs, portal, read_json
from .failures import Failure

app = typer.Typer(name="metrics", help="Metrics.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def metrics() -> None:
    """Metrics of model versions."""


@app.command()
def push(
    ctx: typer.Context,
    metric: Pairs = None,
    file: Annotated[Path | None, typer.Option(help="A JSON object of names and values, nested as they are.")] = None,
    version: Annotated[
        str | None, typer.Option(metavar="VERSION", help="Number, GROUP/NUMBER or ARN; with --stage.")
    ] = None,
    stage: Annotated[str | None, typer.Option(help="The stage they were measured at.")] = None,
    account: Annotated[str | None, typer.Option(help="Where it stands in several accounts there.")] = None,
    record: Annotated[int | None, typer.Option(min=1, help="Or the number of the stage record.")] = None,
    monitoring: Annotated[
        bool, typer.Option("--monitoring", help="Results of watching what runs, not of a test.")
    ] = False,
    source: Annotated[str | None, typer.Option(help="Where validation results come from.")] = None,
    endpoint: Annotated[str | None, typer.Option(help="The endpoint that is monitored.")] = None,
    captured_at: Annotated[str | None, typer.Option(metavar="TIME", help="When they were measured, ISO 8601.")] = None,
    as_json: Json = False,
) -> None:
    """Report metrics, as NAME=VALUE or from a file; null is "not reported", and never 0.

    The newest by capture time are the record's attribute, and what the policy's checks look at.
    """
    values = (read_json(file) if file else {}) | pairs(metric or [], values=True)
    if not values:
        raise Failure("Which metrics?", "Write them as NAME=VALUE, or give --file.")
    if source is not None and monitoring:
        raise Failure("Which kind?", "--source is for validation; monitoring has an --endpoint.")
    if endpoint is not None and not monitoring:
        raise Failure("Which kind?", "--endpoint is for --monitoring; validation has a --source.")
    client = portal(ctx)
    number = record if record is not None else _record(client, version, stage, account)
    kind = "monitoring-metrics" if monitoring else "validation-metrics"
    given = {"metrics": values, "source": source, "endpoint": endpoint, "captured_at": captured_at}
    body = {name: value for name, value in given.items() if value is not None}
    found = client.post(f"stage-records/{number}/{kind}/", body)
    if as_json:
        output.document(found)
        return
    name = f"{found['model_group']}/{found['model_version']}"
    output.say(f"{len(values)} {kind.replace('-', ' ')} of {name} at {found['model_stage']} are reported.")


def _record(client: Client, version: str | None, stage: str | None, account: str | None) -> int:
    """Return the number of the stage record that is meant. Raises Failure unless it is exactly one."""
    if version is None or stage is None:
        raise Failure("Where were they measured?", "Give --version and --stage, or --record.")
    arn = version if version.startswith("arn:") else find_version(client, version)["model_package_arn"]
    rows: list[dict[str, Any]] = list(
        client.rows("stage-records/", model_package_arn=arn, model_stage=stage, account=account)
    )
    # A version that serves two use cases shows one record twice.
    places = {row["id"]: row["account"] for row in rows}
    if not places:
        raise Failure(f"{version} does not stand at {stage}", "Or you may not see it there.")
    if len(places) > 1:
        words = ", ".join(f"{number} in {place or 'no account'}" for number, place in places.items())
        raise Failure(f"{version} stands at {stage} in several accounts", f"Give --account or --record: {words}.")
    return int(next(iter(places)))
