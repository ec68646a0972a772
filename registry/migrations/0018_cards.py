"""Model cards as AWS has them."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import migrations, models

from registry.choices import AskedState, RiskRating


class Migration(migrations.Migration):
    dependencies: ClassVar = [("registry", "0017_readings")]

    operations: ClassVar[list] = [
        migrations.CreateModel(
            name="ModelCard",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("region", models.CharField(max_length=30)),
                ("name", models.CharField(max_length=63)),
                ("arn", models.CharField(max_length=256, verbose_name="ARN")),
                ("number", models.PositiveIntegerField(verbose_name="latest version")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("Draft", "Draft"),
                            ("PendingReview", "Pending review"),
                            ("Approved", "Approved"),
                            ("Archived", "Archived"),
                        ],
                        max_length=20,
                    ),
                ),
                ("problems", models.JSONField(default=list)),
                ("model_name", models.CharField(blank=True, max_length=200)),
                ("purpose", models.TextField(blank=True)),
                (
                    "risk_rating",
                    models.CharField(
                        choices=[("high", "High"), ("medium", "Medium"), ("low", "Low"), ("unknown", "Unknown")],
                        default=RiskRating.UNKNOWN,
                        max_length=10,
                    ),
                ),
                ("owner_name", models.CharField(blank=True, max_length=200)),
                ("line_of_business", models.CharField(blank=True, max_length=200)),
                ("use_case_named", models.CharField(blank=True, max_length=200)),
                ("kms_key", models.CharField(blank=True, max_length=2048)),
                ("aws_created_at", models.DateTimeField()),
                ("aws_modified_at", models.DateTimeField(null=True)),
                ("missing_since", models.DateTimeField(blank=True, null=True)),
                ("read_at", models.DateTimeField()),
                ("revision", models.PositiveIntegerField(default=1, editable=False)),
                (
                    "account",
                    models.ForeignKey(on_delete=models.PROTECT, related_name="model_cards", to="registry.awsaccount"),
                ),
                (
                    "group",
                    models.ForeignKey(
                        null=True, on_delete=models.PROTECT, related_name="model_cards", to="registry.modelgroup"
                    ),
                ),
                (
                    "use_case",
                    models.ForeignKey(
                        null=True, on_delete=models.PROTECT, related_name="model_cards", to="registry.usecase"
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        null=True, on_delete=models.PROTECT, related_name="model_cards", to="registry.modelversion"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ModelCardEdit",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("region", models.CharField(max_length=30)),
                ("name", models.CharField(max_length=63)),
                ("content", models.JSONField(null=True)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("Draft", "Draft"),
                            ("PendingReview", "Pending review"),
                            ("Approved", "Approved"),
                            ("Archived", "Archived"),
                        ],
                        max_length=20,
                    ),
                ),
                ("expected_number", models.PositiveIntegerField(default=0)),
                ("expected_status", models.CharField(blank=True, max_length=20)),
                ("reason", models.TextField(blank=True)),
                ("token", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("requested_at", models.DateTimeField(auto_now_add=True)),
                (
                    "state",
                    models.CharField(
                        choices=[("pending", "Pending"), ("done", "Done"), ("failed", "Failed")],
                        default=AskedState.PENDING,
                        max_length=10,
                    ),
                ),
                ("error", models.TextField(blank=True)),
                ("finished_at", models.DateTimeField(null=True)),
                ("account", models.ForeignKey(on_delete=models.PROTECT, related_name="+", to="registry.awsaccount")),
                (
                    "card",
                    models.ForeignKey(
                        null=True, on_delete=models.PROTECT, related_name="edits", to="registry.modelcard"
                    ),
                ),
                (
                    "group",
                    models.ForeignKey(null=True, on_delete=models.PROTECT, related_name="+", to="registry.modelgroup"),
                ),
                (
                    "requested_by",
                    models.ForeignKey(on_delete=models.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ModelCardVersion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField()),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("Draft", "Draft"),
                            ("PendingReview", "Pending review"),
                            ("Approved", "Approved"),
                            ("Archived", "Archived"),
                        ],
                        max_length=20,
                    ),
                ),
                ("content", models.JSONField(null=True)),
                ("text", models.TextField(blank=True)),
                ("problems", models.JSONField(default=list)),
                ("author_arn", models.CharField(blank=True, max_length=2048)),
                ("modifier_arn", models.CharField(blank=True, max_length=2048)),
                ("aws_created_at", models.DateTimeField(null=True)),
                ("aws_modified_at", models.DateTimeField(null=True)),
                ("read_at", models.DateTimeField()),
                ("card", models.ForeignKey(on_delete=models.PROTECT, related_name="versions", to="registry.modelcard")),
                (
                    "written_by",
                    models.ForeignKey(
                        null=True, on_delete=models.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ModelCardExport",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField(verbose_name="version")),
                ("path", models.CharField(max_length=1024, verbose_name="below")),
                ("job_arn", models.CharField(blank=True, max_length=256, verbose_name="job")),
                ("url", models.CharField(blank=True, max_length=1024, verbose_name="URL")),
                ("token", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("requested_at", models.DateTimeField(auto_now_add=True)),
                (
                    "state",
                    models.CharField(
                        choices=[("pending", "Pending"), ("done", "Done"), ("failed", "Failed")],
                        default=AskedState.PENDING,
                        max_length=10,
                    ),
                ),
                ("error", models.TextField(blank=True)),
                ("finished_at", models.DateTimeField(null=True)),
                (
                    "card",
                    models.ForeignKey(on_delete=models.PROTECT, related_name="exports", to="registry.modelcard"),
                ),
                (
                    "requested_by",
                    models.ForeignKey(on_delete=models.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="modelcardexport",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", AskedState.PENDING)),
                fields=("card", "number"),
                name="model_card_export_pending_once",
            ),
        ),
        migrations.AddIndex(
            model_name="modelcard",
            index=models.Index(fields=["name", "id"], name="model_card_name"),
        ),
        migrations.AddConstraint(
            model_name="modelcard",
            constraint=models.UniqueConstraint(fields=("arn", "aws_created_at"), name="model_card_arn_creation"),
        ),
        migrations.AddConstraint(
            model_name="modelcardedit",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", AskedState.PENDING)),
                fields=("account", "region", "name"),
                name="model_card_edit_pending_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="modelcardversion",
            constraint=models.UniqueConstraint(fields=("card", "number"), name="model_card_version_once"),
        ),
    ]
