"""Delegations: who decides for whom while he is away."""

from __future__ import annotations

from datetime import date

from django.db import models
from django.db.models import F, Q

from registry.models import Project, User

from ..choices import Role
from ..querysets import DelegationQuerySet


class Delegation(models.Model):
    """One person's deciding role in another's hands, from one day to another (both included, UTC).

    The delegate decides in the delegator's name and only as long as the delegator holds the role himself. Written
    once; it can only be revoked.
    """

    delegator = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    delegate = models.ForeignKey(User, on_delete=models.PROTECT, related_name="delegations_received")
    role = models.CharField(max_length=30, choices=Role.choices())
    project = models.ForeignKey(Project, on_delete=models.PROTECT, null=True, related_name="+")
    starts_on = models.DateField()
    ends_on = models.DateField()
    reason = models.TextField()
    made_by = models.CharField(max_length=200)
    made_at = models.DateTimeField(auto_now_add=True)
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.CharField(max_length=200, blank=True)

    objects = DelegationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(name="delegation_to_another", condition=~Q(delegator_id=F("delegate_id"))),
            models.CheckConstraint(name="delegation_ends_after_start", condition=Q(ends_on__gte=F("starts_on"))),
        ]
        indexes = [models.Index(fields=["delegate", "ends_on"], condition=Q(revoked_at=None), name="delegation_live")]

    @property
    def scope_project_id(self) -> int | None:
        return self.project_id

    def is_in_force(self, day: date) -> bool:
        """Whether the delegate may use it on that day."""
        return self.revoked_at is None and self.starts_on <= day <= self.ends_on

    def __str__(self) -> str:
        return f"{self.delegate} for {self.delegator}, {self.starts_on} to {self.ends_on}"
