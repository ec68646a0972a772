"""The newest credit-risk version, as its pipeline registers it, and what Clarify and the quality job left in S3."""

from __future__ import annotations

import hashlib
import json
import random
from typing import TYPE_CHECKING, Any

from governance.services import readings, sync
from registry.aws.session import AwsSession
from registry.choices import SyncKind
from registry.models import ModelGroup, ModelVersion
from registry.reports import kinds
from registry.reports.kinds import ReportKind

from ..company.company_in_aws import InAws
from ..sandbox.accounts import DEVELOPMENT, REGION
from . import model_cards, pipelines

if TYPE_CHECKING:
    from mypy_boto3_sagemaker.type_defs import MetricsSourceTypeDef

_BUCKET = "ml-artifacts-hub"
_WEIGHTS = {
    "debt_to_income": 0.214, "months_since_default": -0.187, "utilisation_of_cards": 0.142, "years_employed": -0.118,
    "loan_amount": 0.094, "recent_inquiries": 0.081, "age": -0.052, "savings": -0.047, "region": 0.019, "gender": 0.006,
}  # fmt: skip
# Before and after training, per facet: what Clarify would have found. One value lies outside what is usual.
_BEFORE = {
    "CI": 0.12, "DPL": 0.043, "KL": 0.0061, "JS": 0.0015, "LP": 0.048, "TVD": 0.043, "KS": 0.043, "CDDL": 0.021,
}  # fmt: skip
_AFTER = {
    "DPPL": 0.031, "DI": 0.94, "DCAcc": 0.02, "DCR": -0.016, "RD": 0.024, "AD": -0.011, "SD": 0.018, "CDDPL": 0.027,
    "TE": 0.08, "FT": -0.02, "GE": 0.061,
}  # fmt: skip
_FACETS = {"gender": ("F", 0.0), "age": ("[18, 25]", 0.19)}

# What the evaluation step of the pipeline measured.
_VALIDATED = {
    "validation_auc": "0.861", "validation_f1": "0.736", "validation_precision": "0.757", "validation_recall": "0.716",
    "validation_psi": "0.061",
}  # fmt: skip


def show(hub: AwsSession, group: ModelGroup, use_case_id: str) -> None:
    """Register a version of a group with all its reports, once, put those of the other versions, and have them read."""
    described = group.versions.values_list("described__MetadataProperties__GeneratedBy", flat=True)
    if pipelines.EXECUTION not in described:
        _register(hub, group, group.versions.count() + 1, use_case_id)
        sync.sync_changes(account_id=hub.account.account_id)
    pages = hub.s3.get_paginator("list_objects_v2").paginate(Bucket=_BUCKET)
    there = {row["Key"] for page in pages for row in page.get("Contents", ())}
    versions = ModelVersion.objects.present().filter(group__account=group.account).select_related("group")
    for version in versions.order_by("pk"):
        for pointer in kinds.pointers(version.metric_sources, version.drift_baselines):
            bucket, _, key = pointer.address.removeprefix("s3://").partition("/")
            if bucket == _BUCKET and key not in there:
                hub.s3.put_object(Bucket=bucket, Key=key, Body=_content(pointer.kind, version.number))
    readings.read_account(account_id=hub.account.account_id, kind=SyncKind.REPORTS, requested_by="demo")


def _register(hub: AwsSession, group: ModelGroup, number: int, use_case_id: str) -> None:
    """Have a scientist's nightly pipeline register a version, from the development account into the shared group."""
    name, place = group.name, f"{group.name}/{number}"

    def file(key: str, kind: ReportKind) -> MetricsSourceTypeDef:
        body = _content(kind, number)
        hub.s3.put_object(Bucket=_BUCKET, Key=f"{place}/reports/{key}", Body=body)
        return {
            "ContentType": "application/json",
            "ContentDigest": f"sha256:{hashlib.sha256(body).hexdigest()}",
            "S3Uri": f"s3://{_BUCKET}/{place}/reports/{key}",
        }

    # The card inside a package is about that package, so its schema has no place for a name of one.
    card = model_cards.content_of(group, None, use_case_id, first=True)
    del card["model_package_details"], card["model_overview"]["model_name"], card["model_overview"]["model_version"]
    card["intended_uses"]["risk_rating"] = "High"
    scientist = InAws().sagemaker("data.scientist", DEVELOPMENT, REGION)
    scientist.create_model_package(
        ModelPackageGroupName=group.arn,
        ModelPackageDescription="Gradient boosted trees over five years of applications",
        ModelApprovalStatus="PendingManualApproval",
        MetadataProperties={"GeneratedBy": pipelines.EXECUTION, "CommitId": pipelines.COMMIT},
        CustomerMetadataProperties={"algorithm": "xgboost", "training_rows": "98000", **_VALIDATED},
        ModelCard={"ModelCardContent": json.dumps(card), "ModelCardStatus": "Draft"},
        InferenceSpecification={
            "Containers": [
                {
                    "Image": "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1",
                    "ModelDataUrl": f"s3://{pipelines.BUCKET}/{name}/model.tar.gz",
                    "Framework": "XGBOOST",
                }
            ],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
        ModelMetrics={
            "Bias": {"Report": file("bias/analysis.json", ReportKind.BIAS)},
            "Explainability": {"Report": file("explainability/analysis.json", ReportKind.EXPLAINABILITY)},
            "ModelQuality": {"Statistics": file("model_quality/statistics.json", ReportKind.MODEL_QUALITY)},
            "ModelDataQuality": {"Statistics": file("data_quality/statistics.json", ReportKind.DATA_QUALITY)},
        },
        DriftCheckBaselines={
            "Bias": {"PostTrainingConstraints": file("bias/baseline.json", ReportKind.BASELINE_BIAS_POST_TRAINING)},
            "ModelQuality": {
                "Constraints": file("model_quality/constraints.json", ReportKind.BASELINE_MODEL_QUALITY_CONSTRAINTS)
            },
            "ModelDataQuality": {
                "Constraints": file("data_quality/constraints.json", ReportKind.BASELINE_DATA_QUALITY_CONSTRAINTS)
            },
        },
    )


def _content(kind: ReportKind, number: int) -> bytes:
    """Return what a job of SageMaker would have written about the n-th version."""
    name, noise = kind.value.removeprefix("baseline_"), random.Random(f"{kind}/{number}")
    if name == "explainability":
        content = _explained(noise)
    elif name == "model_quality":
        content = _quality(noise)
    elif name == "model_quality_constraints":
        content = _limits()
    elif name.startswith("data_quality"):
        content = _columns(noise)
    else:
        content = _biased(noise)
    return json.dumps({"version": "1.0", **content}, indent=1).encode()


def _biased(noise: random.Random) -> dict[str, Any]:
    def facets(values: dict[str, float]) -> dict[str, Any]:
        return {
            facet: [{"value_or_threshold": part, "metrics": _metrics(values, shift, noise)}]
            for facet, (part, shift) in _FACETS.items()
        }

    about = {"label": "repaid", "label_value_or_threshold": "1"}
    return {
        "pre_training_bias_metrics": {**about, "facets": facets(_BEFORE)},
        "post_training_bias_metrics": {**about, "facets": facets(_AFTER)},
    }


def _metrics(values: dict[str, float], shift: float, noise: random.Random) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for name, value in values.items():
        moved = value - shift if name == "DI" else value + shift * 0.2
        moved += noise.uniform(-0.03, 0.03) * abs(moved)
        found.append({"name": name, "description": name, "value": round(moved, 5)})
        if name == "FT" and shift:
            # Too few neighbours in so small a part: Clarify leaves the value out and says why.
            found[-1] |= {"value": None, "error": "Too few similar people in the other group to compare with."}
    return found


def _explained(noise: random.Random) -> dict[str, Any]:
    weights = {name: round(value + noise.uniform(-0.006, 0.006), 4) for name, value in _WEIGHTS.items()}
    return {"explanations": {"kernel_shap": {"label0": {"global_shap_values": weights, "expected_value": 0.2134}}}}


def _quality(noise: random.Random) -> dict[str, Any]:
    good = 0.86 + noise.uniform(-0.01, 0.01)
    steps = [index / 40 for index in range(41)]
    measures = {"auc": good, "accuracy": good - 0.03, "f1": good - 0.12, "precision": good - 0.1, "recall": good - 0.14}
    return {
        "dataset": {"item_count": 20000},
        "binary_classification_metrics": {
            **{name: {"value": round(value, 4), "standard_deviation": 0.0041} for name, value in measures.items()},
            "confusion_matrix": {"0": {"0": 14210, "1": 1590}, "1": {"0": 1180, "1": 3020}},
            "receiver_operating_characteristic_curve": {
                "false_positive_rates": steps,
                "true_positive_rates": [round(1 - (1 - step) ** 5.6, 4) for step in steps],
            },
            "precision_recall_curve": {
                "recalls": steps,
                "precisions": [round(0.97 - 0.18 * step - 0.58 * step**6, 4) for step in steps],
            },
        },
    }


def _limits() -> dict[str, Any]:
    lower = {"auc": 0.82, "accuracy": 0.79, "f1": 0.7, "precision": 0.7, "recall": 0.66}
    return {
        "binary_classification_constraints": {
            name: {"threshold": limit, "comparison_operator": "LessThanThreshold"} for name, limit in lower.items()
        }
    }


def _columns(noise: random.Random) -> dict[str, Any]:
    features = []
    for name in _WEIGHTS:
        missing = noise.randrange(0, 90)
        features.append(
            {
                "name": name,
                "inferred_type": "Fractional",
                "completeness": round(1 - missing / 20000, 5),
                "numerical_statistics": {
                    "common": {"num_present": 20000 - missing, "num_missing": missing},
                    "mean": round(noise.uniform(0, 40), 3),
                    "std_dev": round(noise.uniform(1, 9), 3),
                },
            }
        )
    return {"dataset": {"item_count": 20000}, "features": features}
