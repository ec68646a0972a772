"""Where versions come from, as SageMaker's lineage has it: in the trail, and in what policies ask for.

A rule that was published before asks for nothing of it: the column's default adds nothing to the rows of the past.
"""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models

from governance.migrations._audited import audited, kept

ASKABLE = ["training_job", "data_set", "code_commit", "processing_job", "pipeline_execution"]
WORDS = [
    ("training_job", "Training job"),
    ("data_set", "Data set"),
    ("code_commit", "Code commit"),
    ("processing_job", "Processing job"),
    ("pipeline_execution", "Pipeline execution"),
    ("endpoint", "Endpoint"),
]
# That a graph was looked at again and found the same is not worth a row; of five hundred entities the trail has a digest.
TRAIL = audited("registry_versionlineage", quiet="tried_at,read_at,of_modification", hidden="graph") + kept(
    "registry_versionlineage"
)


class Migration(migrations.Migration):
    dependencies: ClassVar = [("governance", "0039_endpoints"), ("registry", "0023_lineage")]

    operations: ClassVar[list] = [
        migrations.AddField(
            model_name="policyrule",
            name="provenance",
            field=ArrayField(
                base_field=models.CharField(choices=WORDS, max_length=30),
                blank=True,
                db_default=[],
                default=list,
                size=None,
            ),
        ),
        migrations.AddConstraint(
            model_name="policyrule",
            constraint=models.CheckConstraint(
                condition=models.Q(provenance=[]) | models.Q(kind="model_version", provenance__contained_by=ASKABLE),
                name="policy_rule_provenance",
            ),
        ),
        migrations.RunSQL(TRAIL, migrations.RunSQL.noop),
    ]
