"""Roles in the development account: one as its persona is, one that may approve by itself, Studio's within bounds."""

from __future__ import annotations

import json
from typing import Any

from governance.services import readings
from portal.core.actors import Actor
from registry.choices import Persona, SyncKind
from registry.models import AwsAccount
from registry.selectors.personas import persona_policies

from .. import demo_roles

_READER, _ENGINEER, _STUDIO, _BOUNDS = "GovernanceReader", "CreditRiskEngineer", "StudioExecution", "studio-bounds"
_TOO_MUCH = {
    "Version": "2012-10-17",
    "Statement": [
        {"Sid": "Everything", "Effect": "Allow", "Action": "sagemaker:*", "Resource": "*"},
        {"Sid": "Share", "Effect": "Allow", "Action": ["ram:*ResourceShare", "iam:PassRole"], "Resource": "*"},
    ],
}

_WITHIN = {
    "Version": "2012-10-17",
    "Statement": [
        {"Sid": "Work", "Effect": "Allow", "Action": ["sagemaker:*", "s3:*", "logs:*"], "Resource": "*"},
        {
            "Sid": "NoDecisions",
            "Effect": "Deny",
            "Action": ["sagemaker:UpdateModelPackage", "sagemaker:DeleteModelPackage*", "sagemaker:PutModelPackage*"],
            "Resource": "*",
        },
    ],
}


def show(account_id: str) -> None:
    """Make the roles, once, and read them."""
    account = AwsAccount.objects.get(account_id=account_id)
    iam = demo_roles.administrator(account_id).iam
    officer = next(
        one for one in persona_policies(Actor.system("demo"), account) if one.persona is Persona.GOVERNANCE_OFFICER
    )
    people = {"Federated": f"arn:aws:iam::{account_id}:saml-provider/Company"}
    _make(iam, _READER, "Reads the registry for the governance office.", officer.documents[0], people)
    _make(iam, _ENGINEER, "Runs the credit-risk endpoints.", _TOO_MUCH, people)
    studio = {"Service": "sagemaker.amazonaws.com"}
    if _make(iam, _STUDIO, "What notebooks and jobs in Studio run as.", _TOO_MUCH, studio):
        made = iam.create_policy(PolicyName=_BOUNDS, PolicyDocument=json.dumps(_WITHIN))
        iam.put_role_permissions_boundary(RoleName=_STUDIO, PermissionsBoundary=made["Policy"]["Arn"])
    readings.read_account(account_id=account_id, kind=SyncKind.PERSONAS, requested_by="demo")


def _make(iam: Any, name: str, description: str, policy: dict[str, Any], principal: dict[str, str]) -> bool:
    """Make a role with one policy; False where it is there already."""
    action = "sts:AssumeRole" if "Service" in principal else "sts:AssumeRoleWithSAML"
    statement = {"Effect": "Allow", "Principal": principal, "Action": action}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    try:
        iam.create_role(RoleName=name, Description=description, AssumeRolePolicyDocument=trust)
    except iam.exceptions.EntityAlreadyExistsException:
        return False
    iam.put_role_policy(RoleName=name, PolicyName="work", PolicyDocument=json.dumps(policy))
    return True
