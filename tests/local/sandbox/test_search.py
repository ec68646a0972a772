"""Search: every operator, sub-expressions, sorting, paging, and whose rows are seen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from tests.local.sandbox.world import DEVELOPMENT, Aws, fresh_account, refused, unique

Filter = dict[str, Any]


@dataclass
class Registry:
    """An account with five versions, numbered 1 to 5 and told apart by their metadata."""

    aws: Aws
    account: str
    arns: list[str]

    def page(self, *filters: Filter, resource: str = "ModelPackage", **more: Any) -> dict[str, Any]:
        expression = more.pop("SearchExpression", None) or ({"Filters": list(filters)} if filters else None)
        asked = {"SearchExpression": expression} if expression else {}
        return dict(self.aws.client("sagemaker", self.account).search(Resource=resource, **asked, **more))

    def numbers(self, *filters: Filter, **more: Any) -> list[int]:
        return [r["ModelPackage"]["ModelPackageVersion"] for r in self.page(*filters, **more)["Results"]]

    def found(self, name: str, operator: str | None = None, value: str | None = None) -> set[int]:
        one = {"Name": name, "Operator": operator, "Value": value}
        return set(self.numbers({k: v for k, v in one.items() if v is not None}))


@pytest.fixture(scope="module")
def registry(aws: Aws) -> Registry:
    account = fresh_account()
    group = aws.group(account, name="credit", Tags=[{"Key": "project", "Value": "credit"}])
    aws.group(account, name="empty")
    arns = []
    for number in range(1, 6):
        more: dict[str, Any] = {"CustomerMetadataProperties": {"rank": f"r{number}", "a.dotted.key": "yes"}}
        if number >= 4:
            more["ModelLifeCycle"] = {"Stage": "QA" if number == 4 else "Production", "StageStatus": "Approved"}
        arns.append(aws.version(group, account, **more))
    return Registry(aws, account, arns)


@pytest.mark.parametrize(
    ("name", "operator", "value", "expected"),
    [
        ("ModelLifeCycle.Stage", "Equals", "QA", {4}),
        ("ModelLifeCycle.Stage", None, "QA", {4}),
        ("ModelLifeCycle.Stage", "NotEquals", "QA", {1, 2, 3, 5}),
        ("ModelLifeCycle.Stage", "Exists", None, {4, 5}),
        ("ModelLifeCycle.Stage", None, None, {4, 5}),
        ("ModelLifeCycle.Stage", "NotExists", None, {1, 2, 3}),
        ("ModelLifeCycle.Stage", "In", "QA, Production", {4, 5}),
        ("CustomerMetadataProperties.rank", "Contains", "r2", {2}),
        ("CustomerMetadataProperties.a.dotted.key", "Equals", "yes", {1, 2, 3, 4, 5}),
        ("ModelPackageVersion", "Equals", "3", {3}),
        ("ModelPackageVersion", "In", "1,5", {1, 5}),
        ("ModelPackageVersion", "GreaterThan", "3", {4, 5}),
        ("ModelPackageVersion", "GreaterThanOrEqualTo", "3", {3, 4, 5}),
        ("ModelPackageVersion", "LessThan", "3", {1, 2}),
        ("ModelPackageVersion", "LessThanOrEqualTo", "3", {1, 2, 3}),
        ("CertifyForMarketplace", "Equals", "false", {1, 2, 3, 4, 5}),
        ("CreationTime", "GreaterThan", "2020-01-01T00:00:00", {1, 2, 3, 4, 5}),
        ("CreationTime", "LessThan", "2020-01-01T00:00:00Z", set()),
        ("InferenceSpecification.Containers.Image", "Contains", "xgboost", {1, 2, 3, 4, 5}),
    ],
)
def test_an_operator(
    registry: Registry, name: str, operator: str | None, value: str | None, expected: set[int]
) -> None:
    assert registry.found(name, operator, value) == expected


def test_what_changed_since_a_moment_is_found_in_its_order(registry: Registry, aws: Aws) -> None:
    third, first = registry.arns[2], registry.arns[0]
    for arn in (third, first):
        aws.update(arn, registry.account, ApprovalDescription=unique("note"))
    before = aws.read(third, registry.account)["LastModifiedTime"] - timedelta(milliseconds=1)
    since = {"Name": "LastModifiedTime", "Operator": "GreaterThan", "Value": before.isoformat(timespec="milliseconds")}
    assert registry.numbers(since, SortBy="LastModifiedTime", SortOrder="Ascending") == [3, 1]
    assert registry.numbers(since) == [1, 3]


def test_filters_join_by_and_or_and_nest(registry: Registry) -> None:
    low = {"Name": "ModelPackageVersion", "Operator": "LessThan", "Value": "2"}
    high = {"Name": "ModelPackageVersion", "Operator": "GreaterThan", "Value": "4"}
    staged = {"Name": "ModelLifeCycle.Stage", "Operator": "Exists"}
    assert registry.numbers(low, high) == []
    assert set(registry.numbers(SearchExpression={"Filters": [low, high], "Operator": "Or"})) == {1, 5}
    either = {"Filters": [low, high], "Operator": "Or"}
    assert registry.numbers(SearchExpression={"Filters": [staged], "SubExpressions": [either]}) == [5]
    nested = {
        "NestedPropertyName": "InferenceSpecification.Containers",
        "Filters": [{"Name": "InferenceSpecification.Containers.Image", "Operator": "Contains", "Value": "nothing"}],
    }
    assert registry.numbers(SearchExpression={"NestedFilters": [nested]}) == []


def test_results_are_sorted_by_any_property(registry: Registry) -> None:
    by_rank = {"SortBy": "CustomerMetadataProperties.rank"}
    assert registry.numbers(**by_rank, SortOrder="Ascending") == [1, 2, 3, 4, 5]
    assert registry.numbers(**by_rank, SortOrder="Descending") == [5, 4, 3, 2, 1]
    assert registry.numbers(SortBy="ModelLifeCycle.Stage", SortOrder="Descending")[:2] == [4, 5]


def test_pages_hold_every_row_once(registry: Registry) -> None:
    paginator = registry.aws.client("sagemaker", registry.account).get_paginator("search")
    pages = list(paginator.paginate(Resource="ModelPackage", PaginationConfig={"PageSize": 2}))
    assert [len(p["Results"]) for p in pages] == [2, 2, 1]
    assert {p["TotalHits"]["Value"] for p in pages} == {5}
    assert {r["ModelPackage"]["ModelPackageArn"] for p in pages for r in p["Results"]} == set(registry.arns)


def test_a_row_is_the_whole_record(registry: Registry) -> None:
    (row,) = registry.page({"Name": "ModelPackageVersion", "Value": "5"})["Results"]
    found = row["ModelPackage"]
    described = registry.aws.read(registry.arns[4], registry.account)
    assert {k: v for k, v in found.items() if k != "Tags"} == described


def test_groups_are_searched_by_tag_and_name(registry: Registry) -> None:
    def names(*filters: Filter) -> list[str]:
        rows = registry.page(*filters, resource="ModelPackageGroup")["Results"]
        return [r["ModelPackageGroup"]["ModelPackageGroupName"] for r in rows]

    assert names({"Name": "Tags.project", "Operator": "Equals", "Value": "credit"}) == ["credit"]
    assert names({"Name": "Tags.project", "Operator": "NotEquals", "Value": "credit"}) == ["empty"]
    assert names({"Name": "ModelPackageGroupName", "Operator": "Contains", "Value": "em"}) == ["empty"]
    assert names() == ["empty", "credit"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"Name": "NoSuchProperty", "Operator": "Equals", "Value": "1"},
        {"Name": "LastModifiedTime", "Operator": "GreaterThan", "Value": "yesterday"},
        {"Name": "ModelPackageVersion", "Operator": "Equals", "Value": "three"},
        {"Name": "ModelApprovalStatus", "Operator": "GreaterThan", "Value": "Approved"},
        {"Name": "ModelPackageVersion", "Operator": "Contains", "Value": "1"},
        {"Name": "ModelApprovalStatus", "Operator": "Equals"},
        {"Name": "ModelApprovalStatus", "Operator": "Like", "Value": "A"},
    ],
)
def test_a_question_that_makes_no_sense_is_refused(registry: Registry, wrong: Filter) -> None:
    with refused("ValidationException"):
        registry.page(wrong)


def test_more_than_fifty_filters_are_refused(registry: Registry) -> None:
    seventeen = {"Filters": [{"Name": "ModelPackageArn", "Operator": "Exists"}] * 17}
    with refused("ValidationException") as message:
        registry.page(SearchExpression={"SubExpressions": [seventeen] * 3})
    assert "51" in message()


def test_a_token_belongs_to_its_question(registry: Registry) -> None:
    token = registry.page(MaxResults=2)["NextToken"]
    with refused("ValidationException"):
        registry.page(MaxResults=2, NextToken=token, SortOrder="Ascending")


def test_cross_account_finds_the_shared_and_nothing_else(aws: Aws) -> None:
    consumer = fresh_account()
    own = aws.version(aws.group(consumer), consumer)
    group = aws.group()
    arns = {aws.version(group), aws.version(group)}
    aws.version(aws.group())  # of the hub too, and not shared
    sagemaker = aws.client("sagemaker", consumer)

    def found(resource: str, **asked: str) -> set[str]:
        results = sagemaker.search(Resource=resource, **asked)["Results"]
        return {row[resource][f"{resource}Arn"] for row in results}

    assert found("ModelPackage", CrossAccountFilterOption="CrossAccount") == set()
    aws.share(group, consumer)
    assert found("ModelPackage", CrossAccountFilterOption="CrossAccount") == arns
    assert found("ModelPackageGroup", CrossAccountFilterOption="CrossAccount") == {group}
    assert found("ModelPackage") == {own}
    assert found("ModelPackage", CrossAccountFilterOption="SameAccount") == {own}
    assert group not in {
        row["ModelPackageGroup"]["ModelPackageGroupArn"]
        for row in aws.client("sagemaker", DEVELOPMENT).search(Resource="ModelPackageGroup")["Results"]
    }
