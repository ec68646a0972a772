"""Whether a version is seen in place in an account: what AWS shows serving it counts as its deployment, or does not.

An order for a trial is met by whatever serves the version, a shadow too. What is to be live answers requests, and no
version that stands deployed there is sent a greater share of them at the same endpoint: until then it is still tried.
"""

from __future__ import annotations

from django.db.models import Q

from portal.core.vocabulary import Stage, Status
from registry.choices import DeploymentMode, DeploymentState
from registry.models import Deployment, EndpointVariant

from ..models import StageRecord

COMING = (DeploymentState.ORDERED, DeploymentState.IN_PROGRESS, DeploymentState.FAILED)


def seen(deployment: Deployment, region: str | None = None) -> EndpointVariant | None:
    """Return what shows a deployment to be in place, None without; in one region or in any of its account."""
    live = deployment.mode == DeploymentMode.LIVE
    known = EndpointVariant.objects.answering() if live else EndpointVariant.objects.serving().filter(is_pending=False)
    rows = known.filter(version=deployment.version_id, endpoint__account=deployment.account_id)
    if region is not None:
        rows = rows.filter(endpoint__region=region)
    found = rows.select_related("endpoint", "version").order_by("endpoint__name", "name", "pk")
    return next((row for row in found if not (live and _is_beside_the_live_one(row))), None)


def is_disproved(deployment: Deployment) -> bool:
    """Whether AWS shows the version in the deployment's account, but not so that it would be in place."""
    rows = EndpointVariant.objects.serving().filter(
        version=deployment.version_id, endpoint__account=deployment.account_id
    )
    return rows.exists() and seen(deployment) is None


def _is_beside_the_live_one(row: EndpointVariant) -> bool:
    if row.weight is None or row.version is None:
        return False
    fellows = (
        EndpointVariant.objects.answering()
        .filter(endpoint=row.endpoint_id, weight__gt=row.weight, version__group=row.version.group_id)
        .exclude(version=row.version_id)
        .values_list("version", flat=True)
    )
    return (
        StageRecord.objects.filter(version__in=list(fellows), stage=Stage.PRODUCTION, status=Status.DEPLOYED)
        .filter(Q(account=row.endpoint.account_id) | Q(account=None))
        .exists()
    )
