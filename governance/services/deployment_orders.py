"""Orders to deploy and to remove, and the word to pipelines that wait: composed here, carried by the outbox."""

from __future__ import annotations

from django.utils import timezone

from portal.core import kept
from portal.core.jobs import enqueue_on_commit
from portal.core.vocabulary import Stage
from registry.models import AwsAccount, Deployment, ModelVersion

from ..choices import ChannelKind, OrderAction, OutboxKind, OutboxState
from ..models import ApprovalRequest, DeploymentOrder, OutboxMessage, WaitingCallback
from ..selectors.channels import Way, way_for
from . import outbox


def order_deployment(
    *, version: ModelVersion, deployment: Deployment, request: ApprovalRequest | None
) -> OutboxMessage:
    """Order a deployment on the way its account and stage have now; it waits behind the version's write-back.

    The way is copied into the message: a channel that is edited later does not change what was ordered.
    """
    return _order(version, deployment, request, OrderAction.DEPLOY)


def order_removal(*, version: ModelVersion, deployment: Deployment) -> OutboxMessage:
    """Order that what runs be taken down, on the same way as far as that can carry it."""
    return _order(version, deployment, None, OrderAction.REMOVE)


def refuse_waiting(
    *, version: ModelVersion, who: str, reason: str, request: ApprovalRequest | None = None
) -> list[OutboxMessage]:
    """Tell every pipeline that waits for a version that it may not go on: it was rejected or retired.

    Orders that no pipeline has taken up yet are withdrawn by the same word.
    """
    targets = {
        (callback.stage, callback.account.account_id): callback.home
        for callback in WaitingCallback.objects.waiting()
        .filter(model_package_arn=version.arn)
        .select_related("account", "home")
        .order_by("pk")
    }
    undelivered = OutboxMessage.objects.filter(
        kind=OutboxKind.DEPLOYMENT_ORDER, ordering_key__startswith=f"callback:{version.arn}:", version=version
    ).exclude(state__in=[OutboxState.DELIVERED, OutboxState.SUPERSEDED])
    for message in undelivered.order_by("pk"):
        detail = message.payload["detail"]
        targets.setdefault((detail["stage"], detail["targetAccount"]), version.group.account)
    return [
        _refuse(version, stage, account_id, home, who, reason, request)
        for (stage, account_id), home in sorted(targets.items(), key=lambda item: item[0])
    ]


def wake(*, model_package_arn: str, stage: str, account_id: str) -> int:
    """Give the orders that wait for a pipeline their next attempt now, those given up too; returns how many."""
    now = timezone.now()
    woken = (
        OutboxMessage.objects.filter(ordering_key=callback_key(model_package_arn, stage, account_id))
        .filter(state__in=[OutboxState.PENDING, OutboxState.FAILED])
        .update(state=OutboxState.PENDING, attempts=0, waiting_since=None, next_attempt_at=now)
    )
    if woken:
        enqueue_on_commit(outbox.DELIVER)
    return woken


def callback_key(model_package_arn: str, stage: str, account_id: str) -> str:
    """Return the ordering key of the words to steps that wait for one version, stage and account.

    Not the version's own: an order that waits for a pipeline for days must not hold back the next decision.
    """
    return f"callback:{model_package_arn}:{stage}:{account_id}"


def _order(
    version: ModelVersion, deployment: Deployment, request: ApprovalRequest | None, action: OrderAction
) -> OutboxMessage:
    hub: AwsAccount = version.group.account
    way = way_for(
        hub=hub, region=version.group.region, account=deployment.account, stage=deployment.stage, action=action
    )
    waits = way.kind is ChannelKind.CALLBACK
    if waits:
        # What waited in vain until now is overtaken by this one, which must not stand behind it.
        wake(model_package_arn=version.arn, stage=deployment.stage, account_id=deployment.account.account_id)
    message = outbox.put(
        kind=OutboxKind.DEPLOYMENT_ORDER,
        ordering_key=callback_key(version.arn, deployment.stage, deployment.account.account_id)
        if waits
        else version.arn,
        version=version,
        request_id=request.pk if request else None,
        summary=_summary(version, deployment, action, way),
        payload={
            "account_id": way.account.account_id,
            "region": way.region,
            "channel": dict(way.settings),
            "detail": {
                "action": action.value,
                "deploymentId": deployment.pk,
                "endpoint": deployment.endpoint or None,
                "mode": deployment.mode,
                "modelPackageArn": version.arn,
                "modelPackageGroupName": version.group.name,
                "modelPackageVersion": version.number,
                "contentDigest": version.content_digest,
                "artifactUrl": version.hub_artifact_url or version.artifact_url,
                "stage": deployment.stage,
                "targetAccount": deployment.account.account_id,
                "targetRegion": deployment.region,
                "approvalRequest": request.public_id if request else None,
            },
        },
    )
    kept.insert(
        DeploymentOrder(
            deployment=deployment,
            message=message,
            action=action,
            kind=way.kind,
            through=f"{way.words}. {way.caveat}" if way.caveat else way.words,
        )
    )
    return message


def _summary(version: ModelVersion, deployment: Deployment, action: OrderAction, way: Way) -> str:
    is_removal = action is OrderAction.REMOVE
    ordered = "the removal" if is_removal else f"the {deployment.mode} deployment"
    return (
        f"Order {ordered} of {version.name} {'from' if is_removal else 'to'} {deployment.account}"
        f" for {Stage(deployment.stage).label}, {way.words}"
    )


def _refuse(
    version: ModelVersion,
    stage: str,
    account_id: str,
    home: AwsAccount,
    who: str,
    reason: str,
    request: ApprovalRequest | None,
) -> OutboxMessage:
    wake(model_package_arn=version.arn, stage=stage, account_id=account_id)
    return outbox.put(
        kind=OutboxKind.DEPLOYMENT_ORDER,
        ordering_key=callback_key(version.arn, stage, account_id),
        version=version,
        request_id=request.pk if request else None,
        summary=f"Tell the pipelines that wait for {version.name} to run for {Stage(stage).label} in {account_id}"
        " that they may not go on",
        payload={
            "account_id": home.account_id,
            "region": version.group.region,
            "channel": {"id": None, "kind": ChannelKind.CALLBACK.value},
            "detail": {
                "action": OrderAction.REFUSE.value,
                "modelPackageArn": version.arn,
                "stage": stage,
                "targetAccount": account_id,
                "approvalRequest": request.public_id if request else None,
                "reason": f"{version.name} may not run: {reason} ({who})",
            },
        },
    )
