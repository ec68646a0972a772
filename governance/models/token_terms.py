"""What an API token is held to, and when it was last used."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from registry.models import ApiToken

FASTEST = 6_000_000


class TokenTerms(models.Model):
    """What an API token is allowed and when it was last used; one without terms is allowed all its user is.

    `project_ids` None holds it to nothing; else it works on these projects alone, and a project that is gone is no
    reason for more. `rate` is in requests a minute, None for the usual one. Terms are written once.
    """

    token = models.OneToOneField(ApiToken, on_delete=models.CASCADE, related_name="terms")
    is_read_only = models.BooleanField(default=False)
    project_ids = ArrayField(models.BigIntegerField(), null=True)
    rate = models.PositiveIntegerField(null=True)
    made_by = models.CharField(max_length=200, blank=True)
    last_used_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = verbose_name_plural = "token terms"
        constraints = [
            models.CheckConstraint(
                condition=Q(project_ids=None) | Q(project_ids__len__gt=0), name="token_terms_some_project"
            ),
            models.CheckConstraint(
                condition=Q(rate=None) | Q(rate__gte=1, rate__lte=FASTEST), name="token_terms_sane_rate"
            ),
        ]

    def __str__(self) -> str:
        return f"terms of {self.token}"
