"""Custom attributes: their definitions, and the columns that hold their values."""

from __future__ import annotations

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.core.validators
from django.db import migrations, models

KEY = "^[a-z][a-z0-9]*(_[a-z0-9]+)*$"
KINDS = [("use_case", "Use case"), ("model_group", "Model group"), ("stage_record", "Stage record")]
TYPES = [("text", "Text"), ("number", "Number"), ("date", "Date"), ("choice", "Choice"), ("user", "User")]
HOLDERS = {"usecase": "use_case_attributes", "modelgroup": "model_group_attributes"}


class Migration(migrations.Migration):
    dependencies = [("registry", "0002_classifications")]

    operations = [
        migrations.CreateModel(
            name="CustomAttribute",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(choices=KINDS, max_length=20, verbose_name="belongs to")),
                (
                    "key",
                    models.CharField(
                        max_length=50,
                        validators=[
                            django.core.validators.RegexValidator(
                                KEY.replace("$", r"\Z"),
                                "Give lower-case letters, digits and single underscores: cost_centre.",
                            )
                        ],
                    ),
                ),
                ("label", models.CharField(max_length=100)),
                ("type", models.CharField(choices=TYPES, max_length=10)),
                (
                    "choices",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=200), blank=True, default=list, size=None
                    ),
                ),
                ("help_text", models.CharField(blank=True, max_length=300)),
                ("is_required", models.BooleanField(default=False)),
                ("position", models.PositiveSmallIntegerField(default=0)),
                ("is_archived", models.BooleanField(default=False)),
                ("used_at", models.DateTimeField(editable=False, null=True)),
                ("revision", models.PositiveIntegerField(default=1, editable=False)),
            ],
        ),
        *(
            migrations.AddField(
                model_name=holder,
                name="attributes",
                field=models.JSONField(blank=True, db_default={}, default=dict, editable=False),
            )
            for holder in HOLDERS
        ),
        *(
            migrations.AddIndex(
                model_name=holder,
                index=django.contrib.postgres.indexes.GinIndex(
                    fields=["attributes"], name=name, opclasses=["jsonb_path_ops"]
                ),
            )
            for holder, name in HOLDERS.items()
        ),
        migrations.AddConstraint(
            model_name="customattribute",
            constraint=models.UniqueConstraint(fields=("kind", "key"), name="custom_attribute_once"),
        ),
        migrations.AddConstraint(
            model_name="customattribute",
            constraint=models.CheckConstraint(condition=models.Q(("key__regex", KEY)), name="custom_attribute_key"),
        ),
        migrations.AddConstraint(
            model_name="customattribute",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("kind__in", [kind for kind, _ in KINDS]), ("type__in", [type_ for type_, _ in TYPES])
                ),
                name="custom_attribute_words",
            ),
        ),
        migrations.AddConstraint(
            model_name="customattribute",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("choices__len__gt", 0), ("type", "choice")),
                    models.Q(models.Q(("type", "choice"), _negated=True), ("choices", [])),
                    _connector="OR",
                ),
                name="custom_attribute_choices",
            ),
        ),
    ]
