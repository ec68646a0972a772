"""What the persona policies and the guard let people do, judged as IAM judges them."""

from __future__ import annotations

from typing import Any

import pytest

from governance.services.write_back import AWS_APPROVAL, AWS_STAGE, AWS_STAGE_STATUS
from registry.aws.personas import APPROVAL, OPEN_STAGES, OPEN_STATUSES, STAGE, STAGE_STATUS
from tests.deploy.cloud import Worked, is_allowed, template

VERSION = "arn:aws:sagemaker:eu-central-1:111111111111:model-package/credit-risk/7"
GROUP = "arn:aws:sagemaker:eu-central-1:111111111111:model-package-group/Credit-Risk"
ENDPOINT = "arn:aws:sagemaker:eu-central-1:111111111111:endpoint/credit"
PORTAL = "arn:aws:iam::111111111111:role/ModelGovernancePortal"
ADMIN = "arn:aws:iam::111111111111:role/Administrator"
UPDATE, CREATE = "sagemaker:UpdateModelPackage", "sagemaker:CreateModelPackage"
PEOPLE = ("DataScientist", "MlEngineer", "GovernanceOfficer")
EVERYTHING = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


def policy(persona: str, **given: str) -> dict[str, Any]:
    worked = Worked("personas.yaml", **{"ExecutionRoles": "model-*", **given})
    document: dict[str, Any] = worked.properties(persona)["PolicyDocument"]
    return document


def may(persona: str, action: str, resource: str, **context: str) -> bool:
    return is_allowed([policy(persona)], action, resource, _keys(context))


def under_the_guard(who: str, action: str, **context: str) -> bool:
    """Whether an administrator's policy still lets him, under the service control policy."""
    guard = Worked("registry-guard.yaml", TargetIds="ou-abcd-12345678").properties("Guard")["Content"]
    asked = {**_keys(context), "aws:PrincipalArn": who}
    return is_allowed([EVERYTHING, guard], action, VERSION, asked)


def _keys(context: dict[str, str]) -> dict[str, str]:
    return {{"approval": APPROVAL, "stage": STAGE, "status": STAGE_STATUS}[name]: v for name, v in context.items()}


@pytest.mark.parametrize(
    ("context", "allowed"),
    [
        ({}, True),
        ({"stage": "Development"}, True),
        ({"stage": "Development", "status": "PendingApproval"}, True),
        ({"stage": "Development", "status": "InProgress"}, True),
        ({"approval": "PendingManualApproval"}, True),
        ({"stage": "Production", "status": "PendingApproval"}, False),
        ({"stage": "development"}, False),
        ({"stage": "Production"}, False),
        ({"stage": "QA"}, False),
        ({"stage": "PreProduction"}, False),
        ({"stage": "Archived"}, False),
        ({"stage": "Development", "status": "Approved"}, False),
        ({"stage": "Development", "status": "Rejected"}, False),
        ({"stage": "Development", "status": "Retired"}, False),
        ({"approval": "Approved"}, False),
        ({"approval": "Rejected"}, False),
        ({"approval": "PendingManualApproval", "stage": "Development", "status": "Approved"}, False),
    ],
)
@pytest.mark.parametrize("action", [CREATE, UPDATE])
def test_what_a_data_scientist_may_say_of_a_version(action: str, context: dict[str, str], allowed: bool) -> None:
    assert may("DataScientist", action, VERSION, **context) is allowed
    # The guard says the same of an administrator, and nothing of the kind of the portal.
    assert under_the_guard(ADMIN, action, **context) is allowed
    assert under_the_guard(PORTAL, action, **context)


@pytest.mark.parametrize("persona", PEOPLE)
def test_nobody_but_the_portal_approves_or_promotes(persona: str) -> None:
    for status in set(AWS_APPROVAL.values()) - {"PendingManualApproval"}:
        assert not may(persona, UPDATE, VERSION, approval=status)
        assert not may(persona, CREATE, VERSION, approval=status)
    for stage in set(AWS_STAGE.values()) - set(OPEN_STAGES):
        assert not may(persona, UPDATE, VERSION, stage=stage)
    for status in set(AWS_STAGE_STATUS.values()) - set(OPEN_STATUSES):
        assert not may(persona, UPDATE, VERSION, status=status, stage="Development")
    for action in ("DeleteModelPackage", "PutModelPackageGroupPolicy", "DeleteModelPackageGroup"):
        assert not may(persona, f"sagemaker:{action}", GROUP)
        assert not may(persona, f"sagemaker:{action}", VERSION)


@pytest.mark.parametrize("persona", PEOPLE)
def test_everybody_reads_the_registry(persona: str) -> None:
    assert may(persona, "sagemaker:DescribeModelPackage", VERSION)
    assert may(persona, "sagemaker:Search", "*")


def test_engineers_operate_endpoints_and_touch_no_version() -> None:
    assert may("MlEngineer", "sagemaker:CreateEndpoint", ENDPOINT)
    assert may("MlEngineer", "sagemaker:UpdateEndpoint", ENDPOINT)
    assert not may("MlEngineer", UPDATE, VERSION, stage="Development")
    assert not may("GovernanceOfficer", UPDATE, VERSION)
    assert not may("GovernanceOfficer", "sagemaker:CreateEndpoint", ENDPOINT)
    assert not may("DataScientist", "sagemaker:CreateEndpoint", ENDPOINT)


def test_engineers_hand_on_no_role_but_those_models_run_as() -> None:
    assert "Default" not in template("personas.yaml")["Parameters"]["ExecutionRoles"]
    engineer = [policy("MlEngineer")]
    to_sagemaker = {"iam:PassedToService": "sagemaker.amazonaws.com"}
    assert is_allowed(engineer, "iam:PassRole", "arn:aws:iam::111111111111:role/model-run", to_sagemaker)
    assert not is_allowed(engineer, "iam:PassRole", ADMIN, to_sagemaker)
    elsewhere = {"iam:PassedToService": "ec2.amazonaws.com"}
    assert not is_allowed(engineer, "iam:PassRole", "arn:aws:iam::111111111111:role/model-run", elsewhere)


def test_a_scientist_of_some_groups_writes_to_no_other() -> None:
    scientist = [policy("DataScientist", ModelPackageGroups="Credit-*", ModelPackages="credit-*")]
    assert is_allowed(scientist, CREATE, GROUP)
    assert is_allowed(scientist, UPDATE, VERSION)
    assert not is_allowed(scientist, UPDATE, VERSION.replace("credit-risk", "fraud"))
    assert not is_allowed(scientist, CREATE, GROUP.replace("Credit-Risk", "Fraud"))


def test_the_guard_leaves_versions_to_the_portal() -> None:
    assert not under_the_guard(ADMIN, "sagemaker:DeleteModelPackage")
    assert under_the_guard(PORTAL, "sagemaker:PutModelPackageGroupPolicy")
    assert under_the_guard(ADMIN, "sagemaker:CreateEndpoint")
    # A role of that name anywhere in the organisation is the portal's; one beside it is not.
    assert not under_the_guard(f"{PORTAL}2", UPDATE, approval="Approved")
