"""What changed between two OpenAPI documents, in lines a reviewer can read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_METHODS = ("get", "put", "post", "delete", "patch")


def differences(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Return one line for each operation, schema and detail that was added (+), removed (-) or changed (~)."""
    found = [*_named("operation", _operations(before), _operations(after))]
    schemas = [document.get("components", {}).get("schemas", {}) for document in (before, after)]
    found += _named("schema", *schemas)
    rest = [{key: value for key, value in document.items() if key != "paths"} for document in (before, after)]
    for document in rest:
        document["components"] = {
            key: value for key, value in document.get("components", {}).items() if key != "schemas"
        }
    found += [f"~ document: {line}" for line in _changes(*rest)]
    return found


def _operations(document: dict[str, Any]) -> dict[str, Any]:
    return {
        f"{method.upper()} {path}": operation
        for path, operations in document.get("paths", {}).items()
        for method, operation in operations.items()
        if method in _METHODS
    }


def _named(kind: str, before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    for name in sorted(before.keys() - after.keys()):
        yield f"- {kind} {name}"
    for name in sorted(after.keys() - before.keys()):
        yield f"+ {kind} {name}"
    for name in sorted(before.keys() & after.keys()):
        for line in _changes(before[name], after[name]):
            yield f"~ {kind} {name}: {line}"


def _changes(before: Any, after: Any, where: str = "") -> Iterator[str]:
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted({*before, *after}, key=str):
            place = f"{where}.{key}" if where else str(key)
            if key not in before:
                yield f"+ {place} = {_short(after[key])}"
            elif key not in after:
                yield f"- {place} (was {_short(before[key])})"
            else:
                yield from _changes(before[key], after[key], place)
    elif isinstance(before, list) and isinstance(after, list):
        yield from _list_changes(before, after, where)
    elif before != after:
        yield f"{where}: {_short(before)} -> {_short(after)}"


def _list_changes(before: list[Any], after: list[Any], where: str) -> Iterator[str]:
    """Compare parameters by name and everything else as a set: where something stands in a list says nothing here."""
    names = [_by_name(items) for items in (before, after)]
    if names[0] is not None and names[1] is not None:
        yield from _changes(names[0], names[1], where)
        return
    yield from (f"- {where}: {_short(item)}" for item in before if item not in after)
    yield from (f"+ {where}: {_short(item)}" for item in after if item not in before)


def _by_name(items: list[Any]) -> dict[str, Any] | None:
    if items and all(isinstance(item, dict) and "name" in item for item in items):
        return {f"{item.get('in', '')} {item['name']}".strip(): item for item in items}
    return None


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 120 else f"{text[:117]}..."
