"""Global search and the palette: ids first, typos forgiven, nothing one may not see, and nothing anybody can break."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from governance.selectors.search import MOST, Kind, search
from portal.core.actors import Actor
from portal.core.search import LONGEST, Typed, marked
from tests.api.world import World, actors
from tests.factories import use_case, version

HOSTILE = ["' OR 1=1 --", "%", "_", "\\", "\x00", "a\x00b", "& | ! ( ) :*", "<->", "'", '"', "foo & ", "*", "💥" * 40]


def found(world: World, role: str, text: str) -> dict[Kind, list[object]]:
    person = actors(world.people)[role]
    assert person is not None
    return {one.kind: list(one.rows) for one in search(person.actor, Typed.read(text))}


@pytest.mark.parametrize(
    ("given", "text"),
    [(None, ""), ("  a \n b\t", "a b"), ("a\x00b", "a b"), ("x" * 5000, "x" * LONGEST), (["odd"], "['odd']")],
)
def test_whatever_is_typed_is_one_line_of_sane_length(given: object, text: str) -> None:
    assert Typed.read(given).text == text


@pytest.mark.parametrize(
    ("text", "number"),
    [("UC-0012", 12), ("uc12", 12), ("0012", 12), ("AR-000012", None), ("UC", None), ("UC-1x", None)],
)
def test_a_public_id_is_read_as_people_write_it(text: str, number: int | None) -> None:
    assert Typed.read(text).number_of("UC") == number


@pytest.mark.parametrize(
    ("words", "text", "shown"),
    [
        ("credit", "Credit <b>risk</b>", "<mark>Credit</mark> &lt;b&gt;risk&lt;/b&gt;"),
        ("creidt", "Credit risk", "<mark>Credit</mark> risk"),
        ("<script>", "a <script> b", "a &lt;<mark>script</mark>&gt; b"),
        ("nothing", 'say "no"', "say &quot;no&quot;"),
        ("", "plain", "plain"),
    ],
)
def test_a_match_is_marked_and_everything_is_escaped(words: str, text: str, shown: str) -> None:
    assert marked(text, Typed.read(words)) == shown


def test_a_long_text_is_cut_around_its_match() -> None:
    text = f"{'before ' * 60}needle {'after ' * 60}"
    shown = marked(text, Typed.read("needle"), 80)
    assert "<mark>needle</mark>" in shown
    assert shown.startswith("… ")
    assert shown.endswith(" …")
    assert len(shown) < 120


def test_an_id_or_an_arn_finds_that_one_thing(world: World) -> None:
    for text, kind, thing in (
        (world.draft.public_id, Kind.USE_CASE, world.draft),
        (world.version_request.public_id.lower(), Kind.REQUEST, world.version_request),
        (world.finding.public_id, Kind.FINDING, world.finding),
        (world.evidence.public_id, Kind.EVIDENCE, world.evidence),
        (world.group.arn, Kind.GROUP, world.group),
        (world.trial.arn, Kind.VERSION, world.trial),
    ):
        assert found(world, "auditor", text) == {kind: [thing]}, text


def test_what_is_named_exactly_comes_first(world: World) -> None:
    person = world.people.auditor.actor
    first = search(person, Typed.read("models/2"))[0]
    assert (first.kind, first.rows[0], first.is_exact) == (Kind.VERSION, world.trial, True)
    bare = {one.kind: one.rows[0] for one in search(person, Typed.read(str(world.draft.number)))}
    assert bare[Kind.USE_CASE] == world.draft


def test_words_and_misspelt_names_are_found(world: World) -> None:
    letters = use_case(world.people, world.project, name="Collections letters")
    assert found(world, "data_scientist", "collections")[Kind.USE_CASE] == [letters]
    assert found(world, "data_scientist", "letters collect")[Kind.USE_CASE] == [letters]
    assert found(world, "data_scientist", "colections")[Kind.USE_CASE] == [letters]
    assert found(world, "data_scientist", "collectoins lettres")[Kind.USE_CASE] == [letters]


def test_what_is_called_by_a_group_or_an_owner_is_found_too(world: World) -> None:
    everything = found(world, "governance_officer", "models")
    assert world.trial in everything[Kind.VERSION]
    assert world.version_request in everything[Kind.REQUEST]
    assert world.finding in everything[Kind.FINDING]
    mine = found(world, "governance_officer", world.people.scientist.username)
    assert world.use_case_request in mine[Kind.REQUEST]


def test_nobody_finds_what_he_may_not_see(world: World) -> None:
    ids = (world.draft.public_id, world.version_request.public_id, world.finding.public_id, world.evidence.public_id)
    for text in (*ids, world.group.arn, world.trial.arn, "models", "models/2", "Draft", "holds", "222222222222", "1"):
        seen = found(world, "stranger", text)
        assert not set(seen) - {Kind.ACCOUNT}, text
    assert Kind.ACCOUNT not in found(world, "data_scientist", "2222")
    assert Kind.ACCOUNT in found(world, "auditor", "2222")


def test_more_than_is_read_is_said_to_be_more(world: World) -> None:
    one = next(m for m in search(world.people.auditor.actor, Typed.read("models")) if m.kind == Kind.VERSION)
    assert not one.is_more
    for number in range(10, 12 + MOST):
        version(world.group, number)
    one = next(m for m in search(Actor.system("test"), Typed.read("models")) if m.kind == Kind.VERSION)
    assert (one.count, one.is_more, len(one.rows)) == (MOST, True, MOST)


@pytest.mark.parametrize("path", ["/search/", "/search/palette/"])
def test_no_input_breaks_the_page(path: str, as_role: Callable[[str], Client]) -> None:
    client = as_role("governance_officer")
    for text in (*HOSTILE, "x" * 3000, "<script>alert(1)</script>", "AR-999999999999999999", "99999999999999999999"):
        answer = client.get(path, {"q": text})
        assert answer.status_code == 200, text
        assert "<script>alert" not in answer.content.decode()


def test_a_search_costs_few_queries(world: World, as_role: Callable[[str], Client]) -> None:
    for role in ("governance_officer", "data_scientist", "ml_admin"):
        client = as_role(role)
        client.get("/search/")
        with CaptureQueriesContext(
            connection,
        ) as asked:
            client.get("/search/", {"q": "models"}, headers={"HX-Request": "true"})
        queries = [query["sql"] for query in asked if "SAVEPOINT" not in query["sql"]]
        assert len(queries) <= 15, "\n".join(queries)


def test_the_page_groups_counts_marks_and_links(world: World, as_role: Callable[[str], Client]) -> None:
    text = as_role("governance_officer").get("/search/", {"q": "models"}).content.decode()
    assert "<mark>models</mark>/2" in text
    assert f'href="/approvals/{world.version_request.public_id}/"' in text
    assert 'id="found-version"' in text
    nothing = as_role("governance_officer").get("/search/", {"q": "zzzzzz"}).content.decode()
    assert "Nothing was found" in nothing


def test_the_palette_offers_what_one_may_open(as_role: Callable[[str], Client]) -> None:
    def offered(role: str, words: str) -> str:
        return as_role(role).get("/search/palette/", {"q": words}).content.decode()

    assert 'data-url="/use-cases/register/"' in offered("data_scientist", "register")
    assert 'data-url="/use-cases/register/"' not in offered("auditor", "register")
    assert 'data-url="/accounts/register/"' in offered("ml_admin", "reg acc")
    assert 'data-url="/accounts/"' not in offered("data_scientist", "")
    assert 'data-does="theme-dark"' in offered("auditor", "dark")
    assert "<html" not in offered("auditor", "")
