"""Read Model Monitor: schedules, what they compare with, their executions and alerts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from registry.aws.errors import AwsInvalid, AwsNotFound, translated
from registry.aws.session import AwsSession, pages
from registry.aws.values import plain_text, utc

PAGE_SIZE = 100
KINDS = ("DataQuality", "ModelQuality", "ModelBias", "ModelExplainability")
_LONGEST_HISTORY = 100


@dataclass(frozen=True, slots=True)
class ScheduleSummary:
    """Hold what a list says of a monitoring schedule: enough to see that it changed."""

    arn: str
    name: str
    endpoint: str
    monitor_type: str
    status: str
    created_at: datetime | None
    modified_at: datetime | None


@dataclass(frozen=True, slots=True)
class Definition:
    """Hold what a schedule runs: the endpoint it watches ("" for batch transforms) and addresses in S3.

    `constraints` and `statistics` are the baseline it compares with, `output` is where results are written.
    """

    endpoint: str = ""
    constraints: str = ""
    statistics: str = ""
    output: str = ""


@dataclass(frozen=True, slots=True)
class ScheduleRecord:
    """Hold one monitoring schedule with what it runs. `problem` says why the definition could not be read."""

    summary: ScheduleSummary
    expression: str
    failure_reason: str
    definition_name: str
    definition: Definition
    problem: str = ""


@dataclass(frozen=True, slots=True)
class ExecutionRecord:
    """Hold one execution of a schedule. Its results lie in S3, where its processing job says."""

    schedule: str
    scheduled_at: datetime
    status: str
    endpoint: str
    processing_job_arn: str
    failure_reason: str
    created_at: datetime | None
    modified_at: datetime | None


@dataclass(frozen=True, slots=True)
class AlertRecord:
    """Hold one alert: it is InAlert when `datapoints` of the last `period` executions had violations."""

    name: str
    status: str
    datapoints: int | None
    period: int | None
    created_at: datetime | None
    changed_at: datetime | None


def list_schedules(session: AwsSession) -> Iterator[ScheduleSummary]:
    """Yield every monitoring schedule of the account and region, the oldest first.

    Raises AwsError of the page that failed; what was yielded before it is then incomplete. Source:
    ListMonitoringSchedules, 100 a page.
    """
    request = {"MaxResults": PAGE_SIZE, "SortBy": "CreationTime", "SortOrder": "Ascending"}
    call = session.sagemaker.list_monitoring_schedules
    for page in pages(session, "sagemaker", "ListMonitoringSchedules", call, request):
        for summary in page.get("MonitoringScheduleSummaries", ()):
            yield _summary(summary)


def describe_schedule(session: AwsSession, name: str) -> ScheduleRecord:
    """Read one schedule and the job definition it runs; a definition that is gone or denied is a `problem` of it.

    Raises AwsNotFound. Source: DescribeMonitoringSchedule, Describe{DataQuality,ModelQuality,ModelBias,
    ModelExplainability}JobDefinition.
    """
    with translated(session, "sagemaker", "DescribeMonitoringSchedule"):
        answer: Mapping[str, Any] = session.sagemaker.describe_monitoring_schedule(MonitoringScheduleName=name)
    config = _part(answer, "MonitoringScheduleConfig")
    summary = _summary(answer)
    kind = summary.monitor_type or plain_text(config.get("MonitoringType"))
    named, inline = plain_text(config.get("MonitoringJobDefinitionName")), _part(config, "MonitoringJobDefinition")
    found, problem = _definition(inline, "") if inline else Definition(), ""
    if named and not inline:
        try:
            found = describe_definition(session, named, kind)
        except (AwsNotFound, AwsInvalid) as error:
            problem = str(error)
    # One made from an inline definition does not always name its type; that is the one kind it can be.
    kind = kind or ("DataQuality" if inline else "")
    return ScheduleRecord(
        summary=replace(summary, endpoint=summary.endpoint or found.endpoint, monitor_type=kind),
        expression=plain_text(_part(config, "ScheduleConfig").get("ScheduleExpression")),
        failure_reason=plain_text(answer.get("FailureReason")),
        definition_name=named,
        definition=found,
        problem=problem,
    )


def describe_definition(session: AwsSession, name: str, kind: str) -> Definition:
    """Read the job definition of a type. Raises AwsNotFound, also for a type there is none of."""
    sagemaker = session.sagemaker
    if kind == "DataQuality":
        with translated(session, "sagemaker", "DescribeDataQualityJobDefinition"):
            return _definition(sagemaker.describe_data_quality_job_definition(JobDefinitionName=name), kind)
    if kind == "ModelQuality":
        with translated(session, "sagemaker", "DescribeModelQualityJobDefinition"):
            return _definition(sagemaker.describe_model_quality_job_definition(JobDefinitionName=name), kind)
    if kind == "ModelBias":
        with translated(session, "sagemaker", "DescribeModelBiasJobDefinition"):
            return _definition(sagemaker.describe_model_bias_job_definition(JobDefinitionName=name), kind)
    if kind == "ModelExplainability":
        with translated(session, "sagemaker", "DescribeModelExplainabilityJobDefinition"):
            return _definition(sagemaker.describe_model_explainability_job_definition(JobDefinitionName=name), kind)
    raise AwsNotFound(
        service="sagemaker",
        operation="DescribeMonitoringSchedule",
        account_id=session.account.account_id,
        code="UnknownMonitoringType",
        message=f"there is no type of monitoring {kind!r}",
    )


def list_executions(session: AwsSession, *, modified_after: datetime, schedule: str = "") -> Iterator[ExecutionRecord]:
    """Yield the executions of all schedules, or of one, that changed after a moment, as AWS pages them.

    Pages may be empty and still be followed by others. Raises AwsError of the page that failed. Source:
    ListMonitoringExecutions with LastModifiedTimeAfter, 100 a page.
    """
    request = {
        "MaxResults": PAGE_SIZE,
        "LastModifiedTimeAfter": modified_after,
        "SortBy": "CreationTime",
        "SortOrder": "Ascending",
        **({"MonitoringScheduleName": schedule} if schedule else {}),
    }
    call = session.sagemaker.list_monitoring_executions
    for page in pages(session, "sagemaker", "ListMonitoringExecutions", call, request):
        for summary in page.get("MonitoringExecutionSummaries", ()):
            scheduled = utc(summary.get("ScheduledTime"))
            if scheduled is None:
                continue
            yield ExecutionRecord(
                schedule=plain_text(summary.get("MonitoringScheduleName")),
                scheduled_at=scheduled,
                status=plain_text(summary.get("MonitoringExecutionStatus")),
                endpoint=plain_text(summary.get("EndpointName")),
                processing_job_arn=plain_text(summary.get("ProcessingJobArn")),
                failure_reason=plain_text(summary.get("FailureReason")),
                created_at=utc(summary.get("CreationTime")),
                modified_at=utc(summary.get("LastModifiedTime")),
            )


def list_alerts(session: AwsSession, schedule: str) -> Iterator[AlertRecord]:
    """Yield the alerts of a schedule. Raises AwsNotFound. Source: ListMonitoringAlerts, 100 a page."""
    request = {"MonitoringScheduleName": schedule, "MaxResults": PAGE_SIZE}
    call = session.sagemaker.list_monitoring_alerts
    for page in pages(session, "sagemaker", "ListMonitoringAlerts", call, request):
        for summary in page.get("MonitoringAlertSummaries", ()):
            yield AlertRecord(
                name=plain_text(summary.get("MonitoringAlertName")),
                status=plain_text(summary.get("AlertStatus")),
                datapoints=_whole(summary.get("DatapointsToAlert")),
                period=_whole(summary.get("EvaluationPeriod")),
                created_at=utc(summary.get("CreationTime")),
                changed_at=utc(summary.get("LastModifiedTime")),
            )


def alert_history(session: AwsSession, schedule: str, alert: str) -> list[dict[str, str]]:
    """Return the newest changes of an alert, at most 100, newest first: `at` (ISO, UTC) and `status`.

    Raises AwsNotFound. Source: ListMonitoringAlertHistory.
    """
    with translated(session, "sagemaker", "ListMonitoringAlertHistory"):
        answer = session.sagemaker.list_monitoring_alert_history(
            MonitoringScheduleName=schedule,
            MonitoringAlertName=alert,
            MaxResults=_LONGEST_HISTORY,
            SortBy="CreationTime",
            SortOrder="Descending",
        )
    found = []
    for entry in answer.get("MonitoringAlertHistory", ()):
        moment = utc(entry.get("CreationTime"))
        if moment is not None:
            found.append({"at": moment.isoformat(), "status": plain_text(entry.get("AlertStatus"))})
    return found


def job_output(session: AwsSession, processing_job_arn: str) -> str:
    """Return where a monitoring job writes its results (s3://bucket/prefix), "" where it names none.

    Raises AwsNotFound. Source: DescribeProcessingJob, ProcessingOutputConfig.
    """
    name = processing_job_arn.rsplit("/", 1)[-1]
    with translated(session, "sagemaker", "DescribeProcessingJob"):
        answer: Mapping[str, Any] = session.sagemaker.describe_processing_job(ProcessingJobName=name)
    for output in _part(answer, "ProcessingOutputConfig").get("Outputs") or ():
        address = plain_text(_part(output, "S3Output").get("S3Uri"))
        if address:
            return address.rstrip("/")
    return ""


def _summary(answer: Mapping[str, Any]) -> ScheduleSummary:
    return ScheduleSummary(
        arn=plain_text(answer.get("MonitoringScheduleArn")),
        name=plain_text(answer.get("MonitoringScheduleName")),
        endpoint=plain_text(answer.get("EndpointName")),
        monitor_type=plain_text(answer.get("MonitoringType")),
        status=plain_text(answer.get("MonitoringScheduleStatus")),
        created_at=utc(answer.get("CreationTime")),
        modified_at=utc(answer.get("LastModifiedTime")),
    )


def _definition(answer: Mapping[str, Any], kind: str) -> Definition:
    """Read a job definition of a type, or with "" the one a schedule carries in itself."""
    if kind:
        inputs = [_part(answer, f"{kind}JobInput")]
        baseline, output = _part(answer, f"{kind}BaselineConfig"), _part(answer, f"{kind}JobOutputConfig")
    else:
        inputs = list(answer.get("MonitoringInputs") or ())
        baseline, output = _part(answer, "BaselineConfig"), _part(answer, "MonitoringOutputConfig")
    endpoints = [plain_text(_part(source, "EndpointInput").get("EndpointName")) for source in inputs]
    places = [_part(place, "S3Output") for place in output.get("MonitoringOutputs") or ()]
    return Definition(
        endpoint=next((name for name in endpoints if name), ""),
        constraints=plain_text(_part(baseline, "ConstraintsResource").get("S3Uri")),
        statistics=plain_text(_part(baseline, "StatisticsResource").get("S3Uri")),
        output=next((plain_text(place.get("S3Uri")) for place in places if place.get("S3Uri")), ""),
    )


def _part(answer: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = answer.get(name) if isinstance(answer, Mapping) else None
    return part if isinstance(part, Mapping) else {}


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= 100 else None
