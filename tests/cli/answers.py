"""Answers of the gate, signed as the portal signs them."""

from __future__ import annotations

import json
import time
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

ARN = "arn:aws:sagemaker:us-east-1:111111111111:model-package/credit-risk/3"
STAGE, ACCOUNT = "production", "444444444444"
QUESTION = ("gate", "--arn", ARN, "--stage", STAGE, "--account", ACCOUNT)
REASONS = [
    {"code": "content_changed", "rule": "content", "detail": "What was approved is not what there is now."},
    {"code": "check_failed", "rule": "metric:auc>=0.75", "detail": "AUC is 0.71, at least 0.75 is needed."},
]


@cache
def key(name: str) -> ec.EllipticCurvePrivateKey:
    """Return the signing key of that name."""
    return ec.generate_private_key(ec.SECP256R1())


def key_set(name: str = "one") -> dict[str, Any]:
    """Return the public half, as the portal shows it."""
    shown = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(key(name).public_key()))
    return {"keys": [{**shown, "kid": "one", "use": "sig", "alg": "ES256"}]}


def answer(decision: str = "allow", *, signed: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """Return an answer; `signed` is what its attestation says instead, `changes` what the answer does."""
    moment = int(time.time())
    said = {
        "decision": decision,
        "reasons": [] if decision == "allow" else REASONS,
        "version": "credit-risk/3",
        "model_version": 17,
        "model_package_arn": ARN,
        "stage": STAGE,
        "account": ACCOUNT,
        "digest": "v1:9c",
        "policy_version": 2,
        "overrides": [],
        "checked_at": "2026-11-21T10:00:00Z",
        "expires_at": "2026-11-21T10:15:00Z",
    }
    claims = {**said, "sub": ARN, "aud": f"{STAGE}@{ACCOUNT}", "iat": moment, "exp": moment + 900}
    token = jwt.encode(claims | (signed or {}), key("one"), "ES256", headers={"kid": "one", "typ": "gate+jwt"})
    return {**said, "attestation": token, **changes}
