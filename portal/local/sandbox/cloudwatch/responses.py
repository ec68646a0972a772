"""Answer CloudWatch's ListMetrics and GetMetricData page by page; the other operations are stock moto's."""

from __future__ import annotations

from typing import Any, cast

from moto.cloudwatch.exceptions import InvalidParameterValue, ValidationError
from moto.cloudwatch.responses import CloudWatchResponse
from moto.core.responses import ActionResult

from ..pages import BadToken, binding, cut
from .models import SandboxCloudWatchBackend

MOST_QUERIES = 500
MOST_DATAPOINTS = 100_800
_METRICS_A_PAGE = 500


class SandboxCloudWatchResponse(CloudWatchResponse):
    """CloudWatch over HTTP."""

    @property
    def own(self) -> SandboxCloudWatchBackend:
        return cast("SandboxCloudWatchBackend", self.cloudwatch_backend)

    def list_metrics(self) -> ActionResult:
        """Name the metrics there are, 500 a page. Source: CloudWatch ListMetrics."""
        p: dict[str, Any] = self._get_params()
        found = self.own.metrics(p.get("Namespace"), p.get("MetricName"), p.get("Dimensions") or [])
        rows = [
            {
                "Namespace": namespace,
                "MetricName": name,
                "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions],
            }
            for namespace, name, dimensions in found
        ]
        page, token = self._cut(list(enumerate(rows)), _METRICS_A_PAGE, p)
        return ActionResult({"Metrics": [row for _, row in page], "NextToken": token})

    def get_metric_data(self) -> ActionResult:
        """Give the points of up to 500 queries, `MaxDatapoints` a page. Source: CloudWatch GetMetricData.

        A query whose points go on in the next page is "PartialData". Raises ValidationError for more queries, for a
        query that is no MetricStat, and for a time that ends before it begins.
        """
        p: dict[str, Any] = self._get_params()
        queries = p.get("MetricDataQueries") or []
        if len(queries) > MOST_QUERIES:
            raise ValidationError(f"The collection MetricDataQueries must not have a size greater than {MOST_QUERIES}.")
        if any("MetricStat" not in query for query in queries):
            raise ValidationError("The parameter MetricDataQueries.member.1.MetricStat is required.\n")
        start, end = p["StartTime"], p["EndTime"]
        if start >= end:
            raise ValidationError("The parameter EndTime must be greater than StartTime.")
        newest_first = p.get("ScanBy") != "TimestampAscending"
        rows = []
        for place, query in enumerate(queries):
            points = self.own.points(query["MetricStat"], start, end)
            rows += [(place, point) for point in (reversed(points) if newest_first else points)]
        page, token = self._cut(list(enumerate(rows)), min(int(p.get("MaxDatapoints") or 500), MOST_DATAPOINTS), p)
        told = {row[0] for _, row in page}
        beyond = {row[0] for _, row in list(enumerate(rows))[page[-1][0] + 1 :]} if page else set()
        results = []
        for place, query in enumerate(queries):
            if place in beyond and place not in told:
                continue
            own = [point for _, (at, point) in page if at == place]
            if not own and p.get("NextToken"):
                continue
            results.append(
                {
                    "Id": query["Id"],
                    "Label": query.get("Label") or query["MetricStat"]["Metric"]["MetricName"],
                    "Timestamps": [at for at, _ in own],
                    "Values": [value for _, value in own],
                    "StatusCode": "PartialData" if place in beyond else "Complete",
                }
            )
        return ActionResult({"MetricDataResults": results, "NextToken": token, "Messages": []})

    @staticmethod
    def _cut(rows: list[tuple[int, Any]], limit: int, p: dict[str, Any]) -> tuple[list[tuple[int, Any]], str | None]:
        bound = binding({k: v for k, v in p.items() if k not in ("NextToken", "MaxDatapoints")})
        try:
            return cut(rows, lambda row: [row[0]], limit, p.get("NextToken"), bound)
        except BadToken:
            raise InvalidParameterValue("Request parameter NextToken is invalid") from None
