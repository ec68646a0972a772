"""Faults beyond a code: latency, silence, partial pages, pages of HTML, events lost, doubled, late and out of order."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest
import requests
from botocore.config import Config
from botocore.exceptions import ClientError, ReadTimeoutError

from tests.local.sandbox.world import Aws, fresh_account, refused, unique


@pytest.fixture(autouse=True)
def _clean(aws: Aws) -> Iterator[None]:
    aws.client("sagemaker")
    aws.forget()
    yield
    aws.forget()


@pytest.fixture(scope="module")
def listed(aws: Aws) -> tuple[str, set[str]]:
    """A group of five versions."""
    group = aws.group()
    return group, {aws.version(group) for _ in range(5)}


def pages(aws: Aws, group: str, size: int = 100) -> list[list[str]]:
    asked = aws.client("sagemaker").get_paginator("list_model_packages")
    found = asked.paginate(ModelPackageGroupName=group, PaginationConfig={"PageSize": size})
    return [[v["ModelPackageArn"] for v in page["ModelPackageSummaryList"]] for page in found]


def test_latency_slows_every_call_until_cleared_and_calls_overlap(aws: Aws) -> None:
    fault = aws.fault(service="sagemaker", operation="ListModelPackageGroups", error="latency", seconds=1)
    sagemaker = aws.client("sagemaker")
    begun = time.monotonic()
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda _: sagemaker.list_model_package_groups(), range(6)))
    assert 1 <= time.monotonic() - begun < 6  # one after the other they would take six seconds and more
    assert all(c["milliseconds"] >= 1000 for c in aws.calls(operation="ListModelPackageGroups"))
    aws.fault(operation="ListModelPackageGroups", error="ThrottlingException")
    with refused("ThrottlingException"):
        sagemaker.list_model_package_groups()
    assert aws.calls(operation="ListModelPackageGroups")[-1]["milliseconds"] >= 300
    requests.delete(f"{aws.url}/sandbox/faults/{fault['id']}", timeout=5)
    assert requests.delete(f"{aws.url}/sandbox/faults/{fault['id']}", timeout=5).status_code == 404
    sagemaker.list_model_package_groups()
    assert aws.calls(operation="ListModelPackageGroups")[-1]["milliseconds"] < 300


@pytest.mark.parametrize("after", [False, True])
def test_a_timeout_outlasts_the_client(aws: Aws, after: bool) -> None:
    keys = aws.assume("111111111111")
    hasty = boto3.client(
        "sagemaker",
        region_name="us-east-1",
        endpoint_url=aws.url,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
        config=Config(read_timeout=0.3, retries={"total_max_attempts": 1}),
    )
    aws.fault(operation="CreateModelPackageGroup", error="timeout", after=after)
    name = unique("group")
    with pytest.raises(ReadTimeoutError):
        hasty.create_model_package_group(ModelPackageGroupName=name)
    found = hasty.list_model_package_groups(NameContains=name)["ModelPackageGroupSummaryList"]
    assert len(found) == int(after)


def test_an_error_can_be_a_page_of_html(aws: Aws) -> None:
    aws.fault(service="sagemaker", error="ServiceUnavailable", body="html")
    with pytest.raises(ClientError) as caught:
        aws.client("sagemaker").list_model_package_groups()
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503
    assert caught.value.response["ResponseMetadata"]["HTTPHeaders"]["content-type"] == "text/html"
    answer = requests.post(
        f"{aws.url}/sandbox/faults", json={"error": "ThrottlingException", "body": "html"}, timeout=5
    )
    assert answer.status_code == 400


@pytest.mark.parametrize(("keep", "sizes"), [(0, [0, 2, 2, 1]), (1, [1, 1, 2, 1])])
def test_a_partial_page_gives_its_rest_on_the_next(
    aws: Aws, listed: tuple[str, set[str]], keep: int, sizes: list[int]
) -> None:
    aws.fault(operation="ListModelPackages", error="partial_page", keep=keep)
    found = pages(aws, listed[0], 2)
    assert [len(p) for p in found] == sizes
    assert {arn for page in found for arn in page} == listed[1]


def test_a_lossy_page_lacks_entries_without_a_word(aws: Aws, listed: tuple[str, set[str]]) -> None:
    aws.fault(operation="ListModelPackages", error="partial_page", keep=3, lose=True)
    assert [len(p) for p in pages(aws, listed[0])] == [3]
    assert [len(p) for p in pages(aws, listed[0])] == [5]


def test_a_list_fails_in_its_middle(aws: Aws, listed: tuple[str, set[str]]) -> None:
    aws.fault(operation="ListModelPackages", error="InternalFailure", page="later")
    with refused("InternalFailure"):
        pages(aws, listed[0], 2)
    assert [c["status"] for c in aws.calls(operation="ListModelPackages")] == [200, 500]


def test_ram_and_search_are_paged_partially_too(aws: Aws, listed: tuple[str, set[str]]) -> None:
    aws.fault(error="partial_page", times=None)
    ram = aws.client("ram").list_permissions()
    assert ram["permissions"] == []
    assert ram["nextToken"]
    group = {"Name": "ModelPackageGroupName", "Value": listed[0].rsplit("/", 1)[1]}
    found = aws.client("sagemaker").search(Resource="ModelPackage", SearchExpression={"Filters": [group]})
    assert (found["Results"], found["TotalHits"]["Value"]) == ([], 5)
    requests.delete(f"{aws.url}/sandbox/faults", timeout=5)
    assert len(aws.client("ram").list_permissions(nextToken=ram["nextToken"])["permissions"]) >= 3


# ---- events -----------------------------------------------------------------------------------------------------


def events_of(aws: Aws, account: str, fault: dict[str, Any], wait: float = 0) -> tuple[list[int], list[int]]:
    """Register three versions under a fault; the versions told of at once, and those told of after ``wait``."""
    queue, group = aws.listener({"source": ["aws.sagemaker"]}, account), aws.group(account)
    aws.fault(account=account, **fault)
    for _ in range(3):
        aws.version(group, account)

    def told() -> list[int]:
        return [e["detail"]["ModelPackageVersion"] for e in aws.received(queue, account)]

    first = told()
    time.sleep(wait)
    return first, told()


def test_events_are_doubled(aws: Aws) -> None:
    assert events_of(aws, fresh_account(), {"error": "duplicate_events"})[0] == [1, 1, 2, 2, 3, 3]


def test_events_are_lost(aws: Aws) -> None:
    assert events_of(aws, fresh_account(), {"error": "drop_events", "times": 2})[0] == [3]


def test_events_come_late(aws: Aws) -> None:
    assert events_of(aws, fresh_account(), {"error": "delay_events", "seconds": 0.6}, 0.7) == ([], [1, 2, 3])


def test_events_come_out_of_order_and_all_of_them(aws: Aws) -> None:
    first, late = events_of(aws, fresh_account(), {"error": "reorder_events", "seconds": 0.6}, 0.7)
    assert (first, late) == ([2], [1, 3])


def test_a_fault_of_events_strikes_its_account_and_source_alone(aws: Aws) -> None:
    account = fresh_account()
    aws.fault(error="drop_events", account=fresh_account())
    aws.fault(error="drop_events", service="governance.portal")
    assert events_of(aws, account, {"error": "drop_events", "service": "ram"})[0] == [1, 2, 3]


@pytest.mark.parametrize(
    "wrong",
    [
        {"error": "latency", "seconds": 301},
        {"error": "latency", "seconds": float("1e400")},
        {"error": "delay_events", "seconds": 901},
        {"error": "partial_page", "service": "s3"},
        {"error": "partial_page", "keep": -1},
        {"error": "duplicate_events", "copies": True},
        {"error": "InternalFailure", "page": "third"},
        {"error": "InternalFailure", "service": 1},
        {"error": ["drop"]},
        [],
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(aws: Aws, wrong: object) -> None:
    answer = requests.post(f"{aws.url}/sandbox/faults", data=json.dumps(wrong), timeout=5)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("not a fault: ")
