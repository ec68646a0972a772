"""Saved views and reviews in the audit trail, and indexes for deployments and the list of findings."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models
from django.db.models import Case, Value, When

from ._audited import append_only, audited


class Migration(migrations.Migration):
    dependencies: ClassVar = [("governance", "0028_search"), ("registry", "0011_use_case_drafts")]

    operations: ClassVar[list] = [
        migrations.RunSQL(audited("registry_savedview") + audited("registry_usualview"), migrations.RunSQL.noop),
        # A review stands as it was recorded. Drafts of use cases stay outside: see EXEMPT of selectors.audit_coverage.
        migrations.RunSQL(
            audited("registry_usecasereview") + append_only("registry_usecasereview"), migrations.RunSQL.noop
        ),
        migrations.AddIndex(
            model_name="stagerecord",
            index=models.Index(fields=["version", "stage", "account"], include=["status"], name="stage_record_speaks"),
        ),
        migrations.AddIndex(
            model_name="finding",
            index=models.Index(
                Case(
                    When(state__in=["open", "acknowledged"], then=Value(0)),
                    When(state__in=["accepted"], then=Value(1)),
                    default=Value(2),
                    output_field=models.IntegerField(),
                ),
                Case(
                    When(severity="critical", then=Value(0)),
                    When(severity="serious", then=Value(1)),
                    When(severity="warning", then=Value(2)),
                    When(severity="info", then=Value(3)),
                    output_field=models.IntegerField(),
                ),
                models.F("last_seen_at").desc(),
                models.F("id").desc(),
                name="finding_urgency",
            ),
        ),
    ]
