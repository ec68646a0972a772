"""Declared shares, their principals, RAM's permissions and the groups' policies join the audit trail."""

from __future__ import annotations

from django.db import migrations

from ._audited import audited, kept

TRAIL = "".join(
    [
        audited("registry_declaredshare"),
        kept("registry_declaredshare"),
        audited("registry_declaredshare_groups"),
        audited("registry_declaredshare_accounts"),
        audited("registry_shareprincipal"),
        audited("registry_rampermission", quiet="read_at"),
        audited("registry_grouppolicy", quiet="read_at"),
    ]
)


class Migration(migrations.Migration):
    dependencies = [("governance", "0021_registry_events"), ("registry", "0009_registrations")]

    operations = [migrations.RunSQL(TRAIL)]
