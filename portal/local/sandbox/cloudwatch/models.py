"""Keep what was put of each metric by second, so that a week of hours of many metrics is read at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from moto.cloudwatch.exceptions import InvalidParameterValue
from moto.cloudwatch.models import CloudWatchBackend

Dimensions = tuple[tuple[str, str], ...]
Series = tuple[str, str, Dimensions]
# Count, sum, least and most of what was put within one second.
Held = tuple[float, float, float, float]

STATISTICS = ("SampleCount", "Average", "Sum", "Minimum", "Maximum")


class SandboxCloudWatchBackend(CloudWatchBackend):
    """CloudWatch of one account and region: metrics; alarms and dashboards are stock moto's."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.series: dict[Series, dict[int, Held]] = {}

    def put_metric_data(self, namespace: str, metric_data: list[dict[str, Any]]) -> None:
        """Keep values, lists of values and statistic sets. Source: CloudWatch PutMetricData.

        Raises InvalidParameterValue and InvalidParameterCombination as stock moto does, and then keeps nothing.
        """
        for number, datum in enumerate(metric_data, start=1):
            self._validate_parameters_put_metric_data(datum, number)
        for datum in metric_data:
            held = self.series.setdefault((namespace, datum["MetricName"], dimensions_of(datum)), {})
            second = int((datum.get("Timestamp") or datetime.now(UTC)).timestamp())
            held[second] = _joined(held.get(second), _held(datum))

    def metrics(self, namespace: str | None, name: str | None, wanted: Sequence[Mapping[str, Any]]) -> list[Series]:
        """Return the series of a namespace, name and dimensions; a dimension without value asks for its name alone."""
        return [
            series
            for series in sorted(self.series)
            if (not namespace or series[0] == namespace)
            and (not name or series[1] == name)
            and all(_has(series[2], one) for one in wanted)
        ]

    def points(self, stat: Mapping[str, Any], start: datetime, end: datetime) -> list[tuple[datetime, float]]:
        """Return a statistic of a metric by period, oldest first: a period without data has no point.

        Raises InvalidParameterValue for a statistic the sandbox does not compute.
        """
        if stat["Stat"] not in STATISTICS:
            raise InvalidParameterValue(f"The sandbox computes {', '.join(STATISTICS)}, and not {stat['Stat']}.")
        metric, period = stat["Metric"], int(stat["Period"])
        held = self.series.get((metric["Namespace"], metric["MetricName"], dimensions_of(metric)), {})
        periods: dict[int, Held] = {}
        for second, values in held.items():
            if start.timestamp() <= second < end.timestamp():
                begins = second - second % period
                periods[begins] = _joined(periods.get(begins), values)
        return [
            (datetime.fromtimestamp(begins, UTC), _statistic(stat["Stat"], periods[begins]))
            for begins in sorted(periods)
        ]


def dimensions_of(named: Mapping[str, Any]) -> Dimensions:
    """Return the dimensions of a datum or a metric in one order, as CloudWatch tells metrics apart by them."""
    return tuple(sorted((one["Name"], one["Value"]) for one in named.get("Dimensions") or []))


def _has(dimensions: Dimensions, wanted: Mapping[str, Any]) -> bool:
    name, value = wanted["Name"], wanted.get("Value")
    return any(one == name and value in (None, "", found) for one, found in dimensions)


def _held(datum: Mapping[str, Any]) -> Held:
    if given := datum.get("StatisticValues"):
        return (
            float(given["SampleCount"]), float(given["Sum"]), float(given["Minimum"]), float(given["Maximum"])
        )  # fmt: skip
    values = [float(value) for value in datum.get("Values") or [datum.get("Value", 0)]]
    counts = [float(count) for count in datum.get("Counts") or [1] * len(values)]
    total = sum(value * count for value, count in zip(values, counts, strict=True))
    return sum(counts), total, min(values), max(values)


def _joined(one: Held | None, other: Held) -> Held:
    if one is None:
        return other
    return one[0] + other[0], one[1] + other[1], min(one[2], other[2]), max(one[3], other[3])


def _statistic(name: str, held: Held) -> float:
    count, total, least, most = held
    by_name = {"SampleCount": count, "Sum": total, "Minimum": least, "Maximum": most}
    return by_name[name] if name in by_name else total / count if count else 0.0
