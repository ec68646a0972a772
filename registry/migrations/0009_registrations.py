"""What people ask the portal to make in the hub: groups, and versions in them."""

from __future__ import annotations

import uuid

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import registry.choices


class Migration(migrations.Migration):
    dependencies = [("registry", "0008_shares")]

    operations = [
        migrations.CreateModel(
            name="GroupCreation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveBigIntegerField(editable=False, unique=True)),
                ("region", models.CharField(max_length=30)),
                ("name", models.CharField(max_length=63)),
                ("description", models.TextField(blank=True)),
                ("tags", models.JSONField(default=dict)),
                ("policy", models.TextField(blank=True)),
                ("reason", models.TextField(blank=True)),
                (
                    "use_case_ids",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), default=list, size=None
                    ),
                ),
                ("requested_at", models.DateTimeField(auto_now_add=True)),
                ("token", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "state",
                    models.CharField(
                        choices=[("pending", "Pending"), ("done", "Done"), ("failed", "Failed")],
                        default=registry.choices.AskedState["PENDING"],
                        max_length=10,
                    ),
                ),
                ("error", models.TextField(blank=True)),
                ("finished_at", models.DateTimeField(null=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="registry.awsaccount"
                    ),
                ),
                (
                    "group",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="creation",
                        to="registry.modelgroup",
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="registry.project"
                    ),
                ),
                (
                    "requested_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "pending")),
                        fields=("account", "region", "name"),
                        name="group_creation_pending_once",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Registration",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveBigIntegerField(editable=False, unique=True)),
                ("requested_at", models.DateTimeField(auto_now_add=True)),
                ("reference", models.CharField(blank=True, max_length=128)),
                ("token", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("payload", models.JSONField()),
                (
                    "state",
                    models.CharField(
                        choices=[("pending", "Pending"), ("done", "Done"), ("failed", "Failed")],
                        default=registry.choices.AskedState["PENDING"],
                        max_length=10,
                    ),
                ),
                ("error", models.TextField(blank=True)),
                ("arn", models.CharField(blank=True, max_length=2048, verbose_name="ARN")),
                ("finished_at", models.DateTimeField(null=True)),
                (
                    "group",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="registrations",
                        to="registry.modelgroup",
                    ),
                ),
                (
                    "requested_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "version",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="registration",
                        to="registry.modelversion",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("reference", ""), _negated=True),
                        fields=("group", "requested_by", "reference"),
                        name="registration_reference_once",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("arn", ""), _negated=True), fields=("arn",), name="registration_arn_once"
                    ),
                ],
            },
        ),
    ]
