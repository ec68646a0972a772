"""What a row of the matrix of the REST API is, and the answers that many of them share."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

COLUMNS = (
    "anonymous",
    "data_scientist",
    "model_owner",
    "ml_engineer",
    "governance_officer",
    "ml_admin",
    "auditor",
    "stranger",
)


@dataclass(frozen=True)
class Row:
    """One route and method with what each role is answered."""

    method: str
    route: str
    statuses: tuple[int, ...]
    on: str = ""
    body: dict[str, Any] | None = None
    headers: dict[str, str] = field(default_factory=dict)


EVERYBODY = (401, 200, 200, 200, 200, 200, 200, 200)
OF_THE_PROJECT = (401, 200, 200, 200, 200, 200, 200, 404)
OPERATORS = (401, 403, 403, 200, 200, 200, 200, 200)
OF_AN_ACCOUNT = (401, 404, 404, 200, 200, 200, 200, 200)
TRAIL = (401, 403, 403, 403, 200, 200, 200, 200)
SHARERS = (401, 403, 403, 200, 403, 200, 403, 404)
SHARING = (401, 403, 403, 202, 403, 202, 403, 404)
CURRENT = {"If-Match": "*"}
# Drafts of policies are read by officers, ML admins and auditors of any project.
DRAFTED = (401, 404, 404, 404, 403, 200, 403, 403)
TODAY = datetime.now(UTC).date().isoformat()
OVERRIDDEN = {
    "stage": "production",
    "reason": "It is late.",
    "expires_at": (datetime.now(UTC) + timedelta(days=3)).isoformat(),
}
