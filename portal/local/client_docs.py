"""What documents say of the command `governance` is what it says itself; its pack verifier is the one packs carry.

    python -m portal.local.client_docs

writes both anew: in docs/cli.md, the block under every `<!-- help: COMMAND -->`.
"""

from __future__ import annotations

import io
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from os import environ
from typing import Any

from governance_cli.__main__ import run
from governance_cli.app import built

from portal.local.home import PROJECT

DOCUMENT = PROJECT / "docs" / "cli.md"
VERIFIER = PROJECT / "governance" / "services" / "audit_pack" / "verify.py"
COPY = PROJECT / "cli" / "governance_cli" / "pack_verifier.py"
BLOCK = re.compile(r"(<!-- help: ([a-z -]*?) -->\n```text\n).*?(```\n)", re.DOTALL)
WIDTH = 102


def main() -> int:
    """Write them anew."""
    DOCUMENT.write_text(rewritten(DOCUMENT.read_text()))
    shutil.copyfile(VERIFIER, COPY)
    return 0


def rewritten(text: str) -> str:
    """Return a document with the help of today in each of its blocks."""
    return BLOCK.sub(lambda block: f"{block[1]}{help_of(block[2].split())}{block[3]}", text)


def commands() -> list[str]:
    """Return every command, as it is typed after `governance`; "" is the command itself."""
    return ["", *_commands(built(), "")]


def help_of(words: list[str]) -> str:
    """Return what `governance ... --help` prints in a terminal of that width."""
    before, environ["COLUMNS"] = environ.get("COLUMNS"), str(WIDTH)
    try:
        with redirect_stdout(io.StringIO()) as printed:
            code = run([*words, "--help"])
    finally:
        environ.pop("COLUMNS") if before is None else environ.update(COLUMNS=before)
    assert code == 0, f"there is no command {' '.join(words)}"
    return printed.getvalue()


def _commands(command: Any, path: str) -> Iterator[str]:
    for name, each in getattr(command, "commands", {}).items():
        if hasattr(each, "commands"):
            yield from _commands(each, f"{path}{name} ")
        else:
            yield f"{path}{name}"


if __name__ == "__main__":
    sys.exit(main())
