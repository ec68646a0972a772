"""Recognise the algorithm or framework in a container image by its repository; what nobody knows is said to be so.

Pure. Source: `registries.json`, which are the accounts of the SageMaker Python SDK 2.251.1 (`image_uri_config`): the
repositories of AWS's own images, and in which account each lies in which regions. Autopilot's scikit-learn lies with
XGBoost's, as the SDK's Autopilot examples have it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

# The endings are those of AWS's partitions: commercial and GovCloud, China, and the ones that are apart.
_IMAGE = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)\."
    r"(?:amazonaws\.com(?:\.cn)?|amazonaws\.eu|c2s\.ic\.gov|sc2s\.sgov\.gov|csp\.hci\.ic\.gov|cloud\.adc-e\.uk)/"
    r"(?P<repository>[a-z0-9][a-z0-9._/-]*)(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]*))?(?:@sha256:[0-9a-f]{64})?"
)
_REGISTRIES = Path(__file__).with_name("registries.json")
# Repositories by their last part, exactly.
_NAMED = {
    "sagemaker-xgboost": "XGBoost",
    "xgboost": "XGBoost",
    "linear-learner": "Linear Learner",
    "kmeans": "K-means",
    "knn": "K-nearest neighbours",
    "pca": "Principal component analysis (PCA)",
    "factorization-machines": "Factorization Machines",
    "randomcutforest": "Random Cut Forest",
    "ipinsights": "IP Insights",
    "object2vec": "Object2Vec",
    "ntm": "Neural Topic Model",
    "lda": "Latent Dirichlet allocation (LDA)",
    "forecasting-deepar": "DeepAR forecasting",
    "blazingtext": "BlazingText",
    "seq2seq": "Sequence-to-sequence",
    "image-classification": "Image classification",
    "image-classification-neo": "Image classification (compiled by Neo)",
    "object-detection": "Object detection",
    "semantic-segmentation": "Semantic segmentation",
    "sagemaker-scikit-learn": "scikit-learn",
    "sagemaker-sklearn-automl": "Autopilot (scikit-learn)",
    "sagemaker-sparkml-serving": "Spark ML",
    "sagemaker-spark-processing": "Spark",
    "sagemaker-clarify-processing": "SageMaker Clarify",
    "sagemaker-model-monitor-analyzer": "SageMaker Model Monitor",
    "sagemaker-tensorflow-scriptmode": "TensorFlow",
    "sagemaker-tensorflow": "TensorFlow",
    "sagemaker-pytorch": "PyTorch",
    "sagemaker-mxnet": "MXNet",
    "sagemaker-chainer": "Chainer",
    "sagemaker-tensorflow-eia": "TensorFlow",
    "sagemaker-tensorflow-serving": "TensorFlow",
    "sagemaker-tensorflow-serving-eia": "TensorFlow",
    "sagemaker-mxnet-eia": "MXNet",
    "sagemaker-mxnet-serving": "MXNet",
    "sagemaker-mxnet-serving-eia": "MXNet",
    "sagemaker-rl-ray-container": "Ray RLlib",
    "sagemaker-rl-coach-container": "Coach (reinforcement learning)",
    "sagemaker-rl-mxnet": "Coach (reinforcement learning, MXNet)",
    "sagemaker-rl-tensorflow": "Reinforcement learning (TensorFlow)",
    "sagemaker-rl-vw-container": "Vowpal Wabbit (reinforcement learning)",
    "sagemaker-inference-mxnet": "MXNet (compiled by Neo)",
    "sagemaker-inference-pytorch": "PyTorch (compiled by Neo)",
    "sagemaker-inference-tensorflow": "TensorFlow (compiled by Neo)",
    "sagemaker-neo-mxnet": "MXNet (compiled by Neo)",
    "sagemaker-neo-pytorch": "PyTorch (compiled by Neo)",
    "sagemaker-neo-tensorflow": "TensorFlow (compiled by Neo)",
    "xgboost-neo": "XGBoost (compiled by Neo)",
    "sagemaker-tritonserver": "Triton Inference Server",
    "sagemaker-data-wrangler-container": "SageMaker Data Wrangler",
    "sagemaker-debugger-rules": "SageMaker Debugger",
    "detailed-profiler-processing": "SageMaker Profiler",
    "sagemaker-distribution-prod": "SageMaker Distribution",
    "sagemaker-geospatial-v1-0": "SageMaker geospatial",
    "sagemaker-base-python": "Python, without a framework",
}
# Otherwise by how the repository begins: the longer first, for Hugging Face's images are PyTorch's too.
_BEGINNING = (
    ("huggingface-pytorch-tgi", "Hugging Face (text generation, PyTorch)"),
    ("huggingface-pytorch", "Hugging Face (PyTorch)"),
    ("huggingface-tensorflow", "Hugging Face (TensorFlow)"),
    ("huggingface", "Hugging Face"),
    ("tei", "Hugging Face (text embeddings)"),
    ("autogluon", "AutoGluon"),
    ("stabilityai-pytorch", "Stability AI (PyTorch)"),
    ("pytorch", "PyTorch"),
    ("tensorflow", "TensorFlow"),
    ("mxnet", "MXNet"),
    ("djl-inference", "Deep Java Library (large models)"),
    ("smdistributed-modelparallel", "PyTorch (SageMaker model parallel)"),
    ("smp-pytorch", "PyTorch (SageMaker model parallel)"),
)


@dataclass(frozen=True, slots=True)
class Algorithm:
    """Hold what an image is: `name` is "" where it is not known; `is_of_aws` whether AWS publishes it there.

    `tag` is the image's tag, which names a framework's version in AWS's images; `why` says in words how it is known.
    """

    name: str
    repository: str = ""
    tag: str = ""
    account_id: str = ""
    is_of_aws: bool = False
    why: str = ""


def recognise(image: str) -> Algorithm:
    """Return what an image URI holds, by its account, region and repository; never guesses from anything else."""
    text = image.strip()
    if not text:
        return Algorithm("", why="No image is named.")
    found = _IMAGE.fullmatch(text)
    if not found:
        return Algorithm("", why="The image does not lie in Amazon ECR, so its repository says nothing certain.")
    repository, account, region = found["repository"], found["account"], found["region"]
    # AWS's own repositories lie in no folder: team/xgboost is somebody's.
    name = _name(repository.rpartition("/")[2])
    places = _published().get(repository)
    of_aws = bool(name) and (account in _of_aws(region) if places is None else region in places.get(account, ()))
    if not name:
        why = f"The portal does not know the repository {repository}: it may be an image of your own."
    elif of_aws and places is None:
        why = f"By the name {repository} in account {account}, which AWS publishes images in for {region}."
    elif of_aws:
        why = f"AWS publishes {repository} in account {account} for {region}."
    else:
        why = (
            f"By the name {repository}; account {account} is none the portal knows to be AWS's for it in {region}, "
            "so it may be a copy."
        )
    return Algorithm(name, repository, found["tag"] or "", account, of_aws, why)


@cache
def _published() -> Mapping[str, Mapping[str, frozenset[str]]]:
    """Return where AWS publishes its images: by repository and account, the regions."""
    found: dict[str, Mapping[str, frozenset[str]]] = {}
    for several in json.loads(_REGISTRIES.read_text()):
        places = {account: frozenset(regions) for account, regions in several["accounts"].items()}
        found |= dict.fromkeys(several["repositories"], places)
    return found


@cache
def _of_aws(region: str) -> frozenset[str]:
    """Return every account that AWS publishes images in for a region."""
    return frozenset(
        account for places in _published().values() for account, regions in places.items() if region in regions
    )


def _name(repository: str) -> str:
    if exact := _NAMED.get(repository):
        return exact
    for beginning, name in _BEGINNING:
        if repository == beginning or repository.startswith(f"{beginning}-"):
            return name
    return ""
