"""Every operation the sandbox performs itself, called in one story and compared with botocore's model.

The operations are discovered from the sandbox's classes: one that is added and not called here fails.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from botocore.model import OperationModel

from tests.local.sandbox import monitors
from tests.local.sandbox import test_training as training
from tests.local.sandbox.shapes import operations, problems
from tests.local.sandbox.test_cards import chapter as _cards
from tests.local.sandbox.test_lineage import tell as tell_lineage
from tests.local.sandbox.world import (
    ALLOW_REGISTER,
    DEFAULT,
    Aws,
    fresh_account,
    specification,
    unique,
)

Key = tuple[str, str]
Seen = dict[Key, list[tuple[OperationModel, bytes, dict[str, Any]]]]
TOKEN = "x" * 40
POLICY = {"Effect": "Allow", "Action": ["sagemaker:DescribeModelPackage"]}


class Story:
    """Three accounts of one organisation, and what was answered to them."""

    def __init__(self, aws: Aws) -> None:
        self.aws, self.seen = aws, Seen()
        self.owner, self.consumer, self.management = (fresh_account() for _ in range(3))
        self._clients: dict[Key, Any] = {}

    def client(self, service: str, account: str | None = None) -> Any:
        """A client whose answers are kept as they come over the wire."""
        account = account or self.owner
        if (service, account) not in self._clients:
            client = self.aws.client_with(service, self.aws.assume(account))
            bodies: list[bytes] = []

            def arrives(response_dict: dict[str, Any], **_: Any) -> None:
                bodies.append(response_dict["body"])

            def read(parsed: dict[str, Any], model: OperationModel, **_: Any) -> None:
                self.seen.setdefault((service, model.name), []).append((model, bodies[-1], parsed))

            client.meta.events.register(f"before-parse.{service}", arrives)
            client.meta.events.register(f"after-call.{service}", read)
            self._clients[service, account] = client
        return self._clients[service, account]


def _registry(story: Story) -> None:
    sagemaker = story.client("sagemaker")
    tags = [{"Key": "project", "Value": "credit"}]
    group = sagemaker.create_model_package_group(
        ModelPackageGroupName="credit", ModelPackageGroupDescription="Scores", Tags=tags
    )["ModelPackageGroupArn"]
    card = {"ModelCardContent": "{}", "ModelCardStatus": "Draft"}
    quality = {"ModelQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": "s3://b/s.json"}}}
    arn = sagemaker.create_model_package(
        ModelPackageGroupName="credit",
        ModelPackageDescription="First",
        InferenceSpecification=specification(),
        CustomerMetadataProperties={"k": "v"},
        ModelCard=card,
        ModelMetrics=quality,
        ModelLifeCycle={"Stage": "Development", "StageStatus": "Approved"},
        MetadataProperties={"CommitId": "c", "Repository": "r"},
        SourceUri="s3://source",
        ClientToken="token",
    )["ModelPackageArn"]
    sagemaker.update_model_package(
        ModelPackageArn=arn, ModelApprovalStatus="Approved", ApprovalDescription="Good", ClientToken="another"
    )
    sagemaker.create_model_package(
        ModelPackageName="alone", InferenceSpecification=specification(), Tags=tags, SkipModelValidation="All"
    )
    for name in (arn, "alone"):
        sagemaker.describe_model_package(ModelPackageName=name)
    sagemaker.batch_describe_model_package(ModelPackageArnList=[arn, arn + "9"])
    sagemaker.list_model_packages(ModelPackageGroupName="credit")
    sagemaker.list_model_packages(ModelPackageType="Both", MaxResults=1)
    sagemaker.describe_model_package_group(ModelPackageGroupName=group)
    sagemaker.list_model_package_groups()
    for resource in ("ModelPackage", "ModelPackageGroup"):
        sagemaker.search(Resource=resource)
    sagemaker.add_tags(ResourceArn=group, Tags=[{"Key": "more", "Value": "1"}])
    sagemaker.list_tags(ResourceArn=group)
    sagemaker.delete_tags(ResourceArn=group, TagKeys=["more"])
    statement = {**POLICY, "Principal": {"AWS": f"arn:aws:iam::{story.consumer}:root"}, "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sagemaker.put_model_package_group_policy(ModelPackageGroupName="credit", ResourcePolicy=document)
    sagemaker.get_model_package_group_policy(ModelPackageGroupName="credit")
    sagemaker.create_model(
        ModelName="served",
        PrimaryContainer={"ModelPackageName": arn},
        ExecutionRoleArn=f"arn:aws:iam::{story.owner}:role/Engineer",
    )


def _shares(story: Story) -> None:
    ram, group = story.client("ram"), f"arn:aws:sagemaker:us-east-1:{story.owner}:model-package-group/credit"
    theirs, outsider = story.client("ram", story.consumer), fresh_account()
    for kind in ("ALL", "AWS_MANAGED"):
        ram.list_permissions(permissionType=kind)
    ram.list_resource_types()
    own = ram.create_permission(
        name="own", resourceType="sagemaker:ModelPackageGroup", policyTemplate=json.dumps(POLICY), clientToken="a"
    )["permission"]["arn"]
    ram.create_permission_version(permissionArn=own, policyTemplate=json.dumps(POLICY))
    ram.set_default_permission_version(permissionArn=own, permissionVersion=1)
    ram.delete_permission_version(permissionArn=own, permissionVersion=2)
    ram.get_permission(permissionArn=own)
    ram.list_permission_versions(permissionArn=DEFAULT)
    tags = [{"key": "project", "value": "credit"}]
    share = ram.create_resource_share(
        name="share", resourceArns=[group], principals=[story.consumer, outsider], tags=tags, permissionArns=[own]
    )["resourceShare"]["resourceShareArn"]
    (invitation,) = theirs.get_resource_share_invitations()["resourceShareInvitations"]
    theirs.list_pending_invitation_resources(resourceShareInvitationArn=invitation["resourceShareInvitationArn"])
    theirs.accept_resource_share_invitation(resourceShareInvitationArn=invitation["resourceShareInvitationArn"])
    refusing = story.client("ram", outsider)
    (offer,) = refusing.get_resource_share_invitations()["resourceShareInvitations"]
    refusing.reject_resource_share_invitation(resourceShareInvitationArn=offer["resourceShareInvitationArn"])
    ram.update_resource_share(resourceShareArn=share, name="renamed")
    ram.tag_resource(resourceShareArn=share, tags=[{"key": "more", "value": "1"}])
    ram.untag_resource(resourceShareArn=share, tagKeys=["more"])
    for kind in ("PRINCIPAL", "RESOURCE"):
        ram.get_resource_share_associations(associationType=kind)
    ram.list_resource_share_permissions(resourceShareArn=share)
    ram.list_permission_associations()
    for client, owner in ((ram, "SELF"), (theirs, "OTHER-ACCOUNTS")):
        client.get_resource_shares(resourceOwner=owner)
        client.list_resources(resourceOwner=owner)
        client.list_principals(resourceOwner=owner)
    ram.associate_resource_share_permission(resourceShareArn=share, permissionArn=ALLOW_REGISTER, replace=True)
    ram.delete_permission(permissionArn=own)
    ram.associate_resource_share(resourceShareArn=share, principals=[outsider])
    ram.disassociate_resource_share(resourceShareArn=share, resourceArns=[group], principals=[outsider])
    ram.disassociate_resource_share_permission(resourceShareArn=share, permissionArn=ALLOW_REGISTER)
    ram.delete_resource_share(resourceShareArn=share)
    wanted = {"management": story.management, "accounts": {story.owner: None}}
    assert requests.post(f"{story.aws.url}/sandbox/organization", json=wanted, timeout=10).ok
    story.client("ram", story.management).enable_sharing_with_aws_organization()


def _queues(story: Story) -> None:
    sqs, events = story.client("sqs"), story.client("events")
    url = sqs.create_queue(QueueName="queue", tags={"a": "b"})["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "5"})
    sqs.tag_queue(QueueUrl=url, Tags={"c": "d"})
    sqs.untag_queue(QueueUrl=url, TagKeys=["c"])
    sqs.add_permission(QueueUrl=url, Label="l", AWSAccountIds=[story.consumer], Actions=["SendMessage"])
    sqs.remove_permission(QueueUrl=url, Label="l")
    events.put_rule(Name="rule", EventPattern='{"source": ["s"]}')
    target = {"Id": "1", "Arn": f"arn:aws:sqs:us-east-1:{story.owner}:queue"}
    events.put_targets(Rule="rule", Targets=[target])
    events.put_events(Entries=[{"Source": "s", "DetailType": "d", "Detail": "{}"}, {"Source": "s"}])
    asked = {"AttributeNames": ["All"], "MessageAttributeNames": ["All"]}
    (message,) = sqs.receive_message(QueueUrl=url, **asked)["Messages"]
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    sqs.purge_queue(QueueUrl=url)
    sqs.delete_queue(QueueUrl=url)


def _pipelines(story: Story) -> None:
    sagemaker, sqs = story.client("sagemaker"), story.client("sqs")
    url = sqs.create_queue(QueueName="callbacks")["QueueUrl"]
    steps = [{"Name": "Ask", "Type": "Callback", "SqsQueueUrl": url}]
    definition = json.dumps({"Parameters": [{"Name": "P", "DefaultValue": "1"}], "Steps": steps})
    role = f"arn:aws:iam::{story.owner}:role/Pipeline"
    sagemaker.create_pipeline(
        PipelineName="line", PipelineDefinition=definition, ClientRequestToken=TOKEN, RoleArn=role
    )
    sagemaker.update_pipeline(PipelineName="line", PipelineDescription="Asks")
    for number, end in enumerate(("success", "failure", "stop")):
        token = f"{number}" + TOKEN
        arn = sagemaker.start_pipeline_execution(PipelineName="line", ClientRequestToken=token)["PipelineExecutionArn"]
        (message,) = sqs.receive_message(QueueUrl=url)["Messages"]
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        callback = json.loads(message["Body"])["token"]
        sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn)
        if end == "success":
            outputs = [{"Name": "n", "Value": "v"}]
            sagemaker.send_pipeline_execution_step_success(CallbackToken=callback, OutputParameters=outputs)
        elif end == "failure":
            sagemaker.send_pipeline_execution_step_failure(CallbackToken=callback, FailureReason="no")
        else:
            sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn, ClientRequestToken=token)
        sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
        sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn)
    sagemaker.describe_pipeline_definition_for_execution(PipelineExecutionArn=arn)
    sagemaker.list_pipeline_parameters_for_execution(PipelineExecutionArn=arn)
    sagemaker.list_pipeline_executions(PipelineName="line")
    sagemaker.describe_pipeline(PipelineName="line")
    sagemaker.list_pipelines()
    sagemaker.delete_pipeline(PipelineName="line", ClientRequestToken=TOKEN)


def _lineage(story: Story) -> None:
    tell_lineage(story.client("sagemaker"))


def _monitors(story: Story) -> None:
    bucket = unique("monitor")
    monitors.story(story.client("sagemaker"), story.aws.client("s3", story.owner), story.aws.url, story.owner, bucket)


def _people(story: Story) -> None:
    iam, name = story.aws.client("iam", story.owner), unique("role")
    iam.create_role(RoleName=name, AssumeRolePolicyDocument="{}")
    document = json.dumps({"Version": "2012-10-17", "Statement": [{**POLICY, "Resource": "*"}]})
    iam.put_role_policy(RoleName=name, PolicyName="reads", PolicyDocument=document)
    arn = f"arn:aws:iam::{story.owner}:role/{name}"
    story.client("iam").simulate_principal_policy(
        PolicySourceArn=arn, ActionNames=["sagemaker:DescribeModelPackage", "s3:GetObject"]
    )
    story.client("sts").assume_role(RoleArn=arn, RoleSessionName="somebody", SourceIdentity="jane")


def _counts(story: Story) -> None:
    cloudwatch, now = story.client("cloudwatch"), datetime.now(UTC)
    metric = {"MetricName": "Invocations", "Dimensions": [{"Name": "EndpointName", "Value": "credit"}]}
    cloudwatch.put_metric_data(Namespace="AWS/SageMaker", MetricData=[{**metric, "Timestamp": now, "Value": 3}])
    cloudwatch.list_metrics(Namespace="AWS/SageMaker")
    stat = {"Metric": {"Namespace": "AWS/SageMaker", **metric}, "Period": 3600, "Stat": "Sum"}
    query = [{"Id": "q1", "MetricStat": stat}]
    hour = timedelta(hours=1)
    cloudwatch.get_metric_data(MetricDataQueries=query, StartTime=now - hour, EndTime=now + hour)


def _training(story: Story) -> None:
    training.story(story.client("sagemaker"))


def _serving(story: Story) -> None:
    sagemaker, role = story.client("sagemaker"), f"arn:aws:iam::{story.owner}:role/Engineer"
    network = {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]}
    container = {"Image": f"{story.owner}.dkr.ecr.us-east-1.amazonaws.com/scoring:1"}
    sagemaker.create_model(
        ModelName="credit",
        PrimaryContainer=container,
        ExecutionRoleArn=role,
        EnableNetworkIsolation=True,
        VpcConfig=network,
    )
    sagemaker.describe_model(ModelName="credit")
    sagemaker.list_models()
    variant = {"VariantName": "main", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    for name, more in (("one", {"ModelName": "credit", "InitialVariantWeight": 1.0}), ("bare", {})):
        sagemaker.create_endpoint_config(
            EndpointConfigName=name, ProductionVariants=[{**variant, **more}], ExecutionRoleArn=role
        )
        sagemaker.describe_endpoint_config(EndpointConfigName=name)
        sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
        sagemaker.describe_endpoint(EndpointName=name)
    sagemaker.list_endpoint_configs()
    sagemaker.list_endpoints(StatusEquals="InService")
    weights = [{"VariantName": "main", "DesiredWeight": 0.5, "DesiredInstanceCount": 2}]
    sagemaker.update_endpoint_weights_and_capacities(EndpointName="one", DesiredWeightsAndCapacities=weights)
    component = {"InferenceComponentName": "credit"}
    sagemaker.create_inference_component(
        **component,
        EndpointName="bare",
        VariantName="main",
        Specification={"ModelName": "credit"},
        RuntimeConfig={"CopyCount": 1},
    )
    sagemaker.describe_inference_component(**component)
    sagemaker.list_inference_components(EndpointNameEquals="bare")
    sagemaker.delete_inference_component(**component)
    sagemaker.update_endpoint(EndpointName="bare", EndpointConfigName="one")
    for name in ("one", "bare"):
        sagemaker.delete_endpoint(EndpointName=name)
        sagemaker.delete_endpoint_config(EndpointConfigName=name)
    sagemaker.delete_model(ModelName="credit")


def _end(story: Story) -> None:
    sagemaker = story.client("sagemaker")
    sagemaker.delete_model_package_group_policy(ModelPackageGroupName="credit")
    sagemaker.delete_model_package(ModelPackageName="credit/1")
    sagemaker.delete_model_package_group(ModelPackageGroupName="credit")


@pytest.fixture(scope="module")
def seen(aws: Aws) -> Seen:
    """Everything that was answered in the story."""
    story = Story(aws)
    chapters: list[Callable[[Story], None]] = [
        _registry,
        _shares,
        _queues,
        _pipelines,
        _lineage,
        _cards,
        _monitors,
        _people,
        _counts,
        _training,
        _serving,
        _end,
    ]
    for chapter in chapters:
        chapter(story)
    return story.seen


@pytest.mark.parametrize(("service", "operation"), operations())
def test_an_answer_has_the_shape_of_the_model(seen: Seen, service: str, operation: str) -> None:
    answers = seen.get((service, operation))
    assert answers, f"the sandbox performs {service} {operation}: call it in the story of this module"
    found = [p for model, body, parsed in answers for p in problems(model, body, parsed)]
    assert found == []


def test_the_comparison_sees_what_is_wrong(seen: Seen) -> None:
    model, _, parsed = seen["sagemaker", "DescribeModelPackage"][0]
    wrong = {
        **json.loads(json.dumps(parsed, default=lambda m: m.timestamp())),
        "ModelApprovalStatus": "Maybe",
        "CreationTime": "yesterday",
        "ModelPackageVersion": "one",
        "Nonsense": 1,
    }
    del wrong["ModelPackageArn"], wrong["ResponseMetadata"]
    found = problems(model, json.dumps(wrong).encode(), parsed)
    assert {p.split(" ")[0].rsplit(".", 1)[-1] for p in found} == {
        "ModelPackageArn",
        "ModelApprovalStatus",
        "CreationTime",
        "ModelPackageVersion",
        "Nonsense",
    }


def test_there_are_operations_of_every_service() -> None:
    assert {service for service, _ in operations()} == {"sagemaker", "ram", "events", "sqs", "iam", "sts", "cloudwatch"}
