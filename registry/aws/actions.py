"""Say which IAM actions the gateway's calls need, what for, in which account and on which resources.

One table: the CloudFormation roles of deploy/ are generated from it, the permission preflight asks for what is in
it, and a test compares it with the gateway's own source, so that a call without an entry here fails.
Source: the service authorization reference of each service; where it names no resource type, the resource is "*".
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum


class Need(Enum):
    """What an action is needed for, in plain words."""

    SYNC = "read the registry"
    CARDS = "read model cards"
    CARD_WRITES = "write and export model cards"
    CARD_EXPORTS = "keep the PDFs of model cards"
    WRITE_BACK = "write decisions back"
    REGISTER = "register versions and create groups"
    COPY_OUT = "read artifacts and evidence"
    COPY_IN = "keep copies of artifacts"
    SHARE = "share model groups"
    ACCEPT = "see and accept shares"
    EVENTS = "hear of changes at once"
    EVENT_SETUP = "set up the event queue and rule"
    TRAINING = "read how models were trained"
    ORDER = "order deployments"
    PIPELINES = "start pipelines and answer their callback steps"
    PIPELINE_RUNS = "read the pipeline runs that versions come from"
    LINEAGE = "read where versions come from"
    CHECK = "check its own permissions"
    MONITORS = "read what Model Monitor finds"
    ENDPOINTS = "see what serves requests"
    ENDPOINT_METRICS = "read what CloudWatch counts of endpoints"
    PERSONAS = "compare the roles of people with their personas"


class When(Enum):
    """In which accounts of a role an action is needed; the value is the condition's name in the templates."""

    ALWAYS = ""
    OWNS_GROUPS = "OwnsGroups"
    HAS_BUCKETS = "HasBuckets"
    HAS_QUEUE = "HasQueue"
    ORDERS_EVENTS = "OrdersByEvents"
    ORDERS_PIPELINES = "OrdersByPipelines"
    ANSWERS_CALLBACKS = "AnswersCallbacks"
    SETS_UP_EVENTS = "SetsUpEvents"
    COPIES_IN_S3 = "CopiesInsideS3"
    HAS_KEYS = "HasKeys"


class On(Enum):
    """What an action is allowed on; the value is the ARN with CloudFormation's names in it."""

    ANYTHING = "*"
    GROUPS = "arn:${AWS::Partition}:sagemaker:*:${AWS::AccountId}:model-package-group/${ModelPackageGroups}"
    VERSIONS = "arn:${AWS::Partition}:sagemaker:*:${AWS::AccountId}:model-package/${ModelPackages}"
    CARDS = "arn:${AWS::Partition}:sagemaker:*:${AWS::AccountId}:model-card/*"
    # What other accounts share is read under their ARN.
    ANY_GROUPS = "arn:${AWS::Partition}:sagemaker:*:*:model-package-group/${ModelPackageGroups}"
    ANY_VERSIONS = "arn:${AWS::Partition}:sagemaker:*:*:model-package/${ModelPackages}"
    PIPELINES = "arn:${AWS::Partition}:sagemaker:*:${AWS::AccountId}:pipeline/${DeploymentPipelines}"
    EXECUTIONS = "arn:${AWS::Partition}:sagemaker:*:${AWS::AccountId}:pipeline/${DeploymentPipelines}/execution/*"
    # Whatever pipeline a version comes from, not those of deployments alone.
    ANY_PIPELINES = "arn:${AWS::Partition}:sagemaker:*:${AWS::AccountId}:pipeline/*"
    ANY_EXECUTIONS = "arn:${AWS::Partition}:sagemaker:*:${AWS::AccountId}:pipeline/*/execution/*"
    ENDPOINTS = "arn:${AWS::Partition}:sagemaker:*:${AWS::AccountId}:endpoint/*"
    ENDPOINT_CONFIGS = "arn:${AWS::Partition}:sagemaker:*:${AWS::AccountId}:endpoint-config/*"
    INFERENCE_COMPONENTS = "arn:${AWS::Partition}:sagemaker:*:${AWS::AccountId}:inference-component/*"
    MODELS = "arn:${AWS::Partition}:sagemaker:*:${AWS::AccountId}:model/*"
    TRAINING_JOBS = "arn:${AWS::Partition}:sagemaker:*:${AWS::AccountId}:training-job/*"
    AUTOML_JOBS = "arn:${AWS::Partition}:sagemaker:*:${AWS::AccountId}:automl-job/*"
    LABELING_JOBS = "arn:${AWS::Partition}:sagemaker:*:${AWS::AccountId}:labeling-job/*"
    # The public hub belongs to the account "aws", and another account can share its own.
    ANY_HUB = "arn:${AWS::Partition}:sagemaker:*:*:hub/*"
    ANY_HUB_CONTENT = "arn:${AWS::Partition}:sagemaker:*:*:hub-content/*"
    ARTIFACTS = "arn:${AWS::Partition}:sagemaker:*:*:artifact/*"
    ACTIONS = "arn:${AWS::Partition}:sagemaker:*:*:action/*"
    CONTEXTS = "arn:${AWS::Partition}:sagemaker:*:*:context/*"
    SHARES = "arn:${AWS::Partition}:ram:*:${AWS::AccountId}:resource-share/*"
    PERMISSIONS = "arn:${AWS::Partition}:ram:*:${AWS::AccountId}:permission/*"
    MONITORS = "arn:${AWS::Partition}:sagemaker:*:${AWS::AccountId}:monitoring-schedule/*"
    MONITOR_DEFINITIONS = "arn:${AWS::Partition}:sagemaker:*:${AWS::AccountId}:*-job-definition/*"
    MONITOR_JOBS = "arn:${AWS::Partition}:sagemaker:*:${AWS::AccountId}:processing-job/*"
    INVITATIONS = "arn:${AWS::Partition}:ram:*:*:resource-share-invitation/*"
    QUEUE = "arn:${AWS::Partition}:sqs:*:${AWS::AccountId}:${EventQueue}"
    CALLBACKS = "arn:${AWS::Partition}:sqs:*:${AWS::AccountId}:${CallbackQueues}"
    DEAD_LETTERS = "arn:${AWS::Partition}:sqs:*:${AWS::AccountId}:${EventQueue}-dead-letters"
    QUEUES = "arn:${AWS::Partition}:sqs:*:${AWS::AccountId}:${EventQueue}*"
    RULES = "arn:${AWS::Partition}:events:*:${AWS::AccountId}:rule/${EventRule}"
    BUS = "arn:${AWS::Partition}:events:*:${AWS::AccountId}:event-bus/${DeploymentBus}"
    BUCKETS = "buckets"
    OBJECTS = "objects"
    SOURCES = "sources"
    # Where SageMaker writes the PDFs of cards, in any bucket of the account.
    CARD_EXPORTS = "card exports"
    KEYS = "keys"
    ANY_ROLE = "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/*"
    # Also AWS's own, whose account is "aws".
    ANY_POLICY = "arn:${AWS::Partition}:iam::*:policy/*"
    ITSELF = "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/${RoleName}"


@dataclass(frozen=True)
class Grant:
    """One IAM action: what for, on what, and when the hub's role and a spoke's role have it (None: never)."""

    action: str
    need: Need
    on: On
    hub: When | None = None
    spoke: When | None = None


def _both(action: str, need: Need, on: On = On.ANYTHING, when: When = When.ALWAYS) -> Grant:
    return Grant(action, need, on, when, when)


def _owner(action: str, need: Need, on: On) -> Grant:
    return Grant(action, need, on, When.ALWAYS, When.OWNS_GROUPS)


def _hub(action: str, need: Need, on: On = On.ANYTHING, when: When = When.ALWAYS) -> Grant:
    return Grant(action, need, on, when, None)


def _spoke(action: str, need: Need, on: On, when: When) -> Grant:
    return Grant(action, need, on, None, when)


# Data under a customer's key is read and written in the caller's name.
_DECRYPT = (_both("kms:Decrypt", Need.COPY_OUT, On.KEYS, When.HAS_KEYS),)
_READ_OBJECT = (
    _both("s3:GetObject", Need.COPY_OUT, On.OBJECTS, When.HAS_BUCKETS),
    _both("s3:GetObjectVersion", Need.COPY_OUT, On.OBJECTS, When.HAS_BUCKETS),
)
_WRITE_OBJECT = (
    _hub("s3:PutObject", Need.COPY_IN, On.OBJECTS, When.HAS_BUCKETS),
    _hub("kms:GenerateDataKey", Need.COPY_IN, On.KEYS, When.HAS_KEYS),
    *_DECRYPT,
)
_LIST_BUCKET = (_both("s3:ListBucket", Need.COPY_OUT, On.BUCKETS, When.HAS_BUCKETS),)
# RAM writes the share into the group's resource policy, in the caller's name.
_SHARED_GROUP = (
    _hub("sagemaker:GetModelPackageGroupPolicy", Need.SHARE, On.GROUPS),
    _hub("sagemaker:PutModelPackageGroupPolicy", Need.SHARE, On.GROUPS),
    _hub("sagemaker:DeleteModelPackageGroupPolicy", Need.SHARE, On.GROUPS),
)

# What the gateway calls ("service:Operation", botocore's names) and the actions AWS asks for.
OPERATIONS: Mapping[str, tuple[Grant, ...]] = {
    # Needs no permission and cannot be denied.
    "sts:GetCallerIdentity": (),
    "iam:SimulatePrincipalPolicy": (_both("iam:SimulatePrincipalPolicy", Need.CHECK, On.ITSELF),),
    "sagemaker:ListModelPackageGroups": (_both("sagemaker:ListModelPackageGroups", Need.SYNC),),
    "sagemaker:ListModelPackages": (_both("sagemaker:ListModelPackages", Need.SYNC),),
    "sagemaker:Search": (_both("sagemaker:Search", Need.SYNC),),
    "sagemaker:DescribeModelPackageGroup": (_both("sagemaker:DescribeModelPackageGroup", Need.SYNC, On.ANY_GROUPS),),
    # A model card can lie under a customer's key.
    "sagemaker:DescribeModelPackage": (
        _both("sagemaker:DescribeModelPackage", Need.SYNC, On.ANY_VERSIONS),
        *_DECRYPT,
    ),
    "sagemaker:UpdateModelPackage": (_owner("sagemaker:UpdateModelPackage", Need.WRITE_BACK, On.VERSIONS),),
    "sagemaker:CreateModelPackage": (
        _hub("sagemaker:CreateModelPackage", Need.REGISTER, On.VERSIONS),
        _hub("sagemaker:CreateModelPackage", Need.REGISTER, On.GROUPS),
    ),
    "sagemaker:CreateModelPackageGroup": (
        _hub("sagemaker:CreateModelPackageGroup", Need.REGISTER, On.GROUPS),
        _hub("sagemaker:AddTags", Need.REGISTER, On.GROUPS),
    ),
    "sagemaker:ListTags": (_hub("sagemaker:ListTags", Need.REGISTER, On.GROUPS),),
    "sagemaker:GetModelPackageGroupPolicy": _SHARED_GROUP[:1],
    "sagemaker:PutModelPackageGroupPolicy": _SHARED_GROUP[1:2],
    # Lists name no resource type. A card can lie under a customer's key.
    "sagemaker:ListModelCards": (_both("sagemaker:ListModelCards", Need.CARDS),),
    "sagemaker:ListModelCardVersions": (_both("sagemaker:ListModelCardVersions", Need.CARDS, On.CARDS),),
    "sagemaker:DescribeModelCard": (_both("sagemaker:DescribeModelCard", Need.CARDS, On.CARDS), *_DECRYPT),
    "sagemaker:CreateModelCard": (_both("sagemaker:CreateModelCard", Need.CARD_WRITES, On.CARDS),),
    "sagemaker:UpdateModelCard": (_both("sagemaker:UpdateModelCard", Need.CARD_WRITES, On.CARDS),),
    # SageMaker writes the PDF in the name of who ordered it.
    "sagemaker:CreateModelCardExportJob": (
        _both("sagemaker:CreateModelCardExportJob", Need.CARD_WRITES, On.CARDS),
        # A hub may write there anyway, for its copies.
        _spoke("s3:PutObject", Need.CARD_EXPORTS, On.CARD_EXPORTS, When.HAS_BUCKETS),
        _spoke("kms:GenerateDataKey", Need.CARD_EXPORTS, On.KEYS, When.HAS_KEYS),
    ),
    "sagemaker:DescribeModelCardExportJob": (
        _both("sagemaker:DescribeModelCardExportJob", Need.CARD_WRITES, On.CARDS),
    ),
    "ram:GetResourceShares": (_both("ram:GetResourceShares", Need.ACCEPT),),
    "ram:GetResourceShareInvitations": (_both("ram:GetResourceShareInvitations", Need.ACCEPT),),
    "ram:AcceptResourceShareInvitation": (_both("ram:AcceptResourceShareInvitation", Need.ACCEPT, On.INVITATIONS),),
    "ram:GetResourceShareAssociations": (_hub("ram:GetResourceShareAssociations", Need.SHARE),),
    "ram:ListPermissions": (_hub("ram:ListPermissions", Need.SHARE),),
    "ram:ListResourceSharePermissions": (_hub("ram:ListResourceSharePermissions", Need.SHARE, On.SHARES),),
    "ram:GetPermission": (_hub("ram:GetPermission", Need.SHARE),),
    "ram:ListPermissionVersions": (_hub("ram:ListPermissionVersions", Need.SHARE),),
    "ram:CreatePermission": (_hub("ram:CreatePermission", Need.SHARE),),
    "ram:CreatePermissionVersion": (_hub("ram:CreatePermissionVersion", Need.SHARE, On.PERMISSIONS),),
    "ram:DeletePermission": (_hub("ram:DeletePermission", Need.SHARE, On.PERMISSIONS),),
    "ram:DeletePermissionVersion": (_hub("ram:DeletePermissionVersion", Need.SHARE, On.PERMISSIONS),),
    # The share does not exist yet, so it has no ARN to name.
    # RAM tags it as it makes it, and asks for the right to.
    "ram:CreateResourceShare": (
        _hub("ram:CreateResourceShare", Need.SHARE),
        _hub("ram:TagResource", Need.SHARE, On.SHARES),
        *_SHARED_GROUP,
    ),
    "ram:UpdateResourceShare": (_hub("ram:UpdateResourceShare", Need.SHARE, On.SHARES),),
    "ram:AssociateResourceShare": (_hub("ram:AssociateResourceShare", Need.SHARE, On.SHARES), *_SHARED_GROUP),
    "ram:DisassociateResourceShare": (_hub("ram:DisassociateResourceShare", Need.SHARE, On.SHARES), *_SHARED_GROUP),
    "ram:AssociateResourceSharePermission": (
        _hub("ram:AssociateResourceSharePermission", Need.SHARE, On.SHARES),
        *_SHARED_GROUP,
    ),
    "ram:DeleteResourceShare": (_hub("ram:DeleteResourceShare", Need.SHARE, On.SHARES), *_SHARED_GROUP),
    # Without ListBucket S3 answers "forbidden" where the truth is "there is none".
    "s3:HeadObject": (*_READ_OBJECT, *_LIST_BUCKET),
    "s3:HeadBucket": _LIST_BUCKET,
    "s3:ListObjectsV2": _LIST_BUCKET,
    "s3:GetObject": (*_READ_OBJECT, *_DECRYPT),
    "s3:PutObject": _WRITE_OBJECT,
    "s3:CreateMultipartUpload": _WRITE_OBJECT,
    "s3:UploadPart": _WRITE_OBJECT,
    # S3 reads the source in the name of who writes the copy; without this right the bytes go through the portal.
    "s3:UploadPartCopy": (
        *_WRITE_OBJECT,
        _hub("s3:GetObject", Need.COPY_IN, On.SOURCES, When.COPIES_IN_S3),
        _hub("s3:GetObjectVersion", Need.COPY_IN, On.SOURCES, When.COPIES_IN_S3),
    ),
    "s3:ListParts": (_hub("s3:ListMultipartUploadParts", Need.COPY_IN, On.OBJECTS, When.HAS_BUCKETS),),
    "s3:ListMultipartUploads": (_hub("s3:ListBucketMultipartUploads", Need.COPY_IN, On.BUCKETS, When.HAS_BUCKETS),),
    "s3:CompleteMultipartUpload": _WRITE_OBJECT,
    "s3:AbortMultipartUpload": (_hub("s3:AbortMultipartUpload", Need.COPY_IN, On.OBJECTS, When.HAS_BUCKETS),),
    # Only the copy that turned out to differ, named by the version it was written as.
    "s3:DeleteObject": (
        _hub("s3:DeleteObject", Need.COPY_IN, On.OBJECTS, When.HAS_BUCKETS),
        _hub("s3:DeleteObjectVersion", Need.COPY_IN, On.OBJECTS, When.HAS_BUCKETS),
    ),
    # Also of the queue that holds the dead letters, whose name `ensure_queue_and_rule` chooses.
    "sqs:ReceiveMessage": (
        _both("sqs:ReceiveMessage", Need.EVENTS, On.QUEUE, When.HAS_QUEUE),
        _both("sqs:ReceiveMessage", Need.EVENTS, On.DEAD_LETTERS, When.HAS_QUEUE),
        _both("sqs:ReceiveMessage", Need.PIPELINES, On.CALLBACKS, When.ANSWERS_CALLBACKS),
    ),
    "sqs:DeleteMessage": (_both("sqs:DeleteMessage", Need.PIPELINES, On.CALLBACKS, When.ANSWERS_CALLBACKS),),
    "sqs:DeleteMessageBatch": (
        _both("sqs:DeleteMessage", Need.EVENTS, On.QUEUE, When.HAS_QUEUE),
        _both("sqs:DeleteMessage", Need.EVENTS, On.DEAD_LETTERS, When.HAS_QUEUE),
    ),
    "sqs:GetQueueUrl": (
        _both("sqs:GetQueueUrl", Need.EVENTS, On.DEAD_LETTERS, When.HAS_QUEUE),
        _both("sqs:GetQueueUrl", Need.EVENT_SETUP, On.QUEUES, When.SETS_UP_EVENTS),
    ),
    "sqs:GetQueueAttributes": (
        _both("sqs:GetQueueAttributes", Need.EVENTS, On.QUEUE, When.HAS_QUEUE),
        _both("sqs:GetQueueAttributes", Need.EVENTS, On.DEAD_LETTERS, When.HAS_QUEUE),
        # How many steps wait, when a channel is tried.
        _both("sqs:GetQueueAttributes", Need.PIPELINES, On.CALLBACKS, When.ANSWERS_CALLBACKS),
        _both("sqs:GetQueueAttributes", Need.EVENT_SETUP, On.QUEUES, When.SETS_UP_EVENTS),
    ),
    "sqs:CreateQueue": (_both("sqs:CreateQueue", Need.EVENT_SETUP, On.QUEUES, When.SETS_UP_EVENTS),),
    "sqs:SetQueueAttributes": (_both("sqs:SetQueueAttributes", Need.EVENT_SETUP, On.QUEUES, When.SETS_UP_EVENTS),),
    "events:PutRule": (_both("events:PutRule", Need.EVENT_SETUP, On.RULES, When.SETS_UP_EVENTS),),
    "events:PutTargets": (_both("events:PutTargets", Need.EVENT_SETUP, On.RULES, When.SETS_UP_EVENTS),),
    "sagemaker:ListArtifacts": (_both("sagemaker:ListArtifacts", Need.LINEAGE),),
    # Lineage may lead to entities that another account shares.
    "sagemaker:QueryLineage": (_both("sagemaker:QueryLineage", Need.LINEAGE),),
    "sagemaker:DescribeArtifact": (_both("sagemaker:DescribeArtifact", Need.LINEAGE, On.ARTIFACTS),),
    "sagemaker:DescribeAction": (_both("sagemaker:DescribeAction", Need.LINEAGE, On.ACTIONS),),
    "sagemaker:DescribeContext": (_both("sagemaker:DescribeContext", Need.LINEAGE, On.CONTEXTS),),
    "sagemaker:DescribePipeline": (
        _both("sagemaker:DescribePipeline", Need.PIPELINES, On.PIPELINES, When.ORDERS_PIPELINES),
    ),
    "sagemaker:StartPipelineExecution": (
        _both("sagemaker:StartPipelineExecution", Need.PIPELINES, On.PIPELINES, When.ORDERS_PIPELINES),
    ),
    "sagemaker:ListPipelines": (_both("sagemaker:ListPipelines", Need.PIPELINE_RUNS),),
    "sagemaker:DescribePipelineExecution": (
        _both("sagemaker:DescribePipelineExecution", Need.PIPELINE_RUNS, On.ANY_EXECUTIONS),
    ),
    "sagemaker:ListPipelineExecutions": (
        _both("sagemaker:ListPipelineExecutions", Need.PIPELINES, On.PIPELINES, When.ORDERS_PIPELINES),
        _both("sagemaker:ListPipelineExecutions", Need.PIPELINE_RUNS, On.ANY_PIPELINES),
    ),
    "sagemaker:ListPipelineExecutionSteps": (
        _both("sagemaker:ListPipelineExecutionSteps", Need.PIPELINES, On.EXECUTIONS, When.ORDERS_PIPELINES),
        _both("sagemaker:ListPipelineExecutionSteps", Need.PIPELINE_RUNS, On.ANY_EXECUTIONS),
    ),
    "sagemaker:SendPipelineExecutionStepSuccess": (
        _both("sagemaker:SendPipelineExecutionStepSuccess", Need.PIPELINES, On.EXECUTIONS, When.ORDERS_PIPELINES),
    ),
    "sagemaker:SendPipelineExecutionStepFailure": (
        _both("sagemaker:SendPipelineExecutionStepFailure", Need.PIPELINES, On.EXECUTIONS, When.ORDERS_PIPELINES),
    ),
    # Neither takes a resource: CloudWatch knows none for metrics.
    "cloudwatch:ListMetrics": (_both("cloudwatch:ListMetrics", Need.ENDPOINT_METRICS),),
    "cloudwatch:GetMetricData": (_both("cloudwatch:GetMetricData", Need.ENDPOINT_METRICS),),
    "iam:ListRoles": (_both("iam:ListRoles", Need.PERSONAS),),
    "iam:ListRolePolicies": (_both("iam:ListRolePolicies", Need.PERSONAS, On.ANY_ROLE),),
    "iam:GetRolePolicy": (_both("iam:GetRolePolicy", Need.PERSONAS, On.ANY_ROLE),),
    "iam:ListAttachedRolePolicies": (_both("iam:ListAttachedRolePolicies", Need.PERSONAS, On.ANY_ROLE),),
    "iam:GetRole": (_both("iam:GetRole", Need.PERSONAS, On.ANY_ROLE),),
    "iam:GetPolicy": (_both("iam:GetPolicy", Need.PERSONAS, On.ANY_POLICY),),
    "iam:GetPolicyVersion": (_both("iam:GetPolicyVersion", Need.PERSONAS, On.ANY_POLICY),),
    "sagemaker:ListEndpoints": (_both("sagemaker:ListEndpoints", Need.ENDPOINTS),),
    "sagemaker:DescribeEndpoint": (_both("sagemaker:DescribeEndpoint", Need.ENDPOINTS, On.ENDPOINTS),),
    "sagemaker:DescribeEndpointConfig": (
        _both("sagemaker:DescribeEndpointConfig", Need.ENDPOINTS, On.ENDPOINT_CONFIGS),
    ),
    "sagemaker:DescribeModel": (_both("sagemaker:DescribeModel", Need.ENDPOINTS, On.MODELS),),
    "sagemaker:ListInferenceComponents": (_both("sagemaker:ListInferenceComponents", Need.ENDPOINTS),),
    "sagemaker:DescribeInferenceComponent": (
        _both("sagemaker:DescribeInferenceComponent", Need.ENDPOINTS, On.INFERENCE_COMPONENTS),
    ),
    "sagemaker:DescribeTrainingJob": (_both("sagemaker:DescribeTrainingJob", Need.TRAINING, On.TRAINING_JOBS),),
    "sagemaker:DescribeAutoMLJobV2": (_both("sagemaker:DescribeAutoMLJobV2", Need.TRAINING, On.AUTOML_JOBS),),
    "sagemaker:ListLabelingJobs": (_both("sagemaker:ListLabelingJobs", Need.TRAINING),),
    "sagemaker:DescribeLabelingJob": (_both("sagemaker:DescribeLabelingJob", Need.TRAINING, On.LABELING_JOBS),),
    "sagemaker:ListHubs": (_both("sagemaker:ListHubs", Need.TRAINING),),
    "sagemaker:ListHubContents": (_both("sagemaker:ListHubContents", Need.TRAINING, On.ANY_HUB),),
    "sagemaker:DescribeHubContent": (
        _both("sagemaker:DescribeHubContent", Need.TRAINING, On.ANY_HUB),
        _both("sagemaker:DescribeHubContent", Need.TRAINING, On.ANY_HUB_CONTENT),
    ),
    # Lists name no resource type.
    "sagemaker:ListMonitoringSchedules": (_both("sagemaker:ListMonitoringSchedules", Need.MONITORS),),
    "sagemaker:ListMonitoringExecutions": (_both("sagemaker:ListMonitoringExecutions", Need.MONITORS),),
    "sagemaker:ListMonitoringAlerts": (_both("sagemaker:ListMonitoringAlerts", Need.MONITORS),),
    "sagemaker:ListMonitoringAlertHistory": (_both("sagemaker:ListMonitoringAlertHistory", Need.MONITORS),),
    "sagemaker:DescribeMonitoringSchedule": (
        _both("sagemaker:DescribeMonitoringSchedule", Need.MONITORS, On.MONITORS),
    ),
    "sagemaker:DescribeDataQualityJobDefinition": (
        _both("sagemaker:DescribeDataQualityJobDefinition", Need.MONITORS, On.MONITOR_DEFINITIONS),
    ),
    "sagemaker:DescribeModelQualityJobDefinition": (
        _both("sagemaker:DescribeModelQualityJobDefinition", Need.MONITORS, On.MONITOR_DEFINITIONS),
    ),
    "sagemaker:DescribeModelBiasJobDefinition": (
        _both("sagemaker:DescribeModelBiasJobDefinition", Need.MONITORS, On.MONITOR_DEFINITIONS),
    ),
    "sagemaker:DescribeModelExplainabilityJobDefinition": (
        _both("sagemaker:DescribeModelExplainabilityJobDefinition", Need.MONITORS, On.MONITOR_DEFINITIONS),
    ),
    "sagemaker:DescribeProcessingJob": (_both("sagemaker:DescribeProcessingJob", Need.MONITORS, On.MONITOR_JOBS),),
    "events:PutEvents": (_hub("events:PutEvents", Need.ORDER, On.BUS, When.ORDERS_EVENTS),),
}


def needed(*, is_hub: bool, circumstances: Collection[When]) -> list[Grant]:
    """Return what the portal needs in an account, each action and resource once.

    `circumstances` are those that hold for it. What sets up queue and rule is left out unless it is among them: they
    come from a template.
    """
    holding = {When.ALWAYS, *circumstances}
    return [grant for grant in grants() if (grant.hub if is_hub else grant.spoke) in holding]


def grants() -> list[Grant]:
    """Return every entry of the table, each once, in its order."""
    return list(dict.fromkeys(_all(OPERATIONS.values())))


def _all(entries: Iterable[tuple[Grant, ...]]) -> Iterator[Grant]:
    for entry in entries:
        yield from entry
