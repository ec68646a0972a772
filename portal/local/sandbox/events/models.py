"""Deliver events to SQS queues and event buses, whole and across accounts.

Stock moto's message has no "account", drops "resources" between buses, and only knows queues of the rule's account.
As stock moto and unlike AWS, PutEvents takes sources that begin with "aws.", so that tests can replay AWS's events.
"""

from __future__ import annotations

import json
import logging
import re
from datetime import UTC, datetime
from typing import Any

import moto.events.urls
from moto.core.exceptions import JsonRESTError
from moto.core.utils import unix_time_millis
from moto.events.models import EventBus, EventsBackend, Rule, events_backends
from moto.sqs.models import sqs_backends
from moto.utilities.arns import parse_arn

from ..faults import Delivery, faults

log = logging.getLogger(__name__)

Event = dict[str, Any]


def _at(event: Event, path: str) -> Any:
    """Follow a JSON path of names, ``$.detail.ModelPackageArn``; None where it leads nowhere."""
    found: Any = event
    for name in path.removeprefix("$").strip(".").split("."):
        if name:
            found = found.get(name) if isinstance(found, dict) else None
    return found


def _body(target: dict[str, Any], event: Event) -> str:
    """What the target receives: the event, or what Input, InputPath or InputTransformer make of it."""
    if "Input" in target:
        return str(target["Input"])
    if "InputPath" in target:
        return json.dumps(_at(event, target["InputPath"]))
    transformer = target.get("InputTransformer")
    if not transformer:
        return json.dumps(event)
    values = {name: _at(event, path) for name, path in (transformer.get("InputPathsMap") or {}).items()}
    values["aws.events.event.json"] = event
    values["aws.events.event"] = event

    def fill(match: re.Match[str]) -> str:
        value = values.get(match[1])
        return value if isinstance(value, str) else json.dumps(value)

    return re.sub(r"<([\w.-]+)>", fill, transformer["InputTemplate"])


class SandboxRule(Rule):
    """A rule that hands the event over unchanged."""

    def send(self, event: Event, delivery: Delivery) -> None:
        """Deliver to every target if the rule is enabled and its pattern matches. A target that fails is logged."""
        if self.state == "DISABLED" or not self.event_pattern.get_pattern():
            return
        if not self.event_pattern.matches_event(event):  # type: ignore[arg-type]
            return
        for target in self.targets:
            try:
                self._deliver(target, event, delivery)
            except Exception as error:  # EventBridge too goes on with the other targets
                self._give_up(target, event, error)

    def _give_up(self, target: dict[str, Any], event: Event, error: Exception) -> None:
        """Send an event whose target was not reached to the target's dead-letter queue, with the reason."""
        queue = (target.get("DeadLetterConfig") or {}).get("Arn")
        if not queue:
            log.warning("rule %s: target %s not reached: %s", self.arn, target["Arn"], error)
            return
        arn = parse_arn(queue)
        reasons = {
            "RULE_ARN": self.arn,
            "TARGET_ARN": target["Arn"],
            "ERROR_CODE": "NO_PERMISSIONS" if isinstance(error, PermissionError) else "INVALID_TARGET",
            "ERROR_MESSAGE": str(error)[:1024] or type(error).__name__,
        }
        attributes = {name: {"DataType": "String", "StringValue": value} for name, value in reasons.items()}
        try:
            sqs_backends[arn.account][arn.region].send_message(arn.resource_id, json.dumps(event), attributes)
        except Exception as lost:
            log.warning("rule %s: neither target %s nor %s reached: %s", self.arn, target["Arn"], queue, lost)

    def _deliver(self, target: dict[str, Any], event: Event, delivery: Delivery) -> None:
        arn = parse_arn(target["Arn"])
        if arn.service == "sqs":
            group = (target.get("SqsParameters") or {}).get("MessageGroupId")
            queues = sqs_backends[arn.account][arn.region]
            for _ in range(delivery.copies):
                message = queues.send_message(arn.resource_id, _body(target, event), group_id=group)
                if delivery.seconds:
                    message.delayed_until = unix_time_millis() + delivery.seconds * 1000
            return
        backend = events_backends[arn.account][arn.region]
        assert isinstance(backend, SandboxEventsBackend)
        bus = backend.describe_event_bus(arn.resource_id)
        if arn.account != self.account_id and not _may_put(bus, self.account_id):
            raise PermissionError(f"the policy of {bus.arn} does not let account {self.account_id} put events")
        backend.deliver(bus, event, delivery)


def _may_put(bus: EventBus, account: str) -> bool:
    for statement in bus._statements.values():  # noqa: SLF001 - moto has no public way to them
        principal = json.dumps(statement.principal)
        if statement.effect == "Allow" and ('"*"' in principal or account in principal):
            return True
    return False


class SandboxEventsBackend(EventsBackend):
    """EventBridge of one account and region."""

    @property
    def _url_module(self) -> Any:
        return moto.events.urls

    def put_rule(self, *args: Any, **kwargs: Any) -> Rule:
        rule = super().put_rule(*args, **kwargs)
        rule.__class__ = SandboxRule  # type: ignore[type-abstract]  # moto makes rules of it all the same
        return rule

    def put_targets(self, name: str, event_bus_arn: str | None, targets: list[dict[str, Any]]) -> None:
        """Attach targets. Raises ValidationException for kinds of target the sandbox cannot deliver to."""
        for target in targets:
            if not re.match(r"arn:aws[\w-]*:(sqs:|events:[\w-]+:\d+:event-bus/)", target.get("Arn") or ""):
                raise JsonRESTError(
                    "ValidationException",
                    f"Parameter Arn {target.get('Arn')} is not valid. Reason: the sandbox delivers to SQS queues and "
                    "event buses only.",
                )
        super().put_targets(name, event_bus_arn, targets)

    def deliver(self, bus: EventBus, event: Event, delivery: Delivery) -> None:
        """Offer an event to every rule of a bus."""
        for rule in list(bus.rules.values()):
            if isinstance(rule, SandboxRule):
                rule.send(event, delivery)

    def publish(
        self,
        source: str,
        detail_type: str,
        detail: dict[str, Any],
        resources: list[str],
        time: datetime | None = None,
        bus: str | None = None,
    ) -> str:
        """Put one event of this account on a bus (the default one) and return its id."""
        from moto.moto_api._internal import mock_random

        when = time or datetime.now(UTC)
        event = {
            "version": "0",
            "id": str(mock_random.uuid4()),
            "detail-type": detail_type,
            "source": source,
            "account": self.account_id,
            "time": when.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": self.region_name,
            "resources": resources,
            "detail": detail,
        }
        delivery = faults.for_event(self.account_id, source)
        self.deliver(self.describe_event_bus(self._normalize_event_bus_arn(bus)), event, delivery)
        return str(event["id"])

    def put_events(self, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Source: EventBridge PutEvents; an entry that is wrong gets its own error and does not stop the others."""
        if len(events) > 10:
            raise JsonRESTError(
                "ValidationException",
                "1 validation error detected: Value at 'entries' failed to satisfy constraint: "
                "Member must have length less than or equal to 10",
            )
        return [self._put(entry) for entry in events]

    def _put(self, entry: dict[str, Any]) -> dict[str, Any]:
        for name in ("Source", "DetailType", "Detail"):
            if not entry.get(name):
                return {
                    "ErrorCode": "InvalidArgument",
                    "ErrorMessage": f"Parameter {name} is not valid. Reason: {name} is a required argument.",
                }
        try:
            detail = json.loads(entry["Detail"])
        except ValueError:
            detail = None
        if not isinstance(detail, dict):
            return {"ErrorCode": "MalformedDetail", "ErrorMessage": "Detail is malformed."}
        time = entry.get("Time")
        if isinstance(time, (int, float)):
            time = datetime.fromtimestamp(time, UTC)
        elif isinstance(time, str):
            time = datetime.fromisoformat(time)
        event_id = self.publish(
            entry["Source"], entry["DetailType"], detail, entry.get("Resources") or [], time, entry.get("EventBusName")
        )
        return {"EventId": event_id}
