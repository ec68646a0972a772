"""What docs/api.md lists is what the schema and the code say: addresses, filters of lists, types of problems.

    python -m portal.api.docs

writes the blocks between `<!-- NAME -->` and `<!-- /NAME -->` anew.
"""

from __future__ import annotations

import ast
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import django

PROJECT = Path(__file__).parents[2]
DOCUMENT = PROJECT / "docs" / "api.md"
_WHERE = ("portal/core", "portal/api", "registry", "governance")
_BLOCK = re.compile(r"(<!-- (addresses|lists|problems) -->\n).*?(<!-- /\2 -->\n)", re.DOTALL)
_EVERYWHERE = {"cursor", "page_size", "ordering", "search", "fields", "format", "as_of", "attributes"}
_METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True)
class ProblemType:
    """One type of problem: its code, the status it is answered with, its title, and when it is answered."""

    code: str
    status: int
    title: str
    when: str = ""


def schema() -> dict[str, Any]:
    """Return the OpenAPI document of today."""
    from drf_spectacular.generators import SchemaGenerator  # noqa: PLC0415 - only once Django is set up

    document: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]  # it is untyped
    return document


def rewritten(text: str, document: dict[str, Any]) -> str:
    """Return a text with each of its blocks as it is to be today."""
    blocks = {"addresses": addresses(document), "lists": lists(document), "problems": problems()}
    return _BLOCK.sub(lambda block: f"{block[1]}{blocks[block[2]]}{block[3]}", text)


def addresses(document: dict[str, Any]) -> str:
    """Return every address with its methods, by resource, as tables."""
    by_tag: dict[str, list[str]] = {}
    for path, method, operation in _operations(document):
        by_tag.setdefault(operation["tags"][0], []).append(
            f"| `{method.upper()} {path}` | {_plain(operation['summary'])} |\n"
        )
    return "\n".join(
        f"### {tag}\n\n| address | does |\n|---|---|\n{''.join(rows)}" for tag, rows in sorted(by_tag.items())
    )


def lists(document: dict[str, Any]) -> str:
    """Return every list with its own filters, and what it is searched and ordered by, as a table."""
    rows = []
    for path, method, operation in _operations(document):
        parameters = {item["name"]: item for item in operation.get("parameters", ()) if item["in"] == "query"}
        if method != "get" or "cursor" not in parameters:
            continue
        own = ", ".join(f"`{name}`" for name in sorted(parameters) if name not in _EVERYWHERE)
        ordering = parameters.get("ordering", {}).get("description", "")
        by = ", ".join(f"`{name}`" for name in _ordered_by(ordering))
        also = ", ".join(f"`{name}`" for name in ("search", "as_of", "attributes") if name in parameters)
        rows.append(f"| `{path}` | {own or '-'} | {by or '-'} | {also or '-'} |\n")
    return f"| list | filters | ordered by | also |\n|---|---|---|---|\n{''.join(rows)}"


def problems() -> str:
    """Return every type of problem as a table."""
    by_code: dict[str, list[ProblemType]] = {}
    for one in sorted(problem_types(), key=lambda one: (one.code, one.title)):
        by_code.setdefault(one.code, []).append(one)
    rows = [
        f"| `{code}` | {' or '.join(sorted({str(one.status) for one in same}))} | {_when(same)} |\n"
        for code, same in by_code.items()
    ]
    return f"| code | status | when |\n|---|---|---|\n{''.join(rows)}"


def problem_types() -> set[ProblemType]:
    """Return every type of problem there is in the code, read from its source: named errors and what they stand on."""
    classes: dict[str, tuple[tuple[str, ...], dict[str, Any]]] = {}
    found: set[ProblemType] = set()
    for tree in _sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                bases = tuple(base.id for base in node.bases if isinstance(base, ast.Name))
                if "code" not in classes.get(node.name, ((), {}))[1]:
                    doc = (ast.get_docstring(node) or "").partition("\n\n")[0]
                    classes[node.name] = (bases, {**_constants(node), "when": _plain(doc)})
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Problem":
                said: list[Any] = [arg.value for arg in node.args[:3] if isinstance(arg, ast.Constant)]
                if len(said) == 3:
                    status, code, title = said
                    found.add(ProblemType(code, status, title))
    for name in classes:
        if "DomainError" in _line(name, classes)[1:]:
            values = {key: _value(name, key, classes) for key in ("code", "status", "title")}
            # What has no code of its own is one of what it stands on: that one says when.
            if "code" in classes[name][1]:
                found.add(ProblemType(**values, when=classes[name][1]["when"]))
    return found | _from_the_framework()


def _from_the_framework() -> set[ProblemType]:
    from .problem import _FROM_DRF  # noqa: PLC0415 - only once Django is set up

    return {ProblemType(code, kind.status_code, title) for kind, (code, title) in _FROM_DRF.items()}


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, operations in sorted(document["paths"].items()):
        for method in _METHODS:
            if method in operations:
                yield path.removeprefix("/api/v1/"), method, operations[method]


def _plain(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def _when(same: list[ProblemType]) -> str:
    """Return the words of the named errors, or where there is none the titles."""
    texts = [one.when for one in same if one.when] or [one.title for one in same]
    return " ".join(text if text.endswith(".") else f"{text}." for text in dict.fromkeys(texts))


def _ordered_by(description: str) -> list[str]:
    match = re.search(r"in front to reverse: ([^.]*)\.", description)
    return match[1].split(", ") if match else []


def _sources() -> Iterator[ast.Module]:
    for place in _WHERE:
        for path in sorted((PROJECT / place).rglob("*.py")):
            if "migrations" not in path.parts:
                yield ast.parse(path.read_text())


def _constants(node: ast.ClassDef) -> dict[str, Any]:
    return {
        target.id: statement.value.value
        for statement in node.body
        if isinstance(statement, ast.Assign | ast.AnnAssign) and isinstance(statement.value, ast.Constant)
        for target in (statement.targets if isinstance(statement, ast.Assign) else [statement.target])
        if isinstance(target, ast.Name)
    }


def _line(name: str, classes: dict[str, tuple[tuple[str, ...], dict[str, Any]]]) -> list[str]:
    """Return a class and what it stands on, the nearest first."""
    line = [name]
    for one in line:
        line += [base for base in classes.get(one, ((), {}))[0] if base not in line]
    return line


def _value(name: str, key: str, classes: dict[str, tuple[tuple[str, ...], dict[str, Any]]]) -> Any:
    return next(classes[one][1][key] for one in _line(name, classes) if key in classes.get(one, ((), {}))[1])


def main() -> int:
    """Write the document anew."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings.local")
    django.setup()
    DOCUMENT.write_text(rewritten(DOCUMENT.read_text(), schema()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
