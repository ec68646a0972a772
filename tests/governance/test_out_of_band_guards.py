"""What the database itself keeps of changes made outside: answers as they were given, decisions of whom they were."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from governance.models import Decision, OutboxMessage, OutsideChange
from governance.services import approvals, out_of_band
from registry.models import ModelVersion
from tests.factories import group, version
from tests.refusals import as_replica, refused

from .conftest import Place

pytestmark = pytest.mark.django_db


def test_an_answer_is_given_once_and_stays_as_it_was_given(place: Place) -> None:
    made = version(group(place.project, place.people), approval_status="Approved")
    change = out_of_band.answer(actor=out_of_band.ACTOR, version_id=made.pk)
    assert change is not None
    rows = OutsideChange.objects.filter(pk=change.pk)
    for call in (lambda: rows.update(reason="Never mind."), rows.delete):
        with refused("append_only"):
            call()
        with refused("append_only"), as_replica():
            call()
    with refused("outside_change_answered_once"):
        OutsideChange.objects.create(**_copied(change))
    later = change.aws_modified_at + timedelta(seconds=1)
    for name, wrong in (
        ("outside_change_outcome_has_its_row", {"outcome": "adopted", "response": "adopt"}),
        ("outside_change_as_the_policy_asks", {"outcome": "written_back", "message_id": _message(made)}),
    ):
        with refused(name):
            OutsideChange.objects.create(**{**_copied(change), "aws_modified_at": later, **wrong})


def test_no_decision_is_adopted_without_saying_from_whom(place: Place) -> None:
    made = version(group(place.project, place.people))
    request = approvals.submit(actor=place.people.scientist.actor, subject_type=ModelVersion, subject_id=made.pk)
    owner = place.people.owner
    said = {
        "request": request, "decider": owner, "decider_name": owner.username, "role": "model_owner", "verdict": "approve",
        "digest": request.digest, "requester_id_copy": request.requester_id,
    }  # fmt: skip
    principal = "arn:aws:iam::111111111111:user/owner"
    for wrong in (
        {"source": "adopted"},
        {"source": "adopted", "aws_principal": principal},
        {"source": "adopted", "aws_at": request.created_at},
        {"source": "portal", "aws_principal": principal},
    ):
        with refused("decision_adopted_of_ones_own"):
            Decision.objects.create(**said, **wrong)


def _copied(change: OutsideChange) -> dict[str, Any]:
    names = [field.attname for field in OutsideChange._meta.concrete_fields if field.name not in ("id", "at")]
    return {name: getattr(change, name) for name in names}


def _message(made: ModelVersion) -> int:
    return OutboxMessage.objects.create(
        kind="write_back", ordering_key=made.arn, version=made, payload={}, summary="x", next_attempt_at=made.seen_at
    ).pk
