"""CloudWatch over recorded shapes: pages joined, partial answers said to be partial, and nothing taken for zero."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from registry.aws import cloudwatch
from registry.aws.cloudwatch import INSTANCES, MODEL_QUALITY, QUERIES_A_CALL, SAGEMAKER, EndpointMetric
from registry.aws.errors import AwsDenied, AwsUnavailable
from registry.aws.session import AwsSession
from tests.aws.wire import Wire

BEGIN = datetime(2026, 3, 2, 8, tzinfo=UTC)
END = BEGIN + timedelta(hours=4)
CALLS = EndpointMetric(SAGEMAKER, "Invocations", "credit", "AllTraffic")
LATENCY = EndpointMetric(SAGEMAKER, "ModelLatency", "credit", "AllTraffic")
AUC = EndpointMetric(MODEL_QUALITY, "auc", "credit", schedule="quality")


def result(place: int, hours: list[float], values: list[float], state: str = "Complete", *said: str) -> dict[str, Any]:
    return {
        "Id": f"m{place}",
        "Label": "x",
        "Timestamps": [BEGIN + timedelta(hours=hour) for hour in hours],
        "Values": values,
        "StatusCode": state,
        "Messages": [{"Code": "Note", "Value": text} for text in said],
    }


def test_pages_are_joined_and_hours_without_data_have_no_point(wire: Wire, session: AwsSession) -> None:
    first = [result(0, [0, 1], [3, 0], "PartialData"), result(1, [], [])]
    wire.answer("cloudwatch", "GetMetricData", {"MetricDataResults": first, "NextToken": "t"})
    wire.answer("cloudwatch", "GetMetricData", {"MetricDataResults": [result(0, [3.5], [7])]})
    found = cloudwatch.hourly(session, [CALLS, AUC], BEGIN, END)
    hours = [(at - BEGIN) / timedelta(hours=1) for at, _ in found[0].points]
    assert (hours, [value for _, value in found[0].points]) == ([0, 1, 3], [3, 0, 7])
    assert (found[1].points, [one.problem for one in found]) == ((), ["", ""])
    asked = wire.asked("GetMetricData")[0]["MetricDataQueries"]
    assert [one["MetricStat"]["Stat"] for one in asked] == ["Sum", "Average"]
    assert asked[1]["MetricStat"]["Metric"]["Dimensions"] == [
        {"Name": "Endpoint", "Value": "credit"},
        {"Name": "MonitoringSchedule", "Value": "quality"},
    ]


def test_what_was_not_answered_in_full_says_so_and_keeps_what_it_has(wire: Wire, session: AwsSession) -> None:
    answered = [result(0, [0], [3], "PartialData"), result(1, [0], [1], "Forbidden", "no access")]
    wire.answer("cloudwatch", "GetMetricData", {"MetricDataResults": answered})
    found = cloudwatch.hourly(session, [CALLS, LATENCY, AUC], BEGIN, END)
    assert [len(one.points) for one in found] == [1, 1, 0]
    assert [one.problem for one in found] == [
        "CloudWatch gave only a part of the points.",
        "CloudWatch refused this metric. Note: no access.",
        "CloudWatch did not answer for this metric.",
    ]


def test_a_message_about_the_whole_answer_is_told_of_each(wire: Wire, session: AwsSession) -> None:
    said = [{"Code": "MaxMetricsExceeded", "Value": "too many"}]
    wire.answer("cloudwatch", "GetMetricData", {"MetricDataResults": [result(0, [0], [3])], "Messages": said})
    (found,) = cloudwatch.hourly(session, [CALLS], BEGIN, END)
    assert found.problem == "CloudWatch answered with a remark. MaxMetricsExceeded: too many."


def test_no_call_asks_for_more_than_cloudwatch_takes(wire: Wire, session: AwsSession) -> None:
    many = [EndpointMetric(SAGEMAKER, "Invocations", f"e{number}", "v") for number in range(QUERIES_A_CALL + 1)]
    wire.answer("cloudwatch", "GetMetricData", {"MetricDataResults": []}, times=2)
    assert len(cloudwatch.hourly(session, many, BEGIN, END)) == len(many)
    assert [len(one["MetricDataQueries"]) for one in wire.asked("GetMetricData")] == [QUERIES_A_CALL, 1]
    # Ninety days are asked for so that one answer holds them: no more lies in memory at once.
    assert cloudwatch.queries_a_call(BEGIN - timedelta(days=90), BEGIN) == 46


def test_an_answer_to_something_else_is_left_alone(wire: Wire, session: AwsSession) -> None:
    odd = {**result(0, [0], [3]), "Id": "else"}
    wire.answer("cloudwatch", "GetMetricData", {"MetricDataResults": [odd, result(9, [0], [3])]})
    (found,) = cloudwatch.hourly(session, [CALLS], BEGIN, END)
    assert (found.points, found.problem) == ((), "CloudWatch did not answer for this metric.")


def test_pages_that_never_end_are_named(wire: Wire, session: AwsSession) -> None:
    wire.answer("cloudwatch", "GetMetricData", {"MetricDataResults": [], "NextToken": "t"}, times=2)
    with pytest.raises(AwsUnavailable, match="same page token twice"):
        cloudwatch.hourly(session, [CALLS], BEGIN, END)


def test_metrics_are_those_of_variants_and_schedules_alone(wire: Wire, session: AwsSession) -> None:
    def metric(namespace: str, name: str, **dimensions: str) -> dict[str, Any]:
        named = [{"Name": key, "Value": value} for key, value in dimensions.items()]
        return {"Namespace": namespace, "MetricName": name, "Dimensions": named}

    variant = {"EndpointName": "credit", "VariantName": "AllTraffic"}
    counted = [
        metric(SAGEMAKER, "Invocations", **variant),
        metric(SAGEMAKER, "Invocations", **variant, ModelName="one of many"),
        metric(SAGEMAKER, "Unheard", **variant),
    ]
    wire.answer("cloudwatch", "ListMetrics", {"Metrics": counted[:1], "NextToken": "t"})
    wire.answer("cloudwatch", "ListMetrics", {"Metrics": counted})
    wire.answer("cloudwatch", "ListMetrics", {"Metrics": [metric(INSTANCES, "CPUUtilization", **variant)]})
    quality = metric(MODEL_QUALITY, "auc", Endpoint="credit", MonitoringSchedule="quality")
    wire.answer("cloudwatch", "ListMetrics", {"Metrics": [quality, metric(MODEL_QUALITY, "auc", Endpoint="credit")]})
    found = cloudwatch.endpoint_metrics(session)
    assert found == [CALLS, EndpointMetric(INSTANCES, "CPUUtilization", "credit", "AllTraffic"), AUC]


def test_a_refusal_is_said_in_cloudwatchs_words(wire: Wire, session: AwsSession) -> None:
    wire.refuse("GetMetricData", "AccessDenied", "not authorized to perform cloudwatch:GetMetricData")
    with pytest.raises(AwsDenied, match="not authorized"):
        cloudwatch.hourly(session, [CALLS], BEGIN, END)
