"""Shares and invitations: offered, accepted, refused, expired, withdrawn; and what the owner and consumer see."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from tests.local.sandbox.world import (
    ALLOW_DEPLOY,
    ALLOW_REGISTER,
    DEFAULT,
    DEVELOPMENT,
    HUB,
    TEST,
    Aws,
    fresh_account,
    refused,
    running,
    unique,
)


def status_of(aws: Aws, share: str, kind: str = "PRINCIPAL") -> str:
    found = aws.client("ram").get_resource_share_associations(associationType=kind, resourceShareArns=[share])
    (association,) = found["resourceShareAssociations"]
    return str(association["status"])


def seen_by(aws: Aws, account: str) -> list[str]:
    """The ARNs of the groups an account is shown as shared with it."""
    found = aws.client("sagemaker", account).list_model_package_groups(CrossAccountFilterOption="CrossAccount")
    return [g["ModelPackageGroupArn"] for g in found["ModelPackageGroupSummaryList"]]


def invitations(aws: Aws, account: str, **asked: Any) -> list[dict[str, Any]]:
    found = aws.client("ram", account).get_resource_share_invitations(**asked)
    return list(found["resourceShareInvitations"])


def test_a_group_is_seen_only_after_the_share_is_accepted(aws: Aws) -> None:
    account, group = fresh_account(), aws.group()
    own = aws.group(account)
    assert seen_by(aws, account) == []
    share, invitation = aws.offer(group, account)
    assert seen_by(aws, account) == []
    assert status_of(aws, share) == "ASSOCIATING"
    accepted = aws.accept(invitation, account)
    assert accepted["status"] == "ACCEPTED"
    assert seen_by(aws, account) == [group]
    assert status_of(aws, share) == "ASSOCIATED"
    mine = aws.client("sagemaker", account).list_model_package_groups(CrossAccountFilterOption="SameAccount")
    assert [g["ModelPackageGroupArn"] for g in mine["ModelPackageGroupSummaryList"]] == [own]
    assert seen_by(aws, HUB) == []


def test_an_invitation_tells_who_offers_what(aws: Aws) -> None:
    account, group = fresh_account(), aws.group()
    share, invitation = aws.offer(group, account, ALLOW_REGISTER)
    (found,) = invitations(aws, account)
    assert found["resourceShareInvitationArn"] == invitation
    assert found["resourceShareArn"] == share
    assert (found["senderAccountId"], found["receiverAccountId"], found["status"]) == (HUB, account, "PENDING")
    assert invitations(aws, account, resourceShareInvitationArns=[invitation]) == [found]
    pending = aws.client("ram", account).list_pending_invitation_resources(resourceShareInvitationArn=invitation)
    assert [(r["arn"], r["type"]) for r in pending["resources"]] == [(group, "sagemaker:ModelPackageGroup")]


def test_an_invitation_is_answered_once(aws: Aws) -> None:
    account = fresh_account()
    ram = aws.client("ram", account)
    _, accepted = aws.offer(aws.group(), account)
    aws.accept(accepted, account)
    with refused("ResourceShareInvitationAlreadyAcceptedException"):
        aws.accept(accepted, account)
    with refused("ResourceShareInvitationAlreadyAcceptedException"):
        ram.reject_resource_share_invitation(resourceShareInvitationArn=accepted)
    share, declined = aws.offer(aws.group(), account)
    answer = ram.reject_resource_share_invitation(resourceShareInvitationArn=declined)
    assert answer["resourceShareInvitation"]["status"] == "REJECTED"
    with refused("ResourceShareInvitationAlreadyRejectedException"):
        aws.accept(declined, account)
    with refused("ResourceShareInvitationAlreadyRejectedException"):
        ram.list_pending_invitation_resources(resourceShareInvitationArn=declined)
    assert status_of(aws, share) == "DISASSOCIATED"
    assert len(seen_by(aws, account)) == 1


def test_an_invitation_is_for_its_receiver_alone(aws: Aws) -> None:
    account = fresh_account()
    _, invitation = aws.offer(aws.group(), account)
    for other in (HUB, fresh_account()):
        with refused("ResourceShareInvitationArnNotFoundException"):
            aws.accept(invitation, other)


def test_an_invitation_expires_and_can_be_sent_again(tmp_path: Path) -> None:
    with running(tmp_path, "--invitation-seconds", "1") as aws:
        group = aws.group()
        share, invitation = aws.offer(group)
        time.sleep(1.1)
        assert [i["status"] for i in invitations(aws, DEVELOPMENT)] == ["EXPIRED"]
        with refused("ResourceShareInvitationExpiredException"):
            aws.accept(invitation)
        assert status_of(aws, share) == "DISASSOCIATED"
        assert seen_by(aws, DEVELOPMENT) == []
        aws.client("ram").associate_resource_share(resourceShareArn=share, principals=[DEVELOPMENT])
        again = aws.invitation(share)
        assert again != invitation
        aws.accept(again)
        assert seen_by(aws, DEVELOPMENT) == [group]
        time.sleep(1.1)
        assert seen_by(aws, DEVELOPMENT) == [group]


def test_what_is_withdrawn_is_gone_at_once(aws: Aws) -> None:
    account, ram = fresh_account(), aws.client("ram")
    first, second = aws.group(), aws.group()
    share = aws.share(first, account)
    ram.associate_resource_share(resourceShareArn=share, resourceArns=[second])
    assert set(seen_by(aws, account)) == {first, second}
    ram.disassociate_resource_share(resourceShareArn=share, resourceArns=[first])
    assert seen_by(aws, account) == [second]
    ram.disassociate_resource_share(resourceShareArn=share, principals=[account])
    assert seen_by(aws, account) == []
    ram.associate_resource_share(resourceShareArn=share, principals=[account])
    assert seen_by(aws, account) == []
    aws.accept(aws.invitation(share, account), account)
    assert seen_by(aws, account) == [second]
    ram.delete_resource_share(resourceShareArn=share)
    assert seen_by(aws, account) == []
    deleted = ram.get_resource_shares(resourceOwner="SELF", resourceShareArns=[share])["resourceShares"]
    assert [s["status"] for s in deleted] == ["DELETED"]
    with refused("UnknownResourceException"):
        ram.associate_resource_share(resourceShareArn=share, resourceArns=[first])


def test_a_withdrawn_offer_cannot_be_accepted(aws: Aws) -> None:
    account = fresh_account()
    share, invitation = aws.offer(aws.group(), account)
    aws.client("ram").disassociate_resource_share(resourceShareArn=share, principals=[account])
    with refused("ResourceShareInvitationArnNotFoundException"):
        aws.accept(invitation, account)


def test_a_consumer_can_leave_and_nothing_more(aws: Aws) -> None:
    account, group = fresh_account(), aws.group()
    share = aws.share(group, account)
    ram = aws.client("ram", account)
    with refused("OperationNotPermittedException"):
        ram.disassociate_resource_share(resourceShareArn=share, resourceArns=[group])
    with refused("UnknownResourceException"):
        ram.delete_resource_share(resourceShareArn=share)
    ram.disassociate_resource_share(resourceShareArn=share, principals=[account])
    assert seen_by(aws, account) == []


def test_a_deleted_group_leaves_its_shares(aws: Aws) -> None:
    account, group = fresh_account(), aws.group()
    share = aws.share(group, account)
    aws.client("sagemaker").delete_model_package_group(ModelPackageGroupName=group)
    assert seen_by(aws, account) == []
    assert status_of(aws, share, "RESOURCE") == "DISASSOCIATED"


def test_owner_and_consumer_see_the_share_from_their_sides(aws: Aws) -> None:
    account, group = fresh_account(), aws.group()
    share = aws.share(group, account, ALLOW_DEPLOY)
    owner, consumer = aws.client("ram"), aws.client("ram", account)
    (given,) = owner.get_resource_shares(resourceOwner="SELF", resourceShareArns=[share])["resourceShares"]
    (got,) = consumer.get_resource_shares(resourceOwner="OTHER-ACCOUNTS")["resourceShares"]
    assert given == got
    assert (got["owningAccountId"], got["status"], got["allowExternalPrincipals"]) == (HUB, "ACTIVE", True)
    assert consumer.get_resource_shares(resourceOwner="SELF")["resourceShares"] == []
    assert [r["arn"] for r in consumer.list_resources(resourceOwner="OTHER-ACCOUNTS")["resources"]] == [group]
    assert [p["id"] for p in consumer.list_principals(resourceOwner="OTHER-ACCOUNTS")["principals"]] == [HUB]
    own = owner.list_principals(resourceOwner="SELF", resourceShareArns=[share])["principals"]
    assert [(p["id"], p["external"]) for p in own] == [(account, True)]
    assert status_of(aws, share, "RESOURCE") == "ASSOCIATED"
    for client in (owner, consumer):
        (held,) = client.list_resource_share_permissions(resourceShareArn=share)["permissions"]
        assert held["arn"] == ALLOW_DEPLOY


def test_shares_are_filtered_and_paged(aws: Aws) -> None:
    owner = fresh_account()
    ram = aws.client("ram", owner)
    for name in ("a", "b", "c"):
        tags = [{"key": "project", "value": name}]
        ram.create_resource_share(name=name, tags=tags, permissionArns=[ALLOW_REGISTER if name == "c" else DEFAULT])

    def names(**asked: Any) -> list[str]:
        return [s["name"] for s in ram.get_resource_shares(resourceOwner="SELF", **asked)["resourceShares"]]

    assert names() == ["a", "b", "c"]
    assert names(name="b") == ["b"]
    assert names(permissionArn=ALLOW_REGISTER) == ["c"]
    assert names(tagFilters=[{"tagKey": "project", "tagValues": ["a", "c"]}]) == ["a", "c"]
    assert names(resourceShareStatus="DELETED") == []
    paginator = ram.get_paginator("get_resource_shares")
    pages = paginator.paginate(resourceOwner="SELF", PaginationConfig={"PageSize": 2})
    assert [[s["name"] for s in p["resourceShares"]] for p in pages] == [["a", "b"], ["c"]]
    with refused("InvalidNextTokenException"):
        ram.get_resource_shares(resourceOwner="SELF", nextToken="garbled")


def test_a_client_token_makes_one_share(aws: Aws) -> None:
    ram, token, group = aws.client("ram"), unique("token"), aws.group()
    asked = {"name": "once", "resourceArns": [group], "principals": [TEST], "clientToken": token}
    first, second = (ram.create_resource_share(**asked)["resourceShare"]["resourceShareArn"] for _ in range(2))
    assert first == second
    assert len(invitations(aws, TEST, resourceShareArns=[first])) == 1
    with refused("IdempotentParameterMismatchException"):
        ram.create_resource_share(**{**asked, "name": "another"})


def test_only_ones_own_existing_groups_can_be_shared(aws: Aws) -> None:
    ram, name = aws.client("ram"), unique("share")
    before = len(ram.get_resource_shares(resourceOwner="SELF")["resourceShares"])
    foreign = aws.group(DEVELOPMENT)
    good = aws.group()
    for code, resources, principals in (
        ("UnknownResourceException", [good + "-absent"], [TEST]),
        ("OperationNotPermittedException", [good, foreign], [TEST]),
        ("MalformedArnException", ["arn:aws:s3:::bucket"], [TEST]),
        ("InvalidParameterException", [good], ["12345"]),
        ("InvalidParameterException", [good], [HUB]),
    ):
        with refused(code):
            ram.create_resource_share(name=name, resourceArns=resources, principals=principals)
    with refused("OperationNotPermittedException"):
        ram.create_resource_share(name=name, resourceArns=[good], principals=[TEST], allowExternalPrincipals=False)
    with refused("UnknownResourceException"):
        ram.create_resource_share(name=name, permissionArns=["arn:aws:ram::aws:permission/Absent"])
    assert len(ram.get_resource_shares(resourceOwner="SELF")["resourceShares"]) == before


def test_the_managed_permissions_name_what_they_allow(aws: Aws) -> None:
    ram = aws.client("ram")
    listed = ram.list_permissions(resourceType="sagemaker:ModelPackageGroup", permissionType="AWS_MANAGED")
    assert {p["arn"]: p["isResourceTypeDefault"] for p in listed["permissions"]} == {
        DEFAULT: True,
        ALLOW_DEPLOY: False,
        ALLOW_REGISTER: False,
    }
    read = {
        "sagemaker:DescribeModelPackage",
        "sagemaker:DescribeModelPackageGroup",
        "sagemaker:ListModelPackages",
    }
    for arn, more in (
        (DEFAULT, set()),
        (ALLOW_DEPLOY, {"sagemaker:CreateModel"}),
        (ALLOW_REGISTER, {"sagemaker:CreateModelPackage"}),
    ):
        detail = ram.get_permission(permissionArn=arn)["permission"]
        assert set(json.loads(detail["permission"])["Action"]) == read | more
    nobody = aws.client("ram", fresh_account())
    assert nobody.list_permissions(permissionType="CUSTOMER_MANAGED")["permissions"] == []
    with refused("UnknownResourceException"):
        ram.get_permission(permissionArn="arn:aws:ram::aws:permission/Absent")


@pytest.mark.parametrize("replace", [True, False])
def test_a_shares_permission_is_replaced_only_when_asked(aws: Aws, replace: bool) -> None:
    ram = aws.client("ram")
    share, _ = aws.offer(aws.group(), fresh_account())
    change = {"resourceShareArn": share, "permissionArn": ALLOW_REGISTER, "replace": replace}
    if replace:
        ram.associate_resource_share_permission(**change)
    else:
        with refused("InvalidParameterException"):
            ram.associate_resource_share_permission(**change)
    (held,) = ram.list_resource_share_permissions(resourceShareArn=share)["permissions"]
    assert held["arn"] == (ALLOW_REGISTER if replace else DEFAULT)
