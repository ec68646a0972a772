"""The roles of people found in accounts: in the trail, and in governance."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations

from ._audited import audited, kept

# When a role was read last is no change of it.
_TRAIL = audited("registry_accountrole", quiet="read_at") + kept("registry_accountrole")


class Migration(migrations.Migration):
    dependencies: ClassVar = [("governance", "0043_pipelines"), ("registry", "0026_personas")]

    operations: ClassVar[list] = [migrations.RunSQL(_TRAIL, migrations.RunSQL.noop)]
