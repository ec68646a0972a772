"""Keep Ground Truth's labeling jobs, and find the one behind the data a training job read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from heapq import nsmallest
from typing import Any

from django.db.models import F, Max
from django.utils import timezone

from portal.core.actors import Actor
from portal.core.operations import operation

from ..aws import labeling as gateway
from ..aws.labeling import LabelingJobRecord
from ..aws.session import AwsSession
from ..aws.training import TrainingJobRecord, parse_job_arn
from ..models import AwsAccount, LabelingJob

# So many in one pass: a hundred pages.
MOST_JOBS = 10_000
# AWS's list follows changes with some delay, and two may share a moment.
_OVERLAP = timedelta(minutes=5)
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
# Names of jobs are unique in an account and region, so few share one; folders of people lie no deeper.
_MOST_NAMESAKES, _LONGEST_NAME, _DEEPEST = 200, 63, 40


def take_in_listed(actor: Actor, account: AwsAccount, session: AwsSession) -> str:
    """Keep the labeling jobs of a region that changed since the last that is kept; return what was left out, in words.

    A list that breaks off keeps nothing, and is read again. Raises AwsError. Source: ListLabelingJobs.
    """
    region = session.account.region
    newest = LabelingJob.objects.filter(account=account, region=region).aggregate(at=Max("aws_modified_at"))["at"]
    since = newest - _OVERLAP if newest else None
    # Listed by when they were made: what is kept of half a list would hide what changed before the newest of it.
    listed = gateway.list_labeling_jobs(session, modified_after=since)
    records = nsmallest(MOST_JOBS + 1, listed, key=lambda one: (one.modified_at or _LONG_AGO, one.arn))
    for record in records[:MOST_JOBS]:
        keep(actor=actor, account=account, region=region, record=record)
    if len(records) > MOST_JOBS:
        return f"More than {MOST_JOBS} labeling jobs changed in {region}; the next pass goes on with the rest."
    return ""


def keep(*, actor: Actor, account: AwsAccount, region: str, record: LabelingJobRecord) -> LabelingJob | None:
    """Keep what a list or a description says of a labeling job; None for one without a usable ARN.

    What a list leaves out (`task`, `workers`) stays as a description said it.
    """
    if parse_job_arn(record.arn) is None:
        return None
    row = LabelingJob.objects.filter(arn=record.arn).first() or LabelingJob(account=account, arn=record.arn)
    values: dict[str, Any] = {
        "region": region,
        "name": record.name[:63],
        "status": record.status[:20],
        "failure": record.failure,
        "output": record.output[:1024],
        "input": record.input[:1024],
        "workteam_arn": record.workteam_arn[:2048],
        "task": record.task[:200] or row.task,
        "workers": row.workers if record.workers is None else record.workers,
        "total": record.counts.total,
        "human": record.counts.human,
        "machine": record.counts.machine,
        "failed": record.counts.failed,
        "unlabeled": record.counts.unlabeled,
        "aws_created_at": record.created_at,
        "aws_modified_at": record.modified_at,
        "read_at": timezone.now(),
    }
    for name, value in values.items():
        setattr(row, name, value)
    with operation(actor, "read a labeling job"):
        row.save(force_insert=row.pk is None)
    return row


def behind(actor: Actor, session: AwsSession, account: AwsAccount, job: TrainingJobRecord) -> LabelingJob | None:
    """Return the labeling job whose output a training job read, described anew where it lies in this account.

    By the ARN the job names, or an input that is a labeling job's output manifest or lies in its folder; the newest
    of several. Raises AwsError. Source: DescribeLabelingJob.
    """
    named = parse_job_arn(job.labeling_arn)
    found = None
    if named is None:
        found = _of_inputs([one.uri for one in job.inputs])
        named = parse_job_arn(found.arn) if found else None
    if named is None or (named.account_id, named.region) != (session.account.account_id, session.account.region):
        return found
    record = gateway.describe_labeling_job(session, named.name)
    return keep(actor=actor, account=account, region=named.region, record=record) or found


def _of_inputs(uris: list[str]) -> LabelingJob | None:
    """The newest kept job whose output is one of the inputs, or lies below one; two queries, however deep they lie."""
    exact = [uri for uri in uris if uri.startswith("s3://")]
    found: LabelingJob | None = (
        LabelingJob.objects.filter(output__in=exact).order_by(F("aws_modified_at").desc(nulls_last=True), "-pk").first()
    )
    if found is not None or not exact:
        return found
    # A channel that names a labeling job's own folder or one within; a whole bucket or a shared one proves nothing.
    folders = [uri.rstrip("/").split("/")[:_DEEPEST] for uri in exact]
    named = {name for parts in folders for name in parts[3:] if len(name) <= _LONGEST_NAME}
    rows = LabelingJob.objects.filter(name__in=named).order_by(F("aws_modified_at").desc(nulls_last=True), "-pk")
    known = list(rows[:_MOST_NAMESAKES]) if named else []
    return next((match for parts in folders if (match := _in_folder(parts, known))), None)


def _in_folder(parts: list[str], known: list[LabelingJob]) -> LabelingJob | None:
    # A job writes to PATH/NAME/manifests/output/output.manifest: its folder is the prefix that ends with its name.
    for length in range(len(parts), 3, -1):
        folder = "/".join(parts[:length]) + "/"
        for row in known:
            if row.name == parts[length - 1] and row.output.startswith(folder):
                return row
    return None
