"""What a declaration of a share has to satisfy, checked the same for every surface."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from portal.core.actors import Actor
from portal.core.errors import InvalidInput
from portal.core.permissions import Act, require, require_anywhere
from registry.choices import AccountPurpose
from registry.models import AwsAccount, DeclaredShare, ModelGroup, RamPermission
from registry.selectors import sharing
from registry.sharing.principals import organisation_of
from registry.sharing.template import TemplateRefused, check_name, check_template
from registry.sharing.verbs import GUARDED, Verb, verbs_of, words

MOST_MEMBERS = 100
LONGEST_NAME = 255
LONGEST_REASON = 4000
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True)
class Wish:
    """What somebody wants shared; groups are rows' numbers, accounts are twelve digits.

    Either `permission_arn`, one that RAM lists, or `custom_name` with `custom_template`, a policy template as JSON.
    `allows_external` left out (None) is whatever the accounts need.
    """

    name: str
    groups: Sequence[int]
    accounts: Sequence[str] = ()
    organisation_principals: Sequence[str] = ()
    permission_arn: str = ""
    custom_name: str = ""
    custom_template: Any = None
    allows_external: bool | None = None
    reason: str = ""


@dataclass(frozen=True)
class Terms:
    """What a wish comes to, checked: ready to be written."""

    name: str
    account: AwsAccount
    region: str
    groups: tuple[ModelGroup, ...]
    accounts: tuple[AwsAccount, ...]
    organisation_principals: tuple[str, ...]
    allows_external: bool
    permission_arn: str
    custom_name: str
    actions: tuple[str, ...]
    verbs: tuple[Verb, ...]
    reason: str

    @property
    def principals(self) -> tuple[str, ...]:
        return (*(account.account_id for account in self.accounts), *self.organisation_principals)


@dataclass
class _Problems:
    by_field: dict[str, list[str]] = field(default_factory=dict)

    def add(self, name: str, text: str) -> None:
        self.by_field.setdefault(name, []).append(text)

    def raise_any(self) -> None:
        if self.by_field:
            raise InvalidInput("This cannot be shared as it stands.", errors=self.by_field)


def require_to_share(actor: Actor, groups: Collection[ModelGroup], act: Act = Act.SHARE_GROUPS) -> None:
    """Raise Forbidden unless the actor may do this on the project of every group.

    An unclaimed group, and a share without a group left, need the role everywhere.
    """
    for project_id in {group.project_id for group in groups} or {None}:
        require(actor, act, project_id)


def check(actor: Actor, wish: Wish, declared: DeclaredShare | None = None) -> Terms:
    """Return what a wish comes to. `declared` is the declaration that is edited, None for a new one.

    Raises Forbidden, InvalidInput naming the fields.
    """
    require_anywhere(actor, Act.SHARE_GROUPS)
    problems = _Problems()
    groups = _groups(actor, wish, problems)
    require_to_share(actor, groups)
    problems.raise_any()
    owner, region = groups[0].account, groups[0].region
    if declared is not None and (owner.pk, region) != (declared.account_id, declared.region):
        problems.add("groups", f"This share is of {declared.account} in {declared.region}; groups of it belong there.")
    if not owner.is_enabled:
        problems.add("groups", f"{owner}, which owns these groups, is disabled.")
    if AccountPurpose.HUB not in owner.purposes:
        problems.add("groups", f"{owner}, which owns these groups, is no hub; the portal shares from hubs only.")
    name = _name(wish.name, problems)
    accounts = _accounts(wish, owner, declared, problems)
    organisations = _organisations(wish, owner, problems)
    if not accounts and not organisations and "accounts" not in problems.by_field:
        problems.add("accounts", "Say with which accounts, or with which part of the organisation.")
    if wish.custom_name or wish.custom_template not in (None, ""):
        permission_arn, custom_name = "", wish.custom_name.strip()
        actions, verbs = _custom(wish, owner, region, declared, problems)
    else:
        permission_arn, custom_name = wish.permission_arn.strip(), ""
        actions, verbs = _permission(permission_arn, owner, region, problems)
    outside = [account for account in accounts if is_outside(account, owner)]
    if wish.allows_external is False and outside:
        problems.add(
            "allows_external",
            f"{', '.join(map(str, outside))}: not known to be of the organisation of {owner.alias}. Allow principals"
            " from outside, or write down the organisation of the accounts.",
        )
    reason = wish.reason.strip()
    if len(reason) > LONGEST_REASON or "\x00" in reason:
        problems.add("reason", f"A reason has at most {LONGEST_REASON} characters, and no NUL.")
    if GUARDED & set(verbs):
        require_to_share(actor, groups, Act.SHARE_APPROVAL)
        if not reason:
            allowed = words(GUARDED & set(verbs))
            problems.add("reason", f"This lets another account {allowed}. Only a reason an ML admin gives allows that.")
    problems.raise_any()
    return Terms(
        name=name,
        account=owner,
        region=region,
        groups=tuple(groups),
        accounts=tuple(accounts),
        organisation_principals=tuple(organisations),
        allows_external=bool(outside) if wish.allows_external is None else wish.allows_external,
        permission_arn=permission_arn,
        custom_name=custom_name,
        actions=actions,
        verbs=verbs,
        reason=reason,
    )


def is_outside(account: AwsAccount, owner: AwsAccount) -> bool:
    """Whether an account is not known to be of the owner's organisation."""
    return not owner.organisation_id or account.organisation_id != owner.organisation_id


def _groups(actor: Actor, wish: Wish, problems: _Problems) -> list[ModelGroup]:
    wanted = sorted(set(wish.groups))
    if not wanted or len(wanted) > MOST_MEMBERS:
        problems.add("groups", f"Name 1 to {MOST_MEMBERS} model groups.")
        problems.raise_any()
    rows = ModelGroup.objects.visible_to(actor).filter(pk__in=[pk for pk in wanted if 0 < pk < 2**63])
    groups = list(rows.select_related("account").order_by("name", "pk"))
    if len(groups) != len(wanted):
        problems.add("groups", "One of these model groups does not exist.")
        problems.raise_any()
    for group in groups:
        if group.missing_since is not None:
            problems.add("groups", f"AWS no longer lists {group.name}, so nobody can be let into it.")
    if len({(group.account_id, group.region) for group in groups}) > 1:
        problems.add("groups", "A share is of one account and region: declare one for each.")
    return groups


def _name(name: str, problems: _Problems) -> str:
    found = " ".join(name.split()) if not _CONTROL.search(name.strip()) else ""
    if not found or len(found) > LONGEST_NAME:
        problems.add("name", f"Give the share a name of 1 to {LONGEST_NAME} characters, in one line.")
    return found


def _accounts(wish: Wish, owner: AwsAccount, declared: DeclaredShare | None, problems: _Problems) -> list[AwsAccount]:
    wanted = {account_id.strip() for account_id in wish.accounts}
    if len(wanted) > MOST_MEMBERS:
        problems.add("accounts", f"A share is with at most {MOST_MEMBERS} accounts; share with the organisation.")
        return []
    rows = AwsAccount.objects.filter(account_id__in=[one for one in wanted if one.isascii() and one.isdecimal()])
    accounts = list(rows.order_by("account_id"))
    before = set(declared.accounts.all()) if declared else set()
    for unknown in sorted(wanted - {account.account_id for account in accounts}):
        problems.add("accounts", f"The portal does not know an account {unknown[:20]!r}. Register it first.")
    for account in accounts:
        if account.pk == owner.pk:
            problems.add("accounts", f"{account} owns these groups; it needs no share.")
        elif not account.is_enabled and account not in before:
            problems.add("accounts", f"{account} is disabled, so nobody could accept for it. Enable it first.")
    return accounts


def _organisations(wish: Wish, owner: AwsAccount, problems: _Problems) -> list[str]:
    wanted = sorted({principal.strip() for principal in wish.organisation_principals if principal.strip()})
    for principal in wanted:
        organisation = organisation_of(principal)
        if not organisation:
            problems.add(
                "organisation_principals",
                f"{principal[:120]!r} is not the ARN of an organisation or an organisational unit.",
            )
        elif organisation != owner.organisation_id:
            known = owner.organisation_id or "not written down"
            problems.add(
                "organisation_principals",
                f"{organisation} is not the organisation of {owner.alias}, which is {known}.",
            )
    return wanted


def _permission(
    arn: str, owner: AwsAccount, region: str, problems: _Problems
) -> tuple[tuple[str, ...], tuple[Verb, ...]]:
    if not arn:
        problems.add("permission", "Choose a permission, or write one of your own.")
        return (), ()
    row = None
    if "\x00" not in arn:
        row = RamPermission.objects.filter(account=owner, region=region, arn=arn, is_current=True).first()
    if row is None:
        problems.add(
            "permission",
            f"RAM of {owner.alias} in {region} lists no such permission for model groups, or was not read yet.",
        )
        return (), ()
    other = DeclaredShare.objects.wanted().filter(custom_permission_arn=arn).first()
    if other is not None:
        problems.add("permission", f"{row.name} belongs to {other.public_id} and changes with it; write another.")
        return (), ()
    if not row.template or not row.actions:
        problems.add(
            "permission", f"What {row.name} allows could not be read, so nobody can say what it would let accounts do."
        )
        return (), ()
    return tuple(row.actions), tuple(Verb(verb) for verb in row.verbs)


def _custom(
    wish: Wish, owner: AwsAccount, region: str, declared: DeclaredShare | None, problems: _Problems
) -> tuple[tuple[str, ...], tuple[Verb, ...]]:
    if wish.permission_arn:
        problems.add("permission", "Choose a permission or write one of your own, not both.")
    actions: tuple[str, ...] = ()
    try:
        name = check_name(wish.custom_name)
    except TemplateRefused as refusal:
        problems.add("custom_name", str(refusal))
    else:
        _refuse_taken(name, owner, region, declared, problems)
    try:
        actions = check_template(wish.custom_template)
    except TemplateRefused as refusal:
        for problem in refusal.problems:
            problems.add("custom_template", problem)
    found = verbs_of(actions)
    return actions, tuple(verb for verb in Verb if verb in found)


def _refuse_taken(
    name: str, owner: AwsAccount, region: str, declared: DeclaredShare | None, problems: _Problems
) -> None:
    """Refuse a name that something else has: a new version would change what other shares allow."""
    mine = declared is not None and declared.custom_name == name
    others = DeclaredShare.objects.wanted().filter(account=owner, region=region, custom_name=name)
    other = others.exclude(pk=declared.pk if declared else None).first()
    if other is not None:
        problems.add("custom_name", f"{other.public_id} has a permission of that name; choose another.")
    elif not mine and sharing.permissions(owner, region).filter(name=name).exists():
        problems.add("custom_name", "RAM has a permission of that name already; choose it, or choose another name.")
