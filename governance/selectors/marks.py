"""What stands against the open requests of a list: what the policy misses, and what changed since they were asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Prefetch

from portal.core.vocabulary import Stage
from registry.models import ModelVersion, UseCase

from ..choices import RequestState
from ..models import ApprovalRequest
from ..policies.facts import Check, Requirements
from . import policy as policies
from .binding import digest_of
from .gathered import gather
from .overrides import overrides_of_many

Subject = UseCase | ModelVersion


@dataclass(frozen=True)
class Marks:
    """The checks of a request's policy that keep it from approval, whether its subject is no longer the same, and in
    words where its subject's tier of risk comes from now."""

    unmet: tuple[Check, ...] = ()
    has_moved: bool = False
    source: str = ""


def marks_of(requests: Sequence[ApprovalRequest]) -> dict[int, Marks]:
    """Return the marks of those requests that are open, by key; as many queries however many there are.

    The requests come from a list that starts at `visible_to`, so their subjects may be read.
    """
    waiting = [request for request in requests if request.state == RequestState.OPEN]
    subjects = _subjects(waiting)
    known, overridden = gather(subjects.values()), overrides_of_many(subjects.values())
    found = {}
    for request in waiting:
        subject, stage = subjects[_key(request)], Stage(request.stage)
        overrides = overridden.get((*_key(request), stage), ())
        tier = policies.tier_of(subject)
        needs = Requirements.from_json(request.requirements)
        checks = policies.checks(subject, stage, needs, overrides, known=known)
        found[request.pk] = Marks(
            unmet=tuple(check for check in checks if not check.holds),
            source=tier.source if tier.value == request.tier else "",
            has_moved=subject.stage != stage or digest_of(subject, stage, known) != request.digest,
        )
    return found


def _key(request: ApprovalRequest) -> tuple[type[Subject], int]:
    if request.version_id is not None:
        return ModelVersion, request.version_id
    assert request.use_case_id is not None
    return UseCase, request.use_case_id


def _subjects(requests: Sequence[ApprovalRequest]) -> dict[tuple[type, int], Subject]:
    """Return the subjects with everything that is decided on; lists leave most of it out."""
    keys = {_key(request) for request in requests}
    versions = (
        ModelVersion.objects.filter(pk__in=[pk for kind, pk in keys if kind is ModelVersion])
        .defer("described")
        .prefetch_related(Prefetch("use_cases", queryset=UseCase.objects.order_by("number")))
    )
    use_cases = UseCase.objects.filter(pk__in=[pk for kind, pk in keys if kind is UseCase])
    found: dict[tuple[type, int], Subject] = {(ModelVersion, row.pk): row for row in versions}
    return found | {(UseCase, row.pk): row for row in use_cases}
