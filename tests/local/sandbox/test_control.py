"""The sandbox's own paths: faults that fail calls on purpose, the log of calls, and what is not served."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import requests
from botocore.exceptions import ClientError, ConnectionClosedError, HTTPClientError

from tests.local.sandbox.world import DEVELOPMENT, HUB, Aws, refused, unique


@pytest.fixture(autouse=True)
def _clean(aws: Aws) -> Iterator[None]:
    aws.client("sagemaker")  # assume its role before calls are counted
    aws.forget()
    yield
    aws.forget()


def test_it_says_that_it_is_well(aws: Aws) -> None:
    said = requests.get(f"{aws.url}/sandbox/health", timeout=5).json()
    assert said["status"] == "ok"
    assert said["accounts"][HUB] == "hub"


def test_what_is_done_can_be_stamped_as_done_long_ago(aws: Aws) -> None:
    def behind(seconds: float, expect: int = 200) -> None:
        answer = requests.post(f"{aws.url}/sandbox/settings", json={"clock_behind_seconds": seconds}, timeout=5)
        assert answer.status_code == expect

    behind(40 * 86400)
    try:
        group = aws.group(HUB)
        made = aws.client("sagemaker").describe_model_package_group(ModelPackageGroupName=group)["CreationTime"]
        assert 39 < (datetime.now(UTC) - made).days <= 40
        behind(400 * 86400, expect=400)
        behind(-1, expect=400)
    finally:
        behind(0)
    fresh = aws.client("sagemaker").describe_model_package_group(ModelPackageGroupName=aws.group(HUB))["CreationTime"]
    assert datetime.now(UTC) - fresh < timedelta(minutes=1)


def test_a_throttle_hits_as_often_as_it_was_told(aws: Aws) -> None:
    aws.fault(service="sagemaker", operation="ListModelPackageGroups", error="ThrottlingException", times=2)
    sagemaker = aws.client("sagemaker")
    for _ in range(2):
        with refused("ThrottlingException") as message:
            sagemaker.list_model_package_groups()
        assert message() == "Rate exceeded"
    sagemaker.list_model_package_groups()
    assert requests.get(f"{aws.url}/sandbox/faults", timeout=5).json() == {"faults": []}


def test_without_a_number_of_times_it_hits_until_it_is_cleared(aws: Aws) -> None:
    aws.fault(error="ServiceUnavailable", account=HUB, times=None)
    for _ in range(3):
        with refused("ServiceUnavailable"):
            aws.client("sagemaker").list_model_package_groups()
    assert len(requests.get(f"{aws.url}/sandbox/faults", timeout=5).json()["faults"]) == 1
    requests.delete(f"{aws.url}/sandbox/faults", timeout=5)
    aws.client("sagemaker").list_model_package_groups()


def test_a_fault_hits_only_the_service_operation_and_account_it_names(aws: Aws) -> None:
    aws.client("sagemaker", DEVELOPMENT)
    aws.fault(
        service="sagemaker", operation="CreateModelPackageGroup", account=DEVELOPMENT, error="AccessDeniedException"
    )
    aws.group(HUB)
    aws.client("sagemaker", DEVELOPMENT).list_model_package_groups()
    aws.client("ram", DEVELOPMENT).list_permissions()
    with refused("AccessDeniedException"):
        aws.group(DEVELOPMENT)
    aws.group(DEVELOPMENT)


@pytest.mark.parametrize(
    ("service", "error", "code"),
    [
        ("s3", "AccessDeniedException", "AccessDenied"),
        ("s3", "ThrottlingException", "SlowDown"),
        ("s3", "InternalFailure", "InternalFailure"),
        ("sts", "AccessDeniedException", "AccessDenied"),
        ("sts", "ThrottlingException", "Throttling"),
        ("sqs", "ThrottlingException", "ThrottlingException"),
        ("events", "InternalFailure", "InternalFailure"),
        ("ram", "ThrottlingException", "ThrottlingException"),
        ("ram", "TooManyRequestsException", "TooManyRequestsException"),
    ],
)
def test_an_error_comes_in_the_words_of_its_protocol(aws: Aws, service: str, error: str, code: str) -> None:
    ask = {
        "s3": lambda c: c.list_buckets(),
        "sts": lambda c: c.get_caller_identity(),
        "sqs": lambda c: c.list_queues(),
        "events": lambda c: c.list_rules(),
        "ram": lambda c: c.list_permissions(),
    }[service]
    client = aws.client(service)
    aws.fault(service=service, error=error)
    with refused(code):
        ask(client)
    ask(client)


def test_before_nothing_is_done_and_after_all_of_it(aws: Aws) -> None:
    group = aws.group()
    aws.fault(operation="CreateModelPackage", error="InternalFailure")
    with refused("InternalFailure"):
        aws.version(group)
    sagemaker = aws.client("sagemaker")
    assert sagemaker.list_model_packages(ModelPackageGroupName=group)["ModelPackageSummaryList"] == []
    aws.fault(operation="CreateModelPackage", error="InternalFailure", after=True)
    token = unique("token")
    with refused("InternalFailure"):
        aws.version(group, ClientToken=token)
    assert len(sagemaker.list_model_packages(ModelPackageGroupName=group)["ModelPackageSummaryList"]) == 1
    assert aws.version(group, ClientToken=token).endswith("/1")


@pytest.mark.parametrize("after", [False, True])
def test_a_dropped_connection_gives_no_answer(aws: Aws, after: bool) -> None:
    arn = aws.version(aws.group())
    aws.fault(operation="UpdateModelPackage", error="drop", after=after)
    with pytest.raises((ConnectionClosedError, HTTPClientError)):
        aws.update(arn, ModelApprovalStatus="Approved")
    assert aws.read(arn)["ModelApprovalStatus"] == ("Approved" if after else "PendingManualApproval")
    (call,) = aws.calls(operation="UpdateModelPackage")
    assert (call["status"], call["performed"]) == (None, after)


def test_a_delay_holds_up_its_call_and_no_other(aws: Aws) -> None:
    aws.fault(service="sagemaker", operation="ListModelPackageGroups", error="delay", seconds=0.3)
    begun = time.monotonic()
    aws.client("sagemaker").list_model_package_groups()
    assert time.monotonic() - begun >= 0.3
    aws.group()
    (slow,) = aws.calls(operation="ListModelPackageGroups")
    (quick,) = aws.calls(operation="CreateModelPackageGroup")
    assert slow["milliseconds"] >= 300
    assert (slow["status"], quick["fault"]) == (200, None)


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"error": "NoSuchError"},
        {"error": "delay", "seconds": -1},
        {"error": "drop", "times": 0},
        {"error": "drop", "time": 1},
        "not an object",
    ],
)
def test_a_fault_that_is_none_is_refused_with_the_reason(aws: Aws, wrong: object) -> None:
    answer = requests.post(f"{aws.url}/sandbox/faults", data=json.dumps(wrong), timeout=5)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("not a fault: ")
    assert requests.get(f"{aws.url}/sandbox/faults", timeout=5).json() == {"faults": []}


def test_calls_are_logged_with_who_asked_what(aws: Aws) -> None:
    group = aws.group()
    arn = aws.version(group, ClientToken="a-token-" + group[-6:])
    with refused("ValidationException"):
        aws.read(arn + "0")
    fault = aws.fault(operation="UpdateModelPackage", error="ThrottlingException")
    with refused("ThrottlingException"):
        aws.update(arn, ModelApprovalStatus="Approved")
    calls = aws.calls(service="sagemaker", account=HUB)
    assert [(c["operation"], c["status"], c["error"], c["performed"]) for c in calls] == [
        ("CreateModelPackageGroup", 200, None, True),
        ("CreateModelPackage", 200, None, True),
        ("DescribeModelPackage", 400, "ValidationException", True),
        ("UpdateModelPackage", 400, "ThrottlingException", False),
    ]
    assert calls[1]["client_token"] == "a-token-" + group[-6:]
    assert calls[1]["parameters"]["ModelPackageGroupName"] == group
    assert calls[3]["parameters"]["ModelApprovalStatus"] == "Approved"
    assert calls[3]["fault"] == fault["id"]
    assert calls[1]["region"] == "us-east-1"
    assert aws.calls(account=DEVELOPMENT) == []
    requests.delete(f"{aws.url}/sandbox/calls", timeout=5)
    assert aws.calls() == []


def test_an_object_put_is_logged_by_bucket_and_key(aws: Aws) -> None:
    s3, bucket = aws.client("s3"), unique("artifacts")
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="a/b", Body=b"x")
    s3.get_object(Bucket=bucket, Key="a/b")
    assert [(c["operation"], c["parameters"]) for c in aws.calls(service="s3")] == [
        ("CreateBucket", {"Bucket": bucket}),
        ("PutObject", {"Bucket": bucket, "Key": "a/b"}),
        ("GetObject", {"Bucket": bucket, "Key": "a/b"}),
    ]


@pytest.mark.parametrize(
    ("service", "ask"),
    [
        ("sagemaker", lambda c: c.list_human_task_uis()),
        ("sagemaker", lambda c: c.list_lineage_groups()),
        ("ram", lambda c: c.list_replace_permission_associations_work()),
        ("events", lambda c: c.update_event_bus(Name="x")),
        ("dynamodb", lambda c: c.list_tables()),
    ],
)
def test_what_is_not_performed_is_refused_as_json(aws: Aws, service: str, ask: object) -> None:
    assert callable(ask)
    with pytest.raises(ClientError) as caught:
        ask(aws.client(service))
    answer = caught.value.response
    assert answer["Error"]["Code"] == "UnknownOperationException"
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert answer["ResponseMetadata"]["HTTPHeaders"]["content-type"].startswith("application/x-amz-json")


def test_motos_own_paths_are_closed(aws: Aws) -> None:
    group = aws.group()
    for method, path in (("POST", "/moto-api/reset"), ("GET", "/moto-api/data.json"), ("GET", "/moto-api/")):
        assert requests.request(method, aws.url + path, timeout=5).status_code == 404
    aws.client("sagemaker").describe_model_package_group(ModelPackageGroupName=group)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/sandbox/nothing", 404), ("PUT", "/sandbox/faults", 405), ("POST", "/sandbox/calls", 405)],
)
def test_a_path_it_does_not_have_is_said_so(aws: Aws, method: str, path: str, status: int) -> None:
    answer = requests.request(method, aws.url + path, timeout=5)
    assert answer.status_code == status
    assert answer.json()["error"]


def test_a_garbled_request_is_refused_and_not_an_accident(aws: Aws) -> None:
    scope = "AWS4-HMAC-SHA256 Credential=testing/20240501/us-east-1/sagemaker/aws4_request, SignedHeaders=host"
    headers = {
        "Authorization": scope,
        "X-Amz-Target": "SageMaker.NoSuchOperation",
        "Content-Type": "application/x-amz-json-1.1",
    }
    answer = requests.post(aws.url, data=b"{}", headers=headers, timeout=5)
    assert (answer.status_code, answer.json()["__type"]) == (400, "UnknownOperationException")
    headers["X-Amz-Target"] = "SageMaker.ListModelPackageGroups"
    answer = requests.post(aws.url, data=b"{not json", headers=headers, timeout=5)
    assert (answer.status_code, answer.json()["__type"]) == (400, "SerializationException")
