"""What the portal declares to be shared, and all of what AWS says of shares, permissions and policies."""

from __future__ import annotations

import uuid

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("registry", "0007_accounts")]

    operations = [
        migrations.CreateModel(
            name="DeclaredShare",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField(editable=False, unique=True)),
                ("token", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("name", models.CharField(max_length=255)),
                ("region", models.CharField(max_length=30)),
                (
                    "organisation_principals",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=2048), blank=True, default=list, size=None
                    ),
                ),
                ("permission_arn", models.CharField(blank=True, max_length=2048, verbose_name="permission ARN")),
                ("custom_name", models.CharField(blank=True, max_length=36)),
                (
                    "custom_actions",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=128), blank=True, default=list, size=None
                    ),
                ),
                (
                    "actions",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=128), blank=True, default=list, size=None
                    ),
                ),
                (
                    "verbs",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[
                                ("see", "See"),
                                ("register", "Register"),
                                ("deploy", "Deploy"),
                                ("approve", "Approve"),
                                ("delete", "Delete"),
                            ],
                            max_length=10,
                        ),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
                ("allows_external", models.BooleanField(default=False)),
                ("reason", models.TextField(blank=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("declared", "Declared"),
                            ("applying", "Applying"),
                            ("in_place", "In place"),
                            ("failing", "Failing"),
                            ("withdrawing", "Withdrawing"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="declared",
                        max_length=20,
                    ),
                ),
                ("problem", models.TextField(blank=True)),
                ("share_arn", models.CharField(blank=True, max_length=2048, verbose_name="share ARN")),
                ("custom_permission_arn", models.CharField(blank=True, max_length=2048)),
                ("declared_at", models.DateTimeField(auto_now_add=True)),
                ("changed_at", models.DateTimeField(auto_now=True)),
                ("revision", models.PositiveIntegerField(default=1, editable=False)),
            ],
        ),
        migrations.CreateModel(
            name="GroupPolicy",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("document", models.TextField(blank=True)),
                ("read_at", models.DateTimeField()),
            ],
            options={
                "verbose_name_plural": "group policies",
            },
        ),
        migrations.CreateModel(
            name="RamPermission",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("region", models.CharField(max_length=30)),
                ("arn", models.CharField(max_length=2048, verbose_name="ARN")),
                ("name", models.CharField(max_length=255)),
                ("version", models.CharField(max_length=20)),
                ("is_default", models.BooleanField(default=False)),
                ("is_current", models.BooleanField(default=True)),
                ("kind", models.CharField(blank=True, max_length=20)),
                ("template", models.TextField(blank=True)),
                (
                    "actions",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=256), blank=True, default=list, size=None
                    ),
                ),
                (
                    "verbs",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[
                                ("see", "See"),
                                ("register", "Register"),
                                ("deploy", "Deploy"),
                                ("approve", "Approve"),
                                ("delete", "Delete"),
                            ],
                            max_length=10,
                        ),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
                ("read_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="SharePrincipal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("principal", models.CharField(max_length=2048)),
                ("status", models.CharField(max_length=20)),
                ("status_message", models.TextField(blank=True)),
                ("is_external", models.BooleanField(default=False)),
            ],
            options={
                "ordering": ["principal"],
            },
        ),
        migrations.AddField(
            model_name="resourceshare",
            name="feature_set",
            field=models.CharField(blank=True, max_length=30),
        ),
        migrations.AddField(
            model_name="resourceshare",
            name="permissions",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=2100), blank=True, default=list, size=None
            ),
        ),
        migrations.AddField(
            model_name="resourceshare",
            name="unknown_resources",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=2048), blank=True, default=list, size=None
            ),
        ),
        migrations.AddField(
            model_name="shareinvitation",
            name="expires_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="shareinvitation",
            name="region",
            field=models.CharField(blank=True, max_length=30),
        ),
        migrations.AddIndex(
            model_name="shareinvitation",
            index=models.Index(fields=["share_arn"], name="invitation_of_share"),
        ),
        migrations.AddField(
            model_name="declaredshare",
            name="account",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="declared_shares", to="registry.awsaccount"
            ),
        ),
        migrations.AddField(
            model_name="declaredshare",
            name="accounts",
            field=models.ManyToManyField(blank=True, related_name="shares_declared_for_it", to="registry.awsaccount"),
        ),
        migrations.AddField(
            model_name="declaredshare",
            name="declared_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="declaredshare",
            name="groups",
            field=models.ManyToManyField(related_name="declared_shares", to="registry.modelgroup"),
        ),
        migrations.AddField(
            model_name="grouppolicy",
            name="group",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.CASCADE, related_name="resource_policy", to="registry.modelgroup"
            ),
        ),
        migrations.AddField(
            model_name="rampermission",
            name="account",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="ram_permissions", to="registry.awsaccount"
            ),
        ),
        migrations.AddField(
            model_name="shareprincipal",
            name="share",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="members", to="registry.resourceshare"
            ),
        ),
        migrations.AddConstraint(
            model_name="declaredshare",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "withdrawn"), _negated=True),
                fields=("account", "region", "name"),
                name="declared_share_name_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="declaredshare",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    models.Q(("share_arn", ""), _negated=True), models.Q(("state", "withdrawn"), _negated=True)
                ),
                fields=("share_arn",),
                name="ram_share_declared_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="declaredshare",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("verbs__overlap", ["approve", "delete"]), _negated=True),
                    models.Q(("reason", ""), _negated=True),
                    _connector="OR",
                ),
                name="approve_path_has_a_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="declaredshare",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(models.Q(("permission_arn", ""), _negated=True), ("custom_name", "")),
                    models.Q(("permission_arn", ""), models.Q(("custom_name", ""), _negated=True)),
                    _connector="OR",
                ),
                name="declared_share_has_one_permission",
            ),
        ),
        migrations.AddConstraint(
            model_name="rampermission",
            constraint=models.UniqueConstraint(
                fields=("account", "region", "arn", "version"), name="permission_version_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="shareprincipal",
            constraint=models.UniqueConstraint(fields=("share", "principal"), name="principal_once_per_share"),
        ),
    ]
