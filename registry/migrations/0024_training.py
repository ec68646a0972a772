"""The jobs and data that versions were made from."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("registry", "0023_lineage")]

    operations: ClassVar[list] = [
        migrations.CreateModel(
            name="LabelingJob",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "account",
                    models.ForeignKey(on_delete=models.PROTECT, related_name="labeling_jobs", to="registry.awsaccount"),
                ),
                ("region", models.CharField(max_length=30)),
                ("arn", models.CharField(max_length=2048, unique=True, verbose_name="ARN")),
                ("name", models.CharField(max_length=63)),
                ("status", models.CharField(blank=True, max_length=20)),
                ("failure", models.TextField(blank=True)),
                ("output", models.CharField(blank=True, max_length=1024)),
                ("input", models.CharField(blank=True, max_length=1024)),
                ("workteam_arn", models.CharField(blank=True, max_length=2048)),
                ("task", models.CharField(blank=True, max_length=200)),
                ("workers", models.PositiveIntegerField(null=True)),
                ("total", models.PositiveIntegerField(null=True)),
                ("human", models.PositiveIntegerField(null=True)),
                ("machine", models.PositiveIntegerField(null=True)),
                ("failed", models.PositiveIntegerField(null=True)),
                ("unlabeled", models.PositiveIntegerField(null=True)),
                ("aws_created_at", models.DateTimeField(null=True)),
                ("aws_modified_at", models.DateTimeField(null=True)),
                ("read_at", models.DateTimeField()),
            ],
            options={
                "indexes": [
                    models.Index(fields=["output"], name="labeling_job_output"),
                    models.Index(fields=["account", "region", "-aws_modified_at"], name="labeling_job_newest"),
                ],
                "constraints": [],
            },
        ),
        migrations.CreateModel(
            name="TrainingProvenance",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "version",
                    models.OneToOneField(on_delete=models.PROTECT, related_name="training", to="registry.modelversion"),
                ),
                (
                    "source",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("version", "Version"),
                            ("card", "Card"),
                            ("pipeline", "Pipeline"),
                            ("artifact", "Artifact"),
                        ],
                        max_length=10,
                    ),
                ),
                ("job_arn", models.CharField(blank=True, max_length=2048, verbose_name="training job ARN")),
                ("job_name", models.CharField(blank=True, max_length=63)),
                ("account_id_copy", models.CharField(blank=True, max_length=12, verbose_name="account")),
                ("region", models.CharField(blank=True, max_length=30)),
                ("status", models.CharField(blank=True, max_length=20)),
                ("secondary_status", models.CharField(blank=True, max_length=40)),
                ("failure", models.TextField(blank=True)),
                ("created_at", models.DateTimeField(null=True)),
                ("started_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                ("training_seconds", models.PositiveIntegerField(null=True)),
                ("billable_seconds", models.PositiveIntegerField(null=True)),
                ("image", models.CharField(blank=True, max_length=1024)),
                ("algorithm", models.CharField(blank=True, max_length=100)),
                ("role_arn", models.CharField(blank=True, max_length=2048)),
                ("instance_type", models.CharField(blank=True, max_length=40)),
                ("instance_count", models.PositiveIntegerField(null=True)),
                ("hyperparameters", models.JSONField(default=dict)),
                ("metrics", models.JSONField(default=list)),
                ("inputs", models.JSONField(default=list)),
                ("artifact", models.CharField(blank=True, max_length=1024)),
                ("network_isolation", models.BooleanField(null=True)),
                ("traffic_encryption", models.BooleanField(null=True)),
                ("spot", models.BooleanField(null=True)),
                ("volume_key", models.CharField(blank=True, max_length=2048)),
                ("output_key", models.CharField(blank=True, max_length=2048)),
                ("vpc", models.JSONField(null=True)),
                ("hub", models.JSONField(null=True)),
                ("licence", models.CharField(blank=True, max_length=500)),
                ("eula_accepted", models.BooleanField(null=True)),
                ("automl", models.JSONField(null=True)),
                (
                    "labeling",
                    models.ForeignKey(
                        null=True, on_delete=models.PROTECT, related_name="trainings", to="registry.labelingjob"
                    ),
                ),
                ("problem", models.TextField(blank=True)),
                ("looked_in", models.JSONField(default=list)),
                ("of_digest", models.CharField(blank=True, max_length=80)),
                ("read_at", models.DateTimeField(null=True)),
                ("tried_at", models.DateTimeField()),
            ],
            options={
                "indexes": [models.Index(fields=["tried_at"], name="training_tried")],
                "constraints": [],
            },
        ),
    ]
