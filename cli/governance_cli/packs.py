"""Audit packs, verified without the portal and without a network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from . import output, pack_verifier
from .common import Json
from .failures import Failure


def verify_pack(
    pack: Annotated[Path, typer.Argument(metavar="PACK", exists=True, help="The archive, or the folder it is in.")],
    key_id: Annotated[str, typer.Option(help="The key it must be signed with; ask the portal, not the pack.")] = "",
    sha256: Annotated[str, typer.Option(help="The SHA-256 the archive must have.")] = "",
    no_signatures: Annotated[
        bool, typer.Option("--no-signatures", help="Check everything else, and count that as all.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Verify an audit pack, offline: 0 it is sound, 1 it is not, 2 it could not all be checked.

    This is the program that every pack carries as verify.py; the one in the pack is not run, since a pack should not
    vouch for itself. Signatures need the package cryptography.
    """
    if not as_json:
        options = ["--key-id", key_id, "--sha256", sha256, *(["--no-signatures"] if no_signatures else [])]
        raise typer.Exit(pack_verifier.main([*options, str(pack)]))
    signatures = not no_signatures and _has_cryptography()
    report = pack_verifier.check(pack, key_id=key_id, sha256=sha256, signatures=signatures)
    output.document(
        {
            "is_sound": report.is_sound,
            "signatures_checked": signatures,
            "problems": report.problems,
            "notes": report.notes,
            "holds": report.holds if report.is_sound else [],
        }
    )
    if report.is_sound and not signatures and not no_signatures:
        raise Failure("Not fully checked", "Signatures need the package cryptography; --no-signatures goes without.")
    raise typer.Exit(0 if report.is_sound else 1)


def _has_cryptography() -> bool:
    try:
        import cryptography  # noqa: F401, PLC0415 - whether it is installed
    except ImportError:
        return False
    return True
