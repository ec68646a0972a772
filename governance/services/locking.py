"""The one order in which rows are locked: group, version, use case, request. Keeping it is what avoids deadlocks.

Rows are locked FOR NO KEY UPDATE: their keys never change, and a plain FOR UPDATE would also hold up whoever inserts a
row that refers to them (a finding, a ledger entry), which no order of locks foresees.
"""

from __future__ import annotations

from collections.abc import Collection

from portal.core.kept import Kept, hold
from registry.models import ModelGroup, ModelVersion, UseCase, VersionUseCase

from ..models import ApprovalRequest, Decision
from ..selectors.asked import Asked

_GROUP_OF = Kept(
    lambda version_id: ModelGroup.objects.select_for_update(no_key=True).only("pk").filter(versions=version_id), int
)
_VERSION = Kept(
    lambda version_id: (
        ModelVersion.objects.select_for_update(of=("self",), no_key=True)
        .select_related("group__account", "group__project")
        .defer("described")
        .filter(pk=version_id)
    ),
    int,
)
_SERVED = Kept(
    lambda version_id: (
        UseCase.objects.select_for_update(of=("self",), no_key=True).filter(versions=version_id).order_by("pk")
    ),
    int,
)
_USE_CASE = Kept(
    lambda pk: UseCase.objects.select_for_update(of=("self",), no_key=True).select_related("project").filter(pk=pk), int
)
_REQUEST = Kept(
    lambda pk: (
        ApprovalRequest.objects.select_for_update(of=("self",), no_key=True).select_related("policy").filter(pk=pk)
    ),
    int,
)
_DECISIONS = Kept(lambda request_id: Decision.objects.filter(request=request_id), int)


def lock_version(version_id: int) -> ModelVersion:
    """Lock a version behind its group, and behind it the use cases it serves.

    Moves of one version may touch its siblings; and what is decided about it includes the risk of its use cases,
    which must not change meanwhile.
    """
    _GROUP_OF.get(version_id)
    version = _VERSION.get(version_id)
    hold(version, "use_cases", UseCase.objects.all(), _SERVED.all(version_id))
    return version


def lock_use_case(use_case_id: int) -> UseCase:
    """Lock a use case."""
    return _USE_CASE.get(use_case_id)


def lock_use_cases_of(versions: Collection[ModelVersion]) -> None:
    """Lock the use cases that versions serve, before anything behind them in the order: requests, records."""
    served = VersionUseCase.objects.filter(version__in=[version.pk for version in versions]).values("use_case")
    list(UseCase.objects.select_for_update(no_key=True).filter(pk__in=served).order_by("pk").values_list("pk"))


def lock_subject(request: ApprovalRequest | Asked) -> UseCase | ModelVersion:
    """Lock what a request is about."""
    if request.use_case_id is not None:
        return lock_use_case(request.use_case_id)
    assert request.version_id is not None
    return lock_version(request.version_id)


def lock_request(request_id: int, subject: UseCase | ModelVersion | None = None) -> ApprovalRequest:
    """Lock a request, after its subject, which it then knows as it was locked."""
    request = _REQUEST.get(request_id)
    hold(request, "decisions", Decision.objects.all(), _DECISIONS.all(request_id))
    if isinstance(subject, UseCase):
        request.use_case = subject
    elif subject is not None:
        request.version = subject
    return request
