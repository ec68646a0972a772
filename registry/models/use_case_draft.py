"""Use cases that somebody is still writing down."""

from __future__ import annotations

from django.db import models

from ..querysets import UseCaseDraftQuerySet
from .user import User


class UseCaseDraft(models.Model):
    """What one person has filled in so far to register a use case; nobody else sees it.

    It governs nothing and nothing rests on it: it has no public id, joins no audit trail and is gone once the use case
    is registered or its author throws it away. `steps` holds per step what was typed, field by field and unread, with
    the step's own revision and the window that wrote it last:
    {"purpose": {"revision": 2, "window": "5f1c...", "values": {"name": ["Credit risk"]}}}. `revision` rises with every
    change of any step. `origin` is the window the draft began in, so that one form makes one draft however often it is
    sent.
    """

    author = models.ForeignKey(User, on_delete=models.CASCADE, related_name="use_case_drafts")
    steps = models.JSONField(default=dict)
    revision = models.PositiveIntegerField(default=1)
    origin = models.CharField(max_length=32)
    created_at = models.DateTimeField(auto_now_add=True)
    saved_at = models.DateTimeField()

    objects = UseCaseDraftQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["author", "origin"], name="use_case_draft_once")]
        indexes = [models.Index(fields=["author", "-saved_at"], name="use_case_draft_newest")]

    @property
    def name(self) -> str:
        """What the use case is to be called, as far as it was typed."""
        return (self.values("purpose").get("name") or [""])[-1].strip()

    def values(self, step: str) -> dict[str, list[str]]:
        """Return what was typed in a step, field by field."""
        found: dict[str, list[str]] = self.steps.get(step, {}).get("values", {})
        return found

    def step_revision(self, step: str) -> int:
        """Return how often a step was saved."""
        return int(self.steps.get(step, {}).get("revision", 0))

    def __str__(self) -> str:
        return self.name or "Use case without a name"
