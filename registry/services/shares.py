"""RAM shares and invitations as AWS reports them."""

from __future__ import annotations

from collections import defaultdict

from django.utils import timezone

from portal.core.actors import Actor
from portal.core.operations import operation

from ..aws import ram
from ..aws.session import AwsSession
from ..models import AwsAccount, ModelGroup, ResourceShare, ShareInvitation


def refresh_owned(*, actor: Actor, account: AwsAccount, session: AwsSession) -> None:
    """Write down the shares the hub owns: groups, principals, permissions. Raises AwsError.

    Source: GetResourceShares, GetResourceShareAssociations, ListResourceSharePermissions.
    """
    listed = list(ram.list_shares(session, "SELF"))
    principals, resources = defaultdict(list), defaultdict(list)
    for association in ram.list_share_associations(session, association_type="PRINCIPAL"):
        if association.status in {"ASSOCIATED", "ASSOCIATING"}:
            principals[association.share_arn].append(association.entity)
    for association in ram.list_share_associations(session, association_type="RESOURCE"):
        if association.status in {"ASSOCIATED", "ASSOCIATING"}:
            resources[association.share_arn].append(association.entity)
    permissions = {
        share.arn: [permission.arn for permission in ram.list_share_permissions(session, share.arn)]
        for share in listed
        if share.status != "DELETED"
    }
    now = timezone.now()
    with operation(actor, "sync shares"):
        for record in listed:
            share, _ = ResourceShare.objects.update_or_create(
                arn=record.arn,
                defaults={
                    "name": record.name,
                    "account": account,
                    "region": session.account.region,
                    "state": record.status,
                    "principals": sorted(principals[record.arn]),
                    "permission_arns": sorted(permissions.get(record.arn, [])),
                    "allows_external": record.allow_external,
                    "seen_at": now,
                },
            )
            share.groups.set(ModelGroup.objects.filter(arn__in=resources[record.arn]))


def refresh_invitations(*, actor: Actor, account: AwsAccount, session: AwsSession) -> None:
    """Write down the invitations an account has received. Raises AwsError. Source: GetResourceShareInvitations."""
    invitations = list(ram.list_invitations(session))
    now = timezone.now()
    with operation(actor, "sync invitations"):
        for record in invitations:
            ShareInvitation.objects.update_or_create(
                arn=record.arn,
                defaults={
                    "share_arn": record.share_arn,
                    "share_name": record.share_name,
                    "sender_account_id": record.sender,
                    "receiver": account,
                    "status": record.status,
                    "invited_at": record.invited_at,
                    "seen_at": now,
                },
            )
