"""A week of what CloudWatch counts of the credit-risk endpoints, with a night nothing was counted in."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from governance.services import readings
from registry.aws.cloudwatch import INSTANCES, MODEL_QUALITY, SAGEMAKER
from registry.choices import SyncKind
from registry.models import Endpoint, EndpointVariant

from .. import demo_roles

HOURS = 7 * 24
# The endpoint was rebuilt: for these hours before now nobody counted anything.
_GAP = range(61, 53, -1)
_BATCH = 500
_SCHEDULE = "credit-risk-model-quality"


def show(name: str) -> None:
    """Put a week of hours of the live endpoint of that group, once, and read them; nothing without such an endpoint."""
    for endpoint in Endpoint.objects.standing().filter(name=f"{name}-live").select_related("account"):
        client = demo_roles.administrator(endpoint.account.account_id).cloudwatch
        dimension = [{"Name": "EndpointName", "Value": endpoint.name}]
        if not client.list_metrics(Namespace=SAGEMAKER, Dimensions=dimension)["Metrics"]:
            variants = EndpointVariant.objects.standing().filter(endpoint=endpoint).order_by("-weight", "name")
            for place, variant in enumerate(variants):
                _put(client, endpoint.name, variant.name, share=float(variant.weight or 1), is_first=not place)
    serving = Endpoint.objects.standing().order_by("account").values_list("account__account_id", flat=True)
    for account_id in serving.distinct():
        readings.read_account(account_id=account_id, kind=SyncKind.ENDPOINT_METRICS, requested_by="demo")


def _put(client: Any, endpoint: str, variant: str, *, share: float, is_first: bool) -> None:
    now = timezone.now().replace(minute=0, second=0, microsecond=0)
    of_variant = [{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": variant}]
    of_schedule = [{"Name": "Endpoint", "Value": endpoint}, {"Name": "MonitoringSchedule", "Value": _SCHEDULE}]
    data: dict[str, list[dict[str, Any]]] = {SAGEMAKER: [], INSTANCES: [], MODEL_QUALITY: []}
    for back in range(HOURS, 0, -1):
        at = now - timedelta(hours=back)
        if back in _GAP:
            continue
        for (namespace, metric), value in _hour(at, back, share).items():
            data[namespace].append(_datum(metric, of_variant, at, value))
        if is_first and at.hour == 0:
            for metric, value in (("auc", 0.857), ("accuracy", 0.832), ("recall", 0.715)):
                data[MODEL_QUALITY].append(_datum(metric, of_schedule, at, value - 0.0001 * (HOURS - back)))
    for namespace, rows in data.items():
        for first in range(0, len(rows), _BATCH):
            client.put_metric_data(Namespace=namespace, MetricData=rows[first : first + _BATCH])


def _hour(at: datetime, back: int, share: float) -> dict[tuple[str, str], float]:
    """Return what an hour of credit applications looks like: busy by day, quiet at night, slow when busy."""
    busy = max(0.0, math.sin((at.hour - 6) / 24 * 2 * math.pi)) * (0.35 if at.weekday() >= 5 else 1)
    requests = round((40 + 900 * busy) * share + back % 7)
    found = {
        (SAGEMAKER, "Invocations"): requests,
        (SAGEMAKER, "Invocation4XXErrors"): back % 5 if busy else 0,
        (SAGEMAKER, "ModelLatency"): 9_000 + 6_500 * busy + 130 * (back % 9),
        (SAGEMAKER, "OverheadLatency"): 1_900 + 400 * busy,
        (INSTANCES, "CPUUtilization"): 6 + 58 * busy * share + back % 4,
        (INSTANCES, "MemoryUtilization"): 31 + 2 * busy,
        (INSTANCES, "DiskUtilization"): 12 + (HOURS - back) * 0.01,
    }
    # An hour without a failure has none to count, and CloudWatch no point of it.
    if back % 37 == 0:
        found[SAGEMAKER, "Invocation5XXErrors"] = 3
    return found


def _datum(metric: str, dimensions: list[dict[str, str]], at: datetime, value: float) -> dict[str, Any]:
    return {"MetricName": metric, "Dimensions": dimensions, "Timestamp": at, "Value": value}
