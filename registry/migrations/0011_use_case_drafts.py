"""Drafts of use cases, which only their authors see, and the record of periodic reviews."""

from __future__ import annotations

from typing import ClassVar

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("registry", "0010_saved_views")]

    operations: ClassVar[list] = [
        migrations.CreateModel(
            name="UseCaseDraft",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("steps", models.JSONField(default=dict)),
                ("revision", models.PositiveIntegerField(default=1)),
                ("origin", models.CharField(max_length=32)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("saved_at", models.DateTimeField()),
                (
                    "author",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="use_case_drafts",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["author", "-saved_at"], name="use_case_draft_newest")],
                "constraints": [models.UniqueConstraint(fields=("author", "origin"), name="use_case_draft_once")],
            },
        ),
        migrations.CreateModel(
            name="UseCaseReview",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("reviewed_on", models.DateField()),
                ("note", models.TextField()),
                ("next_review_on", models.DateField()),
                ("recorded_at", models.DateTimeField(auto_now_add=True)),
                (
                    "reviewer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "use_case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="reviews", to="registry.usecase"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["use_case", "-reviewed_on"], name="use_case_review_newest")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("note", ""), _negated=True), name="use_case_review_said"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("next_review_on__gt", models.F("reviewed_on"))),
                        name="use_case_review_goes_on",
                    ),
                ],
            },
        ),
    ]
