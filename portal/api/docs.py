"""What docs/api.md lists is what the schema and the code say: addresses and filters of lists.

    python -m portal.api.docs

writes the blocks between `<!-- NAME -->` and `<!-- /NAME -->` anew.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import django

PROJECT = Path(__file__).parents[2]
DOCUMENT = PROJECT / "docs" / "api.md"
_BLOCK = re.compile(r"(<!-- (addresses|lists) -->\n).*?(<!-- /\2 -->\n)", re.DOTALL)
_EVERYWHERE = {"cursor", "page_size", "ordering", "search", "fields", "format", "as_of", "attributes"}
_METHODS = ("get", "post", "put", "patch", "delete")


def schema() -> dict[str, Any]:
    """Return the OpenAPI document of today."""
    from drf_spectacular.generators import SchemaGenerator  # noqa: PLC0415 - only once Django is set up

    document: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]  # it is untyped
    return document


def rewritten(text: str, document: dict[str, Any]) -> str:
    """Return a text with each of its blocks as it is to be today."""
    blocks = {"addresses": addresses(document), "lists": lists(document)}
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


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, operations in sorted(document["paths"].items()):
        for method in _METHODS:
            if method in operations:
                yield path.removeprefix("/api/v1/"), method, operations[method]


def _plain(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def _ordered_by(description: str) -> list[str]:
    match = re.search(r"in front to reverse: ([^.]*)\.", description)
    return match[1].split(", ") if match else []


def main() -> int:
    """Write the document anew."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings.local")
    django.setup()
    DOCUMENT.write_text(rewritten(DOCUMENT.read_text(), schema()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
