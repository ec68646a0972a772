"""The pipeline runs that produced versions: in the trail, and never removed."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations

from ._audited import FIXED_PATH, audited, kept

# A run that says what it said before is only looked at again.
TRAIL = (
    audited("registry_pipelineexecution", quiet="read_at")
    + kept("registry_pipelineexecution")
    + audited("registry_pipelineregistration")
    + kept("registry_pipelineregistration")
    + kept("registry_pipelinestep")
)
_GONE = "".join(
    f"DROP TRIGGER {name} ON {table};\n"
    for name, tables in {
        "audit": ("registry_pipelineexecution", "registry_pipelineregistration"),
        "not_truncated": ("registry_pipelineexecution", "registry_pipelineregistration"),
        "history_kept": ("registry_pipelineexecution", "registry_pipelineregistration", "registry_pipelinestep"),
    }.items()
    for table in tables
)


class Migration(migrations.Migration):
    dependencies: ClassVar = [("governance", "0042_training"), ("registry", "0025_pipelines")]

    operations: ClassVar[list] = [migrations.RunSQL(TRAIL + FIXED_PATH, _GONE)]
