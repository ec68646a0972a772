"""Views of lists that people save for themselves and for others."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower

from ..choices import ViewAudience
from ..querysets import SavedViewQuerySet
from .organisation import Project
from .user import User

LONGEST_NAME, LONGEST_QUERY = 60, 2000


class SavedView(models.Model):
    """One list as somebody wants to see it again: filters, sorting and columns, as its address has them.

    `list_key` is the name of the list's page. The address is a request, not a permission: whoever opens a view sees
    those rows of it that he may see.
    """

    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="saved_views")
    list_key = models.CharField("list", max_length=80)
    name = models.CharField(max_length=LONGEST_NAME)
    query = models.CharField("filters, sorting and columns", max_length=LONGEST_QUERY, blank=True)
    audience = models.CharField("for", max_length=10, choices=ViewAudience.choices(), default=ViewAudience.OWNER.value)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, null=True, blank=True, related_name="saved_views")
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)
    revision = models.PositiveIntegerField(default=1, editable=False)

    objects = SavedViewQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(F("owner"), F("list_key"), Lower("name"), name="saved_view_once"),
            models.CheckConstraint(
                name="saved_view_audience",
                condition=Q(audience=ViewAudience.PROJECT.value, project__isnull=False)
                | Q(audience__in=[ViewAudience.OWNER.value, ViewAudience.EVERYBODY.value], project=None),
            ),
            models.CheckConstraint(name="saved_view_named", condition=~Q(name="") & ~Q(list_key="")),
        ]
        indexes = [models.Index(fields=["list_key"], name="saved_view_list")]

    def __str__(self) -> str:
        return self.name


class UsualView(models.Model):
    """The view a list opens with for one person, his own or one that is shared with him."""

    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="usual_views")
    list_key = models.CharField("list", max_length=80)
    view = models.ForeignKey(SavedView, on_delete=models.CASCADE, related_name="usual_for")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "list_key"], name="usual_view_once")]

    def __str__(self) -> str:
        return f"{self.person} opens {self.list_key} with {self.view}"
