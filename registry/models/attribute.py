"""Custom attributes: what an organisation wants to know besides, added without a migration."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q

from ..choices import AttributeType, ObjectKind
from ..querysets import CustomAttributeQuerySet

KEY = r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$"
LONGEST_CHOICE = 200


def value_index(name: str) -> models.Index:
    """Return the index that answers "which objects hold this value"."""
    return GinIndex(fields=["attributes"], name=name, opclasses=["jsonb_path_ops"])


class CustomAttribute(models.Model):
    """One typed attribute of one kind of object. The values are on the objects, in their column `attributes`.

    `used_at` is when the first object got a value. The database sets it and from then on refuses another kind, key
    or type, and the removal of the row: what history holds must keep its meaning.
    """

    kind = models.CharField("belongs to", max_length=20, choices=ObjectKind.choices())
    key = models.CharField(
        max_length=50,
        validators=[
            RegexValidator(
                KEY.replace("$", r"\Z"), "Give lower-case letters, digits and single underscores: cost_centre."
            )
        ],
    )
    label = models.CharField(max_length=100)
    type = models.CharField(max_length=10, choices=AttributeType.choices())
    choices = ArrayField(models.CharField(max_length=LONGEST_CHOICE), default=list, blank=True)
    help_text = models.CharField(max_length=300, blank=True)
    is_required = models.BooleanField(default=False)
    position = models.PositiveSmallIntegerField(default=0)
    is_archived = models.BooleanField(default=False)
    used_at = models.DateTimeField(null=True, editable=False)
    revision = models.PositiveIntegerField(default=1, editable=False)

    objects = CustomAttributeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "key"], name="custom_attribute_once"),
            models.CheckConstraint(name="custom_attribute_key", condition=Q(key__regex=KEY)),
            models.CheckConstraint(
                name="custom_attribute_words",
                condition=Q(kind__in=[word.value for word in ObjectKind])
                & Q(type__in=[word.value for word in AttributeType]),
            ),
            models.CheckConstraint(
                name="custom_attribute_choices",
                condition=Q(type=AttributeType.CHOICE.value, choices__len__gt=0)
                | (~Q(type=AttributeType.CHOICE.value) & Q(choices=[])),
            ),
        ]

    @property
    def parameter(self) -> str:
        """The name of this attribute in addresses and files: `attr.cost_centre`."""
        return f"attr.{self.key}"

    def __str__(self) -> str:
        return self.label
