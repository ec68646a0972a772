"""Receive the registry's events from SQS and order deployments through EventBridge."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from registry.aws.arns import MalformedArn, UnversionedPackage, parse_model_package_arn
from registry.aws.errors import AwsInvalid, AwsNotFound, from_code, translated
from registry.aws.limits import require_valid
from registry.aws.records import EventClaims, RegistryEvent
from registry.aws.session import AwsSession
from registry.aws.values import plain_text, utc

if TYPE_CHECKING:
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef
    from mypy_boto3_sqs.literals import QueueAttributeNameType

KIND_MODEL_PACKAGE = "model_package"
KIND_OTHER = "other"
KIND_UNREADABLE = "unreadable"

STATE_CHANGE = "SageMaker Model Package State Change"
EVENT_SOURCE = "model-governance-portal"
# PutEvents takes less than 1 MB in one request; the margin leaves room for the fields around the detail.
_MAXIMUM_DETAIL_BYTES = 1_000_000
_MAXIMUM_MESSAGES = 10
_MAXIMUM_WAIT_SECONDS = 20
VISIBILITY_SECONDS = 120
RETENTION_SECONDS = 14 * 24 * 3600
RECEIVES_BEFORE_DEAD_LETTER = 20
_TARGET_ID = "registry-queue"
# A number of seconds since 1970 beyond this lies 3,000 years ahead: it counts milliseconds.
_MILLISECONDS_FROM = 100_000_000_000
_LONGEST_STAMP = 16
_PARTS_OF_A_QUEUE_ARN = 6
_COUNTED: Final[tuple[QueueAttributeNameType, ...]] = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesDelayed",
    "ApproximateNumberOfMessagesNotVisible",
)


def receive(
    session: AwsSession, queue_url: str, *, wait_seconds: int, maximum: int = _MAXIMUM_MESSAGES
) -> list[RegistryEvent]:
    """Wait up to `wait_seconds` (0 to 20) for messages and return at most `maximum` (1 to 10).

    Nothing is dropped: a message that cannot be read comes as an event of kind "unreadable" with its body. A
    message not deleted within two minutes is delivered again. Raises AwsInvalid for a number out of range,
    AwsNotFound when there is no such queue. Source: sqs ReceiveMessage.
    """
    if not (0 <= wait_seconds <= _MAXIMUM_WAIT_SECONDS and 1 <= maximum <= _MAXIMUM_MESSAGES):
        raise AwsInvalid(
            service="sqs",
            operation="ReceiveMessage",
            account_id=session.account.account_id,
            code="FieldLimit",
            message=f"wait_seconds is {wait_seconds} (0 to 20 allowed), maximum {maximum} (1 to 10 allowed)",
        )
    with translated(session, "sqs", "ReceiveMessage"):
        answer = session.sqs.receive_message(
            QueueUrl=queue_url,
            WaitTimeSeconds=wait_seconds,
            MaxNumberOfMessages=maximum,
            MessageSystemAttributeNames=["SentTimestamp", "ApproximateReceiveCount"],
        )
    return [read_message(message) for message in answer.get("Messages", ())]


def read_message(message: Mapping[str, Any]) -> RegistryEvent:
    """Read one SQS message with an EventBridge event in its body; never raises.

    The owner is taken from the version's ARN: an event forwarded from another bus need not carry the account.
    """
    body = str(message.get("Body") or "")
    try:
        envelope = json.loads(body)
    except (ValueError, RecursionError):
        envelope = None
    detail = envelope.get("detail") if isinstance(envelope, dict) else None
    kind, arn = KIND_UNREADABLE, ""
    fields: tuple[str, ...] = ()
    if isinstance(envelope, dict) and isinstance(detail, dict):
        resources = envelope.get("resources")
        first = resources[0] if isinstance(resources, list) and resources else ""
        arn = plain_text(detail.get("ModelPackageArn") or first or "")
        changed = detail.get("UpdatedModelPackageFields")
        fields = tuple(map(plain_text, changed)) if isinstance(changed, list) else ()
        kind = _kind(envelope, arn)
    if kind != KIND_MODEL_PACKAGE:
        arn, fields, detail = "", (), None
    return RegistryEvent(
        message_id=plain_text(message.get("MessageId")),
        receipt=str(message.get("ReceiptHandle") or ""),
        kind=kind,
        model_package_arn=arn,
        owner_account_id=parse_model_package_arn(arn).account_id if arn else "",
        updated_fields=fields,
        sent_at=_sent_at(envelope, message),
        body=body,
        modified_at=_moment((detail or {}).get("LastModifiedTime")),
        claims=_claims(detail or {}),
        queued_at=_queued_at(message),
        receives=_receives(message),
    )


def delete(session: AwsSession, queue_url: str, events: Sequence[RegistryEvent]) -> None:
    """Delete received messages from the queue, ten a call; every batch is tried before an error is raised.

    Raises the AwsError of the first message that could not be deleted; it will be delivered again.
    Source: sqs DeleteMessageBatch.
    """
    failed: list[Mapping[str, Any]] = []
    for start in range(0, len(events), _MAXIMUM_MESSAGES):
        batch = events[start : start + _MAXIMUM_MESSAGES]
        with translated(session, "sqs", "DeleteMessageBatch"):
            answer = session.sqs.delete_message_batch(
                QueueUrl=queue_url,
                Entries=[{"Id": str(i), "ReceiptHandle": event.receipt} for i, event in enumerate(batch)],
            )
        failed.extend(answer.get("Failed", ()))
    if failed:
        message = f"{len(failed)} of {len(events)} messages were not deleted: {failed[0].get('Message', '')}"
        status = 400 if failed[0].get("SenderFault") else 500
        raise from_code(session, "sqs", "DeleteMessageBatch", str(failed[0].get("Code", "Unknown")), message, status)


@dataclass(frozen=True, slots=True)
class QueueSize:
    """Hold SQS's approximate numbers: messages to be had, handed out and not deleted, and given up as dead letters.

    `dead_letters` is None when the queue has no queue of dead letters.
    """

    waiting: int
    in_flight: int
    dead_letters: int | None


def measure(session: AwsSession, queue_url: str) -> QueueSize:
    """Ask how many messages a queue and its queue of dead letters hold. Raises AwsNotFound, AwsDenied.

    Source: sqs GetQueueAttributes, GetQueueUrl.
    """
    held = _attributes(session, queue_url, (*_COUNTED, "RedrivePolicy"))
    dead_letters = _dead_letter_url(session, held.get("RedrivePolicy", ""))
    dead = _attributes(session, dead_letters, ("ApproximateNumberOfMessages",)) if dead_letters else None
    return QueueSize(
        waiting=int(held.get("ApproximateNumberOfMessages", 0))
        + int(held.get("ApproximateNumberOfMessagesDelayed", 0)),
        in_flight=int(held.get("ApproximateNumberOfMessagesNotVisible", 0)),
        dead_letters=None if dead is None else int(dead.get("ApproximateNumberOfMessages", 0)),
    )


def dead_letter_url(session: AwsSession, queue_url: str) -> str:
    """Return the URL of the queue that receives a queue's dead letters, "" when it has none.

    Raises AwsNotFound when the queue named there is gone. Source: sqs GetQueueAttributes, GetQueueUrl.
    """
    return _dead_letter_url(session, _attributes(session, queue_url, ("RedrivePolicy",)).get("RedrivePolicy", ""))


def put_deployment_order(
    session: AwsSession,
    *,
    bus: str,
    detail: Mapping[str, Any],
    detail_type: str,
    resources: Sequence[str] = (),
) -> str:
    """Put one event on a bus (name or ARN) that orders a deployment, and return EventBridge's event id.

    EventBridge has no idempotency token: `detail` must carry the order's own id, so that a receiver
    recognises an order sent twice. Raises AwsInvalid for a detail that is no JSON or too large, AwsNotFound
    for a missing bus, AwsThrottled and AwsUnavailable also for an entry refused inside a successful answer.
    Source: events PutEvents.
    """
    try:
        text = json.dumps(detail, allow_nan=False)
    except (TypeError, ValueError) as exc:
        raise _invalid_order(session, f"the detail cannot be written as JSON: {exc}") from exc
    if len(text.encode()) > _MAXIMUM_DETAIL_BYTES:
        raise _invalid_order(session, f"the detail has {len(text.encode())} bytes, 1000000 are allowed")
    entry: PutEventsRequestEntryTypeDef = {
        "Time": datetime.now(UTC),
        "Source": EVENT_SOURCE,
        "DetailType": detail_type,
        "Detail": text,
        "EventBusName": bus,
        "Resources": list(resources),
    }
    require_valid(session, "events", "PutEvents", {"Entries": [entry]})
    with translated(session, "events", "PutEvents"):
        answer = session.events.put_events(Entries=[entry])
    result: Mapping[str, Any] = (answer.get("Entries") or [{}])[0]
    if answer.get("FailedEntryCount") or not result.get("EventId"):
        raise from_code(
            session,
            "events",
            "PutEvents",
            str(result.get("ErrorCode") or "InternalFailure"),
            str(result.get("ErrorMessage") or "EventBridge took no event and gave no reason"),
        )
    return str(result["EventId"])


def queue_policy(queue: Any, rule: Any) -> dict[str, Any]:
    """Return the queue policy that lets one rule send and nobody else; ARNs, or what a template puts in their place."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "RegistryEvents",
                "Effect": "Allow",
                "Principal": {"Service": "events.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": queue,
                "Condition": {"ArnEquals": {"aws:SourceArn": rule}},
            }
        ],
    }


def ensure_queue_and_rule(session: AwsSession, *, queue_name: str, rule_name: str) -> str:
    """Make (or bring up to date) the queue that receives this account's registry events, and return its URL.

    Makes a queue of dead letters beside it (`<queue_name>-dead-letters`), the rule on the default bus, its
    target and the queue policy that lets only this rule send; the queue's former policy is replaced. Running
    it again changes nothing. Raises AwsDenied, AwsInvalid, AwsConflict. Source: sqs CreateQueue,
    SetQueueAttributes, events PutRule, PutTargets.
    """
    _, dead_letters_arn = _ensure_queue(
        session, f"{queue_name}-dead-letters", {"MessageRetentionPeriod": str(RETENTION_SECONDS)}
    )
    queue_url, queue_arn = _ensure_queue(session, queue_name, {})
    pattern = json.dumps({"source": ["aws.sagemaker"], "detail-type": [STATE_CHANGE]})
    with translated(session, "events", "PutRule"):
        rule_arn = session.events.put_rule(
            Name=rule_name,
            EventPattern=pattern,
            State="ENABLED",
            Description="Model version changes, for the model governance portal",
        )["RuleArn"]
    policy = queue_policy(queue_arn, rule_arn)
    redrive = {"deadLetterTargetArn": dead_letters_arn, "maxReceiveCount": RECEIVES_BEFORE_DEAD_LETTER}
    with translated(session, "sqs", "SetQueueAttributes"):
        session.sqs.set_queue_attributes(
            QueueUrl=queue_url,
            Attributes={
                "Policy": json.dumps(policy),
                "RedrivePolicy": json.dumps(redrive),
                "VisibilityTimeout": str(VISIBILITY_SECONDS),
                "MessageRetentionPeriod": str(RETENTION_SECONDS),
            },
        )
    with translated(session, "events", "PutTargets"):
        answer = session.events.put_targets(Rule=rule_name, Targets=[{"Id": _TARGET_ID, "Arn": queue_arn}])
    if answer.get("FailedEntryCount"):
        entry: Mapping[str, Any] = (answer.get("FailedEntries") or [{}])[0]
        raise from_code(
            session,
            "events",
            "PutTargets",
            str(entry.get("ErrorCode") or "InternalFailure"),
            str(entry.get("ErrorMessage") or f"the queue {queue_arn} was not taken as a target"),
        )
    return queue_url


def _ensure_queue(session: AwsSession, name: str, attributes: Mapping[QueueAttributeNameType, str]) -> tuple[str, str]:
    try:
        with translated(session, "sqs", "GetQueueUrl"):
            url = session.sqs.get_queue_url(QueueName=name)["QueueUrl"]
    except AwsNotFound:
        with translated(session, "sqs", "CreateQueue"):
            # Queues are encrypted with a key SQS manages; EventBridge can send to those without a key policy.
            url = session.sqs.create_queue(QueueName=name, Attributes={"SqsManagedSseEnabled": "true", **attributes})[
                "QueueUrl"
            ]
    return url, _attributes(session, url, ("QueueArn",))["QueueArn"]


def _dead_letter_url(session: AwsSession, policy: str) -> str:
    try:
        parts = str(json.loads(policy)["deadLetterTargetArn"]).split(":") if policy else []
    except (ValueError, TypeError, KeyError):
        parts = []
    if len(parts) != _PARTS_OF_A_QUEUE_ARN:
        return ""
    with translated(session, "sqs", "GetQueueUrl"):
        return session.sqs.get_queue_url(QueueName=parts[5], QueueOwnerAWSAccountId=parts[4])["QueueUrl"]


def _attributes(
    session: AwsSession, queue_url: str, names: Sequence[QueueAttributeNameType]
) -> Mapping[QueueAttributeNameType, str]:
    with translated(session, "sqs", "GetQueueAttributes"):
        return session.sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=names).get("Attributes", {})


def _invalid_order(session: AwsSession, message: str) -> AwsInvalid:
    return AwsInvalid(
        service="events",
        operation="PutEvents",
        account_id=session.account.account_id,
        code="InvalidDetail",
        message=message,
    )


def _kind(envelope: Mapping[str, Any], arn: str) -> str:
    if (envelope.get("source"), envelope.get("detail-type")) != ("aws.sagemaker", STATE_CHANGE):
        return KIND_OTHER
    try:
        parse_model_package_arn(arn)
    except UnversionedPackage:
        # A package outside any group has no version to govern.
        return KIND_OTHER
    except MalformedArn:
        return KIND_UNREADABLE
    return KIND_MODEL_PACKAGE


def _claims(detail: Mapping[str, Any]) -> EventClaims:
    life_cycle = detail.get("ModelLifeCycle")
    stage = life_cycle if isinstance(life_cycle, dict) else {}
    return EventClaims(
        status=plain_text(detail.get("ModelPackageStatus")),
        approval_status=plain_text(detail.get("ModelApprovalStatus")),
        stage=plain_text(stage.get("Stage")),
        stage_status=plain_text(stage.get("StageStatus")),
    )


def _moment(value: Any) -> datetime | None:
    """Read a time of an event's detail: ISO 8601 in most types, milliseconds or seconds since 1970 in some."""
    try:
        if isinstance(value, str):
            return utc(datetime.fromisoformat(value))
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value / 1000 if abs(value) > _MILLISECONDS_FROM else value, UTC)
    except (ValueError, OverflowError, OSError):
        pass
    return None


def _sent_at(envelope: Any, message: Mapping[str, Any]) -> datetime | None:
    stated = envelope.get("time") if isinstance(envelope, dict) else None
    return (_moment(stated) if isinstance(stated, str) else None) or _queued_at(message)


def _queued_at(message: Mapping[str, Any]) -> datetime | None:
    stamp = str((message.get("Attributes") or {}).get("SentTimestamp") or "")
    return _moment(int(stamp)) if stamp.isascii() and stamp.isdigit() and len(stamp) < _LONGEST_STAMP else None


def _receives(message: Mapping[str, Any]) -> int:
    count = str((message.get("Attributes") or {}).get("ApproximateReceiveCount") or "")
    return int(count) if count.isascii() and count.isdigit() and len(count) < _LONGEST_STAMP else 1
