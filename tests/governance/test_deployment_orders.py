"""Every channel, for every thing that is ordered, with every kind of answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.utils import timezone

from governance.choices import ChannelKind, FindingKind, OutboxKind, OutboxState
from governance.models import DeploymentChannel, DeploymentOrder, Finding, OutboxMessage, WaitingCallback
from governance.services import approvals, callbacks, channels, delivery, in_production, preview, retirement
from portal.core.vocabulary import Stage, Status
from registry.aws.records import AccountRef
from registry.aws.session import AwsSession
from registry.models import AwsAccount, Deployment, ModelVersion
from tests.aws.wire import Wire
from tests.factories import at_stage, group, version
from tests.factories.walk import approve_once
from tests.receiver import Receiver, listening
from tests.scene import undone

from .conftest import Place

pytestmark = pytest.mark.django_db

TEST, PRODUCTION = "333333333333", "444444444444"
TOKEN = "AbCdEf1234"
EXECUTION = "arn:aws:sagemaker:us-east-1:111111111111:pipeline/deploy/execution/a1b2c3d4e5f6"
PARAMETERS = {"Arn": "model_package_arn", "What": "action", "Order": "order_id", "Size": "=ml.m5.large"}


@dataclass(frozen=True)
class Told:
    """How one operation of AWS is asked and answered."""

    service: str
    operation: str
    answer: dict[str, Any]
    refusal: str
    reference: str


BUS = Told("events", "PutEvents", {"FailedEntryCount": 0, "Entries": [{"EventId": "e-1"}]}, "AccessDeniedException", "e-1")  # fmt: skip
START = Told("sagemaker", "StartPipelineExecution", {"PipelineExecutionArn": EXECUTION}, "ValidationException", EXECUTION)  # fmt: skip
GO_ON = Told("sagemaker", "SendPipelineExecutionStepSuccess", {"PipelineExecutionArn": EXECUTION}, "AccessDeniedException", EXECUTION)  # fmt: skip
MAY_NOT = Told("sagemaker", "SendPipelineExecutionStepFailure", {"PipelineExecutionArn": EXECUTION}, "AccessDeniedException", "")  # fmt: skip


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    """AWS's side of the wire, for sessions with credentials of their own."""
    answers = Wire()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setattr("botocore.httpsession.URLLib3Session.send", lambda _, request: answers.send(request))
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda seconds: None)
    sessions: dict[str, AwsSession] = {}

    def reach(account: AwsAccount, region: str | None = None) -> AwsSession:
        ref = AccountRef(account.account_id, region or account.region)
        return sessions.setdefault(account.account_id, AwsSession(ref))

    monkeypatch.setattr("registry.services.accounts.reach", reach)
    yield answers
    assert not answers.unused


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    settings.PORTAL_WEBHOOK_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    with listening() as found:
        yield found


@pytest.fixture(scope="module")
def shared_walked(shared_place: Place, django_db_blocker: Any) -> Iterator[ModelVersion]:
    with django_db_blocker.unblock(), undone():
        of = group(shared_place.project, shared_place.people)
        yield at_stage(shared_place.people, version(of), Stage.PRODUCTION, Status.DEPLOYED)


@pytest.fixture
def walked(shared_walked: ModelVersion, place: Place) -> ModelVersion:
    """A version deployed in production, with everything that was ordered on its way carried out."""
    OutboxMessage.objects.update(state=OutboxState.DELIVERED, delivered_at=timezone.now())
    return ModelVersion.objects.get(pk=shared_walked.pk)


Act = Callable[[Place, ModelVersion], ModelVersion]


def approve(place: Place, walked: ModelVersion) -> ModelVersion:
    made = version(walked.group, 2)
    _ask(place, made, Stage.QA, TEST)
    approve_once(place.people, made)
    return made


def reject(place: Place, walked: ModelVersion) -> ModelVersion:
    made = version(walked.group, 2)
    _ask(place, made, Stage.QA, TEST)
    return at_stage(place.people, made, Stage.DEVELOPMENT, Status.REJECTED)


def remove(place: Place, walked: ModelVersion) -> ModelVersion:
    return retirement.retire(  # type: ignore[return-value]  # of the two it is a version
        actor=place.people.officer.actor, subject_type=ModelVersion, subject_id=walked.pk, reason="Old.", force=True
    )


def roll_back(place: Place, walked: ModelVersion) -> ModelVersion:
    _ask(place, walked, Stage.QA, TEST)
    return in_production.rollback(
        actor=place.people.officer.actor, version_id=walked.pk, stage=Stage.QA, reason="The later one fails."
    )


def _ask(place: Place, made: ModelVersion, stage: Stage, account_id: str) -> None:
    """Have a pipeline ask, where the channel takes that."""
    if DeploymentChannel.objects.filter(account__account_id=account_id, kind=ChannelKind.CALLBACK).exists():
        callbacks.post(
            actor=place.people.engineer.actor,
            model_package_arn=made.arn,
            stage=stage,
            account_id=account_id,
            token=TOKEN,
            execution_arn=EXECUTION,
        )


def order_through(place: Place, kind: ChannelKind, url: str = "") -> str:
    """Set the channel for both accounts, for every stage; returns the webhook's secret."""
    settings: dict[str, Any] = {
        ChannelKind.EVENT_BRIDGE: {"bus": "deployments"},
        ChannelKind.PIPELINE: {"pipeline": "deploy", "parameters": PARAMETERS},
        ChannelKind.CALLBACK: {},
        ChannelKind.WEBHOOK: {"url": url},
    }[kind]
    secret = ""
    for account_id in (TEST, PRODUCTION):
        made = channels.create(actor=place.people.admin.actor, account_id=account_id, stage="", kind=kind, **settings)
        secret = secret or made.secret
    return secret


def carried(made: ModelVersion) -> OutboxMessage:
    """Carry out what is to be ordered, as if the write-backs had been; returns the one order."""
    OutboxMessage.objects.filter(kind=OutboxKind.WRITE_BACK).exclude(state=OutboxState.DELIVERED).update(
        state=OutboxState.DELIVERED, delivered_at=timezone.now()
    )
    OutboxMessage.objects.pending().update(next_attempt_at=timezone.now())
    delivery.deliver_due()
    return OutboxMessage.objects.filter(kind=OutboxKind.DEPLOYMENT_ORDER, version=made).latest("pk")


AWS_CASES = [
    (ChannelKind.EVENT_BRIDGE, approve, BUS),
    (ChannelKind.EVENT_BRIDGE, remove, BUS),
    (ChannelKind.EVENT_BRIDGE, roll_back, BUS),
    (ChannelKind.PIPELINE, approve, START),
    (ChannelKind.PIPELINE, remove, START),
    (ChannelKind.PIPELINE, roll_back, START),
    (ChannelKind.CALLBACK, approve, GO_ON),
    (ChannelKind.CALLBACK, reject, MAY_NOT),
    (ChannelKind.CALLBACK, remove, BUS),
    (ChannelKind.CALLBACK, roll_back, GO_ON),
]
OUTCOMES = ("ok", "throttled", "unavailable", "refused")


@pytest.mark.parametrize("outcome", OUTCOMES)
@pytest.mark.parametrize(
    ("kind", "act", "told"),
    AWS_CASES,
    ids=lambda one: getattr(one, "__name__", None) or getattr(one, "operation", None) or str(one),
)
def test_orders_through_aws(
    kind: ChannelKind, act: Act, told: Told, outcome: str, place: Place, walked: ModelVersion, wire: Wire
) -> None:
    order_through(place, kind)
    made = act(place, walked)
    if outcome == "throttled":
        wire.refuse(told.operation, "ThrottlingException", "Rate exceeded", times=4)
    elif outcome == "unavailable":
        wire.refuse(told.operation, "InternalFailure", "later", status=500, times=4)
    elif outcome == "refused":
        wire.refuse(told.operation, told.refusal, "not like this")
    if outcome == "ok":
        wire.answer(told.service, told.operation, told.answer)
    message = carried(made)

    if outcome == "refused":
        assert message.state == "failed"
        assert Finding.objects.filter(kind=FindingKind.WRITE_BACK_FAILED, version=made).standing().exists()
        _assert_said(message, "Given up:")
        return
    if outcome != "ok":
        assert (message.state, message.attempts) == ("pending", 1)
        assert message.next_attempt_at > timezone.now()
        assert not DeploymentOrder.objects.filter(message=message).exclude(carried_at=None).exists()
        wire.answer(told.service, told.operation, told.answer)
        message = carried(made)
    assert message.state == "delivered"
    if told is not MAY_NOT:
        order = DeploymentOrder.objects.get(message=message)
        assert (order.reference, order.action) == (told.reference, message.payload["detail"]["action"])
        assert order.carried_at is not None
    _assert_asked(wire.asked(told.operation)[-1], message, told)
    if told in (GO_ON, MAY_NOT):
        (waiting,) = WaitingCallback.objects.all()
        assert (waiting.outcome, waiting.answered_by) == ("released" if told is GO_ON else "refused", message)
    assert not DeploymentChannel.objects.exclude(last_error="").exists()


def _assert_said(message: OutboxMessage, words: str) -> None:
    if message.payload["detail"]["action"] != "refuse":
        assert words in DeploymentOrder.objects.get(message=message).note
    channel_id = message.payload["channel"]["id"]
    if channel_id is not None:
        assert DeploymentChannel.objects.get(pk=channel_id).last_error


def _assert_asked(asked: dict[str, Any], message: OutboxMessage, told: Told) -> None:
    token = str(message.token)
    if told is BUS:
        (entry,) = asked["Entries"]
        detail = json.loads(entry["Detail"])
        assert (detail["orderId"], detail["action"]) == (token, message.payload["detail"]["action"])
        has_bus = message.payload["channel"]["id"] is not None
        assert entry["EventBusName"] == ("deployments" if has_bus else "default")
    elif told is START:
        given = {one["Name"]: one["Value"] for one in asked["PipelineParameters"]}
        detail = message.payload["detail"]
        assert given == {
            "Arn": detail["modelPackageArn"], "What": detail["action"], "Order": token, "Size": "ml.m5.large",
        }  # fmt: skip
        assert asked["ClientRequestToken"] == token
    else:
        assert asked["CallbackToken"] == TOKEN
        assert token in json.dumps(asked)
        assert len(asked.get("FailureReason", "")) <= 256


@pytest.mark.parametrize("outcome", [200, 429, 503, 410])
@pytest.mark.parametrize("act", [approve, remove, roll_back], ids=lambda act: act.__name__)
def test_orders_by_webhook(
    act: Act, outcome: int, place: Place, walked: ModelVersion, receiver: Receiver, wire: Wire
) -> None:
    order_through(place, ChannelKind.WEBHOOK, receiver.url)
    made = act(place, walked)
    receiver.answer(outcome, b"As I said.")
    message = carried(made)
    if outcome == 410:
        assert message.state == "failed"
        assert "answered 410: As I said." in message.last_error
        _assert_said(message, "Given up:")
        return
    if outcome != 200:
        assert (message.state, message.attempts) == ("pending", 1)
        message = carried(made)
    assert message.state == "delivered"
    assert DeploymentOrder.objects.get(message=message).reference == "HTTP 200"
    sent = [json.loads(taken.body) for taken in receiver.taken]
    assert all(one == sent[0] for one in sent), "the same order at every attempt"
    assert {taken.headers["webhook-id"] for taken in receiver.taken} == {str(message.token)}
    assert sent[0]["data"]["orderId"] == str(message.token)
    assert sent[0]["type"] == ("deployment.removal_ordered" if act is remove else "deployment.ordered")


@pytest.mark.parametrize("kind", [ChannelKind.EVENT_BRIDGE, ChannelKind.PIPELINE, ChannelKind.WEBHOOK])
def test_a_rejection_orders_nothing_where_nobody_waits(kind: ChannelKind, place: Place, walked: ModelVersion) -> None:
    order_through(place, kind, "https://deploy.example.org/")
    made = reject(place, walked)
    assert not OutboxMessage.objects.filter(version=made, kind=OutboxKind.DEPLOYMENT_ORDER).exists()


def test_without_a_channel_it_is_the_hubs_bus(place: Place, walked: ModelVersion, wire: Wire) -> None:
    made = approve(place, walked)
    wire.answer("events", "PutEvents", BUS.answer)
    message = carried(made)
    assert wire.asked("PutEvents")[0]["Entries"][0]["EventBusName"] == "default"
    assert "by an EventBridge event on the default bus" in message.summary


def test_an_order_from_before_there_were_channels_is_carried(place: Place, walked: ModelVersion, wire: Wire) -> None:
    made = approve(place, walked)
    message = OutboxMessage.objects.get(kind=OutboxKind.DEPLOYMENT_ORDER, version=made)
    message.payload = {**message.payload, "bus": "old-bus"}
    del message.payload["channel"]
    message.save()
    wire.answer("events", "PutEvents", BUS.answer)
    assert carried(made).state == "delivered"
    assert wire.asked("PutEvents")[0]["Entries"][0]["EventBusName"] == "old-bus"


def test_what_was_ordered_keeps_its_way(place: Place, walked: ModelVersion, wire: Wire) -> None:
    order_through(place, ChannelKind.PIPELINE)
    made = approve(place, walked)
    row = DeploymentChannel.objects.get(account__account_id=TEST)
    channels.edit(actor=place.people.admin.actor, channel_id=row.pk, revision=1, pipeline="other")
    channels.remove(actor=place.people.admin.actor, channel_id=row.pk)
    wire.answer("sagemaker", "StartPipelineExecution", START.answer)
    assert carried(made).state == "delivered"
    assert wire.asked("StartPipelineExecution")[0]["PipelineName"] == "deploy"


def test_a_webhook_without_its_channel_cannot_be_signed(place: Place, walked: ModelVersion, receiver: Receiver) -> None:
    order_through(place, ChannelKind.WEBHOOK, receiver.url)
    made = approve(place, walked)
    channels.remove(
        actor=place.people.admin.actor, channel_id=DeploymentChannel.objects.get(account__account_id=TEST).pk
    )
    message = carried(made)
    assert message.state == "failed"
    assert "Order it again" in message.last_error
    assert not receiver.taken


def test_a_pipeline_that_is_not_told_the_action_is_not_asked_to_remove(place: Place, walked: ModelVersion) -> None:
    channels.create(
        actor=place.people.admin.actor,
        account_id=PRODUCTION,
        stage="production",
        kind=ChannelKind.PIPELINE,
        pipeline="deploy",
        parameters={"Arn": "model_package_arn"},
    )
    remove(place, walked)
    order = DeploymentOrder.objects.filter(deployment__version=walked, action="remove").latest("pk")
    assert (order.kind, order.message.payload["channel"]["kind"]) == ("event_bridge", "event_bridge")
    assert "is not told the action" in order.through


def test_the_decision_page_says_which_way_it_goes(place: Place, walked: ModelVersion) -> None:
    made = version(walked.group, 2)
    words = {
        ChannelKind.EVENT_BRIDGE: "EventBridge: its trial deployment",
        ChannelKind.PIPELINE: "Pipeline deploy in account-111 111111111111: its trial deployment",
        ChannelKind.CALLBACK: "The pipeline that waits in account-111 111111111111: its trial deployment",
        ChannelKind.WEBHOOK: "Webhook to deploy.example.org: its trial deployment",
    }
    request = approvals.submit(actor=place.people.scientist.actor, subject_type=ModelVersion, subject_id=made.pk)
    for kind, said in words.items():
        with undone():
            order_through(place, kind, "https://deploy.example.org/orders")
            assert any(line.startswith(said) for line in preview.of_approval(request).aws), kind
            _ask(place, made, Stage.QA, TEST)
            told = [line for line in preview.of_rejection(request).aws if "is told that it may not" in line]
            assert len(told) == (kind is ChannelKind.CALLBACK)


def test_the_way_is_chosen_by_account_and_stage(place: Place, walked: ModelVersion) -> None:
    admin = place.people.admin.actor
    own = channels.create(actor=admin, account_id=TEST, stage="qa", kind=ChannelKind.EVENT_BRIDGE, bus="for-qa").channel
    channels.create(actor=admin, account_id=TEST, stage="", kind=ChannelKind.EVENT_BRIDGE, bus="for-the-rest")

    def bus_of(number: int) -> str:
        made = version(walked.group, number)
        approve_once(place.people, made)
        return OutboxMessage.objects.get(kind=OutboxKind.DEPLOYMENT_ORDER, version=made).payload["channel"]["bus"]

    assert bus_of(2) == "for-qa"
    channels.edit(actor=admin, channel_id=own.pk, revision=1, is_enabled=False)
    assert bus_of(3) == "for-the-rest"
    channels.remove(actor=admin, channel_id=own.pk)
    assert bus_of(4) == "for-the-rest"
    assert Deployment.objects.filter(version=walked).exists()
