"""Declared shares carried to RAM: made, changed, taken back, accepted; what differs is found and brought in line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from governance.choices import FindingKind, OutboxKind, OutboxState
from governance.models import OutboxMessage
from governance.services import shares
from governance.services.carriers import share as carrier
from portal.core.errors import WrongState
from registry.aws import ram, ram_permissions, sagemaker
from registry.choices import DeclarationState, SyncKind
from registry.models import AwsAccount, ModelGroup, ShareInvitation, SyncRun
from registry.selectors.sharing import Postures
from registry.sharing.verbs import Verb
from tests import aws_story
from tests.aws_story import HUB
from tests.sandbox import Sandbox

from .conftest import Place
from .sharing_in_ram import (
    APPROVE,
    OTHER,
    SEE,
    SPOKE,
    declared,
    fresh,
    group,
    in_ram,
    own,
    read,
    setting,
    standing,
    wish,
    work,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def quick(aws: Sandbox) -> Iterator[Sandbox]:
    before = requests.get(f"{aws.url}/sandbox/settings", timeout=10).json()
    yield aws
    setting(aws, **before)


@pytest.fixture
def shared(quick: Sandbox, place: Place) -> ModelGroup:
    return group(place)


def verbs(of: ModelGroup, account_id: str) -> set[Verb]:
    rows = Postures([of]).of(of)
    return set(next((row.verbs for row in rows if row.account_id == account_id), frozenset()))


def test_a_share_is_made_accepted_and_seen_in_place(shared: ModelGroup, place: Place) -> None:
    made = declared(place.people, shared)
    assert (made.state, made.problem, made.allows_external) == (DeclarationState.IN_PLACE, "", True)
    assert made.public_id.startswith("SHR-")
    reported = in_ram(made)
    assert [(one.principal, one.status) for one in reported.members.all()] == [(SPOKE, "ASSOCIATED")]
    assert [one.arn for one in reported.groups.all()] == [shared.arn]
    assert ShareInvitation.objects.get(share_arn=made.share_arn).status == "ACCEPTED"
    assert verbs(shared, SPOKE) == {Verb.SEE, Verb.REGISTER}
    assert sagemaker.describe_group(aws_story.session(SPOKE), shared.arn).name == shared.name
    assert standing(FindingKind.SHARE_DRIFT, made.public_id) == []
    assert SyncRun.objects.filter(kind=SyncKind.SHARES, account__account_id=HUB).latest("pk").calls > 5


def test_a_share_is_changed_and_taken_back(shared: ModelGroup, place: Place) -> None:
    made = declared(place.people, shared, SPOKE)
    name = aws_story.unique("renamed")
    wanted = wish(shared, OTHER, name=name, permission_arn=ram.PERMISSION_READ)
    shares.edit(actor=place.people.engineer.actor, number=made.number, revision=made.revision, wish=wanted)
    work()
    read(SPOKE, OTHER)
    reported = in_ram(made)
    assert (reported.name, reported.principals) == (name, [OTHER])
    assert reported.permission_arns == [ram.PERMISSION_READ]
    assert (verbs(shared, SPOKE), verbs(shared, OTHER)) == (set(), {Verb.SEE})
    shares.withdraw(actor=place.people.engineer.actor, number=made.number, reason="No longer needed.")
    work()
    read()
    assert (fresh(made).state, in_ram(made).state) == (DeclarationState.WITHDRAWN, "DELETED")
    assert verbs(shared, OTHER) == set()
    with pytest.raises(WrongState):
        shares.withdraw(actor=place.people.engineer.actor, number=made.number)


def test_a_permission_of_ones_own_is_made_changed_and_removed(shared: ModelGroup, place: Place) -> None:
    made = shares.declare(actor=place.people.engineer.actor, wish=own(shared, SEE))
    work()
    read()
    made = fresh(made)
    assert made.state == DeclarationState.IN_PLACE
    hub = aws_story.session(HUB)
    assert ram.get_permission(hub, made.custom_permission_arn).actions == (SEE,)
    wanted = own(shared, SEE, "sagemaker:CreateModel", name=made.name)
    wanted = type(wanted)(**{**vars(wanted), "custom_name": made.custom_name})
    for round_ in range(6):
        actions = [SEE, "sagemaker:CreateModel"] if round_ % 2 == 0 else [SEE]
        template = {"Effect": "Allow", "Action": actions}
        edited = type(wanted)(**{**vars(wanted), "custom_template": template})
        now = fresh(made)
        shares.edit(actor=place.people.engineer.actor, number=made.number, revision=now.revision, wish=edited)
        work(1)
    read()
    assert verbs(shared, SPOKE) == {Verb.SEE}
    assert fresh(made).state == DeclarationState.IN_PLACE
    assert len(list(ram_permissions.list_permission_versions(hub, made.custom_permission_arn))) <= 5
    shares.withdraw(actor=place.people.engineer.actor, number=made.number)
    work()
    assert fresh(made).state == DeclarationState.WITHDRAWN
    assert made.custom_name not in [one.name for one in ram.list_permissions(hub, permission_type="CUSTOMER_MANAGED")]


def test_an_approve_path_is_found_with_the_reason_given(shared: ModelGroup, place: Place) -> None:
    made = shares.declare(
        actor=place.people.admin.actor, wish=own(shared, SEE, APPROVE, reason="The spoke runs its own gate.")
    )
    work()
    read()
    (found,) = standing(FindingKind.APPROVE_PATH_OUTSIDE_HUB, shared.name)
    assert made.public_id in found
    assert "The spoke runs its own gate." in found
    shares.withdraw(actor=place.people.admin.actor, number=made.number)
    work()
    read()
    assert standing(FindingKind.APPROVE_PATH_OUTSIDE_HUB, shared.name) == []


def test_associations_are_awaited(shared: ModelGroup, place: Place, quick: Sandbox) -> None:
    setting(quick, association_seconds=3600)
    made = shares.declare(actor=place.people.engineer.actor, wish=wish(shared))
    work()
    message = OutboxMessage.objects.get(kind=OutboxKind.SHARE, payload__declared_share=made.pk)
    assert (message.state, fresh(made).state) == (OutboxState.PENDING, DeclarationState.APPLYING)
    assert "RAM to associate" in message.waiting_for
    setting(quick, association_seconds=0)


def test_a_worker_killed_after_ram_made_the_share_makes_no_second(
    shared: ModelGroup, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def dies(*_: Any) -> None:
        raise Killed

    made = shares.declare(actor=place.people.engineer.actor, wish=wish(shared))
    with monkeypatch.context() as patched:
        patched.setattr(carrier, "_remember_arn", dies)
        with pytest.raises(Killed):
            work(1)
    work()
    read()
    tagged = list(ram.list_shares(aws_story.session(HUB), "SELF", tag=(carrier.TAG, str(made.token))))
    assert [one.arn for one in tagged] == [fresh(made).share_arn]
    assert fresh(made).state == DeclarationState.IN_PLACE


def test_ram_throttled_is_tried_again(shared: ModelGroup, place: Place, quick: Sandbox) -> None:
    made = shares.declare(actor=place.people.engineer.actor, wish=wish(shared))
    quick.fault(service="ram", operation="CreateResourceShare", error="ThrottlingException", times=4)
    work(1)
    message = OutboxMessage.objects.get(kind=OutboxKind.SHARE, payload__declared_share=made.pk)
    assert (message.state, message.attempts) == (OutboxState.PENDING, 1)
    assert "throttled" in message.last_error
    quick.forget()
    work()
    read()
    assert fresh(made).state == DeclarationState.IN_PLACE


def test_drift_is_found_both_ways_and_brought_in_line(shared: ModelGroup, place: Place) -> None:
    made = declared(place.people, shared)
    hub = aws_story.session(HUB)
    ram.associate(hub, made.share_arn, principals=[OTHER, "999999999999"], client_token="by-hand")
    ram_permissions.replace_permission(hub, made.share_arn, ram.PERMISSION_READ, client_token="by-hand-2")
    read()
    (found,) = standing(FindingKind.SHARE_DRIFT, made.public_id)
    assert f"The account {OTHER} is let in, but not declared." in found
    assert "AWSRAMDefaultPermissionSageMakerModelPackageGroup, which is not declared" in found
    assert "999999999999" in standing(FindingKind.SHARE_TO_UNKNOWN_ACCOUNT, made.name)[0]
    assert "999999999999" in standing(FindingKind.SHARE_EXTERNAL_PRINCIPAL, made.name)[0]
    shares.reapply(actor=place.people.engineer.actor, number=made.number)
    work()
    read()
    assert in_ram(made).principals == [SPOKE]
    for kind in (FindingKind.SHARE_DRIFT, FindingKind.SHARE_TO_UNKNOWN_ACCOUNT, FindingKind.SHARE_EXTERNAL_PRINCIPAL):
        assert standing(kind, made.name) == []


def test_a_share_deleted_by_hand_is_found_and_made_again(shared: ModelGroup, place: Place) -> None:
    made = declared(place.people, shared)
    ram.delete_share(aws_story.session(HUB), made.share_arn)
    read()
    assert "RAM has no such share any more." in standing(FindingKind.SHARE_DRIFT, made.public_id)[0]
    shares.reapply(actor=place.people.engineer.actor, number=made.number)
    work()
    read()
    assert fresh(made).share_arn != made.share_arn
    assert (fresh(made).state, standing(FindingKind.SHARE_DRIFT, made.public_id)) == (DeclarationState.IN_PLACE, [])


def test_a_share_nobody_declared_is_found_and_taken_over(shared: ModelGroup, place: Place) -> None:
    aws_story.share(shared.arn)
    read()
    found = shared.shares.get()
    assert found.name in standing(FindingKind.SHARE_DRIFT, found.name)[0]
    made = shares.declare(actor=place.people.engineer.actor, wish=wish(shared, name=found.name), take_over=found.pk)
    work()
    read()
    assert (fresh(made).share_arn, fresh(made).state) == (found.arn, DeclarationState.IN_PLACE)
    assert standing(FindingKind.SHARE_DRIFT, found.name) == []


def test_an_invitation_that_runs_out_is_found_and_sent_again(shared: ModelGroup, place: Place, quick: Sandbox) -> None:
    AwsAccount.objects.filter(account_id=OTHER).update(is_enabled=True)
    made = shares.declare(actor=place.people.engineer.actor, wish=wish(shared, OTHER))
    OutboxMessage.objects.filter(kind=OutboxKind.INVITATION, payload__declared_share=made.pk).update(
        state=OutboxState.DELIVERED
    )
    work()
    read(OTHER)
    assert fresh(made).state == DeclarationState.APPLYING
    (pending,) = standing(FindingKind.INVITATION_PENDING, made.name)
    assert "It can until" in pending
    assert "may see and register once it accepts" in [row.words for row in Postures([shared]).of(shared)]
    setting(quick, invitation_seconds=0)
    read(OTHER)
    assert standing(FindingKind.INVITATION_PENDING, made.name) == []
    assert "Invite it again" in standing(FindingKind.INVITATION_EXPIRED, made.name)[0]
    with pytest.raises(WrongState, match="invite the account again"):
        shares.accept(actor=place.people.engineer.actor, number=made.number)
    setting(quick, invitation_seconds=43200)
    shares.reinvite(actor=place.people.engineer.actor, number=made.number, account_id=OTHER)
    work()
    read(OTHER)
    assert fresh(made).state == DeclarationState.IN_PLACE
    assert standing(FindingKind.INVITATION_EXPIRED, made.name) == []


def test_a_disabled_spoke_is_untouched_and_accepts_when_enabled(shared: ModelGroup, place: Place) -> None:
    engineer = place.people.engineer.actor
    made = shares.declare(actor=engineer, wish=wish(shared, OTHER))
    AwsAccount.objects.filter(account_id=OTHER).update(is_enabled=False)
    work()
    read(SPOKE)
    message = OutboxMessage.objects.get(kind=OutboxKind.INVITATION, payload__declared_share=made.pk)
    assert (message.state, "disabled" in message.last_error) == (OutboxState.FAILED, True)
    AwsAccount.objects.filter(account_id=OTHER).update(is_enabled=True)
    read(OTHER)
    assert [one.account_id for one in shares.accept(actor=engineer, number=made.number)] == [OTHER]
    work()
    read(OTHER)
    assert fresh(made).state == DeclarationState.IN_PLACE


def test_a_group_gone_from_aws_is_a_named_failure(shared: ModelGroup, place: Place, quick: Sandbox) -> None:
    quick.fault(service="ram", operation="CreateResourceShare", error="ResourceNotFound", times=1)
    made = shares.declare(actor=place.people.engineer.actor, wish=wish(shared))
    work(1)
    assert fresh(made).state == DeclarationState.FAILING
    assert "ResourceNotFound" in fresh(made).problem
    now = fresh(made)
    shares.edit(
        actor=place.people.engineer.actor, number=made.number, revision=now.revision, wish=wish(shared, name=now.name)
    )
    work()
    read()
    assert (fresh(made).state, fresh(made).problem) == (DeclarationState.IN_PLACE, "")


def test_a_resource_policy_that_opens_an_approve_path_is_found(shared: ModelGroup, place: Place) -> None:
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": ["arn:aws:iam::222222222222:root", "arn:aws:iam::888888888888:root"]},
                "Action": "sagemaker:*",
                "Resource": [shared.arn, shared.arn.replace("model-package-group", "model-package") + "/*"],
            }
        ],
    }
    sagemaker.put_group_policy(aws_story.session(HUB), shared.name, json.dumps(policy))
    read()
    assert verbs(shared, SPOKE) == set(Verb)
    found = standing(FindingKind.APPROVE_PATH_OUTSIDE_HUB, shared.name)
    assert len(found) == 2
    assert all("the group's resource policy" in one for one in found)
    assert "888888888888" in standing(FindingKind.SHARE_TO_UNKNOWN_ACCOUNT, shared.name)[0]
