"""Tell who sends a request, from the access key it was signed with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from moto.sts.models import sts_backends


@dataclass(frozen=True)
class Caller:
    """The identity behind a request, as SageMaker records it in a UserContext."""

    account: str
    arn: str
    principal_id: str
    source_identity: str | None = None

    @property
    def user_context(self) -> dict[str, Any]:
        """SageMaker UserContext: ``{"IamIdentity": {"Arn", "PrincipalId", "SourceIdentity"?}}``."""
        identity = {"Arn": self.arn, "PrincipalId": self.principal_id}
        if self.source_identity:
            identity["SourceIdentity"] = self.source_identity
        return {"IamIdentity": identity}


def caller_of(access_key: str, account: str, region: str) -> Caller:
    """Look the caller up: an assumed-role session, an IAM user, or moto's stand-in for unknown keys."""
    backend = sts_backends[account]["aws"]
    principal_id, arn, owner = backend.get_caller_identity(access_key, region)
    session = backend.get_assumed_role_from_access_key(access_key)
    return Caller(owner, arn, principal_id, getattr(session, "source_identity", None))
