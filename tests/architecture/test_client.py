"""The command line client is a project of its own: it knows the portal's API, and nothing of its code."""

from __future__ import annotations

import ast
import sys
import tomllib

from portal.local import client_docs

from .sources import PROJECT, sources
from .test_house_style import MOST_LINES

CLIENT = PROJECT / "cli" / "governance_cli"
VERIFIER = PROJECT / "governance" / "services" / "audit_pack" / "verify.py"
# What it declares to need, and what it uses where that is installed (the extra `verify`).
NEEDED = {"httpx", "typer"}
WISHED_FOR = {"jwt", "cryptography"}


def _imported(tree: ast.Module) -> set[str]:
    """Return the first part of every absolute import."""
    names = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and not node.level]
    return {name.partition(".")[0] for name in names}


def test_the_client_imports_what_it_declares_and_nothing_of_the_portal() -> None:
    found = {path.name: _imported(ast.parse(path.read_text())) for path in CLIENT.rglob("*.py")}
    assert len(found) > 10
    allowed = sys.stdlib_module_names | NEEDED | WISHED_FOR
    assert {name: foreign for name, imported in found.items() if (foreign := imported - allowed)} == {}
    declared = tomllib.loads((PROJECT / "cli" / "pyproject.toml").read_text())["project"]
    assert {each.partition(">")[0] for each in declared["dependencies"]} == NEEDED
    assert declared["optional-dependencies"] == {"verify": ["pyjwt[crypto]>=2.9,<3"]}


def test_the_portal_knows_nothing_of_the_client() -> None:
    knowing = [source.path for source in sources() if "governance_cli" in _imported(source.tree)]
    assert knowing == ["portal/local/client_docs.py"]


def test_the_client_verifies_packs_by_the_very_program_that_packs_carry() -> None:
    assert (CLIENT / "pack_verifier.py").read_bytes() == VERIFIER.read_bytes(), "make docs copies it."


def test_the_clients_files_are_small_and_say_what_they_are_for() -> None:
    for path in CLIENT.rglob("*.py"):
        text = path.read_text()
        assert ast.get_docstring(ast.parse(text)), path.name
        assert path.name == "pack_verifier.py" or text.count("\n") <= MOST_LINES, path.name


def test_the_document_says_of_every_command_what_it_says_itself() -> None:
    text = client_docs.DOCUMENT.read_text()
    assert client_docs.rewritten(text) == text, "make docs writes it anew."
    told = [block[1] for block in client_docs.BLOCK.findall(text)]
    assert sorted(told) == sorted(client_docs.commands())
