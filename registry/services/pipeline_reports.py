"""Read the violation reports of pipelines' checks from S3, once each, and keep what they say."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from portal.core.actors import Actor
from portal.core.operations import operation

from ..aws import s3
from ..aws.errors import AwsDisabled
from ..aws.session import AwsSession
from ..models import AwsAccount, PipelineStep
from ..reports.check_violations import read_violations
from ..reports.document import Unreadable
from . import accounts, report_files
from .pipeline_runs import Counts

MOST_OF_PASS = 100
# A report that could not be read is tried again after an hour, for a month.
_AGAIN, _AS_LONG = timedelta(hours=1), timedelta(days=30)
_CHECKS = ("QualityCheck", "ClarifyCheck")
_OVER = ("Succeeded", "Failed", "Stopped")


def checks_of(account: AwsAccount, region: str) -> QuerySet[PipelineStep]:
    """Return the checks of an account's executions that are over."""
    return PipelineStep.objects.filter(
        execution__account=account, execution__region=region, kind__in=_CHECKS, status__in=_OVER
    )


def read(actor: Actor, account: AwsAccount, session: AwsSession, tally: Counts) -> None:
    """Read the violation reports nobody has read, at most 100; one that cannot be read says why, and is tried again.

    Raises nothing of a report: its problem stands beside the check. Source: s3 HeadObject, GetObject.
    """
    now = timezone.now()
    untried = Q(report_read_at=None)
    again = ~Q(report_problem="") & Q(report_read_at__lt=now - _AGAIN, execution__begun_at__gt=now - _AS_LONG)
    due = (
        checks_of(account, session.account.region)
        .filter(untried | again, check_details__has_key="ViolationReport")
        .select_related("execution")
        .order_by("-pk")[:MOST_OF_PASS]
    )
    for step in due:
        if not step.violation_report:
            continue
        found = _read(session, step)
        if found["report_problem"]:
            tally.problems.append(
                f"The violation report of {step.name} in {step.execution} says nothing. {found['report_problem']}"
            )
        with operation(actor, "read the report of a pipeline's check"):
            PipelineStep.objects.filter(pk=step.pk).update(**found, report_read_at=now)


def reaching(session: AwsSession, uri: str) -> AwsSession:
    """Return the session that reads an object: of the account whose bucket it is where that is known, else this one."""
    try:
        holder = accounts.holding_bucket(s3.parse_s3_url(uri).bucket)
        return accounts.reach(holder) if holder is not None else session
    except (s3.MalformedS3Url, AwsDisabled):
        return session


def _read(session: AwsSession, step: PipelineStep) -> dict[str, Any]:
    file = report_files.read(reaching(session, step.violation_report), step.violation_report)
    if file.problem is not None:
        return {"report_problem": file.sentence, "report_etag": file.etag[:128]}
    try:
        found = read_violations(file.content)
    except Unreadable as error:
        return {"report_problem": error.sentence, "report_etag": file.etag[:128]}
    return {
        "violations": [asdict(row) for row in found.rows],
        "violations_left_out": found.left_out,
        "report_problem": "",
        "report_etag": file.etag[:128],
    }
