"""What a thing looked like to whoever read it, in a few characters: for edits of what counts no revisions."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from .errors import StaleEdit

LENGTH = 16


def mark(*values: Any) -> str:
    """Return 16 characters (hex) that change with the values: texts, numbers, lists, objects, moments."""
    written = json.dumps(values, sort_keys=True, default=str)
    return hashlib.sha256(written.encode()).hexdigest()[:LENGTH]


def refuse_unless_read(now: str, read: str | None, noun: str) -> None:
    """Raise StaleEdit when an edit was made on another state than this one; None is an edit that does not say."""
    if read is not None and read != now:
        raise StaleEdit(f"Somebody changed this {noun} since you read it. Read it again and repeat your edit.")
