"""Keep assumed-role sessions: found by key, with their source identity, across restarts."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

from moto.core.utils import utcnow
from moto.iam.models import iam_backends
from moto.sts.models import AssumedRole, STSBackend

from ..state import journal

_REMEMBERED = timedelta(days=1)  # an expired session is known this long, so that it is refused by name


class SandboxAssumedRole(AssumedRole):
    """A session with a stable principal id: stock moto makes up a new one at every look."""

    source_identity: str | None = None

    @property
    def user_id(self) -> str:
        try:
            role_id = iam_backends[self.account_id][self.partition].get_role_by_arn(arn=self.role_arn).id
        except Exception:  # the role need not exist; moto raises several kinds
            role_id = "AROA" + hashlib.sha256(self.role_arn.encode()).hexdigest()[:17].upper()
        return f"{role_id}:{self.session_name}"

    @property
    def expired(self) -> bool:
        return bool(self.expiration <= utcnow())


class SandboxSTSBackend(STSBackend):
    """STS of one account."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.sessions: dict[str, SandboxAssumedRole] = {}

    def keep(self, session: SandboxAssumedRole) -> None:
        """Make a session and its access key valid."""
        self.sessions[session.access_key_id] = session
        iam_backends[self.account_id][self.partition].access_keys[session.access_key_id] = session.access_key

    def assume_role(self, *, source_identity: str | None = None, **kwargs: Any) -> SandboxAssumedRole:  # type: ignore[override]
        """Open a session in the account the role ARN names. Source: STS AssumeRole."""
        from moto.sts.models import sts_backends

        session = super().assume_role(**kwargs)
        session.__class__ = SandboxAssumedRole
        assert isinstance(session, SandboxAssumedRole)
        session.source_identity = source_identity
        owner = sts_backends[session.account_id][session.partition]
        assert isinstance(owner, SandboxSTSBackend)
        owner.assumed_roles.clear()  # a list that only grows and is searched from its start; `sessions` replaces it
        owner.keep(session)
        journal.touch("sts", session.account_id, session.partition, "session", session.access_key_id)
        owner.forget_old()
        return session

    def forget_old(self) -> None:
        """Drop the sessions that expired more than a day ago."""
        horizon = utcnow() - _REMEMBERED
        for key, session in list(self.sessions.items()):
            if session.expiration >= horizon:
                break  # sessions are kept in the order they were opened
            del self.sessions[key]
            iam_backends[self.account_id][self.partition].access_keys.pop(key, None)
            journal.touch("sts", self.account_id, self.region_name, "session", key)

    def get_assumed_role_from_access_key(self, access_key_id: str) -> SandboxAssumedRole | None:
        return self.sessions.get(access_key_id)
