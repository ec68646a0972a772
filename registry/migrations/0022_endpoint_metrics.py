"""What CloudWatch counts of endpoints."""

from __future__ import annotations

from typing import ClassVar

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies: ClassVar = [("registry", "0021_endpoints")]

    operations: ClassVar[list] = [
        migrations.CreateModel(
            name="EndpointSeries",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("region", models.CharField(max_length=30)),
                ("endpoint", models.CharField(max_length=63)),
                ("variant", models.CharField(blank=True, max_length=63)),
                ("schedule", models.CharField(blank=True, max_length=63)),
                ("namespace", models.CharField(max_length=255)),
                ("metric", models.CharField(max_length=255)),
                ("statistic", models.CharField(max_length=30)),
                ("begins_at", models.DateTimeField(null=True)),
                (
                    "points",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.FloatField(null=True), default=list, size=None
                    ),
                ),
                ("problem", models.TextField(blank=True)),
                ("read_at", models.DateTimeField()),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="endpoint_series",
                        to="registry.awsaccount",
                    ),
                ),
            ],
            options={"verbose_name": "endpoint metric", "verbose_name_plural": "endpoint metrics"},
        ),
        migrations.AddConstraint(
            model_name="endpointseries",
            constraint=models.UniqueConstraint(
                fields=("account", "region", "endpoint", "variant", "schedule", "namespace", "metric"),
                name="endpoint_series_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="endpointseries",
            constraint=models.CheckConstraint(
                condition=Q(points__len__lte=2160) & (Q(points__len=0) | Q(begins_at__isnull=False)),
                name="endpoint_series_bounded",
            ),
        ),
    ]
