"""Deployments seen in place: what AWS shows to serve confirms an order, whoever was to report it did or not."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q

from portal.core.actors import Actor
from portal.core.operations import operation
from portal.core.vocabulary import Stage, Status
from registry.aws.session import AwsSession
from registry.choices import DeploymentMode, DeploymentState
from registry.models import AwsAccount, Deployment, EndpointVariant
from registry.sync import endpoints
from registry.sync.endpoints import Counting

from ..models import StageRecord
from ..selectors import in_place, served
from . import deployments
from .locking import lock_version


def read(actor: Actor, account: AwsAccount, session: AwsSession, tally: Counting) -> None:
    """Read what serves in a region, and confirm the deployments that it shows to be in place.

    Raises AwsError as `endpoints.read` does; nothing is confirmed then.
    """
    endpoints.read(actor, account, session, tally)
    confirm(actor=actor, account=account, region=session.account.region)


def confirm(*, actor: Actor, account: AwsAccount, region: str) -> int:
    """Take what a region of an account shows to serve as the report of the deployments it was ordered for.

    One that was ordered, is under way or failed is deployed when the version is seen in place by a reading that began
    later; in approved production its record is deployed too, and what stood there is superseded. What is in place
    already is not written again. Each in an operation of its own; returns how many.
    """
    serves = EndpointVariant.objects.serving().filter(
        version=OuterRef("version"), endpoint__account=account, endpoint__region=region
    )
    waiting = Deployment.objects.filter(_waits(), Exists(serves), account=account).order_by("pk")
    return sum(
        _confirm(actor, deployment_id, version_id, region)
        for deployment_id, version_id in waiting.values_list("pk", "version_id")
    )


def _confirm(actor: Actor, deployment_id: int, version_id: int, region: str) -> bool:
    with operation(actor, "seen serving in AWS"):
        version = lock_version(version_id)
        rows = Deployment.objects.select_for_update(of=("self",)).select_related("account", "version__group")
        deployment = rows.filter(_waits(), pk=deployment_id).first()
        place = None if deployment is None else in_place.seen(deployment, region)
        if deployment is None or place is None:
            return False
        if place.endpoint.read_at <= max(deployment.ordered_at, deployment.reported_at or deployment.ordered_at):
            return False
        deployments.note(
            actor=actor,
            version=version,
            deployment=deployment,
            state=DeploymentState.DEPLOYED,
            endpoint=place.endpoint.name,
            region=region,
            detail=f"Seen serving in AWS at {served.where(place)}, in {region}.",
        )
        return True


def _waits() -> Q:
    """What still is to be confirmed: what was not reported in place, and what went live where it was tried before."""
    approved = StageRecord.objects.filter(
        Q(account=OuterRef("account")) | Q(account=None),
        version=OuterRef("version"),
        stage=Stage.PRODUCTION,
        status=Status.APPROVED,
    )
    tried = Q(
        Exists(approved),
        state=DeploymentState.DEPLOYED,
        mode=DeploymentMode.LIVE,
        stage=Stage.PRODUCTION,
        version__stage=Stage.PRODUCTION,
        version__status__in=(Status.APPROVED, Status.DEPLOYED),
    )
    return Q(state__in=in_place.COMING) | tried
