"""Keep resource shares, send and settle invitations, and say what a share lets an account do."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from moto.moto_api._internal import mock_random
from moto.ram.models import ResourceAccessManagerBackend, ram_backends
from moto.sagemaker.models import sagemaker_backends

from ..organization import covered, is_unit, management_of, members
from ..state import journal
from . import errors
from .own_permissions import OwnPermissions, find
from .permissions import DEFAULT, Permission
from .share import Association, Invitation, Share, now

_GROUP_ARN = re.compile(r"arn:aws[a-z-]*:sagemaker:([a-z0-9-]+):(\d{12}):model-package-group/([A-Za-z0-9-]{1,63})")


def backend_of(account: str, region: str) -> SandboxRamBackend:
    """RAM of an account and region."""
    backend = ram_backends[account][region]
    assert isinstance(backend, SandboxRamBackend)
    return backend


def all_shares(region: str) -> Iterator[Share]:
    """Every share of a region, whoever owns it."""
    for account in list(ram_backends):
        yield from list(backend_of(account, region).shares.values())


def shared_with(account: str, region: str) -> list[str]:
    """The ARNs of the groups other accounts share with this one, accepted and in force."""
    found = {
        r.entity: None
        for share in all_shares(region)
        if share.owner != account and share.active_for(account)
        for r in share.live_resources()
    }
    return list(found)


def granted_actions(account: str, region: str, group_arn: str) -> set[str]:
    """The actions that shares in force let the account do on a group and its versions."""
    actions: set[str] = set()
    for share in all_shares(region):
        if share.active_for(account) and any(r.entity == group_arn for r in share.live_resources()):
            actions.update(find(share.permission_arn).actions(share.permission_version))
    return actions


class SandboxRamBackend(OwnPermissions, ResourceAccessManagerBackend):
    """RAM of one account and region; it holds the shares and permissions the account owns."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.shares: dict[str, Share] = {}
        self.permissions: dict[str, Permission] = {}
        self.organization_sharing = False

    def keep(self, share: Share) -> None:
        """Have the share written with the request under way."""
        journal.touch("ram", share.owner, self.region_name, "share", share.arn)

    # ---- finding ------------------------------------------------------------------------------------------------

    def own(self, arn: str) -> Share:
        """A share this account owns. Raises UnknownResourceException."""
        share = self.shares.get(arn)
        if share is None or share.status == "DELETED":
            raise errors.UnknownResource(f"ResourceShare {arn} could not be found.")
        return share

    def visible(self, owner: str | None) -> list[Share]:
        """The shares of SELF, or those of OTHER-ACCOUNTS that this one has accepted."""
        if owner == "SELF":
            return list(self.shares.values())
        if owner == "OTHER-ACCOUNTS":
            shares = all_shares(self.region_name)
            return [s for s in shares if s.owner != self.account_id and s.active_for(self.account_id)]
        raise errors.InvalidParameter(
            f"{owner} is not a valid resource owner. Specify either SELF or OTHER-ACCOUNTS and try again."
        )

    def received(self) -> list[tuple[Share, Invitation]]:
        """The invitations sent to this account."""
        shares = all_shares(self.region_name)
        return [(s, i) for s in shares for i in s.invitations if i.receiver == self.account_id]

    def invitation(self, arn: str) -> tuple[Share, Invitation]:
        """An invitation sent to this account. Raises ResourceShareInvitationArnNotFoundException."""
        for share, invitation in self.received():
            if invitation.arn == arn:
                return share, invitation
        raise errors.InvitationNotFound(f"ResourceShareInvitation {arn} could not be found.")

    def changeable(self, arn: str) -> Share:
        """A share this account may change. Raises OperationNotPermittedException for one made from a policy."""
        share = self.own(arn)
        if share.feature_set != "STANDARD":
            raise errors.OperationNotPermitted(f"{arn} was created from a resource policy; change the policy instead.")
        return share

    # ---- changing -----------------------------------------------------------------------------------------------

    def create(self, p: dict[str, Any]) -> Share:
        """Make a share and invite its principals. Source: RAM CreateResourceShare."""
        token = p.get("clientToken")
        asked = json.dumps({k: v for k, v in p.items() if k != "clientToken"}, sort_keys=True, default=str)
        for known in self.shares.values():
            if token and known.token == token:
                if known.asked != asked:
                    raise errors.IdempotentParameterMismatch(f"clientToken {token} was used with other parameters.")
                return known
        if not p.get("name"):
            raise errors.InvalidParameter("A resource share needs a name.")
        permissions = p.get("permissionArns") or [DEFAULT.arn]
        if len(permissions) > 1:
            raise errors.InvalidParameter("Only one permission per resource type can be attached to a share.")
        permission = self._attachable(permissions[0])
        share = Share(
            arn=f"arn:aws:ram:{self.region_name}:{self.account_id}:resource-share/{mock_random.uuid4()}",
            name=p["name"],
            owner=self.account_id,
            allow_external=p.get("allowExternalPrincipals", True),
            permission_arn=permission.arn,
            permission_version=permission.default_version,
            tags={t["key"]: t["value"] for t in p.get("tags") or []},
            token=token,
            asked=asked,
        )
        self.associate(share, p.get("resourceArns") or [], p.get("principals") or [])
        self.shares[share.arn] = share
        self.keep(share)
        return share

    def associate(self, share: Share, resources: list[str], principals: list[str]) -> list[dict[str, Any]]:
        """Add resources and principals to a share; all of them or, on an error, none."""
        for arn in resources:
            self._check_resource(arn)
        external = {principal: self._check_principal(share, principal) for principal in principals}
        changed = []
        for arn in resources:
            share.resources[arn] = Association(arn, "ASSOCIATED")
            changed.append(share.describe_association(share.resources[arn], "RESOURCE"))
        for principal, outside in external.items():
            if share.principal_status(principal) not in ("ASSOCIATED", "ASSOCIATING"):
                self._add_principal(share, principal, outside)
            changed.append(share.describe_association(share.principals[principal], "PRINCIPAL"))
        share.updated = now()
        self.keep(share)
        return changed

    def _attachable(self, arn: str) -> Permission:
        found = find(arn)
        if found.kind != "AWS_MANAGED" and arn not in self.permissions:
            raise errors.UnknownResource(f"Permission {arn} could not be found.")
        if found.feature_set != "STANDARD":
            raise errors.InvalidParameter(f"Permission {arn} was created from a policy and cannot be attached.")
        return found

    def set_permission(self, share: Share, arn: str, version: int | None, replace: bool) -> None:
        """Give a share another permission. Source: RAM AssociateResourceSharePermission."""
        permission = self._attachable(arn)
        if permission.arn != share.permission_arn and not replace:
            raise errors.InvalidParameter(f"{share.arn} has a permission for its type; use replace to change it.")
        share.permission_version = permission.version(version)
        share.permission_arn, share.updated = permission.arn, now()
        self.keep(share)

    def _add_principal(self, share: Share, principal: str, outside: bool) -> None:
        at_once = not outside and self._sharing_in_organization()
        share.principals[principal] = Association(principal, "ASSOCIATED" if at_once else "ASSOCIATING", outside)
        if not at_once:
            unique = f"{self.account_id}:resource-share-invitation/{mock_random.uuid4()}"
            arn = f"arn:aws:ram:{self.region_name}:{unique}"
            share.invitations.append(Invitation(arn, share.arn, share.name, share.owner, principal))

    def _check_resource(self, arn: str) -> None:
        match = _GROUP_ARN.fullmatch(arn)
        if not match:
            raise errors.MalformedArn(
                f"The resource ARN {arn} is not valid: the sandbox shares sagemaker:ModelPackageGroup only."
            )
        region, account, name = match.groups()
        if account != self.account_id or region != self.region_name:
            raise errors.OperationNotPermitted(
                f"{arn} belongs to account {account} in {region}; only its owner can share it there."
            )
        if name not in sagemaker_backends[account][region].groups:  # type: ignore[attr-defined]
            raise errors.UnknownResource(f"Resource {arn} could not be found.")

    def _check_principal(self, share: Share, principal: str) -> bool:
        """Return whether the principal is outside the owner's organisation."""
        if is_unit(principal):
            if not self._sharing_in_organization():
                raise errors.OperationNotPermitted(
                    "Sharing with AWS Organizations is not enabled; enable it in the management account."
                )
            if not covered(principal) or self.account_id not in members(principal.split(":")[4]):
                raise errors.UnknownResource(f"Organization or unit {principal} could not be found.")
            return False
        if not re.fullmatch(r"\d{12}", principal):
            raise errors.InvalidParameter(
                f"Principal ID {principal} is malformed: the sandbox shares with 12-digit account ids, organizations "
                "and organizational units."
            )
        if principal == self.account_id:
            raise errors.InvalidParameter(f"Account {principal} owns the share and cannot be its principal.")
        outside = principal not in members(self.account_id)
        if outside and not share.allow_external:
            raise errors.OperationNotPermitted(
                f"The resource share you are attempting to share with {principal} does not allow external principals."
            )
        return outside

    def _sharing_in_organization(self) -> bool:
        management = management_of(self.account_id)
        return management is not None and backend_of(management.account_id, self.region_name).organization_sharing

    def disassociate(self, share: Share, resources: list[str], principals: list[str]) -> list[dict[str, Any]]:
        """Take resources and principals out of a share at once. Raises UnknownResourceException."""
        for entity, known in [(r, share.resources) for r in resources] + [(p, share.principals) for p in principals]:
            if entity not in known:
                raise errors.UnknownResource(f"{entity} is not associated with {share.arn}.")
        changed = []
        for arn in resources:
            share.resources[arn].become("DISASSOCIATED")
            changed.append(share.describe_association(share.resources[arn], "RESOURCE"))
        for principal in principals:
            share.principals[principal].become("DISASSOCIATED")
            invitation = share.invitation_of(principal)
            if invitation and invitation.status == "PENDING":
                share.invitations.remove(invitation)  # an offer that was withdrawn cannot be accepted any more
            changed.append(share.describe_association(share.principals[principal], "PRINCIPAL"))
        share.updated = now()
        self.keep(share)
        return changed

    def delete(self, share: Share) -> None:
        """End a share: its rights are gone at once. The record stays, as DELETED."""
        self.disassociate(
            share,
            [r.entity for r in share.remaining_resources()],
            [p for p in share.principals if share.principal_status(p) in ("ASSOCIATED", "ASSOCIATING")],
        )
        share.status = "DELETED"

    def settle(self, arn: str, answer: str) -> Invitation:
        """Accept or reject an invitation. Raises ...AlreadyAccepted, ...AlreadyRejected or ...Expired."""
        share, invitation = self.invitation(arn)
        status = invitation.status
        refusals = {
            "ACCEPTED": errors.InvitationAlreadyAccepted,
            "REJECTED": errors.InvitationAlreadyRejected,
            "EXPIRED": errors.InvitationExpired,
        }
        if status in refusals:
            raise refusals[status](f"ResourceShareInvitation {arn} is {status.lower()} already.")
        invitation.answer = answer
        share.principals[self.account_id].become("ASSOCIATED" if answer == "ACCEPTED" else "DISASSOCIATED")
        self.keep(share)
        return invitation

    def enable_organization_sharing(self) -> None:
        """Let shares inside the organisation need no invitation. Raises OperationNotPermittedException."""
        management = management_of(self.account_id)
        if management is None or management.account_id != self.account_id:
            raise errors.OperationNotPermitted(
                "Sharing with AWS Organizations can be enabled in the organization's management account only."
            )
        self.organization_sharing = True
        journal.touch("ram", self.account_id, self.region_name, "settings")
