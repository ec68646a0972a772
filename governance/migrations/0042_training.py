"""The jobs and data that versions were made from: in the trail, and in governance."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models

from ._audited import audited, kept

ASKABLE = [
    "training_job",
    "data_set",
    "code_commit",
    "processing_job",
    "pipeline_execution",
    "network_isolation",
    "licence_accepted",
]
WORDS = [
    ("training_job", "Training job"),
    ("data_set", "Data set"),
    ("code_commit", "Code commit"),
    ("processing_job", "Processing job"),
    ("pipeline_execution", "Pipeline execution"),
    ("endpoint", "Endpoint"),
    ("network_isolation", "Network isolation"),
    ("licence_accepted", "Licence accepted"),
]
# That something was read again, and said the same, is no change of it.
_SQL = (
    audited("registry_trainingprovenance", quiet="read_at,tried_at")
    + kept("registry_trainingprovenance")
    + audited("registry_labelingjob", quiet="read_at")
    + kept("registry_labelingjob")
)


class Migration(migrations.Migration):
    dependencies: ClassVar = [("governance", "0041_lineage"), ("registry", "0024_training")]

    operations: ClassVar[list] = [
        migrations.RemoveConstraint(model_name="policyrule", name="policy_rule_provenance"),
        migrations.AlterField(
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
        migrations.RunSQL(_SQL, migrations.RunSQL.noop),
    ]
