"""Stored names and values of the audit trail in the words people use. Pure."""

from __future__ import annotations

import json
import re
from typing import Any

from portal.core.vocabulary import RiskClass, RiskRating, Stage, Status
from registry.choices import DeclarationState, DeploymentState, DocumentKind

from ..choices import EvidenceKind, EvidenceSource, FindingState, OutboxState, RequestState

_FIELDS = {
    "next_review_on": "next review",
    "risk_class": "risk class",
    "model_owner_id": "model owner",
    "owner_id": "owner",
    "project_id": "project",
    "attributes": "custom attributes",
    "aws_approval_status": "approval status in SageMaker",
    "aws_approval_description": "approval description in SageMaker",
    "aws_stage": "lifecycle stage in SageMaker",
    "aws_stage_status": "lifecycle status in SageMaker",
    "hub_artifact_url": "copy in the hub",
    "hub_artifact_sha256": "SHA-256 of the copy",
    "missing_since": "missing in AWS since",
    "sha256": "SHA-256",
    "s3_uri": "S3 address",
    "s3_version_id": "S3 version id",
    "s3_etag": "S3 ETag",
    "card": "model card",
    "share_arn": "RAM share",
    "permission_arn": "permission",
    "custom_permission_arn": "permission of its own in RAM",
    "custom_name": "name of its own permission",
    "custom_actions": "actions of its own permission",
    "organisation_principals": "organisation or units of it",
    "allows_external": "open to accounts outside of the organisation",
}
_WORDS: dict[str, str] = {
    **{str(state): str(state).replace("_", " ").capitalize() for state in RequestState},
    **{
        str(word): word.label
        for vocabulary in (
            RiskRating,
            RiskClass,
            EvidenceKind,
            EvidenceSource,
            DocumentKind,
            DeclarationState,
            DeploymentState,
            FindingState,
            OutboxState,
            Status,
            Stage,
        )
        for word in vocabulary
    },
    DocumentKind.TRANSPARENCY: "Transparency and explainability",
    DocumentKind.MONITORING: "Monitoring and evaluation",
}
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(\.\d+)?\+00:00")
_TABLES = {
    "auditpack": "audit pack",
    "auditpackdownload": "download of an audit pack",
    "usecase": "use case",
    "usecasedocument": "use case document",
    "customattribute": "custom attribute",
    "modelgroup": "model group",
    "modelgroup_use_cases": "use case of a model group",
    "modelversion": "model version",
    "versionusecase": "use case of a model version",
    "awsaccount": "AWS account",
    "awsidentity": "AWS identity",
    "apitoken": "API token",
    "lineofbusiness": "line of business",
    "accountpreflight": "permission check",
    "declaredshare": "declared share",
    "declaredshare_accounts": "account of a declared share",
    "declaredshare_groups": "model group of a declared share",
    "deploymentchannel": "deployment channel",
    "deploymentorder": "deployment order",
    "grouppolicy": "resource policy of a model group",
    "groupcreation": "creation of a model group",
    "outsidechange": "change made outside the portal",
    "rampermission": "RAM permission",
    "registration": "registration of a version",
    "shareprincipal": "account in a RAM share",
    "waitingcallback": "waiting pipeline step",
    "resourceshare": "RAM share",
    "resourceshare_groups": "model group of a share",
    "shareinvitation": "share invitation",
    "stagerecord": "stage record",
    "usecasestagerecord": "use case stage record",
    "stageevent": "ledger entry",
    "metricreport": "metric report",
    "signingkey": "signing key",
    "override": "overridden rule",
    "policyversion": "policy",
    "policyrule": "policy rule",
    "approvalrequest": "approval request",
    "auditanchor": "anchor of the audit trail",
    "auditcheck": "check of the audit trail",
    "outboxmessage": "outbox message",
    "parkedevent": "parked event",
    "eventqueuehealth": "event queue",
    "lifecycleedge": "lifecycle table",
    "user": "person",
    "user_groups": "group of a person",
    "user_user_permissions": "role of a person, everywhere",
    "projectuserobjectpermission": "role of a person on a project",
    "projectgroupobjectpermission": "role of a group on a project",
}


def field_words(name: str) -> str:
    """Return a column in plain words, capitalised."""
    words = _FIELDS.get(name) or _WORDS.get(name) or name.replace("_", " ")
    return words[:1].upper() + words[1:]


def value_words(value: Any) -> str | None:
    """Return a stored value in plain words; absent is None."""
    if value is None or value in ("", [], {}):
        return None
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=str)
    text = str(value)
    if moment := _MOMENT.fullmatch(text):
        return f"{moment[1]} {moment[2]} UTC"
    return _WORDS.get(text, text)


_CONTENT = {
    "containers": "Container",
    "metrics": "Metric report",
    "drift_baselines": "Drift baseline",
    "metadata": "Metadata",
    "card": "Model card",
    "risk_rating": "Risk rating",
    "source_uri": "Source",
    "use_cases": "Class of",
    "validation_metrics": "Validation metric",
    "evidence": "Evidence",
    "documents": "Document",
    "edition": "Form in which it was kept",
}
_STEP = re.compile(r"""\[(\d+)\]|"((?:[^"\\]|\\.)*)"|([^.\[\]"]+)""")


def content_words(path: str) -> str:
    """Return a path into what a decision is bound to in plain words: "Container 1: image digest"."""
    steps = [(index, quoted or plain) for index, quoted, plain in _STEP.findall(path)]
    if not steps:
        return path
    (_, first), rest = steps[0], steps[1:]
    head = _CONTENT.get(first) or field_words(first)
    if rest and rest[0][0]:
        head, rest = f"{head} {int(rest[0][0]) + 1}", rest[1:]
    if first == "documents" and rest:
        rest = [("", field_words(rest[0][1]).lower()), *rest[1:]]
    if first == "validation_metrics" and len(rest) > 1:
        # By account; one without is that of a stage that runs nowhere.
        rest = [*rest[1:], ("", f"account {rest[0][1]}")] if rest[0][1] else rest[1:]
    if first == "evidence" and rest:
        kind, _, number = rest[0][1].rpartition(" ")
        said_kind = "MLflow run" if kind == "mlflow_run" else value_words(kind)
        rest = [("", f"{said_kind} {number}".strip()), *rest[1:]]
    said = ", ".join(f"entry {int(index) + 1}" if index else word.replace("_", " ") for index, word in rest)
    joint = " " if first == "use_cases" else ": "
    return f"{head}{joint}{said}" if said else head


def table_words(table: str) -> str:
    """Return a table in plain words: `registry_usecase` reads "use case"."""
    name = table.split("_", 1)[-1]
    return _TABLES.get(name, name.replace("_", " "))


def actor_words(label: str | None) -> str:
    """Return the one who acted: `user:model.owner` reads "model.owner", `system:sync` "the portal (sync)"."""
    if not label:
        return "nobody named"
    kind, _, name = label.partition(":")
    return name if kind == "user" else f"the portal ({name})"
