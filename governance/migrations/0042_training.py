"""The jobs and data that versions were made from: in the trail, and in governance."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations

from ._audited import audited, kept

# That something was read again, and said the same, is no change of it.
_SQL = (
    audited("registry_trainingprovenance", quiet="read_at,tried_at")
    + kept("registry_trainingprovenance")
    + audited("registry_labelingjob", quiet="read_at")
    + kept("registry_labelingjob")
)


class Migration(migrations.Migration):
    dependencies: ClassVar = [("governance", "0041_lineage"), ("registry", "0024_training")]

    operations: ClassVar[list] = [migrations.RunSQL(_SQL, migrations.RunSQL.noop)]
