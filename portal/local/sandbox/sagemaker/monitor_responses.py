"""Answer SageMaker's operations on monitoring schedules, their executions and alerts."""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult, EmptyResult

from . import search
from .base_responses import BaseResponse
from .common import Record, pick

_SUMMARY = (
    "MonitoringScheduleName",
    "MonitoringScheduleArn",
    "CreationTime",
    "LastModifiedTime",
    "MonitoringScheduleStatus",
    "EndpointName",
    "MonitoringType",
)
# What a list is narrowed by -> the member it is compared with.
_EQUALS = {
    "EndpointName": "EndpointName",
    "MonitoringScheduleName": "MonitoringScheduleName",
    "MonitoringJobDefinitionName": "MonitoringJobDefinitionName",
    "MonitoringTypeEquals": "MonitoringType",
}
_TIMES = ("CreationTime", "LastModifiedTime", "ScheduledTime")


def _public(record: Record) -> Record:
    return {k: v for k, v in record.items() if k[0].isupper() and v is not None}


def _asked(record: Record, p: Record, status: str) -> bool:
    """Whether a row is within every filter that was given."""
    for name, member in _EQUALS.items():
        if p.get(name) is not None and p[name] != record.get(member):
            return False
    if p.get("StatusEquals") not in (None, record[status]):
        return False
    if p.get("NameContains") and p["NameContains"].lower() not in record["MonitoringScheduleName"].lower():
        return False
    for name in _TIMES:
        after, before = search.aware(p.get(f"{name}After")), search.aware(p.get(f"{name}Before"))
        if (after and not record[name] > after) or (before and not record[name] < before):
            return False
    return True


class MonitorResponses(BaseResponse):
    """Model Monitor over HTTP."""

    def _sorted(self, rows: list[Record], default: str, status: str) -> tuple[list[Record], str | None]:
        p = self.params
        by = {"Name": "MonitoringScheduleName", "Status": status}.get(p.get("SortBy") or default, p.get("SortBy"))

        def key(r: Record) -> list[Any]:
            value = r[by or default]
            moment = r.get("ScheduledTime") or r["CreationTime"]
            return [value if isinstance(value, str) else value.timestamp(), r["MonitoringScheduleName"], str(moment)]

        return self._page(rows, key, (p.get("SortOrder") or "Descending") == "Descending")

    def create_monitoring_schedule(self) -> ActionResult:
        return ActionResult({"MonitoringScheduleArn": self.registry.create_monitor(self._checked())})

    def update_monitoring_schedule(self) -> ActionResult:
        return ActionResult({"MonitoringScheduleArn": self.registry.update_monitor(self._checked())})

    def describe_monitoring_schedule(self) -> ActionResult:
        record = self.registry.monitor(self._checked()["MonitoringScheduleName"])
        last = self.registry.executions_of_monitor(record["MonitoringScheduleName"])[-1:]
        found = _public(record)
        if last:
            found["LastMonitoringExecutionSummary"] = _public(last[0])
        return ActionResult(found)

    def list_monitoring_schedules(self) -> ActionResult:
        p, status = self._checked(), "MonitoringScheduleStatus"
        rows = [{**r, **_named(r)} for r in self.registry.monitor_records.values()]
        page, token = self._sorted([r for r in rows if _asked(r, p, status)], "CreationTime", status)
        found = [pick(r, (*_SUMMARY, "MonitoringJobDefinitionName")) for r in page]
        return ActionResult({"MonitoringScheduleSummaries": found, "NextToken": token})

    def start_monitoring_schedule(self) -> ActionResult:
        self.registry.set_monitor_status(self._checked()["MonitoringScheduleName"], "Scheduled")
        return EmptyResult()

    def stop_monitoring_schedule(self) -> ActionResult:
        self.registry.set_monitor_status(self._checked()["MonitoringScheduleName"], "Stopped")
        return EmptyResult()

    def delete_monitoring_schedule(self) -> ActionResult:
        self.registry.delete_monitor(self._checked()["MonitoringScheduleName"])
        return EmptyResult()

    def list_monitoring_executions(self) -> ActionResult:
        p, status = self._checked(), "MonitoringExecutionStatus"
        rows = [r for r in self.registry.monitor_execution_records.values() if _asked(r, p, status)]
        page, token = self._sorted(rows, "CreationTime", status)
        return ActionResult({"MonitoringExecutionSummaries": [_public(r) for r in page], "NextToken": token})

    def list_monitoring_alerts(self) -> ActionResult:
        alert = self.registry.monitor(self._checked()["MonitoringScheduleName"])["alert"]
        page, token = self._page([alert], lambda a: [a["MonitoringAlertName"]], False)
        return ActionResult({"MonitoringAlertSummaries": page, "NextToken": token})

    def list_monitoring_alert_history(self) -> ActionResult:
        p = self._checked()
        name = p.get("MonitoringScheduleName")
        chosen = [self.registry.monitor(name)] if name else list(self.registry.monitor_records.values())
        rows = self._between([h for r in chosen for h in r["history"]], p, "CreationTimeAfter", "CreationTimeBefore")
        rows = [h for h in rows if p.get("MonitoringAlertName") in (None, h["MonitoringAlertName"])]
        rows = [h for h in rows if p.get("StatusEquals") in (None, h["AlertStatus"])]
        page, token = self._sorted(rows, "CreationTime", "AlertStatus")
        return ActionResult({"MonitoringAlertHistory": page, "NextToken": token})

    def update_monitoring_alert(self) -> ActionResult:
        p = self._checked()
        record = self.registry.change_alert(p)
        return ActionResult(
            {"MonitoringScheduleArn": record["MonitoringScheduleArn"], "MonitoringAlertName": p["MonitoringAlertName"]}
        )


def _named(record: Record) -> Record:
    return pick(record["MonitoringScheduleConfig"], ("MonitoringJobDefinitionName",))
