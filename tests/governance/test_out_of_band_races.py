"""A decision taken over from SageMaker and one made in the portal, in the same instant."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from governance.choices import OutsideResponse
from governance.models import Decision, OutboxMessage, OutsideChange, StageEvent
from governance.selectors.audit import verify
from governance.services import approvals, out_of_band
from portal.core.vocabulary import Role
from registry.aws.records import Identity
from registry.models import ModelVersion
from registry.services import people as people_service
from tests.factories import group, person, version
from tests.factories.people import SYSTEM
from tests.refusals import as_replica, refused

from .conftest import Place
from .outside import under
from .test_concurrency import Scene, at_once, saying, scene

__all__ = ["scene"]

ROUNDS = 3


@pytest.mark.parametrize("workers", [1, 2])
def test_the_portal_and_sagemaker_decide_in_the_same_instant(scene: Scene, workers: int) -> None:
    """Whoever comes first decides; the other is refused or has nothing left to answer, and AWS is told once."""
    people = scene.people
    under(people, OutsideResponse.ADOPT)
    owner = person(Role.MODEL_OWNER, project=scene.project)
    arn = f"arn:aws:iam::111111111111:user/{owner.username}"
    people_service.link_identity(actor=SYSTEM, user=owner, arn=arn)
    for _ in range(ROUNDS):
        of = group(scene.project, people)
        made = version(of)
        request = approvals.submit(actor=people.scientist.actor, subject_type=ModelVersion, subject_id=made.pk)
        version(
            of,
            created_at=made.aws_created_at,
            approval_status="Approved",
            last_modified_by=Identity(arn, "", "", ""),
            last_modified_at=request.created_at,
        )
        adopting = partial(out_of_band.answer, actor=out_of_band.ACTOR, version_id=made.pk)
        said, *answers = at_once(saying(people.owner, request), *[adopting] * workers)
        assert not any(isinstance(answer, BaseException) for answer in answers), answers
        decision = request.decisions.get()
        made.refresh_from_db()
        assert (made.stage, made.status) == ("qa", "pending")
        assert OutboxMessage.objects.filter(version=made, kind="write_back").count() == 1
        assert StageEvent.objects.filter(version=made, verb="approve").count() == 1
        changes = [answer for answer in answers if isinstance(answer, OutsideChange)]
        if isinstance(said, Decision):
            assert (decision.decider, changes) == (people.owner, [])
        else:
            assert isinstance(said, approvals.RequestClosed), said
            assert (decision.decider, [change.decision for change in changes]) == (owner, [decision])
    assert verify().is_intact


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
