"""What a caller would rather have, as RFC 7240 lets him say it: a server that does as he prefers says so."""

from __future__ import annotations

import re

RESPOND_ASYNC = "respond-async"
APPLIED = "Preference-Applied"
# A preference ends at a comma that lies in no quoted value.
_PARTS = re.compile(r'(?:[^,"]|"(?:\\.|[^"\\])*")+')


def prefers(header: str, preference: str) -> bool:
    """Whether a `Prefer` header names a preference that takes no value, parameters of it aside.

    What cannot be read is no preference: RFC 7240 has it ignored, never refused.
    """
    return any(_name(part) == preference for part in _PARTS.findall(header))


def _name(part: str) -> str:
    name, _, value = part.split(";", 1)[0].partition("=")
    return name.strip().lower() if value.strip() in ("", '""') else ""
