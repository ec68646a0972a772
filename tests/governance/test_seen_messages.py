"""What of the outbox, and of steps found waiting, concerns whom."""

from __future__ import annotations

import pytest

from governance.choices import ChannelKind, OutboxKind
from governance.models import DeploymentChannel, OutboxMessage, WaitingCallback
from governance.services import callbacks, channels, outbox
from portal.core.actors import Actor
from portal.core.operations import operation
from portal.core.vocabulary import Stage
from registry.aws import pipelines
from registry.models import AwsAccount, ModelGroup
from tests.factories import group, project, version

from .conftest import Place

pytestmark = pytest.mark.django_db
TEST, PRODUCTION = "333333333333", "444444444444"


def order(of: ModelGroup) -> OutboxMessage:
    with operation(Actor.system("test"), "order"):
        return outbox.put(
            kind=OutboxKind.SHARE, ordering_key="share:SHR-0001", payload={}, summary="Share it", group=of
        )


@pytest.mark.parametrize("who", ["engineer", "scientist", "owner"])
def test_messages_about_groups_are_for_those_who_see_the_group(place: Place, who: str) -> None:
    mine = order(group(place.project, place.people, name="credit-risk"))
    theirs = order(group(place.project, place.people, name="churn"))
    ModelGroup.objects.filter(name="churn").update(project=project())
    actor = getattr(place.people, who).actor
    assert list(OutboxMessage.objects.visible_to(actor)) == [mine]
    assert theirs in OutboxMessage.objects.visible_to(place.people.admin.actor)
    # Who operates looks after what nobody has claimed yet.
    ModelGroup.objects.filter(name="churn").update(project=None)
    assert (theirs in OutboxMessage.objects.visible_to(actor)) is (who == "engineer")


def test_a_queue_speaks_of_no_other_accounts_steps(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    made = version(group(place.project, place.people))
    for account_id, stage in ((TEST, "qa"), (PRODUCTION, "production")):
        settings = {"runs_in": "target", "queue_url": f"https://sqs.us-east-1.amazonaws.com/{account_id}/callbacks"}
        channels.create(
            actor=place.people.admin.actor, account_id=account_id, stage=stage, kind=ChannelKind.CALLBACK, **settings
        )
    said = {"model_package_arn": made.arn, "stage": "production", "account": PRODUCTION}
    queues = {TEST: [pipelines.CallbackMessage("r", "AbCdEf1234", "", said)]}
    forgotten: list[str] = []
    monkeypatch.setattr(callbacks.accounts, "reach", lambda account: account)
    monkeypatch.setattr(
        pipelines, "receive_callbacks", lambda account, url: [queues.pop(account.account_id)[0]]
        if account.account_id in queues else []
    )  # fmt: skip
    monkeypatch.setattr(pipelines, "forget_callback", lambda session, url, message: forgotten.append(message.token))
    # Whoever can write to the test account's queue says that a step of production waits.
    assert callbacks.read_all() == 0
    assert not WaitingCallback.objects.exists()
    assert forgotten == []
    test = DeploymentChannel.objects.get(account__account_id=TEST)
    production = AwsAccount.objects.get(account_id=PRODUCTION)
    assert f"for {Stage.PRODUCTION.label} in {production} the portal answers steps of {production}" in test.last_error
    # Of its own account it may.
    queues[TEST] = [pipelines.CallbackMessage("r", "AbCdEf1234", "", {**said, "stage": "qa", "account": TEST})]
    assert callbacks.read_all() == 1
    assert WaitingCallback.objects.get().home.account_id == TEST
