"""Whether AWS shows a version to serve in an account: conditions for rows that name both."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef, Q

from registry.choices import SyncKind, SyncState
from registry.models import EndpointVariant, SyncRun


def is_observed(*, answering: bool = False) -> Exists:
    """Return the condition that a row's version is seen serving in its account, or (answering) not only as a shadow."""
    rows = EndpointVariant.objects.answering() if answering else EndpointVariant.objects.serving()
    return Exists(rows.filter(version=OuterRef("version"), endpoint__account=OuterRef("account")))


def was_observed() -> Exists:
    """Return the condition that a row's version was ever seen at an endpoint of its account."""
    return Exists(EndpointVariant.objects.filter(version=OuterRef("version"), endpoint__account=OuterRef("account")))


def read_since(account: str = "account", region: str = "region", moment: str = "reported_at") -> Exists:
    """Return the condition that the endpoints of a row's account and region were read whole after a moment of it."""
    return Exists(
        SyncRun.objects.filter(
            account=OuterRef(account),
            region=OuterRef(region),
            kind=SyncKind.ENDPOINTS,
            state=SyncState.SUCCEEDED,
            started_at__gt=OuterRef(moment),
        )
    )


def overruled() -> Q:
    """Return the condition that what was reported of a deployment is not so: a later reading has no such endpoint.

    A report that names an endpoint is overruled by a later reading of the whole account and region that does not have
    it; one that names none may be of something that is no endpoint, and stands.
    """
    return ~Q(endpoint="") & Q(read_since()) & ~Q(is_observed())


def reported_alone(deployments: Any) -> Any:
    """Keep the deployments whose report is the last word: what is observed speaks for itself, and against a report."""
    return deployments.exclude(is_observed()).exclude(overruled())
