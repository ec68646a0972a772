"""What serves requests, over recorded shapes: what is asked, how often, and what is read of odd answers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from registry.aws import endpoints
from registry.aws.errors import AwsDenied, AwsNotFound
from registry.aws.session import AwsSession
from tests.aws import recorded
from tests.aws.wire import Wire

MADE = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
ARN = "arn:aws:sagemaker:us-east-1:111111111111:"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"


def described(*variants: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "EndpointName": "scores",
        "EndpointArn": f"{ARN}endpoint/scores",
        "EndpointConfigName": "scores-1",
        "EndpointStatus": "InService",
        "CreationTime": MADE,
        "LastModifiedTime": MADE,
        **({"ProductionVariants": list(variants)} if variants else {}),
        **more,
    }


def config(*variants: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "EndpointConfigName": "scores-1",
        "EndpointConfigArn": f"{ARN}endpoint-config/scores-1",
        "ProductionVariants": list(variants),
        "CreationTime": MADE,
        **more,
    }


def model(name: str, *packages: str | None, **more: Any) -> dict[str, Any]:
    rows = [{"ModelPackageName": arn} if arn else {"Image": IMAGE} for arn in packages]
    of = {"PrimaryContainer": rows[0]} if len(rows) == 1 else {"Containers": rows}
    return {"ModelName": name, "ModelArn": f"{ARN}model/{name}", "CreationTime": MADE, **of, **more}


def read(session: AwsSession) -> endpoints.EndpointRecord:
    return endpoints.Serving(session).endpoint("scores")


def test_a_variant_leads_to_its_package_and_a_model_is_described_once(session: AwsSession, wire: Wire) -> None:
    running = {"VariantName": "a", "CurrentWeight": 0.9, "CurrentInstanceCount": 3}
    shadow = {"VariantName": "s", "CurrentWeight": 1.0, "CurrentInstanceCount": 1}
    wire.answer(
        "sagemaker",
        "DescribeEndpoint",
        described(running, {"VariantName": "b", "CurrentWeight": 0.0}, ShadowProductionVariants=[shadow]),
    )
    of = {"ModelName": "m", "InstanceType": "ml.m5.large", "InitialVariantWeight": 0.5}
    wire.answer(
        "sagemaker",
        "DescribeEndpointConfig",
        config(
            {"VariantName": "a", **of},
            {"VariantName": "b", **of},
            ShadowProductionVariants=[{"VariantName": "s", **of}],
        ),
    )
    isolated = {"EnableNetworkIsolation": True, "VpcConfig": {"SecurityGroupIds": ["sg"], "Subnets": ["s"]}}
    wire.answer("sagemaker", "DescribeModel", model("m", recorded.VERSION_ARN, **isolated))
    found = read(session)
    assert (found.status, found.config_name, found.captures_data) == ("InService", "scores-1", None)
    assert [(one.variant, one.is_shadow, one.weight, one.instance_count) for one in found.served] == [
        ("a", False, 0.9, 3),
        ("b", False, 0.0, None),
        ("s", True, 1.0, 1),
    ]
    assert {one.model.package_arn for one in found.served} == {recorded.VERSION_ARN}
    assert {(one.model.network_isolation, one.model.in_vpc) for one in found.served} == {(True, True)}


@pytest.mark.parametrize(
    ("packages", "expected"),
    [
        ((None,), [("", "")]),
        ((recorded.VERSION_ARN, None), [("", recorded.VERSION_ARN)]),
        ((recorded.VERSION_ARN, recorded.VERSION_ARN + "0"), [("1", ""), ("2", "0")]),
    ],
)
def test_a_model_of_several_containers(
    session: AwsSession, wire: Wire, packages: tuple[str | None, ...], expected: list[tuple[str, str]]
) -> None:
    wire.answer("sagemaker", "DescribeEndpoint", described({"VariantName": "a"}))
    wire.answer("sagemaker", "DescribeEndpointConfig", config({"VariantName": "a", "ModelName": "m"}))
    wire.answer("sagemaker", "DescribeModel", model("m", *packages))
    found = [(one.model.container, one.model.package_arn) for one in read(session).served]
    assert [(name, arn.endswith(end)) for (name, arn), (_, end) in zip(found, expected, strict=True)] == [
        (name, True) for name, _ in expected
    ]
    assert sum(bool(arn) for _, arn in found) == sum(bool(arn) for arn in packages)


def test_a_component_brings_the_model_where_the_variant_names_none(session: AwsSession, wire: Wire) -> None:
    wire.answer("sagemaker", "DescribeEndpoint", described({"VariantName": "a", "CurrentInstanceCount": 1}))
    wire.answer("sagemaker", "DescribeEndpointConfig", config({"VariantName": "a", "InstanceType": "ml.g5.xlarge"}))
    row = {
        "InferenceComponentName": "c",
        "InferenceComponentArn": f"{ARN}inference-component/c",
        "EndpointName": "scores",
        "EndpointArn": f"{ARN}endpoint/scores",
        "VariantName": "a",
        "CreationTime": MADE,
        "LastModifiedTime": MADE,
    }
    wire.answer("sagemaker", "ListInferenceComponents", {"InferenceComponents": [row]})
    copies = {"DesiredCopyCount": 4, "CurrentCopyCount": 2}
    wire.answer(
        "sagemaker",
        "DescribeInferenceComponent",
        {**row, "Specification": {"ModelName": "m"}, "RuntimeConfig": copies},
    )
    wire.answer("sagemaker", "DescribeModel", model("m", recorded.VERSION_ARN))
    (one,) = read(session).served
    assert (one.inference_component, one.model_name, one.instance_count) == ("c", "m", 2)
    assert one.model.package_arn == recorded.VERSION_ARN
    assert one.model.network_isolation is None


def test_nothing_placed_and_a_configuration_that_is_gone_are_told_apart(session: AwsSession, wire: Wire) -> None:
    wire.answer("sagemaker", "DescribeEndpoint", described({"VariantName": "a"}))
    wire.answer("sagemaker", "DescribeEndpointConfig", config({"VariantName": "a"}))
    wire.answer("sagemaker", "ListInferenceComponents", {"InferenceComponents": []})
    (empty,) = read(session).served
    assert (empty.model_name, empty.inference_component, empty.model.found) == ("", "", True)
    wire.answer("sagemaker", "DescribeEndpoint", described({"VariantName": "a"}), times=2)
    wire.refuse("DescribeEndpointConfig", "ValidationException", "Could not find endpoint configuration.")
    (unknown,) = read(session).served
    assert (unknown.model.found, unknown.model_name) == (False, "")


def test_a_model_that_is_gone_or_refused_hides_nothing_else(session: AwsSession, wire: Wire) -> None:
    wire.answer("sagemaker", "DescribeEndpoint", described({"VariantName": "a"}, {"VariantName": "b"}))
    wire.answer(
        "sagemaker",
        "DescribeEndpointConfig",
        config({"VariantName": "a", "ModelName": "gone"}, {"VariantName": "b", "ModelName": "refused"}),
    )
    wire.refuse("DescribeModel", "ValidationException", "Could not find model.")
    wire.refuse("DescribeModel", "AccessDeniedException", "not allowed")
    gone, refused = read(session).served
    assert (gone.model.found, gone.model.problem) == (False, "")
    assert refused.model.found
    assert "not allowed" in refused.model.problem


def test_a_configuration_replaced_between_two_calls_is_read_anew(session: AwsSession, wire: Wire) -> None:
    wire.answer("sagemaker", "DescribeEndpoint", described({"VariantName": "a"}))
    wire.refuse("DescribeEndpointConfig", "ValidationException", "Could not find endpoint configuration.")
    after = described({"VariantName": "a"}, EndpointConfigName="scores-2", AsyncInferenceConfig={"OutputConfig": {}})
    wire.answer("sagemaker", "DescribeEndpoint", after)
    serverless = {"ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 1}}
    wire.answer("sagemaker", "DescribeEndpointConfig", config({"VariantName": "a", "ModelName": "m", **serverless}))
    wire.answer("sagemaker", "DescribeModel", model("m", recorded.VERSION_ARN))
    found = read(session)
    assert (found.config_name, found.is_asynchronous) == ("scores-2", True)
    (one,) = found.served
    assert (one.model.package_arn, one.is_serverless, one.instance_count) == (recorded.VERSION_ARN, True, None)


def test_what_an_update_brings_up_is_told_beside_what_serves(session: AwsSession, wire: Wire) -> None:
    coming = {"VariantName": "a", "CurrentInstanceCount": 0, "VariantStatus": [{"Status": "Creating"}]}
    pending = {"EndpointConfigName": "scores-2", "ProductionVariants": [coming, {"VariantName": "empty"}]}
    wire.answer(
        "sagemaker",
        "DescribeEndpoint",
        described({"VariantName": "a"}, EndpointStatus="Updating", PendingDeploymentSummary=pending),
    )
    wire.answer("sagemaker", "DescribeEndpointConfig", config({"VariantName": "a", "ModelName": "old"}))
    wire.answer(
        "sagemaker",
        "DescribeEndpointConfig",
        config({"VariantName": "a", "ModelName": "new"}, {"VariantName": "empty"}),
    )
    wire.answer("sagemaker", "DescribeModel", model("old", recorded.VERSION_ARN))
    wire.answer("sagemaker", "DescribeModel", model("new", None))
    found = read(session)
    assert found.pending_config == "scores-2"
    assert [(one.model_name, one.is_pending, one.instance_count) for one in found.served] == [
        ("old", False, None),
        ("new", True, 0),
    ]


def test_a_component_taken_away_meanwhile_takes_its_endpoint_not_with_it(session: AwsSession, wire: Wire) -> None:
    wire.answer("sagemaker", "DescribeEndpoint", described({"VariantName": "a"}))
    wire.answer("sagemaker", "DescribeEndpointConfig", config({"VariantName": "a"}))
    rows = [
        {
            "InferenceComponentName": name,
            "InferenceComponentArn": f"{ARN}inference-component/{name}",
            "EndpointName": "scores",
            "EndpointArn": f"{ARN}endpoint/scores",
            "VariantName": "a",
            "CreationTime": MADE,
            "LastModifiedTime": MADE,
        }
        for name in ("gone", "failed")
    ]
    wire.answer("sagemaker", "ListInferenceComponents", {"InferenceComponents": rows})
    wire.refuse("DescribeInferenceComponent", "ValidationException", "Could not find inference component.")
    kinds = [{"InstanceType": kind, "ModelName": kind[3:5]} for kind in ("ml.g5.xlarge", "ml.p4d.24xlarge")]
    failed = {**rows[1], "InferenceComponentStatus": "Failed", "Specifications": kinds}
    wire.answer("sagemaker", "DescribeInferenceComponent", failed)
    wire.answer("sagemaker", "DescribeModel", model("g5", recorded.VERSION_ARN))
    wire.answer("sagemaker", "DescribeModel", model("p4", None))
    found = [
        (one.inference_component, one.component_status, one.model_name, one.model.container)
        for one in read(session).served
    ]
    assert found == [("failed", "Failed", "g5", "ml.g5.xlarge"), ("failed", "Failed", "p4", "ml.p4d.24xlarge")]


@pytest.mark.parametrize(
    ("beside", "mode", "told"),
    [
        ({}, "Serial", [""]),
        ({"ModelDataUrl": "s3://b/m.tar.gz"}, "Serial", ["1", "own"]),
        ({}, "Direct", ["1", "own"]),
        ({"Mode": "MultiModel", "ModelDataUrl": "s3://b/many/"}, "Serial", ["1", "own"]),
    ],
)
def test_a_model_that_came_past_the_registry_beside_a_packaged_one(
    session: AwsSession, wire: Wire, beside: dict[str, Any], mode: str, told: list[str]
) -> None:
    wire.answer("sagemaker", "DescribeEndpoint", described({"VariantName": "a"}))
    wire.answer("sagemaker", "DescribeEndpointConfig", config({"VariantName": "a", "ModelName": "m"}))
    own = {"Image": IMAGE, "ContainerHostname": "own", **beside}
    answer = model("m", recorded.VERSION_ARN, None, InferenceExecutionConfig={"Mode": mode})
    answer["Containers"][1] = own
    wire.answer("sagemaker", "DescribeModel", answer)
    found = read(session).served
    assert [one.model.container for one in found] == told
    assert [one.model.many_under for one in found[1:] if "Mode" in beside] == ["s3://b/many/"] * ("Mode" in beside)


def test_a_package_may_be_named_alone_and_a_model_made_later_is_another(session: AwsSession, wire: Wire) -> None:
    for made, expected in ((MADE, f"{ARN}model-package/credit-risk/7"), (MADE + timedelta(seconds=1), "")):
        wire.answer("sagemaker", "DescribeEndpoint", described({"VariantName": "a"}))
        wire.answer("sagemaker", "DescribeEndpointConfig", config({"VariantName": "a", "ModelName": "m"}))
        wire.answer("sagemaker", "DescribeModel", model("m", "credit-risk/7") | {"CreationTime": made})
        (one,) = read(session).served
        assert (one.model.package_arn, one.model.found) == (expected, bool(expected))


@pytest.mark.parametrize(
    ("code", "words", "error"),
    [("ValidationException", "Could not find endpoint.", AwsNotFound), ("AccessDeniedException", "no", AwsDenied)],
)
def test_an_endpoint_that_cannot_be_read(
    session: AwsSession, wire: Wire, code: str, words: str, error: type[Exception]
) -> None:
    wire.refuse("DescribeEndpoint", code, words)
    with pytest.raises(error):
        read(session)


def test_the_list_is_walked_to_its_end(session: AwsSession, wire: Wire) -> None:
    def row(name: str) -> dict[str, Any]:
        return {k: v for k, v in described().items() if k != "EndpointConfigName"} | {
            "EndpointName": name,
            "EndpointArn": f"{ARN}endpoint/{name}",
        }

    wire.answer("sagemaker", "ListEndpoints", {"Endpoints": [], "NextToken": "t"})
    wire.answer("sagemaker", "ListEndpoints", {"Endpoints": [row("a"), row("b")]})
    found = list(endpoints.list_endpoints(session, modified_after=MADE))
    assert [(one.name, one.status, one.modified_at) for one in found] == [
        ("a", "InService", MADE),
        ("b", "InService", MADE),
    ]
    assert wire.asked("ListEndpoints")[0]["LastModifiedTimeAfter"] == MADE.timestamp()
