"""RAM shares, their principals and invitations, as AWS reports them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.utils import timezone

from portal.core.actors import Actor
from portal.core.operations import operation

from ..aws import ram
from ..aws.records import ShareAssociation, ShareRecord
from ..aws.session import AwsSession
from ..choices import ShareState
from ..models import AwsAccount, DeclaredShare, ModelGroup, ResourceShare, ShareInvitation, SharePrincipal
from . import ram_permissions

# What RAM says of an association that is there, or on its way.
ASSOCIATED, ASSOCIATING, FAILED = "ASSOCIATED", "ASSOCIATING", "FAILED"
THERE = frozenset({ASSOCIATED, ASSOCIATING})
PENDING, EXPIRED = "PENDING", "EXPIRED"
# An offer that AWS no longer lists: its share is gone, or its principal was taken out.
GONE = "GONE"
_GROUP = ":model-package-group/"


def refresh_owned(*, actor: Actor, account: AwsAccount, session: AwsSession) -> None:
    """Write down the shares of model groups an account owns in a region: groups, principals, permissions.

    Shares of other things are left alone; one that AWS lists no more is deleted there. Nothing is written unless
    everything could be listed. Raises AwsError. Source: GetResourceShares, GetResourceShareAssociations,
    ListResourceSharePermissions, GetPermission for a version not seen before.
    """
    listed = list(ram.list_shares(session, "SELF"))
    members = _by_share(ram.list_share_associations(session, association_type="PRINCIPAL"))
    resources = _by_share(ram.list_share_associations(session, association_type="RESOURCE"))
    place = {"account": account, "region": session.account.region}
    known = set(ResourceShare.objects.filter(**place).values_list("arn", flat=True))
    known |= set(DeclaredShare.objects.filter(**place).exclude(share_arn="").values_list("share_arn", flat=True))
    ours = [
        record
        for record in listed
        if record.arn in known
        or (record.status != "DELETED" and any(_GROUP in one.entity for one in resources[record.arn]))
    ]
    # A share has one permission per resource type.
    permissions = {
        record.arn: [
            one
            for one in ram.list_share_permissions(session, record.arn)
            if one.resource_type.lower() == ram.RESOURCE_TYPE.lower()
        ]
        for record in ours
        if record.status not in ("DELETED", "DELETING")
    }
    ram_permissions.keep(
        actor=actor,
        account=account,
        session=session,
        records=[permission for attached in permissions.values() for permission in attached],
    )
    now = timezone.now()
    for record in ours:
        attached = permissions.get(record.arn, [])
        with operation(actor, "sync shares"):
            _take_in(
                record,
                members[record.arn],
                resources[record.arn],
                now,
                {
                    **place,
                    "permission_arns": sorted(one.arn for one in attached),
                    "permissions": sorted(f"{one.arn}:{one.version}" for one in attached),
                },
            )
    with operation(actor, "sync shares"):
        gone = ResourceShare.objects.filter(**place).exclude(arn__in=[record.arn for record in listed])
        gone.exclude(state=ShareState.DELETED).update(state=ShareState.DELETED, seen_at=now)


def refresh_invitations(*, actor: Actor, account: AwsAccount, session: AwsSession) -> None:
    """Write down the invitations an account has received in a region, and which of them are gone.

    Raises AwsError. Source: GetResourceShareInvitations.
    """
    invitations = list(ram.list_invitations(session))
    now = timezone.now()
    region = session.account.region
    with operation(actor, "sync invitations"):
        for record in invitations:
            ShareInvitation.objects.update_or_create(
                arn=record.arn,
                defaults={
                    "share_arn": record.share_arn,
                    "share_name": record.share_name,
                    "sender_account_id": record.sender,
                    "receiver": account,
                    "region": region,
                    "status": record.status,
                    "invited_at": record.invited_at,
                    "expires_at": record.expires_at,
                    "seen_at": now,
                },
            )
        pending = ShareInvitation.objects.filter(receiver=account, region=region, status=PENDING)
        for left in pending.exclude(arn__in=[record.arn for record in invitations]):
            ended = EXPIRED if left.expires_at is not None and left.expires_at <= now else GONE
            ShareInvitation.objects.update_or_create(arn=left.arn, defaults={"status": ended})


def _by_share(associations: Iterable[ShareAssociation]) -> defaultdict[str, list[ShareAssociation]]:
    found: defaultdict[str, list[ShareAssociation]] = defaultdict(list)
    for association in associations:
        found[association.share_arn].append(association)
    return found


def _take_in(
    record: ShareRecord,
    members: list[ShareAssociation],
    resources: list[ShareAssociation],
    now: datetime,
    values: dict[str, Any],
) -> None:
    shared = [one.entity for one in resources if one.status in THERE]
    groups = list(ModelGroup.objects.filter(arn__in=shared))
    share, _ = ResourceShare.objects.update_or_create(
        arn=record.arn,
        defaults={
            **values,
            "name": record.name,
            "state": record.status,
            "principals": sorted(one.entity for one in members if one.status in THERE),
            "unknown_resources": sorted(set(shared) - {group.arn for group in groups}),
            "feature_set": record.feature_set,
            "allows_external": record.allow_external,
            "seen_at": now,
        },
    )
    share.groups.set(groups)
    _take_in_members(share, members)


def _take_in_members(share: ResourceShare, members: list[ShareAssociation]) -> None:
    # RAM goes on listing a principal that came back beside its earlier, ended association.
    now = {one.entity: one for one in sorted(members, key=lambda one: one.status in THERE)}
    before = {member.principal: member for member in share.members.all()}
    for principal, one in now.items():
        values = {"status": one.status, "status_message": one.status_message, "is_external": one.external}
        member = before.pop(principal, None)
        if member is None:
            SharePrincipal.objects.create(share=share, principal=principal, **values)
        elif any(getattr(member, name) != value for name, value in values.items()):
            for name, value in values.items():
                setattr(member, name, value)
            member.save()
    for member in before.values():
        member.delete()
