"""What AWS has no more: told by a complete, unthrottled pass, and asked for by name before it is believed."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from django.db.models import Q

from portal.core.actors import Actor
from portal.core.operations import operation

from ..aws import sagemaker
from ..aws.arns import parse_group_arn
from ..aws.errors import AwsNotFound
from ..aws.session import AwsSession
from ..models import AwsAccount, ModelVersion
from ..services import groups, versions
from .apply import BATCH, Listeners
from .describing import describe
from .runs import Pass

logger = logging.getLogger(__name__)


def mark(
    actor: Actor,
    account: AwsAccount,
    session: AwsSession,
    under_way: Pass,
    groups_absent: Sequence[str],
    listeners: Listeners,
) -> None:
    """Mark what the pass did not list, if it may be believed: complete, unthrottled, and AWS says so when asked.

    Raises AwsError. Source: DescribeModelPackage, DescribeModelPackageGroup.
    """
    run = under_way.run
    suspects = list(
        ModelVersion.objects.present()
        .filter(Q(pk__in=run.absent) | Q(group__arn__in=groups_absent, group__account=account))
        .values_list("arn", "aws_created_at", "pk")
    )
    if run.throttles or not under_way.is_complete:
        if suspects or groups_absent:
            logger.warning("%s was throttled or incomplete: what it did not list is not taken for missing.", run)
        return
    gone: list[int] = []
    for start in range(0, len(suspects), BATCH):
        some = suspects[start : start + BATCH]
        found = describe(session, sorted({arn for arn, _, _ in some}))
        if found.stopped is not None:
            raise found.stopped
        for arn, error in found.refused.items():
            under_way.refused(arn, error)
        # An ARN may have come back as another version: the row AWS has no more is the one of another creation.
        there = {record.arn: record.created_at for record in found.records}
        gone += [pk for arn, created_at, pk in some if arn in found.gone or (arn in there and there[arn] != created_at)]
    if gone:
        with operation(actor, "full sync"):
            marked = versions.mark_missing(actor=actor, version_ids=gone, seen_before=run.started_at)
            listeners.on_versions_missing(actor, marked)
        run.missing += len(marked)
    vanished = [arn for arn in groups_absent if _is_gone(session, account, arn)]
    if vanished:
        with operation(actor, "full sync"):
            groups.mark_missing(actor=actor, account=account, arns=vanished)


def _is_gone(session: AwsSession, account: AwsAccount, arn: str) -> bool:
    parsed = parse_group_arn(arn)
    try:
        sagemaker.describe_group(session, parsed.name if parsed.account_id == account.account_id else arn)
    except AwsNotFound:
        return True
    return False
