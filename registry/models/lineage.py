"""Where versions come from, as SageMaker's lineage says it."""

from __future__ import annotations

from django.db import models

from ..lineage.graph import LineageGraph
from .version import ModelVersion


class VersionLineage(models.Model):
    """The lineage graph of a version as it was read last; one row for each version that was looked for.

    `graph` is what `registry.lineage.graph` writes, null where SageMaker had none; `facts` are the references that
    prove where the version comes from, by what they prove. A reading that failed leaves both and sets `problem`;
    `missing_since` is when SageMaker no longer had the graph that is kept. `of_modification` is the version's last
    change when it was read.
    """

    version = models.OneToOneField(ModelVersion, on_delete=models.PROTECT, related_name="aws_lineage")
    graph = models.JSONField(null=True)
    facts = models.JSONField(default=dict)
    vertex_count = models.PositiveIntegerField(default=0)
    is_cut = models.BooleanField(default=False)
    digest = models.CharField(max_length=80, blank=True)
    problem = models.TextField(blank=True)
    read_at = models.DateTimeField(null=True)
    tried_at = models.DateTimeField()
    missing_since = models.DateTimeField(null=True)
    of_modification = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["tried_at"], name="version_lineage_tried")]

    @property
    def lineage(self) -> LineageGraph | None:
        """The graph as frozen facts; None where there is none."""
        return None if self.graph is None else LineageGraph.from_json(self.graph)

    def __str__(self) -> str:
        return f"lineage of version {self.version_id}"
