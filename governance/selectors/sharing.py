"""What disagrees about sharing: RAM against what is declared, who is let in, and who could approve outside of the hub.

Every rule is a fixed number of queries over what the last passes read; no AWS is read here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet, Subquery

from registry.choices import DeclarationState, SyncKind, SyncState
from registry.models import AwsAccount, DeclaredShare, ResourceShare, ShareInvitation, SyncRun
from registry.selectors import sharing
from registry.services.shares import ASSOCIATED, EXPIRED, PENDING, THERE
from registry.sharing.documents import account_of
from registry.sharing.posture import POLICY, AccountPosture
from registry.sharing.principals import organisation_of
from registry.sharing.verbs import Verb

from ..choices import FindingKind, OutboxKind, OutboxState
from ..models import OutboxMessage
from .observed import Observation, Rule, Seen

Only = Collection[int] | None
# Below that, nobody who looks once a day would see in time that an invitation runs out.
NEAR_ITS_END = timedelta(hours=4)


def share_drift(now: datetime, only: Only = None) -> Seen:
    """Shares that RAM does not have as they are declared, and shares of RAM that nobody declared."""
    if only is not None:
        return Seen()
    holds: list[Observation] = []
    unsure: set[str] = set()
    declared = list(_wanted())
    reported = sharing.reported(declared)
    under_way = _on_their_way(declared)
    for one in declared:
        found = reported.get(one.share_arn)
        differences = sharing.drift(one, found)
        observation = Observation(
            one.account,
            f"{one.public_id} {one.name} is not in RAM as it is declared. {' '.join(differences)}",
            {"declared_share": one.public_id, "share_arn": one.share_arn, "differences": list(differences)},
            mark=one.public_id,
        )
        if one.pk in under_way:
            unsure.add(observation.key)
        elif differences:
            holds.append(observation)
    on_their_way = {(one.account_id, one.region, one.name) for one in declared if one.pk in under_way}
    for share in _undeclared():
        observation = Observation(
            share.account,
            _undeclared_words(share),
            {"share_arn": share.arn, "share": share.name},
            mark=f"ram-{share.pk}",
        )
        if (share.account_id, share.region, share.name) in on_their_way:
            # Made this moment: its declaration does not know its ARN yet.
            unsure.add(observation.key)
        else:
            holds.append(observation)
    return Seen(tuple(holds), frozenset(unsure))


def share_to_unknown_account(now: datetime, only: Only = None) -> Seen:
    """Accounts the portal does not know that a share or a group's resource policy lets in."""
    if only is not None:
        return Seen()
    postures = sharing.Postures()
    holds: list[Observation] = []
    for share in _live():
        for member in share.members.all():
            account_id = account_of(member.principal)
            if member.status in THERE and account_id and account_id not in postures.known:
                holds.append(
                    Observation(
                        share.account,
                        f"The share {share.name} is with the account {account_id}, which the portal does not know.",
                        {"share_arn": share.arn, "principal": member.principal, "status": member.status},
                        mark=f"ram-{share.pk}-{account_id}",
                    )
                )
    for group in postures.groups():
        for row in postures.of(group):
            by_policy = any(way.source.startswith(POLICY) for ways in row.ways.values() for way in ways)
            unknown = row.account_id.isdecimal() and row.account_id not in postures.known
            if by_policy and (unknown or row.account_id == "*"):
                who = "everybody" if row.account_id == "*" else f"{row.account_id}, which the portal does not know"
                holds.append(
                    Observation(
                        group,
                        f"The resource policy of {group.name} lets in {who}: {row.words}.",
                        {"account": row.account_id, "verbs": sorted(row.verbs)},
                        mark=f"policy-{row.account_id}",
                    )
                )
    return Seen(_once(holds))


def share_external_principal(now: datetime, only: Only = None) -> Seen:
    """Principals outside of the owner's organisation that a share lets in, and shares open to them undeclared.

    Where the owner's organisation is not written down, the accounts the portal knows stand for it.
    """
    if only is not None:
        return Seen()
    known = {account.account_id: account for account in AwsAccount.objects.all()}
    allowed = set(_wanted().filter(allows_external=True).exclude(share_arn="").values_list("share_arn", flat=True))
    holds: list[Observation] = []
    for share in _live():
        home = share.account.organisation_id
        for member in share.members.all():
            if member.status not in THERE:
                continue
            account = known.get(account_of(member.principal))
            foreign = organisation_of(member.principal)
            if home:
                outside = member.is_external or bool(foreign and foreign != home)
                outside = outside or bool(account and account.organisation_id and account.organisation_id != home)
            else:
                outside = bool(foreign) or account is None
            if outside:
                holds.append(
                    Observation(
                        share.account,
                        f"The share {share.name} lets in {account or member.principal},"
                        f" outside of the organisation {home or 'of the portal'}.",
                        {"share_arn": share.arn, "principal": member.principal, "external": member.is_external},
                        mark=f"ram-{share.pk}-{member.principal}",
                    )
                )
        if home and share.allows_external and share.arn not in allowed:
            holds.append(
                Observation(
                    share.account,
                    f"The share {share.name} is open to principals outside of {home}, which nobody declared.",
                    {"share_arn": share.arn, "allows_external": True},
                    mark=f"ram-{share.pk}-open",
                )
            )
    return Seen(_once(holds))


def approve_path_outside_hub(now: datetime, only: Only = None) -> Seen:
    """Groups whose versions another account can approve, by a share's permission or by the group's resource policy."""
    if only is not None:
        return Seen()
    postures = sharing.Postures()
    known = {account.account_id: account for account in AwsAccount.objects.all()}
    holds = []
    for group in postures.groups():
        for row in postures.of(group):
            if Verb.APPROVE not in row.verbs:
                continue
            account = known.get(row.account_id)
            ways = [f"{way.source} ({way.note})" if way.note else way.source for way in row.ways[Verb.APPROVE]]
            holds.append(
                Observation(
                    group,
                    _approve_words(group.name, row, account),
                    {"account": row.account_id, "ways": ways},
                    account=account,
                    mark="" if account else row.account_id,
                )
            )
    return Seen(tuple(holds))


def invitation_pending(now: datetime, only: Only = None) -> Seen:
    """Invitations to shares of model groups that an account has not accepted yet, and how long it still can."""
    if only is not None:
        return Seen()
    return Seen(tuple(_about(one, _pending_words(one, now)) for one in _newest() if _still_pending(one, now)))


def invitation_expired(now: datetime, only: Only = None) -> Seen:
    """Invitations to declared shares that ran out before the account accepted; AWS has taken the account out again."""
    if only is not None:
        return Seen()
    wanted = set(_wanted().exclude(share_arn="").values_list("share_arn", flat=True))
    holds = [
        _about(
            one,
            f"The invitation of {one.receiver} to the share {one.share_name} expired"
            f"{f' at {one.expires_at:%Y-%m-%d %H:%M} UTC' if one.expires_at else ''}. Invite it again.",
        )
        for one in _newest()
        if one.share_arn in wanted
        and (one.status == EXPIRED or (one.status == PENDING and not _still_pending(one, now)))
    ]
    return Seen(tuple(holds))


RULES: dict[FindingKind, Rule] = {
    FindingKind.SHARE_DRIFT: share_drift,
    FindingKind.SHARE_TO_UNKNOWN_ACCOUNT: share_to_unknown_account,
    FindingKind.SHARE_EXTERNAL_PRINCIPAL: share_external_principal,
    FindingKind.APPROVE_PATH_OUTSIDE_HUB: approve_path_outside_hub,
    FindingKind.INVITATION_PENDING: invitation_pending,
    FindingKind.INVITATION_EXPIRED: invitation_expired,
}


def share_key(declared: DeclaredShare) -> str:
    """Return the ordering key of everything that writes one share."""
    return f"share:{declared.public_id}"


def _wanted() -> QuerySet[Any]:
    """Declarations nobody withdrew, with when RAM was last read for them."""
    passes = SyncRun.objects.filter(
        account=OuterRef("account"), region=OuterRef("region"), kind=SyncKind.SHARES, state=SyncState.SUCCEEDED
    ).order_by("-started_at")
    return (
        DeclaredShare.objects.wanted()
        .annotate(read_at=Subquery(passes.values("started_at")[:1]))
        .select_related("account")
        .prefetch_related("groups", "accounts")
        .order_by("number")
    )


def _on_their_way(declared: Iterable[Any]) -> frozenset[int]:
    """Return those a worker still has to write, or for which RAM was not read since they were changed."""
    pending = OutboxMessage.objects.filter(kind=OutboxKind.SHARE, state=OutboxState.PENDING)
    keys = set(pending.values_list("ordering_key", flat=True))
    return frozenset(
        one.pk
        for one in declared
        if one.state == DeclarationState.DECLARED
        or share_key(one) in keys
        or one.read_at is None
        or one.read_at < one.changed_at
    )


def _live() -> QuerySet[ResourceShare]:
    """Shares of model groups that let somebody in."""
    return ResourceShare.objects.live().select_related("account").prefetch_related("groups", "members").order_by("pk")


def _undeclared() -> QuerySet[ResourceShare]:
    declared = DeclaredShare.objects.wanted().filter(share_arn=OuterRef("arn"))
    return _live().filter(~Exists(declared))


def _undeclared_words(share: ResourceShare) -> str:
    groups = ", ".join(sorted(group.name for group in share.groups.all())) or "model groups"
    if share.is_from_policy:
        return f"A resource policy shares {groups}: RAM made the share {share.name} of it, and nobody declared it."
    return f"RAM has the share {share.name} of {groups}, which nobody declared."


def _approve_words(group: str, row: AccountPosture, account: AwsAccount | None) -> str:
    who = str(account) if account else "Everybody" if row.account_id == "*" else row.account_id
    ways = row.ways[Verb.APPROVE]
    sure = any(way.sure for way in ways)
    sources = "; ".join(dict.fromkeys(way.source for way in ways))
    reasons = " ".join(dict.fromkeys(f"The reason given: {way.reason}" for way in ways if way.reason))
    said = f"{who} {'can' if sure else 'can perhaps'} approve versions of {group} outside of the hub, by {sources}."
    return f"{said} {reasons}".strip()


def _newest() -> list[ShareInvitation]:
    """Return the last invitation of each account to each share it is not in by now."""
    inside = set(
        ResourceShare.objects.live()
        .filter(members__status=ASSOCIATED)
        .values_list("arn", "members__principal", "members__status")
    )
    there = {(arn, principal) for arn, principal, status in inside if status == ASSOCIATED}
    known = set(ResourceShare.objects.live().values_list("arn", flat=True))
    newest: dict[tuple[str, int], ShareInvitation] = {}
    for one in ShareInvitation.objects.select_related("receiver").order_by("invited_at", "pk"):
        newest[one.share_arn, one.receiver_id] = one
    return [
        one
        for one in newest.values()
        if one.share_arn in known and (one.share_arn, one.receiver.account_id) not in there
    ]


def _still_pending(one: ShareInvitation, now: datetime) -> bool:
    return one.status == PENDING and (one.expires_at is None or one.expires_at > now)


def _pending_words(one: ShareInvitation, now: datetime) -> str:
    said = f"{one.receiver} has not accepted the share {one.share_name}."
    if one.expires_at is None:
        return said
    end = f"{one.expires_at:%Y-%m-%d %H:%M} UTC"
    if one.expires_at - now <= NEAR_ITS_END:
        return f"{said} The invitation runs out soon, at {end}; afterwards it has to be invited again."
    return f"{said} It can until {end}."


def _about(one: ShareInvitation, words: str) -> Observation:
    return Observation(
        one.receiver,
        words,
        {
            "share_arn": one.share_arn,
            "invitation_arn": one.arn,
            "expires_at": one.expires_at.isoformat() if one.expires_at else None,
        },
        mark=one.share_arn.rsplit("/", 1)[-1],
    )


def _once(seen: Iterable[Observation]) -> tuple[Observation, ...]:
    """Keep the last of what stands under one key."""
    return tuple({observation.key: observation for observation in seen}.values())
