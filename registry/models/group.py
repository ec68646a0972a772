"""Model groups: SageMaker's model package groups."""

from __future__ import annotations

from django.db import models
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase

from portal.core.search import letters_index, words_index

from ..querysets import ModelGroupQuerySet
from .account import AwsAccount
from .attribute import value_index
from .organisation import Project
from .use_case import UseCase
from .user import User


class ModelGroup(models.Model):
    """One ModelPackageGroup. AWS says name and place; the portal adds owner, project and use cases."""

    arn = models.CharField("ARN", max_length=2048, unique=True)
    name = models.CharField(max_length=63)
    account = models.ForeignKey(AwsAccount, on_delete=models.PROTECT, related_name="groups")
    region = models.CharField(max_length=30)
    description = models.TextField(blank=True)
    aws_created_at = models.DateTimeField(null=True)
    owner = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    project = models.ForeignKey(Project, on_delete=models.PROTECT, null=True, blank=True, related_name="groups")
    use_cases = models.ManyToManyField(UseCase, blank=True, related_name="groups")
    missing_since = models.DateTimeField(null=True, blank=True)
    # Values of custom attributes by their keys; what is not set is not there.
    attributes = models.JSONField(default=dict, db_default={}, blank=True, editable=False)
    revision = models.PositiveIntegerField(default=1, editable=False)

    objects = ModelGroupQuerySet.as_manager()

    class Meta:
        indexes = [
            value_index("model_group_attributes"),
            letters_index("model_group_letters", "name"),
            words_index("model_group_words", "name", "description"),
        ]

    @property
    def scope_project_id(self) -> int | None:
        return self.project_id

    def __str__(self) -> str:
        return self.name


class ModelGroupUserObjectPermission(UserObjectPermissionBase):
    """Shows one group to one person without a role on its project."""

    content_object = models.ForeignKey(ModelGroup, on_delete=models.CASCADE)


class ModelGroupGroupObjectPermission(GroupObjectPermissionBase):
    """Shows one group to a group of people without a role on its project."""

    content_object = models.ForeignKey(ModelGroup, on_delete=models.CASCADE)
