"""The one order in which rows are locked: group, version, use case, request. Keeping it is what avoids deadlocks.

Rows are locked FOR NO KEY UPDATE: their keys never change, and a plain FOR UPDATE would also hold up whoever inserts a
row that refers to them (a finding, a ledger entry), which no order of locks foresees.
"""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Prefetch

from registry.models import ModelGroup, ModelVersion, UseCase, VersionUseCase

from ..models import ApprovalRequest


def lock_version(version_id: int) -> ModelVersion:
    """Lock a version behind its group, and behind it the use cases it serves.

    Moves of one version may touch its siblings; and what is decided about it includes the risk of its use cases,
    which must not change meanwhile.
    """
    ModelGroup.objects.select_for_update(no_key=True).only("pk").get(versions=version_id)
    return (
        ModelVersion.objects.select_for_update(of=("self",), no_key=True)
        .select_related("group__account", "group__project")
        .defer("described")
        .prefetch_related(
            Prefetch("use_cases", UseCase.objects.select_for_update(of=("self",), no_key=True).order_by("pk"))
        )
        .get(pk=version_id)
    )


def lock_use_case(use_case_id: int) -> UseCase:
    """Lock a use case."""
    return UseCase.objects.select_for_update(of=("self",), no_key=True).select_related("project").get(pk=use_case_id)


def lock_use_cases_of(versions: Collection[ModelVersion]) -> None:
    """Lock the use cases that versions serve, before anything behind them in the order: requests, records."""
    served = VersionUseCase.objects.filter(version__in=[version.pk for version in versions]).values("use_case")
    list(UseCase.objects.select_for_update(no_key=True).filter(pk__in=served).order_by("pk").values_list("pk"))


def lock_subject(request: ApprovalRequest) -> UseCase | ModelVersion:
    """Lock what a request is about."""
    if request.use_case_id is not None:
        return lock_use_case(request.use_case_id)
    assert request.version_id is not None
    return lock_version(request.version_id)


def lock_request(request_id: int, subject: UseCase | ModelVersion | None = None) -> ApprovalRequest:
    """Lock a request, after its subject, which it then knows as it was locked."""
    request = (
        ApprovalRequest.objects.select_for_update(of=("self",), no_key=True)
        .select_related("policy")
        .prefetch_related("decisions")
        .get(pk=request_id)
    )
    if isinstance(subject, UseCase):
        request.use_case = subject
    elif subject is not None:
        request.version = subject
    return request
