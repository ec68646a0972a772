"""CloudWatch in the sandbox: series put and read back, page by page, with gaps, and kept over a restart."""

from __future__ import annotations

import signal
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.local.sandbox.world import Aws, fresh_account, refused

BEGIN = datetime(2026, 3, 2, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)
NAMESPACE = "AWS/SageMaker"
DIMENSIONS = [{"Name": "EndpointName", "Value": "credit-risk"}, {"Name": "VariantName", "Value": "AllTraffic"}]


def datum(hours: float, value: float, name: str = "Invocations") -> dict[str, Any]:
    return {"MetricName": name, "Dimensions": DIMENSIONS, "Timestamp": BEGIN + hours * HOUR, "Value": value}


def query(number: int, name: str = "Invocations", stat: str = "Sum") -> dict[str, Any]:
    metric = {"Namespace": NAMESPACE, "MetricName": name, "Dimensions": DIMENSIONS[::-1]}
    return {"Id": f"q{number}", "MetricStat": {"Metric": metric, "Period": 3600, "Stat": stat}}


def asked(client: Any, *queries: dict[str, Any], **more: Any) -> Any:
    return client.get_metric_data(
        MetricDataQueries=list(queries), StartTime=BEGIN, EndTime=BEGIN + 24 * HOUR, ScanBy="TimestampAscending", **more
    )


def test_hours_without_data_are_left_out_and_the_rest_is_summed(aws: Aws) -> None:
    client = aws.client("cloudwatch", fresh_account())
    client.put_metric_data(Namespace=NAMESPACE, MetricData=[datum(0.1, 2), datum(0.9, 3), datum(2, 0)])
    statistic = {"SampleCount": 4, "Sum": 10, "Minimum": 1, "Maximum": 4}
    given = {"MetricName": "ModelLatency", "Dimensions": DIMENSIONS, "Timestamp": BEGIN, "StatisticValues": statistic}
    client.put_metric_data(Namespace=NAMESPACE, MetricData=[given])
    answer = asked(client, query(1), query(2, "ModelLatency", "Average"), query(3, "Invocation5XXErrors"))
    found = {one["Id"]: one for one in answer["MetricDataResults"]}
    assert found["q1"]["Timestamps"] == [BEGIN, BEGIN + 2 * HOUR]
    assert found["q1"]["Values"] == [5, 0]
    assert found["q2"]["Values"] == [2.5]
    assert found["q3"]["Values"] == []
    assert {one["StatusCode"] for one in found.values()} == {"Complete"}


def test_points_come_page_by_page_and_say_that_more_follow(aws: Aws) -> None:
    client = aws.client("cloudwatch", fresh_account())
    # So much that the client compresses what it sends.
    client.put_metric_data(
        Namespace=NAMESPACE,
        MetricData=[datum(hour, hour, name) for hour in range(24) for name in ("Invocations", "OverheadLatency", "X")],
    )
    pages = [asked(client, query(1), query(2, "OverheadLatency"), MaxDatapoints=30)]
    while token := pages[-1].get("NextToken"):
        pages.append(asked(client, query(1), query(2, "OverheadLatency"), MaxDatapoints=30, NextToken=token))
    said = [[(one["Id"], len(one["Values"]), one["StatusCode"]) for one in p["MetricDataResults"]] for p in pages]
    assert said == [[("q1", 24, "Complete"), ("q2", 6, "PartialData")], [("q2", 18, "Complete")]]
    with refused("InvalidParameterValue"):
        asked(client, query(1), MaxDatapoints=30, NextToken=pages[0]["NextToken"])
    with refused("ValidationError"):
        asked(client, *[query(number) for number in range(501)])


def test_metrics_are_named_by_namespace_and_dimension_and_kept(aws: Aws) -> None:
    account = fresh_account()
    client = aws.client("cloudwatch", account)
    client.put_metric_data(Namespace=NAMESPACE, MetricData=[datum(0, 1), datum(0, 1, "ModelLatency")])
    client.put_metric_data(Namespace="Other", MetricData=[{"MetricName": "Invocations", "Value": 1}])
    aws.stop(signal.SIGKILL)
    aws.start()
    found = client.list_metrics(Namespace=NAMESPACE, Dimensions=[{"Name": "EndpointName"}])["Metrics"]
    assert [one["MetricName"] for one in found] == ["Invocations", "ModelLatency"]
    assert found[0]["Dimensions"] == DIMENSIONS
    assert client.list_metrics(MetricName="Invocations", Namespace="Other")["Metrics"][0]["Dimensions"] == []
    assert asked(client, query(1))["MetricDataResults"][0]["Values"] == [1]
