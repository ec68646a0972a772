"""Monitoring schedules, their executions and alerts."""

from __future__ import annotations

from typing import ClassVar

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("registry", "0019_reports")]

    operations: ClassVar[list] = [
        migrations.CreateModel(
            name="MonitoringSchedule",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="monitoring_schedules",
                        to="registry.awsaccount",
                    ),
                ),
                ("region", models.CharField(max_length=30)),
                ("name", models.CharField(max_length=63)),
                ("arn", models.CharField(max_length=2048, verbose_name="ARN")),
                (
                    "monitor_type",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("DataQuality", "Data quality"),
                            ("ModelQuality", "Model quality"),
                            ("ModelBias", "Bias drift"),
                            ("ModelExplainability", "Explainability drift"),
                        ],
                        max_length=20,
                    ),
                ),
                ("endpoint", models.CharField(blank=True, max_length=63)),
                ("status", models.CharField(max_length=20)),
                ("failure_reason", models.TextField(blank=True)),
                ("expression", models.CharField(blank=True, max_length=256)),
                ("definition_name", models.CharField(blank=True, max_length=63)),
                ("constraints_url", models.CharField(blank=True, max_length=1024)),
                ("statistics_url", models.CharField(blank=True, max_length=1024)),
                ("output_url", models.CharField(blank=True, max_length=1024)),
                ("problem", models.TextField(blank=True)),
                ("aws_created_at", models.DateTimeField(null=True)),
                ("aws_modified_at", models.DateTimeField(null=True)),
                ("read_until", models.DateTimeField(blank=True, null=True)),
                ("read_at", models.DateTimeField()),
                ("missing_since", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "indexes": [models.Index(fields=["account", "region", "endpoint"], name="monitoring_of_endpoint")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("account", "region", "name"), name="monitoring_schedule_once_per_region"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="MonitoringExecution",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "schedule",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="executions",
                        to="registry.monitoringschedule",
                    ),
                ),
                ("scheduled_at", models.DateTimeField()),
                ("status", models.CharField(max_length=30)),
                ("failure_reason", models.TextField(blank=True)),
                ("endpoint", models.CharField(blank=True, max_length=63)),
                (
                    "processing_job_arn",
                    models.CharField(blank=True, max_length=2048, verbose_name="processing job ARN"),
                ),
                ("output_url", models.CharField(blank=True, max_length=1024)),
                ("violations", models.JSONField(default=list)),
                ("violation_count", models.PositiveIntegerField(null=True)),
                ("metrics", models.JSONField(null=True)),
                ("report_problem", models.CharField(blank=True, max_length=20)),
                ("report_sentence", models.TextField(blank=True)),
                ("aws_created_at", models.DateTimeField(null=True)),
                ("aws_modified_at", models.DateTimeField(null=True)),
                ("read_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("schedule", "scheduled_at"), name="monitoring_execution_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="MonitoringAlert",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "schedule",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="alerts",
                        to="registry.monitoringschedule",
                    ),
                ),
                ("name", models.CharField(max_length=63)),
                ("status", models.CharField(max_length=20)),
                ("datapoints", models.PositiveSmallIntegerField(null=True)),
                ("period", models.PositiveSmallIntegerField(null=True)),
                ("history", models.JSONField(default=list)),
                ("aws_created_at", models.DateTimeField(null=True)),
                ("changed_at", models.DateTimeField(null=True)),
                ("read_at", models.DateTimeField()),
                ("missing_since", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("schedule", "name"), name="monitoring_alert_once")],
            },
        ),
        migrations.CreateModel(
            name="MonitoringConstraints",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="registry.awsaccount"
                    ),
                ),
                ("address", models.CharField(max_length=1024)),
                ("limits", models.JSONField(null=True)),
                ("problem", models.CharField(blank=True, max_length=20)),
                ("sentence", models.TextField(blank=True)),
                ("etag", models.CharField(blank=True, max_length=128)),
                ("read_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("account", "address"), name="monitoring_constraints_once")
                ],
            },
        ),
    ]
