"""Use cases: what models are for."""

from __future__ import annotations

from django.db import models
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase

from portal.core.search import letters_index, words_index

from ..choices import DocumentKind, RiskClass, Stage, Status
from ..querysets import UseCaseQuerySet
from .attribute import value_index
from .organisation import Project
from .user import User


class UseCase(models.Model):
    """An AI use case. `stage` and `status` are written by the lifecycle service alone; the database refuses the rest.

    `revision` rises with every change: an edit that read an older one is refused.
    """

    number = models.PositiveIntegerField(unique=True, editable=False)
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    intended_purpose = models.TextField()
    business_owner = models.CharField(max_length=200, blank=True)
    model_owner = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="use_cases")
    risk_class = models.CharField(max_length=20, choices=RiskClass.choices(), default=RiskClass.UNCLASSIFIED)
    risk_reason = models.TextField(blank=True)
    risk_classified_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", editable=False)
    risk_classified_at = models.DateTimeField(null=True, editable=False)
    stage = models.CharField(max_length=20, choices=Stage.choices(), default=Stage.POC, editable=False)
    status = models.CharField(max_length=20, choices=Status.choices(), default=Status.PENDING, editable=False)
    next_review_on = models.DateField(null=True, blank=True)
    registered_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", editable=False)
    registered_at = models.DateTimeField(auto_now_add=True)
    # Values of custom attributes by their keys; what is not set is not there.
    attributes = models.JSONField(default=dict, db_default={}, blank=True, editable=False)
    revision = models.PositiveIntegerField(default=1, editable=False)

    objects = UseCaseQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["stage", "status"]),
            models.Index(fields=["project", "stage"]),
            value_index("use_case_attributes"),
            letters_index("use_case_letters", "name"),
            words_index("use_case_words", "name", "description", "intended_purpose", "business_owner"),
        ]

    @property
    def public_id(self) -> str:
        """The id people use: UC-0001."""
        return f"UC-{self.number:04d}"

    @property
    def scope_project_id(self) -> int | None:
        return self.project_id

    def __str__(self) -> str:
        return f"{self.public_id} {self.name}"


class UseCaseDocument(models.Model):
    """One of the five parts of use-case governance, as written by its author on a day."""

    use_case = models.ForeignKey(UseCase, on_delete=models.PROTECT, related_name="documents")
    kind = models.CharField(max_length=40, choices=DocumentKind.choices())
    text = models.TextField()
    author = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    written_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["use_case", "kind"], name="use_case_document_once")]

    def __str__(self) -> str:
        return f"{self.use_case} {self.kind}"


class UseCaseUserObjectPermission(UserObjectPermissionBase):
    """Shows one use case to one person without a role on its project."""

    content_object = models.ForeignKey(UseCase, on_delete=models.CASCADE)


class UseCaseGroupObjectPermission(GroupObjectPermissionBase):
    """Shows one use case to a group of people without a role on its project."""

    content_object = models.ForeignKey(UseCase, on_delete=models.CASCADE)
