"""Answer RAM's operations on permissions, AWS's and an account's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.core.responses import ActionResult, BaseResponse

from ..pages import BadToken, binding, cut
from . import errors
from .models import SandboxRamBackend, backend_of
from .own_permissions import find
from .permissions import DEFAULT, MANAGED, RESOURCE_TYPE, Permission
from .share import Share

Rows = list[dict[str, Any]]


class PermissionResponses(BaseResponse):
    """Permissions over HTTP."""

    def __init__(self) -> None:
        super().__init__(service_name="ram")
        self.automated_parameter_parsing = True

    @property
    def ram(self) -> SandboxRamBackend:
        return backend_of(self.current_account, self.region)

    def _page(self, member: str, rows: Rows, key: Callable[[dict[str, Any]], list[Any]]) -> ActionResult:
        limit = int(self.params.get("maxResults") or 500)
        try:
            page, token = cut(rows, key, limit, self.params.get("nextToken"), binding(self.params))
        except BadToken:
            raise errors.InvalidNextToken("The specified value for nextToken is not valid.") from None
        return ActionResult({member: page, "nextToken": token})

    def _visible(self, arn: str) -> Permission:
        """A permission this account may read: AWS's, its own, or one of a share it is in."""
        found = find(arn)
        used = (s for s in self.ram.visible("OTHER-ACCOUNTS") if s.permission_arn == arn)
        if found.kind != "AWS_MANAGED" and arn not in self.ram.permissions and next(used, None) is None:
            raise errors.UnknownResource(f"Permission {arn} could not be found.")
        return found

    def list_permissions(self) -> ActionResult:
        p = self.params
        kind = p.get("permissionType") or "ALL"
        if kind not in ("ALL", "AWS_MANAGED", "CUSTOMER_MANAGED"):
            raise errors.InvalidParameter(f"permissionType {kind} is not ALL, AWS_MANAGED or CUSTOMER_MANAGED.")
        known = [*MANAGED.values(), *self.ram.permissions.values()]
        rows = [permission.summary() for permission in known if kind in ("ALL", permission.kind)]
        if p.get("resourceType") and p["resourceType"].lower() != RESOURCE_TYPE.lower():
            rows = []
        if p.get("permissionStatus"):
            rows = [r for r in rows if r["status"] == p["permissionStatus"]]
        return self._page("permissions", rows, lambda r: [not r["isResourceTypeDefault"], r["arn"]])

    def get_permission(self) -> ActionResult:
        permission = self._visible(self.params["permissionArn"])
        return ActionResult({"permission": permission.detail(self.params.get("permissionVersion"))})

    def list_permission_versions(self) -> ActionResult:
        permission = self._visible(self.params["permissionArn"])
        rows = [permission.summary(number) for number in permission.versions]
        return self._page("permissions", rows, lambda r: [int(r["version"])])

    def create_permission(self) -> ActionResult:
        made = self.ram.create_permission(self.params)
        return ActionResult({"permission": made.summary(), "clientToken": self.params.get("clientToken")})

    def create_permission_version(self) -> ActionResult:
        made = self.ram.add_version(self.params)
        return ActionResult({"permission": made.detail(), "clientToken": self.params.get("clientToken")})

    def delete_permission(self) -> ActionResult:
        self.ram.delete_permission(str(self._get_param("permissionArn")))
        return ActionResult({"returnValue": True, "permissionStatus": "DELETED"})

    def delete_permission_version(self) -> ActionResult:
        self.ram.delete_version(str(self._get_param("permissionArn")), int(self._get_param("permissionVersion")))
        return ActionResult({"returnValue": True, "permissionStatus": "DELETED"})

    def set_default_permission_version(self) -> ActionResult:
        self.ram.set_default_version(self.params["permissionArn"], int(self.params["permissionVersion"]))
        return ActionResult({"returnValue": True, "clientToken": self.params.get("clientToken")})

    # ---- of shares ----------------------------------------------------------------------------------------------

    def list_resource_share_permissions(self) -> ActionResult:
        arn = self.params["resourceShareArn"]
        visible = self.ram.visible("SELF") + self.ram.visible("OTHER-ACCOUNTS")
        share = next((s for s in visible if s.arn == arn), None)
        if share is None or share.status == "DELETED":
            raise errors.UnknownResource(f"ResourceShare {arn} could not be found.")
        rows = [{**find(share.permission_arn).summary(share.permission_version), "status": "ASSOCIATED"}]
        return self._page("permissions", rows, lambda r: [r["arn"]])

    @staticmethod
    def _associated(share: Share) -> dict[str, Any]:
        permission = find(share.permission_arn)
        return {
            "arn": share.permission_arn,
            "permissionVersion": str(share.permission_version),
            "defaultVersion": share.permission_version == permission.default_version,
            "resourceType": RESOURCE_TYPE,
            "status": "ASSOCIATED",
            "featureSet": share.feature_set,
            "lastUpdatedTime": share.updated,
            "resourceShareArn": share.arn,
        }

    def list_permission_associations(self) -> ActionResult:
        p = self.params
        if p.get("permissionVersion") and not p.get("permissionArn"):
            raise errors.InvalidParameter("permissionVersion needs permissionArn.")
        rows = [
            self._associated(s)
            for s in self.ram.shares.values()
            if s.status == "ACTIVE"
            and p.get("permissionArn") in (None, s.permission_arn)
            and p.get("permissionVersion") in (None, s.permission_version)
        ]
        for asked, member in (
            ("associationStatus", "status"),
            ("resourceType", "resourceType"),
            ("featureSet", "featureSet"),
            ("defaultVersion", "defaultVersion"),
        ):
            rows = [r for r in rows if p.get(asked) in (None, r[member])]
        return self._page("permissions", rows, lambda r: [r["arn"], r["resourceShareArn"]])

    def associate_resource_share_permission(self) -> ActionResult:
        p = self.params
        share = self.ram.changeable(p["resourceShareArn"])
        self.ram.set_permission(share, p["permissionArn"], p.get("permissionVersion"), bool(p.get("replace")))
        return ActionResult({"returnValue": True, "clientToken": p.get("clientToken")})

    def disassociate_resource_share_permission(self) -> ActionResult:
        share = self.ram.changeable(self.params["resourceShareArn"])
        if self.params["permissionArn"] != share.permission_arn:
            raise errors.UnknownResource(f"{self.params['permissionArn']} is not associated with {share.arn}.")
        if share.remaining_resources():
            raise errors.InvalidStateTransition(
                f"{share.arn} must keep one permission for {RESOURCE_TYPE}; replace it instead of taking it away."
            )
        # RAM attaches the default permission again with the first resource.
        self.ram.set_permission(share, DEFAULT.arn, None, replace=True)
        return ActionResult({"returnValue": True, "clientToken": self.params.get("clientToken")})
