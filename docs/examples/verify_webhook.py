"""Take an event the portal sent to a webhook (Standard Webhooks): verify it, and know it again when it comes twice."""

import base64
import hashlib
import hmac
import json
import time


def verify(secret: str, headers: dict[str, str], body: bytes, tolerance_seconds: int = 300) -> dict:
    """Return the event; raise ValueError when it was not signed with the secret, or is too old or too new."""
    message_id, timestamp = headers["webhook-id"], headers["webhook-timestamp"]
    if abs(time.time() - int(timestamp)) > tolerance_seconds:
        raise ValueError("the event was sent too long ago, or its clock or yours is wrong")
    key = base64.b64decode(secret.removeprefix("whsec_"))
    # The bytes as they came: what is parsed and written again is signed differently.
    signed = f"{message_id}.{timestamp}.".encode() + body
    expected = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    # While the secret is being rotated there are two signatures; one that holds is enough.
    signatures = headers["webhook-signature"].split()
    if not any(hmac.compare_digest(expected.encode(), given.encode()) for given in signatures):
        raise ValueError("the signature does not hold")
    return json.loads(body)


def is_new(message_id: str, seen: set[str]) -> bool:
    """Whether a message has not been taken yet: the same one may come again, under the same `webhook-id`."""
    if message_id in seen:
        return False
    seen.add(message_id)
    return True
