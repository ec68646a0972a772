"""Figures: what is drawn is to scale, its table says the same, and no name a person chose becomes markup."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest
from django.template import Context, Template

from portal.core.figures import (
    FULL,
    HEAT_STEPS,
    Bar,
    Bars,
    Cell,
    Grid,
    Heat,
    Line,
    Lines,
    Part,
    Point,
    heat_step,
    milliseconds,
)

HOSTILE = """</script><script>alert(1)</script>" onload='x' {{ 7|add:1 }} <img src=x onerror=alert(2)>"""


class Seen(HTMLParser):
    """Every tag of a piece of HTML with its attributes, and the words between them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words += data


def drawn(tag: str, thing: object) -> Seen:
    return Seen(
        Template("{% load figures %}{% " + tag + " thing words %}").render(Context({"thing": thing, "words": HOSTILE}))
    )


BARS = Bars(
    (
        Bar(
            "QA",
            (Part("Pending", 6, "/v/?stage=qa&status=pending", "wait"), Part("Approved", 2, "/a/", "good")),
            "/qa/",
        ),
        Bar("Production", (Part("Approved", 4, "/p/", "good"),), "/prod/"),
        Bar("Retired", (), "/retired/"),
    ),
    "Stage",
)


def test_bars_share_one_scale_and_their_parts_stand_behind_each_other() -> None:
    pieces = [[(piece["x"], piece["width"]) for piece in row["parts"]] for row in BARS.drawn()]
    assert pieces == [[(0.0, 750.0), (750.0, 250.0)], [(0.0, 500.0)], []]
    assert max(x + width for row in pieces for x, width in row) == FULL


def test_the_table_of_bars_has_a_column_per_part_and_the_sum() -> None:
    grid = BARS.grid()
    assert grid.columns == ("Stage", "Pending", "Approved", "Total")
    assert [[cell.text for cell in row] for row in grid.rows] == [
        ["QA", 6, 2, 8],
        ["Production", 0, 4, 4],
        ["Retired", 0, 0, 0],
    ]
    assert grid.rows[0][1].url == "/v/?stage=qa&status=pending"


def test_bars_of_one_part_have_one_column() -> None:
    grid = Bars(
        (Bar("Overdue", (Part("Count", 3, "/o/"),), "/o/"), Bar("Later", (Part("Count", 0, "/l/"),), "/l/")), "Due"
    ).grid()
    assert grid.columns == ("Due", "Count")
    assert [cell.text for row in grid.rows for cell in row] == ["Overdue", 3, "Later", 0]


@pytest.mark.parametrize(("count", "most", "step"), [(0, 9, 0), (1, 1000, 1), (500, 1000, 3), (1000, 1000, HEAT_STEPS)])
def test_any_at_all_is_at_least_one_step_of_heat(count: int, most: int, step: int) -> None:
    assert heat_step(count, most) == step


def test_every_drawn_part_and_every_number_leads_to_its_list() -> None:
    seen = drawn("bar_figure", BARS)
    links = {attributes["href"] for tag, attributes in seen.tags if tag == "a"}
    assert links == {"/v/?stage=qa&status=pending", "/a/", "/p/", "/qa/", "/prod/", "/retired/"}
    inside = [attributes for tag, attributes in seen.tags if tag == "a" and attributes.get("tabindex") == "-1"]
    assert len(inside) == 3, "what is drawn repeats the numbers for a pointer, and is no further stop of the keyboard"
    assert any(tag == "table" for tag, _ in seen.tags)


def test_bars_of_nothing_say_so_instead_of_drawing() -> None:
    seen = drawn("bar_figure", Bars((Bar("QA", (), ""),), "Stage"))
    assert "Nothing to count yet." in seen.words
    assert not any(tag == "svg" for tag, _ in seen.tags)


def hostile_lines() -> Lines:
    line = Line(HOSTILE, (Point(0, 0.5, "/v/1/", HOSTILE, is_bad=True), Point(1, 0.8)))
    threshold = Line("Threshold of the policy", (Point(0, 0.7), Point(1, 0.7)), "bad", is_threshold=True)
    table = Grid(("Version", HOSTILE), ((Cell(HOSTILE, "/v/1/"), Cell(0.5, "", "bad")), (Cell("v2"), Cell(None))))
    return Lines(HOSTILE, (line, threshold), table, (HOSTILE, "v2"), notes=(HOSTILE,))


def test_names_with_markup_stay_words_in_attribute_and_table() -> None:
    seen = drawn("line_figure", hostile_lines())
    assert {tag for tag, _ in seen.tags}.isdisjoint({"script", "img"})
    assert not any(name.startswith("on") for _, attributes in seen.tags for name in attributes)
    (figure,) = (attributes for tag, attributes in seen.tags if tag == "figure")
    spec = json.loads(figure["data-spec"] or "")
    assert spec["labels"] == [HOSTILE, "v2"]
    assert spec["lines"][0]["points"][0] == {"x": 0, "y": 0.5, "url": "/v/1/", "note": HOSTILE, "bad": True}
    assert spec["lines"][1]["threshold"] is True
    assert "{{ 7|add:1 }}" in seen.words


def test_a_line_figure_has_its_table_and_says_what_is_not_reported() -> None:
    seen = drawn("line_figure", hostile_lines())
    tags = [tag for tag, _ in seen.tags]
    assert tags.count("canvas") == tags.count("table") == 1
    assert ("canvas", {"role": "img", "aria-label": f"{HOSTILE} The table below says the same."}) in seen.tags
    assert "not reported" in seen.words


def test_a_heat_map_is_its_own_table_with_words_for_nothing() -> None:
    heat = Heat(("QA", "Production"), ((Cell("High risk"), Cell(4, "/h/"), Cell(0, "/none/")),), "Risk")
    seen = drawn("heat_figure", heat)
    assert [attributes["href"] for tag, attributes in seen.tags if tag == "a"] == ["/h/"]
    assert [attributes["class"] for tag, attributes in seen.tags if tag == "td"] == ["heat-5", "heat-0"]
    assert "0" in seen.words


def test_a_moment_is_a_place_on_the_axis() -> None:
    assert milliseconds(datetime(2026, 11, 21, tzinfo=UTC)) == 1795219200000
