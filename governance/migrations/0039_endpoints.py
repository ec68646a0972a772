"""What serves requests in each account, and with which versions: in the trail, and in governance."""

from __future__ import annotations

from typing import ClassVar

import django.db.models.deletion
from django.db import migrations, models

from ._audited import audited, kept

# An endpoint that is read again and is what it was changes nothing but the moment.
SQL = "\n".join(
    [
        audited("registry_endpoint", quiet="read_at"),
        kept("registry_endpoint"),
        audited("registry_endpointvariant"),
        kept("registry_endpointvariant"),
    ]
)
# The rows of the model dashboard. An id that stays the same is what pages are cut by.
VIEW = """
CREATE VIEW governance_live_version AS
SELECT version_id * 1000000 + account_id AS id, version_id, account_id
  FROM (
    SELECT v.version_id, e.account_id
      FROM registry_endpointvariant v JOIN registry_endpoint e ON e.id = v.endpoint_id
     WHERE v.version_id IS NOT NULL AND v.missing_since IS NULL AND e.missing_since IS NULL
    UNION
    SELECT version_id, account_id FROM registry_deployment WHERE state = 'deployed'
    UNION
    SELECT version_id, account_id FROM governance_stagerecord
     WHERE stage = 'production' AND status IN ('approved', 'deployed') AND account_id IS NOT NULL
  ) known;
"""


class Migration(migrations.Migration):
    dependencies: ClassVar = [("governance", "0038_monitoring"), ("registry", "0021_endpoints")]

    operations: ClassVar[list] = [
        migrations.RunSQL(SQL, migrations.RunSQL.noop),
        migrations.RunSQL(VIEW, "DROP VIEW governance_live_version"),
        migrations.CreateModel(
            name="LiveVersion",
            fields=[
                ("id", models.BigIntegerField(primary_key=True, serialize=False)),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.DO_NOTHING, related_name="+", to="registry.modelversion"
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.DO_NOTHING, related_name="+", to="registry.awsaccount"
                    ),
                ),
            ],
            options={"db_table": "governance_live_version", "managed": False},
        ),
    ]
