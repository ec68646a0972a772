"""How versions were trained, as SageMaker says it: found, kept, and honest where it is not known."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from governance.services.readings import ACTOR, Tally
from registry.aws.errors import AwsThrottled
from registry.aws.records import ContainerRecord
from registry.models import AwsAccount, LabelingJob, ModelGroup, ModelVersion, TrainingProvenance
from registry.selectors import training_view
from registry.services import training
from tests.factories import group, version
from tests.governance.conftest import Place
from tests.registry.training.saying import (
    AT,
    HUB_ARN,
    Saying,
    labeling_job,
    refusal,
    training_arn,
    training_job,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def models(place: Place) -> ModelGroup:
    """A group of the hub, whose versions the tests take in."""
    return group(None)


def hub() -> AwsAccount:
    return AwsAccount.objects.get(account_id="111111111111")


def read(said: Saying, account: AwsAccount | None = None) -> Tally:
    tally, account = Tally(), account or hub()
    training.read(ACTOR, account, said.session(account.account_id), tally)
    return tally


def of(subject: ModelVersion) -> TrainingProvenance:
    return TrainingProvenance.objects.get(version=subject)


def read_again(subject: ModelVersion, said: Saying) -> Tally:
    """Read what was read long ago."""
    row = of(subject)
    row.tried_at -= timedelta(days=8)
    row.save(update_fields=["tried_at"])
    return read(said)


def test_the_job_a_version_names_is_kept_whole(models: ModelGroup) -> None:
    said, made = Saying(), version(models, training_job_arn=training_arn("credit-1"))
    said.training["credit-1"] = training_job(
        "credit-1", VpcConfig={"Subnets": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}
    )
    tally = read(said)
    row = of(made)
    assert (tally.created, tally.problems) == (1, [])
    assert (row.source, row.status, row.algorithm) == ("version", "Completed", "XGBoost")
    assert (row.network_isolation, row.traffic_encryption, row.spot) == (True, False, None)
    assert row.hyperparameters == {"max_depth": "5", "eta": "0.2"}
    assert [(one["name"], one["value"]) for one in row.metrics] == [("validation:auc", 0.91)]
    assert (row.output_key, row.volume_key, row.vpc) == (
        "alias/models",
        "",
        {"subnets": ["subnet-1"], "security_groups": ["sg-1"]},
    )
    assert (row.hub, row.licence, row.eula_accepted, row.automl, row.labeling) == (None, "", None, None, None)
    assert read(said).created == 0, "nothing is due again"
    assert read_again(made, said).unchanged == 1


def test_the_job_is_found_by_the_artifact_it_wrote_and_no_other(models: ModelGroup) -> None:
    said = Saying()
    said.training["credit-9"] = training_job("credit-9")
    container = ContainerRecord("i", model_data_url="s3://loans/models/credit-9/output/model.tar.gz")
    other = ContainerRecord("i", model_data_url="s3://elsewhere/credit-9/output/model.tar.gz")
    mine = version(models, 1, containers=(container,))
    copied = version(models, 2, containers=(other,))
    read(said)
    assert (of(mine).source, of(mine).job_name) == ("artifact", "credit-9")
    assert (of(copied).source, of(copied).job_arn, of(copied).network_isolation) == ("", "", None)
    assert of(copied).problem == "", "that nobody knows it is no problem"


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (refusal("DescribeTrainingJob", "AccessDeniedException", "not authorized"), "denied"),
        (refusal("DescribeTrainingJob", "ResourceNotFound"), "has no training job credit-1"),
        (refusal("DescribeTrainingJob", "ValidationException", "Requested resource not found."), "no training job"),
    ],
)
def test_what_could_not_be_read_is_named_and_what_was_stays(
    models: ModelGroup, failure: ClientError, words: str
) -> None:
    said, made = Saying(), version(models, training_job_arn=training_arn("credit-1"))
    said.training["credit-1"] = training_job("credit-1")
    read(said)
    said.training["credit-1"] = failure
    tally, row = read_again(made, said), of(made)
    assert len(tally.problems) == 1
    assert words in row.problem
    assert (row.network_isolation, row.status, row.hyperparameters["eta"]) == (True, "Completed", "0.2")
    assert row.read_at is not None
    assert row.read_at < row.tried_at


def test_a_throttled_account_ends_the_pass_and_loses_nothing(models: ModelGroup) -> None:
    said, first = Saying(), version(models, 1, training_job_arn=training_arn("credit-1"))
    version(models, 2, training_job_arn=training_arn("credit-2"))
    said.training["credit-1"] = training_job("credit-1")
    said.training["credit-2"] = refusal("DescribeTrainingJob", "ThrottlingException")
    with pytest.raises(AwsThrottled):
        read(said)
    with pytest.raises(AwsThrottled):
        read(said)
    said.training["credit-2"] = training_job("credit-2")
    read(said)
    assert of(first).status == "Completed"
    assert TrainingProvenance.objects.count() == 2


@pytest.mark.parametrize(
    "broken",
    [
        {"HyperParameters": ["a"], "FinalMetricDataList": {"a": 1}, "InputDataConfig": "x"},
        {"EnableNetworkIsolation": "yes", "ResourceConfig": None, "VpcConfig": []},
        {"FinalMetricDataList": [{"MetricName": "loss", "Value": float("nan")}, None, {}]},
        {"HyperParameters": {"note\x00": "nul\x00"}, "FailureReason": "\ud800" * 3},
        {"TrainingTimeInSeconds": 10**30, "BillableTimeInSeconds": -5},
        {"AlgorithmSpecification": {"TrainingImage": "x" * 5000}, "SecondaryStatus": "y" * 500},
    ],
)
def test_a_broken_answer_is_read_as_far_as_it_goes(models: ModelGroup, broken: dict[str, Any]) -> None:
    said, made = Saying(), version(models, training_job_arn=training_arn("credit-1"))
    said.training["credit-1"] = training_job("credit-1", **broken)
    assert read(said).problems == []
    row = of(made)
    row.refresh_from_db()
    assert row.status == "Completed"
    assert row.network_isolation is (None if "EnableNetworkIsolation" in broken else True)


def test_a_jumpstart_model_keeps_its_licence_and_whether_it_was_accepted(models: ModelGroup) -> None:
    said = Saying()
    source = {"HubAccessConfig": {"HubContentArn": HUB_ARN}, "ModelAccessConfig": {"AcceptEula": True}}
    described = {"InferenceSpecification": {"Containers": [{"ModelDataSource": {"S3DataSource": source}}]}}
    made = version(models, raw=described)
    document = {"License": "Llama 3 Community License", "Provider": "Meta", "HostingEulaUri": "s3://eula.txt"}
    content = {"HubContentName": "meta-llama-3-8b", "HubContentArn": HUB_ARN, "HubName": "SageMakerPublicHub"}
    said.contents["SageMakerPublicHub/meta-llama-3-8b"] = {**content, "HubContentDocument": json.dumps(document)}
    assert read(said).problems == []
    row = of(made)
    assert row.hub is not None
    assert (row.licence, row.eula_accepted, row.hub["provider"]) == ("Llama 3 Community License", True, "Meta")
    said.contents["SageMakerPublicHub/meta-llama-3-8b"] = {**content, "HubContentDocument": "{broken"}
    assert "not JSON" in read_again(made, said).problems[0]
    assert of(made).licence == "Llama 3 Community License", "what was read stays"


def test_a_base_model_is_looked_for_in_the_accounts_own_hubs(models: ModelGroup) -> None:
    said = Saying()
    base = {"HubContentName": "own-base", "HubContentVersion": "1.0.0"}
    made = version(models, raw={"InferenceSpecification": {"Containers": [{"BaseModel": base}]}})
    said.hubs = ["allowed"]
    said.contents["allowed/own-base"] = {"HubContentName": "own-base", "HubName": "allowed", "HubContentDocument": "{}"}
    assert read(said).problems == []
    row = of(made)
    assert row.hub is not None
    assert (row.hub["hub"], row.licence, row.eula_accepted) == ("allowed", "", None)


def test_canvas_made_it(models: ModelGroup) -> None:
    said = Saying()
    arn = "arn:aws:sagemaker:us-east-1:111111111111:automl-job/Canvas1700000000"
    made = version(models, training_job_arn=training_arn("canvas-dpp"))
    said.training["canvas-dpp"] = training_job("canvas-dpp", AutoMLJobArn=arn)
    best = {"CandidateName": "c-1", "FinalAutoMLJobObjectiveMetric": {"MetricName": "F1", "Value": 0.5}}
    said.automl["Canvas1700000000"] = {
        "AutoMLJobArn": arn,
        "AutoMLJobName": "Canvas1700000000",
        "AutoMLProblemTypeConfigName": "Tabular",
        "BestCandidate": best,
    }
    read(said)
    row = of(made)
    assert row.automl is not None
    assert (row.automl["canvas"], row.automl["objective"], row.automl["objective_value"]) == (True, "F1", 0.5)


@pytest.mark.parametrize(
    ("uri", "is_found"),
    [
        ("s3://loans/labels/repaid/manifests/output/output.manifest", True),
        ("s3://loans/labels/repaid/manifests/output/", True),
        ("s3://loans/labels/repaid", True),
        ("s3://loans/labels/", False),
        ("s3://loans/", False),
        ("s3://loans/labels/repaid-other/", False),
    ],
)
def test_the_labeling_job_behind_the_data_is_found_by_its_output(models: ModelGroup, uri: str, is_found: bool) -> None:
    said, made = Saying(), version(models, training_job_arn=training_arn("credit-1"))
    said.labeling["repaid"] = labeling_job("repaid")
    channel = {"ChannelName": "train", "DataSource": {"S3DataSource": {"S3Uri": uri}}}
    said.training["credit-1"] = training_job("credit-1", InputDataConfig=[channel])
    assert read(said).problems == []
    found = of(made).labeling
    assert (found is not None) is is_found
    if found:
        assert (found.total, found.human, found.machine, found.failed, found.unlabeled) == (900, 600, 300, 4, 96)
        assert (found.task, found.workers) == ("Was it repaid?", 3)


def test_a_refused_list_of_labeling_jobs_does_not_keep_the_training_from_being_read(models: ModelGroup) -> None:
    said, made = Saying(), version(models, training_job_arn=training_arn("credit-1"))
    said.training["credit-1"] = training_job("credit-1")
    said.listing = refusal("ListLabelingJobs", "AccessDeniedException", "not authorized")
    tally = read(said)
    assert (len(tally.problems), of(made).status) == (1, "Completed")
    assert "Labeling jobs" in tally.problems[0]


def test_only_what_changed_since_is_listed_again_and_counts_that_are_no_counts_are_not_known(
    models: ModelGroup,
) -> None:
    said = Saying()
    counters = {"TotalLabeled": -1, "HumanLabeled": "6", "MachineLabeled": None}
    said.labeling["odd"] = labeling_job("odd", LabelCounters=counters)
    said.labeling["no-arn"] = labeling_job("no-arn", LabelingJobArn="x")
    read(said)
    read(said)
    assert [since[:10] for name, since in said.asked if name == "ListLabelingJobs"] == ["", "2026-03-02"]
    row = LabelingJob.objects.get()
    assert (row.name, row.total, row.human, row.machine, row.unlabeled) == ("odd", None, None, None, None)


def test_a_job_in_an_account_that_is_not_connected_says_so(models: ModelGroup) -> None:
    said, made = Saying(), version(models, training_job_arn=training_arn("far", "999999999999"))
    [problem] = read(said).problems
    assert "999999999999" in problem
    assert (of(made).job_arn, of(made).network_isolation) == ("", None)


def test_a_job_of_a_connected_account_is_read_there(models: ModelGroup) -> None:
    said = Saying()
    made = version(models, training_job_arn=training_arn("credit-1", "222222222222"))
    said.training["credit-1"] = training_job("credit-1", TrainingJobArn=training_arn("credit-1", "222222222222"))
    assert read(said).created == 0
    read(said, AwsAccount.objects.get(account_id="222222222222"))
    assert (of(made).account_id_copy, of(made).status) == ("222222222222", "Completed")


def test_a_version_that_changed_is_read_at_once(models: ModelGroup) -> None:
    said, made = Saying(), version(models, training_job_arn=training_arn("credit-1"))
    said.training["credit-1"] = training_job("credit-1", TrainingJobStatus="InProgress")
    read(said)
    said.training["credit-1"] = training_job("credit-1")
    assert (read(said).updated, of(made).status) == (1, "Completed")
    ModelVersion.objects.filter(pk=made.pk).update(content_digest="sha256:other")
    said.training["credit-1"] = training_job("credit-1", EnableNetworkIsolation=False)
    assert (read(said).updated, of(made).network_isolation) == (1, False)


def test_a_secret_among_the_parameters_is_not_kept_and_jumpstart_is_known_by_its_bucket(models: ModelGroup) -> None:
    said, made = Saying(), version(models, training_job_arn=training_arn("credit-1"))
    brought = {"S3DataSource": {"S3Uri": "s3://jumpstart-cache-prod-us-east-1/xgboost-training/v1/"}}
    said.training["credit-1"] = training_job(
        "credit-1",
        HyperParameters={"eta": "0.2", "HF_TOKEN": "hf_abcdefghijklmnopqrstuv"},
        InputDataConfig=[{"ChannelName": "model", "DataSource": brought}],
        VpcConfig={"Subnets": [], "SecurityGroupIds": []},
    )
    read(said)
    row = of(made)
    assert row.hyperparameters == {"eta": "0.2", "HF_TOKEN": "Not kept: it looks like a secret."}
    assert row.hub is not None
    assert (row.hub["title"], row.licence, row.eula_accepted) == ("A JumpStart model", "", None)
    assert [one["words"] for one in training_view.view_of(made).checks][-1] == "No", "a network of nothing is none"
    said.training["credit-1"] = refusal("DescribeTrainingJob", "AccessDeniedException")
    read_again(made, said)
    assert of(made).hub == row.hub, "a reading that failed leaves what was read"


def test_labeling_jobs_are_read_in_the_order_they_changed(models: ModelGroup, monkeypatch: pytest.MonkeyPatch) -> None:
    said = Saying()
    for name, days in (("long", 9), ("short", 1), ("middle", 5)):
        said.labeling[name] = labeling_job(name, LastModifiedTime=AT + timedelta(days=days))
    monkeypatch.setattr("registry.services.labeling.MOST_JOBS", 2)
    assert "the next pass goes on" in read(said).problems[0]
    assert set(LabelingJob.objects.values_list("name", flat=True)) == {"short", "middle"}
    assert "2026-03-07" in (read(said), said.asked)[1][-1][1], "the next list begins where this one ended"
