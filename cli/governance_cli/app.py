"""The command `governance`: what is said before every command, and where the commands are."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any

import typer

from . import approvals, deployments, evidence, gate, metrics, packs, raw, signing_in, stages, sync, use_cases, versions
from .common import Options

app = typer.Typer(
    help="The Model Governance Portal from a terminal or a pipeline.\n\n"
    "GOVERNANCE_URL and GOVERNANCE_TOKEN say where and as whom; without them, what `governance login` kept.\n\n"
    "Exit codes: 0 yes or done, 1 no (a gate that denies, a pack that is not sound, a sync that failed), "
    "2 everything that is not an answer.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


@app.callback()
def before(
    ctx: typer.Context,
    url: Annotated[str, typer.Option(metavar="ADDRESS", help="The portal, instead of GOVERNANCE_URL.")] = "",
    timeout: Annotated[
        float,
        typer.Option(
            metavar="SECONDS", envvar="GOVERNANCE_TIMEOUT", min=0.1, max=600, help="How long to wait for the network."
        ),
    ] = 30.0,
    retries: Annotated[
        int,
        typer.Option(
            metavar="N", envvar="GOVERNANCE_RETRIES", min=0, max=10, help="Repeats when the portal is busy or away."
        ),
    ] = 3,
    insecure_http: Annotated[
        bool, typer.Option("--insecure-http", help="Send the token unencrypted to another machine.")
    ] = False,
) -> None:
    ctx.obj = Options(url, insecure_http, timeout, retries)


for commands in (use_cases, versions, approvals, stages, deployments, evidence, metrics):
    app.add_typer(commands.app)
for name, command in (
    ("login", signing_in.login),
    ("logout", signing_in.logout),
    ("whoami", signing_in.whoami),
    ("approve", approvals.approve),
    ("reject", approvals.reject),
    ("gate", gate.gate),
    ("sync", sync.sync),
    ("verify-pack", packs.verify_pack),
    ("api", raw.api),
):
    app.command(name)(command)


@cache
def built() -> Any:
    """Return the command that all of these make; it takes its arguments, and returns or raises how it ended."""
    return typer.main.get_command(app)
