"""A decision taken over from SageMaker and one made in the portal, in the same instant."""

from __future__ import annotations

from functools import partial

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
