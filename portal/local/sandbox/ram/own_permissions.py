"""Keep the permissions an account has made, and find any permission by its ARN."""

from __future__ import annotations

import json
import re
from typing import Any

from moto.ram.models import ram_backends

from ..state import journal
from . import errors
from .permissions import MANAGED, RESOURCE_TYPE, Permission, Version, template_of
from .share import Share, now

_OWN = re.compile(r"arn:aws:ram:([a-z0-9-]+):(\d{12}):permission/.+")
_MOST_VERSIONS = 5


def find(arn: str) -> Permission:
    """A permission by its ARN. Raises MalformedArnException or UnknownResourceException."""
    if arn in MANAGED:
        return MANAGED[arn]
    match = _OWN.fullmatch(arn)
    if not match and not arn.startswith("arn:aws:ram::aws:permission/"):
        raise errors.MalformedArn(f"The permission ARN {arn} is not valid.")
    backend = ram_backends[match[2]][match[1]] if match else None
    found = backend.permissions.get(arn) if backend else None  # type: ignore[attr-defined]  # the sandbox adds it
    if found is None:
        raise errors.UnknownResource(f"Permission {arn} could not be found.")
    assert isinstance(found, Permission)
    return found


def _asked(p: dict[str, Any]) -> str:
    return json.dumps({k: v for k, v in p.items() if k != "clientToken"}, sort_keys=True, default=str)


class OwnPermissions:
    """The permissions of one account and region."""

    account_id: str
    region_name: str
    permissions: dict[str, Permission]
    shares: dict[str, Share]

    def keep_permission(self, permission: Permission) -> None:
        """Have a permission written, or its row taken away, with the request under way."""
        journal.touch("ram", self.account_id, self.region_name, "permission", permission.arn)

    def own_permission(self, arn: str) -> Permission:
        """A permission of this account's own. Raises OperationNotPermittedException for AWS's."""
        found = find(arn)
        if arn not in self.permissions or found.feature_set != "STANDARD":
            raise errors.OperationNotPermitted(
                f"Permission {arn} is not a customer managed permission of this account."
            )
        return found

    def create_permission(self, p: dict[str, Any]) -> Permission:
        """Source: RAM CreatePermission."""
        name, token = str(p.get("name") or ""), p.get("clientToken")
        if not re.fullmatch(r"[\w.-]{1,36}", name):
            raise errors.InvalidParameter(f"The name {name} must have 1 to 36 letters, digits, hyphens or dots.")
        if str(p.get("resourceType")).lower() != RESOURCE_TYPE.lower():
            raise errors.InvalidParameter(f"The sandbox has permissions for {RESOURCE_TYPE} only.")
        arn = f"arn:aws:ram:{self.region_name}:{self.account_id}:permission/{name}"
        known = self.permissions.get(arn)
        if known is not None:
            if token and known.token == token and known.asked == _asked(p):
                return known
            raise errors.PermissionAlreadyExists(f"A permission with the name {name} exists already.")
        version = Version(template_of(str(p.get("policyTemplate"))), now())
        tags = {t["key"]: t.get("value", "") for t in p.get("tags") or []}
        made = Permission(arn, "CUSTOMER_MANAGED", {1: version}, tags=tags, token=token, asked=_asked(p))
        self.permissions[arn] = made
        self.keep_permission(made)
        return made

    def add_version(self, p: dict[str, Any]) -> Permission:
        """Add a version, which becomes the default; shares keep theirs. Source: RAM CreatePermissionVersion."""
        found, token = self.own_permission(p["permissionArn"]), p.get("clientToken")
        if token and found.token == token and found.asked == _asked(p):
            return found
        template = template_of(str(p.get("policyTemplate")))
        if len(found.versions) >= _MOST_VERSIONS:
            raise errors.PermissionVersionsLimitExceeded(
                f"{found.arn} has {_MOST_VERSIONS} versions; delete one first."
            )
        found.default_version = max(found.versions) + 1
        found.versions[found.default_version] = Version(template, now())
        found.token, found.asked = token, _asked(p)
        self.keep_permission(found)
        return found

    def _used(self, arn: str, version: int | None = None) -> bool:
        return any(
            s.status == "ACTIVE" and s.permission_arn == arn and version in (None, s.permission_version)
            for s in self.shares.values()
        )

    def delete_version(self, arn: str, version: int) -> None:
        """Source: RAM DeletePermissionVersion: not the default one, nor one that a share has."""
        found = self.own_permission(arn)
        found.version(version)
        if version == found.default_version or self._used(arn, version):
            raise errors.OperationNotPermitted(f"Version {version} of {arn} is the default one or is used by a share.")
        del found.versions[version]
        self.keep_permission(found)

    def set_default_version(self, arn: str, version: int) -> None:
        """Source: RAM SetDefaultPermissionVersion."""
        found = self.own_permission(arn)
        found.default_version = found.version(version)
        self.keep_permission(found)

    def delete_permission(self, arn: str) -> None:
        """Source: RAM DeletePermission: not one that a share has."""
        found = self.own_permission(arn)
        if self._used(arn):
            raise errors.OperationNotPermitted(f"Permission {arn} is associated with a resource share.")
        del self.permissions[arn]
        self.keep_permission(found)
