"""The document: whatever people wrote is shown as they wrote it, and nothing of it does anything."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import pytest

from governance.services.audit_pack.glossary import GLOSSARY
from governance.services.audit_pack.typeset import code, heading, label, listing, notice, pairs, shown, typeset, words

from .world import HOSTILE

MOMENT = datetime(2026, 11, 21, 13, 5, tzinfo=UTC)


def document(*parts: dict[str, Any]) -> dict[str, Any]:
    return {
        "title": HOSTILE,
        "scope": HOSTILE,
        "portal": "Model Governance Portal",
        "as_of": "As of entry 1",
        "data_sha256": "0" * 64,
        "cover": [["About", HOSTILE], ["Key", {"code": "k" * 43}]],
        "state": {"tone": "bad", "title": HOSTILE, "text": HOSTILE},
        "disclaimer": HOSTILE,
        "chapters": [{"title": HOSTILE, "parts": [*parts, pairs(*GLOSSARY)]}],
    }


def test_hostile_text_is_text() -> None:
    rows = [[HOSTILE, (HOSTILE, "good"), {"code": HOSTILE}, ""]]
    parts = (
        heading(HOSTILE),
        words(HOSTILE, "quote"),
        label(HOSTILE, HOSTILE),
        code(HOSTILE),
        notice("warn", HOSTILE, "#sys.inputs\n\n= Heading\n- list"),
        listing([("A", 1), ("B", 1), ("C", 2), ("D", 0)], rows, "None."),
        listing([("A", 1)], [], HOSTILE),
    )
    made = typeset(document(*parts), MOMENT)
    assert made.startswith(b"%PDF-1.7")
    assert b"pdfuaid" in made
    assert typeset(document(*parts), MOMENT) == made


def test_many_rows_take_seconds() -> None:
    rows = [["credit-risk/1", "Production", "2026-11-21 13:05", "officer", ("Approve", "good"), "Fine."]] * 1500
    table = listing([(head, 1) for head in ("About", "Stage", "When", "Who", "Verdict", "Why")], rows, "None.")
    began = time.process_time()
    typeset(document(table), MOMENT)
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("plain", "plain"),
        ("Žluťoučký Ελληνικά Кириллица 12 €", "Žluťoučký Ελληνικά Кириллица 12 €"),
        ("中", "(U+4E2D)"),
        ("😀", "(U+1F600)"),
        ("a\u202egpj.exe", "a(U+202E)gpj.\u200bexe"),
        ("a\x00b\x1b[31m", "a(U+0000)b(U+001B)[31m"),
        ("soft\u00adhyphen", "soft(U+00AD)hyphen"),
        ("e\u0301", "é"),
        ("one\r\ntwo\rthree", "one\ntwo\nthree"),
        ("governance_officer.4", "governance_\u200bofficer.\u200b4"),
    ],
)
def test_what_no_font_has_is_written_out(given: str, expected: str) -> None:
    assert shown(given) == expected


def test_long_words_can_be_broken() -> None:
    assert max(map(len, shown("x" * 1000).split("\u200b"))) <= 8
