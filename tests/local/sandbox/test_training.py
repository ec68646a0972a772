"""Jobs that train, choose or label, and hubs: what the sandbox keeps of them and says when it is asked."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests

from tests.local.sandbox.world import Aws, fresh_account, refused, unique

ROLE = "arn:aws:iam::111111111111:role/Training"
XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
LAMBDA = "arn:aws:lambda:us-east-1:432418664414:function:PRE-TextMultiClass"
TEAM = "arn:aws:sagemaker:us-east-1:111111111111:workteam/private-crowd/loans"


def training_request(name: str, **others: Any) -> dict[str, Any]:
    """A CreateTrainingJob request as the SDK sends it."""
    return {
        "TrainingJobName": name,
        "AlgorithmSpecification": {"TrainingImage": XGBOOST, "TrainingInputMode": "File"},
        "RoleArn": ROLE,
        "HyperParameters": {"max_depth": "5"},
        "InputDataConfig": [
            {
                "ChannelName": "train",
                "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://loans/train/"}},
            }
        ],
        "OutputDataConfig": {"S3OutputPath": "s3://loans/models", "KmsKeyId": "alias/models"},
        "ResourceConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30},
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
        **others,
    }


def labeling_request(name: str, output: str = "s3://loans/labels/") -> dict[str, Any]:
    """A CreateLabelingJob request as Ground Truth's console sends it."""
    return {
        "LabelingJobName": name,
        "LabelAttributeName": "outcome",
        "InputConfig": {"DataSource": {"S3DataSource": {"ManifestS3Uri": "s3://loans/raw/input.manifest"}}},
        "OutputConfig": {"S3OutputPath": output},
        "RoleArn": ROLE,
        "HumanTaskConfig": {
            "WorkteamArn": TEAM,
            "UiConfig": {"UiTemplateS3Uri": "s3://loans/ui.html"},
            "PreHumanTaskLambdaArn": LAMBDA,
            "TaskTitle": "Was the loan repaid?",
            "TaskDescription": "Read the file and choose.",
            "NumberOfHumanWorkersPerDataObject": 3,
            "TaskTimeLimitInSeconds": 600,
            "AnnotationConsolidationConfig": {"AnnotationConsolidationLambdaArn": LAMBDA},
        },
    }


def story(sagemaker: Any) -> None:
    """Call each operation of jobs and hubs once."""
    sagemaker.create_training_job(**training_request("shape-job", EnableNetworkIsolation=True))
    sagemaker.describe_training_job(TrainingJobName="shape-job")
    sagemaker.list_training_jobs(SortBy="Name", StatusEquals="Completed")
    channel = {"ChannelType": "training", "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://a"}}}
    sagemaker.create_auto_ml_job_v2(
        AutoMLJobName="shape-automl",
        AutoMLJobInputDataConfig=[channel],
        OutputDataConfig={"S3OutputPath": "s3://loans/automl"},
        AutoMLProblemTypeConfig={"TabularJobConfig": {"TargetAttributeName": "default"}},
        RoleArn=ROLE,
    )
    sagemaker.describe_auto_ml_job_v2(AutoMLJobName="shape-automl")
    sagemaker.list_auto_ml_jobs()
    sagemaker.create_labeling_job(**labeling_request("shape-labels"))
    sagemaker.describe_labeling_job(LabelingJobName="shape-labels")
    sagemaker.list_labeling_jobs()
    sagemaker.stop_labeling_job(LabelingJobName="shape-labels")
    sagemaker.create_hub(HubName="shape-hub", HubDescription="What is allowed here.")
    sagemaker.describe_hub(HubName="shape-hub")
    sagemaker.list_hubs()
    sagemaker.import_hub_content(
        HubName="shape-hub",
        HubContentName="own-model",
        HubContentType="Model",
        DocumentSchemaVersion="2.3.0",
        HubContentDocument=json.dumps({"License": "Internal"}),
    )
    public = sagemaker.list_hub_contents(HubName="SageMakerPublicHub", HubContentType="Model")["HubContentSummaries"]
    sagemaker.create_hub_content_reference(
        HubName="shape-hub", SageMakerPublicHubContentArn=public[0]["HubContentArn"].rpartition("/")[0]
    )
    for kind, name in (("Model", "own-model"), ("ModelReference", public[0]["HubContentName"])):
        sagemaker.describe_hub_content(HubName="shape-hub", HubContentType=kind, HubContentName=name)


def test_a_training_job_says_how_it_ran_and_what_it_came_to(aws: Aws) -> None:
    account, name = fresh_account(), unique("train")
    sagemaker = aws.client("sagemaker", account)
    vpc = {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]}
    sagemaker.create_training_job(**training_request(name, EnableNetworkIsolation=True, VpcConfig=vpc))
    members = {"FinalMetricDataList": [{"MetricName": "validation:auc", "Value": 0.91}], "BillableTimeInSeconds": 120}
    said = {"account": account, "job": f"training-job/{name}", "members": members}
    assert requests.post(f"{aws.url}/sandbox/outcome", json=said, timeout=10).status_code == 200
    job = sagemaker.describe_training_job(TrainingJobName=name)
    assert (job["EnableNetworkIsolation"], job["EnableManagedSpotTraining"], job["VpcConfig"]) == (True, False, vpc)
    assert job["ModelArtifacts"]["S3ModelArtifacts"] == f"s3://loans/models/{name}/output/model.tar.gz"
    assert [(m["MetricName"], round(m["Value"], 2)) for m in job["FinalMetricDataList"]] == [("validation:auc", 0.91)]
    with refused("ValidationException"):
        sagemaker.create_training_job(**training_request(name))
    with refused("ResourceNotFound"):
        sagemaker.describe_training_job(TrainingJobName="no-such-job")


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ([], "JSON object"),
        ({"account": "1", "job": "training-job/x", "members": {}}, "12 digits"),
        ({"account": "1" * 12, "job": "model/x", "members": {}}, "training-job"),
        ({"account": "1" * 12, "job": "labeling-job/x", "members": {"Colour": 1}}, "Colour"),
        ({"account": "1" * 12, "job": "labeling-job/x", "members": {}}, "not found"),
    ],
)
def test_an_outcome_nobody_can_have_is_refused(aws: Aws, said: Any, words: str) -> None:
    answer = requests.post(f"{aws.url}/sandbox/outcome", json=said, timeout=10)
    assert (answer.status_code, words in answer.json()["error"]) == (400, True)


def test_labeling_jobs_are_listed_by_the_time_of_their_change(aws: Aws) -> None:
    account = fresh_account()
    sagemaker = aws.client("sagemaker", account)
    names = [unique("label") for _ in range(3)]
    for name in names:
        sagemaker.create_labeling_job(**labeling_request(name))
    changed = sagemaker.describe_labeling_job(LabelingJobName=names[2])["LastModifiedTime"]
    counters = {"TotalLabeled": 9, "HumanLabeled": 6, "MachineLabeled": 3, "FailedNonRetryableError": 1, "Unlabeled": 0}
    said = {"account": account, "job": f"labeling-job/{names[0]}", "members": {"LabelCounters": counters}}
    requests.post(f"{aws.url}/sandbox/outcome", json=said, timeout=10).raise_for_status()
    [found] = sagemaker.list_labeling_jobs(LastModifiedTimeAfter=changed)["LabelingJobSummaryList"]
    assert (found["LabelingJobName"], found["LabelCounters"]) == (names[0], counters)
    first = sagemaker.list_labeling_jobs(MaxResults=2)
    rest = sagemaker.list_labeling_jobs(MaxResults=2, NextToken=first["NextToken"])["LabelingJobSummaryList"]
    assert [one["LabelingJobName"] for one in rest] == names[2:]


def test_a_private_hub_refers_to_the_public_one(aws: Aws) -> None:
    sagemaker, hub = aws.client("sagemaker", fresh_account()), unique("hub")
    sagemaker.create_hub(HubName=hub, HubDescription="Allowed models")
    public = sagemaker.list_hub_contents(HubName="SageMakerPublicHub", HubContentType="Model", MaxResults=1)
    assert public["NextToken"]
    arn = public["HubContentSummaries"][0]["HubContentArn"].rpartition("/")[0]
    sagemaker.create_hub_content_reference(HubName=hub, SageMakerPublicHubContentArn=arn)
    [listed] = sagemaker.list_hub_contents(HubName=hub, HubContentType="ModelReference")["HubContentSummaries"]
    assert listed["SageMakerPublicHubContentArn"] == arn
    content = sagemaker.describe_hub_content(
        HubName=hub, HubContentType="ModelReference", HubContentName=listed["HubContentName"]
    )
    assert json.loads(content["HubContentDocument"])["License"]
    with refused("ValidationException"):
        sagemaker.create_hub_content_reference(HubName=hub, SageMakerPublicHubContentArn=arn)
    with refused("ResourceNotFound"):
        sagemaker.describe_hub_content(HubName=hub, HubContentType="Model", HubContentName="no-such-model")
