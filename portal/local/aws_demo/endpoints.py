"""What serves in the demo's accounts: what was reported deployed, a trial past everybody, and a model nobody knows."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

from governance.services import readings
from portal.core.vocabulary import Status
from registry.aws.session import AwsSession
from registry.choices import SyncKind
from registry.models import AwsAccount, Deployment, ModelGroup, ModelVersion

from .. import demo_roles

_IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
_UNKNOWN = "pricing-experiment"


def show(group: ModelGroup, production: str) -> None:
    """Serve in AWS what was reported deployed, and beside it what nobody approved or registered, once; then read it.

    What is approved has nine tenths of the requests, what is on trial beside it the rest. The newest version of the
    group is in nobody's hands yet: somebody has it answer in the shadow of the one that serves.
    """
    account = AwsAccount.objects.get(account_id=production)
    places: dict[tuple[str, str, str], list[tuple[str, ModelVersion, float]]] = defaultdict(list)
    running = Deployment.objects.running().exclude(endpoint="").select_related("account", "version__group__account")
    for deployment in running.order_by("account_id", "endpoint", "pk"):
        version = deployment.version
        if version.group.region == deployment.region and version.missing_since is None:
            place = (deployment.account.account_id, deployment.region, deployment.endpoint)
            weight = 0.1 if places[place] and version.status != Status.DEPLOYED else 0.9
            places[place].append((f"v{version.number}", version, weight))
    newest = group.versions.present().select_related("group__account").order_by("-number").first()
    shadowed = (production, group.region, f"{group.name}-live")
    if newest is not None and not places[shadowed]:
        places[shadowed].append(("champion", newest, 1.0))
    for (account_id, region, endpoint), variants in places.items():
        session = demo_roles.administrator(account_id, region)
        if not variants or session.sagemaker.list_endpoints(NameContains=endpoint)["Endpoints"]:
            continue
        # SageMaker has one variant in the shadow of one that serves, never of several.
        alone = (account_id, region, endpoint) == shadowed and len(variants) == 1
        _serve(session, endpoint, variants, newest if alone and newest != variants[0][1] else None)
    _unknown(demo_roles.administrator(account.account_id))
    for read in AwsAccount.objects.enabled().order_by("account_id"):
        readings.read_account(account_id=read.account_id, kind=SyncKind.ENDPOINTS, requested_by="demo")


def _serve(
    session: AwsSession, endpoint: str, variants: list[tuple[str, ModelVersion, float]], shadow: ModelVersion | None
) -> None:
    client, is_live = session.sagemaker, endpoint.endswith("-live")

    def variant(name: str, version: ModelVersion, weight: float) -> dict[str, Any]:
        return {
            "VariantName": name,
            "ModelName": _model(session, version),
            "InstanceType": "ml.m5.large",
            "InitialInstanceCount": 2 if weight > 0.5 and is_live else 1,
            "InitialVariantWeight": weight,
        }

    request: dict[str, Any] = {
        "EndpointConfigName": f"{endpoint}-1",
        "ProductionVariants": [variant(*one) for one in variants],
        "ExecutionRoleArn": f"arn:aws:iam::{session.account.account_id}:role/Serving",
    }
    if shadow is not None:
        request["ShadowProductionVariants"] = [variant("shadow", shadow, 0.5)]
    client.create_endpoint_config(**request)
    client.create_endpoint(EndpointName=endpoint, EndpointConfigName=f"{endpoint}-1")


def _model(session: AwsSession, version: ModelVersion) -> str:
    """Make a model of a version in an account, as its pipeline could while the version was approved and shared."""
    client, account_id = session.sagemaker, session.account.account_id
    name = f"{version.group.name}-{version.number}"
    if any(row["ModelName"] == name for row in client.list_models(NameContains=name)["Models"]):
        return name
    hub: Any = demo_roles.administrator(version.group.account.account_id, session.account.region).sagemaker
    found = hub.describe_model_package(ModelPackageName=version.arn)
    status, note = found["ModelApprovalStatus"], found.get("ApprovalDescription")
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{account_id}:root"},
        "Action": "sagemaker:CreateModel",
        "Resource": "*",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    hub.put_model_package_group_policy(ModelPackageGroupName=version.group.name, ResourcePolicy=policy)
    if status != "Approved":
        hub.update_model_package(ModelPackageArn=version.arn, ModelApprovalStatus="Approved")
    try:
        client.create_model(
            ModelName=name,
            PrimaryContainer={"ModelPackageName": version.arn},
            ExecutionRoleArn=f"arn:aws:iam::{account_id}:role/Serving",
            EnableNetworkIsolation=version.number % 2 == 0,
        )
    finally:
        if status != "Approved":
            kept = {"ApprovalDescription": note} if note else {}
            hub.update_model_package(ModelPackageArn=version.arn, ModelApprovalStatus=status, **kept)
        hub.delete_model_package_group_policy(ModelPackageGroupName=version.group.name)
    return name


def _unknown(session: AwsSession) -> None:
    """Serve a model that was made of an image and an archive, past the registry."""
    client, role = session.sagemaker, f"arn:aws:iam::{session.account.account_id}:role/Serving"
    if client.list_endpoints(NameContains=_UNKNOWN)["Endpoints"]:
        return
    container: Any = {"Image": _IMAGE, "ModelDataUrl": "s3://somebodys-own-bucket/pricing/model.tar.gz"}
    client.create_model(ModelName=_UNKNOWN, PrimaryContainer=container, ExecutionRoleArn=role)
    variant: Any = {
        "VariantName": "AllTraffic",
        "ModelName": _UNKNOWN,
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    }
    client.create_endpoint_config(EndpointConfigName=_UNKNOWN, ProductionVariants=[variant])
    client.create_endpoint(EndpointName=_UNKNOWN, EndpointConfigName=_UNKNOWN)
