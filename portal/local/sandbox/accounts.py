"""Name the accounts of the sandbox organisation.

An account needs no setting up: assuming any role of it (``arn:aws:iam::ACCOUNT:role/NAME``) gives credentials for it.
"""

from __future__ import annotations

from typing import Final

HUB: Final = "111111111111"
DEVELOPMENT: Final = "222222222222"
TEST: Final = "333333333333"
PRODUCTION: Final = "444444444444"

ALIASES: Final[dict[str, str]] = {
    HUB: "hub",
    DEVELOPMENT: "development",
    TEST: "test",
    PRODUCTION: "production",
}

REGION: Final = "us-east-1"
