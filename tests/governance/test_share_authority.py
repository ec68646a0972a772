"""Who may share what by detours: taking over, narrowing and widening, and past the services in the database."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from governance.api.shares import wish_from
from governance.services import shares
from governance.services.share_rules import Wish
from portal.core.errors import Forbidden, InvalidInput
from registry.aws.ram import PERMISSION_READ
from registry.models import AwsAccount, DeclaredShare, ModelGroup, RamPermission, ResourceShare, SharePrincipal
from registry.selectors import sharing
from registry.sharing.verbs import ACTIONS, GUARDED, Verb
from tests.factories import group, project

from .conftest import Place

pytestmark = pytest.mark.django_db
APPROVER = "arn:aws:ram:us-east-1:111111111111:permission/approver"


@pytest.fixture
def hub(place: Place) -> AwsAccount:
    found = AwsAccount.objects.get(account_id="111111111111")
    for arn, action, verb in ((PERMISSION_READ, "DescribeModelPackage", "see"), (APPROVER, "Update*", "approve")):
        template = f'{{"Effect": "Allow", "Action": "sagemaker:{action}"}}'
        RamPermission.objects.create(
            account=found, region="us-east-1", arn=arn, name=arn.rsplit("/", 1)[-1], version="1", template=template,
            actions=[f"sagemaker:{action}"], verbs=[verb], read_at=timezone.now(),
        )  # fmt: skip
    return found


@pytest.fixture
def shared(hub: AwsAccount, place: Place) -> ModelGroup:
    return group(place.project, place.people, name="credit-risk")


def wish(of: ModelGroup, **values: Any) -> Wish:
    given: dict[str, Any] = {"name": "readers", "groups": [of.pk], "accounts": ["222222222222"]}
    return Wish(**{**given, "permission_arn": PERMISSION_READ, **values})


def in_ram(hub: AwsAccount, *groups: ModelGroup, **values: Any) -> ResourceShare:
    made = ResourceShare.objects.create(
        arn="arn:aws:ram:us-east-1:111111111111:resource-share/theirs", name="theirs", account=hub, region="us-east-1",
        state="ACTIVE", seen_at=timezone.now(), permissions=[f"{APPROVER}:1"], **values,
    )  # fmt: skip
    made.groups.set(groups)
    SharePrincipal.objects.create(share=made, principal="222222222222", status="ASSOCIATED")
    return made


def test_a_share_with_groups_of_others_is_not_taken_over(hub: AwsAccount, shared: ModelGroup, place: Place) -> None:
    theirs = group(place.project, place.people, name="churn")
    ModelGroup.objects.filter(pk=theirs.pk).update(project=project())
    found = in_ram(hub, shared, theirs)
    (seen,) = sharing.undeclared(place.people.engineer.actor)
    assert list(seen.groups.all()) == [shared], "whose other groups it shares is not his to know"
    with pytest.raises(Forbidden):
        shares.declare(actor=place.people.engineer.actor, wish=wish(shared), take_over=found.pk)
    assert not DeclaredShare.objects.exists()
    found.groups.set([shared])
    ResourceShare.objects.update(unknown_resources=["arn:aws:sagemaker:us-east-1:1:model-package-group/unknown"])
    with pytest.raises(Forbidden):
        shares.declare(actor=place.people.engineer.actor, wish=wish(shared), take_over=found.pk)
    ResourceShare.objects.update(unknown_resources=[])
    made = shares.declare(actor=place.people.engineer.actor, wish=wish(shared), take_over=found.pk)
    assert (made.share_arn, made.verbs) == (found.arn, ["see"])


def test_a_reason_for_something_else_is_none_for_approving(hub: AwsAccount, shared: ModelGroup, place: Place) -> None:
    found = in_ram(hub, shared)
    wanted = wish(shared, reason="An ML admin was asked.")
    shares.declare(actor=place.people.engineer.actor, wish=wanted, take_over=found.pk)
    # RAM still has the permission to approve, which the engineer's declaration does not.
    (row,) = sharing.Postures([shared]).of(shared)
    assert row.verbs == {Verb.APPROVE}
    assert [way.reason for way in row.ways[Verb.APPROVE]] == [""]


def test_what_an_edit_leaves_out_stays(shared: ModelGroup, place: Place) -> None:
    AwsAccount.objects.filter(account_id__in=["111111111111", "222222222222"]).update(organisation_id="o-abcdefghij")
    engineer = place.people.engineer.actor
    made = shares.declare(actor=engineer, wish=wish(shared, allows_external=True))
    made = shares.edit(
        actor=engineer, number=made.number, revision=1, wish=wish_from({"name": "better"}, shares.wish_of(made))
    )
    assert (made.name, made.allows_external) == ("better", True)
    closed = wish_from({"allows_external": False}, shares.wish_of(made))
    made = shares.edit(actor=engineer, number=made.number, revision=2, wish=closed)
    # What was closed is not opened by the way, with an account from outside.
    widened = wish_from({"accounts": ["222222222222", "333333333333"]}, shares.wish_of(made))
    with pytest.raises(InvalidInput) as refusal:
        shares.edit(actor=engineer, number=made.number, revision=3, wish=widened)
    assert list(refusal.value.errors) == ["allows_external"]


@pytest.mark.parametrize(
    ("changes", "refused_by"),
    [
        *(({column: [action]}, "approve_path_is_said")
          for column in ("actions", "custom_actions")
          for action in ("*", "sagemaker:*", "SageMaker:UPDATEmodelpackage", "sagemaker:?elete*",
                         *sorted({one for verb in GUARDED for one in ACTIONS[verb]}))),
        ({"verbs": ["approve"]}, "approve_path_has_a_reason"),
        ({"number": 99}, "declared_share_pinned"),
        ({"region": "eu-west-1"}, "declared_share_pinned"),
    ],
)  # fmt: skip
def test_the_database_holds_what_a_share_says(
    shared: ModelGroup, place: Place, changes: dict[str, Any], refused_by: str
) -> None:
    made = shares.declare(actor=place.people.engineer.actor, wish=wish(shared))
    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        DeclaredShare.objects.filter(pk=made.pk).update(**changes)
    cause: Any = refusal.value.__cause__
    assert cause.diag.constraint_name == refused_by
    DeclaredShare.objects.filter(pk=made.pk).update(actions=["sagemaker:Describe*", "sagemaker:CreateModel_"])


def test_what_is_withdrawn_stays_so(shared: ModelGroup, place: Place) -> None:
    made = shares.declare(actor=place.people.engineer.actor, wish=wish(shared))
    shares.withdraw(actor=place.people.engineer.actor, number=made.number)
    # As somebody who owns the tables would try.
    change = "SET LOCAL session_replication_role = replica; UPDATE registry_declaredshare SET state = 'in_place'"
    with pytest.raises(IntegrityError, match="not declared again"), transaction.atomic():
        connection.cursor().execute(change)
    DeclaredShare.objects.filter(pk=made.pk).update(state="withdrawn")
    with pytest.raises(IntegrityError, match="not declared again"), transaction.atomic():
        DeclaredShare.objects.filter(pk=made.pk).update(state="withdrawing")
