"""How a version was trained, over the API; null is what AWS did not say, or what was not read yet."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from portal.core.serializers import Output

from ..models import ModelVersion
from ..selectors.training_view import TrainingView, view_of


class FinalMetricOutput(Output):
    """One metric as the training job itself reported it last; metric rules name it as `training.<name>`."""

    name = serializers.CharField()
    value = serializers.JSONField(
        allow_null=True, help_text='A number; "NaN" or another word for what is no number; null: none was given.'
    )
    at = serializers.DateTimeField(allow_null=True)


class TrainingInputOutput(Output):
    """One channel of data."""

    channel = serializers.CharField()
    uri = serializers.CharField()
    content_type = serializers.CharField()


class LabelingOutput(Output):
    """The Ground Truth labeling job behind the data."""

    name = serializers.CharField()
    arn = serializers.CharField()
    status = serializers.CharField()
    total = serializers.IntegerField(allow_null=True)
    human = serializers.IntegerField(allow_null=True, help_text="Labeled by people.")
    machine = serializers.IntegerField(allow_null=True, help_text="Labeled by a machine.")
    failed = serializers.IntegerField(allow_null=True)
    unlabeled = serializers.IntegerField(allow_null=True)
    read_at = serializers.DateTimeField()


class HubOutput(Output):
    """The hub's model it began with."""

    arn = serializers.CharField()
    hub = serializers.CharField()
    name = serializers.CharField()
    version = serializers.CharField()
    title = serializers.CharField()
    provider = serializers.CharField()
    licence = serializers.CharField()
    eula_uri = serializers.CharField()
    eula_accepted = serializers.BooleanField(allow_null=True)


class AutoMLOutput(Output):
    """The Autopilot or Canvas job that chose it."""

    arn = serializers.CharField()
    name = serializers.CharField()
    status = serializers.CharField()
    problem_type = serializers.CharField()
    objective = serializers.CharField()
    objective_value = serializers.JSONField(allow_null=True)
    canvas = serializers.BooleanField(help_text="Whether Canvas started it, by the name it gives its jobs.")


class TrainingOutput(Output):
    """The training job of a version as it was read last."""

    read_at = serializers.DateTimeField(allow_null=True, help_text="null: not read yet.")
    tried_at = serializers.DateTimeField(allow_null=True)
    problem = serializers.CharField(help_text="Why something could not be read last; empty: all could.")
    job_arn = serializers.CharField(help_text="Empty: no training job is known.")
    found_by = serializers.CharField(help_text="How the job was found: version, card, pipeline or artifact.")
    status = serializers.CharField()
    failure = serializers.CharField()
    created_at = serializers.DateTimeField(allow_null=True)
    started_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    training_seconds = serializers.IntegerField(allow_null=True)
    image = serializers.CharField()
    algorithm = serializers.CharField(help_text="Recognised from the image; empty: not known.")
    algorithm_known_by = serializers.CharField()
    instance_type = serializers.CharField()
    instance_count = serializers.IntegerField(allow_null=True)
    role_arn = serializers.CharField()
    network_isolation = serializers.BooleanField(allow_null=True)
    traffic_encryption = serializers.BooleanField(allow_null=True)
    spot = serializers.BooleanField(allow_null=True)
    volume_key = serializers.CharField()
    output_key = serializers.CharField()
    subnets = serializers.ListField(child=serializers.CharField(), allow_null=True)
    security_groups = serializers.ListField(child=serializers.CharField(), allow_null=True)
    hyperparameters = serializers.DictField(child=serializers.CharField())
    final_metrics = FinalMetricOutput(many=True)
    inputs = TrainingInputOutput(many=True)
    hub = HubOutput(allow_null=True)
    automl = AutoMLOutput(allow_null=True)
    labeling = LabelingOutput(allow_null=True)


_TEXTS = ("problem", "job_arn", "status", "failure", "instance_type", "role_arn", "volume_key", "output_key")
_MAYBE = (
    "read_at",
    "tried_at",
    "created_at",
    "started_at",
    "ended_at",
    "training_seconds",
    "instance_count",
    "network_isolation",
    "traffic_encryption",
    "spot",
)


def training_of(version: ModelVersion) -> dict[str, Any]:
    """Return how a version was trained, as TrainingOutput shows it."""
    view = view_of(version)
    row = view.row
    vpc = (row.vpc if row else None) or {}
    return {
        **{name: getattr(row, name) if row else "" for name in _TEXTS},
        **{name: getattr(row, name) if row else None for name in _MAYBE},
        "found_by": row.source if row else "",
        "image": view.image,
        "algorithm": view.algorithm_name,
        "algorithm_known_by": view.algorithm.why,
        "subnets": vpc.get("subnets"),
        "security_groups": vpc.get("security_groups"),
        "hyperparameters": row.hyperparameters if row else {},
        "final_metrics": _all(row.metrics, ("name", "value", "at")) if row else [],
        "inputs": _all(row.inputs, ("channel", "uri", "content_type"), "") if row else [],
        "hub": _hub(view),
        "automl": _automl(row.automl) if row and row.automl else None,
        "labeling": row.labeling if row else None,
    }


def _all(kept: list[dict[str, Any]], names: tuple[str, ...], absent: str | None = None) -> list[dict[str, Any]]:
    return [{name: one.get(name, absent) for name in names} for one in kept]


def _automl(kept: dict[str, Any]) -> dict[str, Any]:
    names = ("arn", "name", "status", "problem_type", "objective")
    said = {name: kept.get(name) or "" for name in names}
    return {**said, "objective_value": kept.get("objective_value"), "canvas": bool(kept.get("canvas"))}


def _hub(view: TrainingView) -> dict[str, Any] | None:
    if view.row is None or view.row.hub is None:
        return None
    names = ("arn", "hub", "name", "version", "title", "provider", "eula_uri")
    said = {name: view.row.hub.get(name, "") for name in names}
    return {**said, "licence": view.row.licence, "eula_accepted": view.row.eula_accepted}
