"""Keep Model Monitor's schedules, their executions and alerts; job definitions are stock moto's.

A schedule runs nothing by itself: an execution happens when ``/sandbox/monitor`` says so (``monitor_runs``). Each
schedule has one alert, as SageMaker makes it, which is InAlert while enough of its last executions had violations.
"""

from __future__ import annotations

import re
from typing import Any

from .common import Aggregate, Record, now
from .errors import NotFound, ResourceInUse, ValidationError

_CRON = re.compile(r"cron\(0 ([01]?\d|2[0-3]|\*)(/([1-9]|1\d|2[0-4]))? \? \* \* \*\)")
# The inline definition's inputs, and those of each type's job definition, name the endpoint in one of these.
_INPUTS = ("DataQualityJobInput", "ModelQualityJobInput", "ModelBiasJobInput", "ModelExplainabilityJobInput")
_OUTPUTS = tuple(f"{kind.removesuffix('Input')}OutputConfig" for kind in _INPUTS)
FINISHED = ("Completed", "CompletedWithViolations", "Failed", "Stopped")


class Monitors(Aggregate):
    """The monitoring schedules of one account and region."""

    monitor_records: dict[str, Record]
    monitor_execution_records: dict[str, Record]

    def monitor(self, name: str) -> Record:
        """A schedule by its name. Raises ResourceNotFound."""
        found = self.monitor_records.get(name)
        if found is None:
            raise NotFound(f"Monitoring Schedule {self.arn_of('monitoring-schedule', name)} not found")
        return found

    def definition_of(self, record: Record) -> Record:
        """What a schedule runs: its inline definition, or the job definition it names. Empty when that is gone."""
        config = record["MonitoringScheduleConfig"]
        return config.get("MonitoringJobDefinition") or self._named(
            config.get("MonitoringJobDefinitionName", ""), str(record.get("MonitoringType"))
        )

    def _named(self, name: str, kind: str) -> Record:
        snake = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", kind).lower()
        found = getattr(self, f"{snake}_job_definitions", {}).get(name)
        return dict(found.response_object) if found is not None else {}

    def _configured(self, p: Record) -> Record:
        """The members a schedule has of its configuration. Raises ValidationException."""
        config = p["MonitoringScheduleConfig"]
        inline, name = config.get("MonitoringJobDefinition"), config.get("MonitoringJobDefinitionName")
        kind = config.get("MonitoringType") or ("DataQuality" if inline else None)
        if bool(inline) == bool(name):
            raise ValidationError("Give either MonitoringJobDefinition or MonitoringJobDefinitionName.")
        if kind is None:
            raise ValidationError("MonitoringType is required with MonitoringJobDefinitionName.")
        when = config.get("ScheduleConfig") or {}
        expression = when.get("ScheduleExpression", "NOW")
        if expression == "NOW" and when and not (when.get("DataAnalysisStartTime") and when.get("DataAnalysisEndTime")):
            raise ValidationError("ScheduleExpression NOW needs DataAnalysisStartTime and DataAnalysisEndTime.")
        if expression != "NOW" and not _CRON.fullmatch(expression):
            raise ValidationError(f"ScheduleExpression {expression} is not NOW, hourly, daily or every so many hours.")
        definition = inline or self._named(name, kind)
        if not definition:
            raise ValidationError(f"Could not find the {kind} job definition {name}.")
        return {"MonitoringScheduleConfig": config, "MonitoringType": kind, "EndpointName": endpoint_of(definition)}

    def create_monitor(self, p: Record) -> str:
        """Source: SageMaker CreateMonitoringSchedule. A name that is taken raises ResourceInUse."""
        name, created = p["MonitoringScheduleName"], now()
        arn = self.arn_of("monitoring-schedule", name)
        if name in self.monitor_records:
            raise ResourceInUse(f"Monitoring Schedule {arn} already exists")
        alert = {
            "MonitoringAlertName": f"{name[:57].rstrip('-')}-alert",
            "CreationTime": created,
            "LastModifiedTime": created,
            "AlertStatus": "OK",
            "DatapointsToAlert": 1,
            "EvaluationPeriod": 1,
            "Actions": {"ModelDashboardIndicator": {"Enabled": True}},
        }
        self.monitor_records[name] = {
            "MonitoringScheduleName": name,
            "MonitoringScheduleArn": arn,
            **self._configured(p),
            "MonitoringScheduleStatus": "Scheduled",
            "CreationTime": created,
            "LastModifiedTime": created,
            "alert": alert,
            "history": [],
        }
        self.touch("monitor", name)
        return arn

    def update_monitor(self, p: Record) -> str:
        """Replace a schedule's configuration. Source: SageMaker UpdateMonitoringSchedule."""
        record = self.monitor(p["MonitoringScheduleName"])
        record.update(self._configured(p), LastModifiedTime=now())
        self.touch("monitor", record["MonitoringScheduleName"])
        return str(record["MonitoringScheduleArn"])

    def set_monitor_status(self, name: str, status: str) -> None:
        """Source: SageMaker StartMonitoringSchedule, StopMonitoringSchedule."""
        self.monitor(name).update(MonitoringScheduleStatus=status, LastModifiedTime=now())
        self.touch("monitor", name)

    def delete_monitor(self, name: str) -> None:
        """Delete a schedule; its executions stay. Source: SageMaker DeleteMonitoringSchedule."""
        self.monitor(name)
        del self.monitor_records[name]
        self.touch("monitor", name)

    def executions_of_monitor(self, name: str) -> list[Record]:
        """The executions of a schedule, the oldest first."""
        found = [r for r in self.monitor_execution_records.values() if r["MonitoringScheduleName"] == name]
        return sorted(found, key=lambda r: r["ScheduledTime"])

    def change_alert(self, p: Record) -> Record:
        """Source: SageMaker UpdateMonitoringAlert. Raises ResourceNotFound for an alert the schedule does not have."""
        record = self.monitor(p["MonitoringScheduleName"])
        alert: Record = record["alert"]
        if alert["MonitoringAlertName"] != p["MonitoringAlertName"]:
            raise NotFound(f"Monitoring Alert {p['MonitoringAlertName']} not found")
        if p["DatapointsToAlert"] > p["EvaluationPeriod"]:
            raise ValidationError("DatapointsToAlert must not be greater than EvaluationPeriod.")
        alert.update({n: p[n] for n in ("DatapointsToAlert", "EvaluationPeriod")}, LastModifiedTime=now())
        self.judge_alert(record)
        return record

    def judge_alert(self, record: Record) -> None:
        """Raise or clear a schedule's alert by its last executions, and write the change into its history."""
        alert, name = record["alert"], record["MonitoringScheduleName"]
        over = [r for r in self.executions_of_monitor(name) if r["MonitoringExecutionStatus"] in FINISHED]
        last = over[-alert["EvaluationPeriod"] :]
        violated = sum(r["MonitoringExecutionStatus"] == "CompletedWithViolations" for r in last)
        status = "InAlert" if violated >= alert["DatapointsToAlert"] else "OK"
        if status != alert["AlertStatus"]:
            changed = now()
            alert.update(AlertStatus=status, LastModifiedTime=changed)
            entry = {"MonitoringScheduleName": name, "MonitoringAlertName": alert["MonitoringAlertName"]}
            record["history"].append({**entry, "CreationTime": changed, "AlertStatus": status})
        self.touch("monitor", name)


def endpoint_of(definition: Record) -> str | None:
    """The endpoint a definition watches, None for one that watches batch transforms."""
    inputs = [*(definition.get("MonitoringInputs") or []), *(definition.get(name) or {} for name in _INPUTS)]
    names: list[Any] = [(i.get("EndpointInput") or {}).get("EndpointName") for i in inputs]
    return next((str(n) for n in names if n), None)


def output_of(definition: Record) -> str:
    """Where a definition has its results written: s3://bucket/prefix, "" where it does not say."""
    configs = [definition.get("MonitoringOutputConfig") or {}, *(definition.get(name) or {} for name in _OUTPUTS)]
    for config in configs:
        for output in config.get("MonitoringOutputs") or []:
            return str(output["S3Output"]["S3Uri"]).rstrip("/")
    return ""
