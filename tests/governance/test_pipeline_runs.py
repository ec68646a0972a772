"""Pipeline executions read from the sandbox: steps, the version they made, their checks as evidence, and again."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
import requests
from botocore.exceptions import ClientError
from django.utils import timezone

from governance import tasks
from governance.choices import ChannelKind, Verdict
from governance.models import Evidence
from governance.selectors import pipeline_checks, standing, waiting_steps
from governance.selectors.pipeline_runs import runs_of
from governance.services import approvals, callbacks, evidence, pipeline_evidence, readings
from portal.core.vocabulary import EvidenceKind
from registry.aws.pipeline_runs import ExecutionRecord, ExecutionSummary, PipelineSummary
from registry.choices import SyncKind
from registry.models import AwsAccount, ModelVersion, PipelineExecution, PipelineRegistration, PipelineStep, SyncRun
from registry.services import accounts, pipeline_runs
from tests import aws_story
from tests.aws_story import HUB
from tests.factories import Cast
from tests.factories.people import SYSTEM
from tests.sandbox import Sandbox

from .conftest import Place
from .test_orders_in_sandbox import channel, deliver, hub, pipeline, queue, waiting_pipeline
from .test_orders_in_sandbox import run as run_pipeline

pytestmark = pytest.mark.django_db

VIOLATIONS = {
    "violations": [
        {
            "feature_name": "income",
            "constraint_check_type": "completeness_check",
            "description": "Value: 0.91 does not meet the constraint requirement!",
        }
    ]
}


@pytest.fixture
def made(aws: Sandbox, place: Place) -> ModelVersion:
    return aws_story.claimed(place.people, place.project)


# What one test made, the next would read.
MADE: list[str] = []


@pytest.fixture(autouse=True)
def taken_away(aws: Sandbox, place: Place) -> Iterator[None]:
    yield
    aws.forget()
    while MADE:
        with suppress(ClientError):
            hub().sagemaker.delete_pipeline(PipelineName=MADE.pop(), ClientRequestToken=str(uuid.uuid4()))


@pytest.fixture
def bucket(aws: Sandbox, place: Place) -> str:
    """A bucket of the hub that the portal knows."""
    name = aws_story.unique("reports")
    hub().s3.create_bucket(Bucket=name)
    accounts.edit(actor=SYSTEM, account=AwsAccount.objects.get(account_id=HUB), artifact_buckets=[name])
    return name


def put(bucket: str, key: str, body: bytes) -> str:
    hub().s3.put_object(Bucket=bucket, Key=key, Body=body)
    return f"s3://{bucket}/{key}"


def check(kind: str, check_type: str, **told: Any) -> dict[str, Any]:
    arn = f"arn:aws:sagemaker:us-east-1:{HUB}:processing-job/check"
    return {
        "StepName": f"Check-{check_type}",
        "Metadata": {kind: {"CheckType": check_type, "CheckJobArn": arn, **told}},
    }


def execution(aws: Sandbox, *steps: dict[str, Any], name: str = "", **more: Any) -> str:
    """Have an execution of these steps in the hub; returns its ARN."""
    name = name or aws_story.unique("train")
    MADE.append(name)
    wanted = {"account": HUB, "pipeline": name, "steps": list(steps), **more}
    answer = requests.post(f"{aws.url}/sandbox/pipeline-executions", json=wanted, timeout=30)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["arn"])


def registering(version: ModelVersion) -> dict[str, Any]:
    return {"StepName": "Register", "Metadata": {"RegisterModel": {"Arn": version.arn}}}


def read() -> SyncRun:
    (run,) = readings.read_account(account_id=HUB, kind=SyncKind.PIPELINES, requested_by="test")
    return run


def test_an_execution_is_read_with_its_steps_and_the_version_it_made(
    aws: Sandbox, made: ModelVersion, bucket: str
) -> None:
    # What tests before this one left in the account costs the same before and after.
    read()
    idle = read().calls
    report = put(bucket, "violations.json", json.dumps(VIOLATIONS).encode())
    quality = {"binary_classification_metrics": {"auc": {"value": 0.81, "standard_deviation": "NaN"}}}
    result = put(bucket, "statistics.json", json.dumps(quality).encode())
    arn = execution(
        aws,
        {
            "StepName": "Train",
            "Metadata": {"TrainingJob": {"Arn": f"arn:aws:sagemaker:us-east-1:{HUB}:training-job/t"}},
        },
        check("QualityCheck", "MODEL_QUALITY", ViolationReport=report, CalculatedBaselineStatistics=result),
        {"StepName": "Good", "Metadata": {"Condition": {"Outcome": "True"}}},
        registering(made),
        started=(made.aws_created_at - timedelta(minutes=3)).isoformat(),
    )
    run = read()
    assert (run.error, run.state) == ("", "succeeded")
    kept = PipelineExecution.objects.get(arn=arn)
    assert (kept.status, kept.is_settled, kept.account.account_id) == ("Succeeded", True, HUB)
    assert kept.started_by.endswith("assumed-role/DataScientist/somebody")
    assert [(step.name, step.kind) for step in kept.steps.all()] == [
        ("Train", "Training"),
        ("Check-MODEL_QUALITY", "QualityCheck"),
        ("Good", "Condition"),
        ("Register", "RegisterModel"),
    ]
    assert list(kept.versions.all()) == [made]
    checked = kept.steps.get(kind="QualityCheck")
    assert checked.violations == [
        {
            "feature": "income",
            "check": "completeness_check",
            "description": "Value: 0.91 does not meet the constraint requirement!",
        }
    ]
    assert checked.result == {"rows": [{"what": "auc", "value": 0.81, "note": ""}], "left_out": 0}
    assert kept.steps.get(kind="Condition").outcome == "True"
    proofs = {row.s3_uri: row for row in Evidence.objects.filter(version=made)}
    assert {uri: row.kind for uri, row in proofs.items()} == {
        report: EvidenceKind.TEST_REPORT,
        result: EvidenceKind.VALIDATION_METRICS,
    }
    assert (proofs[report].author_name, len(proofs[report].s3_etag)) == ("sync", 32)
    assert "1 violation" in proofs[report].note

    again = read()
    assert (again.created, again.error, Evidence.objects.filter(version=made).count()) == (0, "", 2)
    assert again.calls == idle, "nothing began since: the listing of pipelines says so"


def test_what_failed_and_was_retried_is_read_again_with_its_files(
    aws: Sandbox, made: ModelVersion, bucket: str
) -> None:
    report = put(bucket, "v.json", json.dumps(VIOLATIONS).encode())
    arn = execution(aws, {**check("QualityCheck", "DATA_QUALITY", ViolationReport=report)}, status="Failed")
    read()
    kept = PipelineExecution.objects.get(arn=arn)
    assert (kept.status, kept.is_settled, len(kept.steps.get().violations)) == ("Failed", True, 1)
    put(bucket, "v.json", b'{"violations": []}')
    earlier = timezone.now() - timedelta(hours=2)
    PipelineExecution.objects.filter(arn=arn).update(read_at=earlier, ended_at=earlier)
    kept.steps.update(started_at=earlier)
    read()
    kept.refresh_from_db()
    assert kept.read_at > earlier
    assert kept.steps.get().violations == [], "the attempt before says nothing of this one"


def test_what_runs_is_read_again_until_it_is_over(aws: Sandbox, made: ModelVersion) -> None:
    arn = execution(aws, {"StepName": "Train", "StepStatus": "Executing"}, status="Executing")
    read()
    kept = PipelineExecution.objects.get(arn=arn)
    assert (kept.is_running, kept.ended_at, kept.steps.get().status) == (True, None, "Executing")
    token = str(uuid.uuid4())
    hub().sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn, ClientRequestToken=token)
    run = read()
    kept.refresh_from_db()
    assert (kept.status, kept.is_settled, kept.steps.get().status) == ("Stopped", True, "Stopped")
    assert run.updated == 1


def test_a_version_names_the_execution_that_made_it_however_old(aws: Sandbox, place: Place) -> None:
    group = aws_story.new_group()
    step = {
        "Name": "Register",
        "Type": "RegisterModel",
        "Arguments": {"ModelPackageGroupName": group.rsplit("/", 1)[1]},
    }
    name = pipeline(step, parameters=())
    arn = hub().sagemaker.start_pipeline_execution(PipelineName=name, ClientRequestToken=str(uuid.uuid4()))
    aws_story.synced()
    version = ModelVersion.objects.get(group__arn=group)
    session = accounts.reach(AwsAccount.objects.get(account_id=HUB))
    tally = readings.Tally()
    hub_account = AwsAccount.objects.get(account_id=HUB)
    assert pipeline_runs._read_named(SYSTEM, hub_account, session, tally, 10) >= 1
    pipeline_runs.link(SYSTEM, hub_account, "us-east-1")
    (registration,) = PipelineRegistration.objects.filter(version=version)
    assert registration.execution.arn == arn["PipelineExecutionArn"]

    hub().sagemaker.delete_pipeline(PipelineName=name, ClientRequestToken=str(uuid.uuid4()))
    PipelineExecution.objects.filter(pk=registration.execution_id).update(is_settled=False)
    run = read()
    registration.execution.refresh_from_db()
    assert registration.execution.missing_since is not None
    assert (run.missing, run.error) == (1, "")
    assert read().missing == 0, "it is not asked for again"


def test_a_pipeline_with_many_executions_is_read_bit_by_bit(
    aws: Sandbox, made: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousand cost no more calls than a hundred; the next pass goes on where this one ended."""
    base = f"arn:aws:sagemaker:us-east-1:{HUB}:pipeline/hourly"
    first = timezone.now() - timedelta(days=40)
    many = [ExecutionSummary(f"{base}/execution/{n}", first + timedelta(hours=n), "Succeeded") for n in range(900)]
    asked: list[str] = []

    def listed(session: Any, pipeline: str, *, since: Any, before: Any = None, most: int) -> list[ExecutionSummary]:
        return [one for one in many if one.begun_at is not None and one.begun_at > since][:most]

    def described(session: Any, arn: str) -> ExecutionRecord:
        asked.append(arn)
        return ExecutionRecord(arn, base, "", "", "Succeeded", "", "", None, first)

    summary = PipelineSummary(base, "hourly", timezone.now())
    monkeypatch.setattr(pipeline_runs.pipeline_runs, "list_pipelines", lambda session, most: iter([summary]))
    monkeypatch.setattr(pipeline_runs.pipeline_runs, "list_executions", listed)
    monkeypatch.setattr(pipeline_runs.pipeline_runs, "describe_execution", described)
    monkeypatch.setattr(pipeline_runs.pipeline_runs, "list_steps", lambda session, arn: [])
    monkeypatch.setattr(pipeline_runs, "MOST_OF_PIPELINE", 5)
    read()
    assert asked == [one.arn for one in many[:6]], "the oldest first"
    read()
    assert asked[6:] == [one.arn for one in many[6:11]], "the one at the border is known"
    monkeypatch.setattr(pipeline_runs, "MOST_OF_PASS", 0)
    read()
    assert len(asked) == 11


def test_reports_that_say_nothing_are_told_and_nothing_else_is_lost(
    aws: Sandbox, made: ModelVersion, bucket: str
) -> None:
    broken = {
        "DATA_BIAS": (put(bucket, "cut.json", b'{"violations": [{"feature_na'), "breaks off"),
        "MODEL_BIAS": (put(bucket, "r.pdf", b"%PDF-1.4 report"), "PDF"),
        "MODEL_EXPLAINABILITY": (put(bucket, "other.json", b'{"bias_metrics": {}}'), "lists no violations"),
        "DATA_QUALITY": (put(bucket, "odd.json", b'{"violations": [7]}'), "no violation report"),
        "MODEL_QUALITY": (f"s3://{bucket}/absent.json", "no such object"),
        "ODD": ("not an address", "no address of an object"),
    }
    arn = execution(
        aws,
        *(check("ClarifyCheck", kind, ViolationReport=report) for kind, (report, _) in broken.items()),
        registering(made),
        started=(made.aws_created_at - timedelta(minutes=4)).isoformat(),
    )
    run = read()
    steps = {step.check_details.get("CheckType"): step for step in PipelineStep.objects.filter(execution__arn=arn)}
    for kind, (_, words) in broken.items():
        assert words in steps[kind].report_problem
        assert steps[kind].violations is None
        assert words in run.error
    assert list(PipelineExecution.objects.get(arn=arn).versions.all()) == [made]
    assert run.calls > 0
    assert "says nothing" not in read().error, "they are tried again after an hour"


def test_a_report_in_a_bucket_nobody_registered_is_no_evidence_and_says_so(aws: Sandbox, made: ModelVersion) -> None:
    arn = execution(
        aws,
        check("ClarifyCheck", "MODEL_BIAS", CalculatedBaselineConstraints="s3://elsewhere/analysis.json"),
        registering(made),
        started=(made.aws_created_at - timedelta(minutes=4)).isoformat(),
    )
    run = read()
    step = PipelineStep.objects.get(execution__arn=arn, kind="ClarifyCheck")
    assert "No registered account names elsewhere" in step.evidence_problem
    assert "No registered account names elsewhere" in run.error
    assert not Evidence.objects.filter(version=made).exists()


def test_a_report_waits_while_a_request_is_open_and_is_attached_when_it_ends(
    aws: Sandbox, made: ModelVersion, bucket: str, people: Cast, django_capture_on_commit_callbacks: Any
) -> None:
    report = put(bucket, "waits.json", json.dumps(VIOLATIONS).encode())
    asked = approvals.submit(
        actor=people.scientist.actor, subject_type=ModelVersion, subject_id=made.pk, note="Please."
    )
    # It goes on: a pipeline that waits for the decision about what it made has run its checks already.
    arn = execution(
        aws,
        check("QualityCheck", "DATA_QUALITY", ViolationReport=report),
        registering(made),
        {"StepName": "Ask", "StepStatus": "Executing", "Metadata": {"Callback": {"SqsQueueUrl": "https://queue"}}},
        status="Executing",
        started=(made.aws_created_at - timedelta(minutes=4)).isoformat(),
    )
    run = read()
    asked.refresh_from_db()
    step = PipelineStep.objects.get(execution__arn=arn, kind="QualityCheck")
    assert (asked.state, step.evidence_problem, run.error) == ("open", "", "")
    assert len(step.violations) == 1, "it is read and shown all the same"
    (shown,) = pipeline_checks.checks_of_request(people.officer.actor, asked)
    assert f"It waits for {asked.public_id} to end" in shown.shown.not_evidence
    with pytest.raises(evidence.RequestIsOpen):
        evidence.attach_s3(
            actor=SYSTEM,
            subject_type=ModelVersion,
            subject_id=made.pk,
            kind=EvidenceKind.TEST_REPORT,
            uri=report,
            unless_asked=True,
        )
    asked.refresh_from_db()
    assert asked.state == "open", "whoever asked between the look and the lock keeps what he asked"

    with django_capture_on_commit_callbacks() as sent:
        approvals.withdraw(actor=people.scientist.actor, request_id=asked.pk)
    assert ("governance.attach_check_reports", (("version_id", made.pk),), 0) in [one.job for one in sent]
    # A request may be open longer than a report is looked for.
    long_ago = timezone.now() - timedelta(days=40)
    PipelineRegistration.objects.filter(version=made).update(found_at=long_ago)
    tasks.attach_check_reports(version_id=made.pk)
    assert [row.s3_uri for row in Evidence.objects.filter(version=made)] == [report]
    assert pipeline_evidence.attach_to(actor=SYSTEM, version_id=made.pk) == 0


def test_one_that_may_not_be_read_holds_up_no_other(aws: Sandbox, made: ModelVersion) -> None:
    name = aws_story.unique("denied")
    moments = [timezone.now().replace(microsecond=0) - timedelta(days=days) for days in (3, 2)]
    begun = {execution(aws, {"StepName": "A"}, name=name, started=one.isoformat()): one for one in moments}
    aws.fault(service="sagemaker", operation="ListPipelineExecutionSteps", error="AccessDeniedException", times=1)
    run = read()
    kept = {row.arn: row for row in PipelineExecution.objects.filter(pipeline=name)}
    assert {arn: row.begun_at for arn, row in kept.items()} == begun
    assert sorted(bool(row.problem) for row in kept.values()) == [False, True]
    assert "was not read to its end" in run.error
    assert read().error == ""
    assert not PipelineExecution.objects.filter(pipeline=name).exclude(problem="").exists()


def test_an_aws_that_slows_down_ends_the_pass_and_keeps_what_was_read(aws: Sandbox, made: ModelVersion) -> None:
    arn = execution(aws, {"StepName": "A"})
    aws.fault(service="sagemaker", operation="ListPipelines", error="InternalFailure", times=None)
    run = read()
    assert run.state == "failed"
    aws.forget()
    assert read().error == ""
    assert PipelineExecution.objects.filter(arn=arn, is_settled=True).exists()


def test_a_decision_releases_the_pipeline_that_waits_and_its_run_goes_on(
    aws: Sandbox, made: ModelVersion, people: Cast
) -> None:
    url = queue()
    channel(people, ChannelKind.CALLBACK, queue_url=url)
    name = waiting_pipeline(url)
    MADE.append(name)
    arn = run_pipeline(name, made)
    asked = approvals.submit(actor=people.scientist.actor, subject_type=ModelVersion, subject_id=made.pk)
    callbacks.read_all()
    read()
    (waits,) = waiting_steps.waiting_for_request(asked, [])
    assert (waits.pipeline, waits.step_name, waits.is_waiting, waits.is_released) == (name, "Ask", True, True)
    (shown,) = [one for one in runs_of(people.officer.actor, made) if one.execution.arn == arn]
    assert (shown.registered, shown.status, [one.step.kind for one in shown.steps]) == (
        False,
        "is under way",
        ["Callback"],
    )
    assert "CallbackToken" not in str(shown.steps[0].step.metadata)

    approvals.decide(actor=people.owner.actor, request_id=asked.pk, verdict=Verdict.APPROVE, comment="Good.")
    deliver()
    read()
    asked.refresh_from_db()

    (told,) = waiting_steps.waiting_for_request(asked, standing.messages_of_request(asked))
    assert (told.told, told.callback.outcome) == ("It was told to go on", "released")
    kept = PipelineExecution.objects.get(arn=arn)
    assert (kept.status, [step.name for step in kept.steps.all()]) == ("Succeeded", ["Ask", "Deploy"])
