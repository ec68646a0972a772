"""Events: nothing received is dropped, nothing ordered is lost in silence."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from registry.aws import events
from registry.aws.errors import AwsInvalid, AwsNotFound, AwsThrottled, AwsUnavailable
from registry.aws.session import AwsSession
from tests.aws import recorded
from tests.aws.wire import Wire

QUEUE = "https://sqs.us-east-1.amazonaws.com/111111111111/registry"


def message(body: Any, number: int = 1) -> dict[str, Any]:
    return {
        "MessageId": f"m-{number}",
        "ReceiptHandle": f"r-{number}",
        "Body": body if isinstance(body, str) else json.dumps(body),
        "Attributes": {"SentTimestamp": "1714745113500"},
    }


def test_state_change_is_read(wire: Wire, session: AwsSession) -> None:
    wire.answer("sqs", "ReceiveMessage", {"Messages": [message(recorded.EVENT)]})
    (event,) = events.receive(session, QUEUE, wait_seconds=20, maximum=5)

    assert (event.message_id, event.receipt, event.kind) == ("m-1", "r-1", events.KIND_MODEL_PACKAGE)
    assert (event.model_package_arn, event.owner_account_id) == (recorded.VERSION_ARN, "111111111111")
    assert event.updated_fields == ("ModelApprovalStatus", "ModelLifeCycle")
    assert event.sent_at == datetime(2024, 5, 3, 14, 5, 12, tzinfo=UTC)
    assert json.loads(event.body) == recorded.EVENT
    asked = wire.asked("ReceiveMessage")[0]
    assert (asked["WaitTimeSeconds"], asked["MaxNumberOfMessages"]) == (20, 5)
    assert asked["MessageSystemAttributeNames"] == ["SentTimestamp", "ApproximateReceiveCount"]


def test_owner_comes_from_the_arn_not_the_envelope() -> None:
    envelope = {key: value for key, value in recorded.EVENT.items() if key != "account"}
    assert events.read_message(message(envelope)).owner_account_id == "111111111111"
    forwarded = {**recorded.EVENT, "account": "999999999999"}
    assert events.read_message(message(forwarded)).owner_account_id == "111111111111"


def test_arn_comes_from_the_resources_when_the_detail_lacks_it() -> None:
    detail = {"ModelApprovalStatus": "Approved"}
    event = events.read_message(message({**recorded.EVENT, "detail": detail}))
    assert (event.kind, event.model_package_arn, event.updated_fields) == (
        events.KIND_MODEL_PACKAGE,
        recorded.VERSION_ARN,
        (),
    )


@pytest.mark.parametrize(
    "body",
    [
        "",
        "not json",
        "[]",
        "null",
        "7",
        "[" * 100_000,
        '{"detail": 7}',
        json.dumps({**recorded.EVENT, "detail": None}),
        json.dumps({**recorded.EVENT, "detail": {}, "resources": []}),
        json.dumps({**recorded.EVENT, "detail": {"ModelPackageArn": ["x"]}, "resources": {}}),
        json.dumps({**recorded.EVENT, "detail": {"ModelPackageArn": "credit-risk/7"}}),
    ],
)
def test_what_cannot_be_read_is_kept_with_its_body(body: str) -> None:
    event = events.read_message(message(body))
    assert (event.kind, event.body, event.receipt) == (events.KIND_UNREADABLE, body, "r-1")
    assert (event.model_package_arn, event.owner_account_id, event.updated_fields) == ("", "", ())
    assert event.sent_at is not None


@pytest.mark.parametrize("time", [None, 7, "yesterday", "0001-01-01T00:00:00+14:00"])
def test_an_unusable_time_falls_back_to_when_the_message_was_sent(time: Any) -> None:
    event = events.read_message(message({**recorded.EVENT, "time": time}))
    assert event.sent_at == datetime(2024, 5, 3, 14, 5, 13, 500000, tzinfo=UTC)
    assert events.read_message({"Body": "x"}).sent_at is None


def test_other_events_are_told_apart() -> None:
    other = {**recorded.EVENT, "detail-type": "SageMaker Endpoint State Change"}
    assert events.read_message(message(other)).kind == events.KIND_OTHER
    assert events.read_message(message({**recorded.EVENT, "source": "my.app"})).kind == events.KIND_OTHER


def test_an_empty_queue_is_no_event(wire: Wire, session: AwsSession) -> None:
    wire.answer("sqs", "ReceiveMessage", {})
    assert events.receive(session, QUEUE, wait_seconds=0) == []


@pytest.mark.parametrize("numbers", [{"wait_seconds": 21}, {"wait_seconds": -1}, {"wait_seconds": 0, "maximum": 11}])
def test_numbers_out_of_range_are_refused(wire: Wire, session: AwsSession, numbers: dict[str, int]) -> None:
    with pytest.raises(AwsInvalid, match="0 to 20 allowed"):
        events.receive(session, QUEUE, **numbers)


def test_a_missing_queue_is_named(wire: Wire, session: AwsSession) -> None:
    wire.refuse("ReceiveMessage", "com.amazonaws.sqs#QueueDoesNotExist", "The specified queue does not exist.")
    with pytest.raises(AwsNotFound):
        events.receive(session, QUEUE, wait_seconds=0)


DEAD_LETTERS = {
    "deadLetterTargetArn": "arn:aws:sqs:us-east-1:111111111111:registry-dead-letters",
    "maxReceiveCount": 20,
}


def test_a_queue_and_its_dead_letters_are_counted(wire: Wire, session: AwsSession) -> None:
    held = {
        "ApproximateNumberOfMessages": "7",
        "ApproximateNumberOfMessagesDelayed": "1",
        "ApproximateNumberOfMessagesNotVisible": "2",
        "RedrivePolicy": json.dumps(DEAD_LETTERS),
    }
    wire.answer("sqs", "GetQueueAttributes", {"Attributes": held})
    wire.answer("sqs", "GetQueueUrl", {"QueueUrl": f"{QUEUE}-dead-letters"})
    wire.answer("sqs", "GetQueueAttributes", {"Attributes": {"ApproximateNumberOfMessages": "3"}})
    assert events.measure(session, QUEUE) == events.QueueSize(waiting=8, in_flight=2, dead_letters=3)
    (named,) = wire.asked("GetQueueUrl")
    assert named == {"QueueName": "registry-dead-letters", "QueueOwnerAWSAccountId": "111111111111"}
    assert [asked["QueueUrl"] for asked in wire.asked("GetQueueAttributes")] == [QUEUE, f"{QUEUE}-dead-letters"]


@pytest.mark.parametrize("policy", [None, "", "{", "[]", "{}", '{"deadLetterTargetArn": "nowhere"}'])
def test_a_queue_without_dead_letters_has_none(wire: Wire, session: AwsSession, policy: str | None) -> None:
    wire.answer(
        "sqs", "GetQueueAttributes", {"Attributes": {"RedrivePolicy": policy}} if policy is not None else {}, times=2
    )
    assert events.measure(session, QUEUE) == events.QueueSize(waiting=0, in_flight=0, dead_letters=None)
    assert events.dead_letter_url(session, QUEUE) == ""


def test_messages_are_deleted_ten_at_a_time(wire: Wire, session: AwsSession) -> None:
    received = [events.read_message(message(recorded.EVENT, n)) for n in range(23)]
    wire.answer("sqs", "DeleteMessageBatch", {"Successful": [], "Failed": []}, times=3)
    events.delete(session, QUEUE, received)
    batches = [asked["Entries"] for asked in wire.asked("DeleteMessageBatch")]
    assert [len(batch) for batch in batches] == [10, 10, 3]
    assert [entry["ReceiptHandle"] for batch in batches for entry in batch] == [f"r-{n}" for n in range(23)]
    events.delete(session, QUEUE, [])


def test_a_message_that_stays_is_an_error_after_all_batches(wire: Wire, session: AwsSession) -> None:
    received = [events.read_message(message(recorded.EVENT, n)) for n in range(12)]
    failed = {"Id": "0", "SenderFault": False, "Code": "InternalError", "Message": "later"}
    wire.answer("sqs", "DeleteMessageBatch", {"Successful": [], "Failed": [failed]})
    wire.answer("sqs", "DeleteMessageBatch", {"Successful": [], "Failed": []})
    with pytest.raises(AwsUnavailable, match="1 of 12 messages were not deleted"):
        events.delete(session, QUEUE, received)


def test_deployment_is_ordered(wire: Wire, session: AwsSession) -> None:
    wire.answer("events", "PutEvents", {"FailedEntryCount": 0, "Entries": [{"EventId": "e-1"}]})
    detail = {"order_id": 7, "model_package_arn": recorded.VERSION_ARN}
    event_id = events.put_deployment_order(
        session,
        bus="arn:aws:events:us-east-1:333333333333:event-bus/deployments",
        detail=detail,
        detail_type="Model Deployment Ordered",
        resources=[recorded.VERSION_ARN],
    )
    assert event_id == "e-1"
    (entry,) = wire.asked("PutEvents")[0]["Entries"]
    assert json.loads(entry["Detail"]) == detail
    assert (entry["Source"], entry["DetailType"]) == ("model-governance-portal", "Model Deployment Ordered")
    assert entry["EventBusName"] == "arn:aws:events:us-east-1:333333333333:event-bus/deployments"
    assert entry["Resources"] == [recorded.VERSION_ARN]


@pytest.mark.parametrize(
    ("entry", "kind"),
    [
        ({"ErrorCode": "ThrottlingException", "ErrorMessage": "slow down"}, AwsThrottled),
        ({"ErrorCode": "InternalFailure", "ErrorMessage": "later"}, AwsUnavailable),
        ({"ErrorCode": "InternalException", "ErrorMessage": "later"}, AwsUnavailable),
        ({"ErrorCode": "ResourceNotFoundException", "ErrorMessage": "no bus"}, AwsNotFound),
        ({}, AwsUnavailable),
    ],
)
def test_an_order_refused_inside_a_success_is_an_error(
    wire: Wire, session: AwsSession, entry: dict[str, str], kind: type[Exception]
) -> None:
    wire.answer("events", "PutEvents", {"FailedEntryCount": 1, "Entries": [entry]})
    with pytest.raises(kind):
        events.put_deployment_order(session, bus="default", detail={}, detail_type="x")


@pytest.mark.parametrize("detail", [{"x": object()}, {"x": float("nan")}, {"x": "y" * 1_000_001}])
def test_an_order_that_cannot_be_sent_is_refused(wire: Wire, session: AwsSession, detail: dict[str, Any]) -> None:
    with pytest.raises(AwsInvalid, match="InvalidDetail"):
        events.put_deployment_order(session, bus="default", detail=detail, detail_type="x")


def script_set_up(wire: Wire, exists: bool) -> None:
    for name in ("registry-dead-letters", "registry"):
        url = {"QueueUrl": f"https://sqs/111111111111/{name}"}
        if exists:
            wire.answer("sqs", "GetQueueUrl", url)
        else:
            wire.refuse("GetQueueUrl", "com.amazonaws.sqs#QueueDoesNotExist", "does not exist")
            wire.answer("sqs", "CreateQueue", url)
        arn = f"arn:aws:sqs:us-east-1:111111111111:{name}"
        wire.answer("sqs", "GetQueueAttributes", {"Attributes": {"QueueArn": arn}})
    wire.answer("events", "PutRule", {"RuleArn": "arn:aws:events:us-east-1:111111111111:rule/registry"})
    wire.answer("sqs", "SetQueueAttributes", {})


@pytest.mark.parametrize("exists", [False, True])
def test_queue_and_rule_are_set_up_again_and_again(wire: Wire, session: AwsSession, exists: bool) -> None:
    script_set_up(wire, exists)
    wire.answer("events", "PutTargets", {"FailedEntryCount": 0, "FailedEntries": []})
    url = events.ensure_queue_and_rule(session, queue_name="registry", rule_name="registry")

    assert url == "https://sqs/111111111111/registry"
    assert json.loads(wire.asked("PutRule")[0]["EventPattern"]) == {
        "source": ["aws.sagemaker"],
        "detail-type": ["SageMaker Model Package State Change"],
    }
    attributes = wire.asked("SetQueueAttributes")[0]["Attributes"]
    (statement,) = json.loads(attributes["Policy"])["Statement"]
    assert statement["Principal"] == {"Service": "events.amazonaws.com"}
    assert statement["Condition"]["ArnEquals"]["aws:SourceArn"].endswith(":rule/registry")
    assert json.loads(attributes["RedrivePolicy"])["deadLetterTargetArn"].endswith(":registry-dead-letters")
    assert wire.asked("PutTargets")[0]["Targets"][0]["Arn"] == "arn:aws:sqs:us-east-1:111111111111:registry"
    assert len(wire.asked("CreateQueue")) == (0 if exists else 2)


def test_a_target_that_is_not_taken_is_an_error(wire: Wire, session: AwsSession) -> None:
    script_set_up(wire, exists=True)
    failed = {"TargetId": "registry-queue", "ErrorCode": "ConcurrentModificationException", "ErrorMessage": "busy"}
    wire.answer("events", "PutTargets", {"FailedEntryCount": 1, "FailedEntries": [failed]})
    with pytest.raises(Exception, match="ConcurrentModificationException: busy"):
        events.ensure_queue_and_rule(session, queue_name="registry", rule_name="registry")
