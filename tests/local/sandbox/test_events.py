"""Events: every change of a version reaches a queue whole, and so does what the portal puts on the bus."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.local.sandbox.world import (
    ALLOW_REGISTER,
    DEVELOPMENT,
    HUB,
    TEST,
    Aws,
    fresh_account,
    refused,
    specification,
    unique,
)

STATE_CHANGE = "SageMaker Model Package State Change"


def watched(aws: Aws, group: str) -> str:
    """A queue of the hub that gets the state changes of one group."""
    name = group.rsplit("/", 1)[1]
    return aws.listener(
        {"source": ["aws.sagemaker"], "detail-type": [STATE_CHANGE], "detail": {"ModelPackageGroupName": [name]}}
    )


def test_a_new_version_is_told_whole(aws: Aws) -> None:
    group = aws.group()
    queue = watched(aws, group)
    arn = aws.version(
        group,
        CustomerMetadataProperties={"algorithm": "xgboost"},
        ModelLifeCycle={"Stage": "Development", "StageStatus": "PendingApproval"},
    )
    (event,) = aws.received(queue)
    assert {k: event[k] for k in ("version", "detail-type", "source", "account", "region", "resources")} == {
        "version": "0",
        "detail-type": STATE_CHANGE,
        "source": "aws.sagemaker",
        "account": HUB,
        "region": "us-east-1",
        "resources": [arn],
    }
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", event["time"])
    assert abs(datetime.now(UTC) - datetime.fromisoformat(event["time"])) < timedelta(minutes=1)
    assert event["id"]
    detail = event["detail"]
    assert detail["ModelPackageArn"] == arn
    assert detail["ModelPackageVersion"] == 1
    assert detail["ModelApprovalStatus"] == "PendingManualApproval"
    assert detail["ModelPackageStatus"] == "Completed"
    assert detail["CustomerMetadataProperties"] == {"algorithm": "xgboost"}
    assert detail["ModelLifeCycle"] == {"Stage": "Development", "StageStatus": "PendingApproval"}
    assert detail["InferenceSpecification"] == specification()
    assert detail["UpdatedModelPackageFields"] == []
    assert "ModelCard" not in detail


def test_an_update_names_the_fields_that_were_sent(aws: Aws) -> None:
    group = aws.group()
    arn, queue = aws.version(group), watched(aws, group)
    for change, fields in (
        (
            {"ModelApprovalStatus": "Approved", "ApprovalDescription": "ok"},
            {"ModelApprovalStatus", "ApprovalDescription"},
        ),
        ({"ModelLifeCycle": {"Stage": "QA", "StageStatus": "Approved"}}, {"ModelLifeCycle"}),
        ({"CustomerMetadataProperties": {"k": "v"}}, {"CustomerMetadataProperties"}),
        ({"CustomerMetadataPropertiesToRemove": ["k"]}, {"CustomerMetadataProperties"}),
        ({"ModelCard": {"ModelCardContent": "{}", "ModelCardStatus": "Draft"}}, {"ModelCard"}),
    ):
        aws.update(arn, **change)
        (event,) = aws.received(queue)
        assert set(event["detail"]["UpdatedModelPackageFields"]) == fields
        assert event["detail"]["LastModifiedBy"]["IamIdentity"]["Arn"].startswith(f"arn:aws:sts::{HUB}:")
    with refused("ValidationException"):
        aws.update(arn, ModelLifeCycle={"Stage": "no good", "StageStatus": "Approved"})
    assert aws.received(queue) == []


def test_a_deletion_is_told(aws: Aws) -> None:
    group = aws.group()
    arn, queue = aws.version(group), watched(aws, group)
    aws.client("sagemaker").delete_model_package(ModelPackageName=arn)
    (event,) = aws.received(queue)
    assert (event["resources"], event["detail"]["ModelPackageStatus"]) == ([arn], "Deleting")


def test_a_version_of_a_spoke_is_told_in_the_hub_and_not_in_the_spoke(aws: Aws) -> None:
    account, group = fresh_account(), aws.group()
    aws.share(group, account, ALLOW_REGISTER)
    hub, spoke = watched(aws, group), aws.listener({"source": ["aws.sagemaker"]}, account)
    arn = aws.version(group, account)
    (event,) = aws.received(hub)
    assert (event["account"], event["resources"]) == (HUB, [arn])
    assert aws.received(spoke, account) == []


def test_what_the_portal_puts_reaches_its_queue(aws: Aws) -> None:
    order = unique("order")
    queue = aws.listener({"source": ["governance.portal"], "detail": {"order": [order]}})
    entry = {
        "Source": "governance.portal",
        "DetailType": "Model Deployment Requested",
        "Detail": json.dumps({"order": order, "stage": "QA"}),
        "Resources": ["arn:aws:sagemaker:us-east-1:111111111111:model-package/credit/1"],
        "Time": datetime(2024, 5, 1, 12, 0, tzinfo=UTC),
    }
    other = {**entry, "Source": "somebody.else"}
    answer = aws.client("events").put_events(Entries=[entry, other])
    assert answer["FailedEntryCount"] == 0
    (event,) = aws.received(queue)
    assert event["id"] == answer["Entries"][0]["EventId"]
    assert event["detail"] == {"order": order, "stage": "QA"}
    assert (event["source"], event["detail-type"]) == ("governance.portal", "Model Deployment Requested")
    assert (event["account"], event["region"], event["time"]) == (HUB, "us-east-1", "2024-05-01T12:00:00Z")
    assert event["resources"] == entry["Resources"]


def test_an_entry_that_is_wrong_does_not_stop_the_others(aws: Aws) -> None:
    order = unique("order")
    queue = aws.listener({"detail": {"order": [order]}})
    good = {"Source": "governance.portal", "DetailType": "d", "Detail": json.dumps({"order": order})}
    answer = aws.client("events").put_events(Entries=[{**good, "Detail": "not json"}, {"Source": "s"}, good])
    assert answer["FailedEntryCount"] == 2
    assert [e.get("ErrorCode") for e in answer["Entries"]] == ["MalformedDetail", "InvalidArgument", None]
    assert len(aws.received(queue)) == 1
    with refused("ValidationException"):
        aws.client("events").put_events(Entries=[good] * 11)


def test_a_disabled_rule_and_a_removed_target_get_nothing(aws: Aws) -> None:
    order, events = unique("order"), aws.client("events")
    queue = aws.listener({"detail": {"order": [order]}})
    name = queue.rsplit("/", 1)[1]
    entry = {"Source": "s", "DetailType": "d", "Detail": json.dumps({"order": order})}
    events.disable_rule(Name=name)
    events.put_events(Entries=[entry])
    assert aws.received(queue) == []
    events.enable_rule(Name=name)
    events.put_events(Entries=[entry])
    assert len(aws.received(queue)) == 1
    events.remove_targets(Rule=name, Ids=["queue"])
    events.put_events(Entries=[entry])
    assert aws.received(queue) == []


def test_a_rule_and_target_put_again_deliver_once(aws: Aws) -> None:
    order, events = unique("order"), aws.client("events")
    pattern = {"detail": {"order": [order]}}
    queue = aws.listener(pattern)
    name = queue.rsplit("/", 1)[1]
    events.put_rule(Name=name, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": f"arn:aws:sqs:us-east-1:{HUB}:{name}"}])
    events.put_events(Entries=[{"Source": "s", "DetailType": "d", "Detail": json.dumps({"order": order})}])
    assert len(aws.received(queue)) == 1


def test_a_target_the_sandbox_cannot_reach_is_refused(aws: Aws) -> None:
    events, name = aws.client("events"), unique("rule")
    events.put_rule(Name=name, EventPattern='{"source": ["s"]}')
    with refused("ValidationException"):
        events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": f"arn:aws:lambda:us-east-1:{HUB}:function:f"}])


def test_a_target_is_sent_what_its_input_makes_of_the_event(aws: Aws) -> None:
    order, events = unique("order"), aws.client("events")
    queue = aws.listener({"detail": {"order": [order]}})
    name = queue.rsplit("/", 1)[1]
    arn = f"arn:aws:sqs:us-east-1:{HUB}:{name}"

    def sent(**target: Any) -> Any:
        events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": arn, **target}])
        events.put_events(Entries=[{"Source": "s", "DetailType": "d", "Detail": json.dumps({"order": order})}])
        (body,) = aws.received(queue)
        return body

    assert sent(InputPath="$.detail") == {"order": order}
    assert sent(Input='{"fixed": 1}') == {"fixed": 1}
    transformer = {
        "InputPathsMap": {"o": "$.detail.order"},
        "InputTemplate": '{"order": "<o>", "from": <aws.events.event>}',
    }
    made = sent(InputTransformer=transformer)
    assert (made["order"], made["from"]["source"]) == (order, "s")


def test_an_event_crosses_to_another_accounts_bus_only_when_its_policy_lets_it(aws: Aws) -> None:
    order, spoke = unique("order"), fresh_account()
    queue = aws.listener({"detail": {"order": [order]}})
    events = aws.client("events", spoke)
    events.put_rule(Name="to-hub", EventPattern=json.dumps({"detail": {"order": [order]}}))
    events.put_targets(
        Rule="to-hub", Targets=[{"Id": "hub", "Arn": f"arn:aws:events:us-east-1:{HUB}:event-bus/default"}]
    )
    entry = {"Source": "spoke.pipeline", "DetailType": "d", "Detail": json.dumps({"order": order}), "Resources": ["a"]}
    events.put_events(Entries=[entry])
    assert aws.received(queue) == []
    aws.client("events").put_permission(Principal=spoke, Action="events:PutEvents", StatementId=unique("spoke"))
    events.put_events(Entries=[entry])
    (event,) = aws.received(queue)
    assert (event["account"], event["resources"]) == (spoke, ["a"])


def test_a_queue_of_another_account_is_reached(aws: Aws) -> None:
    order, name = unique("order"), unique("queue")
    url = aws.client("sqs", TEST).create_queue(QueueName=name)["QueueUrl"]
    events = aws.client("events", DEVELOPMENT)
    events.put_rule(Name=name, EventPattern=json.dumps({"detail": {"order": [order]}}))
    events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": f"arn:aws:sqs:us-east-1:{TEST}:{name}"}])
    events.put_events(Entries=[{"Source": "s", "DetailType": "d", "Detail": json.dumps({"order": order})}])
    (event,) = aws.received(url, TEST)
    assert event["account"] == DEVELOPMENT


def test_a_message_in_flight_is_hidden_and_comes_back(aws: Aws) -> None:
    sqs = aws.client("sqs")
    url = sqs.create_queue(QueueName=unique("queue"))["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="one")
    (first,) = sqs.receive_message(QueueUrl=url, VisibilityTimeout=30)["Messages"]
    assert "Messages" not in sqs.receive_message(QueueUrl=url)
    sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=first["ReceiptHandle"], VisibilityTimeout=0)
    (second,) = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=2)["Messages"]
    assert second["MessageId"] == first["MessageId"]
    sqs.delete_message(QueueUrl=url, ReceiptHandle=first["ReceiptHandle"])  # an older handle deletes it too
    sqs.delete_message(QueueUrl=url, ReceiptHandle=second["ReceiptHandle"])
    assert (
        sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]["ApproximateNumberOfMessages"]
        == "0"
    )
    with refused("ReceiptHandleIsInvalid"):
        sqs.delete_message(QueueUrl=url, ReceiptHandle="nonsense")


def test_a_message_received_too_often_goes_to_the_dead_letter_queue(aws: Aws) -> None:
    sqs, name = aws.client("sqs"), unique("dead")
    dead = sqs.create_queue(QueueName=name)["QueueUrl"]
    policy = {"deadLetterTargetArn": f"arn:aws:sqs:us-east-1:{HUB}:{name}", "maxReceiveCount": 1}
    url = sqs.create_queue(QueueName=unique("queue"), Attributes={"RedrivePolicy": json.dumps(policy)})["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="poison")
    (message,) = sqs.receive_message(QueueUrl=url, VisibilityTimeout=30)["Messages"]
    sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0)
    assert "Messages" not in sqs.receive_message(QueueUrl=url)
    (moved,) = sqs.receive_message(QueueUrl=dead)["Messages"]
    assert moved["Body"] == "poison"


def test_an_event_whose_target_is_gone_goes_to_the_targets_dead_letter_queue(aws: Aws) -> None:
    order, events, sqs = unique("order"), aws.client("events"), aws.client("sqs")
    queue = aws.listener({"detail": {"order": [order]}})
    name, dead = queue.rsplit("/", 1)[1], unique("dead")
    dead_url = sqs.create_queue(QueueName=dead)["QueueUrl"]
    letters = {"DeadLetterConfig": {"Arn": f"arn:aws:sqs:us-east-1:{HUB}:{dead}"}}
    bus = f"arn:aws:events:us-east-1:{fresh_account()}:event-bus/default"
    targets = [
        {"Id": "queue", "Arn": f"arn:aws:sqs:us-east-1:{HUB}:{name}", **letters},
        {"Id": "bus", "Arn": bus, **letters},
    ]
    events.put_targets(Rule=name, Targets=targets)
    sqs.delete_queue(QueueUrl=queue)
    events.put_events(Entries=[{"Source": "s", "DetailType": "d", "Detail": json.dumps({"order": order})}])
    asked = {"MaxNumberOfMessages": 10, "MessageAttributeNames": ["All"]}
    messages = sqs.receive_message(QueueUrl=dead_url, **asked)["Messages"]
    assert {json.loads(m["Body"])["detail"]["order"] for m in messages} == {order}
    told = [{k: v["StringValue"] for k, v in m["MessageAttributes"].items()} for m in messages]
    assert {t["TARGET_ARN"]: t["ERROR_CODE"] for t in told} == {
        targets[0]["Arn"]: "INVALID_TARGET",
        bus: "NO_PERMISSIONS",
    }
    assert all(t["RULE_ARN"].endswith(f"rule/{name}") and t["ERROR_MESSAGE"] for t in told)


def test_a_rule_of_each_account_tells_which_account_it_was(aws: Aws) -> None:
    accounts = [fresh_account() for _ in range(2)]
    queues = {a: aws.listener({"source": ["aws.sagemaker"]}, a) for a in accounts}
    arns = {a: aws.version(aws.group(a), a) for a in accounts}
    for account, queue in queues.items():
        (event,) = aws.received(queue, account)
        assert (event["account"], event["resources"]) == (account, [arns[account]])
