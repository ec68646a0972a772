"""Who an AWS principal is to the portal, and whether what it did proves that this person did it. Pure.

A link says that a principal acts for a person. That is enough to bar him from deciding on his own work, and not enough
to take what the principal did for his decision: whoever assumes a role chooses the name of its session, and everybody
who may assume it shares the role. docs/threat-model.md says what is taken for proof.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from registry.aws.arns import is_portal, role_of_session

_SESSION = re.compile(r"arn:aws[a-z-]*:sts::\d{12}:assumed-role/(?P<role>[^/]+)/(?P<name>[^/]+)")
_IAM_USER = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:user/.+")
_STUDIO_PROFILE = re.compile(r"arn:aws[a-z-]*:sagemaker:[a-z0-9-]+:\d{12}:user-profile/.+")
# The roles of IAM Identity Center: it alone opens their sessions, and names them by who signed in.
_IDENTITY_CENTER = "AWSReservedSSO_"


@dataclass(frozen=True)
class Principal:
    """Who did something in AWS, as UserContext says: the ARN, what AssumeRole fixed, the Studio profile's ARN."""

    arn: str = ""
    source_identity: str = ""
    user_profile: str = ""


@dataclass(frozen=True)
class Linked:
    """A person an ARN is linked to."""

    user_id: int
    name: str


@dataclass(frozen=True)
class Who:
    """Who a principal is: in plain words, the person it is linked to if any, and why that proves nothing about him.

    `doubt` is "" only for a person it is proof of. `is_portal` is the portal's own role in that account.
    """

    words: str
    person: Linked | None = None
    doubt: str = ""
    is_portal: bool = False


def identify(principal: Principal, links: Mapping[str, Linked], portal_role: str = "", portal_session: str = "") -> Who:
    """Say who a principal is, by the links of ARNs to people.

    `portal_role` is the role the portal itself uses in that account; without one it is known by the source identity
    `portal_session`.
    """
    if not principal.arn and not principal.user_profile:
        return Who("somebody AWS does not name", doubt="AWS does not say who it was.")
    if is_portal(principal.arn, principal.source_identity, role=portal_role, session_name=portal_session):
        return Who(
            f"the portal's own role ({principal.arn})",
            doubt="It was done in the portal's own role, which is nobody's decision.",
            is_portal=True,
        )
    by_profile, by_arn = links.get(principal.user_profile), links.get(principal.arn)
    by_role = links.get(role_of_session(principal.arn)) if principal.arn else None
    person = by_profile or by_arn or by_role
    shown = principal.arn or principal.user_profile
    if person is None:
        return Who(f"{shown}, whom nobody has linked to a person", doubt=f"Nobody has linked {shown} to a person.")
    if len({one.user_id for one in (by_profile, by_arn) if one is not None}) > 1:
        return Who(
            f"{shown}, linked to different people", doubt=f"{shown} and its Studio profile are different people's."
        )
    doubt = _doubt(principal, by_profile=by_profile is not None, by_arn=by_arn is not None)
    how = "linked" if not doubt else "linked, without proof"
    return Who(f"{person.name} ({shown}, {how})", person, doubt)


def _doubt(principal: Principal, *, by_profile: bool, by_arn: bool) -> str:
    """Say why a linked principal is no proof of its person, "" when it is."""
    if by_profile and _STUDIO_PROFILE.fullmatch(principal.user_profile):
        return ""
    if by_arn and _IAM_USER.fullmatch(principal.arn):
        return ""
    session = _SESSION.fullmatch(principal.arn)
    if session is None:
        return f"{principal.arn or principal.user_profile} is no principal that only one person can act as."
    if not by_arn:
        return f"The role {session['role']} is linked, and everybody who may assume it shares it."
    if session["role"].startswith(_IDENTITY_CENTER):
        return ""
    if not principal.source_identity:
        return (
            f"Whoever assumes the role {session['role']} chooses the name of his session, and AWS recorded no source"
            " identity that would prove it."
        )
    if principal.source_identity != session["name"]:
        return f"The session {session['name']} was opened with the source identity {principal.source_identity}."
    return ""
