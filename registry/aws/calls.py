"""Read out of the gateway's own source which operations of AWS it calls."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import botocore.session
from botocore import xform_name

HERE = Path(__file__).parent
SERVICES = frozenset({"sagemaker", "ram", "s3", "sqs", "events", "sts", "iam", "cloudwatch"})
# What a client has beside its operations.
_NO_OPERATIONS = frozenset({"meta", "exceptions", "close"})


class Unknown(Exception):
    """The gateway uses a method that is no operation of the service, as far as the installed botocore knows."""


def called(folder: Path = HERE) -> Mapping[str, frozenset[str]]:
    """Return each operation whose client method the gateway uses, as "service:Operation", with the files that do.

    Looks for `<a session>.<service>.<method>` and for methods of a name a client was given. Raises Unknown.
    """
    found: dict[str, set[str]] = defaultdict(set)
    for path in sorted(folder.glob("*.py")):
        tree = ast.parse(path.read_text())
        for service, method, line in _methods(tree):
            operation = _operations(service).get(method)
            if operation is None:
                raise Unknown(f"{path.name}:{line}: {service} has no operation {method}.")
            found[f"{service}:{operation}"].add(path.name)
    return {operation: frozenset(files) for operation, files in sorted(found.items())}


def reported(folder: Path = HERE) -> Mapping[str, frozenset[str]]:
    """Return each operation that errors are reported under, with the files; each must be one of those called."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in sorted(folder.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            names = node.args[1:3]
            if node.func.id in {"translated", "pages"} and all(isinstance(name, ast.Constant) for name in names):
                found[":".join(str(name.value) for name in names if isinstance(name, ast.Constant))].add(path.name)
    return {operation: frozenset(files) for operation, files in sorted(found.items())}


def _methods(tree: ast.Module) -> Iterator[tuple[str, str, int]]:
    named = {
        target.id: node.value.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Attribute) and node.value.attr in SERVICES
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Attribute) or node.attr in _NO_OPERATIONS:
            continue
        of = node.value
        if isinstance(of, ast.Attribute) and of.attr in SERVICES and not _is_meta(of.value):
            yield of.attr, node.attr, node.lineno
        elif isinstance(of, ast.Name) and of.id in named:
            yield named[of.id], node.attr, node.lineno


def _is_meta(node: ast.expr) -> bool:
    """Whether this is a client's `meta`, whose `events` are botocore's own."""
    return isinstance(node, ast.Attribute) and node.attr == "meta"


@cache
def _operations(service: str) -> Mapping[str, str]:
    names = botocore.session.Session().get_service_model(service).operation_names
    return {xform_name(name): name for name in names}
