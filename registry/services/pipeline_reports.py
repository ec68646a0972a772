"""Read the files pipelines' checks wrote to S3, once each: violation reports, and what the checks calculated."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from portal.core.actors import Actor
from portal.core.operations import operation

from ..aws import s3
from ..aws.errors import AwsDisabled
from ..aws.session import AwsSession
from ..models import AwsAccount, PipelineStep
from ..reports.check_results import read_result
from ..reports.check_violations import read_violations
from ..reports.document import Unreadable
from . import accounts, report_files
from .pipeline_runs import Counts

MOST_OF_PASS = 100
# A report that could not be read is tried again after an hour, for a month.
_AGAIN, _AS_LONG = timedelta(hours=1), timedelta(days=30)
_CHECKS = ("QualityCheck", "ClarifyCheck")
_OVER = ("Succeeded", "Failed", "Stopped")
_RESULTS = ("CalculatedBaselineStatistics", "CalculatedBaselineConstraints")


def checks_of(account: AwsAccount, region: str) -> QuerySet[PipelineStep]:
    """Return the checks of an account's executions that are over."""
    return PipelineStep.objects.filter(
        execution__account=account, execution__region=region, kind__in=_CHECKS, status__in=_OVER
    )


def read(actor: Actor, account: AwsAccount, session: AwsSession, tally: Counts) -> None:
    """Read the reports and results nobody has read, at most 100 of each; one that cannot be read says why beside its
    check, and is tried again.

    Raises nothing of a file. Source: s3 HeadObject, GetObject.
    """
    now = timezone.now()
    steps = checks_of(account, session.account.region).select_related("execution").order_by("-pk")
    reports = _due(steps, "report", now).filter(check_details__has_key="ViolationReport")
    for step in reports[:MOST_OF_PASS]:
        if step.violation_report:
            _keep(actor, step, {**_report(session, step), "report_read_at": now}, tally, "violation report")
    results = _due(steps, "result", now).filter(check_details__has_any_keys=list(_RESULTS))
    for step in results[:MOST_OF_PASS]:
        # What was told to compare nothing calculated a baseline for others: it says nothing of this version.
        found = _result(session, step) if step.result_address else {}
        _keep(actor, step, {**found, "result_read_at": now}, tally, "result")


def _due(steps: QuerySet[PipelineStep], what: str, now: datetime) -> QuerySet[PipelineStep]:
    untried = Q(**{f"{what}_read_at": None})
    again = Q(**{f"{what}_read_at__lt": now - _AGAIN, "execution__begun_at__gt": now - _AS_LONG})
    return steps.filter(untried | (~Q(**{f"{what}_problem": ""}) & again))


def _keep(actor: Actor, step: PipelineStep, found: dict[str, Any], tally: Counts, what: str) -> None:
    if problem := found.get("report_problem") or found.get("result_problem"):
        tally.problems.append(f"The {what} of {step.name} in {step.execution} says nothing. {problem}")
    with operation(actor, "read the report of a pipeline's check"):
        PipelineStep.objects.filter(pk=step.pk).update(**found)


def reaching(session: AwsSession, uri: str) -> AwsSession:
    """Return the session that reads an object: of the account whose bucket it is where that is known, else this one."""
    try:
        holder = accounts.holding_bucket(s3.parse_s3_url(uri).bucket)
        return accounts.reach(holder) if holder is not None else session
    except (s3.MalformedS3Url, AwsDisabled):
        return session


def _report(session: AwsSession, step: PipelineStep) -> dict[str, Any]:
    file = report_files.read(reaching(session, step.violation_report), step.violation_report)
    etag = {"report_etag": file.etag[:128]}
    if file.problem is not None:
        return {"report_problem": file.sentence, **etag}
    try:
        found = read_violations(file.content)
    except Unreadable as error:
        return {"report_problem": error.sentence, **etag}
    rows = [asdict(row) for row in found.rows]
    return {"violations": rows, "violations_left_out": found.left_out, "report_problem": "", **etag}


def _result(session: AwsSession, step: PipelineStep) -> dict[str, Any]:
    file = report_files.read(reaching(session, step.result_address), step.result_address)
    if file.problem is not None:
        return {"result_problem": file.sentence}
    try:
        found = read_result(file.content)
    except Unreadable as error:
        return {"result_problem": error.sentence}
    rows = [asdict(row) for row in found.rows]
    return {"result": {"rows": rows, "left_out": found.left_out}, "result_problem": ""}
