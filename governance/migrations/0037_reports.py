"""Reports of Clarify and of model quality, as they were read from S3: in the trail, and in governance."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations

from ._audited import audited, kept


class Migration(migrations.Migration):
    dependencies: ClassVar = [("governance", "0036_cards"), ("registry", "0019_reports")]

    operations: ClassVar[list] = [
        # The content of a report has its digest beside it; a copy of it in every row of the trail would say no more.
        migrations.RunSQL(
            audited("registry_versionreport", quiet="read_at", hidden="content") + kept("registry_versionreport"),
            migrations.RunSQL.noop,
        ),
    ]
