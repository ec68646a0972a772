"""MLflow tracking servers, and the runs that versions come from."""

from __future__ import annotations

from typing import ClassVar

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import Q

import registry.choices


def _id():
    return models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")


def _to(model, on_delete=django.db.models.deletion.PROTECT, **options):
    return models.ForeignKey(on_delete=on_delete, to=model, **options)


class Migration(migrations.Migration):
    dependencies: ClassVar = [("registry", "0014_service_accounts")]

    operations: ClassVar[list] = [
        migrations.CreateModel(
            name="TrackingServer",
            fields=[
                ("id", _id()),
                ("name", models.CharField(max_length=63, unique=True)),
                ("url", models.CharField(max_length=2048, unique=True, verbose_name="URL")),
                (
                    "login",
                    models.CharField(
                        choices=[("none", "None"), ("token", "Token"), ("basic", "Basic")],
                        default=registry.choices.TrackingLogin["NONE"],
                        max_length=10,
                    ),
                ),
                ("username", models.CharField(blank=True, max_length=200)),
                ("secret", models.TextField(blank=True, editable=False)),
                ("is_enabled", models.BooleanField(default=True, verbose_name="enabled")),
                ("checked_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("check_error", models.TextField(blank=True, editable=False)),
                ("revision", models.PositiveIntegerField(default=1, editable=False)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        name="tracking_login_has_what_it_needs",
                        condition=Q(login="none", username="", secret="")
                        | (Q(login="token", username="") & ~Q(secret=""))
                        | (Q(login="basic") & ~Q(username="") & ~Q(secret="")),
                    )
                ]
            },
        ),
        migrations.CreateModel(
            name="TrackingServerProject",
            fields=[
                ("id", _id()),
                (
                    "server",
                    _to("registry.trackingserver", django.db.models.deletion.CASCADE, related_name="project_links"),
                ),
                ("project", _to("registry.project", django.db.models.deletion.CASCADE, related_name="+")),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=["server", "project"], name="tracking_server_project_once")
                ]
            },
        ),
        migrations.AddField(
            model_name="trackingserver",
            name="projects",
            field=models.ManyToManyField(
                related_name="tracking_servers", through="registry.TrackingServerProject", to="registry.project"
            ),
        ),
        migrations.CreateModel(
            name="VersionRun",
            fields=[
                ("id", _id()),
                ("version", _to("registry.modelversion", null=True, related_name="runs")),
                (
                    "registration",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="run",
                        to="registry.registration",
                    ),
                ),
                ("server", _to("registry.trackingserver", related_name="runs")),
                ("run_id", models.CharField(max_length=64, verbose_name="run ID")),
                ("attached_by", _to(settings.AUTH_USER_MODEL, null=True, related_name="+")),
                ("attached_at", models.DateTimeField(auto_now_add=True)),
                ("detached_by", _to(settings.AUTH_USER_MODEL, null=True, related_name="+")),
                ("detached_at", models.DateTimeField(null=True)),
                ("read_at", models.DateTimeField(null=True)),
                ("tried_at", models.DateTimeField(null=True)),
                ("failing_since", models.DateTimeField(null=True)),
                ("last_error", models.TextField(blank=True)),
                ("is_settled", models.BooleanField(default=False, editable=False)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=["version"],
                        condition=Q(detached_at=None, version__isnull=False),
                        name="version_run_once",
                    ),
                    models.CheckConstraint(
                        name="version_run_is_of_something",
                        condition=Q(version__isnull=False) | Q(registration__isnull=False),
                    ),
                ],
                "indexes": [
                    models.Index(
                        fields=["tried_at"], condition=Q(detached_at=None, is_settled=False), name="version_run_due"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="RunReading",
            fields=[
                ("id", _id()),
                ("run", _to("registry.versionrun", related_name="readings")),
                ("read_at", models.DateTimeField()),
                ("read_by", models.CharField(max_length=200)),
                ("name", models.CharField(blank=True, max_length=500)),
                ("experiment_id", models.CharField(blank=True, max_length=64)),
                ("experiment_name", models.CharField(blank=True, max_length=500)),
                ("status", models.CharField(blank=True, max_length=20)),
                ("lifecycle_stage", models.CharField(blank=True, max_length=20)),
                ("started_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                ("user_name", models.CharField(blank=True, max_length=256)),
                ("source_name", models.CharField(blank=True, max_length=1000)),
                ("source_type", models.CharField(blank=True, max_length=50)),
                ("git_commit", models.CharField(blank=True, max_length=256)),
                ("artifact_uri", models.CharField(blank=True, max_length=2048, verbose_name="artifact URI")),
                ("params", models.JSONField(default=dict)),
                ("metrics", models.JSONField(default=dict)),
                ("tags", models.JSONField(default=dict)),
                ("measured_at", models.DateTimeField(null=True)),
                ("cut", models.JSONField(default=dict)),
                ("digest", models.CharField(max_length=80)),
            ],
            options={"indexes": [models.Index(fields=["run", "-id"], name="run_reading_newest")]},
        ),
        migrations.AddField(
            model_name="modelversion",
            name="run_reading",
            field=_to("registry.runreading", null=True, related_name="+", db_index=False, editable=False),
        ),
    ]
