"""Versions by the thousand: made, changed, listed and searched through the indexes; and an index that is behind."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
import requests

from portal.local.sandbox.sagemaker.index import Ordered, Packages
from tests.local.sandbox.world import Aws, fresh_account, refused

GROUPS, EACH = 20, 50


def post(aws: Aws, path: str, status: int = 200, **wanted: Any) -> dict[str, Any]:
    answer = requests.post(f"{aws.url}/sandbox/{path}", json=wanted, timeout=60)
    assert answer.status_code == status, answer.text
    return dict(answer.json())


@pytest.fixture(scope="module")
def account(aws: Aws) -> str:
    """An account with a thousand versions."""
    account = fresh_account()
    made = post(aws, "seed", account=account, region="us-east-1", groups=GROUPS, versions_per_group=EACH)
    assert made == {"groups": GROUPS, "versions": GROUPS * EACH}
    return account


def listed(aws: Aws, account: str, size: int = 100, **asked: Any) -> list[str]:
    pages = aws.client("sagemaker", account).get_paginator("list_model_packages")
    found = pages.paginate(**asked, PaginationConfig={"PageSize": size})
    return [v["ModelPackageArn"] for page in found for v in page["ModelPackageSummaryList"]]


def since(moment: datetime) -> dict[str, Any]:
    value = moment.isoformat(timespec="milliseconds")
    return {"Filters": [{"Name": "LastModifiedTime", "Operator": "GreaterThanOrEqualTo", "Value": value}]}


def found(aws: Aws, account: str, size: int = 100, **asked: Any) -> tuple[list[str], int]:
    pages = list(
        aws.client("sagemaker", account)
        .get_paginator("search")
        .paginate(Resource="ModelPackage", **asked, PaginationConfig={"PageSize": size})
    )
    arns = [r["ModelPackage"]["ModelPackageArn"] for p in pages for r in p["Results"]]
    assert len({p["TotalHits"]["Value"] for p in pages}) == 1
    return arns, pages[0]["TotalHits"]["Value"]


def test_what_was_seeded_is_listed_described_and_searched(aws: Aws, account: str) -> None:
    arns = listed(aws, account, 17, ModelPackageGroupName="seeded-00003")
    assert [int(a.rsplit("/", 1)[1]) for a in arns] == list(range(1, EACH + 1))
    assert listed(aws, account, 17, ModelPackageGroupName="seeded-00003", SortOrder="Descending") == arns[::-1]
    assert listed(aws, account, 17, ModelPackageGroupName="seeded-00003", SortBy="Name") == arns
    assert len(set(listed(aws, account, ModelPackageType="Versioned"))) == GROUPS * EACH
    assert listed(aws, account) == []  # unversioned ones
    one = aws.read(arns[4], account)
    assert (one["ModelPackageVersion"], one["ModelApprovalStatus"]) == (5, "PendingManualApproval")
    every, total = found(aws, account)
    assert (len(set(every)), total) == (GROUPS * EACH, GROUPS * EACH)
    of_group = {"Filters": [{"Name": "ModelPackageGroupName", "Operator": "Equals", "Value": "seeded-00003"}]}
    assert set(found(aws, account, SearchExpression=of_group)[0]) == set(arns)
    assert aws.version("seeded-00003", account).endswith(f"/{EACH + 1}")


def test_what_was_touched_is_what_has_changed(aws: Aws, account: str) -> None:
    begun = datetime.now(UTC)
    queue = aws.listener({"source": ["aws.sagemaker"]}, account)
    touched = post(aws, "touch", account=account, region="us-east-1", versions=3)
    assert len(set(touched["arns"])) == touched["versions"] == 3
    assert {e["resources"][0] for e in aws.received(queue, account)} == set(touched["arns"])
    for order in ("Ascending", "Descending"):
        arns, total = found(aws, account, 2, SearchExpression=since(begun), SortBy="LastModifiedTime", SortOrder=order)
        assert (set(arns), total) == (set(touched["arns"]), 3)
    approved = since(begun)
    approved["Filters"].append({"Name": "ModelApprovalStatus", "Operator": "Equals", "Value": "Approved"})
    assert found(aws, account, SearchExpression=approved)[1] == 3
    either = {**since(begun + timedelta(days=1)), "Operator": "Or"}
    assert found(aws, account, SearchExpression=either)[1] == 0
    by_name = {"SearchExpression": since(begun), "SortBy": "ModelPackageArn", "SortOrder": "Ascending"}
    assert found(aws, account, 2, **by_name)[0] == sorted(touched["arns"])
    share = post(aws, "touch", account=account, fraction=0.01, prefix="seeded-00002", change={"SourceUri": "s3://x"})
    assert share["versions"] == round(EACH * 0.01)


def test_pages_go_on_while_rows_come_and_go(aws: Aws) -> None:
    account = fresh_account()
    group = aws.group(account)
    arns, sagemaker = [aws.version(group, account) for _ in range(5)], aws.client("sagemaker", account)
    asked = {"ModelPackageGroupName": group, "MaxResults": 2}
    first = sagemaker.list_model_packages(**asked)
    sagemaker.delete_model_package(ModelPackageName=arns[1])
    arns.append(aws.version(group, account))
    second = sagemaker.list_model_packages(**asked, NextToken=first["NextToken"])
    third = sagemaker.list_model_packages(**asked, NextToken=second["NextToken"])
    rest = [v["ModelPackageArn"] for p in (second, third) for v in p["ModelPackageSummaryList"]]
    assert rest == arns[2:]
    with refused("ValidationException"):
        sagemaker.list_model_packages(**asked, NextToken="garbled")


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        ("seed", {}),
        ("seed", {"account": "1"}),
        ("seed", {"account": "111111111111", "groups": -1}),
        ("seed", {"account": "111111111111", "groups": 10**6, "versions_per_group": 2}),
        ("seed", {"account": "111111111111", "prefix": "a b"}),
        ("seed", {"account": "111111111111", "nonsense": 1}),
        ("touch", {"account": "111111111111", "fraction": 2}),
        ("touch", {"account": "111111111111", "change": 1}),
    ],
)
def test_a_seed_that_makes_no_sense_is_refused(aws: Aws, path: str, wrong: dict[str, Any]) -> None:
    assert post(aws, path, 400, **wrong)["error"]


def test_a_group_is_not_seeded_twice(aws: Aws, account: str) -> None:
    assert "seeded-00001" in post(aws, "seed", 400, account=account)["error"]


@pytest.fixture
def slow_index(aws: Aws) -> Iterator[None]:
    post(aws, "settings", index_lag_seconds=0.8)
    yield
    post(aws, "settings", index_lag_seconds=0)


@pytest.mark.usefixtures("slow_index")
def test_search_is_behind_as_long_as_it_is_told(aws: Aws) -> None:
    account = fresh_account()
    post(aws, "settings", index_lag_seconds=0)
    group = aws.group(account)
    old, gone = aws.version(group, account), aws.version(group, account)
    post(aws, "settings", index_lag_seconds=0.8)
    fresh = aws.version(group, account)
    aws.update(old, account, ModelApprovalStatus="Approved")
    aws.client("sagemaker", account).delete_model_package(ModelPackageName=gone)
    aws.group(account)

    def seen() -> tuple[set[str], set[str], int]:
        sagemaker = aws.client("sagemaker", account)
        rows = [r["ModelPackage"] for r in sagemaker.search(Resource="ModelPackage")["Results"]]
        approved = {r["ModelPackageArn"] for r in rows if r["ModelApprovalStatus"] == "Approved"}
        groups = sagemaker.search(Resource="ModelPackageGroup")["TotalHits"]["Value"]
        return {r["ModelPackageArn"] for r in rows}, approved, groups

    assert seen() == ({old, gone}, set(), 1)
    assert aws.read(old, account)["ModelApprovalStatus"] == "Approved"
    assert listed(aws, account, ModelPackageGroupName=group) == [old, fresh]
    time.sleep(0.9)
    assert seen() == ({old, fresh}, {old}, 2)


def record(number: int, moment: datetime) -> dict[str, Any]:
    return {
        "ModelPackageArn": f"arn/{number:03d}",
        "ModelPackageGroupName": f"g{number % 3}",
        "ModelPackageVersion": number,
        "CreationTime": moment,
        "LastModifiedTime": moment,
    }


def test_an_order_agrees_with_sorting() -> None:
    chance, start = random.Random(7), datetime(2024, 1, 1, tzinfo=UTC)
    packages = Packages()
    for number in chance.sample(range(200), 200):
        packages[f"arn/{number:03d}"] = record(number, start + timedelta(seconds=number // 4))
    for arn in chance.sample(sorted(packages), 60):
        del packages[arn]
    for arn in chance.sample(sorted(packages), 40):
        when = start + timedelta(minutes=chance.randrange(30))
        packages.change(packages[arn], partial(packages[arn].update, LastModifiedTime=when))
    for order, rows in (
        (packages.created, packages.values()),
        (packages.modified, packages.values()),
        (packages.of_group("g1"), [r for r in packages.values() if r["ModelPackageGroupName"] == "g1"]),
    ):
        member = order.member
        wanted = sorted(rows, key=lambda r: (r[member], r["ModelPackageVersion"]))
        assert order.rows(0, len(order)) == wanted
        after, before = start + timedelta(seconds=20), start + timedelta(seconds=900)
        low, high = order.within(after, before)
        assert order.rows(low, high) == [r for r in wanted if after < r[member] < before]
        low, high = order.within(after, before, with_after=True, with_before=True)
        assert order.rows(low, high) == [r for r in wanted if after <= r[member] <= before]
    assert Ordered("CreationTime").within() == (0, 0)
