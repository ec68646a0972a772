"""What a newcomer may rely on: docstrings, sizes, names, generated documents."""

from __future__ import annotations

import ast
import re

import pytest
from django.apps import apps
from django.core.management import call_command

from .sources import PROJECT, Source, production, sources

MOST_LINES = 400
# Longer than that with a reason.
LONG_FILES: dict[str, str] = {
    "governance/services/audit_pack/verify.py": "it travels in audit packs as one file and runs without the portal",
}


def test_files_stay_small() -> None:
    long = {
        source.path: source.text.count("\n")
        for source in sources()
        if source.text.count("\n") > MOST_LINES and not source.is_migration and source.path not in LONG_FILES
    }
    assert not long, "One aggregate per file: split these, or give a reason in LONG_FILES."


@pytest.mark.parametrize("label", ["registry", "governance"])
def test_every_model_says_what_it_is(label: str) -> None:
    for model in apps.get_app_config(label).get_models():
        generated = f"{model.__name__}({', '.join(field.name for field in model._meta.fields)})"
        assert model.__doc__ not in (None, "", generated), f"{model.__name__} needs a docstring."


def test_every_public_service_and_selector_says_what_it_does() -> None:
    silent = [
        f"{source.path}:{node.lineno} {node.name}"
        for source in production()
        if any(part in source.path for part in ("/services/", "/selectors/", "/policies/", "/sync/", "registry/aws/"))
        or source.within("portal/core/", "governance/lifecycle.py", "governance/tasks.py")
        for node in source.tree.body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and ast.get_docstring(node) is None
    ]
    assert not silent


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        source.path
        for source in production()
        if source.text.strip() and ast.get_docstring(source.tree) is None and not source.path.endswith("/apps.py")
    ]
    assert not silent


def test_services_take_their_actor_by_name() -> None:
    """`actor` is keyword-only wherever it is a parameter of a public service: nobody passes it by accident."""
    wrong = [
        f"{source.path}:{node.lineno} {node.name}"
        for source in production()
        if "/services/" in source.path
        for node in _public_functions(source)
        if _mixes_actor(node)
    ]
    assert not wrong


def _public_functions(source: Source) -> list[ast.FunctionDef]:
    return [node for node in source.tree.body if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")]


def _mixes_actor(node: ast.FunctionDef) -> bool:
    """A verb takes its actor by name; listeners and questions take him first and nothing by name."""
    positional = [argument.arg for argument in node.args.args]
    return "actor" in positional and positional[0] != "actor"


def test_the_lifecycle_document_is_what_the_table_says() -> None:
    call_command("lifecycle_docs", check=True)


def test_links_in_the_documents_lead_somewhere() -> None:
    broken = []
    for path in [*PROJECT.glob("*.md"), *PROJECT.glob("docs/**/*.md")]:
        for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", path.read_text()):
            if "://" not in target and not (path.parent / target).exists():
                broken.append(f"{path.relative_to(PROJECT)}: {target}")
    assert not broken


def test_lock_files_name_no_index_and_no_host() -> None:
    named = [
        f"{path.name}: {line}"
        for path in sorted((PROJECT / "requirements").glob("*.lock"))
        for line in path.read_text().splitlines()
        if "://" in line or line.startswith("--")
    ]
    assert not named
