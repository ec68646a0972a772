"""What serves requests: endpoints follow configurations, variants share traffic, components bring models."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.local.sandbox.world import IMAGE, Aws, fresh_account, refused, unique


class Serving:
    """Models and endpoints of an account of its own."""

    def __init__(self, aws: Aws) -> None:
        self.account = fresh_account()
        self.sagemaker = aws.client("sagemaker", self.account)
        self.role = f"arn:aws:iam::{self.account}:role/Serving"

    def model(self, **more: Any) -> str:
        name = unique("model")
        self.sagemaker.create_model(
            ModelName=name, PrimaryContainer={"Image": IMAGE}, ExecutionRoleArn=self.role, **more
        )
        return name

    def variant(self, model: str | None, name: str = "main", weight: float = 1.0) -> dict[str, Any]:
        found: dict[str, Any] = {"VariantName": name, "InstanceType": "ml.m5.large", "InitialInstanceCount": 2}
        if model:
            found |= {"ModelName": model, "InitialVariantWeight": weight}
        return found

    def config(self, *variants: dict[str, Any], **more: Any) -> str:
        name = unique("config")
        self.sagemaker.create_endpoint_config(
            EndpointConfigName=name, ProductionVariants=list(variants), ExecutionRoleArn=self.role, **more
        )
        return name

    def endpoint(self, config: str) -> str:
        name = unique("endpoint")
        self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config)
        return name

    def described(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.sagemaker.describe_endpoint(EndpointName=name)
        return found


@pytest.fixture(scope="module")
def serving(aws: Aws) -> Serving:
    return Serving(aws)


def test_a_model_keeps_its_isolation_and_network(serving: Serving) -> None:
    network = {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]}
    isolated = serving.model(EnableNetworkIsolation=True, VpcConfig=network)
    found = serving.sagemaker.describe_model(ModelName=isolated)
    assert (found["EnableNetworkIsolation"], found["VpcConfig"]) == (True, network)
    open_one = serving.sagemaker.describe_model(ModelName=serving.model())
    assert open_one["EnableNetworkIsolation"] is False
    assert "VpcConfig" not in open_one
    with refused("ValidationException"):
        serving.sagemaker.describe_model(ModelName="none")


def test_variants_share_the_traffic_and_shadows_hear_it(serving: Serving) -> None:
    first, second = serving.model(), serving.model()
    capture = {
        "EnableCapture": True,
        "InitialSamplingPercentage": 20,
        "DestinationS3Uri": "s3://bucket/capture",
        "CaptureOptions": [{"CaptureMode": "Input"}],
    }
    config = serving.config(
        serving.variant(first, "a", 0.9),
        serving.variant(second, "b", 0.1),
        ShadowProductionVariants=[serving.variant(second, "shadow", 0.5)],
        DataCaptureConfig=capture,
    )
    name = serving.endpoint(config)
    found = serving.described(name)
    assert [(v["VariantName"], v["CurrentWeight"]) for v in found["ProductionVariants"]] == [("a", 0.9), ("b", 0.1)]
    assert [v["VariantName"] for v in found["ShadowProductionVariants"]] == ["shadow"]
    assert found["ProductionVariants"][0]["DeployedImages"][0]["SpecifiedImage"] == IMAGE
    assert found["DataCaptureConfig"]["CurrentSamplingPercentage"] == 20
    serving.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=name, DesiredWeightsAndCapacities=[{"VariantName": "b", "DesiredWeight": 0.4}]
    )
    changed = serving.described(name)
    assert [v["CurrentWeight"] for v in changed["ProductionVariants"]] == [0.9, 0.4]
    assert changed["EndpointStatus"] == "InService"
    with refused("ValidationException"):
        serving.sagemaker.update_endpoint_weights_and_capacities(
            EndpointName=name, DesiredWeightsAndCapacities=[{"VariantName": "none", "DesiredWeight": 1}]
        )
    following = serving.config(serving.variant(second, "b"))
    serving.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=following, RetainAllVariantProperties=True)
    updated = serving.described(name)
    assert updated["EndpointConfigName"] == following
    assert [(v["VariantName"], v["CurrentWeight"]) for v in updated["ProductionVariants"]] == [("b", 0.4)]
    assert "ShadowProductionVariants" not in updated
    assert updated["LastModifiedTime"] > found["LastModifiedTime"]


def test_components_bring_models_to_a_variant_without_one(serving: Serving) -> None:
    model = serving.model()
    name = serving.endpoint(serving.config(serving.variant(None)))
    component = unique("component")
    with refused("ValidationException"):
        serving.sagemaker.create_inference_component(
            InferenceComponentName=component, EndpointName=name, VariantName="other", Specification={"ModelName": model}
        )
    serving.sagemaker.create_inference_component(
        InferenceComponentName=component,
        EndpointName=name,
        VariantName="main",
        Specification={"ModelName": model},
        RuntimeConfig={"CopyCount": 3},
    )
    described = serving.sagemaker.describe_inference_component(InferenceComponentName=component)
    assert (described["Specification"]["ModelName"], described["RuntimeConfig"]["CurrentCopyCount"]) == (model, 3)
    listed = serving.sagemaker.list_inference_components(EndpointNameEquals=name)["InferenceComponents"]
    assert [row["InferenceComponentName"] for row in listed] == [component]
    assert serving.sagemaker.list_inference_components(EndpointNameEquals="other")["InferenceComponents"] == []
    with refused("ValidationException"):
        serving.sagemaker.delete_endpoint(EndpointName=name)
    serving.sagemaker.delete_inference_component(InferenceComponentName=component)
    serving.sagemaker.delete_endpoint(EndpointName=name)
    with refused("ValidationException"):
        serving.described(name)


def test_endpoints_are_listed_by_when_they_changed(aws: Aws) -> None:
    own = Serving(aws)
    config = own.config(own.variant(own.model()))
    first, second = own.endpoint(config), own.endpoint(config)
    between = own.described(second)["LastModifiedTime"] - timedelta(milliseconds=1)
    own.sagemaker.update_endpoint(EndpointName=first, EndpointConfigName=config)

    def listed(**filters: Any) -> list[str]:
        pages = own.sagemaker.get_paginator("list_endpoints").paginate(PaginationConfig={"PageSize": 1}, **filters)
        return [row["EndpointName"] for page in pages for row in page["Endpoints"]]

    assert set(listed(LastModifiedTimeAfter=between)) == {first, second}
    assert listed(LastModifiedTimeAfter=datetime.now(UTC) + timedelta(minutes=1)) == []
    assert listed(SortBy="Name", SortOrder="Ascending") == sorted([first, second])
    assert listed(StatusEquals="Failed") == []


def test_a_name_that_is_taken_and_one_that_is_unknown_are_refused(serving: Serving) -> None:
    config = serving.config(serving.variant(serving.model()))
    name = serving.endpoint(config)
    with refused("ValidationException"):
        serving.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config)
    with refused("ValidationException"):
        serving.sagemaker.create_endpoint(EndpointName=unique("endpoint"), EndpointConfigName="none")
    with refused("ValidationException"):
        serving.sagemaker.update_endpoint(EndpointName="none", EndpointConfigName=config)
    with refused("ValidationException"):
        serving.config(serving.variant("none"))
