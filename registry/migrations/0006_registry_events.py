"""Events of the registry that could not be taken in, kept; and how the queue of each account is doing."""

from __future__ import annotations

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from registry.choices import EventProblem, ParkedEventState


class Migration(migrations.Migration):
    dependencies = [("registry", "0005_sync")]

    operations = [
        migrations.CreateModel(
            name="EventQueueHealth",
            fields=[
                (
                    "account",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="event_queue_health",
                        serialize=False,
                        to="registry.awsaccount",
                    ),
                ),
                ("reader", models.CharField(blank=True, max_length=200)),
                ("heartbeat_at", models.DateTimeField(null=True)),
                ("waiting", models.PositiveBigIntegerField(null=True)),
                ("in_flight", models.PositiveBigIntegerField(null=True)),
                ("dead_letters", models.PositiveBigIntegerField(null=True)),
                ("measured_at", models.DateTimeField(null=True)),
                ("measure_error", models.TextField(blank=True)),
                ("oldest_left_at", models.DateTimeField(null=True)),
                ("last_handled_at", models.DateTimeField(null=True)),
                ("lag_ms", models.PositiveBigIntegerField(null=True)),
                ("received", models.PositiveBigIntegerField(default=0)),
                ("taken_in", models.PositiveBigIntegerField(default=0)),
                ("known", models.PositiveBigIntegerField(default=0)),
                ("own", models.PositiveBigIntegerField(default=0)),
                ("other", models.PositiveBigIntegerField(default=0)),
                ("parked", models.PositiveBigIntegerField(default=0)),
                ("failures", models.PositiveIntegerField(default=0)),
                ("failing_since", models.DateTimeField(null=True)),
                ("error", models.TextField(blank=True)),
            ],
            options={
                "verbose_name": "event queue health",
                "verbose_name_plural": "event queue health",
            },
        ),
        migrations.CreateModel(
            name="ParkedEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("message_id", models.CharField(max_length=200, verbose_name="message id")),
                ("body", models.BinaryField()),
                ("model_package_arn", models.CharField(blank=True, max_length=2048, verbose_name="model package ARN")),
                ("queued_at", models.DateTimeField(null=True)),
                ("problem", models.CharField(choices=EventProblem.choices(), max_length=20)),
                ("error", models.TextField()),
                ("attempts", models.PositiveIntegerField(default=1)),
                ("first_seen_at", models.DateTimeField()),
                ("last_seen_at", models.DateTimeField()),
                (
                    "state",
                    models.CharField(
                        choices=ParkedEventState.choices(), default=ParkedEventState.PARKED, max_length=10
                    ),
                ),
                ("settled_at", models.DateTimeField(null=True)),
                ("note", models.TextField(blank=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="parked_events",
                        to="registry.awsaccount",
                    ),
                ),
                (
                    "settled_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["account", "state"], name="registry_pa_account_0eff78_idx"),
                    models.Index(fields=["state", "-last_seen_at"], name="registry_pa_state_c9cdf3_idx"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("account", "message_id"), name="parked_event_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("note", ""),
                                ("settled_at", None),
                                ("settled_by", None),
                                ("state", ParkedEventState.PARKED),
                            ),
                            models.Q(("settled_at__isnull", False), ("state", ParkedEventState.REPLAYED)),
                            models.Q(
                                ("settled_at__isnull", False),
                                ("state", ParkedEventState.DISMISSED),
                                models.Q(("note", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="parked_event_settled",
                    ),
                ],
            },
        ),
    ]
