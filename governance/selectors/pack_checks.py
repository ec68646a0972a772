"""How the subjects of an audit pack stand against what their requests asked for, many subjects at a time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from portal.core.vocabulary import Stage
from registry.models import ModelVersion, UseCase

from ..models import ApprovalRequest
from ..policies.facts import Requirements
from . import policy
from .gathered import gather
from .overrides import overrides_of_many

Subject = UseCase | ModelVersion
_TOGETHER = 200


def checks_of(requests: list[int], moment: datetime) -> dict[int, list[dict[str, str]]]:
    """Return the checks of the newest request of each subject and stage as they come out now, by the request's number.

    Each has "label", "outcome", "detail"; `moment` is the one overrides must still be in force at.
    """
    found: dict[int, list[dict[str, str]]] = {}
    for batch in _newest(requests):
        subjects = [request.subject for request in batch]
        known, overrides = gather(subjects), overrides_of_many(subjects)
        for request in batch:
            subject, stage = request.subject, Stage(request.stage)
            asked = Requirements.from_json(request.requirements)
            given = overrides.get((type(subject), subject.pk, stage), [])
            checks = policy.checks(subject, stage, asked, given, moment, known)
            found[request.pk] = [
                {"label": check.label, "outcome": check.outcome.value, "detail": check.detail} for check in checks
            ]
    return found


def _newest(requests: list[int]) -> Iterator[list[Any]]:
    """Yield the newest request of each subject and stage, some at a time."""
    rows = ApprovalRequest.objects.filter(pk__in=requests)
    newest = rows.order_by("kind", "use_case_id", "version_id", "stage", "-pk").distinct(
        "kind", "use_case_id", "version_id", "stage"
    )
    numbers = list(newest.values_list("pk", flat=True))
    for start in range(0, len(numbers), _TOGETHER):
        some = ApprovalRequest.objects.filter(pk__in=numbers[start : start + _TOGETHER])
        yield list(some.select_related("use_case", "version").defer("facts", "version__described").order_by("pk"))
