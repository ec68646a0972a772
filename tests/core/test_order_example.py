"""The receiver's code in the documents: it takes what the portal signs, and nothing else."""

from __future__ import annotations

import ast
import runpy
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from portal.core import webhooks

FILE = Path(__file__).resolve().parents[2] / "docs" / "examples" / "verify_order.py"
SECRET = webhooks.new_secret()
BODY = webhooks.encoded({"type": "deployment.ordered", "data": {"orderId": "o-1", "stage": "qa", "name": "Größe"}})


@pytest.fixture(scope="module")
def verify() -> Callable[..., dict[str, Any]]:
    found: Callable[..., dict[str, Any]] = runpy.run_path(str(FILE))["verify"]
    return found


def headers(*secrets: str, at: float | None = None, body: bytes = BODY) -> dict[str, str]:
    stamp = int(time.time() if at is None else at)
    return {
        "webhook-id": "o-1",
        "webhook-timestamp": str(stamp),
        "webhook-signature": " ".join(webhooks.sign(secret, "o-1", stamp, body) for secret in secrets or (SECRET,)),
    }


def test_it_takes_what_the_portal_signs(verify: Callable[..., dict[str, Any]]) -> None:
    assert verify(SECRET, headers(), BODY)["data"]["orderId"] == "o-1"
    assert verify(SECRET, headers(webhooks.new_secret(), SECRET), BODY), "while the secret is being rotated"


@pytest.mark.parametrize(
    ("changed", "body"),
    [
        ({}, BODY.replace(b"qa", b"production")),
        ({}, BODY + b" "),
        ({}, b""),
        ({"webhook-id": "o-2"}, BODY),
        ({"webhook-timestamp": str(int(time.time()) + 5)}, BODY),
        ({"webhook-timestamp": str(int(time.time()) - 301)}, BODY),
        ({"webhook-signature": ""}, BODY),
        ({"webhook-signature": "v1,"}, BODY),
        ({"webhook-signature": "v1,é"}, BODY),
    ],
)
def test_it_refuses_what_was_tampered_with(
    verify: Callable[..., dict[str, Any]], changed: dict[str, str], body: bytes
) -> None:
    with pytest.raises(ValueError, match=r"signature|too long ago"):
        verify(SECRET, {**headers(), **changed}, body)


def test_it_refuses_other_secrets_and_other_days(verify: Callable[..., dict[str, Any]]) -> None:
    with pytest.raises(ValueError, match="signature"):
        verify(SECRET, headers(webhooks.new_secret()), BODY)
    for moment in (time.time() - 400, time.time() + 400):
        with pytest.raises(ValueError, match="too long ago"):
            verify(SECRET, headers(at=moment), BODY)


def test_it_is_short() -> None:
    (function,) = [node for node in ast.parse(FILE.read_text()).body if isinstance(node, ast.FunctionDef)]
    assert (function.end_lineno or 0) - function.lineno + 1 <= 15
