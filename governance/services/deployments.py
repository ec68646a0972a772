"""Deployments reported back: by people or pipelines; `observed_deployments` does it for what AWS shows."""

from __future__ import annotations

from django.db.models import Q
from django.utils import timezone

from portal.core import access
from portal.core.actors import Actor
from portal.core.errors import InvalidInput, WrongState
from portal.core.operations import operation
from portal.core.permissions import Act
from portal.core.vocabulary import NotificationKind, Stage, Status
from registry.choices import DeploymentState
from registry.models import Deployment, ModelVersion
from registry.services import deployments as registry_deployments

from ..models import StageRecord
from . import in_production, review
from .locking import lock_version
from .notifications import tell

REPORTABLE = (
    DeploymentState.IN_PROGRESS,
    DeploymentState.DEPLOYED,
    DeploymentState.FAILED,
    DeploymentState.REMOVED,
)
_NEWS = {
    DeploymentState.DEPLOYED: NotificationKind.DEPLOYMENT_DONE,
    DeploymentState.FAILED: NotificationKind.DEPLOYMENT_FAILED,
}


def report(
    *, actor: Actor, deployment_id: int, state: DeploymentState, endpoint: str = "", detail: str = ""
) -> Deployment:
    """Write down what became of an ordered deployment; one in approved production makes its record deployed.

    Raises NotFound, Forbidden, InvalidInput for a state nobody can report, WrongState for a report out of order. What
    stands deployed in production is not reported removed before it is retired or another deployed in its place.
    """
    if state not in REPORTABLE:
        raise InvalidInput(
            "This cannot be reported.",
            errors={"status": [f"Report one of {', '.join(word.value for word in REPORTABLE)}."]},
        )
    with operation(actor, f"report deployment {state.label.lower()}"):
        seen = access.get(Deployment, actor, pk=deployment_id)
        version = lock_version(seen.version_id)
        deployment = access.for_update(Deployment, actor, Act.REPORT_DEPLOYMENT, pk=deployment_id)
        if state is DeploymentState.REMOVED:
            _refuse_while_it_is_what_runs(deployment)
        note(actor=actor, version=version, deployment=deployment, state=state, endpoint=endpoint, detail=detail)
        return deployment


def note(
    *,
    actor: Actor,
    version: ModelVersion,
    deployment: Deployment,
    state: DeploymentState,
    endpoint: str,
    detail: str,
    region: str = "",
) -> None:
    """Write down what was reported or seen of a deployment; one in approved production makes its record deployed.

    The caller holds the version and the deployment, and has asked whether it may. Raises WrongState for what comes out
    of order.
    """
    registry_deployments.report(deployment=deployment, state=state, endpoint=endpoint, detail=detail, region=region)
    if state is DeploymentState.DEPLOYED and deployment.stage == Stage.PRODUCTION:
        in_production.mark_deployed(
            actor=actor,
            version=version,
            account=deployment.account,
            reason=detail.strip() or "Reported deployed.",
        )
    if news := _NEWS.get(state):
        key = f"deployment:{deployment.pk}:{timezone.now().isoformat()}"
        tell(news, key=key, about=deployment, actor=actor, state=state.value, said=detail.strip()[:500])
    review.look_at(actor=actor, version_id=version.pk, kinds=review.AFTER_DEPLOYMENT)


def _refuse_while_it_is_what_runs(deployment: Deployment) -> None:
    deployed = StageRecord.objects.filter(
        version_id=deployment.version_id, stage=deployment.stage, status=Status.DEPLOYED
    ).filter(Q(account_id=deployment.account_id) | Q(account=None))
    if deployed.exists():
        raise WrongState(
            f"It stands deployed in {Stage(deployment.stage).label}. Retire it, or deploy another version in its place."
        )
