"""Custom attributes on pages: fields of the right kind, cards, filters, files."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from governance.models import StageRecord
from registry.choices import AttributeType, ObjectKind
from registry.models import CustomAttribute, ModelGroup, UseCase
from registry.services import custom_attributes
from registry.services.custom_attributes import AttributeDefinition
from tests.api.world import World
from tests.factories import use_case
from tests.matrices.attribute_values import CHOICES

from .test_pages import text_of, words_of

pytestmark = pytest.mark.django_db
AsRole = Callable[[str], Client]
KINDS = list(ObjectKind)
EDITORS = {
    ObjectKind.USE_CASE: "data_scientist",
    ObjectKind.MODEL_GROUP: "ml_engineer",
    ObjectKind.STAGE_RECORD: "data_scientist",
}
PAGES = {
    ObjectKind.USE_CASE: ("registry:use_case_edit", "registry:use_case", "registry:use_case_list", "registry:use_case_file"),
    ObjectKind.MODEL_GROUP: ("registry:group_edit", "registry:group", "registry:group_list", "registry:group_file"),
    ObjectKind.STAGE_RECORD: (
        "governance:record_attributes", "governance:version_activity", "governance:stage_table",
        "governance:stage_table_file",
    ),
}  # fmt: skip


def define(world: World, kind: ObjectKind, **said: Any) -> dict[str, CustomAttribute]:
    """Define one attribute of each type: `a_text`, `a_number` and so on."""
    return {
        word.value: custom_attributes.define(
            actor=world.people.admin.actor,
            definition=AttributeDefinition(
                **{
                    "kind": kind,
                    "key": f"a_{word}",
                    "label": f"The {word}",
                    "type": word,
                    "help_text": f"Help for the {word}.",
                    "choices": CHOICES if word is AttributeType.CHOICE else (),
                    **said,
                }
            ),
        )
        for word in AttributeType
    }


def subject(world: World, kind: ObjectKind) -> Any:
    model, row = {
        ObjectKind.USE_CASE: (UseCase, world.draft),
        ObjectKind.MODEL_GROUP: (ModelGroup, world.group),
        ObjectKind.STAGE_RECORD: (StageRecord, world.trial_record),
    }[kind]
    return model.objects.get(pk=row.pk)  # type: ignore[attr-defined]


def edit_url(world: World, kind: ObjectKind) -> str:
    row = subject(world, kind)
    return reverse(PAGES[kind][0], args=[row.number if kind is ObjectKind.USE_CASE else row.pk])


def shown_url(world: World, kind: ObjectKind) -> str:
    row = subject(world, kind)
    key = {ObjectKind.USE_CASE: "number", ObjectKind.MODEL_GROUP: "pk", ObjectKind.STAGE_RECORD: "version_id"}[kind]
    return reverse(PAGES[kind][1], args=[getattr(row, key)])


def form_of(world: World, kind: ObjectKind, **values: Any) -> dict[str, Any]:
    """Return what a browser would send: the object's own fields, the revision and these attributes."""
    row = subject(world, kind)
    own: dict[str, Any] = {}
    if kind is ObjectKind.USE_CASE:
        own = {"name": row.name, "intended_purpose": row.intended_purpose}
    if kind is ObjectKind.MODEL_GROUP:
        own = {"project": row.project_id, "use_cases": [item.pk for item in row.use_cases.all()]}
    given = {f"attributes.a_{name}": value for name, value in values.items()}
    return {**own, "revision": row.revision, **given}


def given_of(world: World) -> dict[str, Any]:
    return {"text": "=1+1", "number": "2.50", "date": "2026-02-28", "choice": "gold", "user": world.people.owner.pk}


@pytest.mark.parametrize("kind", KINDS)
def test_a_form_has_the_right_field_for_each_type(kind: ObjectKind, world: World, as_role: AsRole) -> None:
    define(world, kind)
    client = as_role(EDITORS[kind])
    page = text_of(client.get(edit_url(world, kind)))
    for piece in (
        'name="attributes.a_text"', 'type="number" name="attributes.a_number"', 'type="date" name="attributes.a_date"',
        '<select name="attributes.a_choice"', '<select name="attributes.a_user"', "Help for the number.",
        '<option value="Silver">Silver</option>', f'<option value="{world.people.owner.pk}">',
    ):  # fmt: skip
        assert piece in page, piece
    assert f'<option value="{world.people.stranger.pk}">' not in page, "who is of another project is not offered"


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_filled_in_is_shown_and_found_in_the_form_again(
    kind: ObjectKind, world: World, as_role: AsRole
) -> None:
    define(world, kind)
    client, url = as_role(EDITORS[kind]), edit_url(world, kind)
    assert "not given" in words_of(client.get(shown_url(world, kind)))
    assert client.post(url, form_of(world, kind, **given_of(world))).status_code == 302
    held = subject(world, kind).attributes
    assert held == {
        "a_text": "=1+1", "a_number": 2.5, "a_date": "2026-02-28", "a_choice": "gold", "a_user": world.people.owner.pk,
    }  # fmt: skip
    words = words_of(client.get(shown_url(world, kind)))
    for word in ("The text", "=1+1", "2.5", "2026", "gold", str(world.people.owner)):
        assert word in words, word
    page = text_of(client.get(url))
    for piece in (
        'value="2.5"',
        'value="2026-02-28"',
        '<option value="gold" selected>',
        f'value="{world.people.owner.pk}" selected',
    ):
        assert piece in page, piece
    # Sent again as it is, nothing changes; sent empty, everything is taken away.
    assert client.post(url, form_of(world, kind, **given_of(world))).status_code == 302
    assert subject(world, kind).attributes == held
    assert client.post(url, form_of(world, kind)).status_code == 302
    assert subject(world, kind).attributes == {}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("number", "1e400"),
        ("number", "NaN"),
        ("number", "x"),
        ("number", "1" + "0" * 30),
        ("number", "0.12345678901234567890123"),
        ("date", "2026-02-30"),
        ("date", "0001-01-01"),
        ("date", "x"),
        ("choice", "Gold"),
        ("user", "999999999999999999999"),
        ("user", "x"),
        ("text", "x" * 10_000),
        ("text", "a\0b"),
        ("text", "bell\x07"),
    ],
)
def test_what_does_not_fit_stays_in_the_form_with_its_error(
    kind: ObjectKind, name: str, value: str, world: World, as_role: AsRole
) -> None:
    define(world, kind)
    answer = as_role(EDITORS[kind]).post(
        edit_url(world, kind), form_of(world, kind, **{**given_of(world), name: value})
    )
    assert answer.status_code == 422
    form = answer.context["form"]
    assert set(form.errors) == {f"attributes.a_{name}"}
    assert text_of(answer).count("is-invalid") == 1
    assert "=1+1" in text_of(answer) or name == "text"
    assert subject(world, kind).attributes == {}


@pytest.mark.parametrize("kind", KINDS)
def test_a_required_attribute_is_asked_for(kind: ObjectKind, world: World, as_role: AsRole) -> None:
    define(world, kind, is_required=True)
    answer = as_role(EDITORS[kind]).post(edit_url(world, kind), form_of(world, kind, text="only this"))
    assert answer.status_code == 422
    assert len(answer.context["form"].errors) == 4


@pytest.mark.parametrize("kind", KINDS)
def test_whoever_saved_first_is_shown_beside_what_was_typed(kind: ObjectKind, world: World, as_role: AsRole) -> None:
    define(world, kind)
    client, url = as_role(EDITORS[kind]), edit_url(world, kind)
    late = form_of(world, kind, text="mine", number="7")
    assert client.post(url, form_of(world, kind, text="theirs")).status_code == 302
    answer = client.post(url, late)
    assert answer.status_code == 412
    rows = {row["field"]: (row["before"], row["after"]) for row in answer.context["difference"]}
    assert rows["The text"] == ("theirs", "mine")
    assert rows["The number"] == ("", "7")
    assert subject(world, kind).attributes == {"a_text": "theirs"}


@pytest.mark.parametrize("kind", KINDS)
def test_lists_are_filtered_and_files_say_the_same(kind: ObjectKind, world: World, as_role: AsRole) -> None:
    attributes = define(world, kind)
    client, owner = as_role(EDITORS[kind]), world.people.owner
    client.post(edit_url(world, kind), form_of(world, kind, **given_of(world)))
    page, file = reverse(PAGES[kind][2]), reverse(PAGES[kind][3])
    empty = text_of(client.get(page))
    for piece in (
        'name="attr.a_text"',
        'name="attr.a_number.min"',
        'name="attr.a_date.max"',
        f'value="{owner.username}"',
    ):
        assert piece in empty, piece
    for query, count in {
        "attr.a_number.min=2&attr.a_date.max=2026-02-28": 1,
        f"attr.a_user={owner.username}": 1,
        "attr.a_choice=gold": 1,
        "attr.a_number=2.5": 1,
        "attr.a_number=2": 0,
        "attr.a_text=other": 0,
    }.items():
        answer = client.get(f"{page}?{query}")
        assert len(answer.context["table"].rows) == count, query
        shown = f"{page}?{query}&export=csv&fields=all"
        assert shown.replace("&", "&amp;") in text_of(answer)
        assert len(list(csv.DictReader(io.StringIO(client.get(shown).getvalue().decode())))) == count, query
        found = list(csv.DictReader(io.StringIO(client.get(f"{file}?{query}").getvalue().decode())))
        assert len(found) == count, query
        if found:
            assert (found[0]["attr.a_text"], found[0]["attr.a_user"]) == ("'=1+1", owner.username)
    for wrong in ("attr.a_number.min=x", "attr.a_choice=Gold", "attr.a_date.min=2026-02-30"):
        assert client.get(f"{file}?{wrong}").status_code == 400, wrong
        assert len(client.get(f"{page}?{wrong}").context["table"].rows) == 0
    custom_attributes.archive(actor=world.people.admin.actor, attribute_id=attributes["text"].pk, revision=1)
    assert "attr.a_text" not in client.get(file).getvalue().decode()
    assert "attr.a_text" in client.get(f"{file}?attributes=all").getvalue().decode()
    assert 'name="attr.a_text"' not in text_of(client.get(page))
    assert "archived" in words_of(client.get(shown_url(world, kind)))
    assert 'name="attributes.a_text"' not in text_of(client.get(edit_url(world, kind)))


def test_the_stage_table_has_a_column_per_attribute(world: World, as_role: AsRole) -> None:
    define(world, ObjectKind.STAGE_RECORD)
    client = as_role("data_scientist")
    client.post(edit_url(world, ObjectKind.STAGE_RECORD), form_of(world, ObjectKind.STAGE_RECORD, **given_of(world)))
    words = words_of(client.get(reverse("governance:stage_table")))
    for word in ("The text", "The user", "=1+1", str(world.people.owner), "not given"):
        assert word in words, word


def test_markup_in_labels_and_values_is_text(world: World, as_role: AsRole) -> None:
    hostile = "<script>alert(1)</script>"
    custom_attributes.define(
        actor=world.people.admin.actor,
        definition=AttributeDefinition(
            kind=ObjectKind.USE_CASE, key="hostile", label=hostile, type=AttributeType.CHOICE, choices=(hostile,), help_text=hostile,
        ),
    )  # fmt: skip
    client, url = as_role("data_scientist"), edit_url(world, ObjectKind.USE_CASE)
    sent = {**form_of(world, ObjectKind.USE_CASE), "attributes.hostile": hostile}
    assert client.post(url, sent).status_code == 302
    for path in (url, shown_url(world, ObjectKind.USE_CASE), reverse("registry:use_case_list")):
        page = client.get(path).content.decode()
        assert "<script>alert" not in page, path
        assert "&lt;script&gt;alert" in page, path
        assert "&amp;lt;" not in page, path


def test_lists_cost_the_same_with_more_rows(world: World, as_role: AsRole) -> None:
    define(world, ObjectKind.USE_CASE)
    client = as_role("data_scientist")
    client.post(edit_url(world, ObjectKind.USE_CASE), form_of(world, ObjectKind.USE_CASE, **given_of(world)))

    def cost() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert client.get(f"{reverse('registry:use_case_list')}?attr.a_number.min=1").status_code == 200
        return len(seen)

    before = cost()
    for number in range(4):
        use_case(world.people, world.project, name=f"More {number}")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE registry_usecase SET attributes = attributes || '{\"a_number\": 3}'")
    assert cost() == before


def test_without_attributes_nothing_is_said_of_them(world: World, as_role: AsRole) -> None:
    client = as_role("data_scientist")
    assert "Further attributes" not in words_of(client.get(shown_url(world, ObjectKind.MODEL_GROUP)))
    page = words_of(client.get(edit_url(world, ObjectKind.STAGE_RECORD)))
    assert "No attribute is defined" in page
    assert "Fill in" not in words_of(client.get(shown_url(world, ObjectKind.STAGE_RECORD)))


@pytest.mark.parametrize("kind", KINDS)
def test_the_history_says_what_was_filled_in(kind: ObjectKind, world: World, as_role: AsRole) -> None:
    define(world, kind)
    client = as_role(EDITORS[kind])
    client.post(edit_url(world, kind), form_of(world, kind, **given_of(world)))
    client.post(edit_url(world, kind), form_of(world, kind, **{**given_of(world), "number": "3", "text": ""}))
    row = subject(world, kind)
    url = {
        ObjectKind.USE_CASE: lambda: reverse("governance:use_case_activity", args=[row.number]),
        ObjectKind.MODEL_GROUP: lambda: reverse("governance:group_panel", args=[row.pk]),
        ObjectKind.STAGE_RECORD: lambda: reverse("governance:version_activity", args=[row.version_id]),
    }[kind]()
    # One transaction is one entry, and a test is one transaction.
    lines = [
        (line["field"], line["before"], line["after"])
        for entry in client.get(url).context["entries"]
        for line in entry["changes"]
    ]
    assert ("The user", None, str(world.people.owner)) in lines
    assert ("The date", None, "2026-02-28") in lines
    assert ("The number", "2.5", "3") in lines
    assert ("The text", "=1+1", None) in lines
    assert [line for line in lines if line[0] == "The user"] == [("The user", None, str(world.people.owner))]
    assert not [line for line in lines if "ttributes" in line[0]]
