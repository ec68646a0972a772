"""Answer AssumeRole with what AWS checks and returns."""

from __future__ import annotations

import re

from moto.core.responses import ActionResult
from moto.sts.exceptions import STSValidationError
from moto.sts.responses import TokenResponse

from ..caller import caller_of
from .models import SandboxSTSBackend
from .trust import check_trust

_SESSION_NAME = re.compile(r"[\w+=,.@-]{2,64}")
_ROLE_ARN = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+")


class SandboxTokenResponse(TokenResponse):
    """STS over HTTP."""

    def assume_role(self) -> ActionResult:
        """Check RoleArn, RoleSessionName, SourceIdentity and DurationSeconds, then open the session."""
        backend = self.backend
        assert isinstance(backend, SandboxSTSBackend)
        role_arn = self._get_param("RoleArn") or ""
        name = self._get_param("RoleSessionName") or ""
        duration = self._get_int_param("DurationSeconds", 3600)
        source_identity = self._get_param("SourceIdentity")
        for value, pattern, field in (
            (role_arn, _ROLE_ARN, "roleArn"),
            (name, _SESSION_NAME, "roleSessionName"),
            (source_identity, _SESSION_NAME, "sourceIdentity"),
        ):
            if value is not None and not pattern.fullmatch(value):
                raise STSValidationError(
                    f"1 validation error detected: Value '{value}' at '{field}' failed to satisfy constraint: "
                    f"Member must satisfy regular expression pattern: {pattern.pattern}"
                )
        if not 900 <= duration <= 43200:
            raise STSValidationError(f"DurationSeconds {duration} is not between 900 and 43200")
        calling = backend.get_assumed_role_from_access_key(self.access_key)
        if calling is not None and calling.source_identity:
            # A source identity, once set, follows the session through role chaining and cannot be changed.
            source_identity = calling.source_identity
        check_trust(
            caller_of(self.access_key, self.current_account, self.region),
            role_arn,
            {
                "sts:ExternalId": self._get_param("ExternalId"),
                "sts:SourceIdentity": source_identity,
                "sts:RoleSessionName": name,
            },
        )
        session = backend.assume_role(
            region_name=self.region,
            role_session_name=name,
            role_arn=role_arn,
            policy=self._get_param("Policy"),
            duration=duration,
            external_id=self._get_param("ExternalId"),
            source_identity=source_identity,
        )
        result = {
            "Credentials": session,
            "AssumedRoleUser": {"AssumedRoleId": session.user_id, "Arn": session.arn},
            "PackedPolicySize": 6,
        }
        if source_identity:
            result["SourceIdentity"] = source_identity
        return ActionResult(result)
