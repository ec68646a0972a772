"""What stands against the open requests of a list: what the policy misses, and what changed since they were asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Prefetch

from portal.core.vocabulary import Stage
from registry.models import ModelVersion, UseCase

from ..choices import RequestState
from ..models import ApprovalRequest
from ..policies.facts import Check, OverrideFact, Requirements
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
    known = gather(subjects.values())
    needed = {request.pk: Requirements.from_json(request.requirements) for request in waiting}

    def checked(request: ApprovalRequest, overrides: Sequence[OverrideFact] = ()) -> tuple[Check, ...]:
        subject, stage = subjects[_key(request)], Stage(request.stage)
        return policies.checks(subject, stage, needed[request.pk], overrides, known=known)

    checks = {request.pk: checked(request) for request in waiting}
    # Rules are overridden where they are not met, and seldom.
    failing = [request for request in waiting if not all(check.holds for check in checks[request.pk])]
    overridden = overrides_of_many([subjects[_key(request)] for request in failing]) if failing else {}
    for request in failing:
        if overrides := overridden.get((*_key(request), request.stage)):
            checks[request.pk] = checked(request, overrides)
    found = {}
    for request in waiting:
        subject, stage = subjects[_key(request)], Stage(request.stage)
        tier = policies.tier_of(subject)
        found[request.pk] = Marks(
            unmet=tuple(check for check in checks[request.pk] if not check.holds),
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
    """Return the subjects with everything that is decided on; what a list left out of a version is read at once."""
    found: dict[tuple[type, int], Subject] = {}
    lacking = []
    for request in requests:
        subject = request.subject
        if isinstance(subject, ModelVersion) and not _is_whole(subject):
            lacking.append(subject.pk)
        else:
            found[_key(request)] = subject
    if lacking:
        versions = ModelVersion.objects.filter(pk__in=lacking).defer("described")
        use_cases = Prefetch("use_cases", queryset=UseCase.objects.order_by("number"))
        found |= {(ModelVersion, row.pk): row for row in versions.prefetch_related(use_cases)}
    return found


def _is_whole(version: ModelVersion) -> bool:
    left_out = version.get_deferred_fields() - {"described"}
    return not left_out and "use_cases" in getattr(version, "_prefetched_objects_cache", {})
