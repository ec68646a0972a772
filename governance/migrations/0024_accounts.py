"""What the portal's roles may do in AWS joins the audit trail; that nothing changed since is not worth an entry."""

from __future__ import annotations

from django.db import migrations

from governance.migrations._audited import audited


class Migration(migrations.Migration):
    dependencies = [("governance", "0023_registrations"), ("registry", "0009_registrations")]

    operations = [
        migrations.RunSQL(audited("registry_accountpreflight", quiet="checked_at")),
    ]
