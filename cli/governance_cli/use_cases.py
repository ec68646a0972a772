"""Use cases: listed, shown, registered, described, classified, submitted."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from . import output
from .approvals import asked
from .common import Json, Limit, Note, Readable, UseCaseId, pairs, path_part, portal, read_json
from .failures import Failure

app = typer.Typer(name="use-case", help="Use cases.", no_args_is_help=True, rich_markup_mode=None)
COLUMNS = {
    "id": "ID",
    "name": "NAME",
    "project": "PROJECT",
    "risk_class": "RISK CLASS",
    "stage": "STAGE",
    "status": "STATUS",
}
FIELDS = {
    **{name: label.capitalize() for name, label in COLUMNS.items() if name != "id"},
    "intended_purpose": "Intended purpose",
    "business_owner": "Business owner",
    "model_owner": "Model owner",
    "registered_by": "Registered by",
    "blockers": "Held by",
}
# What is written takes the place of whatever is there.
AS_IT_IS = {"If-Match": "*"}
PARTS = "risk_assessment, mitigation_strategies, transparency_explainability, human_oversight, monitoring_evaluation"


@app.command("list")
def list_(
    ctx: typer.Context,
    stage: Annotated[str | None, typer.Option(help="Only those at this stage.")] = None,
    status: Annotated[str | None, typer.Option(help="Only those that stand so.")] = None,
    risk_class: Annotated[str | None, typer.Option(help="Only those of this class.")] = None,
    project: Annotated[str | None, typer.Option(help="Only those of this project, by its key.")] = None,
    search: Annotated[str | None, typer.Option(help="Words in name, purpose or description.")] = None,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """List use cases, newest first."""
    found = portal(ctx).rows(
        "use-cases/", limit=limit, stage=stage, status=status, risk_class=risk_class, project=project, search=search
    )
    output.rows(found, COLUMNS, limit=limit, as_json=as_json)


@app.command()
def show(ctx: typer.Context, use_case: UseCaseId, as_json: Json = False) -> None:
    """Show a use case, and what keeps it where it is."""
    _shown(portal(ctx).get(f"use-cases/{path_part(use_case)}/"), as_json=as_json)


@app.command()
def register(
    ctx: typer.Context,
    name: Annotated[str, typer.Option(help="What people call it.")],
    project: Annotated[str, typer.Option(help="The key of its project.")],
    purpose: Annotated[str, typer.Option(help="What it is intended for, in plain words.")],
    description: Annotated[str | None, typer.Option(help="More about it.")] = None,
    business_owner: Annotated[str | None, typer.Option(help="Whose business it serves.")] = None,
    model_owner: Annotated[str | None, typer.Option(help="A sign-in name.")] = None,
    next_review_on: Annotated[str | None, typer.Option(metavar="DATE", help="Such as 2027-06-30.")] = None,
    attribute: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="A custom attribute; may be repeated.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Register a use case: POC, pending."""
    given = {
        "name": name,
        "project": project,
        "intended_purpose": purpose,
        "description": description,
        "business_owner": business_owner,
        "model_owner": model_owner,
        "next_review_on": next_review_on,
        "attributes": pairs(attribute, values=True) if attribute else None,
    }
    body = {field: value for field, value in given.items() if value is not None}
    _shown(portal(ctx).post("use-cases/", body), as_json=as_json)


@app.command()
def classify(
    ctx: typer.Context,
    use_case: UseCaseId,
    risk_class: Annotated[
        str | None, typer.Option(help="Set the class by hand: minimal, limited, high or unacceptable.")
    ] = None,
    answers: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Answers to the questionnaire, a JSON object.")
    ] = None,
    reason: Annotated[str, typer.Option(help="Why.")] = "",
    as_json: Json = False,
) -> None:
    """Say which class of the AI Act a use case is of, by answers or by hand."""
    if (risk_class is None) == (answers is None):
        raise Failure("By hand or by answers?", "Give one of --risk-class and --answers.")
    body = {"reason": reason, **({"answers": read_json(answers)} if answers else {"risk_class": risk_class})}
    found = portal(ctx).call("PUT", f"use-cases/{path_part(use_case)}/classification/", json=body, headers=AS_IT_IS)
    if as_json:
        output.document(found)
        return
    waits = f"; {found['waiting']['proposed_class']} waits to be confirmed" if found.get("waiting") else ""
    output.say(f"{found['id']} is of class {found['risk_class']}{waits}.")


@app.command()
def describe(
    ctx: typer.Context,
    use_case: UseCaseId,
    part: Annotated[str, typer.Argument(metavar="PART", help=f"One of {PARTS}.")],
    text: Annotated[str | None, typer.Option(help="What is written there.")] = None,
    file: Annotated[Path | None, Readable] = None,
    as_json: Json = False,
) -> None:
    """Write one of the five parts of a use case's governance."""
    if (text is None) == (file is None):
        raise Failure("Where is the text?", "Give one of --text and --file.")
    written = text if file is None else file.read_text(encoding="utf-8")
    found = portal(ctx).call(
        "PUT", f"use-cases/{path_part(use_case)}/documents/", json={part: written}, headers=AS_IT_IS
    )
    if as_json:
        output.document(found)
    else:
        output.say(f"{part} of {found['id']} is written.")


@app.command()
def submit(ctx: typer.Context, use_case: UseCaseId, note: Note = "", as_json: Json = False) -> None:
    """Ask that a use case be approved at the stage it is in."""
    asked(portal(ctx).post(f"use-cases/{path_part(use_case)}/submit/", {"note": note}), as_json=as_json)


def _shown(found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        output.document(found)
        return
    output.say(str(found["id"]))
    output.fields(found, FIELDS)
