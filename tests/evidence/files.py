"""Files as people and attackers send them, made of bytes."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

from django.core.files.uploadedfile import SimpleUploadedFile

PDF = b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\nstartxref\n9\n%%EOF\n"
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00\xff\xd9"
EXE = b"MZ\x90\x00\x03\x00\x00\x00\x04\x00\x00\x00\xff\xff\x00\x00" + b"\x00" * 64
HTML = b"<!DOCTYPE html><html><script>alert(1)</script></html>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'
CSV = "group;auc\nüber 60;0,81\n".encode()


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


PNG = (
    b"\x89PNG\r\n\x1a\n"
    + _chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    + _chunk(b"IDAT", zlib.compress(b"\x00\x00"))
    + _chunk(b"IEND", b"")
)


def zipped(files: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return an archive of these files."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content, compression)
    return made.getvalue()


def office(main: str, **more: bytes) -> bytes:
    """Return an Office document whose main part has this name."""
    return zipped({"[Content_Types].xml": b"<Types/>", main: b"<document/>", **more})


DOCX = office("word/document.xml")
XLSX = office("xl/workbook.xml")
PPTX = office("ppt/presentation.xml")
ZIP = zipped({"report/metrics.csv": CSV})
NULL_NAMED = zipped({"report.txt_evil.exe": b"MZ"}).replace(b"report.txt_evil.exe", b"report.txt\x00evil.exe")
EMPTY_ZIP = zipped({})


def bomb() -> bytes:
    """Return an archive of 600 KB that says, truly, that it holds 600 MB of zeros."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("zeros.bin", "w") as entry:
        for _ in range(600):
            entry.write(bytes(1024 * 1024))
    return made.getvalue()


def locked() -> bytes:
    """Return an archive whose entry is marked as encrypted."""
    made = bytearray(zipped({"secret.txt": b"nobody reads this"}))
    central = made.index(b"PK\x01\x02")
    made[6] |= 1
    made[central + 8] |= 1
    return bytes(made)


def upload(name: str, content: bytes, declared: str = "application/octet-stream") -> SimpleUploadedFile:
    """Return a file as a form brings it."""
    return SimpleUploadedFile(name, content, content_type=declared)
