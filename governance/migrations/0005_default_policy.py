"""The lifecycle table in the database, and the policy the design describes, published as number 1."""

from __future__ import annotations

from typing import Any

from django.db import migrations
from django.utils import timezone

from governance.lifecycle import EDGES, MODEL_STAGES, USE_CASE_STAGES

OWNER, OFFICER = "model_owner", "governance_officer"


def mirror_lifecycle(apps: Any, schema_editor: Any) -> None:
    """Make the table equal to `governance.lifecycle.EDGES`; a later change of the lifecycle calls this again."""
    edge_model = apps.get_model("governance", "LifecycleEdge")
    edge_model.objects.all().delete()
    edge_model.objects.bulk_create(
        edge_model(machine=edge.machine, verb=edge.verb, source=edge.source, target=edge.target) for edge in EDGES
    )


def publish_default(apps: Any, schema_editor: Any) -> None:
    """Development by the model owner; later stages by a governance officer, two of them for high risk."""
    policy = apps.get_model("governance", "PolicyVersion").objects.create(
        number=1,
        state="draft",
        note="The shipped default.",
        model_path=list(MODEL_STAGES),
        use_case_path=list(USE_CASE_STAGES),
    )
    rule_model = apps.get_model("governance", "PolicyRule")
    for kind, stages in (("use_case", USE_CASE_STAGES), ("model_version", MODEL_STAGES)):
        for stage in stages:
            for tier in ("high", "medium", "low"):
                early = stage in ("poc", "development")
                count = 2 if tier == "high" and not early else 1
                rule_model.objects.create(
                    policy=policy,
                    kind=kind,
                    stage=stage,
                    tier=tier,
                    approvals=[{"role": OWNER if early else OFFICER, "count": count}],
                )
    policy.state = "published"
    policy.published_at = timezone.now()
    policy.published_by = "system:shipped default"
    policy.save()


class Migration(migrations.Migration):
    dependencies = [("governance", "0004_audit")]

    operations = [
        migrations.RunSQL("SELECT set_config('app.actor', 'system:migration', true)", migrations.RunSQL.noop),
        migrations.RunPython(mirror_lifecycle, migrations.RunPython.noop),
        migrations.RunPython(publish_default, migrations.RunPython.noop),
    ]
