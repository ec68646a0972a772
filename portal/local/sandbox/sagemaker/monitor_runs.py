"""Let a monitoring schedule run: the execution, its processing job, and what that leaves in S3."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

from moto.s3.models import s3_backends

from ..accounts import REGION
from ..state import journal
from .common import Record, now
from .models import SandboxSageMakerBackend, registry
from .monitors import FINISHED, output_of

_KNOWN = {"account", "region", "schedule", "status", "scheduled_time", "violations", "statistics", "failure_reason"}
_STATUSES = ("Pending", "InProgress", "Stopping", *FINISHED)
_IMAGE = "156813124566.dkr.ecr.us-east-1.amazonaws.com/sagemaker-model-monitor-analyzer"


def run(wanted: Any) -> dict[str, Any]:
    """Let an execution of a schedule happen, or go on.

    ``{"account", "region", "schedule", "status": "Completed", "scheduled_time": ISO, "violations", "statistics",
    "failure_reason"}``. ``violations`` is a list, written as constraint_violations.json under the processing job's
    output (text is written as it is, for broken files); ``statistics`` is written as statistics.json. An execution
    scheduled at the same time is changed. Returns ``{"processing_job", "output", "status"}``.

    Raises ValueError or TypeError, and then nothing happens.
    """
    owner, record = _asked(wanted)
    violations = wanted.get("violations")
    status = wanted.get("status") or ("CompletedWithViolations" if violations else "Completed")
    if status not in _STATUSES:
        raise ValueError(f"status must be one of {', '.join(_STATUSES)}")
    scheduled = _moment(wanted.get("scheduled_time"))
    folder = f"{record.get('EndpointName') or 'batch'}/{wanted['schedule']}/{scheduled:%Y/%m/%d/%H}"
    output = f"{output_of(owner.definition_of(record))}/{folder}"
    bucket, _, prefix = output.removeprefix("s3://").partition("/")
    if bucket not in s3_backends.bucket_accounts:
        raise ValueError(f"there is no bucket {bucket!r} to write the results to")
    if status in FINISHED:
        if violations is not None:
            content = violations if isinstance(violations, str) else json.dumps({"violations": violations})
            _put(bucket, f"{prefix}/constraint_violations.json", content)
        if wanted.get("statistics") is not None:
            given = wanted["statistics"]
            _put(bucket, f"{prefix}/statistics.json", given if isinstance(given, str) else json.dumps(given))
    job = _processing_job(owner, record, scheduled, status, output)
    _execution(owner, record, scheduled, status, job, wanted.get("failure_reason"))
    owner.judge_alert(record)
    return {"processing_job": job, "output": output, "status": status}


def _asked(wanted: Any) -> tuple[SandboxSageMakerBackend, Record]:
    """Return the account's registry and the schedule that is to run."""
    if not isinstance(wanted, dict):
        raise TypeError("it must be a JSON object")
    if unknown := set(wanted) - _KNOWN:
        raise ValueError(f"unknown {sorted(unknown)}; there are {sorted(_KNOWN)}")
    account, name = str(wanted.get("account", "")), wanted.get("schedule")
    if not (account.isascii() and account.isdigit() and len(account) == 12):
        raise ValueError("account must be twelve digits")
    region = wanted.get("region", REGION)
    if not isinstance(region, str) or not re.fullmatch(r"[a-z]{2}(-[a-z]+)+-\d", region):
        raise ValueError(f"region {region!r} is no region")
    owner = registry(account, region)
    record = owner.monitor_records.get(name) if isinstance(name, str) else None
    if record is None:
        raise ValueError(f"there is no monitoring schedule {name!r} in {account}")
    return owner, record


def _moment(text: Any) -> datetime:
    if text is None:
        return now().replace(minute=0, second=0, microsecond=0)
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _put(bucket: str, key: str, content: str) -> None:
    region, account = s3_backends.bucket_accounts[bucket]
    s3_backends[account]["aws"].put_object(bucket, key, content.encode("utf-8", "surrogatepass"))
    journal.touch("s3", account, region, "object", f"{bucket}/{key}")


def _processing_job(
    owner: SandboxSageMakerBackend, record: Record, scheduled: datetime, status: str, output: str
) -> str:
    name = f"model-monitoring-{scheduled:%Y%m%d%H%M}-{record['MonitoringScheduleName']}"[:63].rstrip("-")
    outputs = [
        {
            "OutputName": "result",
            "S3Output": {
                "S3Uri": output,
                "LocalPath": "/opt/ml/processing/output",
                "S3UploadMode": "Continuous",
            },
        }
    ]
    job = owner.create_processing_job(
        app_specification={"ImageUri": _IMAGE},
        experiment_config={},
        network_config={},
        processing_inputs=[],
        processing_job_name=name,
        processing_output_config={"Outputs": outputs},
        role_arn=str(owner.definition_of(record).get("RoleArn") or f"arn:aws:iam::{owner.account_id}:role/Monitor"),
        tags=[],
        stopping_condition={"MaxRuntimeInSeconds": 1800},
    )
    job.processing_job_status = {
        "CompletedWithViolations": "Completed",
        "Pending": "InProgress",
    }.get(status, status)
    # What moto has no word for is written as any other member.
    vars(job)["monitoring_schedule_arn"] = record["MonitoringScheduleArn"]
    if status.startswith("Completed"):
        vars(job)["exit_message"] = f"{status}: Job completed."
    owner.touch("backend", "")
    return str(job.arn)


def _execution(
    owner: SandboxSageMakerBackend, record: Record, scheduled: datetime, status: str, job: str, reason: Any
) -> None:
    key = f"{record['MonitoringScheduleName']}/{scheduled.isoformat()}"
    known = owner.monitor_execution_records.get(key, {})
    execution: Record = {
        "MonitoringScheduleName": record["MonitoringScheduleName"],
        "ScheduledTime": scheduled,
        "CreationTime": known.get("CreationTime") or now(),
        "LastModifiedTime": now(),
        "MonitoringExecutionStatus": status,
        "ProcessingJobArn": job,
        "EndpointName": record.get("EndpointName"),
        "MonitoringType": record["MonitoringType"],
        "MonitoringJobDefinitionName": record["MonitoringScheduleConfig"].get("MonitoringJobDefinitionName"),
    }
    if reason:
        execution["FailureReason"] = str(reason)[:1024]
    owner.monitor_execution_records[key] = execution
    owner.touch("monitor_execution", key)
