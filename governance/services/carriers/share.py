"""Carrying a declared share to RAM: made, brought in line, or deleted.

What is carried out is the declaration as it stands now, compared with what RAM says: whatever is right already is left,
so a worker may die anywhere and the next one goes on. A share made just before is found again by its tag.
"""

from __future__ import annotations

import uuid
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from portal.core.jobs import enqueue_on_commit
from portal.core.operations import operation
from registry.aws import ram, ram_permissions
from registry.aws.errors import AwsDenied, AwsNotFound
from registry.aws.records import PermissionRecord, ShareAssociation, ShareRecord
from registry.aws.session import AwsSession
from registry.choices import DeclarationState
from registry.models import DeclaredShare
from registry.selectors import sharing
from registry.services.shares import ASSOCIATED, ASSOCIATING, FAILED, THERE
from registry.sharing.template import template_text

from ...models import OutboxMessage
from .carrier import ACTOR, Carrier, Hopeless, NotYet, remember, session_of

TAG = "model-governance-portal:share"
SYNC_SHARES = "governance.sync_shares_of_account"
# Somebody in another account has to accept; after that long his invitation is gone.
PATIENCE = timedelta(hours=13)
_SECONDS = 5


@dataclass
class _Members:
    """What is associated with a share, by principal or resource; what is there before what has ended."""

    principals: dict[str, ShareAssociation]
    resources: dict[str, ShareAssociation]

    @classmethod
    def read(cls, session: AwsSession, share_arn: str) -> _Members:
        found = [
            {
                one.entity: one
                for one in sorted(
                    ram.list_share_associations(session, association_type=kind, share_arns=[share_arn]),
                    key=lambda one: one.status in THERE,
                )
            }
            for kind in ("PRINCIPAL", "RESOURCE")
        ]
        return cls(*found)


def carry(message: OutboxMessage) -> dict[str, Any]:
    """Make RAM say what is declared. Raises AwsError, NotYet while associations are on their way, Hopeless.

    Source: GetResourceShares, CreateResourceShare, UpdateResourceShare, AssociateResourceShare,
    DisassociateResourceShare, AssociateResourceSharePermission, DeleteResourceShare.
    """
    declared = DeclaredShare.objects.select_related("account").get(pk=message.payload["declared_share"])
    if not declared.account.is_enabled:
        raise Hopeless(f"{declared.account} is disabled, so its shares stay as they are. Enable it and try again.")
    session = session_of(declared.account.account_id, declared.region)
    if declared.state == DeclarationState.WITHDRAWN:
        return {"revision": declared.revision, "withdrawn": True}
    if declared.is_over:
        return _delete(message, declared, session)
    return _bring_in_line(message, declared, session)


def _bring_in_line(message: OutboxMessage, declared: DeclaredShare, session: AwsSession) -> dict[str, Any]:
    permission_arn, version = _permission(message, declared, session)
    groups = sorted(group.arn for group in declared.groups.all())
    principals = sorted(sharing.principals_of(declared))
    share = _find(declared, session)
    if share is None:
        share = ram.create_share(
            session,
            name=declared.name,
            resource_arns=groups,
            principals=principals,
            permission_arns=[permission_arn],
            allow_external=declared.allows_external,
            # Bound to what it is made of: the same request again is the same share, another one is another.
            client_token=_token(message, f"create:{declared.share_arn}:{declared.revision}"),
            tags={TAG: str(declared.token)},
        )
        _remember_arn(declared, share.arn)
    if (share.name, share.allow_external) != (declared.name, declared.allows_external):
        ram.update_share(
            session, share.arn, name=declared.name, allow_external=declared.allows_external, client_token=_fresh()
        )
    members = _Members.read(session, share.arn)
    _invite_again(message, share, members, session)
    changed = _take_out(share, members, groups, principals, session)
    changed = _put_in(message, share, members, groups, principals, session) or changed
    _permit(share, permission_arn, version, session)
    if changed:
        members = _Members.read(session, share.arn)
    _await(message, declared, members, groups, principals)
    return {
        "revision": declared.revision,
        "settled": all(members.principals[one].status == ASSOCIATED for one in principals),
    }


def _find(declared: DeclaredShare, session: AwsSession) -> ShareRecord | None:
    """Return the declared share as RAM has it; one deleted by hand is none."""
    try:
        named = list(ram.list_shares(session, "SELF", share_arns=[declared.share_arn])) if declared.share_arn else []
    except AwsNotFound:
        named = []
    tagged = [] if named else list(ram.list_shares(session, "SELF", tag=(TAG, str(declared.token))))
    for share in [*named, *tagged]:
        if share.status == FAILED:
            raise Hopeless(f"RAM could not make the share: {share.status_message or 'it gives no reason'}.")
        if share.status in ("PENDING", "ACTIVE"):
            if declared.share_arn != share.arn:
                _remember_arn(declared, share.arn)
            return share
    return None


def _all_of(declared: DeclaredShare, session: AwsSession) -> list[ShareRecord]:
    """Return every share of RAM that is the declared one: the one remembered, and any that has its tag."""
    found = {share.arn: share for share in ram.list_shares(session, "SELF", tag=(TAG, str(declared.token)))}
    if declared.share_arn and declared.share_arn not in found:
        with suppress(AwsNotFound):
            found.update(
                (share.arn, share) for share in ram.list_shares(session, "SELF", share_arns=[declared.share_arn])
            )
    return list(found.values())


def _permission(message: OutboxMessage, declared: DeclaredShare, session: AwsSession) -> tuple[str, str]:
    """Return the permission's ARN and the version the share needs ("" is whichever it has)."""
    if not declared.custom_name:
        return declared.permission_arn, ""
    wanted, template = tuple(sorted(declared.custom_actions)), template_text(declared.custom_actions)
    found = _own_permission(declared, session)
    if found is None:
        made = ram_permissions.create_permission(
            session,
            name=declared.custom_name,
            template=template,
            client_token=_token(message, f"permission:{declared.custom_name}:{template}"),
        )
        _remember_permission(declared, made.arn)
        return made.arn, made.version
    if found.actions == wanted:
        if declared.custom_permission_arn != found.arn:
            _remember_permission(declared, found.arn)
        return found.arn, found.version
    if declared.custom_permission_arn != found.arn:
        raise Hopeless(
            f"RAM has a permission {declared.custom_name} that allows something else. Choose another name for it."
        )
    _make_room(found, session)
    newer = ram_permissions.create_permission_version(
        session, found.arn, template=template, client_token=_token(message, f"version:{found.version}:{template}")
    )
    return found.arn, newer.version


def _own_permission(declared: DeclaredShare, session: AwsSession) -> PermissionRecord | None:
    if declared.custom_permission_arn:
        with suppress(AwsNotFound):
            return ram.get_permission(session, declared.custom_permission_arn)
    for record in ram.list_permissions(session, permission_type="CUSTOMER_MANAGED"):
        if record.name == declared.custom_name:
            return ram.get_permission(session, record.arn)
    return None


def _make_room(permission: PermissionRecord, session: AwsSession) -> None:
    """Delete the oldest version no share has when there are as many as RAM keeps."""
    versions = list(ram_permissions.list_permission_versions(session, permission.arn))
    if len(versions) < ram_permissions.MOST_VERSIONS:
        return
    old = sorted(int(one.version) for one in versions if one.version != permission.version and one.version.isdecimal())
    for version in old:
        try:
            ram_permissions.delete_permission_version(session, permission.arn, version, client_token=_fresh())
        except AwsDenied:
            continue
        return


def _permit(share: ShareRecord, permission_arn: str, version: str, session: AwsSession) -> None:
    attached = list(ram.list_share_permissions(session, share.arn))
    if any(one.arn == permission_arn and version in ("", one.version) for one in attached):
        return
    ram_permissions.replace_permission(
        session,
        share.arn,
        permission_arn,
        version=int(version) if version.isdecimal() else None,
        client_token=_fresh(),
    )


def _invite_again(message: OutboxMessage, share: ShareRecord, members: _Members, session: AwsSession) -> None:
    """Take out, once, whoever is to be invited again; what follows puts him in."""
    wanted = [one for one in message.payload.get("reinvite", ()) if one not in message.progress.get("taken_out", ())]
    there = [one for one in wanted if one in members.principals and members.principals[one].status in THERE]
    out = [one for one in there if members.principals[one].status != ASSOCIATED]
    if out:
        ram.disassociate(session, share.arn, principals=out, client_token=_fresh())
        for one in out:
            del members.principals[one]
    if wanted:
        remember(message, taken_out=[*message.progress.get("taken_out", ()), *wanted])


def _take_out(
    share: ShareRecord, members: _Members, groups: list[str], principals: list[str], session: AwsSession
) -> bool:
    surplus_groups = _there(members.resources) - set(groups)
    surplus = _there(members.principals) - set(principals)
    if surplus_groups or surplus:
        ram.disassociate(
            session,
            share.arn,
            resource_arns=sorted(surplus_groups),
            principals=sorted(surplus),
            client_token=_fresh(),
        )
    return bool(surplus_groups or surplus)


def _put_in(
    message: OutboxMessage,
    share: ShareRecord,
    members: _Members,
    groups: list[str],
    principals: list[str],
    session: AwsSession,
) -> bool:
    """Associate what is missing; what RAM refused since it was asked for by this very message is not asked again."""
    asked = set(message.progress.get("asked", ()))
    for entity, one in [*members.resources.items(), *members.principals.items()]:
        if one.status == FAILED and entity in asked:
            reason = one.status_message or "it gives no reason"
            raise Hopeless(f"RAM could not let {entity} into the share: {reason}.")
    new_groups = sorted(set(groups) - _there(members.resources))
    new = sorted(set(principals) - _there(members.principals))
    leaving = [
        one
        for one in (*new_groups, *new)
        if _status(members.resources, one) == "DISASSOCIATING" or _status(members.principals, one) == "DISASSOCIATING"
    ]
    if leaving:
        raise NotYet(f"RAM to take {', '.join(leaving)} out before it can come back", seconds=_SECONDS)
    if not new_groups and not new:
        return False
    remember(message, asked=sorted({*asked, *new_groups, *new}))
    ram.associate(session, share.arn, resource_arns=new_groups, principals=new, client_token=_fresh())
    return True


def _await(
    message: OutboxMessage, declared: DeclaredShare, members: _Members, groups: list[str], principals: list[str]
) -> None:
    """Raise NotYet until RAM has associated everything that waits for nobody's acceptance, Hopeless for a refusal."""
    asked = [*((one, members.resources) for one in groups), *((one, members.principals) for one in principals)]
    for entity, among in asked:
        if _status(among, entity) == FAILED:
            reason = among[entity].status_message or "it gives no reason"
            raise Hopeless(f"RAM could not let {entity} into the share: {reason}.")
    waiting = [
        entity
        for entity, among in asked
        if _status(among, entity) != ASSOCIATED
        # Who is outside of the organisation accepts in his own time.
        and not (_status(among, entity) == ASSOCIATING and among is members.principals and among[entity].external)
    ]
    if waiting:
        _applying(declared)
        raise NotYet(f"RAM to associate {', '.join(waiting[:3])}", seconds=_SECONDS)


def _there(members: dict[str, ShareAssociation]) -> set[str]:
    return {entity for entity, one in members.items() if one.status in THERE}


def _status(members: dict[str, ShareAssociation], entity: str) -> str:
    return members[entity].status if entity in members else ""


def _delete(message: OutboxMessage, declared: DeclaredShare, session: AwsSession) -> dict[str, Any]:
    for share in _all_of(declared, session):
        if share.status not in ("DELETED", "DELETING"):
            with suppress(AwsNotFound):
                ram.delete_share(session, share.arn, client_token=_token(message, f"delete:{share.arn}"))
    if declared.custom_permission_arn:
        try:
            ram_permissions.delete_permission(session, declared.custom_permission_arn, client_token=_fresh())
        except AwsNotFound:
            pass
        except AwsDenied as refusal:
            # RAM refuses while a share has it, and deleting the share takes a moment.
            words = f"RAM to let go of the permission {declared.custom_name}: {refusal.message}"
            raise NotYet(words, seconds=_SECONDS) from refusal
    return {"revision": declared.revision, "withdrawn": True}


def _token(message: OutboxMessage, what: str) -> str:
    return str(uuid.uuid5(message.token, what))


def _fresh() -> str:
    """Return a token of its own: what was compared just before is meant again, even if it was asked for before."""
    return str(uuid.uuid4())


def _remember_arn(declared: DeclaredShare, arn: str) -> None:
    with operation(ACTOR, f"{declared.public_id} is {arn.rsplit('/', 1)[-1]} in RAM"):
        declared.share_arn = arn
        declared.save(update_fields=["share_arn"])


def _remember_permission(declared: DeclaredShare, arn: str) -> None:
    with operation(ACTOR, f"permission of {declared.public_id}"):
        declared.custom_permission_arn = arn
        declared.save(update_fields=["custom_permission_arn"])


def _applying(declared: DeclaredShare) -> None:
    rows = DeclaredShare.objects.filter(pk=declared.pk, revision=declared.revision, state=DeclarationState.DECLARED)
    with operation(ACTOR, f"{declared.public_id} is on its way"):
        rows.update(state=DeclarationState.APPLYING)


def delivered(message: OutboxMessage, result: dict[str, Any]) -> None:
    """Say how far the declaration is, unless it was changed meanwhile: then another message follows."""
    declared = DeclaredShare.objects.select_for_update().get(pk=message.payload["declared_share"])
    if declared.revision == result["revision"]:
        if result.get("withdrawn"):
            declared.state = DeclarationState.WITHDRAWN
        else:
            declared.state = DeclarationState.IN_PLACE if result["settled"] else DeclarationState.APPLYING
        declared.problem = ""
        declared.save(update_fields=["state", "problem"])
    for account in (declared.account, *declared.accounts.all()):
        if account.is_enabled:
            enqueue_on_commit(SYNC_SHARES, account_id=account.account_id, requested_by="outbox")


def given_up(message: OutboxMessage, error: str) -> None:
    """Say on the declaration what went wrong; another try begins afresh."""
    message.progress = {}
    message.save(update_fields=["progress"])
    declared = DeclaredShare.objects.select_for_update().get(pk=message.payload["declared_share"])
    declared.problem = error
    if not declared.is_over:
        declared.state = DeclarationState.FAILING
    declared.save(update_fields=["state", "problem"])


CARRIER = Carrier(carry, delivered, given_up, patience=PATIENCE)
