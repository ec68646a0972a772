"""The model card of the credit-risk model: written in SageMaker, changed once, and reviewed there."""

from __future__ import annotations

import json
from typing import Any

from governance.services import readings
from registry.aws import cards
from registry.aws.errors import AwsConflict
from registry.aws.session import AwsSession
from registry.choices import SyncKind
from registry.models import ModelGroup, ModelVersion

NAME = "credit-risk-scoring"


def show(hub: AwsSession, group: ModelGroup, use_case_id: str) -> None:
    """Write a card about a group's newest version in two versions, as its authors would, and have it read."""
    version = group.versions.order_by("-number").first()
    try:
        cards.create_card(hub, name=NAME, content=json.dumps(content_of(group, version, use_case_id, first=True)))
    except AwsConflict:
        return  # a demo is loaded again over what is there
    second = json.dumps(content_of(group, version, use_case_id, first=False))
    cards.update_card(hub, NAME, content=second, status="PendingReview")
    readings.read_account(account_id=hub.account.account_id, kind=SyncKind.CARDS, requested_by="demo")


def content_of(group: ModelGroup, version: ModelVersion | None, use_case_id: str, *, first: bool) -> dict[str, Any]:
    """Return a card about a version, or about one that is yet to be registered."""
    package = {"model_package_group_name": group.name}
    of_version = {"model_package_arn": version.arn, "model_package_version": version.number} if version else {}
    return {
        "model_overview": {
            "model_name": group.name,
            "model_version": version.number if version else group.versions.count() + 1,
            "model_description": "Probability that an applicant for a consumer loan defaults within twelve months.",
            "model_owner": "Consumer Lending Risk",
            "model_creator": "Dana Scientist",
            "problem_type": "Binary classification",
            "algorithm_type": "XGBoost",
            "model_artifact": [(version.artifact_url if version else "") or "s3://ml-artifacts-hub/model.tar.gz"],
        },
        "model_package_details": package | of_version,
        "intended_uses": {
            "purpose_of_model": "Rank loan applications by the risk of default, for manual review.",
            "intended_uses": "Consumer loans up to 50,000. Never for business loans, never without a person.",
            "factors_affecting_model_efficiency": "Few applicants below 21; income is self-declared for one in ten.",
            "risk_rating": "Medium" if first else "High",
            **(
                {}
                if first
                else {"explanations_for_risk_rating": "Evaluates natural persons: AI Act, Annex III, point 5 (b)."}
            ),
        },
        "business_details": {
            "business_problem": "Losses of 2.1 percent a year in consumer lending.",
            "business_stakeholders": "Head of Consumer Lending, Credit Operations",
            "line_of_business": "Consumer Lending",
        },
        "training_details": {
            "objective_function": {"function": {"function": "Maximize", "facet": "AUC"}, "notes": "Five folds."},
            "training_observations": "Converged after 240 rounds; the last 30 add nothing.",
            "training_job_details": {
                "training_datasets": ["s3://ml-data-credit/2025/train.parquet"],
                "training_metrics": [{"name": "train:auc", "value": 0.905}, {"name": "validation:auc", "value": 0.883}],
                "hyper_parameters": [
                    {"name": "max_depth", "value": "5"},
                    {"name": "eta", "value": "0.08"},
                    {"name": "num_round", "value": "240"},
                ],
            },
        },
        "evaluation_details": [_hold_out(), *([] if first else [_fairness()])],
        "additional_information": {
            "ethical_considerations": "Age, sex and nationality are no inputs; postcodes are left to two digits.",
            "caveats_and_recommendations": "Score again after every change of the interest rates.",
            "custom_details": {"UseCaseId": use_case_id, "Review cycle": "every six months"},
        },
    }


def _hold_out() -> dict[str, Any]:
    return {
        "name": "Hold-out of 2025",
        "evaluation_observation": "Stable over the four quarters; the scorecard in use reaches an AUC of 0.80.",
        "datasets": ["s3://ml-data-credit/2025/test.parquet"],
        "metric_groups": [
            {
                "name": "Discrimination",
                "metric_data": [
                    {"name": "AUC", "type": "number", "value": 0.86},
                    {"name": "KS", "type": "number", "value": 0.44, "notes": "at a score of 610"},
                    {
                        "name": "ROC curve",
                        "type": "linear_graph",
                        "value": [[0, 0], [0.05, 0.32], [0.1, 0.47], [0.2, 0.65], [0.4, 0.83], [0.7, 0.95], [1, 1]],
                        "x_axis_name": "False positive rate",
                        "y_axis_name": "True positive rate",
                    },
                    {
                        "name": "Confusion matrix",
                        "type": "matrix",
                        "value": [[8124, 611], [402, 863]],
                        "x_axis_name": ["predicted repaid", "predicted default"],
                        "y_axis_name": ["repaid", "default"],
                    },
                ],
            },
            {
                "name": "Importance",
                "metric_data": [
                    {
                        "name": "Mean absolute SHAP value",
                        "type": "bar_chart",
                        "value": [0.214, 0.187, 0.142, 0.118],
                        "x_axis_name": ["debt to income", "months since default", "use of cards", "years employed"],
                    }
                ],
            },
        ],
    }


def _fairness() -> dict[str, Any]:
    return {
        "name": "Fairness",
        "evaluation_observation": "Within the four-fifths rule for both sexes, not for age 18 to 25: people decide.",
        "metric_groups": [
            {
                "name": "Disparate impact",
                "metric_data": [
                    {"name": "DI (sex)", "type": "number", "value": 0.94},
                    {"name": "DI (age 18 to 25)", "type": "number", "value": 0.75},
                ],
            }
        ],
    }
