"""Lines of business and projects: the scope of every grant."""

from __future__ import annotations

from django.core.validators import RegexValidator
from django.db import models
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase

from ..access import role_codename
from ..choices import Role
from ..querysets import LineOfBusinessQuerySet, ProjectQuerySet

KEY = RegexValidator(r"^[a-z0-9][a-z0-9-]*$", "Use lower-case letters, digits and hyphens.")


class LineOfBusiness(models.Model):
    """A part of the organisation that answers for its models."""

    name = models.CharField(max_length=200, unique=True)

    objects = LineOfBusinessQuerySet.as_manager()

    class Meta:
        verbose_name = "line of business"
        verbose_name_plural = "lines of business"

    def __str__(self) -> str:
        return self.name


class Project(models.Model):
    """A piece of work with its own people; roles are held on it."""

    key = models.CharField(max_length=63, unique=True, validators=[KEY])
    name = models.CharField(max_length=200)
    line_of_business = models.ForeignKey(LineOfBusiness, on_delete=models.PROTECT, related_name="projects")

    objects = ProjectQuerySet.as_manager()

    class Meta:
        permissions = [(role_codename(role), f"Is {role.label.lower()}") for role in Role]

    @property
    def scope_project_id(self) -> int | None:
        return self.pk

    def __str__(self) -> str:
        return self.name


class ProjectUserObjectPermission(UserObjectPermissionBase):
    """A role of one person on one project."""

    content_object = models.ForeignKey(Project, on_delete=models.CASCADE)


class ProjectGroupObjectPermission(GroupObjectPermissionBase):
    """A role of a group of people on one project."""

    content_object = models.ForeignKey(Project, on_delete=models.CASCADE)
