"""Classifying, deciding and syncing in the same instant: rows are locked in one order, so nobody is a deadlock's victim.

The sync moves cards between two use cases while officers classify both and somebody decides: each of these locks
several versions, use cases, requests and records.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from datetime import timedelta
from functools import partial

from governance.models import ApprovalRequest
from governance.services import approvals, sync
from portal.core.errors import DomainError
from portal.core.vocabulary import RiskClass, Stage
from registry.models import ModelGroup, ModelVersion, UseCase
from registry.services import use_cases
from registry.sync import apply
from tests.factories import at_stage, group, use_case, version
from tests.factories.records import START, card, version_record
from tests.governance.test_concurrency import Scene, at_once, saying, scene

__all__ = ["scene"]
ROUNDS = 6


def naming(case: UseCase, note: int) -> str:
    """A card that names a use case, another one for each note."""
    content = json.loads(card(risk="Low"))
    content.setdefault("additional_information", {})["custom_details"] = {"UseCaseId": case.public_id, "n": str(note)}
    return json.dumps(content)


def test_deciding_classifying_and_syncing_in_the_same_instant_never_deadlock(scene: Scene) -> None:
    people = scene.people
    cases = [use_case(people, scene.project), use_case(people, scene.project)]
    groups = [group(scene.project, people, *cases), group(scene.project, people, *cases)]
    taken = {
        of.pk: [at_stage(people, version(of, n, card_content=naming(cases[n % 2], 0)), Stage.QA) for n in (1, 2)]
        for of in groups
    }
    classes = itertools.cycle([RiskClass.MINIMAL, RiskClass.LIMITED, RiskClass.HIGH])

    def resync(of: ModelGroup, order: int, note: int) -> Callable[[], object]:
        records = [
            version_record(
                of.arn,
                made.number,
                created_at=made.aws_created_at,
                card_content=naming(cases[(made.number + note) % 2], note),
                last_modified_at=START + timedelta(days=1, seconds=note),
            )
            for made in taken[of.pk][::order]
        ]
        return partial(apply.together, sync.ACTOR, of, records, sync.LISTENERS)

    for note in range(1, ROUNDS + 1):
        made = taken[groups[0].pk][0]
        try:
            request = approvals.submit(actor=people.scientist.actor, subject_type=ModelVersion, subject_id=made.pk)
        except DomainError:
            request = ApprovalRequest.objects.open().get(version=made)
        decider = people.owner if "model_owner" in request.waiting_roles else people.second_officer
        risk = next(classes)
        results = at_once(
            saying(decider, request),
            *(
                partial(
                    use_cases.classify,
                    actor=people.officer.actor,
                    use_case_id=case.pk,
                    risk_class=risk,
                    reason="As assessed.",
                )
                for case in cases
            ),
            resync(groups[0], 1, note),
            resync(groups[1], -1, note),
        )
        failed = [one for one in results if isinstance(one, BaseException) and not isinstance(one, DomainError)]
        assert not failed, failed
