"""Service accounts: users that only tokens speak for, and the people who answer for what these do."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from ..querysets import ServiceAccountQuerySet
from .user import User


class ServiceAccount(models.Model):
    """What a service account is for and who answers for it now; its roles are those of its user.

    It never signs in and never decides (docs/adr/0016-service-accounts.md). A retired one stays retired.
    """

    user = models.OneToOneField(User, on_delete=models.PROTECT, related_name="service_account")
    purpose = models.TextField()
    responsible = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    made_by = models.CharField(max_length=200)
    made_at = models.DateTimeField(auto_now_add=True)
    retired_at = models.DateTimeField(null=True)
    retired_by = models.CharField(max_length=200, blank=True)
    revision = models.PositiveIntegerField(default=1)

    objects = ServiceAccountQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(purpose=""), name="service_account_has_a_purpose"),
            models.CheckConstraint(
                condition=Q(retired_at=None, retired_by="") | (Q(retired_at__isnull=False) & ~Q(retired_by="")),
                name="service_account_retired_as_a_whole",
            ),
        ]

    def __str__(self) -> str:
        return str(self.user)


class ServiceKeeper(models.Model):
    """A person who answers or answered for a service account, or to whom one of its tokens was shown.

    Separation of duties follows these rows, which are never taken back: what the account brought in or asked for,
    none of its keepers decides on.
    """

    account = models.ForeignKey(User, on_delete=models.PROTECT, related_name="keepers")
    person = models.ForeignKey(User, on_delete=models.PROTECT, related_name="kept_accounts")
    since = models.DateTimeField(auto_now_add=True, db_default=models.functions.Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "person"], name="service_keeper_once")]

    def __str__(self) -> str:
        return f"{self.person_id} keeps {self.account_id}"
