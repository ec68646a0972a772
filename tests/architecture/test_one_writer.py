"""What import contracts cannot see: who writes stages, who starts queries, who enqueues work."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

import pytest

from .sources import Source, production, sources

# The one writer of positions, and the one of stage records (on the lifecycle service's word).
STAGE_WRITERS = ("registry/services/positions.py", "governance/services/ledger.py")
# `status` is also the word for HTTP answers; of rows it belongs to these two and to the mirror of RAM's invitations.
STATE_FIELDS = {"stage", "status"}
SURFACES = ("/web/", "/api/")


def _writes_to(tree: ast.AST, names: set[str]) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
            places = node.targets if isinstance(node, ast.Assign) else [node.target]
            for place in places:
                if isinstance(place, ast.Attribute) and place.attr in names and not _is_self(place):
                    yield node
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in {"update", "bulk_update"}
            and any(word.arg in names for word in node.keywords)
        ):
            yield node


def _is_self(place: ast.Attribute) -> bool:
    return isinstance(place.value, ast.Name) and place.value.id == "self"


def _calls(tree: ast.AST, names: set[str]) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in names:
            yield node


def _attributes(tree: ast.AST, name: str) -> Iterator[ast.Attribute]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr == name:
            yield node


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def _places(found: Callable[[Source], Iterator[ast.AST]], where: tuple[Source, ...]) -> list[str]:
    return [f"{source.path}:{node.lineno}" for source in where for node in found(source)]  # type: ignore[attr-defined]


def test_only_the_lifecycle_writes_stages() -> None:
    others = tuple(source for source in production() if not source.within(*STAGE_WRITERS))
    assert not _places(lambda source: _writes_to(source.tree, STATE_FIELDS), others), (
        "A stage moves through governance.services.lifecycle only."
    )


def test_only_the_lifecycle_announces_moves() -> None:
    allowed = (
        *STAGE_WRITERS,
        "governance/services/approvals.py",
        "governance/services/closing.py",
    )
    assert not [
        source.path for source in production() if "announced(" in source.text and not source.within(*allowed)
    ], "Announcing a move to the guard is the lifecycle's and the approvals' business."


def test_surfaces_start_at_selectors() -> None:
    surfaces = tuple(source for source in production() if any(part in source.path for part in SURFACES))
    assert surfaces
    assert not _places(lambda source: _attributes(source.tree, "objects"), surfaces), (
        "Pages and API read through selectors, which start at visible_to; they never query models themselves."
    )


def test_work_is_enqueued_in_one_place() -> None:
    others = tuple(source for source in production() if not source.within("portal/core/jobs.py"))
    names = {"delay", "apply_async", "send_task", "delay_on_commit", "apply_async_on_commit"}
    assert not _places(lambda source: _calls(source.tree, names), others), "Use portal.core.jobs.enqueue_on_commit."


@pytest.mark.parametrize("root", ["boto3", "botocore"])
def test_aws_is_spoken_to_by_the_gateway_alone(root: str) -> None:
    others = [source for source in sources() if not source.within("registry/aws/", "portal/local/")]
    assert not [source.path for source in others if any(name.split(".")[0] == root for name in _imports(source.tree))]


def test_production_never_imports_what_stands_in_for_it() -> None:
    assert not [
        source.path
        for source in production()
        if any(name.startswith(("portal.local", "moto")) for name in _imports(source.tree))
    ]


def test_nothing_listens_to_model_signals() -> None:
    assert not [
        source.path
        for source in production()
        if any(name.startswith("django.db.models.signals") for name in _imports(source.tree))
    ]


def test_nothing_is_imported_behind_the_layers_back() -> None:
    names = {"get_model", "import_module", "import_string"}
    assert not _places(lambda source: _calls(source.tree, names), production()), (
        "apps.get_model and import_module leave no edge for the import contracts."
    )
