"""Compose what registers a version or makes a group, and say what AWS would refuse in it before anything is stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from registry.aws.limits import problems_of
from registry.aws.records import ContainerRecord, LifeCycle

if TYPE_CHECKING:
    from mypy_boto3_sagemaker.type_defs import ModelLifeCycleTypeDef


def version_request(
    *,
    description: str,
    containers: Sequence[ContainerRecord],
    content_types: Sequence[str],
    response_types: Sequence[str],
    metadata: Mapping[str, str],
    card_content: str | None = None,
    card_status: str = "Draft",
    approval_status: str = "PendingManualApproval",
    life_cycle: LifeCycle | None = None,
    metrics: Mapping[str, Any] | None = None,
    drift_baselines: Mapping[str, Any] | None = None,
    source_uri: str = "",
    generated_by: str = "",
    skip_validation: bool = False,
) -> dict[str, Any]:
    """Return the request of CreateModelPackage without its group and token; what is empty is left out.

    `metrics` and `drift_baselines` keep AWS's structure of pointers into S3. A container whose artifact is a prefix
    (a URL that ends in a slash) is given as an uncompressed data source. A version of a group takes no tags: AWS gives
    it its group's. Source: CreateModelPackage.
    """
    request: dict[str, Any] = {
        "ModelApprovalStatus": approval_status,
        "InferenceSpecification": {
            "Containers": [_container(container) for container in containers],
            "SupportedContentTypes": list(content_types),
            "SupportedResponseMIMETypes": list(response_types),
        },
    }
    optional: dict[str, Any] = {
        "ModelPackageDescription": description,
        "CustomerMetadataProperties": dict(metadata),
        "ModelLifeCycle": life_cycle_request(life_cycle) if life_cycle else None,
        "ModelMetrics": dict(metrics or {}),
        "DriftCheckBaselines": dict(drift_baselines or {}),
        "SourceUri": source_uri,
        "MetadataProperties": {"GeneratedBy": generated_by} if generated_by else None,
        "SkipModelValidation": "All" if skip_validation else None,
    }
    if card_content is not None:
        request["ModelCard"] = {"ModelCardContent": card_content, "ModelCardStatus": card_status}
    return request | {name: value for name, value in optional.items() if value}


def group_request(*, name: str, description: str = "", tags: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return the request of CreateModelPackageGroup; what is empty is left out. Source: CreateModelPackageGroup."""
    request: dict[str, Any] = {"ModelPackageGroupName": name}
    if description:
        request["ModelPackageGroupDescription"] = description
    if tags:
        request["Tags"] = [{"Key": key, "Value": value} for key, value in tags.items()]
    return request


def version_problems(request: Mapping[str, Any]) -> list[str]:
    """Return what AWS would refuse in a version's request, each beginning with AWS's name of the field."""
    return problems_of("sagemaker", "CreateModelPackage", {"ModelPackageGroupName": "g", "ClientToken": "t", **request})


def group_problems(request: Mapping[str, Any]) -> list[str]:
    """Return what AWS would refuse in a group's request, each beginning with AWS's name of the field."""
    return problems_of("sagemaker", "CreateModelPackageGroup", request)


def _container(container: ContainerRecord) -> dict[str, Any]:
    is_prefix = container.model_data_url.endswith("/")
    fields: dict[str, Any] = {
        "Image": container.image,
        "ImageDigest": container.image_digest,
        "ModelDataUrl": "" if is_prefix else container.model_data_url,
        "ModelDataETag": container.model_data_etag,
        "Framework": container.framework,
        "FrameworkVersion": container.framework_version,
        "Environment": dict(container.environment),
    }
    if is_prefix:
        fields["ModelDataSource"] = {
            "S3DataSource": {
                "S3Uri": container.model_data_url,
                "S3DataType": "S3Prefix",
                "CompressionType": "None",
            }
        }
    # Absent, not empty: AWS takes no empty field.
    return {name: value for name, value in fields.items() if value}


def life_cycle_request(life_cycle: LifeCycle) -> ModelLifeCycleTypeDef:
    """Return a ModelLifeCycle as AWS takes it."""
    request: ModelLifeCycleTypeDef = {"Stage": life_cycle.stage, "StageStatus": life_cycle.status}
    if life_cycle.description:
        request["StageDescription"] = life_cycle.description
    return request
