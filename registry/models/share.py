"""RAM shares of model groups: as the portal declares them, and as AWS reports them."""

from __future__ import annotations

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from ..choices import DeclarationState, ShareState
from ..querysets import DeclaredShareQuerySet, OperationsQuerySet, ResourceShareQuerySet
from ..sharing.verbs import GUARDED, Verb
from .account import AwsAccount
from .group import ModelGroup
from .user import User

_LIVE = ("PENDING", "ACTIVE", "FAILED")


def _lines(size: int) -> ArrayField[list[str], list[str]]:
    return ArrayField(models.CharField(max_length=size), default=list, blank=True)


class DeclaredShare(models.Model):
    """What the portal wants shared: which groups of one owner and region, with whom, under which permission.

    The permission is one RAM lists (`permission_arn`), or one of the portal's own that allows `custom_actions` and is
    called `custom_name`. `actions` are what it allowed when it was declared and `verbs` what they come to; one that
    lets another account approve or delete has the reason an ML admin gave. RAM's share is tagged with `token`, by which
    it is found again; `share_arn` and `custom_permission_arn` are AWS's, once they are there. `problem` says why the
    last attempt failed.
    """

    number = models.PositiveIntegerField(unique=True, editable=False)
    token = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=255)
    account = models.ForeignKey(AwsAccount, on_delete=models.PROTECT, related_name="declared_shares")
    region = models.CharField(max_length=30)
    groups = models.ManyToManyField(ModelGroup, related_name="declared_shares")
    accounts = models.ManyToManyField(AwsAccount, related_name="shares_declared_for_it", blank=True)
    organisation_principals = _lines(2048)
    permission_arn = models.CharField("permission ARN", max_length=2048, blank=True)
    custom_name = models.CharField(max_length=36, blank=True)
    custom_actions = _lines(128)
    actions = _lines(128)
    verbs = ArrayField(models.CharField(max_length=10, choices=Verb.choices()), default=list, blank=True)
    allows_external = models.BooleanField(default=False)
    reason = models.TextField(blank=True)
    state = models.CharField(max_length=20, choices=DeclarationState.choices(), default=DeclarationState.DECLARED)
    problem = models.TextField(blank=True)
    share_arn = models.CharField("share ARN", max_length=2048, blank=True)
    custom_permission_arn = models.CharField(max_length=2048, blank=True)
    declared_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    declared_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)
    revision = models.PositiveIntegerField(default=1, editable=False)

    objects = DeclaredShareQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["share_arn"],
                condition=~Q(share_arn="") & ~Q(state=DeclarationState.WITHDRAWN),
                name="ram_share_declared_once",
            ),
            models.UniqueConstraint(
                fields=["account", "region", "name"],
                condition=~Q(state=DeclarationState.WITHDRAWN),
                name="declared_share_name_once",
            ),
            models.CheckConstraint(
                condition=~Q(verbs__overlap=sorted(GUARDED)) | ~Q(reason=""), name="approve_path_has_a_reason"
            ),
            models.CheckConstraint(
                condition=(~Q(permission_arn="") & Q(custom_name="")) | (Q(permission_arn="") & ~Q(custom_name="")),
                name="declared_share_has_one_permission",
            ),
        ]

    @property
    def public_id(self) -> str:
        return f"SHR-{self.number:04d}"

    @property
    def grants_guarded(self) -> bool:
        """Whether it lets another account approve or delete."""
        return bool(GUARDED & set(self.verbs))

    @property
    def is_over(self) -> bool:
        """Whether nothing of it is wanted any more."""
        return self.state in (DeclarationState.WITHDRAWING, DeclarationState.WITHDRAWN)

    def __str__(self) -> str:
        return f"{self.public_id} {self.name}"


class ResourceShare(models.Model):
    """One RAM resource share of an account's model groups: which groups, with whom, under which permissions.

    `principals` are those associated or on their way; each stands with its state in SharePrincipal. `permissions` are
    "ARN:version" of what it grants. `feature_set` is CREATED_FROM_POLICY for one RAM made of a resource policy.
    """

    arn = models.CharField("ARN", max_length=2048, unique=True)
    name = models.CharField(max_length=255)
    account = models.ForeignKey(AwsAccount, on_delete=models.PROTECT, related_name="shares")
    region = models.CharField(max_length=30)
    state = models.CharField(max_length=20, choices=ShareState.choices())
    groups = models.ManyToManyField(ModelGroup, related_name="shares", blank=True)
    principals = _lines(2048)
    permission_arns = _lines(2048)
    permissions = _lines(2100)
    unknown_resources = _lines(2048)
    feature_set = models.CharField(max_length=30, blank=True)
    allows_external = models.BooleanField(default=True)
    seen_at = models.DateTimeField()

    objects = ResourceShareQuerySet.as_manager()

    @property
    def is_live(self) -> bool:
        """Whether it grants, or may come to grant, anything."""
        return self.state in _LIVE

    @property
    def is_from_policy(self) -> bool:
        """Whether RAM made it of a group's resource policy."""
        return self.feature_set == "CREATED_FROM_POLICY"

    def __str__(self) -> str:
        return self.name


class SharePrincipal(models.Model):
    """One principal of a RAM share and how far RAM is with it, in RAM's words."""

    share = models.ForeignKey(ResourceShare, on_delete=models.CASCADE, related_name="members")
    principal = models.CharField(max_length=2048)
    status = models.CharField(max_length=20)
    status_message = models.TextField(blank=True)
    is_external = models.BooleanField(default=False)

    objects = OperationsQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["share", "principal"], name="principal_once_per_share")]
        ordering = ["principal"]

    def __str__(self) -> str:
        return f"{self.principal}: {self.status}"


class ShareInvitation(models.Model):
    """An invitation a spoke account received for a share; `expires_at` is computed, RAM does not say it."""

    arn = models.CharField("ARN", max_length=2048, unique=True)
    share_arn = models.CharField(max_length=2048)
    share_name = models.CharField(max_length=255, blank=True)
    sender_account_id = models.CharField(max_length=12)
    receiver = models.ForeignKey(AwsAccount, on_delete=models.PROTECT, related_name="invitations")
    region = models.CharField(max_length=30, blank=True)
    status = models.CharField(max_length=20)
    invited_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField()

    objects = OperationsQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["share_arn"], name="invitation_of_share")]

    def __str__(self) -> str:
        return f"{self.share_name} to {self.receiver_id}"


class RamPermission(models.Model):
    """One version of a permission RAM has for model groups, with what it allows, read once: versions never change."""

    account = models.ForeignKey(AwsAccount, on_delete=models.CASCADE, related_name="ram_permissions")
    region = models.CharField(max_length=30)
    arn = models.CharField("ARN", max_length=2048)
    name = models.CharField(max_length=255)
    version = models.CharField(max_length=20)
    is_default = models.BooleanField(default=False)
    is_current = models.BooleanField(default=True)
    kind = models.CharField(max_length=20, blank=True)
    template = models.TextField(blank=True)
    actions = _lines(256)
    verbs = ArrayField(models.CharField(max_length=10, choices=Verb.choices()), default=list, blank=True)
    read_at = models.DateTimeField()

    objects = OperationsQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "region", "arn", "version"], name="permission_version_once")
        ]

    def __str__(self) -> str:
        return f"{self.name} version {self.version}"


class GroupPolicy(models.Model):
    """The resource policy of a group as it was last read; "" when it has none."""

    group = models.OneToOneField(ModelGroup, on_delete=models.CASCADE, related_name="resource_policy")
    document = models.TextField(blank=True)
    read_at = models.DateTimeField()

    objects = OperationsQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "group policies"

    def __str__(self) -> str:
        return f"Resource policy of {self.group}"
