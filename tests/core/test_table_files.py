"""What a file of a list holds: words instead of markup, numbers as numbers, and an honest end."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from io import BytesIO
from typing import Any

import pytest
from openpyxl import load_workbook

from portal.core import table_export
from portal.core.table_values import plain, text_of


@pytest.mark.parametrize(
    ("html", "words"),
    [
        ("plain", "plain"),
        ('<a href="/x">Credit &amp; risk</a><span class="kv-hint">UC-0001</span>', "Credit & risk UC-0001"),
        ('<time datetime="2026-01-02T03:04:05+00:00" data-relative>3 days ago</time>', "2026-01-02T03:04:05+00:00"),
        ('<span class="pill"><svg><path d="M1"/></svg>High risk</span>', "High risk"),
        ('<span aria-hidden="true">MO</span><span>Morgan Owner</span>', "Morgan Owner"),
        ('<span class="not-reported">not reported</span>', ""),
        ("<form><input><button>Revoke</button></form>", ""),
        ("a<br>b </p>", "a b"),
        ("", ""),
    ],
)
def test_a_cell_gives_its_words(html: str, words: str) -> None:
    assert text_of(html) == words


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=2))), "2026-01-02T01:04:05+00:00"),
        (datetime(2026, 1, 2, 3, 4, 5, 999, tzinfo=UTC), "2026-01-02T03:04:05+00:00"),
        (date(2026, 1, 2), "2026-01-02"),
        (True, "yes"),
        (0, 0),
        (["a", "b"], "a; b"),
        ({"auc": None}, {"auc": None}),
        (object, None),
    ],
)
def test_a_value_is_written_plainly(value: Any, written: Any) -> None:
    assert plain(value) == written


@pytest.mark.parametrize(
    ("value", "held"),
    [
        ("=1+1", "'=1+1"),
        ("\n=1+1", "'\n=1+1"),
        (" \u00a0=1+1", "' \u00a0=1+1"),
        ("\ufeff\u200b@SUM(A1)", "'\ufeff\u200b@SUM(A1)"),
        ("\uff1d1+1", "'\uff1d1+1"),
        ("\uff20SUM(A1)", "'\uff20SUM(A1)"),
        ("plain = not a formula", "plain = not a formula"),
        ("a\x00b\x1f", "a\ufffdb\ufffd"),
        (0.5, 0.5),
        (None, None),
        ({"a": 1}, '{"a": 1}'),
        ("x" * 40_000, "x" * (32_767 - 13) + " … (cut here)"),
    ],
)
def test_a_workbook_takes_every_value_and_no_formula(value: Any, held: Any) -> None:
    assert table_export.sheet_cell(value) == held


def test_a_head_is_no_formula_either() -> None:
    answer = table_export.csv_file("list", ["=Head", "Plain"], [])
    assert b"".join(answer.streaming_content) == b"'=Head,Plain\r\n"  # type: ignore[arg-type]  # one that streams


def test_a_workbook_says_where_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_export, "XLSX_ROWS", 2)
    answer = table_export.xlsx_file("list", "A [list]: of/things", ["=Head"], ([number] for number in range(9)))
    book = load_workbook(BytesIO(b"".join(answer.streaming_content)))  # type: ignore[arg-type]  # a FileResponse's own
    cells = [row[0].value for row in book.active.rows]
    assert cells[:3] == ["'=Head", 0, 1]
    assert cells[3].startswith("There are more rows.")
    assert len(cells) == 4


def test_rows_are_written_while_they_are_read() -> None:
    read = []

    def rows() -> Any:
        for number in range(1000):
            read.append(number)
            yield [number]

    answer = table_export.csv_file("list", ["Number"], rows())
    stream = iter(answer.streaming_content)
    assert next(stream) == b"Number\r\n"
    assert next(stream) == b"0\r\n"
    assert len(read) < 3, "a long list is not held in memory"
