"""Model versions: listed, shown, registered, submitted, and what their approval needs."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from . import output
from .api import Client
from .approvals import asked
from .common import Json, Limit, Note, VersionName, pairs, portal, read_json, version_id
from .failures import Failure

app = typer.Typer(name="version", help="Model versions.", no_args_is_help=True, rich_markup_mode=None)
COLUMNS = {
    "id": "ID",
    "name": "VERSION",
    "stage": "STAGE",
    "status": "STATUS",
    "risk": "RISK",
    "use_cases": "USE CASES",
}
FIELDS = {
    "id": "Number",
    "model_package_arn": "ARN",
    "description": "Description",
    "stage": "Stage",
    "status": "Status",
    "risk": "Risk",
    "use_cases": "Use cases",
    "owner": "Owner",
    "project": "Project",
    "aws_approval_status": "In SageMaker",
    "registered_by": "Registered by",
    "content_digest": "Digest",
}
REGISTRATION_POLLS = 0.5


@app.command("list")
def list_(
    ctx: typer.Context,
    group: Annotated[str | None, typer.Option(help="Only those of this model group.")] = None,
    stage: Annotated[str | None, typer.Option(help="Only those at this stage.")] = None,
    status: Annotated[str | None, typer.Option(help="Only those that stand so.")] = None,
    risk: Annotated[str | None, typer.Option(help="Only those of this risk.")] = None,
    use_case: Annotated[str | None, typer.Option(help="Only those that serve this use case.")] = None,
    project: Annotated[str | None, typer.Option(help="Only those of this project, by its key.")] = None,
    arn: Annotated[str | None, typer.Option(help="Only this one.")] = None,
    search: Annotated[str | None, typer.Option(help="Words in group, description or purpose.")] = None,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """List model versions, newest first."""
    filters = {"group": group, "stage": stage, "status": status, "risk": risk, "use_case": use_case}
    found = portal(ctx).rows(
        "model-versions/", limit=limit, project=project, model_package_arn=arn, search=search, **filters
    )
    output.rows(found, COLUMNS, limit=limit, as_json=as_json)


@app.command()
def show(ctx: typer.Context, version: VersionName, as_json: Json = False) -> None:
    """Show a model version."""
    client = portal(ctx)
    _shown(client.get(f"model-versions/{version_id(client, version)}/"), as_json=as_json)


@app.command()
def requirements(
    ctx: typer.Context,
    version: VersionName,
    stage: Annotated[str | None, typer.Option(help="The stage it is in unless given.")] = None,
    as_json: Json = False,
) -> None:
    """Show what a version's approval at a stage needs, and what of it is missing."""
    client = portal(ctx)
    found = client.get(f"model-versions/{version_id(client, version)}/requirements/", stage=stage)
    if as_json:
        output.document(found)
        return
    needs = " and ".join(f"{need['count']} {need['role']}" for need in found["approvals"]) or "nobody"
    output.say(f"{found['stage']}, risk {found['risk_tier']}, policy {found['policy_version']}: {needs} must approve.")
    if found["checks"]:
        output.table(found["checks"], {"key": "CHECK", "outcome": "OUTCOME", "detail": "DETAIL"})
    if found["open_request"]:
        output.say(f"{found['open_request']} is {found['waiting_for']}.")


@app.command()
def submit(ctx: typer.Context, version: VersionName, note: Note = "", as_json: Json = False) -> None:
    """Ask that a version be approved at the stage it is in."""
    client = portal(ctx)
    asked(client.post(f"model-versions/{version_id(client, version)}/submit/", {"note": note}), as_json=as_json)


@app.command()
def register(
    ctx: typer.Context,
    group: Annotated[str, typer.Option(help="The model group, by its name or ARN.")],
    file: Annotated[
        Path | None, typer.Option(help="A JSON object with everything else, as the API takes it; options go first.")
    ] = None,
    image: Annotated[str | None, typer.Option(help="The inference container's image.")] = None,
    model_data: Annotated[str | None, typer.Option(metavar="S3_URI", help="Where its artifact lies.")] = None,
    content_type: Annotated[
        list[str] | None, typer.Option(metavar="TYPE", help="What it reads; may be repeated.")
    ] = None,
    response_type: Annotated[
        list[str] | None, typer.Option(metavar="TYPE", help="What it answers; may be repeated.")
    ] = None,
    description: Annotated[str | None, typer.Option(help="What is new about it.")] = None,
    card: Annotated[Path | None, typer.Option(metavar="FILE", help="The model card, a JSON object.")] = None,
    metadata: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="Such as validation_auc=0.78; may be repeated.")
    ] = None,
    mlflow_run: Annotated[
        str | None, typer.Option(metavar="RUN", help="The MLflow run it comes from: an id, or its page's address.")
    ] = None,
    reference: Annotated[str | None, typer.Option(help="Your own name: the same never registers twice.")] = None,
    wait: Annotated[
        float, typer.Option(metavar="SECONDS", min=0, help="How long to wait where SageMaker is not quick.")
    ] = 60.0,
    as_json: Json = False,
) -> None:
    """Register a version in a group of the hub; it waits for approval in development."""
    if model_data is not None and image is None:
        raise Failure("Which container?", "--model-data belongs to --image.")
    container = {"image": image, **({"model_data_url": model_data} if model_data else {})}
    given = {
        "containers": [container] if image else None,
        "content_types": content_type or None,
        "response_types": response_type or None,
        "description": description,
        "card": read_json(card) if card else None,
        "metadata": pairs(metadata) if metadata else None,
        "mlflow_run": mlflow_run,
        "reference": reference,
    }
    body = read_json(file) if file else {}
    body |= {"group": group, **{name: value for name, value in given.items() if value is not None}}
    client = portal(ctx)
    found = client.post("model-versions/", body)
    # Where SageMaker is not quick, or refuses, the answer is the registration that is under way.
    _shown(found if "model_package_arn" in found and "stage" in found else _made(client, found, wait), as_json=as_json)


def _made(client: Client, registration: dict[str, Any], wait: float) -> dict[str, Any]:
    deadline = time.monotonic() + wait
    while registration["state"] not in ("done", "failed"):
        if time.monotonic() > deadline:
            why = (registration.get("order") or {}).get("last_error") or "SageMaker has not answered yet."
            raise Failure(f"{registration['id']} is still under way", f"{why}\nA worker goes on with it.")
        time.sleep(REGISTRATION_POLLS)
        registration = client.get(f"registrations/{registration['id']}/")
    if registration["state"] == "failed":
        raise Failure(f"{registration['id']} failed", str(registration["error"]))
    return dict(client.get(f"model-versions/{registration['version']}/"))


def _shown(found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        output.document(found)
        return
    output.say(str(found["name"]))
    output.fields(found, FIELDS)
