"""Permissions of an account's own, resource policies seen in RAM, organisations, and associations that take time."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.local.sandbox.world import DEFAULT, Aws, fresh_account, refused, unique

READ = ["sagemaker:DescribeModelPackage", "sagemaker:ListModelPackages", "sagemaker:DescribeModelPackageGroup"]
TYPE = "sagemaker:ModelPackageGroup"


def template(*actions: str) -> str:
    return json.dumps({"Effect": "Allow", "Action": list(actions)})


def create(aws: Aws, owner: str, *actions: str, **more: Any) -> str:
    made = aws.client("ram", owner).create_permission(
        name=unique("own"), resourceType=TYPE, policyTemplate=template(*actions), **more
    )
    return str(made["permission"]["arn"])


def shared(aws: Aws, owner: str, group: str, *principals: str, **more: Any) -> str:
    made = aws.client("ram", owner).create_resource_share(
        name=unique("share"), resourceArns=[group], principals=list(principals), **more
    )
    return str(made["resourceShare"]["resourceShareArn"])


def seen_by(aws: Aws, account: str) -> list[str]:
    found = aws.client("sagemaker", account).list_model_package_groups(CrossAccountFilterOption="CrossAccount")
    return [g["ModelPackageGroupArn"] for g in found["ModelPackageGroupSummaryList"]]


@pytest.fixture
def settings(aws: Aws) -> Iterator[None]:
    yield
    normal = {"association_seconds": 0, "index_lag_seconds": 0, "invitation_seconds": 43200}
    requests.post(f"{aws.url}/sandbox/settings", json=normal, timeout=5)


# ---- permissions ------------------------------------------------------------------------------------------------


def test_a_permission_of_ones_own_grants_what_it_names(aws: Aws) -> None:
    owner, consumer = fresh_account(), fresh_account()
    arn = create(aws, owner, *READ, "sagemaker:UpdateModelPackage")
    group = aws.group(owner)
    version = aws.version(group, owner)
    share = shared(aws, owner, group, consumer, permissionArns=[arn])
    aws.accept(aws.invitation(share, consumer), consumer)
    ram = aws.client("ram", consumer)
    detail = ram.get_permission(permissionArn=arn)["permission"]
    assert "sagemaker:UpdateModelPackage" in json.loads(detail["permission"])["Action"]
    assert (detail["permissionType"], detail["version"]) == ("CUSTOMER_MANAGED", "1")
    aws.client("sagemaker", consumer).describe_model_package(ModelPackageName=version)
    with refused("UnknownResourceException"):
        aws.client("ram", fresh_account()).get_permission(permissionArn=arn)
    for kind, expected in (("CUSTOMER_MANAGED", [arn]), ("AWS_MANAGED", 3), ("ALL", 4)):
        found = aws.client("ram", owner).list_permissions(permissionType=kind, resourceType=TYPE)["permissions"]
        assert [p["arn"] for p in found] == expected if isinstance(expected, list) else len(found) == expected


def test_versions_of_a_permission(aws: Aws) -> None:
    owner, ram = fresh_account(), None
    ram = aws.client("ram", owner)
    arn = create(aws, owner, *READ)
    share = shared(aws, owner, aws.group(owner), fresh_account(), permissionArns=[arn])
    second = ram.create_permission_version(permissionArn=arn, policyTemplate=template(READ[0]))["permission"]
    assert (second["version"], second["defaultVersion"]) == ("2", True)
    (held,) = ram.list_resource_share_permissions(resourceShareArn=share)["permissions"]
    assert (held["version"], held["defaultVersion"]) == ("1", False)  # a share keeps the version it was given
    listed = ram.list_permission_versions(permissionArn=arn)["permissions"]
    assert [(v["version"], v["defaultVersion"]) for v in listed] == [("1", False), ("2", True)]
    assert json.loads(ram.get_permission(permissionArn=arn, permissionVersion=1)["permission"]["permission"])
    for number in (1, 2):  # used by a share; the default one
        with refused("OperationNotPermittedException"):
            ram.delete_permission_version(permissionArn=arn, permissionVersion=number)
    ram.associate_resource_share_permission(resourceShareArn=share, permissionArn=arn, replace=True)
    (held,) = ram.list_permission_associations(permissionArn=arn)["permissions"]
    assert (held["permissionVersion"], held["resourceShareArn"]) == ("2", share)
    assert ram.list_permission_associations(permissionArn=arn, permissionVersion=1)["permissions"] == []
    ram.delete_permission_version(permissionArn=arn, permissionVersion=1)
    with refused("OperationNotPermittedException"):
        ram.delete_permission(permissionArn=arn)
    ram.associate_resource_share_permission(resourceShareArn=share, permissionArn=DEFAULT, replace=True)
    ram.delete_permission(permissionArn=arn)
    with refused("UnknownResourceException"):
        ram.get_permission(permissionArn=arn)


def test_a_permission_that_is_none_is_refused(aws: Aws) -> None:
    owner = fresh_account()
    ram, name = aws.client("ram", owner), unique("own")
    good = {"name": name, "resourceType": TYPE, "policyTemplate": template(*READ), "clientToken": "one"}
    first = ram.create_permission(**good)["permission"]["arn"]
    assert ram.create_permission(**good)["permission"]["arn"] == first
    whole = {"Effect": "Allow", "Action": READ}
    for code, change in (
        ("PermissionAlreadyExistsException", {"clientToken": "two"}),
        ("InvalidParameterException", {"name": "a b"}),
        ("InvalidParameterException", {"name": "another", "resourceType": "ec2:Subnet"}),
        ("MalformedPolicyTemplateException", {"name": "another", "policyTemplate": "not json"}),
        (
            "MalformedPolicyTemplateException",
            {"name": "another", "policyTemplate": json.dumps({**whole, "Resource": "*"})},
        ),
        (
            "MalformedPolicyTemplateException",
            {"name": "another", "policyTemplate": json.dumps({**whole, "Principal": "*"})},
        ),
        ("InvalidPolicyException", {"name": "another", "policyTemplate": template("s3:GetObject")}),
    ):
        with refused(code):
            ram.create_permission(**{**good, **change})
    for _ in range(4):
        ram.create_permission_version(permissionArn=first, policyTemplate=template(*READ))
    with refused("PermissionVersionsLimitExceededException"):
        ram.create_permission_version(permissionArn=first, policyTemplate=template(*READ))
    with refused("OperationNotPermittedException"):
        ram.delete_permission(permissionArn=DEFAULT)
    with refused("UnknownResourceException"):
        aws.client("ram", fresh_account()).create_resource_share(name="x", permissionArns=[first])


# ---- policies ---------------------------------------------------------------------------------------------------


def test_a_resource_policy_is_a_share_only_its_owner_sees(aws: Aws) -> None:
    owner, consumer = fresh_account(), fresh_account()
    group, ram, sagemaker = aws.group(owner), aws.client("ram", owner), aws.client("sagemaker", owner)
    name = group.rsplit("/", 1)[1]
    statement = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{consumer}:root"}, "Resource": group}

    def put(*actions: str) -> None:
        document = json.dumps({"Version": "2012-10-17", "Statement": [{**statement, "Action": list(actions)}]})
        sagemaker.put_model_package_group_policy(ModelPackageGroupName=name, ResourcePolicy=document)

    put("sagemaker:DescribeModelPackageGroup")
    put(*READ)
    (share,) = ram.get_resource_shares(resourceOwner="SELF")["resourceShares"]
    assert (share["featureSet"], share["status"]) == ("CREATED_FROM_POLICY", "ACTIVE")
    arn = share["resourceShareArn"]
    principals = ram.get_resource_share_associations(associationType="PRINCIPAL", resourceShareArns=[arn])
    assert [a["associatedEntity"] for a in principals["resourceShareAssociations"]] == [consumer]
    (permission,) = ram.list_resource_share_permissions(resourceShareArn=arn)["permissions"]
    assert permission["featureSet"] == "CREATED_FROM_POLICY"
    template = ram.get_permission(permissionArn=permission["arn"])["permission"]["permission"]
    assert set(json.loads(template)["Action"]) == set(READ)
    assert aws.client("ram", consumer).get_resource_shares(resourceOwner="OTHER-ACCOUNTS")["resourceShares"] == []
    assert aws.client("ram", consumer).list_resources(resourceOwner="OTHER-ACCOUNTS")["resources"] == []
    assert seen_by(aws, consumer) == []
    aws.client("sagemaker", consumer).describe_model_package_group(ModelPackageGroupName=group)
    with refused("OperationNotPermittedException"):
        ram.delete_resource_share(resourceShareArn=arn)
    sagemaker.delete_model_package_group_policy(ModelPackageGroupName=name)
    (share,) = ram.get_resource_shares(resourceOwner="SELF")["resourceShares"]
    assert share["status"] == "DELETED"
    with refused("AccessDeniedException"):
        aws.client("sagemaker", consumer).describe_model_package_group(ModelPackageGroupName=group)


# ---- organisations ----------------------------------------------------------------------------------------------


def organization(aws: Aws, management: str, accounts: dict[str, str | None]) -> dict[str, Any]:
    wanted = {"management": management, "accounts": accounts}
    answer = requests.post(f"{aws.url}/sandbox/organization", json=wanted, timeout=10)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_an_organisation_needs_no_invitation(aws: Aws) -> None:
    management, owner, spoke, other, outsider = (fresh_account() for _ in range(5))
    made = organization(aws, management, {owner: None, spoke: "workloads", other: None})
    group, ram = aws.group(owner), aws.client("ram", owner)
    with refused("OperationNotPermittedException"):  # not before sharing is enabled
        shared(aws, owner, group, made["arn"])
    with refused("OperationNotPermittedException"):
        ram.enable_sharing_with_aws_organization()
    aws.client("ram", management).enable_sharing_with_aws_organization()
    share = shared(aws, owner, group, made["units"]["workloads"], allowExternalPrincipals=False)
    assert [seen_by(aws, a) for a in (spoke, other, outsider)] == [[group], [], []]
    (association,) = ram.get_resource_share_associations(associationType="PRINCIPAL", resourceShareArns=[share])[
        "resourceShareAssociations"
    ]
    assert (association["status"], association["external"]) == ("ASSOCIATED", False)
    (principal,) = aws.client("ram", spoke).list_principals(resourceOwner="OTHER-ACCOUNTS")["principals"]
    assert (principal["id"], principal["external"]) == (owner, False)
    ram.associate_resource_share(resourceShareArn=share, principals=[other])
    assert aws.client("ram", other).get_resource_share_invitations()["resourceShareInvitations"] == []
    assert seen_by(aws, other) == [group]
    with refused("OperationNotPermittedException"):
        ram.associate_resource_share(resourceShareArn=share, principals=[outsider])
    with refused("UnknownResourceException"):
        ram.associate_resource_share(resourceShareArn=share, principals=[made["arn"][:-4] + "0000"])
    ram.update_resource_share(resourceShareArn=share, allowExternalPrincipals=True, name="wider")
    ram.associate_resource_share(resourceShareArn=share, principals=[outsider])
    assert aws.client("ram", outsider).get_resource_share_invitations()["resourceShareInvitations"]
    aws.client("organizations", management).remove_account_from_organization(AccountId=other)
    assert [seen_by(aws, a) for a in (spoke, other)] == [[group], []]
    whole = shared(aws, owner, group, made["arn"])
    ram.delete_resource_share(resourceShareArn=share)
    assert [seen_by(aws, a) for a in (spoke, management, other)] == [[group], [group], []]
    ram.disassociate_resource_share(resourceShareArn=whole, principals=[made["arn"]])
    assert seen_by(aws, spoke) == []


@pytest.mark.parametrize(
    "wrong",
    [[], {}, {"management": "1", "accounts": {}}, {"management": "111111111111", "accounts": {"1": None}}, "{"],
)
def test_an_organisation_of_nobody_is_refused(aws: Aws, wrong: object) -> None:
    answer = requests.post(f"{aws.url}/sandbox/organization", data=json.dumps(wrong)[:40], timeout=5)
    assert (answer.status_code, bool(answer.json()["error"])) == (400, True)


# ---- time -------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("settings")
def test_associations_take_the_time_they_are_told(aws: Aws) -> None:
    # An hour is never over while the test looks, however slow the machine; a moment always is after a sleep as long.
    hour, moment = 3600, 0.2
    owner = fresh_account()
    group, ram = aws.group(owner), aws.client("ram", owner)

    def statuses(share: str) -> list[str]:
        found = [
            ram.get_resource_share_associations(associationType=kind, resourceShareArns=[share])
            for kind in ("RESOURCE", "PRINCIPAL")
        ]
        return [f["resourceShareAssociations"][0]["status"] for f in found]

    def offered(seconds: float) -> tuple[str, str]:
        requests.post(f"{aws.url}/sandbox/settings", json={"association_seconds": seconds}, timeout=5)
        consumer = fresh_account()
        return consumer, shared(aws, owner, group, consumer)

    slow_consumer, slow = offered(hour)
    aws.accept(aws.invitation(slow, slow_consumer), slow_consumer)
    quick_consumer, quick = offered(moment)
    time.sleep(moment)
    assert statuses(quick) == ["ASSOCIATED", "ASSOCIATING"]  # its consumer has not accepted
    aws.accept(aws.invitation(quick, quick_consumer), quick_consumer)
    time.sleep(moment)
    assert (statuses(quick), seen_by(aws, quick_consumer)) == (["ASSOCIATED", "ASSOCIATED"], [group])
    assert (statuses(slow), seen_by(aws, slow_consumer)) == (["ASSOCIATING", "ASSOCIATING"], [])


@pytest.mark.parametrize(
    "wrong", [[], {"association_second": 1}, {"index_lag_seconds": -1}, {"index_lag_seconds": "x"}]
)
def test_settings_that_are_none_are_refused(aws: Aws, wrong: object) -> None:
    answer = requests.post(f"{aws.url}/sandbox/settings", json=wrong, timeout=5)
    assert answer.status_code == 400
    assert requests.get(f"{aws.url}/sandbox/settings", timeout=5).json()["index_lag_seconds"] == 0
