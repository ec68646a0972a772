"""RAM: shares, invitations and permissions over the wire."""

from __future__ import annotations

import json

import pytest

from registry.aws import ram
from registry.aws.errors import AwsConflict, AwsInvalid, AwsNotFound
from registry.aws.session import AwsSession
from tests.aws import recorded
from tests.aws.wire import Wire

INVITATION = recorded.INVITATION_ARN
SUMMARY = {
    "arn": ram.PERMISSION_REGISTER,
    "name": "AWSRAMPermissionSageMakerModelPackageGroupAllowRegister",
    "version": "1",
    "defaultVersion": True,
    "resourceType": "sagemaker:ModelPackageGroup",
    "isResourceTypeDefault": False,
    "permissionType": "AWS_MANAGED",
    "status": "ATTACHABLE",
}


def test_share_is_made(wire: Wire, session: AwsSession) -> None:
    wire.answer("ram", "CreateResourceShare", {"resourceShare": {**recorded.SHARE, "status": "PENDING"}})
    share = ram.create_share(
        session,
        name="credit-risk",
        resource_arns=[recorded.GROUP_ARN],
        principals=["222222222222"],
        permission_arns=[ram.PERMISSION_REGISTER],
        client_token="share-1",
    )
    assert wire.asked("CreateResourceShare") == [
        {
            "name": "credit-risk",
            "resourceArns": [recorded.GROUP_ARN],
            "principals": ["222222222222"],
            "permissionArns": [ram.PERMISSION_REGISTER],
            "allowExternalPrincipals": True,
            "clientToken": "share-1",
        }
    ]
    assert (share.arn, share.status, share.owning_account_id) == (recorded.SHARE_ARN, "PENDING", "111111111111")
    assert share.created_at == recorded.CREATED_AT


def test_a_share_of_what_does_not_exist_is_named(wire: Wire, session: AwsSession) -> None:
    wire.refuse("CreateResourceShare", "UnknownResourceException", "Resource not found")
    with pytest.raises(AwsNotFound):
        ram.create_share(
            session, name="x", resource_arns=["arn:x"], principals=[], permission_arns=[], client_token="t"
        )


def test_associations_are_listed_for_the_shares_named(wire: Wire, session: AwsSession) -> None:
    association = {
        "resourceShareArn": recorded.SHARE_ARN,
        "resourceShareName": "credit-risk",
        "associatedEntity": "222222222222",
        "associationType": "PRINCIPAL",
        "status": "ASSOCIATED",
        "external": True,
    }
    wire.answer("ram", "GetResourceShareAssociations", {"resourceShareAssociations": [], "nextToken": "t"})
    wire.answer("ram", "GetResourceShareAssociations", {"resourceShareAssociations": [association]})
    (found,) = ram.list_share_associations(session, association_type="PRINCIPAL", share_arns=[recorded.SHARE_ARN])
    assert (found.entity, found.kind, found.status, found.external) == (
        "222222222222",
        "PRINCIPAL",
        "ASSOCIATED",
        True,
    )
    assert wire.asked("GetResourceShareAssociations")[0] == {
        "associationType": "PRINCIPAL",
        "resourceShareArns": [recorded.SHARE_ARN],
        "maxResults": 100,
    }


def test_invitation_is_accepted(wire: Wire, session: AwsSession) -> None:
    answer = {"resourceShareInvitation": {**recorded.INVITATION, "status": "ACCEPTED"}}
    wire.answer("ram", "AcceptResourceShareInvitation", answer)
    assert ram.accept_invitation(session, INVITATION, client_token="accept-1").status == "ACCEPTED"
    assert wire.asked("AcceptResourceShareInvitation") == [
        {"resourceShareInvitationArn": INVITATION, "clientToken": "accept-1"}
    ]


def test_an_invitation_accepted_before_is_a_success(wire: Wire, session: AwsSession) -> None:
    wire.refuse("AcceptResourceShareInvitation", "ResourceShareInvitationAlreadyAcceptedException", "accepted")
    accepted = {**recorded.INVITATION, "status": "ACCEPTED"}
    wire.answer("ram", "GetResourceShareInvitations", {"resourceShareInvitations": [], "nextToken": "t"})
    wire.answer("ram", "GetResourceShareInvitations", {"resourceShareInvitations": [accepted]})
    invitation = ram.accept_invitation(session, INVITATION)
    assert (invitation.arn, invitation.status) == (INVITATION, "ACCEPTED")
    assert wire.asked("GetResourceShareInvitations")[0]["resourceShareInvitationArns"] == [INVITATION]


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("ResourceShareInvitationExpiredException", AwsConflict),
        ("ResourceShareInvitationAlreadyRejectedException", AwsConflict),
        ("ResourceShareInvitationArnNotFoundException", AwsNotFound),
        ("MalformedArnException", AwsInvalid),
    ],
)
def test_an_invitation_that_cannot_be_accepted_is_named(
    wire: Wire, session: AwsSession, code: str, kind: type[Exception]
) -> None:
    wire.refuse("AcceptResourceShareInvitation", code, "no")
    with pytest.raises(kind, match=code):
        ram.accept_invitation(session, INVITATION)


def test_permissions_are_listed_without_a_paginator_of_botocore(wire: Wire, session: AwsSession) -> None:
    wire.answer("ram", "ListPermissions", {"permissions": [], "nextToken": "t"})
    wire.answer("ram", "ListPermissions", {"permissions": [SUMMARY]})
    (permission,) = ram.list_permissions(session)
    assert (permission.arn, permission.version, permission.actions) == (ram.PERMISSION_REGISTER, "1", ())
    assert wire.asked("ListPermissions")[1] == {
        "resourceType": "sagemaker:ModelPackageGroup",
        "permissionType": "ALL",
        "maxResults": 100,
        "nextToken": "t",
    }


def test_permissions_of_a_share(wire: Wire, session: AwsSession) -> None:
    wire.answer("ram", "ListResourceSharePermissions", {"permissions": [SUMMARY]})
    (permission,) = ram.list_share_permissions(session, recorded.SHARE_ARN)
    assert permission.name.endswith("AllowRegister")


@pytest.mark.parametrize("version", [None, 2])
def test_permission_with_its_actions(wire: Wire, session: AwsSession, version: int | None) -> None:
    policy = {"Effect": "Allow", "Action": ["sagemaker:CreateModelPackage", "sagemaker:AddTags"]}
    wire.answer("ram", "GetPermission", {"permission": {**SUMMARY, "permission": json.dumps(policy)}})
    permission = ram.get_permission(session, ram.PERMISSION_REGISTER, version=version)
    assert permission.actions == ("sagemaker:AddTags", "sagemaker:CreateModelPackage")
    assert wire.asked("GetPermission")[0].get("permissionVersion") == version


def test_share_is_deleted(wire: Wire, session: AwsSession) -> None:
    wire.answer("ram", "DeleteResourceShare", {"returnValue": True})
    ram.delete_share(session, recorded.SHARE_ARN, client_token="delete-1")
    # RAM takes both as query parameters.
    assert "resourceShareArn=" in wire.requests[0].url
    assert "clientToken=delete-1" in wire.requests[0].url
