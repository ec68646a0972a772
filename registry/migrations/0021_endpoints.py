"""What serves requests in each account, and with which versions."""

from __future__ import annotations

from typing import ClassVar

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("registry", "0020_monitoring")]

    operations: ClassVar[list] = [
        migrations.CreateModel(
            name="Endpoint",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("region", models.CharField(max_length=30)),
                ("name", models.CharField(max_length=63)),
                ("arn", models.CharField(max_length=2048, unique=True, verbose_name="ARN")),
                ("status", models.CharField(max_length=30)),
                ("failure_reason", models.TextField(blank=True)),
                ("config_name", models.CharField(blank=True, max_length=63)),
                ("pending_config", models.CharField(blank=True, max_length=63)),
                ("is_asynchronous", models.BooleanField(default=False)),
                ("captures_data", models.BooleanField(null=True)),
                ("aws_created_at", models.DateTimeField(null=True)),
                ("aws_modified_at", models.DateTimeField(null=True)),
                ("read_at", models.DateTimeField()),
                ("missing_since", models.DateTimeField(null=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="endpoints", to="registry.awsaccount"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("account", "region", "name"), name="endpoint_name_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="EndpointVariant",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=63)),
                ("is_shadow", models.BooleanField(default=False)),
                ("is_pending", models.BooleanField(default=False)),
                ("inference_component", models.CharField(blank=True, max_length=63)),
                ("component_status", models.CharField(blank=True, max_length=30)),
                ("container", models.CharField(blank=True, max_length=63)),
                ("weight", models.FloatField(null=True)),
                ("instance_count", models.IntegerField(null=True)),
                ("instance_type", models.CharField(blank=True, max_length=63)),
                ("is_serverless", models.BooleanField(default=False)),
                ("model_name", models.CharField(blank=True, max_length=63)),
                ("model_arn", models.CharField(blank=True, max_length=2048, verbose_name="model ARN")),
                ("model_found", models.BooleanField(default=True)),
                ("problem", models.TextField(blank=True)),
                ("package_arn", models.CharField(blank=True, max_length=2048, verbose_name="model package ARN")),
                ("network_isolation", models.BooleanField(null=True)),
                ("in_vpc", models.BooleanField(null=True)),
                ("image", models.CharField(blank=True, max_length=512)),
                ("many_under", models.CharField(blank=True, max_length=2048)),
                ("missing_since", models.DateTimeField(null=True)),
                (
                    "endpoint",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="variants", to="registry.endpoint"
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="served_by",
                        to="registry.modelversion",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("endpoint", "name", "is_shadow", "is_pending", "inference_component", "container"),
                        name="endpoint_variant_once",
                    )
                ],
            },
        ),
    ]
