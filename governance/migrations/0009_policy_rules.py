"""Policies ask for evidence and metrics, are drafted before they are published; the design's default is number 2.

The shipped default sets no threshold for any metric: none can be known before the models are.
"""

from __future__ import annotations

from typing import Any

import django.contrib.postgres.fields
from django.db import migrations, models
from django.utils import timezone

from governance.lifecycle import MODEL_STAGES, USE_CASE_STAGES
from portal.core.vocabulary import EvidenceKind

OWNER, OFFICER = "model_owner", "governance_officer"
EARLY = ("poc", "development")
TIERS = ("high", "medium", "low")

DOCUMENTS = [
    "risk_assessment",
    "mitigation_strategies",
    "transparency_explainability",
    "human_oversight",
    "monitoring_evaluation",
]
OF_VERSION = {
    "high": ["model_card", "bias_report", "explainability_report", "validation_metrics"],
    "medium": ["model_card", "validation_metrics"],
    "low": ["validation_metrics"],
}
OF_USE_CASE = {
    ("pre_production", "high"): DOCUMENTS,
    ("production", "high"): DOCUMENTS,
    ("production", "medium"): ["risk_assessment", "transparency_explainability"],
}
# Until due and until expiry. Two officers reading four reports need longer than one who looks at one, and what they
# decide on should not have lain for a month; a low risk is looked at within days, and nothing is lost when it waits.
DAYS = {"high": (7, 21), "medium": (5, 30), "low": (3, 30)}
EARLY_DAYS = (5, 30)

BORN_AS_DRAFT = """
-- A policy comes to be as a draft and is published as a whole: none is slipped in ready-made.
CREATE FUNCTION governance_policy_born() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'policy % must be a draft before it is published', NEW.number
    USING ERRCODE = '23514', CONSTRAINT = 'policy_born_draft', TABLE = TG_TABLE_NAME;
END $$;
CREATE TRIGGER policy_born BEFORE INSERT ON governance_policyversion
  FOR EACH ROW WHEN (NEW.state <> 'draft') EXECUTE FUNCTION governance_policy_born();
ALTER TABLE governance_policyversion ENABLE ALWAYS TRIGGER policy_born;
"""


def publish_default(apps: Any, schema_editor: Any) -> None:
    """Development and POC by the model owner; later stages by officers, who see the evidence their tier asks for."""
    policy = apps.get_model("governance", "PolicyVersion").objects.create(
        number=2,
        state="draft",
        note="The shipped default, with the evidence each tier of risk asks for.",
        model_path=list(MODEL_STAGES),
        use_case_path=list(USE_CASE_STAGES),
        based_on=1,
        follows=1,
        created_by="system:shipped default",
    )
    rule_model = apps.get_model("governance", "PolicyRule")
    for kind, stages in (("use_case", USE_CASE_STAGES), ("model_version", MODEL_STAGES)):
        for stage in stages:
            for tier in TIERS:
                early = stage in EARLY
                if kind == "use_case":
                    evidence = OF_USE_CASE.get((stage, tier), [])
                else:
                    evidence = [] if early else OF_VERSION[tier]
                due, expiry = EARLY_DAYS if early else DAYS[tier]
                rule_model.objects.create(
                    policy=policy,
                    kind=kind,
                    stage=stage,
                    tier=tier,
                    approvals=[
                        {"role": OWNER if early else OFFICER, "count": 2 if tier == "high" and not early else 1}
                    ],
                    evidence=evidence,
                    days_until_due=due,
                    days_until_expiry=expiry,
                )
    policy.state = "published"
    policy.published_at = timezone.now()
    policy.published_by = "system:shipped default"
    policy.save()


class Migration(migrations.Migration):
    dependencies = [("governance", "0008_approvals")]

    operations = [
        migrations.AddField("policyversion", "based_on", models.PositiveIntegerField(null=True)),
        migrations.AddField("policyversion", "follows", models.PositiveIntegerField(null=True)),
        migrations.AddField(
            "policyversion",
            "created_by",
            models.CharField(max_length=200, default="system:shipped default"),
            preserve_default=False,
        ),
        migrations.AddField(
            "policyversion",
            "created_at",
            models.DateTimeField(auto_now_add=True, default=timezone.now),
            preserve_default=False,
        ),
        migrations.AddField("policyversion", "revision", models.PositiveIntegerField(default=1)),
        migrations.AddField(
            "policyrule",
            "evidence",
            django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(choices=EvidenceKind.choices(), max_length=40), default=list
            ),
        ),
        migrations.AddField("policyrule", "metrics", models.JSONField(default=list)),
        migrations.AddConstraint(
            "policyrule",
            models.CheckConstraint(
                condition=models.Q(("days_until_due__gte", 1), ("days_until_due__lte", models.F("days_until_expiry"))),
                name="policy_rule_due_before_expiry",
            ),
        ),
        migrations.RunSQL(BORN_AS_DRAFT, migrations.RunSQL.noop),
        migrations.RunSQL("SELECT set_config('app.actor', 'system:migration', true)", migrations.RunSQL.noop),
        migrations.RunPython(publish_default, migrations.RunPython.noop),
    ]
