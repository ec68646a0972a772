"""Hold a session to the policies of its role before an operation is performed."""

from __future__ import annotations

import re
from typing import Any

from .iam.models import iam_of
from .identify import Call
from .install import backends
from .policies import ALLOWED, DENIED
from .sagemaker.models import registry

# S3's actions are not named after its operations.
_S3 = {
    "HeadObject": "GetObject",
    "ListObjects": "ListBucket",
    "HeadBucket": "ListBucket",
    "ListBuckets": "ListAllMyBuckets",
    "DeleteObjects": "DeleteObject",
    "CreateMultipartUpload": "PutObject",
    "UploadPart": "PutObject",
    "UploadPartCopy": "PutObject",
    "CompleteMultipartUpload": "PutObject",
    "ListParts": "ListMultipartUploadParts",
    "ListMultipartUploads": "ListBucketMultipartUploads",
}
# Whoever names a version of an object needs another right than for the newest one.
_OF_VERSIONS = {"GetObject": "GetObjectVersion", "DeleteObject": "DeleteObjectVersion"}
_BATCHES = {"SendMessageBatch", "DeleteMessageBatch", "ChangeMessageVisibilityBatch"}
_ALWAYS = ("sts:GetCallerIdentity",)
# What an operation of SageMaker is about, when it is given a name and not an ARN.
_SAGEMAKER = {
    "ModelPackageGroupName": "model-package-group",
    "ModelPackageName": "model-package",
    "ModelName": "model",
    "ModelCardName": "model-card",
    "InferenceComponentName": "inference-component",
    "EndpointName": "endpoint",
    "EndpointConfigName": "endpoint-config",
    "PipelineName": "pipeline",
    "MonitoringScheduleName": "monitoring-schedule",
    "ProcessingJobName": "processing-job",
    "TrainingJobName": "training-job",
    "AutoMLJobName": "automl-job",
    "LabelingJobName": "labeling-job",
    "HubName": "hub",
    "ActionName": "action",
    "ContextName": "context",
}
# Monitoring has four types of them, told apart by the operation alone.
_JOB_DEFINITION = re.compile(r"(?:Create|Describe|Delete)(\w+)JobDefinition")
_ARNS = ("ModelPackageArn", "ModelCardExportJobArn", "ArtifactArn", "ResourceArn", "PipelineExecutionArn")


def action_of(call: Call) -> str:
    """The IAM action of an operation, as ``s3:PutObject``."""
    if call.service == "s3":
        name = _S3.get(call.operation, call.operation)
        return f"s3:{_OF_VERSIONS.get(name, name) if call.parameters.get('VersionId') else name}"
    return f"{call.service}:{call.operation.removesuffix('Batch') if call.operation in _BATCHES else call.operation}"


def _sagemaker(call: Call, base: str) -> list[str]:
    p = call.parameters
    listed = p.get("ModelPackageArnList")
    if isinstance(listed, list) and listed:
        return [str(arn) for arn in listed]
    for name in _ARNS:
        if isinstance(p.get(name), str):
            return [p[name]]
    if isinstance(token := p.get("CallbackToken"), str):
        return [registry(call.account, call.region).execution_with_token(token) or "*"]
    found = []
    if (definition := _JOB_DEFINITION.fullmatch(call.operation)) and isinstance(p.get("JobDefinitionName"), str):
        kind = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", definition[1]).lower()
        found.append(f"{base}:{kind}-job-definition/{p['JobDefinitionName']}")
    for name, kind in _SAGEMAKER.items():
        value = p.get(name)
        if isinstance(value, str):
            found.append(value if value.startswith("arn:") else f"{base}:{kind}/{value}")
    if call.operation == "CreateModelPackage" and found and ":model-package-group/" in found[0]:
        # It makes a version as well as it changes the group, and needs to be allowed both.
        found.append(found[0].replace(":model-package-group/", ":model-package/") + "/*")
    return found or ["*"]


def resources_of(call: Call) -> list[str]:
    """The ARNs an operation is about; "*" alone when it is about none."""
    p: dict[str, Any] = call.parameters
    base = f"arn:aws:{call.service}:{call.region}:{call.account}"
    match call.service:
        case "s3":
            keys = [call.key] if call.key else list(p.get("Keys", []))
            return [f"arn:aws:s3:::{call.bucket}/{k}" for k in keys] or [
                f"arn:aws:s3:::{call.bucket}" if call.bucket else "*"
            ]
        case "sqs" if p.get("QueueUrl"):
            *_, account, name = str(p["QueueUrl"]).split("/")
            return [f"arn:aws:sqs:{call.region}:{account}:{name}"]
        case "sqs" if p.get("QueueName"):
            return [f"arn:aws:sqs:{call.region}:{call.account}:{p['QueueName']}"]
        case "events" if call.operation == "PutEvents":
            entries = p.get("Entries")
            buses = {str(e.get("EventBusName") or "default") for e in entries or [] if isinstance(e, dict)}
            return [b if b.startswith("arn:") else f"{base}:event-bus/{b}" for b in sorted(buses)] or ["*"]
        case "events" if p.get("Rule") or p.get("Name"):
            return [f"{base}:rule/{p.get('Rule') or p['Name']}"]
        case "sts" | "iam":
            named = p.get("RoleArn") or p.get("PolicySourceArn") or p.get("PolicyArn")
            role = p.get("RoleName")
            return [str(named or (f"arn:aws:iam::{call.account}:role/{role}" if role else "*"))]
        case "ram":
            return [
                str(p.get("resourceShareArn") or p.get("resourceShareInvitationArn") or p.get("permissionArn") or "*")
            ]
        case "sagemaker":
            return _sagemaker(call, base)
    return ["*"]


def asked_of(call: Call) -> list[tuple[str, str]]:
    """Every action an operation takes, with the ARN it takes it on; a copy inside S3 reads its source as well."""
    found = [(action_of(call), resource) for resource in resources_of(call)]
    if source := call.parameters.get("CopySource"):
        read = "s3:GetObjectVersion" if call.parameters.get("CopySourceVersionId") else "s3:GetObject"
        found.append((read, f"arn:aws:s3:::{source}"))
    return found


def _context(call: Call, session: Any) -> dict[str, Any]:
    stage = call.parameters.get("ModelLifeCycle")
    stage = stage if isinstance(stage, dict) else {}
    return {
        "aws:PrincipalArn": session.role_arn,
        "aws:PrincipalAccount": call.account,
        "aws:SourceIdentity": getattr(session, "source_identity", None),
        "aws:RequestedRegion": call.region,
        "sagemaker:ModelLifeCycle:stage": stage.get("Stage"),
        "sagemaker:ModelLifeCycle:stageStatus": stage.get("StageStatus"),
        "sagemaker:ModelApprovalStatus": call.parameters.get("ModelApprovalStatus"),
    }


def refusal(call: Call) -> str | None:
    """Why the role behind a call may not make it, in AWS's words; None when it may."""
    if not call.access_key.startswith("ASIA"):
        return None
    session = backends("sts")[call.account]["aws"].get_assumed_role_from_access_key(call.access_key)
    if session is None:
        return None
    iam = iam_of(session.role_arn.split(":")[4])
    role = iam.role_named(session.role_arn)
    if role is None or not iam.documents(role) or action_of(call) in _ALWAYS:
        return None
    for action, resource in asked_of(call):
        said, _ = iam.decision(role, action, resource, _context(call, session))
        if said != ALLOWED:
            why = "with an explicit deny in an identity-based policy"
            if said != DENIED:
                why = f"because no identity-based policy allows the {action} action"
            return f"User: {session.arn} is not authorized to perform: {action} on resource: {resource} {why}"
    return None
