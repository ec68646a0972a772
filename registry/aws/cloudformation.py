"""Write the CloudFormation templates of the portal's own roles, of the event queue, and of what the portal runs as.

The roles hold exactly the actions of `registry.aws.actions`; who deploys one chooses by parameters which of its
conditional parts apply. `manage.py deploy_templates` writes the files of deploy/.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from registry.aws.actions import Grant, Need, On, When, grants
from registry.aws.cards import EXPORTS
from registry.aws.events import (
    RECEIVES_BEFORE_DEAD_LETTER,
    RETENTION_SECONDS,
    STATE_CHANGE,
    VISIBILITY_SECONDS,
    queue_policy,
)
from registry.aws.session import SESSION_NAME

ROLE_NAME = "ModelGovernancePortal"
QUEUE_NAME = "model-governance-events"
RULE_NAME = "model-governance"

Template = dict[str, Any]


def hub_role() -> Template:
    """Return the template of the role in the account that owns the model groups."""
    return _role("The portal's role in the hub, the account that owns the model groups.", "hub")


def spoke_role() -> Template:
    """Return the template of the role in an account that runs stages."""
    return _role("The portal's role in an account that runs stages.", "spoke")


def portal_runtime() -> Template:
    """Return the template of the policy of what the portal runs as: to assume its role in every account."""
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "What the portal itself runs as may assume its role in each account, and nothing else.",
        "Parameters": {
            "RoleName": _text("The name of the portal's role in every account.", ROLE_NAME),
            "RuntimeRoleName": _text("The role the portal's processes run as; the policy is attached to it."),
        },
        "Resources": {
            "Policy": {
                "Type": "AWS::IAM::ManagedPolicy",
                "Properties": {
                    "Description": "Assume the model governance portal's role in each account.",
                    "Roles": [{"Ref": "RuntimeRoleName"}],
                    "PolicyDocument": {
                        "Version": "2012-10-17",
                        "Statement": [
                            {
                                "Sid": "AssumeItsRoles",
                                "Effect": "Allow",
                                "Action": ["sts:AssumeRole", "sts:SetSourceIdentity"],
                                "Resource": {"Fn::Sub": "arn:${AWS::Partition}:iam::*:role/${RoleName}"},
                                "Condition": {"StringEquals": {"sts:SourceIdentity": SESSION_NAME}},
                            }
                        ],
                    },
                },
            }
        },
        "Outputs": {"PolicyArn": {"Description": "The policy.", "Value": {"Ref": "Policy"}}},
    }


def event_queue() -> Template:
    """Return the template of queue, dead letters, rule and policy, as `events.ensure_queue_and_rule` makes them."""
    rule_arn = {"Fn::Sub": "arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:rule/${RuleName}"}
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "Model version changes of this account and region, queued for the portal.",
        "Parameters": {
            "QueueName": _text("The queue the portal reads.", QUEUE_NAME),
            "RuleName": _text("The rule on the default event bus.", RULE_NAME),
        },
        "Resources": {
            "DeadLetters": {
                "Type": "AWS::SQS::Queue",
                "DeletionPolicy": "Retain",
                "UpdateReplacePolicy": "Retain",
                "Properties": {
                    "QueueName": {"Fn::Sub": "${QueueName}-dead-letters"},
                    "MessageRetentionPeriod": RETENTION_SECONDS,
                    "SqsManagedSseEnabled": True,
                },
            },
            "Queue": {
                "Type": "AWS::SQS::Queue",
                "DeletionPolicy": "Retain",
                "UpdateReplacePolicy": "Retain",
                "Properties": {
                    "QueueName": {"Ref": "QueueName"},
                    "MessageRetentionPeriod": RETENTION_SECONDS,
                    "VisibilityTimeout": VISIBILITY_SECONDS,
                    "SqsManagedSseEnabled": True,
                    "RedrivePolicy": {
                        "deadLetterTargetArn": {"Fn::GetAtt": ["DeadLetters", "Arn"]},
                        "maxReceiveCount": RECEIVES_BEFORE_DEAD_LETTER,
                    },
                },
            },
            "QueuePolicy": {
                "Type": "AWS::SQS::QueuePolicy",
                "Properties": {
                    "Queues": [{"Ref": "Queue"}],
                    "PolicyDocument": queue_policy({"Fn::GetAtt": ["Queue", "Arn"]}, rule_arn),
                },
            },
            "Rule": {
                "Type": "AWS::Events::Rule",
                "DependsOn": "QueuePolicy",
                "Properties": {
                    "Name": {"Ref": "RuleName"},
                    "Description": "Model version changes, for the model governance portal",
                    "State": "ENABLED",
                    "EventPattern": {"source": ["aws.sagemaker"], "detail-type": [STATE_CHANGE]},
                    "Targets": [{"Id": "registry-queue", "Arn": {"Fn::GetAtt": ["Queue", "Arn"]}}],
                },
            },
        },
        "Outputs": {
            "QueueUrl": {"Description": "Enter this as the account's event queue URL.", "Value": {"Ref": "Queue"}},
            "DeadLettersUrl": {"Description": "What the portal could not take in.", "Value": {"Ref": "DeadLetters"}},
        },
    }


def _role(description: str, kind: str) -> Template:
    statements = _statements(kind)
    chosen = {statement["Fn::If"][0] for statement in statements if "Fn::If" in statement}
    conditions = {name: condition for name, condition in _CONDITIONS.items() if name in chosen}
    said = json.dumps([statements, conditions, _trust()])
    parameters = {
        name: parameter
        for name, parameter in _PARAMETERS.items()
        if name == "RoleName" or f"${{{name}}}" in said or f'{{"Ref": "{name}"}}' in said
    }
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": description,
        "Parameters": parameters,
        "Conditions": conditions,
        "Resources": {
            "Role": {
                "Type": "AWS::IAM::Role",
                "Properties": {
                    "RoleName": {"Ref": "RoleName"},
                    "Description": description,
                    "MaxSessionDuration": 3600,
                    "AssumeRolePolicyDocument": _trust(),
                    "Policies": [
                        {
                            "PolicyName": "model-governance-portal",
                            "PolicyDocument": {"Version": "2012-10-17", "Statement": statements},
                        }
                    ],
                },
            }
        },
        "Outputs": {"RoleArn": {"Description": "Enter this in the portal.", "Value": {"Fn::GetAtt": ["Role", "Arn"]}}},
    }


def _trust() -> dict[str, Any]:
    principal = {"AWS": {"Ref": "PortalPrincipalArn"}}
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "ThePortalByName",
                "Effect": "Allow",
                "Principal": principal,
                "Action": "sts:AssumeRole",
                "Condition": {
                    "StringEquals": {
                        "sts:ExternalId": {"Ref": "ExternalId"},
                        "sts:RoleSessionName": SESSION_NAME,
                        "sts:SourceIdentity": SESSION_NAME,
                    }
                },
            },
            {
                "Sid": "UnderItsOwnName",
                "Effect": "Allow",
                "Principal": principal,
                "Action": "sts:SetSourceIdentity",
                "Condition": {"StringEquals": {"sts:SourceIdentity": SESSION_NAME}},
            },
        ],
    }


def _statements(kind: str) -> list[dict[str, Any]]:
    together: dict[tuple[str, On | None, When], list[Grant]] = defaultdict(list)
    for grant in grants():
        when: When | None = getattr(grant, kind)
        if when is not None:
            apart = grant.on is On.ANYTHING or grant.need not in _READ_ALIKE
            together[grant.need.name, grant.on if apart else None, when].append(grant)
    found: list[dict[str, Any]] = []
    for (need, on, when), group in together.items():
        name = "resources" if on is None else on.name
        places = list(dict.fromkeys(grant.on for grant in group))
        statement: dict[str, Any] = {
            "Sid": "".join(word.title() for word in f"{need}_{name}_{when.name}".replace("_ALWAYS", "").split("_")),
            "Effect": "Allow",
            "Action": sorted({grant.action for grant in group}),
            "Resource": _resource(places[0]) if len(places) == 1 else [_resource(place) for place in places],
        }
        found.append(statement if when is When.ALWAYS else {"Fn::If": [when.value, statement, {"Ref": "AWS::NoValue"}]})
    return found


def _resource(on: On) -> Any:
    return _RESOURCES.get(on) or (on.value if on is On.ANYTHING else {"Fn::Sub": on.value})


def _text(description: str, default: str | None = None, **more: Any) -> dict[str, Any]:
    given = {} if default is None else {"Default": default}
    return {"Type": "String", "Description": description, **given, **more}


def _yes_or_no(description: str) -> dict[str, Any]:
    return _text(description, "false", AllowedValues=["true", "false"])


def _list(description: str) -> dict[str, Any]:
    return {"Type": "CommaDelimitedList", "Description": description, "Default": ""}


def _given(parameter: str) -> dict[str, Any]:
    return {"Fn::Not": [{"Fn::Equals": [{"Ref": parameter}, ""]}]}


def _any(parameter: str) -> dict[str, Any]:
    return {"Fn::Not": [{"Fn::Equals": [{"Fn::Join": ["", {"Ref": parameter}]}, ""]}]}


def _objects(parameter: str, prefix: str = "") -> dict[str, Any]:
    """Return the ARNs of every object in the buckets a parameter lists, or of those under a prefix."""
    some = f"/{prefix}*"
    return {
        "Fn::Split": [",", {"Fn::Sub": [f"${{Arns}}{some}", {"Arns": {"Fn::Join": [f"{some},", {"Ref": parameter}]}}]}]
    }


# What only reads, each action on a kind of resource of its own: one statement a need says the same in fewer words, and
# the policies inside a role may have 10,240 characters together.
_READ_ALIKE = frozenset({Need.TRAINING, Need.LINEAGE, Need.MONITORS, Need.ENDPOINTS, Need.PERSONAS})
_RESOURCES: Mapping[On, Any] = {
    On.BUCKETS: {"Ref": "ArtifactBucketArns"},
    On.OBJECTS: _objects("ArtifactBucketArns"),
    On.SOURCES: _objects("SourceBucketArns"),
    On.CARD_EXPORTS: _objects("ArtifactBucketArns", EXPORTS),
    On.KEYS: {"Ref": "KeyArns"},
}

_PARAMETERS: Mapping[str, dict[str, Any]] = {
    "RoleName": _text("The name of the portal's role, the same in every account.", ROLE_NAME),
    "PortalPrincipalArn": _text(
        "The ARN of the role the portal's processes run as.",
        AllowedPattern=r"arn:aws[a-z-]*:iam::\d{12}:(role|user)/[\w+=,.@/-]+",
    ),
    "ExternalId": _text(
        "A long random word for this account; the portal is told the same one.",
        NoEcho=True,
        MinLength=16,
        MaxLength=1224,
        AllowedPattern=r"[\w+=,.@:/-]+",
    ),
    "ModelPackageGroups": _text("Names of model package groups, * for all.", "*"),
    "ModelPackages": _text(
        "Versions by the group's name, in lower case as SageMaker writes it in their ARN, * for all.", "*"
    ),
    "OwnsModelGroups": _yes_or_no("Whether model package groups of its own are governed here."),
    "ArtifactBucketArns": _list("ARNs of this account's buckets that hold artifacts or evidence; empty for none."),
    "SourceBucketArns": _list(
        "ARNs of other accounts' buckets from which large artifacts are copied inside S3; empty for none."
    ),
    "KeyArns": _list("ARNs of the customer's KMS keys for model cards, artifacts and copies; empty for none."),
    "EventQueue": _text("The name of the queue of events.yaml; empty while there is none.", QUEUE_NAME),
    "EventRule": _text("The name of the rule of events.yaml.", RULE_NAME),
    "PortalSetsUpEvents": _yes_or_no("Whether the portal may make queue and rule itself, instead of events.yaml."),
    "DeploymentBus": _text("The name of the event bus that takes deployment orders; empty for none.", "default"),
    "DeploymentPipelines": _text("Names of the pipelines that deploy, deploy-* for some; empty for none.", ""),
    "CallbackQueues": _text("Names of the queues of pipelines' callback steps; empty for none.", ""),
}

_CONDITIONS: Mapping[str, dict[str, Any]] = {
    When.OWNS_GROUPS.value: {"Fn::Equals": [{"Ref": "OwnsModelGroups"}, "true"]},
    When.HAS_BUCKETS.value: _any("ArtifactBucketArns"),
    When.COPIES_IN_S3.value: _any("SourceBucketArns"),
    When.HAS_KEYS.value: _any("KeyArns"),
    When.HAS_QUEUE.value: _given("EventQueue"),
    When.SETS_UP_EVENTS.value: {"Fn::Equals": [{"Ref": "PortalSetsUpEvents"}, "true"]},
    When.ORDERS_EVENTS.value: _given("DeploymentBus"),
    When.ORDERS_PIPELINES.value: _given("DeploymentPipelines"),
    When.ANSWERS_CALLBACKS.value: _given("CallbackQueues"),
}
