"""Recognise the algorithm or framework in a container image by its repository; what nobody knows is said to be so.

Pure. Source: SageMaker's lists of registry paths of built-in algorithms and of deep learning containers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_IMAGE = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/"
    r"(?P<repository>[a-z0-9][a-z0-9._/-]*)(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]*))?(?:@sha256:[0-9a-f]{64})?"
)
# Accounts that AWS publishes its own images in; others may hold a copy or something else of the same name.
_OF_AWS = frozenset(
    """
    683313688378 257758044811 746614075791 246618743249 141502667606 764974769150 659782779980 492215442770
    662702820516 121021644041 783357654285 354813040037 366743142698 720646828776 737474898029 341280168497
    382416733822 404615174143 632365934929 174872318107 438346466558 664544806723 475088953585 712309505854
    351501993468 835164637446 991648021394 644912444149
    811284229777 825641698319 433757028032 685385470294 813361260812 501404015308 544295431143 306986355934
    522234722520 566113047672 156387875391 224300973850 495149712605 633353088612 514117268639
    766337827248 763104351884 520713654638 785573368785 205493899709 763603941244
    """.split()  # noqa: SIM905
)
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
    "image-classification-neo": "Image classification",
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
    "sagemaker-rl-ray-container": "Ray RLlib",
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
    ("autopilot", "Autopilot"),
    ("sagemaker-autopilot", "Autopilot"),
    ("sagemaker-canvas", "Canvas"),
    ("jumpstart", "JumpStart"),
)
_JUMPSTART = re.compile(r"jumpstart[-_]")


@dataclass(frozen=True, slots=True)
class Algorithm:
    """Hold what an image is: `name` is "" where it is not known; `is_of_aws` whether AWS publishes images there.

    `tag` is the image's tag, which names a framework's version in AWS's images; `why` says in words how it is known.
    """

    name: str
    repository: str = ""
    tag: str = ""
    account_id: str = ""
    is_of_aws: bool = False
    why: str = ""


def recognise(image: str) -> Algorithm:
    """Return what an image URI holds, by its account and repository; never guesses from anything else."""
    text = image.strip()
    if not text:
        return Algorithm("", why="No image is named.")
    found = _IMAGE.fullmatch(text)
    if not found:
        return Algorithm("", why="The image does not lie in Amazon ECR, so its repository says nothing certain.")
    repository, account = found["repository"], found["account"]
    name, of_aws = _name(repository.rpartition("/")[2]), account in _OF_AWS
    if not name:
        why = f"The portal does not know the repository {repository}: it may be an image of your own."
    elif of_aws:
        why = f"AWS publishes {repository} in account {account}."
    else:
        why = f"By the name {repository}; account {account} is none the portal knows to be AWS's, so it may be a copy."
    return Algorithm(name, repository, found["tag"] or "", account, of_aws, why)


def _name(repository: str) -> str:
    if exact := _NAMED.get(repository):
        return exact
    for beginning, name in _BEGINNING:
        if repository == beginning or repository.startswith(f"{beginning}-"):
            return name
    return "JumpStart" if _JUMPSTART.search(repository) else ""
