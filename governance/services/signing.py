"""What the portal says under its own name: compact JWS (RFC 7515) signed with a key that can be rotated and revoked.

One key is active and signs. Rotating retires it: what it signed stays verifiable. Revoking takes that back, for a key
somebody else may have had.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)
from django.utils import timezone

from portal.core import sealing
from portal.core.actors import Actor
from portal.core.errors import InvalidInput, NotFound, WrongState
from portal.core.locks import hold_until_commit
from portal.core.operations import operation
from portal.core.permissions import Act, require

from ..choices import SigningAlgorithm, SigningKeyState
from ..models import SigningKey

PURPOSE = "signing keys"
LONGEST_TOKEN = 100_000
_LOCK = "signing keys"
_KID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_PrivateKey = EllipticCurvePrivateKey | Ed25519PrivateKey


class BadSignature(InvalidInput):
    """A token that this portal did not sign, or does not stand by any more."""

    code = "bad-signature"
    title = "The signature does not hold"


class RevokedKey(BadSignature):
    """A token whose key was revoked: it may be this portal's, but nobody can tell from the signature."""


def sign(claims: Mapping[str, Any], *, typ: str, key: SigningKey | None = None) -> str:
    """Return the claims as a compact JWS under the active key; `typ` goes into the header and keeps uses apart.

    The claims are JSON values, times as seconds since 1970. `key` is the active one where the caller has just read it.
    The very first key is made here. Raises sealing.Unreadable when the active key was encrypted with a secret this
    process does not have.
    """
    key = key or active_key()
    return jwt.encode(
        dict(claims),
        _private(key.private_key, sealing.secrets()),
        algorithm=key.algorithm,
        headers={"kid": key.kid, "typ": typ},
    )


def verify(token: str, *, typ: str, at: datetime | None = None) -> dict[str, Any]:
    """Return the claims of a token that this portal signed for this use.

    The algorithm is the key's own, whatever the token says of itself. A token with `exp` must not have expired at
    the moment `at`, by default now. Raises BadSignature saying which of these does not hold.
    """
    header = _header(token)
    if header.get("typ") != typ:
        raise BadSignature(f"This is not a token of type {typ}.")
    kid = header.get("kid")
    key = _found(kid)
    if key is None:
        raise BadSignature("It names a key that this portal never had.")
    if key.state == SigningKeyState.REVOKED:
        raise RevokedKey(f"Its key {key.kid} was revoked: {key.revocation_reason}")
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            jwt.PyJWK(key.jwk),
            algorithms=[key.algorithm],
            options={"verify_exp": False, "verify_nbf": False, "verify_iat": False, "verify_aud": False},
        )
    except jwt.PyJWTError as error:
        raise BadSignature(f"The signature does not hold: {error}.") from error
    expiry = claims.get("exp")
    moment = at or timezone.now()
    if expiry is not None and (not isinstance(expiry, int | float) or expiry <= moment.timestamp()):
        raise BadSignature("It has expired.")
    return claims


def jwks() -> dict[str, list[dict[str, str]]]:
    """Return the public keys that verify what the portal signs and signed (RFC 7517): the active one first.

    Whoever keeps them before anything was signed can verify the first of it: the very first key is made here too.
    """
    active_key()
    rows = SigningKey.objects.exclude(state=SigningKeyState.REVOKED).defer("private_key").order_by("-pk")
    return {"keys": [key.jwk for key in sorted(rows, key=lambda key: key.state != SigningKeyState.ACTIVE)]}


def active_key() -> SigningKey:
    """Return the key that signs; the portal's first one is made when it is first asked for."""
    found = SigningKey.objects.filter(state=SigningKeyState.ACTIVE).first()
    if found is not None:
        return found
    with operation(Actor.system("signing"), "make the first signing key"):
        hold_until_commit(_LOCK)
        # Somebody may have made it while this waited for the lock.
        return SigningKey.objects.filter(state=SigningKeyState.ACTIVE).first() or _make(SigningAlgorithm.ES256)


def rotate(*, actor: Actor, algorithm: SigningAlgorithm = SigningAlgorithm.ES256, reason: str = "") -> SigningKey:
    """Retire the active key and sign with a new one from now on. Raises Forbidden."""
    with operation(actor, reason.strip() or "rotate the signing key"):
        require(actor, Act.MANAGE_KEYS)
        hold_until_commit(_LOCK)
        SigningKey.objects.filter(state=SigningKeyState.ACTIVE).update(
            state=SigningKeyState.RETIRED, retired_at=timezone.now(), private_key=""
        )
        return _make(algorithm)


def revoke(*, actor: Actor, kid: str, reason: str) -> SigningKey:
    """Take a key out of the key set for good: nothing it signed verifies any more. The active one gets a successor.

    Raises Forbidden, NotFound, InvalidInput without a reason, WrongState for one that is revoked already.
    """
    reason = reason.strip()
    if not reason:
        raise InvalidInput("Say why it is revoked.", errors={"reason": ["A revocation needs its reason."]})
    with operation(actor, reason):
        require(actor, Act.MANAGE_KEYS)
        hold_until_commit(_LOCK)
        key = _found(kid)
        if key is None:
            raise NotFound("There is no such signing key.")
        if key.state == SigningKeyState.REVOKED:
            raise WrongState("It is revoked already.")
        was_active = key.state == SigningKeyState.ACTIVE
        key.state, key.revoked_at, key.revocation_reason = SigningKeyState.REVOKED, timezone.now(), reason
        key.private_key = ""
        key.save(update_fields=["state", "revoked_at", "revocation_reason", "private_key"])
        if was_active:
            _make(SigningAlgorithm(key.algorithm))
        return key


def encrypt_anew(*, actor: Actor) -> bool:
    """Encrypt the active key with the newest secret, so an older one may be taken away; False when there is no key.

    Raises Forbidden, sealing.Unreadable when no configured secret opens it.
    """
    with operation(actor, "encrypt the signing key anew"):
        require(actor, Act.MANAGE_KEYS)
        hold_until_commit(_LOCK)
        key = SigningKey.objects.filter(state=SigningKeyState.ACTIVE).first()
        if key is None:
            return False
        key.private_key = sealing.seal(sealing.unseal(key.private_key, purpose=PURPOSE), purpose=PURPOSE)
        key.save(update_fields=["private_key"])
        return True


def thumbprint(jwk: Mapping[str, str]) -> str:
    """Return the SHA-256 thumbprint of a public key (RFC 7638): its required members, sorted, hashed."""
    members = {name: jwk[name] for name in ("crv", "kty", "x", "y") if name in jwk}
    canonical = json.dumps(members, sort_keys=True, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(sha256(canonical).digest()).rstrip(b"=").decode()


def _found(kid: object) -> SigningKey | None:
    is_name = isinstance(kid, str) and _KID.fullmatch(kid) is not None
    return SigningKey.objects.filter(kid=kid).first() if is_name else None


def _make(algorithm: SigningAlgorithm) -> SigningKey:
    private: _PrivateKey = (
        Ed25519PrivateKey.generate() if algorithm is SigningAlgorithm.EDDSA else generate_private_key(SECP256R1())
    )
    encoded = private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    public = _public_jwk(private)
    return SigningKey.objects.create(
        kid=thumbprint(public),
        algorithm=algorithm,
        public_jwk=public,
        private_key=sealing.seal(encoded, purpose=PURPOSE),
    )


def _public_jwk(private: _PrivateKey) -> dict[str, str]:
    if isinstance(private, Ed25519PrivateKey):
        full = jwt.algorithms.OKPAlgorithm.to_jwk(private.public_key(), as_dict=True)
    else:
        full = jwt.algorithms.ECAlgorithm.to_jwk(private.public_key(), as_dict=True)
    return {name: str(full[name]) for name in ("kty", "crv", "x", "y") if name in full}


@lru_cache(maxsize=4)
def _private(sealed: str, _secrets: tuple[str, ...]) -> _PrivateKey:
    """Open a private key; kept in this process, since opening costs more than signing."""
    key = load_der_private_key(sealing.unseal(sealed, purpose=PURPOSE), password=None)
    assert isinstance(key, EllipticCurvePrivateKey | Ed25519PrivateKey)
    return key


def _header(token: str) -> dict[str, Any]:
    if len(token) > LONGEST_TOKEN:
        raise BadSignature("It is too long to be one of this portal's tokens.")
    try:
        return jwt.get_unverified_header(token)
    except (jwt.PyJWTError, ValueError) as error:
        raise BadSignature("It is not a signed token: three parts of base64url text, joined by dots.") from error
