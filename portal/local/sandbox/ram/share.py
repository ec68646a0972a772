"""A resource share with its associations and invitations."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ..organization import covered, is_unit, members
from ..settings import now, settings
from .permissions import RESOURCE_TYPE

__all__ = ["Association", "Invitation", "Share", "now"]


@dataclass
class Association:
    """A principal or a resource in a share."""

    entity: str
    status: str
    external: bool = False
    created: datetime = field(default_factory=now)
    updated: datetime = field(default_factory=now)
    due: datetime | None = None

    def become(self, status: str) -> None:
        """Change the status; being ASSOCIATED takes as long to come about as the settings say."""
        if self.status != status:
            self.status = status
            self.updated = now()
            self._take_time()

    def __post_init__(self) -> None:
        self._take_time()

    def _take_time(self) -> None:
        seconds = settings.association_seconds if self.status == "ASSOCIATED" else 0
        self.due = now() + timedelta(seconds=seconds) if seconds else None

    @property
    def status_now(self) -> str:
        """The status, ASSOCIATING until an association has come about."""
        return "ASSOCIATING" if self.due is not None and now() < self.due else self.status


@dataclass
class Invitation:
    """The offer of a share to an account outside the organisation, open until it is answered or expires."""

    arn: str
    share_arn: str
    share_name: str
    sender: str
    receiver: str
    sent: datetime = field(default_factory=now)
    answer: str | None = None

    @property
    def status(self) -> str:
        """PENDING, ACCEPTED, REJECTED or EXPIRED."""
        if self.answer:
            return self.answer
        lifetime = timedelta(seconds=settings.invitation_seconds)
        return "EXPIRED" if now() - self.sent > lifetime else "PENDING"

    def describe(self) -> dict[str, Any]:
        """RAM ResourceShareInvitation."""
        return {
            "resourceShareInvitationArn": self.arn,
            "resourceShareName": self.share_name,
            "resourceShareArn": self.share_arn,
            "senderAccountId": self.sender,
            "receiverAccountId": self.receiver,
            "invitationTimestamp": self.sent,
            "status": self.status,
        }


@dataclass
class Share:
    """A share of model package groups, kept by its owner."""

    arn: str
    name: str
    owner: str
    allow_external: bool
    permission_arn: str
    tags: dict[str, str]
    status: str = "ACTIVE"
    created: datetime = field(default_factory=now)
    updated: datetime = field(default_factory=now)
    resources: dict[str, Association] = field(default_factory=dict)
    principals: dict[str, Association] = field(default_factory=dict)
    invitations: list[Invitation] = field(default_factory=list)
    token: str | None = None
    asked: str | None = None
    permission_version: int = 1
    feature_set: str = "STANDARD"

    def principal_status(self, account: str) -> str | None:
        """The association status of an account, following its latest invitation; None if it was never named."""
        association = self.principals.get(account)
        if association is None:
            return None
        invitation = self.invitation_of(account)
        if association.status == "ASSOCIATING" and invitation and invitation.status == "EXPIRED":
            return "DISASSOCIATED"
        return association.status_now

    def invitation_of(self, account: str) -> Invitation | None:
        """The latest invitation sent to an account."""
        return next((i for i in reversed(self.invitations) if i.receiver == account), None)

    def active_for(self, account: str) -> bool:
        """Whether the account has the share's rights now, named itself or by its organisation.

        Without an invitation, leaving the organisation loses them at once.
        """
        if self.status != "ACTIVE" or self.feature_set != "STANDARD":
            return False
        if self.principal_status(account) == "ASSOCIATED":
            return (
                self.principals[account].external or bool(self.invitation_of(account)) or account in members(self.owner)
            )
        return any(
            self.principals[p].status_now == "ASSOCIATED" and account in covered(p)
            for p in self.principals
            if is_unit(p)
        )

    def live_resources(self) -> list[Association]:
        """The resources that are in the share now."""
        return [r for r in self.resources.values() if r.status_now == "ASSOCIATED"]

    def remaining_resources(self) -> list[Association]:
        """The resources that are in the share or on their way into it."""
        return [r for r in self.resources.values() if r.status == "ASSOCIATED"]

    def describe(self) -> dict[str, Any]:
        """RAM ResourceShare."""
        return {
            "resourceShareArn": self.arn,
            "name": self.name,
            "owningAccountId": self.owner,
            "allowExternalPrincipals": self.allow_external,
            "status": self.status,
            "tags": [{"key": k, "value": v} for k, v in self.tags.items()],
            "creationTime": self.created,
            "lastUpdatedTime": self.updated,
            "featureSet": self.feature_set,
        }

    def describe_association(self, association: Association, kind: str) -> dict[str, Any]:
        """RAM ResourceShareAssociation of the given kind, PRINCIPAL or RESOURCE."""
        status = association.status_now
        if kind == "PRINCIPAL":
            status = self.principal_status(association.entity) or status
        return {
            "resourceShareArn": self.arn,
            "resourceShareName": self.name,
            "associatedEntity": association.entity,
            "associationType": kind,
            "status": status,
            "creationTime": association.created,
            "lastUpdatedTime": association.updated,
            "external": association.external,
        }

    def describe_resource(self, association: Association) -> dict[str, Any]:
        """RAM Resource."""
        return {
            "arn": association.entity,
            "type": RESOURCE_TYPE,
            "resourceShareArn": self.arn,
            "status": "AVAILABLE",
            "creationTime": association.created,
            "lastUpdatedTime": association.updated,
            "resourceRegionScope": "REGIONAL",
        }
