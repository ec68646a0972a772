"""RAM: shares changed and permissions of one's own, over the wire."""

from __future__ import annotations

import json
from typing import Any

import pytest

from registry.aws import ram, ram_permissions
from registry.aws.errors import AwsConflict, AwsDenied, AwsInvalid, AwsNotFound
from registry.aws.session import AwsSession
from tests.aws import recorded
from tests.aws.wire import Wire

OWN = "arn:aws:ram:us-east-1:111111111111:permission/portal-readers"
TEMPLATE = json.dumps({"Effect": "Allow", "Action": ["sagemaker:DescribeModelPackage"]})
VERSION = {
    "arn": OWN,
    "name": "portal-readers",
    "version": "2",
    "defaultVersion": False,
    "resourceType": "sagemaker:ModelPackageGroup",
    "isResourceTypeDefault": False,
    "permissionType": "CUSTOMER_MANAGED",
    "featureSet": "STANDARD",
    "status": "ATTACHABLE",
    "creationTime": recorded.CREATED_AT,
    "lastUpdatedTime": recorded.MODIFIED_AT,
}


def member(kind: str, entity: str, status: str, **more: Any) -> dict[str, Any]:
    return {
        "resourceShareArn": recorded.SHARE_ARN,
        "associatedEntity": entity,
        "associationType": kind,
        "status": status,
        "external": False,
        **more,
    }


def test_a_share_is_tagged_and_found_again_by_its_tag(wire: Wire, session: AwsSession) -> None:
    wire.answer("ram", "CreateResourceShare", {"resourceShare": recorded.SHARE})
    wire.answer("ram", "GetResourceShares", {"resourceShares": [], "nextToken": "t"})
    wire.answer("ram", "GetResourceShares", {"resourceShares": [recorded.SHARE]})
    ram.create_share(
        session,
        name="s",
        resource_arns=[],
        principals=[],
        permission_arns=[],
        client_token="c",
        tags={"declared-share": "SHR-0001"},
    )
    assert wire.asked("CreateResourceShare")[0]["tags"] == [{"key": "declared-share", "value": "SHR-0001"}]
    (found,) = ram.list_shares(session, "SELF", tag=("declared-share", "SHR-0001"), share_arns=[recorded.SHARE_ARN])
    assert (found.arn, found.feature_set) == (recorded.SHARE_ARN, "STANDARD")
    assert wire.asked("GetResourceShares")[0] == {
        "resourceOwner": "SELF",
        "maxResults": 100,
        "resourceShareArns": [recorded.SHARE_ARN],
        "tagFilters": [{"tagKey": "declared-share", "tagValues": ["SHR-0001"]}],
    }


def test_a_share_is_changed(wire: Wire, session: AwsSession) -> None:
    wire.answer("ram", "UpdateResourceShare", {"resourceShare": {**recorded.SHARE, "name": "new"}})
    changed = ram.update_share(session, recorded.SHARE_ARN, name="new", allow_external=False, client_token="c")
    assert changed.name == "new"
    assert wire.asked("UpdateResourceShare") == [
        {
            "resourceShareArn": recorded.SHARE_ARN,
            "name": "new",
            "allowExternalPrincipals": False,
            "clientToken": "c",
        }
    ]


@pytest.mark.parametrize(("verb", "operation"), [("associate", "Associate"), ("disassociate", "Disassociate")])
def test_members_come_and_go(wire: Wire, session: AwsSession, verb: str, operation: str) -> None:
    failed = member("PRINCIPAL", "222222222222", "FAILED", statusMessage="No such account", external=True)
    wire.answer("ram", f"{operation}ResourceShare", {"resourceShareAssociations": [failed]})
    (found,) = getattr(ram, verb)(session, recorded.SHARE_ARN, principals=["222222222222"], client_token="c")
    assert (found.entity, found.status, found.status_message, found.external) == (
        "222222222222",
        "FAILED",
        "No such account",
        True,
    )
    wire.answer("ram", f"{operation}ResourceShare", {})
    assert getattr(ram, verb)(session, recorded.SHARE_ARN, resource_arns=[recorded.GROUP_ARN], client_token="d") == []
    assert wire.asked(f"{operation}ResourceShare") == [
        {"resourceShareArn": recorded.SHARE_ARN, "principals": ["222222222222"], "clientToken": "c"},
        {"resourceShareArn": recorded.SHARE_ARN, "resourceArns": [recorded.GROUP_ARN], "clientToken": "d"},
    ]


def test_a_permission_is_made_and_gets_a_version(wire: Wire, session: AwsSession) -> None:
    wire.answer("ram", "CreatePermission", {"permission": {**VERSION, "version": "1", "defaultVersion": True}})
    wire.answer("ram", "CreatePermissionVersion", {"permission": {**VERSION, "permission": TEMPLATE}})
    made = ram_permissions.create_permission(session, name="portal-readers", template=TEMPLATE, client_token="c")
    assert (made.arn, made.version, made.is_default_version) == (OWN, "1", True)
    assert wire.asked("CreatePermission") == [
        {
            "name": "portal-readers",
            "resourceType": "sagemaker:ModelPackageGroup",
            "policyTemplate": TEMPLATE,
            "clientToken": "c",
        }
    ]
    second = ram_permissions.create_permission_version(session, OWN, template=TEMPLATE, client_token="d")
    assert (second.version, second.template, second.actions) == ("2", TEMPLATE, ("sagemaker:DescribeModelPackage",))


def test_versions_are_listed_and_removed(wire: Wire, session: AwsSession) -> None:
    wire.answer("ram", "ListPermissionVersions", {"permissions": [VERSION], "nextToken": "t"})
    wire.answer("ram", "ListPermissionVersions", {"permissions": [{**VERSION, "version": "3"}]})
    wire.answer("ram", "DeletePermissionVersion", {"returnValue": True})
    wire.answer("ram", "DeletePermission", {"returnValue": True})
    found = list(ram_permissions.list_permission_versions(session, OWN))
    assert [one.version for one in found] == ["2", "3"]
    ram_permissions.delete_permission_version(session, OWN, 2, client_token="c")
    ram_permissions.delete_permission(session, OWN, client_token="d")
    # RAM takes these as query parameters.
    assert "permissionVersion=2" in wire.requests[-2].url
    assert "clientToken=d" in wire.requests[-1].url


@pytest.mark.parametrize("version", [None, 3])
def test_the_permission_of_a_share_is_replaced(wire: Wire, session: AwsSession, version: int | None) -> None:
    wire.answer("ram", "AssociateResourceSharePermission", {"returnValue": True})
    ram_permissions.replace_permission(session, recorded.SHARE_ARN, OWN, version=version, client_token="c")
    asked = wire.asked("AssociateResourceSharePermission")[0]
    assert (asked["replace"], asked["permissionArn"], asked.get("permissionVersion")) == (True, OWN, version)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("PermissionAlreadyExistsException", AwsConflict),
        ("PermissionLimitExceededException", AwsConflict),
        ("PermissionVersionsLimitExceededException", AwsConflict),
        ("MalformedPolicyTemplateException", AwsInvalid),
        ("InvalidPolicyException", AwsInvalid),
        ("InvalidClientTokenException", AwsInvalid),
        ("OperationNotPermittedException", AwsDenied),
        ("UnknownResourceException", AwsNotFound),
    ],
)
def test_every_refusal_of_a_permission_is_named(wire: Wire, session: AwsSession, code: str, kind: type) -> None:
    wire.refuse("CreatePermission", code, "no")
    with pytest.raises(kind, match=code):
        ram_permissions.create_permission(session, name="x", template=TEMPLATE, client_token="c")


def test_a_name_ram_would_refuse_is_not_sent(wire: Wire, session: AwsSession) -> None:
    with pytest.raises(AwsInvalid, match="36"):
        ram_permissions.create_permission(session, name="x" * 37, template=TEMPLATE, client_token="c")
    assert wire.requests == []
