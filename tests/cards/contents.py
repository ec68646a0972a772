"""What cards say: one that fills every section, and what breaks one."""

from __future__ import annotations

from typing import Any

from registry.models import ModelGroup, ModelVersion

# What breaks a card, and a word of what is said about it.
BROKEN: dict[str, tuple[str, str]] = {
    "not JSON": ("{not json", "not JSON"),
    "a list": ("[1, 2]", "not an object"),
    "an unknown field": ('{"model_overview": {"colour": "red"}}', "colour"),
    "an unknown rating": ('{"intended_uses": {"risk_rating": "Enormous"}}', "Enormous"),
    "a metric without name": ('{"evaluation_details": [{"name": "a", "metric_groups": [{}]}]}', "name"),
    "NUL": ('{"model_overview": {"model_owner": "a\\u0000b"}}', "cannot be stored"),
    "too deep": ("[" * 200_000, "nested"),
    "a number of SQL's worst": ('{"model_overview": {"model_version": 1e400}}', "model_version"),
    "empty": ("", "empty"),
}


def whole(group: ModelGroup, version: ModelVersion | None = None, **sections: Any) -> dict[str, Any]:
    """Return a valid card that fills every section and names a group, and a version of it."""
    package: dict[str, Any] = {"model_package_group_name": group.name, "model_approval_status": "Approved"}
    if version is not None:
        package |= {"model_package_arn": version.arn, "model_package_version": version.number}
    return {
        "model_overview": {
            "model_name": group.name,
            "model_version": 1,
            "model_description": "Scores applicants for consumer credit.",
            "model_owner": "Consumer Lending Risk",
            "model_creator": "Dana Scientist",
            "problem_type": "Binary Classification",
            "algorithm_type": "XGBoost",
            "model_artifact": ["s3://ml-artifacts-hub/model.tar.gz"],
            "inference_environment": {
                "container_image": ["683313688378.dkr.ecr.us-east-1.amazonaws.com/xgboost:1.7-1"]
            },
        },
        "model_package_details": package,
        "intended_uses": {
            "purpose_of_model": "Decide on consumer credit.",
            "intended_uses": "Applications up to 50,000 EUR.",
            "factors_affecting_model_efficiency": "Few applicants below 21.",
            "risk_rating": "High",
            "explanations_for_risk_rating": "Annex III of the AI Act.",
        },
        "business_details": {
            "business_problem": "Losses of 2.1 percent.",
            "business_stakeholders": "Lending",
            "line_of_business": "Consumer Lending",
        },
        "training_details": {
            "objective_function": {"function": {"function": "Maximize", "facet": "AUC"}, "notes": "Five folds."},
            "training_observations": "Converged after 120 rounds.",
            "training_job_details": {
                "training_arn": "arn:aws:sagemaker:us-east-1:222222222222:training-job/credit-risk-1",
                "training_datasets": ["s3://ml-data/train.csv"],
                "training_environment": {"container_image": ["xgboost:1.7-1"]},
                "training_metrics": [{"name": "auc", "value": 0.83, "notes": "held out"}],
                "hyper_parameters": [{"name": "max_depth", "value": "6"}],
            },
        },
        "evaluation_details": [
            {
                "name": "Hold-out",
                "evaluation_observation": "Stable over the year.",
                "datasets": ["s3://ml-data/test.csv"],
                "metadata": {"seed": "7"},
                "metric_groups": [
                    {
                        "name": "Quality",
                        "metric_data": [
                            {"name": "auc", "type": "number", "value": 0.79},
                            {"name": "roc", "type": "linear_graph", "value": [[0, 0], [0.2, 0.6], [1, 1]]},
                            {
                                "name": "importance",
                                "type": "bar_chart",
                                "value": [0.4, 0.2],
                                "x_axis_name": ["age", "income"],
                            },
                            {"name": "confusion", "type": "matrix", "value": [[90, 10], [20, 80]]},
                        ],
                    }
                ],
            }
        ],
        "additional_information": {
            "ethical_considerations": "Age is not an input.",
            "caveats_and_recommendations": "Not for business credit.",
            "custom_details": {"Reviewed": "yes"},
        },
        **sections,
    }
