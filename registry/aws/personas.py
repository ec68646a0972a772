"""Write the IAM policies of the people around the registry, and the guard that binds everybody else.

What SageMaker lets a policy ask about: `sagemaker:ModelApprovalStatus`, `sagemaker:ModelLifeCycle:stage` and
`sagemaker:ModelLifeCycle:stageStatus` of the version in a CreateModelPackage or UpdateModelPackage. A negated
condition holds where the key is absent, so each refusal first asks whether the key is there.
Source: the service authorization reference of SageMaker; "Set up Staging Construct Examples" of its developer guide.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from registry.aws.cloudformation import ROLE_NAME, Template

APPROVAL = "sagemaker:ModelApprovalStatus"
STAGE = "sagemaker:ModelLifeCycle:stage"
STAGE_STATUS = "sagemaker:ModelLifeCycle:stageStatus"
# What people may say of a version themselves; everything beyond is the portal's word.
OPEN_STAGES = ["Development"]
OPEN_STATUSES = ["PendingApproval", "InProgress", "OnHold"]
_PENDING = "PendingManualApproval"
_WRITES = ["sagemaker:CreateModelPackage", "sagemaker:UpdateModelPackage"]
READS = (
    "sagemaker:DescribeModelPackage",
    "sagemaker:DescribeModelPackageGroup",
    "sagemaker:GetModelPackageGroupPolicy",
    "sagemaker:ListModelPackageGroups",
    "sagemaker:ListModelPackages",
    "sagemaker:ListTags",
    "sagemaker:Search",
)
ENDPOINT_KINDS = ("endpoint", "endpoint-config", "model")
# Whoever may change policies, delete versions or share groups could go around every other rule.
_OVER_THE_REGISTRY = [
    "sagemaker:DeleteModelPackage",
    "sagemaker:DeleteModelPackageGroup",
    "sagemaker:DeleteModelPackageGroupPolicy",
    "sagemaker:PutModelPackageGroupPolicy",
]
_VERSIONS = {"Fn::Sub": "arn:${AWS::Partition}:sagemaker:*:*:model-package/${ModelPackages}"}
_GROUPS = {"Fn::Sub": "arn:${AWS::Partition}:sagemaker:*:*:model-package-group/${ModelPackageGroups}"}
_HERE = "arn:${AWS::Partition}:sagemaker:*:${AWS::AccountId}"


def personas() -> Template:
    """Return the template of the managed policies of data scientists, ML engineers and governance officers."""
    policies = {
        "DataScientist": ("Register versions and work on them in Development.", _scientist()),
        "MlEngineer": ("Deploy what is approved and operate it; the registry is read only.", _engineer()),
        "GovernanceOfficer": ("Read everything; decisions are made in the portal.", _officer()),
    }
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "What data scientists, ML engineers and governance officers may do around the model registry.",
        "Parameters": {
            "ModelPackageGroups": _pattern("Names of the model package groups they work with, * for all."),
            "ModelPackages": _pattern("The same names in lower case, as versions' ARNs have them, * for all."),
            "EndpointPrefix": _pattern("Endpoints, their configurations and models an ML engineer operates."),
            # No default: whoever hands any role to a container of his own can do whatever that role may.
            "ExecutionRoles": {
                "Type": "String",
                "Description": "Names of the roles models run as, such as model-*; roles that may update no version.",
            },
        },
        "Resources": {
            name: {
                "Type": "AWS::IAM::ManagedPolicy",
                "Properties": {
                    "Description": description,
                    "PolicyDocument": {"Version": "2012-10-17", "Statement": statements},
                },
            }
            for name, (description, statements) in policies.items()
        },
        "Outputs": {name: {"Description": f"The policy {name}.", "Value": {"Ref": name}} for name in policies},
    }


def guard() -> Template:
    """Return the template of the service control policy under which only the portal's role approves and promotes."""
    not_the_portal = {"ArnNotLike": {"aws:PrincipalArn": {"Fn::Sub": "arn:${AWS::Partition}:iam::*:role/${RoleName}"}}}
    statements = [{**statement, "Condition": _and(statement["Condition"], not_the_portal)} for statement in _bounds()]
    statements.append(
        {
            "Sid": "LeaveVersionsAlone",
            "Effect": "Deny",
            "Action": ["sagemaker:DeleteModelPackage", "sagemaker:PutModelPackageGroupPolicy"],
            "Resource": "*",
            "Condition": not_the_portal,
        }
    )
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "Service control policy: nobody but the portal's role approves a version or moves it on.",
        "Parameters": {
            "RoleName": {
                "Type": "String",
                "Description": "The name of the portal's role in every account.",
                "Default": ROLE_NAME,
            },
            "TargetIds": {
                "Type": "CommaDelimitedList",
                "Description": "Organisational units or accounts that own model package groups.",
            },
        },
        "Resources": {
            "Guard": {
                "Type": "AWS::Organizations::Policy",
                "Properties": {
                    "Name": "model-registry-guard",
                    "Description": "Only the model governance portal approves and promotes model versions.",
                    "Type": "SERVICE_CONTROL_POLICY",
                    "TargetIds": {"Ref": "TargetIds"},
                    "Content": {"Version": "2012-10-17", "Statement": statements},
                },
            }
        },
        "Outputs": {"PolicyId": {"Description": "The policy.", "Value": {"Ref": "Guard"}}},
    }


def _pattern(description: str) -> dict[str, Any]:
    return {"Type": "String", "Description": description, "Default": "*"}


def _scientist() -> list[dict[str, Any]]:
    return [_allow("ReadTheRegistry", READS, "*"), *registering([_VERSIONS, _GROUPS])]


def registering(on: Any) -> list[dict[str, Any]]:
    """Return the statements of who registers versions, and works on them up to Development, in the groups named."""
    return [
        _allow("RegisterVersions", _WRITES, on),
        *_bounds(),
        _deny("LeaveTheRegistryItself", _OVER_THE_REGISTRY),
    ]


def _engineer() -> list[dict[str, Any]]:
    role = {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/${ExecutionRoles}"}
    return [
        _allow("ReadTheRegistry", READS, "*"),
        *operating([{"Fn::Sub": f"{_HERE}:{name}/${{EndpointPrefix}}"} for name in ENDPOINT_KINDS]),
        handing_over(role),
        leaving_alone(),
    ]


def operating(on: Any) -> list[dict[str, Any]]:
    """Return the statements of who operates the endpoints, configurations and models named."""
    return [
        _allow(
            "OperateEndpoints",
            [
                f"sagemaker:{verb}{noun}"
                for verb in ("Create", "Delete", "Describe")
                for noun in ("Endpoint", "EndpointConfig", "Model")
            ]
            + ["sagemaker:UpdateEndpoint", "sagemaker:UpdateEndpointWeightsAndCapacities", "sagemaker:AddTags"],
            on,
        ),
        _allow(
            "SeeWhatRuns", ["sagemaker:ListEndpoints", "sagemaker:ListEndpointConfigs", "sagemaker:ListModels"], "*"
        ),
    ]


def handing_over(roles: Any) -> dict[str, Any]:
    """Return the statement of who hands the roles named to models, and to nothing else."""
    return {
        **_allow("HandModelsTheirRole", ["iam:PassRole"], roles),
        "Condition": {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
    }


def computing(partition: str, account_id: str, regions: Sequence[str], buckets: Sequence[str]) -> list[dict[str, Any]]:
    """Return the statements of what jobs and models run as: data and artifacts, images, logs and metrics of their own.

    Images of SageMaker's algorithms lie in registries of AWS's own accounts. Source: SageMaker Developer Guide, "How to
    use SageMaker AI execution roles", CreateTrainingJob and CreateModel.
    """
    found = []
    if buckets:
        named = [f"arn:{partition}:s3:::{bucket}" for bucket in buckets]
        found += [
            _allow("FindArtifacts", ["s3:GetBucketLocation", "s3:ListBucket"], named),
            _allow(
                "ReadAndWriteArtifacts",
                ["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"],
                [f"{one}/*" for one in named],
            ),
        ]
    log_groups = [f"arn:{partition}:logs:{region}:{account_id}:log-group:/aws/sagemaker/*" for region in regions]
    return [
        *found,
        # Neither a token of ECR nor a metric has a resource.
        _allow("SignInToImages", ["ecr:GetAuthorizationToken"], "*"),
        _allow(
            "PullImages",
            ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
            [f"arn:{partition}:ecr:{region}:*:repository/*" for region in regions],
        ),
        _allow(
            "WriteLogs",
            ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
            log_groups,
        ),
        {
            **_allow("WriteMetrics", ["cloudwatch:PutMetricData"], "*"),
            "Condition": {"StringLike": {"cloudwatch:namespace": ["/aws/sagemaker/*", "aws/sagemaker/*"]}},
        },
        leaving_alone(),
    ]


def leaving_alone() -> dict[str, Any]:
    """Return the refusal of every change of the registry."""
    return _deny("LeaveVersionsAlone", [*_WRITES, *_OVER_THE_REGISTRY])


def _officer() -> list[dict[str, Any]]:
    return [
        _allow("ReadTheRegistry", READS, "*"),
        *watching(),
        leaving_alone(),
    ]


def watching(on: Any = "*") -> list[dict[str, Any]]:
    """Return the statements of who sees what runs, of the endpoints, configurations and models named."""
    described = ["sagemaker:DescribeEndpoint", "sagemaker:DescribeEndpointConfig", "sagemaker:DescribeModel"]
    lists = ["sagemaker:ListEndpoints", "sagemaker:ListModels"]
    if on == "*":
        return [_allow("SeeWhatRuns", [*described, *lists], on)]
    return [_allow("ListWhatRuns", lists, "*"), _allow("SeeWhatRuns", described, on)]


def reading(on: Any) -> list[dict[str, Any]]:
    """Return the statements of who reads the groups and versions named; to list groups, SageMaker knows no resource."""
    lists = [f"sagemaker:{action}" for action in ("ListModelPackageGroups", "Search")]
    found = [_allow("ListTheRegistry", lists, "*")]
    described = [action for action in READS if action not in lists]
    return [*found, _allow("ReadTheRegistry", described, on)] if on else found


def _bounds() -> list[dict[str, Any]]:
    """Return the refusals that leave approval and every stage beyond Development to the portal."""
    return [
        _only("ApprovalIsThePortals", APPROVAL, [_PENDING]),
        _only("StagesBeyondAreThePortals", STAGE, OPEN_STAGES),
        _only("VerdictsAreThePortals", STAGE_STATUS, OPEN_STATUSES),
    ]


def _only(sid: str, key: str, values: list[str]) -> dict[str, Any]:
    condition = {"Null": {key: "false"}, "StringNotEquals": {key: values}}
    return {**_deny(sid, _WRITES), "Condition": condition}


def _and(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    assert not set(one) & set(other), "two conditions under one operator would have to be merged"
    return {**one, **other}


def _allow(sid: str, actions: Sequence[str], resource: Any) -> dict[str, Any]:
    return {"Sid": sid, "Effect": "Allow", "Action": sorted(actions), "Resource": resource}


def _deny(sid: str, actions: list[str]) -> dict[str, Any]:
    return {"Sid": sid, "Effect": "Deny", "Action": sorted(actions), "Resource": "*"}
