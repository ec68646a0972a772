"""The versions as their pipelines register them: CreateModelPackage requests with cards, metrics and reports. Pure."""

from __future__ import annotations

import json
import random
from typing import Any

from registry.choices import RiskRating

from ..sandbox.accounts import DEVELOPMENT
from .models import GroupPlan
from .people import project_of

HUB_BUCKET, DEVELOPMENT_BUCKET, LOST_BUCKET = "ml-artifacts-hub", "ml-artifacts-dev", "former-team-bucket"
_IMAGES = "683313688378.dkr.ecr.{region}.amazonaws.com"
_TREES = {"max_depth": (4, 9), "n_estimators": (180, 640), "min_child_weight": (1, 12)}
_NETS = {"epochs": (6, 40), "batch_size": (32, 256), "warmup_steps": (100, 900)}
_NETWORKS = ("network", "transformer", "retriever", "language model", "lstm", "fusion")
_CAVEATS = (
    "Thin files score worse: below six months of history a person should look.",
    "Not trained on customers under twenty; they are few.",
    "Public holidays are known per country, not per region.",
    "Seasonal campaigns move the base rate; read the figures of the last four weeks beside the year's.",
    "Segments below 400 rows are reported, not judged.",
)


def values_of(group: GroupPlan, number: int) -> dict[str, float]:
    """Return the validation metrics of a version: a slow gain over the versions, noise, and one that went wrong."""
    noise = random.Random(f"{group.name}/{number}/metrics")
    share = (number - 1) / max(1, group.versions - 1)
    main = group.level + group.gain * share + noise.uniform(-0.008, 0.008)
    if number % 4 == 3:  # every few versions an idea does not work out
        main -= 0.03 if group.measure != "error" else -0.03
    psi = round(0.03 + noise.random() * 0.09, 3)
    if group.measure == "error":
        return {"mape": round(main, 4), "rmse": round(main * 412, 1), "bias": round(noise.uniform(-0.02, 0.02), 4),
                "psi": psi}  # fmt: skip
    if group.measure == "text":
        return {"rouge_l": round(main, 4), "toxicity": round(0.004 + noise.random() * 0.01, 4), "psi": psi}
    main = min(main, 0.985)
    return {
        "auc": round(main, 4),
        "f1": round(main * 0.84 + noise.uniform(-0.02, 0.02), 4),
        "precision": round(main * 0.88 + noise.uniform(-0.03, 0.02), 4),
        "recall": round(main * 0.8 + noise.uniform(-0.03, 0.03), 4),
        "psi": psi,
    }


def monitored(group: GroupPlan, number: int, week: int, drift: float) -> dict[str, float]:
    """Return what the monitoring of a running version reports in its n-th week; drift is what psi gains a week."""
    noise = random.Random(f"{group.name}/{number}/week/{week}")
    trained = values_of(group, number)
    psi = round(trained["psi"] * 0.7 + drift * week + noise.uniform(0, 0.02), 3)
    main = next(iter(trained))
    worse = -1 if main != "mape" else 1
    return {
        main: round(trained[main] + worse * (drift * 0.08 * week + abs(noise.gauss(0, 0.004))), 4),
        "psi": psi,
        "missing_share": round(0.004 + noise.random() * 0.01, 4),
        "requests": noise.randrange(18_000, 240_000),
        "latency_p95_ms": round(noise.uniform(22, 64), 1),
    }


def request_of(group: GroupPlan, number: int, *, use_case_id: str, use_case_name: str, owner: str) -> dict[str, Any]:
    """Return the CreateModelPackage request of a version, without its group."""
    oddity = group.oddities.get(number, "")
    values = values_of(group, number)
    metadata = {
        "algorithm": group.algorithm,
        "git_commit": f"{random.Random(f'{group.name}/{number}/git').getrandbits(40):010x}",
        "training_rows": str(80_000 + 4_150 * number),
        **{f"validation_{name}": str(value) for name, value in values.items()},
    }
    if oddity == "bad_metadata":
        metadata["validation_auc"] = "about 0.85"
    request: dict[str, Any] = {
        "ModelPackageDescription": _describe(group, number),
        "ModelApprovalStatus": "PendingManualApproval",
        "CustomerMetadataProperties": metadata,
        "InferenceSpecification": {
            "Containers": [
                {"Image": _image(group), "ModelDataUrl": artifact_of(group, number), "Framework": _framework(group)}
            ],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
    }
    if not is_left(group, number):
        request["ModelMetrics"] = _reports(group, number)
    if group.in_full and "ModelMetrics" in request:
        request["DriftCheckBaselines"] = _baselines(group, number)
    if job := group.jobs.get(number):
        arn = f"arn:aws:sagemaker:{group.region}:{DEVELOPMENT}:training-job/{job}"
        request["MetadataProperties"] = {"GeneratedBy": arn, "CommitId": f"{metadata['git_commit']:0<40}"}
    if oddity != "no_card" and group.project is not None:
        content = _card(group, number, values, "UC-9999" if oddity == "unknown_use_case" else use_case_id,
                        use_case_name, owner)  # fmt: skip
        request["ModelCard"] = {"ModelCardContent": json.dumps(content), "ModelCardStatus": "PendingReview"}
    return request


def is_left(group: GroupPlan, number: int) -> bool:
    """Return whether a version was only tried: nobody asks anything about it, and no job checked it."""
    if group.project is None:
        return True
    return number <= group.versions - len(group.heads) and (number % 6 == 2 or number > 6)


def artifact_of(group: GroupPlan, number: int) -> str:
    """Return where the artifact of a version lies: in the hub, where it was trained, or nobody knows where."""
    bucket = DEVELOPMENT_BUCKET if group.from_development or group.account == DEVELOPMENT else HUB_BUCKET
    if group.oddities.get(number) == "lost_bucket":
        bucket = LOST_BUCKET
    return f"s3://{bucket}/{group.name}/{number}/model.tar.gz"


def parameters_of(group: GroupPlan, number: int) -> dict[str, Any]:
    """Return the parameters a version was trained with."""
    chosen = random.Random(f"{group.name}/{(number + 1) // 2}/parameters")
    ranges = _NETS if any(word in group.algorithm for word in _NETWORKS) else _TREES
    found: dict[str, Any] = {name: chosen.randint(*between) for name, between in ranges.items()}
    found["learning_rate"] = round(chosen.uniform(0.01, 0.12), 3)
    return found


def _describe(group: GroupPlan, number: int) -> str:
    what = (
        "First version",
        "More history",
        "New features from the data platform",
        "Smaller and faster",
        "Trained anew on the last twelve months",
        "Fixes the leak of the label found in review",
        "Segments balanced",
        "Trained anew on the last twelve months",
        "Fewer features, same figures",
    )[(number - 1) % 9]
    return f"{group.description}. {what}." if group.description else what


def _image(group: GroupPlan) -> str:
    name = "pytorch-inference:2.3" if any(word in group.algorithm for word in _NETWORKS) else "sagemaker-xgboost:1.7-1"
    return f"{_IMAGES.format(region=group.region)}/{name}"


def _framework(group: GroupPlan) -> str:
    return "PYTORCH" if any(word in group.algorithm for word in _NETWORKS) else "XGBOOST"


def _reports(group: GroupPlan, number: int) -> dict[str, Any]:
    base = f"s3://{HUB_BUCKET}/{group.name}/{number}/reports"
    found = {"ModelQuality": {"Statistics": _file(f"{base}/model_quality_statistics.json")}}
    if group.risk is not RiskRating.LOW and number not in group.oddities:
        found["Bias"] = {"Report": _file(f"{base}/data_bias_analysis.json")}
        found["ModelDataQuality"] = {"Statistics": _file(f"{base}/statistics.json")}
    if group.risk is RiskRating.HIGH:
        found["Explainability"] = {"Report": _file(f"{base}/explainability.json")}
    return found


def _baselines(group: GroupPlan, number: int) -> dict[str, Any]:
    base = f"s3://{HUB_BUCKET}/{group.name}/{number}/baselines"
    return {
        "Bias": {"PostTrainingConstraints": _file(f"{base}/bias.json")},
        "ModelQuality": {"Constraints": _file(f"{base}/model_quality_constraints.json")},
        "ModelDataQuality": {"Constraints": _file(f"{base}/constraints.json")},
    }


def _file(uri: str) -> dict[str, str]:
    return {"ContentType": "application/json", "S3Uri": uri}


def _card(
    group: GroupPlan, number: int, values: dict[str, float], use_case_id: str, use_case_name: str, owner: str
) -> dict[str, Any]:
    assert group.project is not None
    caveat = _CAVEATS[(number + len(group.name)) % len(_CAVEATS)]
    return {
        "model_overview": {
            "model_description": _describe(group, number),
            "model_creator": project_of(group.project).name,
            "model_owner": owner,
            "algorithm_type": group.algorithm,
            "model_artifact": [artifact_of(group, number)],
        },
        "intended_uses": {
            "purpose_of_model": group.description,
            "intended_uses": use_case_name or group.description,
            "risk_rating": group.risk.value.capitalize(),
            "explanations_for_risk_rating": "As the use case was classified, and nobody is decided about by it alone.",
        },
        "business_details": {
            "business_problem": group.description,
            "line_of_business": project_of(group.project).line,
        },
        "training_details": {
            "training_observations": caveat,
            "training_job_details": {
                "user_provided_hyper_parameters": [
                    {"name": name, "value": str(value)} for name, value in parameters_of(group, number).items()
                ],
            },
        },
        "evaluation_details": [
            {
                "name": "holdout",
                "datasets": [f"s3://{HUB_BUCKET}/{group.name}/holdout/2026-q2"],
                "metric_groups": [{"name": "segments", "metric_data": [_by_segment(values)]}],
            }
        ],
        "additional_information": {
            "caveats_and_recommendations": caveat,
            "custom_details": {"UseCaseId": use_case_id, "UseCaseName": use_case_name}
            if use_case_id
            else {"Team": project_of(group.project).name},
        },
    }


def _by_segment(values: dict[str, float]) -> dict[str, Any]:
    """Return the main metric by segment, as a bar chart of SageMaker's cards."""
    name, value = next(iter(values.items()))
    return {
        "name": f"{name} by segment",
        "type": "bar_chart",
        "value": [round(value * factor, 4) for factor in (1.01, 1.0, 0.985, 0.97)],
        "x_axis_name": ["new customers", "private", "self-employed", "over 65"],
        "y_axis_name": name,
    }
