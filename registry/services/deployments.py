"""Deployment rows: ordered, reported, replaced. When one is due is the governance services' business."""

from __future__ import annotations

from django.utils import timezone

from portal.core import kept
from portal.core.actors import Actor
from portal.core.errors import WrongState

from ..choices import DeploymentMode, DeploymentState, Stage
from ..models import AwsAccount, Deployment, ModelVersion

_AT = kept.Kept(
    lambda version_id, account_id, stage: Deployment.objects.select_for_update().filter(
        version=version_id, account=account_id, stage=stage
    ),
    int,
    int,
    str,
)
# What may be reported next; a replaced deployment is history.
NEXT: dict[str, frozenset[str]] = {
    DeploymentState.ORDERED: frozenset({DeploymentState.IN_PROGRESS, DeploymentState.DEPLOYED, DeploymentState.FAILED}),
    DeploymentState.IN_PROGRESS: frozenset({DeploymentState.DEPLOYED, DeploymentState.FAILED}),
    DeploymentState.FAILED: frozenset({DeploymentState.IN_PROGRESS, DeploymentState.DEPLOYED}),
    DeploymentState.DEPLOYED: frozenset({DeploymentState.REMOVED}),
    DeploymentState.REPLACED: frozenset({DeploymentState.REMOVED}),
    DeploymentState.REMOVED: frozenset(),
}


def reportable(deployment: Deployment) -> frozenset[str]:
    """Return what may be reported of a deployment next.

    Going live is ordered under the id of the trial, and what is live can be deployed anew or fail, so there a report
    of what is in place is not the last word.
    """
    if deployment.mode == DeploymentMode.LIVE and deployment.state == DeploymentState.DEPLOYED:
        return NEXT[DeploymentState.ORDERED] | {DeploymentState.REMOVED}
    return NEXT[deployment.state]


def order(
    *, actor: Actor, version: ModelVersion, account: AwsAccount, stage: Stage, mode: DeploymentMode
) -> Deployment:
    """Write an order, or renew the one an earlier walk to this stage left."""
    # The version is locked by the caller, so nobody else writes its first order meanwhile.
    found = _AT.first(version.pk, account.pk, stage)
    deployment = Deployment(version=version, account=account, stage=stage) if found is None else found
    deployment.region = region_of(version, account)
    deployment.mode = mode
    deployment.state = DeploymentState.ORDERED
    deployment.endpoint = deployment.detail = ""
    deployment.ordered_at = timezone.now()
    deployment.reported_at = None
    if found is None:
        return kept.insert(deployment)
    deployment.save()
    return deployment


def region_of(version: ModelVersion, account: AwsAccount) -> str:
    """Return where in an account a version is deployed: SageMaker makes models of the packages of their own region.

    Where the account does not work in that region it is the account's first, for a pipeline that copies the artifact.
    """
    region: str = version.group.region
    return region if region in account.regions else account.region


def go_live(*, actor: Actor, deployment: Deployment) -> None:
    """Turn a trial into the live deployment."""
    deployment.mode = DeploymentMode.LIVE
    deployment.save(update_fields=["mode"])


def report(*, deployment: Deployment, state: DeploymentState, endpoint: str, detail: str, region: str = "") -> None:
    """Write down what was reported of a locked deployment; `region` where it is seen in another than it was ordered to.

    Raises WrongState for a report out of order.
    """
    if state not in reportable(deployment):
        raise WrongState(
            f"This deployment is {DeploymentState(deployment.state).label.lower()}"
            f" and cannot be reported {state.label.lower()} now."
        )
    deployment.state = state
    deployment.endpoint = endpoint.strip() or deployment.endpoint
    deployment.region = region or deployment.region
    deployment.detail = detail.strip()
    deployment.reported_at = timezone.now()
    deployment.save(update_fields=["state", "endpoint", "region", "detail", "reported_at"])


def replace(*, actor: Actor, version: ModelVersion, account: AwsAccount, stage: Stage) -> None:
    """Mark what another version has taken the place of."""
    for deployment in Deployment.objects.running().filter(version=version, account=account, stage=stage):
        deployment.state = DeploymentState.REPLACED
        deployment.save(update_fields=["state"])
