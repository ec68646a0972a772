"""Two roles of people in the development account: one as its persona is, and one that may approve by itself."""

from __future__ import annotations

import json
from typing import Any

from governance.services import readings
from portal.core.actors import Actor
from registry.choices import Persona, SyncKind
from registry.models import AwsAccount
from registry.selectors.personas import persona_policies

from .. import demo_roles

_READER, _ENGINEER = "GovernanceReader", "CreditRiskEngineer"
_TOO_MUCH = {
    "Version": "2012-10-17",
    "Statement": [
        {"Sid": "Everything", "Effect": "Allow", "Action": "sagemaker:*", "Resource": "*"},
        {"Sid": "Share", "Effect": "Allow", "Action": ["ram:*ResourceShare", "iam:PassRole"], "Resource": "*"},
    ],
}


def show(account_id: str) -> None:
    """Make the roles, once, and read them."""
    account = AwsAccount.objects.get(account_id=account_id)
    iam = demo_roles.administrator(account_id).iam
    officer = next(
        one for one in persona_policies(Actor.system("demo"), account) if one.persona is Persona.GOVERNANCE_OFFICER
    )
    _make(iam, account_id, _READER, "Reads the registry for the governance office.", officer.documents[0])
    _make(iam, account_id, _ENGINEER, "Runs the credit-risk endpoints.", _TOO_MUCH)
    readings.read_account(account_id=account_id, kind=SyncKind.PERSONAS, requested_by="demo")


def _make(iam: Any, account_id: str, name: str, description: str, policy: dict[str, Any]) -> None:
    principal = {"Federated": f"arn:aws:iam::{account_id}:saml-provider/Company"}
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRoleWithSAML"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    try:
        iam.create_role(RoleName=name, Description=description, AssumeRolePolicyDocument=trust)
    except iam.exceptions.EntityAlreadyExistsException:
        return
    iam.put_role_policy(RoleName=name, PolicyName="work", PolicyDocument=json.dumps(policy))
