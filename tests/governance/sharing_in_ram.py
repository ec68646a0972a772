"""What the tests of sharing do again and again: a group in the hub, a wish, a worker that carries out what is due."""

from __future__ import annotations

from typing import Any

import requests

from governance.choices import FindingKind
from governance.models import Finding, OutboxMessage
from governance.services import delivery, share_sync, shares
from governance.services.share_rules import Wish
from registry.aws import ram
from registry.models import DeclaredShare, ModelGroup, ResourceShare
from tests import aws_story
from tests.aws_story import HUB
from tests.factories import Cast
from tests.sandbox import Sandbox

from .conftest import Place

SPOKE, OTHER = "222222222222", "333333333333"
SEE = "sagemaker:DescribeModelPackage"
APPROVE = "sagemaker:UpdateModelPackage"


def group(place: Place) -> ModelGroup:
    """Return a group of the hub that the project has claimed, known to the portal."""
    arn = aws_story.new_group()
    aws_story.synced()
    made = ModelGroup.objects.get(arn=arn)
    aws_story.claim(place.people, place.project, made)
    share_sync.sync_shares(account_id=HUB, requested_by="test")
    return ModelGroup.objects.get(pk=made.pk)


def wish(of: ModelGroup, *accounts: str, **values: Any) -> Wish:
    """Return the wish to share a group under the permission to register, or whatever `values` say."""
    given = {"permission_arn": ram.PERMISSION_REGISTER} if "custom_name" not in values else {}
    return Wish(
        **{"name": aws_story.unique("share"), "groups": [of.pk], "accounts": accounts or (SPOKE,), **given, **values}
    )


def own(of: ModelGroup, *actions: str, **values: Any) -> Wish:
    """Return the wish to share a group under a permission of one's own."""
    template = {"Effect": "Allow", "Action": list(actions)}
    return wish(of, custom_name=aws_story.unique("portal"), custom_template=template, **values)


def work(rounds: int = 3) -> None:
    """Carry out what is due, as the worker does; what only waits is made due again."""
    for _ in range(rounds):
        delivery.deliver_due()
        OutboxMessage.objects.pending().update(next_attempt_at="2020-01-01T00:00Z")


def read(*accounts: str) -> None:
    """Read what RAM says in the hub and in spokes."""
    for account_id in (*(accounts or (SPOKE,)), HUB):
        for run in share_sync.sync_shares(account_id=account_id, requested_by="test"):
            assert run.error == ""


def declared(people: Cast, of: ModelGroup, *accounts: str, **values: Any) -> DeclaredShare:
    """Declare a share as the ML engineer and have it carried out and read."""
    made = shares.declare(actor=people.engineer.actor, wish=wish(of, *accounts, **values))
    work()
    read(*accounts)
    return fresh(made)


def fresh(of: DeclaredShare) -> DeclaredShare:
    return DeclaredShare.objects.get(pk=of.pk)


def in_ram(of: DeclaredShare) -> ResourceShare:
    return ResourceShare.objects.get(arn=fresh(of).share_arn)


def standing(kind: FindingKind, word: str = "") -> list[str]:
    """Return the summaries of the findings of a kind that stand, those with a word in them."""
    rows = Finding.objects.unresolved().filter(kind=kind, summary__contains=word)
    return list(rows.order_by("pk").values_list("summary", flat=True))


def setting(aws: Sandbox, **values: float) -> None:
    """Change how the sandbox behaves."""
    answer = requests.post(f"{aws.url}/sandbox/settings", json=values, timeout=10)
    assert answer.status_code == 200, answer.text
