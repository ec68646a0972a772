"""The gate: may this version run at that stage in that account now?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from . import attestation, output
from .common import Json, portal, read_json
from .failures import Failure, unreadable

DENIED = 1


def gate(
    ctx: typer.Context,
    arn: Annotated[str, typer.Option(help="The ARN of the model package.")],
    stage: Annotated[str, typer.Option(help="development, qa, pre_production or production.")],
    account: Annotated[str, typer.Option(help="The twelve digits of the account it is to run in.")],
    save: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Keep the signed answer (JWS) there, allow or deny.")
    ] = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Check the signed answer against the portal's public keys.")
    ] = False,
    keys: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Check it against this key set (JWKS) instead of the portal's.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Ask whether a version may run at a stage in an account now.

    Ends with 0 for allow, 1 for deny with every rule that failed, and 2 for everything that is no answer: usage,
    network, a portal that fails, an answer that cannot be read, kept or verified.
    """
    question = {"model_package_arn": arn, "stage": stage, "account": account}
    client = portal(ctx)
    answer = client.get("gate/", **question)
    _readable(answer, question)
    if save is not None:
        save.write_text(f"{answer['attestation']}\n", encoding="ascii")
    if verify or keys is not None:
        key_set = read_json(keys) if keys is not None else client.get("gate/keys/")
        attestation.verify(answer, key_set)
    if as_json:
        output.document({**answer, "verified": verify or keys is not None})
    else:
        _say(answer, verified=verify or keys is not None)
    raise typer.Exit(0 if answer["decision"] == "allow" else DENIED)


def _readable(answer: Any, question: dict[str, str]) -> None:
    """Raise Failure unless this is an answer of the gate to that question, in all its parts."""
    if not isinstance(answer, dict) or answer.get("decision") not in ("allow", "deny"):
        raise unreadable("The answer", "It says neither allow nor deny.")
    if any(answer.get(name) != asked for name, asked in question.items()):
        raise unreadable("The answer", "It is an answer to another question.")
    reasons, token = answer.get("reasons"), answer.get("attestation")
    if not isinstance(reasons, list) or not all(
        isinstance(each, dict) and {"code", "rule", "detail"} <= each.keys() for each in reasons
    ):
        raise unreadable("The answer", "It names no rules.")
    if answer["decision"] == "allow" and reasons:
        raise unreadable("The answer", "It allows, and names rules that failed.")
    if not isinstance(token, str) or token.count(".") != 2 or not token.isascii():
        raise Failure("The answer is not signed", "It carries no attestation, so there is nothing to keep.")


def _say(answer: dict[str, Any], *, verified: bool) -> None:
    what = answer.get("version") or answer["model_package_arn"]
    place = f"{what} at {answer['stage']} in {answer['account']}"
    output.say(f"{answer['decision']}: {place}, until {answer.get('expires_at')}")
    for reason in answer["reasons"]:
        output.say(f"  {reason['rule']}: {reason['detail']} [{reason['code']}]")
    for used in answer.get("overrides") or []:
        output.say(f"  break-glass {used['id']}: {used['check']}, until {used['expires_at']}")
    if verified:
        output.say("The attestation is genuine.")
