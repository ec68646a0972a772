"""The reports of a version over the API: what they say, what is wrong with them, and null for what is not known."""

from __future__ import annotations

import json

import pytest

from governance.services.readings import Tally
from portal.core.operations import operation
from registry.models import ModelVersion
from registry.services import reports
from tests.api.world import World
from tests.factories.people import SYSTEM
from tests.registry.reports.objects import Bucket

pytestmark = pytest.mark.django_db
BIAS = {"post_training_bias_metrics": {"facets": {"gender": [
    {"value_or_threshold": "F", "metrics": [{"name": "DI", "value": 0.7}, {"name": "XX", "value": "NaN"}]}
]}}}  # fmt: skip
QUALITY = {"multiclass_classification_metrics": {
    "accuracy": {"value": 0.7, "standard_deviation": "NaN"},
    "confusion_matrix": {"a": {"a": 1}, "b": {"a": 2, "b": 3}},
    "precision_recall_curve": {"precisions": [1, 0], "recalls": [0, 1]},
}}  # fmt: skip


def test_reports_are_told_in_full(world: World) -> None:
    version = ModelVersion.objects.get(pk=world.fresh.pk)
    version.metric_sources = {
        "Bias": {"Report": {"S3Uri": "s3://hub/bias.json"}},
        "ModelQuality": {"Statistics": {"S3Uri": "s3://hub/quality.json"}},
        "Explainability": {"Report": {"S3Uri": "s3://hub/gone.json"}},
    }
    with operation(SYSTEM):
        version.save(update_fields=["metric_sources"])
    url = f"model-versions/{version.pk}/reports/"
    before = world.api("data_scientist").get(url)
    assert [(row["kind"], row["read_at"], row["problem"], row["counts"]) for row in before] == [
        ("bias", None, None, False), ("explainability", None, None, False), ("model_quality", None, None, False),
    ]  # fmt: skip
    bucket = Bucket({"bias.json": json.dumps(BIAS).encode(), "quality.json": json.dumps(QUALITY).encode()})
    reports.read_version(SYSTEM, version, bucket, Tally())  # type: ignore[arg-type]

    bias, gone, quality = world.api("data_scientist").get(url)
    [part] = bias["bias"]
    assert (bias["counts"], bias["size"], part["phase"], part["facet"], part["part"]) == (
        True, len(json.dumps(BIAS)), "post_training", "gender", "F",
    )  # fmt: skip
    known, unknown = part["metrics"]
    assert (known["value"], known["verdict"], known["usual"]) == (0.7, "outside", "0.8 to 1.25")
    assert (unknown["value"], unknown["verdict"], unknown["name"]) == (None, "not_reported", None)
    assert (gone["problem"], gone["content_read_at"], gone["sha256"]) == ("missing", None, None)
    [said] = quality["model_quality"]
    assert said["metrics"] == [{"metric": "accuracy", "value": 0.7, "note": "", "standard_deviation": None}]
    assert said["confusion"] == {"classes": ["a", "b"], "counts": [[1, None], [2, 3]]}
    assert said["curves"][0]["points"] == [[0.0, 1.0], [1.0, 0.0]]
