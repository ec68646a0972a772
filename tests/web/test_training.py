"""The training of a version on its page and over the API: what is known, what is not, and what could not be read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from registry.models import AwsAccount, LabelingJob, TrainingProvenance
from tests.api.world import World
from tests.web.test_compare import words_of

AsRole = Callable[[str], Client]
HOSTILE = '"><script>alert(1)</script>'


def keep(world: World, **values: Any) -> TrainingProvenance:
    """Keep what a pass would have read of the trial version."""
    said: dict[str, Any] = {
        "source": "version",
        "job_arn": "arn:aws:sagemaker:us-east-1:222222222222:training-job/credit-7",
        "job_name": "credit-7",
        "account_id_copy": "222222222222",
        "region": "us-east-1",
        "status": "Completed",
        "image": "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1",
        "algorithm": "XGBoost",
        "hyperparameters": {"max_depth": "5", "note": HOSTILE},
        "metrics": [
            {"name": "validation:auc", "value": 0.91, "at": "2026-03-02T12:00:00+00:00"},
            {"name": "loss", "value": "NaN", "at": None},
        ],
        "network_isolation": False,
        "instance_count": 1,
        "traffic_encryption": False,
        "read_at": timezone.now(),
        "tried_at": timezone.now(),
    }
    return TrainingProvenance.objects.create(version_id=world.trial.pk, **{**said, **values})


def page(client: Client, world: World) -> str:
    answer = client.get(reverse("registry:version_training", args=[world.trial.pk]))
    assert answer.status_code == 200
    assert HOSTILE not in answer.content.decode()
    return words_of(answer)


def test_nobody_looked_and_nothing_known_are_not_the_same(world: World, as_role: AsRole) -> None:
    client = as_role("data_scientist")
    assert "Not read yet" in page(client, world)
    keep(world, source="", job_arn="", job_name="", status="", image="", network_isolation=None)
    words = page(client, world)
    assert "No training job is known" in words
    assert "Not read yet" not in words
    assert "Network isolation" not in words, "nothing is said of it that nobody knows"


def test_the_job_is_told_in_words(world: World, as_role: AsRole) -> None:
    account = AwsAccount.objects.get(account_id="222222222222")
    job = LabelingJob.objects.create(
        account=account,
        region="us-east-1",
        arn="arn:aws:sagemaker:us-east-1:222222222222:labeling-job/repaid",
        name="repaid",
        status="Completed",
        human=600,
        machine=300,
        failed=4,
        read_at=timezone.now(),
    )
    hub = {"name": "llama", "title": "Llama 3", "provider": "Meta", "hub": "SageMakerPublicHub", "version": "1"}
    keep(world, labeling=job, hub=hub, licence="Llama 3 Community License", eula_accepted=True)
    words = page(as_role("auditor"), world)
    for told in (
        "could reach other systems over the network",
        "One instance trained, so nothing travelled between instances.",
        "In your own network (VPC)",
        "XGBoost",
        "AWS publishes sagemaker-xgboost",
        "Final metrics of the training job",
        "count only for metric rules that name them, such as training.validation:auc",
        "By people",
        "By machine",
        "Llama 3 Community License",
        "Accepted",
    ):
        assert told in words, told
    assert "Labeled in all not reported" in words, "null is not 0"


def test_what_could_not_be_read_is_said_and_the_rest_stands(world: World, as_role: AsRole) -> None:
    keep(world, problem="DescribeTrainingJob was denied.", network_isolation=None)
    words = page(as_role("ml_engineer"), world)
    assert "Not everything could be read DescribeTrainingJob was denied." in words
    assert "SageMaker does not say." in words
    assert "credit-7" in words


def test_the_api_says_the_same(world: World, as_role: AsRole) -> None:
    address = f"/api/v1/model-versions/{world.trial.pk}/training/"
    client = as_role("auditor")
    nothing = client.get(address).json()
    assert (nothing["read_at"], nothing["job_arn"], nothing["network_isolation"], nothing["hub"]) == (
        None,
        "",
        None,
        None,
    )
    keep(world, vpc={"subnets": ["subnet-1"], "security_groups": []}, automl=None)
    said = client.get(address).json()
    assert (said["algorithm"], said["network_isolation"], said["subnets"]) == ("XGBoost", False, ["subnet-1"])
    assert [one["value"] for one in said["final_metrics"]] == [0.91, "NaN"]
    assert said["labeling"] is None


@pytest.mark.parametrize("known", [False, True])
def test_the_page_reads_a_fixed_number_of_rows(world: World, as_role: AsRole, known: bool) -> None:
    client = as_role("auditor")
    page(client, world)
    with CaptureQueriesContext(connection) as before:
        page(client, world)
    if known:
        keep(world)
        with CaptureQueriesContext(connection) as after:
            page(client, world)
        assert len(after) == len(before)


def test_training_stands_beside_that_of_other_versions(world: World, as_role: AsRole) -> None:
    keep(world, image="683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.5-1", vpc=None)
    chosen = {"v": [world.trial.pk, world.fresh.pk]}
    words = words_of(as_role("auditor").get(reverse("governance:version_compare"), chosen))
    for told in (
        "Final metrics of the training job",
        "0.91",
        "depth",
        "sagemaker-xgboost:1.5-1",
        "Network isolation",
        "Llama 3 Community License",
    ):
        assert told in words, told
    metrics = words_of(as_role("auditor").get(reverse("registry:version_metrics", args=[world.trial.pk])))
    assert "training.validation:auc" in metrics


def test_a_job_nobody_may_read_is_not_said_to_be_unnamed(world: World, as_role: AsRole) -> None:
    keep(world, source="", job_arn="", job_name="", status="", image="", problem="Denied.", read_at=None)
    words = page(as_role("auditor"), world)
    assert "It could not be read" in words
    assert "No training job is known" not in words
    assert "none is named" not in words
