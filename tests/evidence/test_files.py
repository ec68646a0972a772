"""What may be evidence: the ending, the declared type and the content must all say the same."""

from __future__ import annotations

import hashlib
import io

import pytest

from governance.services import evidence_files
from governance.services.evidence_files import TYPES, CheckedFile, check, safe_name
from portal.core.errors import InvalidInput

from . import files

LIMIT = 1024 * 1024
ANY = "application/octet-stream"


def checked(name: str, content: bytes, declared: str = ANY, limit: int = LIMIT) -> CheckedFile:
    return check(io.BytesIO(content), name=name, declared=declared, limit=limit)


def refusal(name: str, content: bytes, declared: str = ANY, limit: int = LIMIT) -> str:
    with pytest.raises(InvalidInput) as caught:
        checked(name, content, declared, limit)
    return " ".join(caught.value.errors["file"])


GOOD = [
    ("report.pdf", files.PDF, "application/pdf", "application/pdf"),
    ("REPORT.PDF", files.PDF, ANY, "application/pdf"),
    ("roc.png", files.PNG, "image/png", "image/png"),
    ("roc.jpg", files.JPEG, "image/jpeg", "image/jpeg"),
    ("roc.jpeg", files.JPEG + b"\x00\x00", "image/jpeg", "image/jpeg"),
    ("metrics.csv", files.CSV, "text/csv; charset=utf-8", "text/csv"),
    ("metrics.csv", files.CSV, "application/vnd.ms-excel", "text/csv"),
    ("metrics.csv", b"\xef\xbb\xbf" + files.CSV, "text/csv", "text/csv"),
    ("metrics.json", b'{"auc": 0.81, "n": 1e400, "big": ' + b"9" * 5000 + b"}", "application/json", "application/json"),
    ("metrics.json", b'\xef\xbb\xbf{"auc": 0.81}', "application/json", "application/json"),
    ("notes.txt", "It holds, größer als.\r\n\f".encode(), "text/plain", "text/plain"),
    ("notes.txt", b"", "text/plain", None),
    ("readme.md", b'<p align="center">A model</p>\n\n# Card', "text/markdown", "text/markdown"),
    ("readme.md", b"# Card", "", "text/markdown"),
    ("card.docx", files.DOCX, ANY, "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("tests.xlsx", files.XLSX, "application/zip", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("board.pptx", files.PPTX, ANY, "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    ("run.zip", files.ZIP, "application/x-zip-compressed", "application/zip"),
]


@pytest.mark.parametrize(("name", "content", "declared", "is_a"), [row for row in GOOD if row[3]])
def test_a_file_that_is_what_it_says(name: str, content: bytes, declared: str, is_a: str) -> None:
    found = checked(name, content, declared)
    assert (found.content_type, found.size) == (is_a, len(content))
    assert found.sha256 == hashlib.sha256(content).hexdigest()
    assert found.filename == name


BAD = [
    ("a program named .pdf", "report.pdf", files.EXE, ANY, "not a PDF document. It looks like: a Windows program."),
    ("a page named .pdf", "report.pdf", files.HTML, ANY, "not a PDF"),
    ("a PDF cut off", "report.pdf", files.PDF[:40], ANY, "cut off"),
    ("a PDF that is an archive too", "report.pdf", files.PDF + files.ZIP, ANY, ""),
    ("a PDF with an archive before its end", "report.pdf", files.PDF + files.ZIP + b"%%EOF", ANY, "archive as well"),
    ("junk before the PDF", "report.pdf", b"<html>" + files.PDF, ANY, "not a PDF"),
    ("a page named .png", "roc.png", files.HTML, ANY, "not a PNG"),
    ("a PNG with a page behind it", "roc.png", files.PNG + files.HTML, ANY, "something follows"),
    ("a PNG cut off", "roc.png", files.PNG[:-6], ANY, "cut off"),
    ("a JPEG with an archive behind it", "roc.jpg", files.JPEG + files.ZIP, ANY, "something follows"),
    ("a PNG named .jpg", "roc.jpg", files.PNG, ANY, "not a JPEG"),
    ("a page named .txt", "notes.txt", files.HTML, ANY, "run or drawn"),
    ("a page named .txt, behind blanks", "notes.txt", b"\xef\xbb\xbf \n\t" + files.HTML, ANY, "run or drawn"),
    ("a drawing named .md", "notes.md", files.SVG, ANY, "run or drawn"),
    ("a drawing named .csv", "notes.csv", b'<?xml version="1.0"?>' + files.SVG, ANY, "run or drawn"),
    ("a script named .txt", "notes.txt", b"#!/bin/sh\nrm -rf /", ANY, "run or drawn"),
    ("a PDF named .txt", "notes.txt", files.PDF, ANY, "run or drawn"),
    ("a program named .csv", "metrics.csv", files.EXE, ANY, "not text"),
    ("Latin-1", "metrics.csv", "über".encode("latin-1"), ANY, "UTF-8"),
    ("UTF-16", "metrics.csv", "a;b".encode("utf-16"), ANY, "UTF-8"),
    ("a null character", "notes.txt", b"a\x00b", ANY, "U+0000"),
    ("an escape", "notes.txt", b"\x1b]0;owned\x07", ANY, "U+001B"),
    ("no JSON", "metrics.json", b"{auc: 0.81}", ANY, "not JSON"),
    ("half a JSON", "metrics.json", b'{"auc": 0.81', ANY, "not JSON"),
    ("two JSON documents", "metrics.json", b"{}{}", ANY, "not JSON"),
    ("no number", "metrics.json", b'{"auc": NaN}', ANY, "NaN"),
    ("JSON too deep", "metrics.json", b"[" * 100_000 + b"]" * 100_000, ANY, "nested too deeply"),
    ("empty", "notes.txt", b"", ANY, "empty"),
    ("empty PDF", "report.pdf", b"", "application/pdf", "empty"),
    ("too large", "notes.txt", b"a" * (LIMIT + 1), ANY, "larger than 1 MB"),
    ("an archive cut off", "run.zip", files.ZIP[:-30], ANY, ""),
    ("an archive with a header only", "run.zip", b"PK\x03\x04" + b"\x00" * 40, ANY, "cut off"),
    ("an archive of nothing", "run.zip", files.EMPTY_ZIP, ANY, "ZIP archive"),
    ("a program before the archive", "run.zip", files.EXE + files.ZIP, ANY, "not a ZIP"),
    ("a page behind the archive", "run.zip", files.ZIP + files.HTML, ANY, "follows"),
    ("a name that climbs out", "run.zip", files.zipped({"../../etc/passwd": b"x"}), ANY, "outside"),
    ("a name from the root", "run.zip", files.zipped({"/etc/passwd": b"x"}), ANY, "outside"),
    ("a name on a drive", "run.zip", files.zipped({"C:\\Windows\\x": b"x"}), ANY, "outside"),
    ("a name behind a null character", "run.zip", files.NULL_NAMED, ANY, "hides"),
    ("an archive with a password", "run.zip", files.locked(), ANY, "password"),
    ("an archive of very many files", "run.zip", files.zipped({f"{n}": b"x" for n in range(2001)}, 0), ANY, "2000"),
    ("a document in the old format", "card.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), ANY, "old format"),
    ("any archive named .docx", "card.docx", files.ZIP, ANY, "not a Word"),
    ("a workbook named .docx", "card.docx", files.XLSX, ANY, "not a Word"),
    ("a document with macros", "card.docx", files.office("word/document.xml", **{"word/vbaProject.bin": b"x"}), ANY, "macros"),
    ("a page", "report.html", files.HTML, "text/html", "named .html"),
    ("a drawing", "roc.svg", files.SVG, "image/svg+xml", "named .svg"),
    ("a script", "run.js", b"alert(1)", "text/javascript", "named .js"),
    ("a program", "run.exe", files.EXE, ANY, "named .exe"),
    ("no ending", "report", files.PDF, "application/pdf", "no ending"),
    ("two endings", "report.pdf.exe", files.PDF, ANY, "named .exe"),
    ("declared as a page", "notes.txt", b"hello", "text/html", "sent as text/html"),
    ("declared as a program", "report.pdf", files.PDF, "application/x-msdownload", "sent as"),
    ("declared as an image", "report.pdf", files.PDF, "image/png", "sent as"),
    ("an ending behind a null character", "report.pdf\x00.exe", files.PDF, ANY, "named .exe"),
    ("an ending turned around", "report\u202efdp.exe", files.EXE, ANY, "named .exe"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content", "declared", "words"), [row[1:] for row in BAD], ids=[row[0] for row in BAD]
)
def test_a_file_that_is_not(name: str, content: bytes, declared: str, words: str) -> None:
    assert words in refusal(name, content, declared)


def test_an_archive_that_unpacks_to_very_much() -> None:
    assert "ZIP bombs" in refusal("run.zip", files.bomb())


def test_a_directory_is_not_read_when_it_says_it_is_huge(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence_files, "LARGEST_DIRECTORY", 10)
    assert "holds more than" in refusal("run.zip", files.ZIP)


def test_a_large_json_document_comes_zipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence_files, "LARGEST_JSON", 10)
    assert "zipped" in refusal("metrics.json", b'{"auc": 0.8123}')


def test_reading_stops_at_the_limit() -> None:
    class Endless(io.RawIOBase):
        given = 0

        def seek(self, *_: int) -> int:
            return 0

        def read(self, size: int = -1) -> bytes:
            self.given += size
            return b"a" * size

    endless = Endless()
    with pytest.raises(InvalidInput):
        check(endless, name="a.txt", declared="", limit=LIMIT)  # type: ignore[arg-type]
    assert endless.given <= LIMIT + 2 * evidence_files.PIECE


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("report.pdf", "report.pdf"),
        ("../../etc/passwd.txt", "passwd.txt"),
        ("C:\\Users\\me\\report.pdf", "report.pdf"),
        ('a"b; filename=x.pdf', 'a"b; filename=x.pdf'),
        ("two\r\nlines.pdf", "twolines.pdf"),
        ("  spaced   out .pdf", "spaced out.pdf"),
        (".hidden.txt", "hidden.txt"),
        ("a" * 300 + ".pdf", "a" * 116 + ".pdf"),
        ("größe.csv", "größe.csv"),
        ("报告.pdf", "报告.pdf"),
        ("report\u202efdp.txt", "reportfdp.txt"),
        ("\ud800.txt", "txt"),
    ],
)
def test_a_name_is_kept_as_far_as_it_is_safe(sent: str, kept: str) -> None:
    assert safe_name(sent) == kept


@pytest.mark.parametrize("name", ["", "   ", "..", "/", "\x00\x01", "a/..", "\u202e"])
def test_a_name_of_nothing(name: str) -> None:
    with pytest.raises(InvalidInput):
        safe_name(name)


def test_nothing_that_a_browser_runs_is_among_the_types() -> None:
    served = {kind.content_type for kind in TYPES.values()}
    assert not served & {"text/html", "image/svg+xml", "application/xhtml+xml", "text/javascript", "text/xml"}
    assert not {"html", "htm", "svg", "js", "mjs", "xml", "xhtml"} & set(TYPES)
