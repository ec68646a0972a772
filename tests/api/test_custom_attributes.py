"""Custom attributes over the API: defined, given, refused by their keys, filtered, exported."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from registry.choices import AttributeType, ObjectKind
from registry.models import CustomAttribute
from registry.services import custom_attributes
from registry.services.custom_attributes import AttributeDefinition
from tests.factories import use_case, version
from tests.matrices.attribute_values import CASES, CHOICES, REFUSED, Case
from tests.scene import fingerprint

from .client import BASE, Api
from .world import World

pytestmark = pytest.mark.django_db
CURRENT = {"If-Match": "*"}
KINDS = list(ObjectKind)


def path_of(world: World, kind: ObjectKind) -> str:
    """Return the address of an object of a kind, open to edits."""
    return {
        ObjectKind.USE_CASE: f"use-cases/{world.draft.public_id}/",
        ObjectKind.MODEL_GROUP: f"model-groups/{world.group.pk}/",
        ObjectKind.STAGE_RECORD: f"stage-records/{world.trial_record.pk}/",
    }[kind]


def list_of(kind: ObjectKind) -> str:
    return {"use_case": "use-cases/", "model_group": "model-groups/", "stage_record": "stage-records/"}[kind]


def editor(world: World, kind: ObjectKind) -> Api:
    return world.api("ml_engineer" if kind is ObjectKind.MODEL_GROUP else "data_scientist")


def define_all(world: World, kind: ObjectKind) -> dict[str, CustomAttribute]:
    """Define one attribute of each type: `a_text`, `a_number` and so on."""
    return {
        word.value: custom_attributes.define(
            actor=world.people.admin.actor,
            definition=AttributeDefinition(
                kind=kind,
                key=f"a_{word}",
                label=f"A {word}",
                type=word,
                choices=CHOICES if word is AttributeType.CHOICE else (),
            ),
        )
        for word in AttributeType
    }


def give(world: World, kind: ObjectKind, expect: int = 200, **values: Any) -> Any:
    body = {"attributes": {f"a_{name}": value for name, value in values.items()}}
    return editor(world, kind).send("PATCH", path_of(world, kind), body, expect, **CURRENT)


def rows(api: Api, path: str) -> list[dict[str, str]]:
    """Return a CSV file's rows."""
    answer = api.client.get(BASE + path)
    assert answer.status_code == 200, answer.getvalue()
    assert answer["Content-Type"].startswith("text/csv")
    return list(csv.DictReader(io.StringIO(answer.getvalue().decode())))


GIVEN: dict[str, Any] = {"text": "=1+1", "number": 2.5, "date": "2026-02-28", "choice": "=1+1"}

# What a JSON body can carry; infinities and the like are the parser's to refuse.
_SENT = [
    case
    for case in CASES
    if type(case.given) in (str, int, float, bool, list, dict)
    and not (isinstance(case.given, float) and case.given - case.given != 0)
    and case.given != 10**4000
    and "\ud800" not in str(case.given)
]


@pytest.mark.parametrize("kind", KINDS)
def test_every_value_of_the_table_is_kept_or_refused_on_every_kind(kind: ObjectKind, world: World) -> None:
    define_all(world, kind)
    names = {"owner": world.people.owner.username, "stranger": world.people.stranger.username, "gone": "nobody"}
    api, path = editor(world, kind), path_of(world, kind)
    for case in _SENT:
        value = json.loads(
            json.dumps(case.given).replace("{OWNER}", names["owner"].upper()).replace("{owner}", names["owner"])
            .replace("{stranger}", names["stranger"]).replace("{gone}", names["gone"])
        )  # fmt: skip
        body = {"attributes": {f"a_{case.type}": value}}
        if case.kept is REFUSED:
            refusal = api.send("PATCH", path, body, 400, **CURRENT)
            # NUL is refused in any body, before it is read.
            named = [] if "\0" in str(case.given) else [f"attributes.a_{case.type}"]
            assert list(refusal["errors"]) == named, case.label
        else:
            _is_kept(api.send("PATCH", path, body, **CURRENT)["attributes"], case, names)


def _is_kept(shown: dict[str, Any], case: Case, names: dict[str, str]) -> None:
    kept = names["owner"] if case.type == "user" else case.kept
    assert shown[f"a_{case.type}"] == kept, case.label


@pytest.mark.parametrize(
    "body",
    [
        '{"attributes": {"a_number": 1e400}}',
        '{"attributes": {"a_number": NaN}}',
        '{"attributes": {"a_number": Infinity}}',
        '{"attributes": {"a_number": 1' + "0" * 5000 + "}}",
        '{"attributes": {"a_text": "\\ud800"}}',
        '{"attributes": {"\\u0000": 1}}',
        '{"attributes": {"nope": 1}}',
        '{"attributes": []}',
        '{"attributes": null}',
        '{"attributes": "x"}',
        '{"attributes": {"a_text": ' + "[" * 200 + "]" * 200 + "}}",
        '{"attributes": {"a_text": "x"}, "revision": 9}',
        '{"attributes": {"a_text": ',
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_bodies_that_cannot_be_used_change_nothing(kind: ObjectKind, body: str, world: World) -> None:
    define_all(world, kind)
    before = fingerprint()
    answer = editor(world, kind).client.generic(
        "PATCH", BASE + path_of(world, kind), body, content_type="application/json", headers=CURRENT
    )
    assert answer.status_code == 400, answer.getvalue()
    assert fingerprint() == before


@pytest.mark.parametrize("kind", KINDS)
def test_an_edit_needs_the_state_it_was_made_on(kind: ObjectKind, world: World) -> None:
    define_all(world, kind)
    api, path = editor(world, kind), path_of(world, kind)
    body = {"attributes": {"a_number": 1}}
    tag = api.call("GET", path)["ETag"]
    api.send("PATCH", path, body, 428)
    answer = api.call("PATCH", path, body, **{"If-Match": tag})
    assert answer.status_code == 200
    assert answer["ETag"] != tag
    api.send("PATCH", path, body, 412, **{"If-Match": tag})
    api.send("PATCH", path, {"attributes": {"a_number": None}}, **{"If-Match": answer["ETag"]})
    assert api.get(path)["attributes"] == {}


@pytest.mark.parametrize("kind", KINDS)
def test_rows_are_filtered_by_every_type(kind: ObjectKind, world: World) -> None:
    define_all(world, kind)
    owner = world.people.owner.username
    give(world, kind, **GIVEN, user=owner)
    api, path = editor(world, kind), list_of(kind)
    found = {row["id"] for row in api.results(path, **{"attr.a_number": "2.5"})}
    assert len(found) == 1
    matching = [
        "attr.a_text==1%2B1", "attr.a_number=2.50", "attr.a_number.min=2.5", "attr.a_number.max=2.5",
        "attr.a_number.min=-1&attr.a_number.max=1000000", "attr.a_date=2026-02-28", "attr.a_date.min=2026-02-28",
        "attr.a_date.max=2026-02-28", "attr.a_choice==1%2B1", f"attr.a_user={owner}",
        f"attr.a_number=2.5&attr.a_date.min=2026-01-01&attr.a_user={owner}",
    ]  # fmt: skip
    for query in matching:
        assert {row["id"] for row in api.results(f"{path}?{query}")} == found, query
    for query in (
        "attr.a_text=1%2B1", "attr.a_text==1", "attr.a_number=2", "attr.a_number.min=2.51", "attr.a_number.max=2.49",
        "attr.a_date=2026-02-27", "attr.a_date.min=2026-03-01", "attr.a_date.max=2026-02-27", "attr.a_choice=gold",
        "attr.a_user=nobody", f"attr.a_user={world.people.scientist.username}",
    ):  # fmt: skip
        assert api.results(f"{path}?{query}") == [], query


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "query",
    [
        "attr.nope=1", "attr.=1", "attr.a_text.min=1", "attr.a_choice.max=gold", "attr.a_user.min=x",
        "attr.a_number.avg=1", "attr.a_number=x", "attr.a_number=NaN", "attr.a_number=1e400", "attr.a_number=",
        "attr.a_number=1e999999999", "attr.a_number.min=Infinity", "attr.a_date=2026-02-30", "attr.a_date.min=1.1.2026",
        "attr.a_choice=Gold", "attr.a_text=%00", "attr.a_number=1&attr.a_number=2", "ATTR.a_number=1",
    ],
)  # fmt: skip
def test_filters_that_cannot_be_used_are_named(kind: ObjectKind, query: str, world: World) -> None:
    define_all(world, kind)
    refusal = editor(world, kind).get(f"{list_of(kind)}?{query}", 400)
    assert list(refusal["errors"]) == [query.split("=", maxsplit=1)[0]]


def test_a_filter_of_one_kind_is_unknown_to_another(world: World) -> None:
    define_all(world, ObjectKind.MODEL_GROUP)
    world.api("auditor").get("use-cases/?attr.a_number=1", 400)
    world.api("auditor").get("model-versions/?attr.a_number=1", 400)
    world.api("auditor").get("use-cases/UC-0001/?attr.a_number=1", 400)


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_has_a_column_per_attribute_and_no_formula(kind: ObjectKind, world: World) -> None:
    define_all(world, kind)
    give(world, kind, **GIVEN, user=world.people.owner.username)
    api, path = editor(world, kind), list_of(kind)
    (row,) = rows(api, f"{path}?format=csv&attr.a_number=2.5")
    assert [name for name in row if name.startswith("attr.a_")] == [f"attr.a_{word}" for word in AttributeType]
    assert (row["attr.a_text"], row["attr.a_choice"]) == ("'=1+1", "'=1+1")
    assert (row["attr.a_number"], row["attr.a_date"]) == ("2.5", "2026-02-28")
    assert row["attr.a_user"] == world.people.owner.username
    give(world, kind, text=None, number=-3, date=None, choice=None, user=None)
    (row,) = rows(api, f"{path}?format=csv&attr.a_number=-3")
    assert row["attr.a_number"] == "-3", "a number is no formula"
    assert [row[f"attr.a_{word}"] for word in ("text", "date", "choice", "user")] == [""] * 4
    for hostile in ("+1", "-1", "@SUM(1)", "=cmd|' /C calc'!A0"):
        give(world, kind, text=hostile)
        (row,) = rows(api, f"{path}?format=csv&attr.a_number=-3")
        assert row["attr.a_text"] == f"'{hostile}"


@pytest.mark.parametrize("kind", KINDS)
def test_archived_attributes_are_read_only_and_shown_when_asked(kind: ObjectKind, world: World) -> None:
    attribute = define_all(world, kind)["text"]
    give(world, kind, text="held", number=1)
    custom_attributes.archive(actor=world.people.admin.actor, attribute_id=attribute.pk, revision=attribute.revision)
    api, path = editor(world, kind), path_of(world, kind)
    assert "archived" in give(world, kind, 400, text="other")["errors"]["attributes.a_text"][0]
    assert give(world, kind, number=2)["attributes"] == {"a_number": 2}
    assert api.get(path, attributes="all")["attributes"] == {"a_text": "held", "a_number": 2}
    assert api.get(path, attributes="active")["attributes"] == {"a_number": 2}
    api.get(path, 400, attributes="some")
    (row,) = rows(api, f"{list_of(kind)}?format=csv&attr.a_number=2")
    assert "attr.a_text" not in row
    (row,) = rows(api, f"{list_of(kind)}?format=csv&attr.a_text=held&attributes=all")
    assert row["attr.a_text"] == "held"


@pytest.mark.parametrize("kind", KINDS)
def test_more_rows_cost_no_more_queries(kind: ObjectKind, world: World) -> None:
    define_all(world, kind)
    give(world, kind, **GIVEN, user=world.people.owner.username)
    query = "page_size=200&attr.a_number.max=9"
    addresses = [list_of(kind), f"{list_of(kind)}?{query}", f"{list_of(kind)}?format=csv"]

    def costs() -> list[int]:
        found = []
        for address in addresses:
            with CaptureQueriesContext(connection) as seen:
                answer = editor(world, kind).client.get(BASE + address)
                assert answer.getvalue()
            found.append(len(seen))
        return found

    before = costs()
    more: Callable[[int], object] = {
        ObjectKind.USE_CASE: lambda number: use_case(world.people, world.project, name=f"More {number}"),
        ObjectKind.MODEL_GROUP: lambda number: None,
        ObjectKind.STAGE_RECORD: lambda number: version(world.group, 10 + number),
    }[kind]
    for number in range(5):
        more(number)
    with connection.cursor() as cursor:
        table = {"use_case": "registry_usecase", "model_group": "registry_modelgroup"}.get(
            kind, "governance_stagerecord"
        )
        cursor.execute(f"UPDATE {table} SET attributes = attributes || '{{\"a_number\": 1}}'")
    assert costs() == before


def test_definitions_are_written_by_ml_admins(world: World) -> None:
    admin = world.api("ml_admin")
    body = {"kind": "model_group", "key": "tier", "label": "Tier", "type": "choice", "choices": ["a", "b"]}
    made = admin.post("custom-attributes/", body)
    assert {
        **body,
        "is_required": False,
        "help_text": "",
        "is_archived": False,
        "is_locked": False,
    }.items() <= made.items()
    path = f"custom-attributes/{made['id']}/"
    assert admin.post("custom-attributes/", body, 400)["errors"].keys() == {"key"}
    admin.send("PATCH", path, {"label": "x"}, 428)
    edited = admin.send("PATCH", path, {"choices": ["a", "b", "c"]}, **{"If-Match": f'"{made["revision"]}"'})
    assert (edited["choices"], edited["label"]) == (["a", "b", "c"], "Tier")
    admin.send("PATCH", path, {"label": "x"}, 412, **{"If-Match": f'"{made["revision"]}"'})
    world.api("ml_engineer").send(
        "PATCH", f"model-groups/{world.group.pk}/", {"attributes": {"tier": "a"}}, 200, **CURRENT
    )
    assert admin.get(path)["is_locked"]
    refusal = admin.send("PATCH", path, {"key": "level"}, 409, **CURRENT)
    assert refusal["errors"].keys() == {"key"}
    assert admin.send("PATCH", path, {"choices": ["b"]}, 409, **CURRENT)["errors"].keys() == {"choices"}
    assert admin.call("DELETE", path, **CURRENT).status_code == 409
    assert admin.send("POST", f"{path}archive/", {})["is_archived"]
    admin.send("POST", f"{path}archive/", {}, 409)
    assert not admin.send("POST", f"{path}restore/", {})["is_archived"]
    assert [row["key"] for row in world.api("stranger").results("custom-attributes/", kind="model_group")] == ["tier"]
    assert admin.call("DELETE", "custom-attributes/999999999/").status_code == 404


def test_a_use_case_is_registered_with_its_attributes(world: World) -> None:
    define_all(world, ObjectKind.USE_CASE)
    body = {"name": "New", "intended_purpose": "x", "project": "here"}
    api = world.api("data_scientist")
    made = api.post("use-cases/", {**body, "attributes": {"a_number": 7}})
    assert made["attributes"] == {"a_number": 7}
    before = fingerprint()
    assert api.post("use-cases/", {**body, "attributes": {"a_number": "x"}}, 400)["errors"].keys() == {
        "attributes.a_number"
    }
    assert fingerprint() == before


def test_the_table_of_the_past_has_what_was_noted_then(world: World) -> None:
    define_all(world, ObjectKind.STAGE_RECORD)
    give(world, ObjectKind.STAGE_RECORD, **GIVEN, user=world.people.owner.username)
    api = world.api("auditor")
    then = f"as_of={timezone.now().isoformat().replace('+', '%2B')}"
    for query in ("attr.a_number=2.5", "attr.a_date.min=2026-02-28", f"attr.a_user={world.people.owner.username}"):
        (row,) = api.results(f"stage-records/?{query}&{then}")
        assert (row["attributes"]["a_text"], row["revision"]) == ("=1+1", None)
        assert row["attributes"]["a_user"] == world.people.owner.username
        (line,) = rows(api, f"stage-records/?format=csv&{query}&{then}")
        assert (line["attr.a_text"], line["attr.a_number"]) == ("'=1+1", "2.5")
    assert api.results(f"stage-records/?attr.a_number=3&{then}") == []
    api.get(f"stage-records/?attr.nope=3&{then}", 400)
    api.get(f"stage-records/{world.trial_record.pk}/?{then}", 400)
    path = f"{path_of(world, ObjectKind.STAGE_RECORD)}?{then}"
    world.api("data_scientist").send("PATCH", path, {"attributes": {}}, 400, **CURRENT)
