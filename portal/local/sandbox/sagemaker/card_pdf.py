"""Print a model card as a PDF of one page, as far as the sandbox needs one: a file every reader opens."""

from __future__ import annotations

from typing import Any

_LINES = 60
_WIDTH = 95


def pdf_of(name: str, version: dict[str, Any]) -> bytes:
    """The PDF of one version of a card: its name, version and status, and its content as text."""
    said = [f"Model card {name}, version {version['ModelCardVersion']} ({version['ModelCardStatus']})", ""]
    text = version["Content"]
    said += [text[at : at + _WIDTH] for at in range(0, min(len(text), _WIDTH * _LINES), _WIDTH)]
    shown = "".join(f"({_escaped(line)}) Tj T* " for line in said)
    stream = f"BT /F1 9 Tf 11 TL 40 800 Td {shown}ET".encode("latin-1", "replace")
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<</Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources <</Font <</F1 5 0 R>>>>>>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    whole, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(whole))
        whole += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    end = b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, len(whole))
    return whole + b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + table + end


def _escaped(line: str) -> str:
    return line.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)").replace("\n", " ")
