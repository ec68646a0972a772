"""Verify a deployment order that the portal sent as a webhook (Standard Webhooks), with the standard library alone."""

import base64
import hashlib
import hmac
import json
import time


def verify(secret: str, headers: dict[str, str], body: bytes, tolerance_seconds: int = 300) -> dict:
    """Return the order; raise ValueError when it was not signed with the secret, or is too old or too new."""
    message_id, timestamp = headers["webhook-id"], headers["webhook-timestamp"]
    if abs(time.time() - int(timestamp)) > tolerance_seconds:
        raise ValueError("the order was sent too long ago, or its clock or yours is wrong")
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{message_id}.{timestamp}.".encode() + body
    expected = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    # While the secret is being rotated there are two signatures; one that holds is enough.
    if not any(
        hmac.compare_digest(expected.encode(), given.encode()) for given in headers["webhook-signature"].split()
    ):
        raise ValueError("the signature does not hold")
    return json.loads(body)
