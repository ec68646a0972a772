"""Approval requests: listed, shown, decided on."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from . import output
from .common import Json, Limit, RequestId, path_part, portal

app = typer.Typer(name="approval", help="Approval requests.", no_args_is_help=True, rich_markup_mode=None)
COLUMNS = {
    "id": "ID",
    "about": "ABOUT",
    "stage": "STAGE",
    "state": "STATE",
    "requester": "ASKED BY",
    "waiting_for": "WAITS FOR",
    "due_at": "DUE",
}
FIELDS = {
    "about": "About",
    "stage": "At stage",
    "to_stage": "Goes on to",
    "state": "State",
    "requester": "Asked by",
    "note": "Note",
    "risk_tier": "Risk",
    "waiting_for": "Waits for",
    "decided": "Decided",
    "due_at": "Due",
    "why_not": "You may not decide",
}


@app.command("list")
def list_(
    ctx: typer.Context,
    queue: Annotated[
        str | None, typer.Option(help="mine (you may decide), role, overdue, or decided (by you).")
    ] = None,
    state: Annotated[str | None, typer.Option(help="Such as open or approved.")] = None,
    use_case: Annotated[str | None, typer.Option(help="Only about this use case.")] = None,
    arn: Annotated[str | None, typer.Option(help="Only about this model version.")] = None,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """List approval requests, newest first."""
    found = portal(ctx).rows(
        "approvals/", limit=limit, queue=queue, state=state, use_case=use_case, model_package_arn=arn
    )
    output.rows(
        found if as_json else map(_in_words, found),
        COLUMNS,
        limit=limit,
        as_json=as_json,
    )


@app.command()
def show(ctx: typer.Context, request: RequestId, as_json: Json = False) -> None:
    """Show one request: what is asked, what it waits for, who has decided."""
    found = portal(ctx).get(f"approvals/{path_part(request)}/")
    if as_json:
        output.document(found)
        return
    said = [f"{each['decision']} by {each['decided_by']} ({each['role']})" for each in found["decisions"]]
    output.say(str(found["id"]))
    output.fields({**_in_words(found), "decided": said}, FIELDS)


def approve(
    ctx: typer.Context,
    request: RequestId,
    comment: Annotated[str, typer.Option(help="What you want to say with it.")] = "",
    as_json: Json = False,
) -> None:
    """Approve what a request asks for. The last approval that is missing moves it on."""
    _decide(ctx, request, {"decision": "approve", "comment": comment}, as_json=as_json)


def reject(
    ctx: typer.Context,
    request: RequestId,
    comment: Annotated[str, typer.Option(help="Why; the portal asks for it.")] = "",
    back_to: Annotated[
        str | None, typer.Option(metavar="STAGE", help="Where it goes back to; development unless given.")
    ] = None,
    changes: Annotated[
        bool, typer.Option("--request-changes", help="Ask for changes instead: it stays where it is.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Reject what a request asks for, or ask for changes to it."""
    body = {"decision": "request_changes" if changes else "reject", "comment": comment}
    _decide(ctx, request, body | ({"back_to": back_to} if back_to is not None else {}), as_json=as_json)


def asked(found: dict[str, Any], *, as_json: bool) -> None:
    """Say which request was made by submitting something."""
    if as_json:
        output.document(found)
    else:
        output.say(f"{found['id']} asks for {found['subject']['name']} at {found['stage']}.")
        output.say(f"It is {_standing(found)}.")


def _decide(ctx: typer.Context, request: str, body: dict[str, Any], *, as_json: bool) -> None:
    found = portal(ctx).post(f"approvals/{path_part(request)}/decisions/", body)
    if as_json:
        output.document(found)
        return
    now, who = found["request"], f"{found['decided_by']} as {found['role']}"
    output.say(f"{found['decision']} by {who}: {now['id']} is {_standing(now)}.")


def _in_words(row: dict[str, Any]) -> dict[str, Any]:
    waits = row["waiting_for"].removeprefix("waiting for ")
    return {**row, "about": row["subject"]["name"], "waiting_for": waits}


def _standing(request: dict[str, Any]) -> str:
    """`open, waiting for the model owner`, or just `approved`."""
    return ", ".join(each for each in (request["state"], request["waiting_for"]) if each)
