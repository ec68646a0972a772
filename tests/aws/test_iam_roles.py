"""Roles people can take, against the sandbox: services' own left out but SageMaker's, inline and managed policies read, refusals named."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from registry.aws import iam_roles
from registry.aws.errors import AwsDenied
from registry.aws.iam_roles import BoundaryRecord, PolicyRecord
from registry.aws.session import AwsSession
from tests.aws.wire import Wire

_BOUNDARY = "arn:aws:iam::222222222222:policy/gone"


def trust(principal: Any) -> str:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def policy(action: str) -> str:
    statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_roles_of_people_are_read_with_all_their_policies(development: AwsSession) -> None:
    name, iam = f"people-{uuid.uuid4().hex[:8]}", development.iam
    made = iam.create_role(
        RoleName=name, Description="Works.", AssumeRolePolicyDocument=trust({"AWS": "arn:aws:iam::222222222222:root"})
    )
    for service in ("sagemaker", "ec2"):
        machine = trust({"Service": f"{service}.amazonaws.com"})
        iam.create_role(RoleName=f"{name}-{service}", AssumeRolePolicyDocument=machine, PermissionsBoundary=_BOUNDARY)
    iam.put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=policy("sagemaker:Search"))
    arn = iam.create_policy(PolicyName=name, PolicyDocument=policy("s3:GetObject"))["Policy"]["Arn"]
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=policy("s3:PutObject"), SetAsDefault=True)
    iam.attach_role_policy(RoleName=name, PolicyArn=arn)
    found = {role.name: role for role in iam_roles.roles_of_people(development).found}
    assert found[name].arn == made["Role"]["Arn"]
    assert found[name].description == "Works."
    assert f"{name}-ec2" not in found
    order = [role.name for role in iam_roles.roles_of_people(development).found]
    assert order.index(name) < order.index(f"{name}-sagemaker"), "people come first"
    managed: dict[str, PolicyRecord] = {}
    inline, attached = iam_roles.policies_of(development, name, managed)
    assert (inline.name, inline.arn, inline.document) == ("inline", "", json.loads(policy("sagemaker:Search")))
    assert (attached.arn, attached.document) == (arn, json.loads(policy("s3:PutObject")))
    assert managed == {arn: attached}

    assert iam_roles.boundary_of(development, name, managed) is None
    bound = iam_roles.boundary_of(development, f"{name}-sagemaker", managed)
    assert (bound.arn, bound.document, "NoSuchEntity" in bound.problem) == (_BOUNDARY, None, True)  # type: ignore[union-attr]  # it has one
    iam.put_role_permissions_boundary(RoleName=name, PermissionsBoundary=arn)
    assert iam_roles.boundary_of(development, name, managed) == BoundaryRecord(arn, attached.document)


def test_who_may_not_list_roles_is_told_so(wire: Wire, session: AwsSession) -> None:
    body = (
        "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code>"
        "<Message>not authorized to perform iam:ListRoles</Message></Error></ErrorResponse>"
    )
    wire.raw("ListRoles", 403, body.encode())
    with pytest.raises(AwsDenied, match="iam:ListRoles"):
        iam_roles.roles_of_people(session)
