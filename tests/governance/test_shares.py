"""Declaring shares: who may, what is refused in which words, two edits at once; no AWS is asked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from governance.choices import OutboxKind, OutboxState
from governance.models import OutboxMessage
from governance.services import shares
from governance.services.share_rules import Wish
from portal.core.errors import DomainError, Forbidden, InvalidInput, NotFound, StaleEdit, WrongState
from registry.aws.ram import PERMISSION_READ
from registry.choices import DeclarationState
from registry.models import AwsAccount, DeclaredShare, ModelGroup, RamPermission
from registry.selectors import sharing
from tests.factories import group

from .conftest import Place

pytestmark = pytest.mark.django_db

APPROVER = "arn:aws:ram:us-east-1:111111111111:permission/approver"
UNREAD = "arn:aws:ram:us-east-1:111111111111:permission/unread"
APPROVE = {"Effect": "Allow", "Action": "sagemaker:UpdateModelPackage"}
SEE = {"Effect": "Allow", "Action": ["sagemaker:DescribeModelPackage"]}
ORGANISATION = "arn:aws:organizations::111111111111:organization/o-abcdefghij"


@pytest.fixture
def shared(place: Place) -> ModelGroup:
    hub = AwsAccount.objects.get(account_id="111111111111")
    for arn, actions, verbs in (
        (PERMISSION_READ, ["sagemaker:DescribeModelPackage"], ["see"]),
        (APPROVER, ["sagemaker:*"], ["see", "register", "deploy", "approve", "delete"]),
        (UNREAD, [], []),
    ):
        RamPermission.objects.create(
            account=hub,
            region="us-east-1",
            arn=arn,
            name=arn.rsplit("/", 1)[-1],
            version="1",
            template='{"Action": "x"}' if actions else "",
            actions=actions,
            verbs=verbs,
            read_at=timezone.now(),
        )
    return group(place.project, place.people, name="credit-risk")


def wish(of: ModelGroup, **values: Any) -> Wish:
    given: dict[str, Any] = {
        "name": "readers",
        "groups": [of.pk],
        "accounts": ["222222222222"],
        "permission_arn": PERMISSION_READ,
    }
    return Wish(**{**given, **values})


def refused(place: Place, wanted: Wish, field: str, who: str = "engineer") -> str:
    before = DeclaredShare.objects.count(), OutboxMessage.objects.count()
    with pytest.raises(InvalidInput) as refusal:
        shares.declare(actor=getattr(place.people, who).actor, wish=wanted)
    assert (DeclaredShare.objects.count(), OutboxMessage.objects.count()) == before
    return " ".join(refusal.value.errors[field])


def test_a_declaration_orders_the_share_and_its_acceptance(shared: ModelGroup, place: Place) -> None:
    made = shares.declare(actor=place.people.engineer.actor, wish=wish(shared))
    assert (made.public_id, made.state, made.verbs, made.allows_external) == ("SHR-0001", "declared", ["see"], True)
    kinds = OutboxMessage.objects.filter(group=shared).order_by("pk").values_list("kind", "account__account_id")
    assert list(kinds) == [(OutboxKind.SHARE, "111111111111"), (OutboxKind.INVITATION, "222222222222")]


# What is wrong, the field, a word of the refusal.
WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"name": " "}, "name", "1 to 255"),
    ({"name": "x" * 256}, "name", "1 to 255"),
    ({"name": "a\x00b"}, "name", "1 to 255"),
    ({"groups": []}, "groups", "1 to 100"),
    ({"groups": [10**30]}, "groups", "does not exist"),
    ({"groups": [-1]}, "groups", "does not exist"),
    ({"accounts": []}, "accounts", "with which accounts"),
    ({"accounts": ["999999999999"]}, "accounts", "does not know"),
    ({"accounts": ["a\x00"]}, "accounts", "does not know"),
    ({"accounts": ["111111111111"]}, "accounts", "owns these groups"),
    ({"organisation_principals": ["arn:aws:x"]}, "organisation_principals", "not the ARN of an organisation"),
    ({"organisation_principals": [ORGANISATION]}, "organisation_principals", "not written down"),
    ({"permission_arn": ""}, "permission", "Choose a permission"),
    ({"permission_arn": "nonsense\x00"}, "permission", "no such permission"),
    ({"permission_arn": UNREAD}, "permission", "could not be read"),
    ({"custom_name": "mine", "custom_template": SEE}, "permission", "not both"),
    ({"permission_arn": "", "custom_name": "a b", "custom_template": SEE}, "custom_name", "1 to 36"),
    ({"permission_arn": "", "custom_name": "approver", "custom_template": SEE}, "custom_name", "has a permission"),
    (
        {"permission_arn": "", "custom_name": "mine", "custom_template": {"Effect": "Allow", "Action": "sagemaker:*"}},
        "custom_template",
        "wildcard",
    ),
    ({"permission_arn": "", "custom_name": "mine", "custom_template": 7}, "custom_template", "one JSON object"),
    ({"allows_external": False}, "allows_external", "not known to be of the organisation"),
    ({"reason": "x" * 5000}, "reason", "at most"),
]


@pytest.mark.parametrize(("values", "field", "word"), WRONG)
def test_what_is_wrong_is_named_beside_its_field(
    shared: ModelGroup, place: Place, values: dict[str, Any], field: str, word: str
) -> None:
    assert word in refused(place, wish(shared, **values), field)


def test_a_group_gone_or_an_account_disabled_is_refused(shared: ModelGroup, place: Place) -> None:
    AwsAccount.objects.filter(account_id="222222222222").update(is_enabled=False)
    assert "is disabled" in refused(place, wish(shared), "accounts")
    ModelGroup.objects.filter(pk=shared.pk).update(missing_since=timezone.now())
    assert "no longer lists" in refused(place, wish(shared, accounts=["333333333333"]), "groups")


@pytest.mark.parametrize("custom", [False, True])
def test_only_an_ml_admin_with_a_reason_lets_a_spoke_approve(shared: ModelGroup, place: Place, custom: bool) -> None:
    own = {"permission_arn": "", "custom_name": "mine", "custom_template": APPROVE}
    wanted = wish(shared, **(own if custom else {"permission_arn": APPROVER}))
    with pytest.raises(Forbidden, match="approve or delete"):
        shares.declare(actor=place.people.engineer.actor, wish=replace(wanted, reason="I want it."))
    assert "Only a reason" in refused(place, wanted, "reason", who="admin")
    made = shares.declare(actor=place.people.admin.actor, wish=replace(wanted, reason="Its own gate."))
    assert made.grants_guarded
    with pytest.raises(IntegrityError, match="approve_path_has_a_reason"), transaction.atomic():
        DeclaredShare.objects.filter(pk=made.pk).update(reason="")
    with pytest.raises(Forbidden):
        shares.edit(
            actor=place.people.engineer.actor,
            number=made.number,
            revision=made.revision,
            wish=replace(shares.wish_of(made), accounts=["333333333333"]),
        )


@pytest.mark.parametrize("who", ["scientist", "owner", "officer", "auditor"])
def test_others_declare_nothing(shared: ModelGroup, place: Place, who: str) -> None:
    with pytest.raises(Forbidden):
        shares.declare(actor=getattr(place.people, who).actor, wish=wish(shared))


def test_a_stranger_sees_neither_group_nor_share(shared: ModelGroup, place: Place) -> None:
    assert "does not exist" in refused(place, wish(shared), "groups", who="stranger")
    made = shares.declare(actor=place.people.engineer.actor, wish=wish(shared))
    for act in (shares.withdraw, shares.reapply, shares.accept):
        with pytest.raises(NotFound):
            act(actor=place.people.stranger.actor, number=made.number)  # type: ignore[operator]  # one of three


def test_the_second_of_two_edits_and_of_two_submissions_is_refused(shared: ModelGroup, place: Place) -> None:
    engineer = place.people.engineer.actor
    made = shares.declare(actor=engineer, wish=wish(shared))
    with pytest.raises(WrongState, match="SHR-0001 is called readers already"):
        shares.declare(actor=engineer, wish=wish(shared))
    shares.edit(actor=engineer, number=made.number, revision=1, wish=wish(shared, name="better"))
    with pytest.raises(StaleEdit):
        shares.edit(actor=engineer, number=made.number, revision=1, wish=wish(shared, name="other"))
    with pytest.raises(StaleEdit):
        shares.withdraw(actor=engineer, number=made.number, revision=1)
    assert sharing.declared_share(engineer, made.number).name == "better"


def test_an_order_given_up_has_another_try_with_the_next_edit(shared: ModelGroup, place: Place) -> None:
    engineer = place.people.engineer.actor
    made = shares.declare(actor=engineer, wish=wish(shared))
    first = OutboxMessage.objects.get(kind=OutboxKind.SHARE)
    OutboxMessage.objects.filter(pk=first.pk).update(state=OutboxState.FAILED, attempts=12)
    shares.reapply(actor=engineer, number=made.number)
    first.refresh_from_db()
    assert (first.state, first.attempts) == (OutboxState.PENDING, 0)
    # The acceptance was ordered already, and is not ordered twice.
    assert OutboxMessage.objects.filter(kind=OutboxKind.INVITATION).count() == 1


def test_the_organisation_is_a_principal_when_it_is_the_owners(shared: ModelGroup, place: Place) -> None:
    AwsAccount.objects.filter(account_id__in=["111111111111", "222222222222"]).update(organisation_id="o-abcdefghij")
    wanted = wish(shared, accounts=[], organisation_principals=[ORGANISATION])
    terms, planned = shares.preview(actor=place.people.engineer.actor, wish=wanted)
    assert not terms.allows_external
    assert [row.account_id for row in planned] == ["222222222222", ORGANISATION]
    made = shares.declare(actor=place.people.engineer.actor, wish=wanted)
    assert made.organisation_principals == [ORGANISATION]
    assert not OutboxMessage.objects.filter(kind=OutboxKind.INVITATION).exists()


def test_nothing_waits_and_nobody_is_invited_who_is_not_in_it(shared: ModelGroup, place: Place) -> None:
    engineer = place.people.engineer.actor
    made = shares.declare(actor=engineer, wish=wish(shared))
    with pytest.raises(WrongState, match="none is needed"):
        shares.accept(actor=engineer, number=made.number)
    for stranger in ("333333333333", "x", "2" * 40, "\x00"):
        with pytest.raises(DomainError, match="not in the share"):
            shares.reinvite(actor=engineer, number=made.number, account_id=stranger)
    shares.withdraw(actor=engineer, number=made.number, reason="Over.")
    for act in (shares.withdraw, shares.accept):
        with pytest.raises(WrongState, match="withdrawing"):
            act(actor=engineer, number=made.number)  # type: ignore[operator]  # one of two
    DeclaredShare.objects.filter(pk=made.pk).update(state=DeclarationState.WITHDRAWN)
    assert shares.declare(actor=engineer, wish=wish(shared)).number == made.number + 1
