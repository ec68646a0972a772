"""Answer RAM's operations on shares and invitations."""

from __future__ import annotations

from moto.core.responses import ActionResult

from ..organization import members
from . import errors
from .models import all_shares, backend_of
from .permission_responses import PermissionResponses
from .permissions import RESOURCE_TYPE
from .share import now


class SandboxRamResponse(PermissionResponses):
    """RAM over HTTP (rest-json): one method for each operation, named in snake case."""

    # ---- shares -------------------------------------------------------------------------------------------------

    def create_resource_share(self) -> ActionResult:
        share = self.ram.create(self.params)
        return ActionResult({"resourceShare": share.describe(), "clientToken": self.params.get("clientToken")})

    def update_resource_share(self) -> ActionResult:
        p = self.params
        share = self.ram.changeable(p["resourceShareArn"])
        if p.get("name") is None and p.get("allowExternalPrincipals") is None:
            raise errors.InvalidParameter("Give a name or allowExternalPrincipals to change.")
        share.name = p.get("name") or share.name
        share.allow_external = p.get("allowExternalPrincipals", share.allow_external)
        share.updated = now()
        self.ram.keep(share)
        return ActionResult({"resourceShare": share.describe(), "clientToken": p.get("clientToken")})

    def delete_resource_share(self) -> ActionResult:
        self.ram.delete(self.ram.changeable(str(self._get_param("resourceShareArn"))))
        return ActionResult({"returnValue": True})

    def get_resource_shares(self) -> ActionResult:
        p = self.params
        shares = self.ram.visible(p.get("resourceOwner"))
        if p.get("resourceShareArns"):
            missing = set(p["resourceShareArns"]) - {s.arn for s in shares}
            if missing and p.get("resourceOwner") == "SELF":
                raise errors.UnknownResource(f"ResourceShares {sorted(missing)} could not be found.")
            shares = [s for s in shares if s.arn in p["resourceShareArns"]]
        if p.get("name"):
            shares = [s for s in shares if s.name == p["name"]]
        if p.get("resourceShareStatus"):
            shares = [s for s in shares if s.status == p["resourceShareStatus"]]
        if p.get("permissionArn"):
            shares = [s for s in shares if s.permission_arn == p["permissionArn"]]
        for wanted in p.get("tagFilters") or []:
            values = wanted.get("tagValues") or []
            key = wanted.get("tagKey")
            shares = [s for s in shares if key in s.tags and (not values or s.tags[key] in values)]
        rows = [s.describe() for s in shares]
        return self._page("resourceShares", rows, lambda r: [r["creationTime"].isoformat(), r["resourceShareArn"]])

    def get_resource_share_associations(self) -> ActionResult:
        p = self.params
        kind = p.get("associationType")
        if kind == "SOURCE":  # which service may act for the share; model package groups have none
            return ActionResult({"resourceShareAssociations": []})
        if kind not in ("PRINCIPAL", "RESOURCE"):
            raise errors.InvalidParameter(f"{kind} is not PRINCIPAL, RESOURCE or SOURCE.")
        if (kind == "PRINCIPAL" and p.get("resourceArn")) or (kind == "RESOURCE" and p.get("principal")):
            raise errors.InvalidParameter(f"resourceArn and principal must match the association type {kind}.")
        wanted = p.get("resourceArn") or p.get("principal")
        rows = []
        for share in self.ram.shares.values():
            if p.get("resourceShareArns") and share.arn not in p["resourceShareArns"]:
                continue
            known = share.principals if kind == "PRINCIPAL" else share.resources
            rows += [share.describe_association(a, kind) for a in known.values() if wanted in (None, a.entity)]
        if p.get("associationStatus"):
            rows = [r for r in rows if r["status"] == p["associationStatus"]]
        return self._page("resourceShareAssociations", rows, lambda r: [r["resourceShareArn"], r["associatedEntity"]])

    def associate_resource_share(self) -> ActionResult:
        p = self.params
        share = self.ram.changeable(p["resourceShareArn"])
        changed = self.ram.associate(share, p.get("resourceArns") or [], p.get("principals") or [])
        return ActionResult({"resourceShareAssociations": changed, "clientToken": p.get("clientToken")})

    def disassociate_resource_share(self) -> ActionResult:
        p = self.params
        account = self.current_account
        shared = (s for s in all_shares(self.region) if s.arn == p["resourceShareArn"] and s.active_for(account))
        share = next(shared, None) or self.ram.changeable(p["resourceShareArn"])
        if share.owner != account and (p.get("resourceArns") or p.get("principals") != [account]):
            raise errors.OperationNotPermitted("A consumer can take itself out of a share, and nothing else.")
        owner = backend_of(share.owner, self.region)
        changed = owner.disassociate(share, p.get("resourceArns") or [], p.get("principals") or [])
        return ActionResult({"resourceShareAssociations": changed, "clientToken": p.get("clientToken")})

    def tag_resource(self) -> ActionResult:
        share = self.ram.own(self.params["resourceShareArn"])
        share.tags.update({t["key"]: t["value"] for t in self.params["tags"]})
        self.ram.keep(share)
        return ActionResult({})

    def untag_resource(self) -> ActionResult:
        share = self.ram.own(self.params["resourceShareArn"])
        for key in self.params["tagKeys"]:
            share.tags.pop(key, None)
        self.ram.keep(share)
        return ActionResult({})

    def enable_sharing_with_aws_organization(self) -> ActionResult:
        self.ram.enable_organization_sharing()
        return ActionResult({"returnValue": True})

    # ---- invitations --------------------------------------------------------------------------------------------

    def get_resource_share_invitations(self) -> ActionResult:
        p = self.params
        rows = [
            i.describe()
            for s, i in self.ram.received()
            if (not p.get("resourceShareInvitationArns") or i.arn in p["resourceShareInvitationArns"])
            and (not p.get("resourceShareArns") or s.arn in p["resourceShareArns"])
        ]
        return self._page(
            "resourceShareInvitations",
            rows,
            lambda r: [r["invitationTimestamp"].isoformat(), r["resourceShareInvitationArn"]],
        )

    def accept_resource_share_invitation(self) -> ActionResult:
        invitation = self.ram.settle(self.params["resourceShareInvitationArn"], "ACCEPTED")
        return ActionResult({"resourceShareInvitation": invitation.describe()})

    def reject_resource_share_invitation(self) -> ActionResult:
        invitation = self.ram.settle(self.params["resourceShareInvitationArn"], "REJECTED")
        return ActionResult({"resourceShareInvitation": invitation.describe()})

    def list_pending_invitation_resources(self) -> ActionResult:
        share, invitation = self.ram.invitation(self.params["resourceShareInvitationArn"])
        if invitation.status == "REJECTED":
            raise errors.InvitationAlreadyRejected(f"ResourceShareInvitation {invitation.arn} was rejected.")
        if invitation.status == "EXPIRED":
            raise errors.InvitationExpired(f"ResourceShareInvitation {invitation.arn} has expired.")
        rows = [share.describe_resource(a) for a in share.live_resources()]
        return self._page("resources", rows, lambda r: [r["arn"]])

    # ---- inventory ----------------------------------------------------------------------------------------------

    def list_resources(self) -> ActionResult:
        p = self.params
        if p.get("resourceType") not in (None, RESOURCE_TYPE):
            return ActionResult({"resources": []})
        rows = []
        for share in self.ram.visible(p.get("resourceOwner")):
            if p.get("resourceShareArns") and share.arn not in p["resourceShareArns"]:
                continue
            if p.get("principal") and p["principal"] not in (*share.principals, share.owner):
                continue
            rows += [share.describe_resource(a) for a in share.live_resources()]
        if p.get("resourceArns"):
            rows = [r for r in rows if r["arn"] in p["resourceArns"]]
        return self._page("resources", rows, lambda r: [r["arn"], r["resourceShareArn"]])

    def list_principals(self) -> ActionResult:
        p = self.params
        rows, inside = [], members(self.current_account)
        for share in self.ram.visible(p.get("resourceOwner")):
            if p.get("resourceShareArns") and share.arn not in p["resourceShareArns"]:
                continue
            if p.get("resourceArn") and p["resourceArn"] not in [a.entity for a in share.live_resources()]:
                continue
            own = share.owner == self.current_account
            for association in share.principals.values() if own else [None]:
                if association and share.principal_status(association.entity) not in ("ASSOCIATED", "ASSOCIATING"):
                    continue
                rows.append(
                    {
                        "id": association.entity if association else share.owner,
                        "resourceShareArn": share.arn,
                        "creationTime": (association or share).created,
                        "lastUpdatedTime": (association or share).updated,
                        "external": association.external if association else share.owner not in inside,
                    }
                )
        if p.get("principals"):
            rows = [r for r in rows if r["id"] in p["principals"]]
        return self._page("principals", rows, lambda r: [r["id"], r["resourceShareArn"]])

    def list_resource_types(self) -> ActionResult:
        kind = {"resourceType": RESOURCE_TYPE, "serviceName": "sagemaker", "resourceRegionScope": "REGIONAL"}
        return ActionResult({"resourceTypes": [kind]})
