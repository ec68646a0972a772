"""Deployments reported back: by people, pipelines or AWS."""

from __future__ import annotations

from portal.core import access
from portal.core.actors import Actor
from portal.core.errors import InvalidInput
from portal.core.operations import operation
from portal.core.permissions import Act
from portal.core.vocabulary import Stage
from registry.choices import DeploymentState
from registry.models import Deployment
from registry.services import deployments as registry_deployments

from . import in_production, review
from .locking import lock_version

REPORTABLE = (DeploymentState.IN_PROGRESS, DeploymentState.DEPLOYED, DeploymentState.FAILED)


def report(
    *, actor: Actor, deployment_id: int, state: DeploymentState, endpoint: str = "", detail: str = ""
) -> Deployment:
    """Write down what became of an ordered deployment; one in approved production makes its record deployed.

    Raises NotFound, Forbidden, InvalidInput for a state nobody can report, WrongState for a report out of order.
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
        registry_deployments.report(deployment=deployment, state=state, endpoint=endpoint, detail=detail)
        if state is DeploymentState.DEPLOYED and deployment.stage == Stage.PRODUCTION:
            in_production.mark_deployed(
                actor=actor,
                version=version,
                account=deployment.account,
                reason=detail.strip() or "Reported deployed.",
            )
        review.look_at(actor=actor, version_id=version.pk, kinds=review.AFTER_DEPLOYMENT)
        return deployment
