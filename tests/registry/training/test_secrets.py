"""What looks like a secret is not kept; what people tune is."""

from __future__ import annotations

import pytest

from registry.aws.training import TrainingJobRecord
from registry.training.secrets import HIDDEN, shown


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("db_password", "hunter2!"),
        ("HF_TOKEN", "abc123def"),
        ("token", '"abcdef"'),
        ("wandb-api-key", "0123456789abcdef0123456789abcdef01234567"),
        ("aws_secret_access_key", "x/y+z"),
        ("aws.access.key.id", "AKIAABCDEFGHIJKLMNOP"),
        ("note", "use AKIAABCDEFGHIJKLMNOP for it"),
        ("sagemaker_env", '{"HF": "hf_abcdefghijklmnopqrstuvwx"}'),
        ("source", "postgresql://trainer:hunter2@db/loans"),
        ("key", "-----BEGIN RSA PRIVATE KEY-----"),
    ],
)
def test_a_secret_is_not_kept(name: str, value: str) -> None:
    assert shown(name, value) == HIDDEN


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_tokens", "512"),
        ("token", "7"),
        ("tokenizer", "bert-base-uncased"),
        ("token_dim", "64"),
        ("use_auth_token", "true"),
        ("key_metric", "validation:auc"),
        ("objective", "binary:logistic"),
        ("data", "s3://loans/train/"),
        ("early_stopping_patience", ""),
        ("secretary_problem", "yes it is"),
    ],
)
def test_what_people_tune_is_kept(name: str, value: str) -> None:
    assert shown(name, value) == value


def test_odd_hyperparameters_are_bounded() -> None:
    said = {f"p{number}": "x" for number in range(500)} | {"a" * 5000: "b" * 100_000, "html": "<script>"}
    job = TrainingJobRecord.from_describe({"HyperParameters": dict(sorted(said.items()))})
    assert len(job.hyperparameters) == 200
    assert all(len(name) <= 256 and len(value) <= 2501 for name, value in job.hyperparameters.items())
    assert job.hyperparameters["html"] == "<script>"
    assert job.hyperparameters["a" * 256].endswith("…")
