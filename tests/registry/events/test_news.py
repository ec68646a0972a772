"""Which event says nothing new: whatever comes twice, late or in another order, the end is what AWS says."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.aws.events import read_message
from registry.aws.records import EventClaims, RegistryEvent
from registry.models import ModelVersion
from registry.selectors.events import _covers
from tests.aws.recorded import EVENT

NOW = datetime(2026, 5, 3, 14, 5, 10, 250_000, tzinfo=UTC)
HERE = EventClaims("Completed", "Approved", "QA", "Approved")


def stored(modified_at: datetime, **values: str) -> ModelVersion:
    claims = {**dataclasses.asdict(HERE), **values}
    return ModelVersion(
        aws_modified_at=modified_at,
        aws_status=claims["status"],
        aws_approval_status=claims["approval_status"],
        aws_stage=claims["stage"],
        aws_stage_status=claims["stage_status"],
    )


def event(modified_at: datetime, claims: EventClaims = HERE) -> RegistryEvent:
    read = read_message({"MessageId": "m", "Body": ""})
    return dataclasses.replace(read, kind="model_package", modified_at=modified_at, claims=claims)


@pytest.mark.parametrize(
    ("told", "known", "claims", "covered"),
    [
        (NOW, NOW, HERE, True),
        (NOW, NOW + timedelta(microseconds=400), HERE, True),
        (NOW, NOW, dataclasses.replace(HERE, approval_status="Rejected"), False),
        (NOW, NOW, dataclasses.replace(HERE, status="InProgress"), False),
        (NOW, NOW - timedelta(milliseconds=1), HERE, False),
        (NOW, NOW + timedelta(milliseconds=1), dataclasses.replace(HERE, stage="Production"), True),
        # A time cut to the second may stand for anything within it.
        (NOW.replace(microsecond=0), NOW, HERE, False),
        (NOW.replace(microsecond=0), NOW + timedelta(seconds=1), HERE, True),
        (NOW.replace(microsecond=0), NOW.replace(microsecond=0), HERE, False),
    ],
)
def test_an_event_is_passed_over_only_when_what_is_stored_is_provably_as_new(
    told: datetime, known: datetime, claims: EventClaims, covered: bool
) -> None:
    assert _covers(stored(known), event(told, claims)) is covered


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("approve"), st.integers(1, 1500), st.booleans()),
        st.tuples(st.just("finish"), st.integers(0, 1500), st.booleans()),
        st.tuples(st.just("deliver"), st.integers(0, 50), st.booleans()),
    ),
    max_size=25,
)


class Told:
    """AWS with one version, the portal's row of it, and the events on their way between the two."""

    def __init__(self) -> None:
        self.at, self.status, self.approval, self.hidden = NOW, "InProgress", "PendingManualApproval", 0
        self.sent: list[RegistryEvent] = []
        self.read()

    def read(self) -> None:
        self.row, self.row_hidden = stored(self.at, status=self.status, approval_status=self.approval), self.hidden

    def approve(self, milliseconds: int, in_seconds: bool) -> None:
        self.at += timedelta(milliseconds=milliseconds)
        self.approval = "Approved" if milliseconds % 2 else "Rejected"
        self.hidden += 1
        self.send(in_seconds)

    def finish(self, _: int, well: bool) -> None:
        self.status = "Completed" if well else "Failed"
        self.send(in_seconds=False)

    def send(self, in_seconds: bool) -> None:
        claims = EventClaims(self.status, self.approval, HERE.stage, HERE.stage_status)
        self.sent.append(event(self.at.replace(microsecond=0) if in_seconds else self.at, claims))

    def deliver(self, number: int, _: bool = False) -> None:
        if self.sent and not _covers(self.row, self.sent[number % len(self.sent)]):
            self.read()


@settings(max_examples=150, deadline=None)
@given(steps=STEPS, order=st.randoms(use_true_random=False))
def test_any_order_and_repetition_of_events_ends_in_what_aws_says(
    steps: list[tuple[str, int, bool]], order: Any
) -> None:
    """Changes and deliveries in turn; in the end every event has come twice, in any order.

    A change takes a new LastModifiedTime at least a millisecond later, "finish" changes the status under the same one;
    events carry milliseconds or whole seconds. `hidden` stands for all an event does not tell, such as metadata.
    """
    told = Told()
    for name, number, flag in steps:
        getattr(told, name)(number, flag)
    for number in order.sample([*range(len(told.sent))] * 2, 2 * len(told.sent)):
        told.deliver(number)
    assert (told.row.aws_modified_at, told.row.aws_status, told.row.aws_approval_status, told.row_hidden) == (
        told.at,
        told.status,
        told.approval,
        told.hidden,
    )


def test_what_an_event_says_of_itself_is_read() -> None:
    detail = {
        **EVENT["detail"],
        "LastModifiedTime": 1714745110250,
        "ModelLifeCycle": {"Stage": "QA", "StageStatus": "X"},
    }
    attributes = {"SentTimestamp": "1714745113500", "ApproximateReceiveCount": "3"}
    told = read_message({"MessageId": "m", "Body": json.dumps({**EVENT, "detail": detail}), "Attributes": attributes})
    assert told.modified_at == datetime(2024, 5, 3, 14, 5, 10, 250_000, tzinfo=UTC)
    assert told.claims == EventClaims("Completed", "Approved", "QA", "X")
    assert (told.receives, told.queued_at) == (3, datetime(2024, 5, 3, 14, 5, 13, 500_000, tzinfo=UTC))


@pytest.mark.parametrize(
    "time", [None, True, "soon", "1714745110250", {}, 10**400, float("inf"), [1], "0001-01-01T00:00:00+14:00"]
)
def test_a_time_that_is_none_is_no_time(time: Any) -> None:
    detail = {
        **EVENT["detail"],
        "LastModifiedTime": time,
        "ModelLifeCycle": "QA",
        "UpdatedModelPackageFields": {"a": 1},
    }
    told = read_message(
        {"Body": json.dumps({**EVENT, "detail": detail}), "Attributes": {"ApproximateReceiveCount": "9" * 40}}
    )
    assert (told.modified_at, told.claims.stage, told.updated_fields, told.receives) == (None, "", (), 1)


def test_a_package_outside_any_group_is_not_the_portals_business() -> None:
    detail = {**EVENT["detail"], "ModelPackageArn": "arn:aws:sagemaker:us-east-1:111111111111:model-package/loose"}
    assert read_message({"Body": json.dumps({**EVENT, "detail": detail})}).kind == "other"
