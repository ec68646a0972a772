"""Ask AWS who the portal is in an account."""

from __future__ import annotations

from dataclasses import dataclass

from registry.aws.errors import translated
from registry.aws.session import AwsSession


@dataclass(frozen=True, slots=True)
class CallerIdentity:
    """Hold the account, the ARN and the unique id of the identity a session works as."""

    account_id: str
    arn: str
    user_id: str


def caller_identity(session: AwsSession) -> CallerIdentity:
    """Return who the session is; needs no permission, so it proves that the role can be assumed.

    Raises AwsDenied when it cannot, AwsUnavailable when AWS cannot be reached. Source: sts GetCallerIdentity.
    """
    with translated(session, "sts", "GetCallerIdentity"):
        answer = session.sts.get_caller_identity()
    return CallerIdentity(answer["Account"], answer["Arn"], answer["UserId"])
