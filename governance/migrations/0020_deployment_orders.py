"""The ways deployment orders take per account and stage, the orders that took one, and the pipelines that wait."""

from __future__ import annotations

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models
from django.db.models import Q

import governance.choices

from ._audited import FIXED_PATH, audited, kept, trigger

CHANNELS, ORDERS, CALLBACKS = (
    "governance_deploymentchannel",
    "governance_deploymentorder",
    "governance_waitingcallback",
)
STAGES = [
    ("development", "Development"),
    ("qa", "QA"),
    ("pre_production", "Pre-production"),
    ("production", "Production"),
]
KINDS = [
    ("event_bridge", "EventBridge event"),
    ("pipeline", "SageMaker pipeline"),
    ("callback", "Waiting pipeline step"),
    ("webhook", "Signed webhook"),
]
SOURCES = [("api", "Posted to the API"), ("queue", "Read from its queue"), ("lookup", "Found in SageMaker")]
OUTCOMES = [("waiting", "Waiting"), ("released", "Released"), ("refused", "Refused"), ("gone", "Gone")]

# What waits for a word waits for that one, and gets one answer.
GUARD = """
CREATE FUNCTION governance_callback_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  -- The token may be encrypted anew and is forgotten with the answer; its digest says which one it is.
  moving text[] := '{version_id,token,execution_arn,step_name,outcome,answered_at,answered_by_id,note}';
BEGIN
  IF to_jsonb(OLD) - moving <> to_jsonb(NEW) - moving
     OR (OLD.version_id IS NOT NULL AND NEW.version_id IS DISTINCT FROM OLD.version_id)
     OR (OLD.outcome <> 'waiting' AND OLD IS DISTINCT FROM NEW) THEN
    RAISE EXCEPTION 'a waiting step is answered once, and what it waits for does not change'
      USING ERRCODE = '23514', CONSTRAINT = 'callback_guard', TABLE = TG_TABLE_NAME;
  END IF;
  RETURN NEW;
END $$;
"""
UNDO = "DROP FUNCTION IF EXISTS governance_callback_guard() CASCADE"


class Migration(migrations.Migration):
    dependencies = [("governance", "0019_out_of_band"), ("registry", "0009_registrations")]

    operations = [
        migrations.CreateModel(
            name="DeploymentChannel",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("stage", models.CharField(blank=True, choices=STAGES, max_length=20)),
                ("kind", models.CharField(choices=KINDS, max_length=20)),
                ("is_enabled", models.BooleanField(default=True, verbose_name="enabled")),
                ("bus", models.CharField(blank=True, max_length=256, verbose_name="event bus")),
                (
                    "runs_in",
                    models.CharField(
                        choices=[("hub", "The hub"), ("target", "The account that is deployed to")],
                        default=governance.choices.PipelineHome["HUB"],
                        max_length=10,
                    ),
                ),
                ("pipeline", models.CharField(blank=True, max_length=2048)),
                ("parameters", models.JSONField(blank=True, default=dict)),
                ("queue_url", models.CharField(blank=True, max_length=500, verbose_name="queue URL")),
                ("step_name", models.CharField(blank=True, max_length=64)),
                ("url", models.CharField(blank=True, max_length=2048, verbose_name="URL")),
                ("secret", models.TextField(blank=True, editable=False)),
                ("former_secret", models.TextField(blank=True, editable=False)),
                ("former_secret_until", models.DateTimeField(blank=True, editable=False, null=True)),
                ("revision", models.PositiveIntegerField(default=1, editable=False)),
                ("last_used_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("last_error", models.TextField(blank=True, editable=False)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="channels", to="registry.awsaccount"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("account", "stage"), name="channel_once_per_account_and_stage"),
                    models.CheckConstraint(
                        condition=Q(kind=governance.choices.ChannelKind["EVENT_BRIDGE"])
                        | (Q(kind=governance.choices.ChannelKind["PIPELINE"]) & ~Q(pipeline=""))
                        | Q(kind=governance.choices.ChannelKind["CALLBACK"])
                        | (Q(kind=governance.choices.ChannelKind["WEBHOOK"]) & ~Q(url="") & ~Q(secret="")),
                        name="channel_has_what_its_kind_needs",
                    ),
                    models.CheckConstraint(
                        condition=Q(former_secret="", former_secret_until=None)
                        | (~Q(former_secret="") & Q(former_secret_until__isnull=False)),
                        name="channel_former_secret_has_its_end",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="DeploymentOrder",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "action",
                    models.CharField(
                        choices=[("deploy", "Deploy"), ("remove", "Remove"), ("refuse", "Refuse")], max_length=10
                    ),
                ),
                ("kind", models.CharField(choices=KINDS, max_length=20)),
                ("through", models.TextField()),
                ("reference", models.CharField(blank=True, max_length=2048)),
                ("note", models.TextField(blank=True)),
                ("ordered_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("carried_at", models.DateTimeField(null=True)),
                (
                    "deployment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="orders", to="registry.deployment"
                    ),
                ),
                (
                    "message",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="deployment_order",
                        to="governance.outboxmessage",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="WaitingCallback",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("model_package_arn", models.CharField(db_index=True, max_length=2048)),
                ("stage", models.CharField(choices=STAGES, max_length=20)),
                ("region", models.CharField(max_length=30)),
                ("token", models.TextField(blank=True, editable=False)),
                ("token_digest", models.CharField(editable=False, max_length=64, unique=True)),
                ("execution_arn", models.CharField(blank=True, max_length=2048)),
                ("step_name", models.CharField(blank=True, max_length=64)),
                ("source", models.CharField(choices=SOURCES, max_length=10)),
                ("received_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "outcome",
                    models.CharField(
                        choices=OUTCOMES, default=governance.choices.CallbackOutcome["WAITING"], max_length=10
                    ),
                ),
                ("answered_at", models.DateTimeField(null=True)),
                ("note", models.TextField(blank=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="registry.awsaccount"
                    ),
                ),
                (
                    "answered_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="governance.outboxmessage",
                    ),
                ),
                (
                    "home",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="registry.awsaccount"
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="waiting_callbacks",
                        to="registry.modelversion",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["version", "stage", "account", "outcome"], name="governance__version_6d053b_idx"
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=Q(outcome=governance.choices.CallbackOutcome["WAITING"], answered_at=None)
                        | (~Q(outcome=governance.choices.CallbackOutcome["WAITING"]) & Q(answered_at__isnull=False)),
                        name="callback_answered_has_its_time",
                    )
                ],
            },
        ),
        migrations.RunSQL(GUARD + FIXED_PATH, UNDO),
        migrations.RunSQL(
            audited(CHANNELS, quiet="last_used_at,last_error", hidden="secret,former_secret")
            + audited(ORDERS)
            + audited(CALLBACKS, hidden="token")
            + kept(ORDERS)
            + kept(CALLBACKS)
            + trigger("callback_guard", CALLBACKS, "UPDATE", "governance_callback_guard"),
            migrations.RunSQL.noop,
        ),
    ]
