"""Saved views and reviews in the audit trail, and an index for what speaks for each deployment."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models

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
    ]
