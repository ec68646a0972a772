"""What people are told, by what ways, and what each wants; and the terms of API tokens.

What is told are copies of what the trail has already, so only what people set themselves is in the trail.
"""

from __future__ import annotations

from typing import ClassVar

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models
from django.db.models import Q

import portal.core.vocabulary

from ._audited import audited

KINDS = [
    ("request_waits", "Request waits"),
    ("request_due_soon", "Request due soon"),
    ("request_overdue", "Request overdue"),
    ("request_escalated", "Request escalated"),
    ("request_progress", "Request progress"),
    ("request_approved", "Request approved"),
    ("request_sent_back", "Request sent back"),
    ("request_lapsed", "Request lapsed"),
    ("finding_opened", "Finding opened"),
    ("finding_assigned", "Finding assigned"),
    ("finding_due", "Finding due"),
    ("review_due", "Review due"),
    ("break_glass", "Break glass"),
    ("share_drift", "Share drift"),
    ("deployment_failed", "Deployment failed"),
    ("deployment_done", "Deployment done"),
    ("write_back_given_up", "Write back given up"),
    ("sync_failing", "Sync failing"),
    ("delegation_begins", "Delegation begins"),
    ("delegation_ends", "Delegation ends"),
    ("pack_ready", "Pack ready"),
]
STATES = [("pending", "Pending"), ("delivered", "Delivered"), ("failed", "Failed"), ("dropped", "Dropped")]
PENDING = portal.core.vocabulary.NotificationState["PENDING"]
ID = models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")


class Migration(migrations.Migration):
    dependencies: ClassVar = [("governance", "0025_moment")]

    operations: ClassVar[list] = [
        migrations.CreateModel(
            name="Occasion",
            fields=[
                ("id", ID.clone()),
                ("kind", models.CharField(choices=KINDS, max_length=30)),
                ("key", models.CharField(max_length=200, unique=True)),
                ("about", models.CharField(blank=True, max_length=20)),
                ("about_id", models.BigIntegerField(null=True)),
                ("actor_id_copy", models.BigIntegerField(null=True)),
                ("actor_name", models.CharField(blank=True, max_length=200)),
                ("details", models.JSONField(default=dict)),
                ("happened_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("told_at", models.DateTimeField(null=True)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("next_attempt_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("problem", models.TextField(blank=True)),
            ],
            options={
                "indexes": [
                    models.Index(condition=Q(told_at=None), fields=["next_attempt_at", "id"], name="occasion_untold")
                ],
            },
        ),
        migrations.CreateModel(
            name="Notification",
            fields=[
                ("id", ID.clone()),
                ("kind", models.CharField(choices=KINDS, max_length=30)),
                ("key", models.CharField(max_length=200)),
                ("title", models.CharField(max_length=300)),
                ("text", models.TextField(blank=True)),
                ("path", models.CharField(max_length=500)),
                ("about", models.CharField(blank=True, max_length=20)),
                ("about_id", models.BigIntegerField(null=True)),
                ("count", models.PositiveIntegerField(default=1)),
                ("is_quiet", models.BooleanField(default=False)),
                ("in_digest", models.BooleanField(default=False)),
                ("happened_at", models.DateTimeField()),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("read_at", models.DateTimeField(null=True)),
                ("settled_at", models.DateTimeField(null=True)),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="notifications",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "occasion",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="governance.occasion",
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("person", "key"), name="notification_once_per_person")],
                "indexes": [
                    models.Index(fields=["person", "-happened_at", "-id"], name="notification_newest"),
                    models.Index(
                        condition=Q(read_at=None, is_quiet=False), fields=["person"], name="notification_unread"
                    ),
                    models.Index(fields=["about", "about_id"], name="notification_about"),
                ],
            },
        ),
        migrations.CreateModel(
            name="NotificationDelivery",
            fields=[
                ("id", ID.clone()),
                ("channel", models.CharField(choices=[("email", "Email"), ("chat", "Chat")], max_length=10)),
                ("digest_on", models.DateField(null=True)),
                ("content", models.JSONField(default=dict)),
                ("state", models.CharField(choices=STATES, default=PENDING, max_length=10)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("next_attempt_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("last_error", models.TextField(blank=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "notification",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="deliveries",
                        to="governance.notification",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "notification deliveries",
                "constraints": [
                    models.CheckConstraint(
                        condition=Q(notification__isnull=False, digest_on=None)
                        | Q(notification=None, digest_on__isnull=False),
                        name="notification_delivery_of_one_thing",
                    ),
                    models.UniqueConstraint(
                        fields=("notification", "channel"), name="notification_delivered_once_a_way"
                    ),
                    models.UniqueConstraint(
                        condition=Q(notification=None),
                        fields=("person", "digest_on"),
                        name="notification_digest_once_a_day",
                    ),
                ],
                "indexes": [
                    models.Index(
                        condition=Q(state=PENDING),
                        fields=["channel", "next_attempt_at", "id"],
                        name="notification_delivery_due",
                    ),
                    models.Index(fields=["person", "-id"], name="notification_delivery_person"),
                ],
            },
        ),
        migrations.CreateModel(
            name="NotificationSettings",
            fields=[
                ("id", ID.clone()),
                ("choices", models.JSONField(default=dict)),
                ("is_digest_on", models.BooleanField(default=True)),
                ("digest_hour", models.PositiveSmallIntegerField(default=8)),
                ("time_zone", models.CharField(default="UTC", max_length=64)),
                (
                    "chat_kind",
                    models.CharField(blank=True, choices=[("slack", "Slack"), ("teams", "Teams")], max_length=10),
                ),
                ("chat_url", models.TextField(blank=True, editable=False)),
                ("chat_host", models.CharField(blank=True, max_length=255)),
                ("chat_problem", models.TextField(blank=True)),
                ("last_digest_on", models.DateField(null=True)),
                ("revision", models.PositiveIntegerField(default=1)),
                (
                    "person",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="notification_settings",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "notification settings",
                "verbose_name_plural": "notification settings",
                "constraints": [
                    models.CheckConstraint(condition=Q(digest_hour__lte=23), name="notification_digest_hour_of_a_day"),
                    models.CheckConstraint(
                        condition=Q(chat_kind="", chat_url="", chat_host="")
                        | (~Q(chat_kind="") & ~Q(chat_url="") & ~Q(chat_host="")),
                        name="notification_chat_as_a_whole",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="TokenTerms",
            fields=[
                ("id", ID.clone()),
                ("is_read_only", models.BooleanField(default=False)),
                ("last_used_at", models.DateTimeField(null=True)),
                (
                    "token",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="terms",
                        to=settings.KNOX_TOKEN_MODEL,
                    ),
                ),
            ],
            options={"verbose_name": "token terms", "verbose_name_plural": "token terms"},
        ),
        migrations.RunSQL(
            audited("governance_notificationsettings", quiet="chat_problem,last_digest_on", hidden="chat_url")
            # A token's key is its digest.
            + audited("governance_tokenterms", quiet="last_used_at", hidden="token_id"),
            migrations.RunSQL.noop,
        ),
    ]
