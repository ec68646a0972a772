"""Who can do what with which group, by shares and resource policies; and what RAM has that nobody declared."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cached_property

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet

from portal.core import access
from portal.core.actors import Actor
from portal.core.permissions import Act, may

from ..choices import AccountPurpose, DeclarationState
from ..models import (
    AwsAccount,
    DeclaredShare,
    GroupPolicy,
    ModelGroup,
    RamPermission,
    ResourceShare,
    ShareInvitation,
)
from ..sharing.documents import Caller, Unreadable, template_verbs
from ..sharing.drift import Declared, InRam, differences
from ..sharing.posture import AccountPosture, Way, posture, ways_by_policy
from ..sharing.principals import behind
from ..sharing.verbs import GUARDED, Verb

_PENDING, _THERE = "ASSOCIATING", ("ASSOCIATED", "ASSOCIATING")


class Postures:
    """Everything a posture is made of, read once; a fixed number of queries however many groups are asked about."""

    def __init__(self, groups: Collection[ModelGroup] | None = None) -> None:
        self._only = None if groups is None else [group.pk for group in groups]

    @cached_property
    def known(self) -> dict[str, Caller]:
        """The accounts the portal knows, by id."""
        rows = AwsAccount.objects.values_list("account_id", "organisation_id")
        return {account_id: Caller(account_id, organisation) for account_id, organisation in rows}

    @cached_property
    def _verbs(self) -> dict[tuple[int, str, str], dict[Verb, bool]]:
        rows = RamPermission.objects.exclude(template="").values_list(
            "account_id", "region", "arn", "version", "template"
        )
        return {(account, region, f"{arn}:{version}"): _verbs(text) for account, region, arn, version, text in rows}

    @cached_property
    def _declared(self) -> dict[str, DeclaredShare]:
        return {row.share_arn: row for row in DeclaredShare.objects.wanted().exclude(share_arn="")}

    @cached_property
    def _shares(self) -> dict[int, list[ResourceShare]]:
        rows = ResourceShare.objects.live().exclude(feature_set="CREATED_FROM_POLICY")
        if self._only is not None:
            rows = rows.filter(groups__in=self._only).distinct()
        found: dict[int, list[ResourceShare]] = defaultdict(list)
        for share in rows.prefetch_related("groups", "members").order_by("name", "pk"):
            for group in share.groups.all():
                found[group.pk].append(share)
        return found

    @cached_property
    def _policies(self) -> dict[int, str]:
        rows = GroupPolicy.objects.exclude(document="")
        if self._only is not None:
            rows = rows.filter(group__in=self._only)
        return dict(rows.values_list("group_id", "document"))

    def groups(self) -> list[ModelGroup]:
        """Return the groups anybody is let into, by share or by policy."""
        ids = {*self._shares, *self._policies}
        return list(ModelGroup.objects.filter(pk__in=ids).select_related("account").order_by("pk"))

    def of(self, group: ModelGroup) -> tuple[AccountPosture, ...]:
        """Return what every other account can do with a group."""
        owner = group.account.account_id
        ways = [way for share in self._shares.get(group.pk, []) for way in self.by_share(share)]
        ways += ways_by_policy(self._policies.get(group.pk, ""), group.arn, owner, self.known.values())
        return posture(way for way in ways if way.account_id != owner)

    def by_share(self, share: ResourceShare) -> Iterator[Way]:
        """Yield what a share opens, and to whom; a permission nobody could read perhaps opens everything."""
        declared = self._declared.get(share.arn)
        for permission in share.permissions:
            verbs = self._verbs.get((share.account_id, share.region, permission))
            name = permission.rsplit(":", 1)[0].rsplit("/", 1)[-1]
            source = f"the share {declared.public_id if declared else share.name} under {name}"
            if verbs is None:
                verbs, source = dict.fromkeys(Verb, False), f"{source}, which could not be read"
            for member in share.members.all():
                if member.status not in _THERE:
                    continue
                for who in behind(member.principal, self.known.values()):
                    for verb, sure in verbs.items():
                        yield Way(
                            who.account_id,
                            verb,
                            source,
                            sure=sure and who.sure,
                            pending=member.status == _PENDING,
                            to=who.to,
                            share=share.arn,
                            # What an ML admin gave for approving is said of nothing else, nor for a declaration that
                            # lets nobody approve.
                            reason=declared.reason if declared and declared.grants_guarded and verb in GUARDED else "",
                        )

    def planned(self, verbs: Iterable[Verb], principals: Iterable[str], owner_id: str) -> tuple[AccountPosture, ...]:
        """Return what each account but the owner could do under a permission that comes to these verbs."""
        known = self.known.values()
        return posture(
            Way(who.account_id, verb, "this share", sure=who.sure, to=who.to)
            for principal in principals
            for who in behind(principal, known)
            if who.account_id != owner_id
            for verb in verbs
        )


def _verbs(template: str) -> dict[Verb, bool]:
    try:
        return template_verbs(template)
    except Unreadable:
        return dict.fromkeys(Verb, False)


def principals_of(declared: DeclaredShare) -> frozenset[str]:
    """Return whom a declaration lets in, as RAM names them."""
    return frozenset(
        {account.account_id for account in declared.accounts.all()} | set(declared.organisation_principals)
    )


def drift(declared: DeclaredShare, share: ResourceShare | None) -> tuple[str, ...]:
    """Return every difference between a declaration and what RAM says of it, in plain words."""
    wanted = Declared(
        name=declared.name,
        groups=frozenset(group.arn for group in declared.groups.all()),
        principals=principals_of(declared),
        permission_arn=declared.permission_arn or declared.custom_permission_arn,
        allows_external=declared.allows_external,
    )
    return differences(wanted, in_ram(share) if share else None)


def shown_drift(declared: DeclaredShare) -> list[str] | None:
    """Return the differences as they are shown; None for who does not see every group they may name."""
    if len(declared.groups.all()) > len(declared.seen_groups):  # type: ignore[attr-defined]  # of `declared`
        return None
    if not declared.share_arn or declared.is_over:
        return []
    return list(_standing_drift(declared, reported([declared])))


def drifted(rows: Iterable[DeclaredShare]) -> set[int]:
    """Return the keys of the declared shares of which RAM says something else."""
    standing = [row for row in rows if row.share_arn and not row.is_over]
    found = reported(standing)
    return {row.pk for row in standing if _standing_drift(row, found)}


def _standing_drift(declared: DeclaredShare, found: Mapping[str, ResourceShare]) -> tuple[str, ...]:
    """Return the differences; what was made a moment ago and not read since has none."""
    share = found.get(declared.share_arn)
    if share is None and declared.state == DeclarationState.APPLYING:
        return ()
    return drift(declared, share)


def posture_of_share(declared: DeclaredShare) -> tuple[AccountPosture, ...]:
    """Return what each account can do by this share, as RAM has it; as it is planned while RAM does not have it."""
    share = reported([declared]).get(declared.share_arn)
    postures = Postures([])
    if share is None or not share.is_live:
        verbs = [Verb(verb) for verb in declared.verbs]
        return postures.planned(verbs, sorted(principals_of(declared)), declared.account.account_id)
    return posture(way for way in postures.by_share(share) if way.account_id != declared.account.account_id)


def in_ram(share: ResourceShare) -> InRam:
    """Return what RAM says of a share, ready to compare."""
    return InRam(
        state=share.state,
        name=share.name,
        groups=frozenset({group.arn for group in share.groups.all()} | set(share.unknown_resources)),
        principals={member.principal: member.status for member in share.members.all()},
        permission_arns=frozenset(share.permission_arns),
        allows_external=share.allows_external,
    )


def declared(actor: Actor) -> QuerySet[DeclaredShare]:
    """Return the declared shares an actor may see, newest first; `seen_groups` are those of its groups he sees."""
    seen = ModelGroup.objects.visible_to(actor).order_by("name", "pk")
    return (
        DeclaredShare.objects.visible_to(actor)
        .select_related("account", "declared_by")
        .prefetch_related("groups", "accounts", Prefetch("groups", seen, to_attr="seen_groups"))
        .order_by("-number")
    )


def declared_share(actor: Actor, number: int) -> DeclaredShare:
    """Return one declared share by its number. Raises NotFound."""
    row = access.get(DeclaredShare, actor, number=number)
    return declared(actor).get(pk=row.pk)


def reported(declared_rows: Iterable[DeclaredShare]) -> dict[str, ResourceShare]:
    """Return what RAM says of declared shares, by ARN."""
    arns = [row.share_arn for row in declared_rows if row.share_arn]
    rows = ResourceShare.objects.filter(arn__in=arns).select_related("account").prefetch_related("groups", "members")
    return {row.arn: row for row in rows}


def undeclared(actor: Actor) -> QuerySet[ResourceShare]:
    """Return the live RAM shares an actor may see that no declaration stands for, and of their groups those he sees."""
    wanted = DeclaredShare.objects.wanted().filter(share_arn=OuterRef("arn"))
    return (
        ResourceShare.objects.visible_to(actor)
        .live()
        .filter(~Exists(wanted))
        .select_related("account")
        .prefetch_related(Prefetch("groups", ModelGroup.objects.visible_to(actor).order_by("name", "pk")))
        .order_by("name", "pk")
    )


def invitations_of(share_arn: str) -> list[ShareInvitation]:
    """Return every invitation to a share that one of the portal's accounts received, newest first."""
    if not share_arn:
        return []
    return list(
        ShareInvitation.objects.filter(share_arn=share_arn).select_related("receiver").order_by("-invited_at", "-pk")
    )


def shareable_groups(actor: Actor) -> QuerySet[ModelGroup]:
    """Return the groups of hubs an actor may share, by name."""
    rows = ModelGroup.objects.visible_to(actor).filter(
        missing_since=None, account__is_enabled=True, account__purposes__contains=[AccountPurpose.HUB]
    )
    if not may(actor, Act.SHARE_GROUPS):
        held = [pk for pk in actor.grants.by_project if may(actor, Act.SHARE_GROUPS, pk)]
        rows = rows.filter(project__in=held)
    return rows.select_related("account").order_by("name", "pk")


def spokes(actor: Actor, *, also: DeclaredShare | None = None) -> QuerySet[AwsAccount]:
    """Return the accounts one can share with: those enabled, and those a share is with already."""
    enabled = Q(is_enabled=True) | Q(pk__in=also.accounts.all() if also else [])
    return AwsAccount.objects.visible_to(actor).filter(enabled).order_by("account_id")


def offered_permissions() -> list[RamPermission]:
    """Return the permissions one can choose, each once however many hubs list it."""
    own = DeclaredShare.objects.wanted().exclude(custom_permission_arn="").values("custom_permission_arn")
    rows = RamPermission.objects.filter(is_current=True).exclude(template="").exclude(arn__in=own)
    rows = rows.order_by("kind", "-is_default", "name")
    return list({row.arn: row for row in rows}.values())


def permissions(account: AwsAccount, region: str) -> QuerySet[RamPermission]:
    """Return the permissions one can share under in an account and region: those RAM lists and that could be read."""
    return (
        RamPermission.objects.filter(account=account, region=region, is_current=True)
        .exclude(template="")
        .order_by("-kind", "-is_default", "name")
    )
