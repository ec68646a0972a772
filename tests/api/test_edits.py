"""Every edit of the API says on which state it was made, and is refused when that is not the present one."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import URLPattern

from portal.api.urls import urlpatterns
from portal.core.marks import mark
from portal.core.viewsets import Marked, Resource, Revised
from tests.matrices.api import COLUMNS, ROWS, Row
from tests.scene import undone

from .client import Api, assert_problem
from .test_matrix import routes
from .world import World

EDITS = ("PUT", "PATCH", "DELETE")
# What is changed or taken away without saying on which state, and why.
WITHOUT = {
    ("PUT", "people/{id}/password/"): "a password is never read, so none can be overwritten unread",
    ("DELETE", "people/{id}/aws-identities/{identity}/"): "a link is there or not, and never edited",
    ("DELETE", "people-groups/{id}/"): "only a group that gives nobody anything goes; it counts no revisions",
    ("PUT", "saved-views/usual/"): "one's own choice among views, taken whole; what was chosen before is of no use",
    ("DELETE", "model-versions/{id}/mlflow-run/"): "what was read of it stays in the history",
    ("DELETE", "tokens/{id}/"): "a token is never edited: it is there or revoked",
    ("DELETE", "service-accounts/{id}/tokens/{token}/"): "likewise",
    ("DELETE", "people/{id}/tokens/{token_key}/"): "likewise",
}


def edits() -> list[Row]:
    """Return a row of the matrix for every edit there is."""
    known = {(row.method, row.route): row for row in ROWS if row.method in EDITS}
    return [
        known[method, route] for route, methods in sorted(routes().items()) for method in EDITS if method in methods
    ]


def path_of(row: Row, world: World) -> str:
    return row.route.format(id=world.ids.get(row.on, ""), **world.others)


def test_the_exceptions_are_edits() -> None:
    assert set(WITHOUT) <= {(row.method, row.route) for row in edits()}


@pytest.mark.parametrize("row", edits(), ids=lambda row: f"{row.method} {row.route}")
def test_an_edit_without_if_match_is_refused(row: Row, world: World, aws_answers: None) -> None:
    if (row.method, row.route) in WITHOUT:
        assert "If-Match" not in row.headers
        return
    role = next(role for role, status in zip(COLUMNS, row.statuses, strict=True) if status < 400 or status == 409)
    path = path_of(row, world)
    with undone():
        missing = world.api(role).call(row.method, path, row.body)
        assert assert_problem(missing, 428)["code"] == "precondition-required"
        for old in ('"999999"', '"0.0123456789abcdef"', 'W/"999999-0123456789abcdef"', "nonsense"):
            stale = world.api(role).call(row.method, path, row.body, **{"If-Match": old})
            assert assert_problem(stale, 412)["code"] == "stale-edit"


def test_the_schema_says_so_of_them_all() -> None:
    asked = set()
    for pattern in urlpatterns:
        assert isinstance(pattern, URLPattern)
        view = getattr(pattern.callback, "cls", None)
        if view is None or not issubclass(view, Resource):
            continue
        for method, name in pattern.callback.actions.items():  # type: ignore[attr-defined]
            declared = pattern.callback.initkwargs.get("is_conditional") or name in view.conditional_actions  # type: ignore[attr-defined]
            if method.upper() in EDITS and declared:
                asked.add((pattern.name, method))
    assert len(asked) == len(edits()) - len(WITHOUT)


def tag(api: Api, path: str) -> str:
    return str(api.call("GET", path)["ETag"])


@pytest.mark.parametrize(
    ("path", "first", "second"),
    [
        ("accounts/{account}/", {"alias": "one"}, {"alias": "two"}),
        ("people/{person}/", {"email": "one@example.org"}, {"display_name": "Two"}),
        ("projects/{project}/", {"name": "One"}, {"name": "Two"}),
        ("lines-of-business/{line}/", {"name": "One"}, {"name": "Two"}),
        ("people-groups/{people_group}/", {"name": "One"}, {"name": "Two"}),
    ],
)
def test_what_counts_no_revisions_is_held_to_what_was_read(world: World, path: str, first: Any, second: Any) -> None:
    api, path = world.api("ml_admin"), path.format(**world.ids)
    read = tag(api, path)
    api.send("PATCH", path, first, **{"If-Match": read})
    api.send("PATCH", path, second, 412, **{"If-Match": read})
    api.send("PATCH", path, second, **{"If-Match": f"W/{tag(api, path)}"})


def test_documents_and_classes_are_held_to_what_was_read(world: World) -> None:
    officer, path = world.api("governance_officer"), f"use-cases/{world.draft.public_id}/"
    read = tag(officer, path)
    answer = officer.call("PUT", f"{path}documents/", {"human_oversight": "Analysts."}, **{"If-Match": read})
    assert answer.status_code == 200
    assert answer["ETag"] == tag(officer, path)
    officer.send("PUT", f"{path}documents/", {"human_oversight": "Nobody."}, 412, **{"If-Match": read})
    # The text that people edit has not moved.
    officer.send("PATCH", path, {"description": "x"}, **{"If-Match": read})
    read = tag(officer, f"{path}classification/")
    body = {"risk_class": "high", "reason": "Decides on credit."}
    officer.send("PUT", f"{path}classification/", body, **{"If-Match": read})
    officer.send("PUT", f"{path}classification/", body, 412, **{"If-Match": read})


def test_a_detail_is_not_sent_again_while_it_stands(world: World) -> None:
    api, path = world.api("auditor"), f"use-cases/{world.draft.public_id}/"
    known = tag(api, path)
    for given in (known, f'"x", W/{known}', "*"):
        answer = api.call("GET", path, **{"If-None-Match": given})
        assert (answer.status_code, answer.content, answer["ETag"]) == (304, b"", known)
    assert api.call("GET", f"{path}?fields=name", **{"If-None-Match": known}).status_code == 200
    # What a detail derives moves without its revision, and is another answer.
    world.api("data_scientist").post(f"{path}submit/", {"note": "x"})
    moved = api.call("GET", path, **{"If-None-Match": known})
    assert moved.status_code == 200
    assert moved["ETag"] != known


def test_what_has_no_tag_is_always_sent(world: World) -> None:
    assert world.api("auditor").call("GET", "use-cases/", **{"If-None-Match": "*"}).status_code == 200


def test_marks_tell_values_apart() -> None:
    assert mark("a", ["b"]) == mark("a", ["b"])
    assert len({mark("a", "b"), mark("ab"), mark(["a", "b"]), mark("a", None), mark(1), mark("1")}) == 6
    assert len(mark("x")) == 16
    assert issubclass(Marked, Resource)
    assert issubclass(Revised, Resource)
