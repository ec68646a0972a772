"""Read what CloudWatch counted of endpoints, hour by hour.

An hour nothing was counted in has no point: it is a gap, and never zero. Sources: "Amazon SageMaker AI metrics in
Amazon CloudWatch" of SageMaker's developer guide (namespaces, dimensions, units); CloudWatch ListMetrics,
GetMetricData.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from registry.aws.session import AwsSession, pages

SAGEMAKER = "AWS/SageMaker"
INSTANCES = "/aws/sagemaker/Endpoints"
MODEL_QUALITY = "aws/sagemaker/Endpoints/model-metrics"
HOUR = 3600
# What one GetMetricData takes.
QUERIES_A_CALL = 500
_MOST_DATAPOINTS = 100_800
# What SageMaker counts of an endpoint and how an hour of it is summed up.
STATISTICS: Mapping[tuple[str, str], str] = {
    (SAGEMAKER, "Invocations"): "Sum",
    (SAGEMAKER, "Invocation4XXErrors"): "Sum",
    (SAGEMAKER, "Invocation5XXErrors"): "Sum",
    (SAGEMAKER, "ModelLatency"): "Average",
    (SAGEMAKER, "OverheadLatency"): "Average",
    (INSTANCES, "CPUUtilization"): "Average",
    (INSTANCES, "MemoryUtilization"): "Average",
    (INSTANCES, "DiskUtilization"): "Average",
    (INSTANCES, "GPUUtilization"): "Average",
}
_COMPLETE, _MORE = "Complete", "PartialData"


@dataclass(frozen=True, slots=True)
class EndpointMetric:
    """One metric of an endpoint: of a variant, or of a monitoring schedule when it is one of model quality."""

    namespace: str
    name: str
    endpoint: str
    variant: str = ""
    schedule: str = ""

    @property
    def statistic(self) -> str:
        """How an hour is summed up: the sum of what is counted, the average of what is measured."""
        return STATISTICS.get((self.namespace, self.name), "Average")

    @property
    def dimensions(self) -> list[dict[str, str]]:
        """The dimensions CloudWatch has the metric under; another set of dimensions is another metric."""
        if self.namespace == MODEL_QUALITY:
            named = {"Endpoint": self.endpoint, "MonitoringSchedule": self.schedule}
        else:
            named = {"EndpointName": self.endpoint, "VariantName": self.variant}
        return [{"Name": name, "Value": value} for name, value in named.items()]


@dataclass(frozen=True, slots=True)
class Series:
    """The hours of a metric that have data, oldest first: when each began (UTC), and its statistic.

    `problem` says why it may lack some, "" when it is whole.
    """

    metric: EndpointMetric
    points: tuple[tuple[datetime, float], ...]
    problem: str = ""


def endpoint_metrics(session: AwsSession) -> list[EndpointMetric]:
    """Return the metrics that had data of any endpoint within the last two weeks, those this module knows.

    What CloudWatch has under further dimensions (one instance, one container) is left out. Raises AwsError.
    Source: cloudwatch ListMetrics.
    """
    found: dict[EndpointMetric, None] = {}
    call = session.cloudwatch.list_metrics
    for namespace in (SAGEMAKER, INSTANCES, MODEL_QUALITY):
        dimension = "Endpoint" if namespace == MODEL_QUALITY else "EndpointName"
        request = {"Namespace": namespace, "Dimensions": [{"Name": dimension}]}
        for page in pages(session, "cloudwatch", "ListMetrics", call, request):
            for entry in page.get("Metrics", ()):
                metric = _metric(entry)
                if metric is not None:
                    found.setdefault(metric)
    return list(found)


def _metric(entry: Mapping[str, Any]) -> EndpointMetric | None:
    namespace, name = entry["Namespace"], entry["MetricName"]
    named = {one["Name"]: one["Value"] for one in entry.get("Dimensions", ())}
    if namespace == MODEL_QUALITY:
        if set(named) != {"Endpoint", "MonitoringSchedule"}:
            return None
        return EndpointMetric(namespace, name, named["Endpoint"], schedule=named["MonitoringSchedule"])
    if (namespace, name) not in STATISTICS or set(named) != {"EndpointName", "VariantName"}:
        return None
    return EndpointMetric(namespace, name, named["EndpointName"], variant=named["VariantName"])


def hourly(session: AwsSession, metrics: Sequence[EndpointMetric], start: datetime, end: datetime) -> list[Series]:
    """Return the hours of each metric from `start` up to `end`, both full hours, in the order of `metrics`.

    Asks for as many metrics a call as one page holds, and follows the pages. A series CloudWatch did not answer in full
    says so in `problem` and keeps what it has. Raises AwsError when a call fails. Source: cloudwatch GetMetricData.
    """
    found: list[Series] = []
    size = queries_a_call(start, end)
    for first in range(0, len(metrics), size):
        found += _batch(session, metrics[first : first + size], start, end)
    return found


def queries_a_call(start: datetime, end: datetime) -> int:
    """Return how many metrics are asked for at once: what one answer can hold of these hours, at most 500."""
    hours = max(1, int((end - start).total_seconds() // HOUR))
    return max(1, min(QUERIES_A_CALL, _MOST_DATAPOINTS // hours))


def _batch(session: AwsSession, metrics: Sequence[EndpointMetric], start: datetime, end: datetime) -> list[Series]:
    request = {
        "MetricDataQueries": [_query(place, metric) for place, metric in enumerate(metrics)],
        "StartTime": start,
        "EndTime": end,
        "ScanBy": "TimestampAscending",
        "MaxDatapoints": _MOST_DATAPOINTS,
    }
    places = {f"m{place}": place for place in range(len(metrics))}
    points: list[dict[datetime, float]] = [{} for _ in metrics]
    # A query no page has a word of was not answered.
    states: list[str] = ["NotAnswered"] * len(metrics)
    said: list[list[str]] = [[] for _ in metrics]
    general: list[str] = []
    call = session.cloudwatch.get_metric_data
    for page in pages(session, "cloudwatch", "GetMetricData", call, request):
        general += [_words(message) for message in page.get("Messages") or ()]
        for result in page.get("MetricDataResults") or ():
            place = places.get(result["Id"])
            if place is None:  # of nothing that was asked for
                continue
            states[place] = result.get("StatusCode") or _COMPLETE
            said[place] += [_words(message) for message in result.get("Messages") or ()]
            for at, value in zip(result.get("Timestamps") or (), result.get("Values") or (), strict=False):
                if math.isfinite(value):
                    begins = at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
                    points[place][begins] = float(value)
    return [
        Series(metric, tuple(sorted(points[place].items())), _problem(states[place], [*said[place], *general]))
        for place, metric in enumerate(metrics)
    ]


def _query(place: int, metric: EndpointMetric) -> dict[str, Any]:
    named = {"Namespace": metric.namespace, "MetricName": metric.name, "Dimensions": metric.dimensions}
    return {"Id": f"m{place}", "MetricStat": {"Metric": named, "Period": HOUR, "Stat": metric.statistic}}


def _words(message: Mapping[str, Any]) -> str:
    return f"{message.get('Code', '')}: {message.get('Value', '')}".strip(": ")


def _problem(state: str, messages: Sequence[str]) -> str:
    """Say what CloudWatch said is wrong. "PartialData" on the last page is not followed by the rest."""
    told = list(dict.fromkeys(message for message in messages if message))
    if state == _COMPLETE and not told:
        return ""
    why = {
        _COMPLETE: "CloudWatch answered with a remark",
        _MORE: "CloudWatch gave only a part of the points",
        "Forbidden": "CloudWatch refused this metric",
        "NotAnswered": "CloudWatch did not answer for this metric",
    }.get(state, f"CloudWatch answered {state}")
    return ". ".join([why, *told]).rstrip(".") + "."
