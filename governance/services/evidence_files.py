"""What may be put down as evidence: fixed types, of which declared type, file name and content must all say the same.

Nothing here trusts the sender. What passes is served as a download only, and still must not be something else in
disguise: an officer will open it.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
import zipfile
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import IO, Any, NoReturn

from portal.core.errors import InvalidInput

PIECE = 64 * 1024
LONGEST_NAME = 120
# Parsed JSON takes many times its size in memory; larger documents come zipped.
LARGEST_JSON = 5 * 1024 * 1024
MOST_ENTRIES = 2_000
LARGEST_DIRECTORY = 1024 * 1024
# What an archive says it unpacks to: more than both of these is a trap for whoever opens it.
LARGEST_UNPACKED = 500 * 1024 * 1024
MOST_TIMES_LARGER = 200

_GENERIC = frozenset({"", "application/octet-stream", "binary/octet-stream"})
_END_OF_DIRECTORY, _END_OF_DIRECTORY_SIZE, _LONGEST_COMMENT = b"PK\x05\x06", 22, 65_535
_ZIP64_LOCATOR, _ZIP64_LOCATOR_SIZE = b"PK\x06\x07", 20
# How documents begin that a reader's machine would run or draw; the list of WHATWG's MIME sniffing, and scripts.
_ACTIVE = re.compile(
    rb"\s*(?:<\?(?:xml|php)|<!doctype\s+html|<!doctype\s+svg|<(?:html|head|body|script|iframe|style|svg|object|embed)"
    rb"[\s>/]|#!|%pdf-|%!ps|\{\\rtf|mime-version:)",
    re.IGNORECASE,
)
# Named before puremagic guesses; in small letters.
_WELL_KNOWN = (
    (b"mz", "a Windows program"),
    (b"\x7felf", "a Linux program"),
    (b"<!doctype html", "a web page"),
    (b"<html", "a web page"),
    (b"<svg", "an SVG drawing"),
    (b"pk\x03\x04", "a ZIP archive or an Office document"),
    (b"\x89png", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"%pdf-", "a PDF document"),
    (b"\xd0\xcf\x11\xe0", "an Office document in the old format; save it in the new one"),
)
# puremagic's word for a match of four bytes; shorter ones are chance.
_SURE = 0.4
_NOT_TEXT = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """A file that may be kept: a safe name, its true type, bytes, and 64 hexadecimal digits of SHA-256."""

    filename: str
    content_type: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class _Type:
    content_type: str
    also_declared: frozenset[str]
    look_at: Callable[[IO[bytes], str], None]


def check(file: IO[bytes], *, name: str, declared: str, limit: int) -> CheckedFile:
    """Read a file once through and return what it is; it stands at its beginning afterwards.

    `declared` is the sender's media type, "" for none. Raises InvalidInput, on the field `file`, for a name or type
    that is not allowed, an empty file, one of more than `limit` bytes, and content that is not what name and type say.
    """
    filename = safe_name(name)
    extension = filename.rpartition(".")[2].lower() if "." in filename else ""
    kind = TYPES.get(extension)
    if kind is None:
        allowed = ", ".join(TYPES)
        _refuse(f"Files named .{extension} cannot be evidence. Allowed are {allowed}." if extension else
                f"The file's name has no ending that says its type. Allowed are {allowed}.")  # fmt: skip
    media = declared.partition(";")[0].strip().lower()
    if media not in _GENERIC and media != kind.content_type and media not in kind.also_declared:
        _refuse(f"It was sent as {media[:100]}, but its name says {kind.content_type}.")
    size, sha256 = _measured(file, limit)
    kind.look_at(file, extension)
    file.seek(0)
    return CheckedFile(filename, kind.content_type, size, sha256)


def safe_name(name: str) -> str:
    """Return a file name without path, control or invisible characters, of at most LONGEST_NAME characters.

    The ending is kept. Raises InvalidInput when nothing is left.
    """
    last = re.split(r"[/\\]", name)[-1]
    # Category C: controls, lone surrogates, and the marks that turn the order of writing around ("fdp.exe").
    visible = "".join(
        character
        for character in unicodedata.normalize("NFC", last)
        if not unicodedata.category(character).startswith("C")
    )
    visible = " ".join(visible.split()).strip(". ")
    stem, dot, extension = visible.rpartition(".")
    if dot and len(extension) <= 10:
        visible = f"{stem[: LONGEST_NAME - len(extension) - 1].strip('. ') or 'file'}.{extension}"
    visible = visible[:LONGEST_NAME].strip(". ")
    if not visible:
        _refuse("The file has no usable name.")
    return visible


def sha256_of(pieces: Iterable[bytes]) -> str:
    """Return the SHA-256 of bytes that come in pieces, in hexadecimal."""
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()


def _measured(file: IO[bytes], limit: int) -> tuple[int, str]:
    file.seek(0)
    digest, size = hashlib.sha256(), 0
    while piece := file.read(PIECE):
        size += len(piece)
        if size > limit:
            _refuse(too_large(limit))
        digest.update(piece)
    if not size:
        _refuse("The file is empty.")
    return size, digest.hexdigest()


def too_large(limit: int) -> str:
    """Say that a file is larger than the limit, in bytes."""
    return f"The file is larger than {limit / (1024 * 1024):g} MB. Put it in S3 and attach its address instead."


def _look_at_pdf(file: IO[bytes], extension: str) -> None:
    _expect_magic(file, b"%PDF-", {".pdf"}, "a PDF document")
    if b"%%EOF" not in _last(file, 1024):
        _refuse("The PDF document is cut off: its end is missing.")
    _refuse_second_face(file)


def _look_at_png(file: IO[bytes], extension: str) -> None:
    _expect_magic(file, b"\x89PNG\r\n\x1a\n", {".png"}, "a PNG image")
    if not _last(file, 12).endswith(b"\x00\x00\x00\x00IEND\xaeB`\x82"):
        _refuse("The PNG image does not end where it should: it is cut off, or something follows it.")


def _look_at_jpeg(file: IO[bytes], extension: str) -> None:
    _expect_magic(file, b"\xff\xd8\xff", {".jpg", ".jpeg", ".jpe", ".jfif"}, "a JPEG image")
    if not _last(file, 4096).rstrip(b"\x00\r\n").endswith(b"\xff\xd9"):
        _refuse("The JPEG image does not end where it should: it is cut off, or something follows it.")


def _look_at_zip(file: IO[bytes], extension: str) -> None:
    _entries(file)


_OFFICE = {
    "docx": ("word/document.xml", "a Word document"),
    "xlsx": ("xl/workbook.xml", "an Excel workbook"),
    "pptx": ("ppt/presentation.xml", "a PowerPoint presentation"),
}


def _look_at_office(file: IO[bytes], extension: str) -> None:
    names = _entries(file)
    main, words = _OFFICE[extension]
    if "[Content_Types].xml" not in names or main not in names:
        _refuse(f"The content is not {words}.")
    if any(name.lower().endswith(("vbaproject.bin", ".exe", ".dll", ".js", ".vbs")) for name in names):
        _refuse(f"It contains macros or programs. Save it as {words} without them.")


def _look_at_text(file: IO[bytes], extension: str) -> None:
    _text(file)


def _look_at_json(file: IO[bytes], extension: str) -> None:
    file.seek(0, 2)
    if file.tell() > LARGEST_JSON:
        _refuse(f"A JSON document may have {LARGEST_JSON // (1024 * 1024)} MB. Send a larger one zipped.")
    text = _text(file)
    try:
        # Numbers stay text: what they are worth does not matter here, and a long one would cost much.
        json.loads(text.removeprefix("\ufeff"), parse_int=str, parse_float=str, parse_constant=_no_constant)
    except RecursionError:
        _refuse("The JSON document is nested too deeply.")
    except ValueError as error:
        _refuse(f"The content is not JSON: {error}.")


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number (RFC 8259)")


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    raw = file.read()
    if looks := _ACTIVE.match(raw.removeprefix(b"\xef\xbb\xbf")):
        _refuse(f"It begins like a document to be run or drawn ({looks[0].strip()[:20].decode('ascii')!r}), not text.")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        _refuse(f"It is not text in UTF-8 (byte {error.start}).{_looks_like(raw)} Save it as UTF-8.")
    if found := _NOT_TEXT.search(text):
        _refuse(f"It is not text: it holds the control character U+{ord(found[0]):04X}.{_looks_like(raw)}")
    return str(text)


def _entries(file: IO[bytes]) -> Collection[str]:
    """Return the names in an archive that is safe to unpack."""
    _expect_magic(file, b"PK\x03\x04", {".zip"}, "a ZIP archive")
    _expect_small_directory(file)
    file.seek(0)
    try:
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError, OverflowError) as error:
        _refuse(f"The ZIP archive cannot be read: {error}.")
    if not any(entry.file_size for entry in entries):
        _refuse("The ZIP archive holds no file.")
    if len(entries) > MOST_ENTRIES:
        _refuse(f"The ZIP archive holds more than {MOST_ENTRIES} files.")
    for entry in entries:
        _expect_tame(entry)
    unpacked = sum(entry.file_size for entry in entries)
    packed = sum(entry.compress_size for entry in entries)
    if unpacked > LARGEST_UNPACKED and unpacked > MOST_TIMES_LARGER * max(packed, 1):
        _refuse(f"The ZIP archive says it unpacks to {unpacked // (1024 * 1024)} MB, as ZIP bombs do.")
    return {entry.filename for entry in entries}


def _expect_tame(entry: zipfile.ZipInfo) -> None:
    # `orig_filename` is as it was written: `filename` ends before a null character.
    written = entry.orig_filename
    parts = re.split(r"[/\\]", written)
    if any(ord(character) < 32 for character in written) or ".." in parts or re.match(r"[/\\]|[A-Za-z]:", written):
        _refuse(f"The ZIP archive holds a name that leads outside of it or hides something: {written[:80]!r}.")
    if entry.flag_bits & 0x1:
        _refuse("The ZIP archive is protected by a password; whoever decides on it could not read it.")


def _expect_small_directory(file: IO[bytes]) -> None:
    """Look at the archive's own figures before anything reads its directory into memory."""
    tail = _last(file, _END_OF_DIRECTORY_SIZE + _LONGEST_COMMENT)
    place = tail.rfind(_END_OF_DIRECTORY)
    end = tail[place : place + _END_OF_DIRECTORY_SIZE]
    if place < 0 or len(end) < _END_OF_DIRECTORY_SIZE:
        _refuse("The ZIP archive is cut off: its directory is missing.")
    before = tail[max(place - _ZIP64_LOCATOR_SIZE, 0) : place]
    if before.startswith(_ZIP64_LOCATOR):
        _refuse("The ZIP archive is in the format for archives above 4 GB. Pack it again.")
    if int.from_bytes(end[12:16], "little") > LARGEST_DIRECTORY:
        _refuse(f"The ZIP archive holds more than {MOST_ENTRIES} files.")
    if len(tail) - place - _END_OF_DIRECTORY_SIZE != int.from_bytes(end[20:22], "little"):
        _refuse("Something follows the ZIP archive.")


def _expect_magic(file: IO[bytes], first: bytes, endings: Collection[str], words: str) -> None:
    head = _first(file)
    if not head.startswith(first) or not {match.extension for match in _matches(head)}.intersection(endings):
        _refuse(f"The content is not {words}.{_looks_like(head)}")


def _refuse_second_face(file: IO[bytes]) -> None:
    """Refuse a document that is an archive as well: readers would disagree on what it is."""
    file.seek(0)
    if zipfile.is_zipfile(file):
        _refuse("The file is a ZIP archive as well. Send the two as files of their own.")


def _looks_like(head: bytes) -> str:
    known = next((words for first, words in _WELL_KNOWN if head.lower().startswith(first)), "")
    best = next((match.name for match in _matches(head[:PIECE]) if match.name and match.confidence >= _SURE), "")
    return f" It looks like: {known or best}." if known or best else ""


def _matches(head: bytes) -> list[Any]:
    import puremagic  # noqa: PLC0415 - a megabyte, where files are refused

    # Never with the file's name: puremagic 2 would read a file of that name on this machine.
    try:
        return list(puremagic.magic_string(head))
    except (puremagic.PureError, ValueError):
        return []


def _first(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read(PIECE)


def _last(file: IO[bytes], count: int) -> bytes:
    file.seek(0, 2)
    file.seek(max(file.tell() - count, 0))
    return file.read(count)


def _refuse(words: str) -> NoReturn:
    raise InvalidInput("This file cannot be evidence; nothing was kept.", errors={"file": [words]})


_PLAIN = frozenset({"text/plain"})
_OFFICE_TYPE = "application/vnd.openxmlformats-officedocument."
_ZIPPED = frozenset({"application/zip", "application/x-zip-compressed"})
# By ending: its media type, what else programs declare it as, and how its content is told.
TYPES: dict[str, _Type] = {
    "pdf": _Type("application/pdf", frozenset({"application/x-pdf"}), _look_at_pdf),
    "png": _Type("image/png", frozenset(), _look_at_png),
    "jpg": _Type("image/jpeg", frozenset({"image/jpg", "image/pjpeg"}), _look_at_jpeg),
    "jpeg": _Type("image/jpeg", frozenset({"image/jpg", "image/pjpeg"}), _look_at_jpeg),
    "csv": _Type("text/csv", _PLAIN | {"application/csv", "application/vnd.ms-excel"}, _look_at_text),
    "json": _Type("application/json", _PLAIN | {"text/json"}, _look_at_json),
    "txt": _Type("text/plain", frozenset(), _look_at_text),
    "md": _Type("text/markdown", _PLAIN | {"text/x-markdown"}, _look_at_text),
    "docx": _Type(f"{_OFFICE_TYPE}wordprocessingml.document", _ZIPPED, _look_at_office),
    "xlsx": _Type(f"{_OFFICE_TYPE}spreadsheetml.sheet", _ZIPPED, _look_at_office),
    "pptx": _Type(f"{_OFFICE_TYPE}presentationml.presentation", _ZIPPED, _look_at_office),
    "zip": _Type("application/zip", frozenset({"application/x-zip-compressed"}), _look_at_zip),
}
