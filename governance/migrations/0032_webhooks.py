"""Webhooks, their deliveries and attempts, and the triggers that write down what they are told of (ADR 0017).

A change is written down in its own transaction, by a trigger on the table it is made to, and only while an active
webhook wants what the table can tell: without one a change costs one look at a table of a few rows, and no row.
"""

from __future__ import annotations

from typing import ClassVar

import django.contrib.postgres.fields
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models
from django.db.models import Q

from governance.migrations._audited import audited

ID = ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"))

# The arguments are the columns that are copied.
NOTE = """
CREATE FUNCTION governance_note_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  before jsonb; after jsonb; moment timestamptz;
BEGIN
  IF NOT EXISTS (SELECT 1 FROM governance_webhook WHERE state = 'active' AND TG_TABLE_NAME = ANY(sources)) THEN
    RETURN NULL;
  END IF;
  after := to_jsonb(NEW);
  IF TG_OP = 'UPDATE' THEN
    before := to_jsonb(OLD);
    SELECT jsonb_object_agg(name, before -> name) INTO before FROM unnest(TG_ARGV) name;
  END IF;
  moment := clock_timestamp();
  INSERT INTO governance_webhookevent
    ("table", row_id, before, after, actor, correlation, happened_at, next_attempt_at)
  SELECT TG_TABLE_NAME, (after ->> 'id')::bigint, before, jsonb_object_agg(name, after -> name),
         coalesce(current_setting('app.actor', true), ''), coalesce(current_setting('app.correlation', true), ''),
         moment, moment
    FROM unnest(TG_ARGV) name;
  RETURN NULL;
END $$;
"""
_KINDS = (
    *("request_waits", "request_due_soon", "request_overdue", "request_escalated", "request_progress"),
    *("request_approved", "request_sent_back", "request_lapsed", "finding_opened", "finding_assigned", "finding_due"),
    *("review_due", "break_glass", "share_drift", "deployment_failed", "deployment_done", "write_back_given_up"),
    *("sync_failing", "delegation_begins", "delegation_ends", "pack_ready", "webhook_disabled"),
)
KINDS = [(kind, kind.replace("_", " ").capitalize()) for kind in _KINDS]
_INSERT, _UPDATE = "INSERT", "UPDATE"
# Table, columns that are copied, whether a new row is news, and when a change is: "" never.
TOLD: list[tuple[str, str, str, str]] = [
    (
        "governance_stageevent",
        "kind,use_case_id,version_id,record_id_copy,verb,stage,status,position_stage,position_status,request_id_copy",
        "true",
        "",
    ),
    ("registry_usecase", "risk_class", "", "OLD.risk_class <> NEW.risk_class"),
    (
        "registry_modelversion",
        "content_digest,missing_since",
        "",
        "OLD.content_digest <> NEW.content_digest OR (OLD.missing_since IS NULL) <> (NEW.missing_since IS NULL)",
    ),
    (
        "governance_approvalrequest",
        "use_case_id,version_id,stage,to_stage,state,requester_id,escalated_at",
        "true",
        "OLD.state <> NEW.state OR OLD.escalated_at IS NULL AND NEW.escalated_at IS NOT NULL",
    ),
    ("governance_decision", "request_id,verdict,role,decider_name,back_to", "true", ""),
    (
        "governance_stagerecord",
        "version_id,stage,outdated_at",
        "",
        "(OLD.outdated_at IS NULL) <> (NEW.outdated_at IS NULL)",
    ),
    (
        "governance_usecasestagerecord",
        "use_case_id,stage,outdated_at",
        "",
        "(OLD.outdated_at IS NULL) <> (NEW.outdated_at IS NULL)",
    ),
    (
        "governance_override",
        "use_case_id,version_id,stage,check_key,expires_at,revoked_at",
        "true",
        "OLD.revoked_at IS NULL AND NEW.revoked_at IS NOT NULL",
    ),
    (
        "governance_finding",
        "kind,severity,state,use_case_id,group_id,version_id,account_id,stage,owner_id,due_on",
        "true",
        (
            "OLD.state <> NEW.state OR OLD.severity <> NEW.severity"
            " OR (OLD.owner_id, OLD.due_on) IS DISTINCT FROM (NEW.owner_id, NEW.due_on)"
        ),
    ),
    ("governance_deploymentorder", "deployment_id,action", "true", ""),
    (
        "registry_deployment",
        "version_id,account_id,region,stage,mode,state",
        "",
        "OLD.state <> NEW.state OR OLD.mode <> NEW.mode",
    ),
    (
        "registry_declaredshare",
        "number,account_id,region,state,revision",
        "true",
        "OLD.state <> NEW.state OR OLD.revision <> NEW.revision",
    ),
    (
        "registry_resourceshare",
        "arn,account_id,region,state",
        "true",
        "(OLD.state, OLD.principals, OLD.permissions) IS DISTINCT FROM (NEW.state, NEW.principals, NEW.permissions)",
    ),
    ("registry_shareinvitation", "share_arn,receiver_id,region,status", "true", "OLD.status <> NEW.status"),
    (
        "registry_syncrun",
        "account_id,region,kind,state,created,updated,missing,error",
        "NEW.state <> 'running'",
        "OLD.state <> NEW.state AND NEW.state <> 'running'",
    ),
    (
        "governance_policyversion",
        "state",
        "NEW.state = 'published'",
        "OLD.state <> NEW.state AND NEW.state = 'published'",
    ),
]


def _triggers() -> str:
    made = []
    for table, columns, added, changed in TOLD:
        arguments = ", ".join(f"'{name}'" for name in columns.split(","))
        for name, event, condition in (("told_new", _INSERT, added), ("told_changed", _UPDATE, changed)):
            if condition:
                made.append(
                    f"CREATE TRIGGER {name} AFTER {event} ON {table} FOR EACH ROW WHEN ({condition})\n"
                    f"  EXECUTE FUNCTION governance_note_change({arguments});\n"
                    f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name};\n"
                )
    return "".join(made)


def _undone() -> str:
    drops = "".join(
        f"DROP TRIGGER IF EXISTS {name} ON {table};\n" for table, *_ in TOLD for name in ("told_new", "told_changed")
    )
    return f"{drops}DROP FUNCTION IF EXISTS governance_note_change();"


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("governance", "0031_idempotency"),
        ("registry", "0013_page_indexes"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations: ClassVar[list] = [
        migrations.CreateModel(
            name="WebhookEvent",
            fields=[
                ID,
                ("table", models.CharField(max_length=63)),
                ("row_id", models.BigIntegerField()),
                ("before", models.JSONField(null=True)),
                ("after", models.JSONField()),
                ("actor", models.CharField(blank=True, max_length=200)),
                ("correlation", models.CharField(blank=True, max_length=64)),
                ("happened_at", models.DateTimeField()),
                ("attempts", models.PositiveSmallIntegerField(db_default=0, default=0)),
                ("next_attempt_at", models.DateTimeField()),
                ("problem", models.TextField(blank=True, db_default="")),
            ],
        ),
        migrations.CreateModel(
            name="Webhook",
            fields=[
                ID,
                ("name", models.CharField(max_length=100)),
                ("url", models.CharField(max_length=2048, verbose_name="URL")),
                (
                    "events",
                    django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=60), size=None),
                ),
                (
                    "sources",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=63), editable=False, size=None
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("active", "Active"), ("disabled", "Disabled")], default="active", max_length=10
                    ),
                ),
                (
                    "ended_by",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("person", "By a person"),
                            ("gone", "The receiver is gone"),
                            ("failing", "Nothing was taken"),
                        ],
                        max_length=10,
                    ),
                ),
                ("disabled_at", models.DateTimeField(blank=True, null=True)),
                ("disabled_reason", models.TextField(blank=True)),
                ("secret", models.TextField(editable=False)),
                ("former_secret", models.TextField(blank=True, editable=False)),
                ("former_secret_until", models.DateTimeField(blank=True, editable=False, null=True)),
                ("failures", models.PositiveIntegerField(default=0, editable=False)),
                ("failing_since", models.DateTimeField(blank=True, editable=False, null=True)),
                ("quiet_until", models.DateTimeField(blank=True, editable=False, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("revision", models.PositiveIntegerField(default=1, editable=False)),
                (
                    "created_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "project",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="registry.project",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="WebhookDelivery",
            fields=[
                ID,
                ("message_id", models.CharField(editable=False, max_length=40, unique=True)),
                ("sequence", models.BigIntegerField(null=True)),
                ("type", models.CharField(max_length=60)),
                ("subject", models.CharField(max_length=200)),
                ("subject_name", models.CharField(blank=True, max_length=300)),
                ("body", models.TextField()),
                (
                    "state",
                    models.CharField(
                        choices=[("pending", "Waiting"), ("delivered", "Delivered"), ("failed", "Given up")],
                        default="pending",
                        max_length=10,
                    ),
                ),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("tried_since", models.DateTimeField(null=True)),
                ("next_attempt_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("last_status", models.PositiveSmallIntegerField(null=True)),
                ("last_error", models.TextField(blank=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "webhook",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="deliveries",
                        to="governance.webhook",
                    ),
                ),
            ],
            options={"verbose_name_plural": "webhook deliveries"},
        ),
        migrations.CreateModel(
            name="WebhookAttempt",
            fields=[
                ID,
                ("number", models.PositiveIntegerField()),
                ("started_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("ended_at", models.DateTimeField(null=True)),
                ("duration_ms", models.PositiveIntegerField(null=True)),
                ("http_status", models.PositiveSmallIntegerField(null=True)),
                ("answer", models.TextField(blank=True)),
                ("error", models.TextField(blank=True)),
                (
                    "delivery",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="tries",
                        to="governance.webhookdelivery",
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="webhook",
            constraint=models.CheckConstraint(
                condition=Q(state="active", disabled_at=None, ended_by="", disabled_reason="")
                | (Q(state="disabled", disabled_at__isnull=False) & ~Q(ended_by="")),
                name="webhook_disabled_says_when_and_why",
            ),
        ),
        migrations.AddConstraint(
            model_name="webhook",
            constraint=models.CheckConstraint(condition=~Q(events=[]), name="webhook_wants_something"),
        ),
        migrations.AddConstraint(
            model_name="webhook",
            constraint=models.CheckConstraint(
                condition=Q(former_secret="", former_secret_until=None)
                | (~Q(former_secret="") & Q(former_secret_until__isnull=False)),
                name="webhook_former_secret_has_its_end",
            ),
        ),
        migrations.AddIndex(
            model_name="webhookdelivery",
            index=models.Index(
                condition=Q(state="pending"), fields=["webhook", "subject", "id"], name="webhook_delivery_order"
            ),
        ),
        migrations.AddIndex(
            model_name="webhookdelivery",
            index=models.Index(
                condition=Q(state="pending"), fields=["webhook", "next_attempt_at"], name="webhook_delivery_due"
            ),
        ),
        migrations.AddIndex(
            model_name="webhookdelivery",
            index=models.Index(fields=["webhook", "-id"], name="webhook_delivery_list"),
        ),
        migrations.AddIndex(
            model_name="webhookdelivery",
            index=models.Index(fields=["created_at"], name="webhook_delivery_age"),
        ),
        migrations.AddConstraint(
            model_name="webhookdelivery",
            constraint=models.CheckConstraint(
                condition=Q(state="pending", ended_at=None) | (~Q(state="pending") & Q(ended_at__isnull=False)),
                name="webhook_delivery_ended_has_its_time",
            ),
        ),
        migrations.AddIndex(
            model_name="webhookattempt",
            index=models.Index(fields=["delivery", "id"], name="webhook_attempt_of"),
        ),
        *(
            migrations.AlterField(model_name=name, name="kind", field=models.CharField(choices=KINDS, max_length=30))
            for name in ("notification", "occasion")
        ),
        migrations.RunSQL(
            audited("governance_webhook", quiet="failures,failing_since,quiet_until", hidden="secret,former_secret"),
            migrations.RunSQL.noop,
        ),
        migrations.RunSQL(NOTE + _triggers(), _undone()),
    ]
