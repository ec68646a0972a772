"""Tell what looks like a secret among a job's hyperparameters, which anybody may read who may describe the job. Pure.

SageMaker warns against secrets there, and people put them there all the same; the portal keeps none of them.
"""

from __future__ import annotations

import re

HIDDEN = "Not kept: it looks like a secret."
# A name that ends so, or is it: db_password, HF_TOKEN; not max_tokens or token_dim.
_NAMES = re.compile(
    r"(?:^|[^a-z0-9])(?:password|passwd|passphrase|pwd|secret|api[^a-z0-9]?key|secret[^a-z0-9]?key|access[^a-z0-9]?key"
    r"|private[^a-z0-9]?key|credentials?|(?:auth|access|bearer|api|hf|hub|session|refresh)[^a-z0-9]?token|token"
    r"|access[^a-z0-9]?key[^a-z0-9]?id|connection[^a-z0-9]?string)$",
    re.IGNORECASE,
)
_VALUES = re.compile(
    r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"
    r"|\bhf_[A-Za-z0-9]{20,}|\bgh[opsur]_[A-Za-z0-9]{30,}|\bsk-[A-Za-z0-9_-]{20,}|\bxox[abpr]-[A-Za-z0-9-]{10,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY"
    r"|\b[a-z][a-z0-9+.-]*://[^/\s:@]+:[^/\s@]+@"
    r"|\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"
)
_HARMLESS = re.compile(r"(?:[+-]?\d{1,9}(?:\.\d{1,9})?|true|false|none|null|yes|no|)", re.IGNORECASE)


def is_secret(name: str, value: str) -> bool:
    """Whether a parameter looks like a secret, by its name or by its value; a small number or a switch is none."""
    text = value.strip().strip("\"'")
    if _HARMLESS.fullmatch(text):
        return False
    return bool(_NAMES.search(name) or _VALUES.search(text))


def shown(name: str, value: str) -> str:
    """Return a value as it may be kept and shown."""
    return HIDDEN if is_secret(name, value) else value
