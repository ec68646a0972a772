"""The gate's signed answer, checked against a key set: a JWS of type gate+jwt (docs/gate.md, The attestation)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from .failures import Failure

# Clocks of build machines are a little off; what was signed a minute from now is taken, what has expired is not.
LEEWAY = 60


def verify(answer: dict[str, Any], key_set: Any) -> None:
    """Check that an answer of the gate is what its attestation says, signed by a key of the set, and in force.

    Raises Failure when it is not, and when PyJWT with cryptography is not installed: not checked is not verified.
    """
    try:
        import cryptography  # noqa: F401, PLC0415 - PyJWT needs it for these signatures
        import jwt  # noqa: PLC0415 - installed on wish
    except ImportError as error:
        raise Failure(
            "The attestation was not checked",
            "That needs PyJWT and cryptography: python -m pip install 'pyjwt[crypto]'.",
        ) from error
    audience = f"{answer['stage']}@{answer['account']}"
    rules: Any = {"require": ["iat", "exp", "sub", "aud"], "verify_iat": False}
    try:
        header = jwt.get_unverified_header(answer["attestation"])
        # The key says how it signs, never the token.
        key = jwt.PyJWKSet.from_dict(key_set)[header["kid"]]
        claims = jwt.decode(
            answer["attestation"],
            key,
            [key.algorithm_name],
            rules,
            audience=audience,
            subject=answer["model_package_arn"],
        )
    except (jwt.PyJWTError, LookupError, ValueError, TypeError, AttributeError) as error:
        raise Failure("The attestation is not genuine", f"{error}") from error
    if header.get("typ") != "gate+jwt" or claims["iat"] > datetime.now(UTC).timestamp() + LEEWAY:
        raise Failure("The attestation is not genuine", "It is no answer of the gate of now.")
    said = {name: value for name, value in answer.items() if name != "attestation"}
    if said != {name: claims.get(name) for name in said}:
        raise Failure("The attestation is not genuine", "It says something else than the answer it came with.")
