"""Views of lists that people save, and which of them a list opens with."""

from __future__ import annotations

from typing import ClassVar

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import F, Q
from django.db.models.functions import Lower


class Migration(migrations.Migration):
    dependencies: ClassVar = [("registry", "0009_registrations")]

    operations: ClassVar[list] = [
        migrations.CreateModel(
            name="SavedView",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("list_key", models.CharField(max_length=80, verbose_name="list")),
                ("name", models.CharField(max_length=60)),
                (
                    "query",
                    models.CharField(blank=True, max_length=2000, verbose_name="filters, sorting and columns"),
                ),
                (
                    "audience",
                    models.CharField(
                        choices=[("owner", "Owner"), ("project", "Project"), ("everybody", "Everybody")],
                        default="owner",
                        max_length=10,
                        verbose_name="for",
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("changed_at", models.DateTimeField(auto_now=True)),
                ("revision", models.PositiveIntegerField(default=1, editable=False)),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="saved_views",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "project",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="saved_views",
                        to="registry.project",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="UsualView",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("list_key", models.CharField(max_length=80, verbose_name="list")),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="usual_views",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "view",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="usual_for", to="registry.savedview"
                    ),
                ),
            ],
        ),
        migrations.AddIndex(model_name="savedview", index=models.Index(fields=["list_key"], name="saved_view_list")),
        migrations.AddConstraint(
            model_name="savedview",
            constraint=models.UniqueConstraint(F("owner"), F("list_key"), Lower("name"), name="saved_view_once"),
        ),
        migrations.AddConstraint(
            model_name="savedview",
            constraint=models.CheckConstraint(
                condition=Q(audience="project", project__isnull=False)
                | Q(audience__in=["owner", "everybody"], project=None),
                name="saved_view_audience",
            ),
        ),
        migrations.AddConstraint(
            model_name="savedview",
            constraint=models.CheckConstraint(condition=~Q(name="") & ~Q(list_key=""), name="saved_view_named"),
        ),
        migrations.AddConstraint(
            model_name="usualview",
            constraint=models.UniqueConstraint(fields=["person", "list_key"], name="usual_view_once"),
        ),
    ]
