"""Evidence: listed, and attached as a file or as an object in S3."""

from __future__ import annotations

import mimetypes
from pathlib import Path
from typing import Annotated, Any

import typer

from . import output
from .common import Json, Limit, portal, version_id
from .failures import Failure

app = typer.Typer(name="evidence", help="Evidence.", no_args_is_help=True, rich_markup_mode=None)
COLUMNS = {
    "id": "ID",
    "kind": "KIND",
    "title": "TITLE",
    "about": "ABOUT",
    "edition": "EDITION",
    "is_standing": "COUNTS",
    "author": "BY",
}


@app.command("list")
def list_(
    ctx: typer.Context,
    use_case: Annotated[str | None, typer.Option(help="Only about this use case.")] = None,
    arn: Annotated[str | None, typer.Option(help="Only about this model version.")] = None,
    kind: Annotated[str | None, typer.Option(help="Such as bias_report.")] = None,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """List evidence, newest first."""
    found = portal(ctx).rows("evidence/", limit=limit, use_case=use_case, model_package_arn=arn, kind=kind)
    shown = found if as_json else ({**row, "about": row["subject"]["name"]} for row in found)
    output.rows(shown, COLUMNS, limit=limit, as_json=as_json)


@app.command()
def upload(
    ctx: typer.Context,
    kind: Annotated[str, typer.Option(help="Such as bias_report, test_report or other.")],
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", exists=True, dir_okay=False, readable=True, show_default=False)
    ] = None,
    version: Annotated[
        str | None, typer.Option(metavar="VERSION", help="About this version: number, GROUP/NUMBER or ARN.")
    ] = None,
    use_case: Annotated[str | None, typer.Option(help="Or about this use case.")] = None,
    title: Annotated[str | None, typer.Option(help="The file's name unless given.")] = None,
    note: Annotated[str | None, typer.Option(help="More about it.")] = None,
    supersedes: Annotated[str | None, typer.Option(metavar="EVIDENCE", help="Its next edition: EV-000001.")] = None,
    s3_uri: Annotated[str | None, typer.Option(help="Instead of a file: an object that stays in S3.")] = None,
    as_json: Json = False,
) -> None:
    """Attach evidence: a file, sent in pieces as it is read, or an object in S3, pinned as it is now."""
    if (file is None) == (s3_uri is None):
        raise Failure("Which evidence?", "Give one of FILE and --s3-uri.")
    if (version is None) == (use_case is None):
        raise Failure("About what?", "Give one of --version and --use-case.")
    client = portal(ctx)
    given: dict[str, Any] = {
        "kind": kind,
        "model_version": version_id(client, version) if version is not None else None,
        "use_case": use_case,
        "title": title,
        "note": note,
        "supersedes": supersedes,
        "s3_uri": s3_uri,
    }
    body = {name: value for name, value in given.items() if value is not None}
    if file is None:
        found = client.post("evidence/", body)
    else:
        kind_of_file = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        with file.open("rb") as opened:
            found = client.post("evidence/", data=body, files={"file": (file.name, opened, kind_of_file)})
    if as_json:
        output.document(found)
    else:
        output.say(
            f"{found['id']} is attached to {found['subject']['name']} as {found['kind']}: {found['fingerprint']}"
        )
