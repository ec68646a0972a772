"""Images and what they hold; where a version says it comes from."""

from __future__ import annotations

from typing import Any

import pytest

from registry.training.algorithms import recognise
from registry.training.origin import HubOrigin, automl_named, card_job, hub_origin, jobs_named

AWS, OWN = "763104351884", "222222222222"
HUB = "arn:aws:sagemaker:us-east-1:aws:hub-content/SageMakerPublicHub/Model/meta-llama-3-8b/2.2.1"
JOB = "arn:aws:sagemaker:us-east-1:222222222222:training-job/credit-7"


def ecr(repository: str, account: str = AWS, region: str = "us-east-1", tag: str = ":1.0") -> str:
    return f"{account}.dkr.ecr.{region}.amazonaws.com/{repository}{tag}"


@pytest.mark.parametrize(
    ("image", "name", "is_of_aws"),
    [
        (ecr("sagemaker-xgboost", "683313688378", tag=":1.7-1"), "XGBoost", True),
        (ecr("xgboost", "811284229777", tag=":1"), "XGBoost", True),
        (ecr("forecasting-deepar", "522234722520"), "DeepAR forecasting", True),
        (ecr("linear-learner", "382416733822"), "Linear Learner", True),
        (ecr("kmeans", "382416733822"), "K-means", True),
        (ecr("knn", "382416733822"), "K-nearest neighbours", True),
        (ecr("pca", "382416733822"), "Principal component analysis (PCA)", True),
        (ecr("factorization-machines", "382416733822"), "Factorization Machines", True),
        (ecr("randomcutforest", "382416733822"), "Random Cut Forest", True),
        (ecr("object2vec", "382416733822"), "Object2Vec", True),
        (ecr("ipinsights", "382416733822"), "IP Insights", True),
        (ecr("lda", "766337827248"), "Latent Dirichlet allocation (LDA)", True),
        (ecr("blazingtext", "811284229777"), "BlazingText", True),
        (ecr("object-detection", "811284229777"), "Object detection", True),
        (ecr("image-classification", "811284229777"), "Image classification", True),
        (ecr("semantic-segmentation", "811284229777"), "Semantic segmentation", True),
        (ecr("seq2seq", "811284229777"), "Sequence-to-sequence", True),
        (ecr("sagemaker-scikit-learn", "683313688378", tag=":1.2-1-cpu-py3"), "scikit-learn", True),
        (ecr("huggingface-pytorch-training"), "Hugging Face (PyTorch)", True),
        (ecr("huggingface-pytorch-tgi-inference"), "Hugging Face (text generation, PyTorch)", True),
        (ecr("huggingface-tensorflow-training"), "Hugging Face (TensorFlow)", True),
        (ecr("pytorch-training", tag=":2.1-gpu-py310"), "PyTorch", True),
        (ecr("tensorflow-training", region="eu-west-1"), "TensorFlow", True),
        (ecr("mxnet-training"), "MXNet", True),
        (ecr("autogluon-training"), "AutoGluon", True),
        (ecr("sagemaker-tensorflow-scriptmode", "520713654638"), "TensorFlow", True),
        (ecr("djl-inference"), "Deep Java Library (large models)", True),
        # The same repository lies in an account of its own in each region; another region's account is a stranger there.
        (ecr("sagemaker-xgboost", "246618743249", "us-west-2"), "XGBoost", True),
        (ecr("sagemaker-xgboost", "683313688378", "us-west-2"), "XGBoost", False),
        (ecr("xgboost", "433757028032", "us-west-2", ":latest"), "XGBoost", True),
        (ecr("sagemaker-xgboost", "628508329040", "ap-south-2"), "XGBoost", True),
        (ecr("forecasting-deepar", "224300973850", "eu-west-1"), "DeepAR forecasting", True),
        (ecr("blazingtext", "685385470294", "eu-west-1"), "BlazingText", True),
        (ecr("linear-learner", "438346466558", "eu-west-1"), "Linear Learner", True),
        (ecr("sagemaker-sklearn-automl", "683313688378"), "Autopilot (scikit-learn)", True),
        (ecr("sagemaker-tritonserver"), "Triton Inference Server", True),
        (ecr("xgboost-neo", "785573368785"), "XGBoost (compiled by Neo)", True),
        (f"{AWS}.dkr.ecr-fips.us-east-1.amazonaws.com/pytorch-training:2.1", "PyTorch", True),
        ("765400339828.dkr.ecr.us-isob-east-1.sc2s.sgov.gov/kmeans:1", "K-means", True),
        ("094389454867.dkr.ecr.us-isob-east-1.sc2s.sgov.gov/pytorch-training:2.0", "PyTorch", True),
        (ecr("team/jumpstart-runtime", OWN), "", False),
        (ecr("sagemaker-xgboost", OWN, tag=""), "XGBoost", False),
        (ecr("pytorch-training", tag="@sha256:" + "ab" * 32), "PyTorch", True),
        ("727897471807.dkr.ecr.cn-north-1.amazonaws.com.cn/pytorch-training:2.1", "PyTorch", True),
        (f"{AWS}.dkr.ecr.cn-north-1.amazonaws.com.cn/pytorch-training:2.1", "PyTorch", False),
        # What no one can tell from the name is not told.
        (ecr("credit-risk-trainer", OWN), "", False),
        (ecr("my-xgboost-fork", OWN), "", False),
        (ecr("pytorchish", OWN), "", False),
        ("docker.io/library/pytorch:2", "", False),
        ("683313688378.dkr.ecr.us-east-1.amazonaws.com/", "", False),
        ("", "", False),
        ("x" * 5000, "", False),
    ],
)
def test_an_image_is_known_by_its_account_and_repository(image: str, name: str, is_of_aws: bool) -> None:
    found = recognise(image)
    assert (found.name, found.is_of_aws) == (name, is_of_aws)
    assert found.why, "it always says how it is known, or why it is not"


def test_a_copy_is_told_from_aws_own() -> None:
    assert "may be a copy" in recognise(ecr("sagemaker-xgboost", OWN)).why
    assert recognise(ecr("sagemaker-xgboost", "683313688378", tag=":1.7-1")).tag == "1.7-1"
    assert "does not know the repository" in recognise(ecr("credit-risk-trainer", OWN)).why


@pytest.mark.parametrize(
    ("told", "card", "artifact", "found"),
    [
        (JOB, None, "", [("version", "credit-7")]),
        ("", {"training_details": {"training_job_details": {"training_arn": JOB}}}, "", [("card", "credit-7")]),
        ("", None, "s3://loans/models/credit-7/output/model.tar.gz", [("artifact", "credit-7")]),
        (JOB, None, "s3://a/other/output/model.tar.gz", [("version", "credit-7"), ("artifact", "other")]),
        ("", {"training_details": []}, "s3://a/model.tar.gz", []),
        ("", {"training_details": {"training_job_details": {"training_arn": 7}}}, "", []),
        ("arn:aws:sagemaker:us-east-1:222222222222:automl-job/x", ["card"], "s3://a/x/output/model.tar", []),
    ],
)
def test_jobs_are_named_the_surest_first(told: str, card: Any, artifact: str, found: list[tuple[str, str]]) -> None:
    assert [(one.source, one.name) for one in jobs_named(told=told, card=card, artifact_url=artifact)] == found


def test_a_pipeline_run_counts_where_it_trained_once() -> None:
    other = JOB.replace("credit-7", "credit-8")
    steps = ["", "arn:aws:sagemaker:us-east-1:222222222222:processing-job/prepare", JOB, JOB]
    assert [one.source for one in jobs_named(told="", card=None, artifact_url="", of_run=steps)] == ["pipeline"]
    assert jobs_named(told="", card=None, artifact_url="", of_run=[*steps, other]) == []


def container(**source: Any) -> dict[str, Any]:
    return {"InferenceSpecification": {"Containers": [{"ModelDataSource": {"S3DataSource": source}}]}}


@pytest.mark.parametrize(
    ("described", "origin"),
    [
        ({}, HubOrigin()),
        ({"InferenceSpecification": {"Containers": "none"}}, HubOrigin()),
        ({"InferenceSpecification": {"Containers": [None, {"ModelDataSource": 3}]}}, HubOrigin()),
        (
            container(HubAccessConfig={"HubContentArn": HUB}, ModelAccessConfig={"AcceptEula": True}),
            HubOrigin(HUB, "", "", True),
        ),
        (container(ModelAccessConfig={"AcceptEula": False}), HubOrigin("", "", "", False)),
        (container(HubAccessConfig={"HubContentArn": "no arn"}, ModelAccessConfig={"AcceptEula": "yes"}), HubOrigin()),
        (
            {
                "InferenceSpecification": {
                    "Containers": [{"BaseModel": {"HubContentName": "own", "HubContentVersion": "1.0.0"}}]
                }
            },
            HubOrigin("", "own", "1.0.0"),
        ),
    ],
)
def test_the_hubs_model_is_what_the_containers_name(described: dict[str, Any], origin: HubOrigin) -> None:
    assert hub_origin(described) == origin


def test_an_automl_job_may_have_made_it() -> None:
    arn = "arn:aws:sagemaker:us-east-1:222222222222:automl-job/Canvas1700000000"
    assert automl_named({"MetadataProperties": {"GeneratedBy": arn}}) == arn
    assert automl_named({"MetadataProperties": None, "SourceUri": arn}) == arn
    assert automl_named({"MetadataProperties": "x", "SourceUri": None}) == ""
    assert card_job({"training_details": {"training_job_details": {"training_arn": JOB}}}) == JOB
