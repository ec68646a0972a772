"""Secrets at rest: encrypted with keys that come from the environment and are never in the database.

Fernet (AES-128-CBC with HMAC-SHA256) under a key derived by HKDF-SHA256 (RFC 5869) from each configured secret and
the purpose, so what is sealed for one purpose opens for no other. The first secret seals, every one opens: that is
how they are changed without losing anything.
"""

from __future__ import annotations

import base64

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from .errors import Unavailable


class Unreadable(Unavailable):
    """Something was sealed with a secret that this process does not have."""

    code = "sealed-with-another-secret"
    title = "A stored secret cannot be read"


def secrets() -> tuple[str, ...]:
    """Return the secrets, newest first: PORTAL_KEY_ENCRYPTION_KEYS, or without any the portal's secret key."""
    return tuple(settings.PORTAL_KEY_ENCRYPTION_KEYS) or (settings.SECRET_KEY,)


def seal(plain: bytes, *, purpose: str) -> str:
    """Encrypt some bytes for a purpose with the newest secret; returns ASCII text."""
    return _box(purpose).encrypt(plain).decode("ascii")


def unseal(sealed: str, *, purpose: str) -> bytes:
    """Decrypt what `seal` returned for the same purpose. Raises Unreadable when no configured secret opens it."""
    try:
        return _box(purpose).decrypt(sealed.encode("ascii"))
    except (InvalidToken, UnicodeEncodeError):
        raise Unreadable(
            "A stored secret was encrypted with a key that this process does not have. Put the former key, or the"
            " former PORTAL_SECRET_KEY, behind the present one in PORTAL_KEY_ENCRYPTION_KEYS and restart."
        ) from None


def _box(purpose: str) -> MultiFernet:
    return MultiFernet([Fernet(_derived(secret, purpose)) for secret in secrets()])


def _derived(secret: str, purpose: str) -> bytes:
    derive = HKDF(algorithm=SHA256(), length=32, salt=None, info=f"model-governance:{purpose}".encode())
    return base64.urlsafe_b64encode(derive.derive(secret.encode()))
