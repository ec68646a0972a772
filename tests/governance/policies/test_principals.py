"""Who an AWS principal is to the portal, and what is proof that one person acted."""

from __future__ import annotations

import pytest

from governance.policies.principals import Linked, Principal, identify
from registry.aws.arns import is_session_of

ACCOUNT = "222222222222"
USER = f"arn:aws:iam::{ACCOUNT}:user/grace"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/Officer"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/Officer/grace"
SSO = f"arn:aws:sts::{ACCOUNT}:assumed-role/AWSReservedSSO_Officer_0123456789abcdef/grace"
PROFILE = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:user-profile/d-abc/grace"
PORTAL = f"arn:aws:iam::{ACCOUNT}:role/service/ModelGovernancePortal"
OWN = f"arn:aws:sts::{ACCOUNT}:assumed-role/ModelGovernancePortal/model-governance-portal"
GRACE, ADA = Linked(1, "Grace"), Linked(2, "Ada")


@pytest.mark.parametrize(
    ("principal", "links"),
    [
        (Principal(USER), {USER: GRACE}),
        (Principal(SSO), {SSO: GRACE}),
        (Principal(SESSION, "grace"), {SESSION: GRACE}),
        (Principal(SESSION, "grace"), {SESSION: GRACE, ROLE: ADA}),
        (Principal(f"arn:aws:sts::{ACCOUNT}:assumed-role/Studio/SageMaker", "", PROFILE), {PROFILE: GRACE}),
        (Principal("", "", PROFILE), {PROFILE: GRACE}),
    ],
    ids=["an IAM user", "a session of Identity Center", "a session AWS vouches for", "its own link before its role's",
         "a Studio profile", "a Studio profile alone"],
)  # fmt: skip
def test_it_is_proof_of_the_person(principal: Principal, links: dict[str, Linked]) -> None:
    who = identify(principal, links, PORTAL)
    assert (who.person, who.doubt, who.is_portal) == (GRACE, "", False)
    assert "Grace" in who.words


@pytest.mark.parametrize(
    ("principal", "links", "doubt"),
    [
        (Principal(SESSION, "grace"), {ROLE: GRACE}, "everybody who may assume it shares it"),
        (Principal(SESSION), {SESSION: GRACE}, "chooses the name of his session"),
        (Principal(SESSION, "mallory"), {SESSION: GRACE}, "the source identity mallory"),
        (Principal(ROLE), {ROLE: GRACE}, "no principal that only one person can act as"),
        (Principal(f"arn:aws:iam::{ACCOUNT}:root"), {f"arn:aws:iam::{ACCOUNT}:root": GRACE}, "no principal that only"),
        (Principal(SSO, "", PROFILE), {SSO: GRACE, PROFILE: ADA}, "different people"),
    ],
    ids=["a shared role", "a name anybody may choose", "another source identity", "a role itself", "root",
         "two people at once"],
)  # fmt: skip
def test_a_link_that_is_no_proof_says_why(principal: Principal, links: dict[str, Linked], doubt: str) -> None:
    assert doubt in identify(principal, links, PORTAL).doubt


def test_who_is_not_linked_is_named_as_such() -> None:
    who = identify(Principal(SESSION, "grace"), {}, PORTAL)
    assert who.person is None
    assert who.words == f"{SESSION}, whom nobody has linked to a person"
    assert who.doubt == f"Nobody has linked {SESSION} to a person."
    assert identify(Principal(), {}, PORTAL).doubt == "AWS does not say who it was."


def test_the_portal_is_known_by_its_role_whatever_its_path_or_else_by_its_source_identity() -> None:
    assert identify(Principal(OWN), {OWN: GRACE}, PORTAL).is_portal
    assert is_session_of(PORTAL, PORTAL)
    assert not is_session_of(OWN.replace(ACCOUNT, "333333333333"), PORTAL)
    assert not is_session_of(OWN.replace("Portal/", "Portals/"), PORTAL)
    keys = Principal(f"arn:aws:sts::{ACCOUNT}:assumed-role/Host/x", "model-governance-portal")
    assert identify(keys, {}, "", "model-governance-portal").is_portal
    assert not identify(keys, {}, PORTAL, "model-governance-portal").is_portal
    assert identify(Principal(OWN), {}, PORTAL).doubt
