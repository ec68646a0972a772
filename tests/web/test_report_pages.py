"""What a version's pages show of its reports: numbers with their meaning, what is broken, and what was not read."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from governance.services.readings import Tally
from portal.core.operations import operation
from registry.models import ModelVersion, VersionReport
from registry.services import reports
from tests.api.world import World
from tests.factories.people import SYSTEM
from tests.registry.reports.objects import Bucket

pytestmark = pytest.mark.django_db
AsRole = Callable[[str], Client]


def metrics(**values: Any) -> list[dict[str, Any]]:
    return [{"name": name, "description": name, "value": value} for name, value in values.items()]


ANALYSIS = {
    "pre_training_bias_metrics": {"label": "approved", "label_value_or_threshold": "1", "facets": {
        "age": [{"value_or_threshold": "[18, 25]", "metrics": metrics(CI=0.05, DPL=None)}]}},
    "post_training_bias_metrics": {"facets": {"gender": [{"value_or_threshold": "F", "metrics": metrics(DI=0.5)}]}},
    "explanations": {"kernel_shap": {"label0": {
        "global_shap_values": {"income": 0.41, "age": -0.2, "<b>zip": None}, "expected_value": 0.3}}},
}  # fmt: skip
QUALITY = {
    "dataset": {"item_count": 200},
    "binary_classification_metrics": {
        "auc": {"value": 0.87, "standard_deviation": "NaN"},
        "confusion_matrix": {"0": {"0": 90, "1": 10}, "1": {"0": 20}},
        "receiver_operating_characteristic_curve": {
            "false_positive_rates": [0, 0.1, 1], "true_positive_rates": [0, 0.7, 1]
        },
    },
}  # fmt: skip
LIMITS = {"binary_classification_constraints": {"auc": {"threshold": 0.8, "comparison_operator": "LessThanThreshold"}}}


def at(key: str) -> dict[str, str]:
    return {"ContentType": "application/json", "S3Uri": f"s3://hub/{key}"}


@pytest.fixture
def version(world: World) -> ModelVersion:
    found = ModelVersion.objects.get(pk=world.fresh.pk)
    found.metric_sources = {
        "Bias": {"Report": at("a.json")},
        "Explainability": {"Report": at("a.json")},
        "ModelQuality": {"Statistics": at("q.json")},
    }
    found.drift_baselines = {"ModelQuality": {"Constraints": at("limits.json")}}
    with operation(SYSTEM):
        found.save(update_fields=["metric_sources", "drift_baselines"])
    return found


@pytest.fixture
def bucket() -> Bucket:
    files = {"a.json": ANALYSIS, "q.json": QUALITY, "limits.json": LIMITS}
    return Bucket({name: json.dumps(content).encode() for name, content in files.items()})


def read(version: ModelVersion, bucket: Bucket) -> None:
    tally = Tally()
    reports.read_version(SYSTEM, version, bucket, tally)  # type: ignore[arg-type]


def page(as_role: AsRole, version: ModelVersion, tab: str = "bias") -> str:
    answer = as_role("model_owner").get(f"/model-versions/{version.pk}/{tab}/")
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_before_a_report_is_read_the_page_says_so(version: ModelVersion, as_role: AsRole) -> None:
    shown = page(as_role, version)
    assert "Not read yet" in shown
    assert "Baselines for drift" in shown
    assert "Model quality, as SageMaker measured it" not in page(as_role, version, "metrics")


def test_bias_has_its_meaning_limits_and_verdict(version: ModelVersion, bucket: Bucket, as_role: AsRole) -> None:
    read(version, bucket)
    shown = page(as_role, version)
    assert "Pre-training bias: age [18, 25]" in shown
    assert "Measured for the outcome approved = 1." in shown
    assert "Post-training bias: gender F" in shown
    assert "1 outside what is usual" in shown
    assert "0.8 to 1.25" in shown
    assert "The model gives this group the favourable outcome less often." in shown
    assert "1: no bias. Limits: four-fifths rule" in shown
    assert "nothing is decided by them" in shown
    assert "29 CFR 1607.4 D" in shown
    dpl = shown[shown.index("DPL</span>") :]
    assert "not reported" in dpl[: dpl.index("</tr>")]


def test_features_confusion_and_curves_are_drawn(version: ModelVersion, bucket: Bucket, as_role: AsRole) -> None:
    read(version, bucket)
    shown = page(as_role, version)
    assert "What weighs most: Kernel SHAP, label0" in shown
    assert 'class="tone-live" x="0" y="0" width="1000.0"' in shown
    assert "&lt;b&gt;zip" in shown
    assert "<b>zip" not in shown
    assert 'points="0.00,100.00 10.00,30.00 100.00,0.00"' in shown
    assert "Predicted 1" in shown
    assert "None" not in shown[shown.index("Right and wrong") : shown.index("Where this comes from")]


def test_quality_stands_beside_the_validation_metrics(version: ModelVersion, bucket: Bucket, as_role: AsRole) -> None:
    read(version, bucket)
    shown = page(as_role, version, "metrics")
    assert "Model quality, as SageMaker measured it" in shown
    assert "200 predictions" in shown
    assert "at least 0.8" in shown
    assert "The report says &#x27;NaN&#x27;" not in shown  # it is a deviation, which a report may leave out


def test_versions_are_compared_by_what_their_reports_say(
    version: ModelVersion, bucket: Bucket, as_role: AsRole, world: World
) -> None:
    read(version, bucket)
    url = f"/model-versions/compare/?v={version.pk}&v={world.trial.pk}"
    shown = " ".join(as_role("model_owner").get(url).content.decode().replace("<wbr>", "").split())
    beside = shown[shown.index("Bias and explainability") :]
    for name in ("DI post-training, gender F", "CI pre-training, age [18, 25]", "Weight of income (kernel SHAP)"):
        assert name in beside
    assert re.search(r"DI post-training, gender F.{0,400}0\.5.{0,400}not reported", beside)
    assert re.search(r"auc.{0,400}0\.87", shown)


def test_what_can_be_read_no_more_is_told_and_kept(version: ModelVersion, bucket: Bucket, as_role: AsRole) -> None:
    read(version, bucket)
    bucket.objects["a.json"] = b'{"explanations": {'
    read(version, bucket)
    shown = page(as_role, version)
    assert "Bias report cannot be relied on" in shown
    assert "It breaks off" in shown
    assert "Post-training bias: gender F" in shown
    assert VersionReport.objects.filter(version=version, problem="truncated").count() == 2
