"""How the validation metrics of a model group went from version to version, in words."""

from __future__ import annotations

from dataclasses import dataclass

from portal.core.actors import Actor
from registry.models import ModelGroup, ModelVersion

from ..models import StageRecord
from ..policies.facts import Number
from ..policies.measures import delta_words, direction_of, verdict_words
from ..policies.metrics import numbers

# So many of the newest versions are read, and so many metrics are shown.
VERSIONS, METRICS = 8, 6


@dataclass(frozen=True)
class Step:
    """What one version reported of a metric; None where it did not."""

    version: ModelVersion
    value: Number | None


@dataclass(frozen=True)
class Run:
    """One metric over the newest versions, the oldest first; `change` and `verdict` compare the last two reported."""

    name: str
    steps: tuple[Step, ...]
    change: str
    verdict: str

    @property
    def latest(self) -> Number | None:
        """What was reported last, by whichever version did."""
        return next((step.value for step in reversed(self.steps) if step.value is not None), None)


def runs(actor: Actor, group: ModelGroup) -> list[Run]:
    """Return the metrics that the newest versions of a group reported, each over these versions.

    Of a version counts the latest report of any of its stages. Metrics that the newest report names come first.
    """
    newest = list(
        ModelVersion.objects.visible_to(actor)
        .filter(group=group, missing_since=None)
        .only("pk", "number", "group_id")
        .order_by("-number", "-pk")[:VERSIONS]
    )
    newest.reverse()
    records = (
        StageRecord.objects.filter(version__in=newest, validation_metrics__isnull=False)
        .order_by("audit_at", "pk")
        .values_list("version_id", "validation_metrics")
    )
    reported = {version_id: numbers(metrics) for version_id, metrics in records}
    names = list(dict.fromkeys(name for version in reversed(newest) for name in reported.get(version.pk, {})))
    found = []
    for name in names[:METRICS]:
        steps = tuple(Step(version, reported.get(version.pk, {}).get(name)) for version in newest)
        values = [step.value for step in steps if step.value is not None]
        before, after = values[-2:] if len(values) > 1 else (None, None)
        found.append(Run(name, steps, delta_words(before, after), verdict_words(before, after, direction_of(name))))
    return found
