"""Show a group's resource policy in RAM, as RAM does: a share CREATED_FROM_POLICY that only the owner sees.

The share gives no rights (the policy itself does), is not discoverable by consumers and cannot be changed in RAM.
"""

from __future__ import annotations

import json
import uuid
from typing import Any

from ..policies import listed, statements
from .models import SandboxRamBackend
from .permissions import Permission, Version
from .share import Association, Share, now

FEATURE = "CREATED_FROM_POLICY"


def _principals(document: str) -> list[str]:
    """The accounts and role ARNs a policy's allowing statements name."""
    found: dict[str, None] = {}
    for statement in statements(document):
        principal = statement.get("Principal")
        named: Any = principal.get("AWS") if isinstance(principal, dict) else principal
        if statement.get("Effect") == "Allow" and named:
            for name in listed(named):
                found[name.split(":")[4] if name.endswith(":root") and name.startswith("arn:") else name] = None
    return list(found)


def mirror(ram: SandboxRamBackend, group_arn: str, document: str | None) -> None:
    """Make, change or (with None) delete the share that stands for a group's resource policy."""
    share = next(
        (
            s
            for s in ram.shares.values()
            if s.feature_set == FEATURE and s.status == "ACTIVE" and group_arn in s.resources
        ),
        None,
    )
    if document is None:
        if share is not None:
            ram.delete(share)
            permission = ram.permissions.pop(share.permission_arn)
            ram.keep_permission(permission)
        return
    unique = uuid.uuid4()
    if share is None:
        permission_arn = f"arn:aws:ram:{ram.region_name}:{ram.account_id}:permission/{unique}"
        share = Share(
            arn=f"arn:aws:ram:{ram.region_name}:{ram.account_id}:resource-share/{unique}",
            name=f"Created from the policy of {group_arn.rsplit('/', 1)[1]}",
            owner=ram.account_id,
            allow_external=True,
            permission_arn=permission_arn,
            tags={},
            feature_set=FEATURE,
        )
        share.resources[group_arn] = Association(group_arn, "ASSOCIATED")
        ram.shares[share.arn] = share
    actions = {a for s in statements(document) if s.get("Effect") == "Allow" for a in listed(s.get("Action") or [])}
    template = json.dumps({"Effect": "Allow", "Action": sorted(actions)})
    permission = Permission(
        share.permission_arn, "CUSTOMER_MANAGED", {1: Version(template, now())}, feature_set=FEATURE
    )
    ram.permissions[permission.arn] = permission
    ram.keep_permission(permission)
    wanted = _principals(document)
    for principal in wanted:
        share.principals.setdefault(principal, Association(principal, "ASSOCIATED", principal != ram.account_id))
        share.principals[principal].become("ASSOCIATED")
    for principal, association in share.principals.items():
        if principal not in wanted:
            association.become("DISASSOCIATED")
    share.updated = now()
    ram.keep(share)
