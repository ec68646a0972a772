"""Hold what AWS RAM answered: shares, their associations, invitations and permissions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from registry.aws.values import utc

# RAM states no expiry; its guide gives 7 days for a list of resource types and 12 hours for all others, and
# model package groups are not known to be on that list.
INVITATION_LIFETIME = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class ShareRecord:
    """Hold one resource share. `status` is PENDING, ACTIVE, FAILED, DELETING or DELETED."""

    arn: str
    name: str
    owning_account_id: str
    allow_external: bool
    status: str
    status_message: str
    feature_set: str
    created_at: datetime | None
    last_modified_at: datetime | None

    @classmethod
    def from_aws(cls, share: Mapping[str, Any]) -> ShareRecord:
        """Read a RAM resourceShare."""
        return cls(
            arn=share.get("resourceShareArn", ""),
            name=share.get("name", ""),
            owning_account_id=share.get("owningAccountId", ""),
            allow_external=bool(share.get("allowExternalPrincipals", False)),
            status=share.get("status", ""),
            status_message=share.get("statusMessage", ""),
            feature_set=share.get("featureSet", ""),
            created_at=utc(share.get("creationTime")),
            last_modified_at=utc(share.get("lastUpdatedTime")),
        )


@dataclass(frozen=True, slots=True)
class ShareAssociation:
    """Hold one thing tied to a share: `entity` is a principal (account id, ARN) or a resource's ARN.

    `status` is ASSOCIATING, ASSOCIATED, FAILED, DISASSOCIATING, DISASSOCIATED and a few more; `external` says
    that the principal is outside the owner's organization.
    """

    share_arn: str
    share_name: str
    kind: str
    entity: str
    status: str
    status_message: str
    external: bool

    @classmethod
    def from_aws(cls, association: Mapping[str, Any]) -> ShareAssociation:
        """Read a RAM resourceShareAssociation."""
        return cls(
            share_arn=association.get("resourceShareArn", ""),
            share_name=association.get("resourceShareName", ""),
            kind=association.get("associationType", ""),
            entity=association.get("associatedEntity", ""),
            status=association.get("status", ""),
            status_message=association.get("statusMessage", ""),
            external=bool(association.get("external", False)),
        )


@dataclass(frozen=True, slots=True)
class InvitationRecord:
    """Hold one invitation to a share.

    `status` is PENDING, ACCEPTED, REJECTED or EXPIRED; `sender` and `receiver` are account ids. `expires_at`
    is computed, RAM does not say it.
    """

    arn: str
    share_arn: str
    share_name: str
    sender: str
    receiver: str
    status: str
    invited_at: datetime | None
    expires_at: datetime | None

    @classmethod
    def from_aws(cls, invitation: Mapping[str, Any]) -> InvitationRecord:
        """Read a RAM resourceShareInvitation."""
        invited_at = utc(invitation.get("invitationTimestamp"))
        return cls(
            arn=invitation.get("resourceShareInvitationArn", ""),
            share_arn=invitation.get("resourceShareArn", ""),
            share_name=invitation.get("resourceShareName", ""),
            sender=invitation.get("senderAccountId", ""),
            receiver=invitation.get("receiverAccountId") or invitation.get("receiverArn", ""),
            status=invitation.get("status", ""),
            invited_at=invited_at,
            expires_at=invited_at + INVITATION_LIFETIME if invited_at else None,
        )


@dataclass(frozen=True, slots=True)
class PermissionRecord:
    """Hold one version of a RAM permission.

    `actions` and `template`, the policy as RAM keeps it, are filled by `get_permission` only; lists do not carry them.
    """

    arn: str
    name: str
    version: str
    resource_type: str
    is_default: bool
    permission_type: str
    status: str
    actions: tuple[str, ...] = ()
    is_default_version: bool = True
    template: str = ""

    @classmethod
    def from_aws(cls, permission: Mapping[str, Any]) -> PermissionRecord:
        """Read a RAM permission, detail or summary."""
        return cls(
            arn=permission.get("arn", ""),
            name=permission.get("name", ""),
            version=permission.get("version", ""),
            resource_type=permission.get("resourceType", ""),
            is_default=bool(permission.get("isResourceTypeDefault", False)),
            permission_type=permission.get("permissionType", ""),
            status=permission.get("status", ""),
            actions=_actions(permission.get("permission")),
            is_default_version=bool(permission.get("defaultVersion", True)),
            template=permission.get("permission") or "",
        )


def _actions(policy: str | None) -> tuple[str, ...]:
    # RAM gives a policy template: one statement, or a document with several, with one action or a list.
    try:
        document = json.loads(policy or "")
    except (ValueError, RecursionError):
        return ()
    statements = document.get("Statement", document) if isinstance(document, dict) else document
    found: set[str] = set()
    for statement in statements if isinstance(statements, list) else [statements]:
        if not isinstance(statement, dict) or statement.get("Effect", "Allow") != "Allow":
            continue
        actions = statement.get("Action") or statement.get("Actions") or ()
        found.update(map(str, [actions] if isinstance(actions, str) else actions))
    return tuple(sorted(found))
