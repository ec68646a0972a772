"""The pipeline of a version on its page, in the API, and the pipelines that wait, on the decision page."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from governance.choices import CallbackOutcome, CallbackSource, ChannelKind, PipelineHome, Verdict
from governance.models import ApprovalRequest, DeploymentChannel, WaitingCallback
from governance.selectors import pipeline_checks, standing, waiting_steps
from governance.selectors.pipeline_runs import runs_of
from governance.services import approvals, callback_rows, channels
from portal.core.operations import operation
from registry.models import AwsAccount, ModelVersion, PipelineExecution, PipelineRegistration, PipelineStep
from registry.models.pipeline import RegisteredBy
from tests.factories.people import SYSTEM

pytestmark = pytest.mark.django_db

PIPELINE = "arn:aws:sagemaker:us-east-1:111111111111:pipeline"


def run(version: ModelVersion, name: str = "train", registered: bool = True, **values: Any) -> PipelineExecution:
    """Keep an execution as a pass does."""
    now = timezone.now()
    with operation(SYSTEM, "read"):
        made = PipelineExecution.objects.create(
            arn=f"{PIPELINE}/{name}/execution/abc",
            account=AwsAccount.objects.get(account_id="111111111111"),
            region="us-east-1",
            pipeline=name,
            **{"status": "Succeeded", "begun_at": now - timedelta(hours=2), "read_at": now, **values},
        )
        if registered:
            PipelineRegistration.objects.create(execution=made, version=version, source=RegisteredBy.STEP)
    return made


def step(of: PipelineExecution, position: int, kind: str, status: str = "Succeeded", **values: Any) -> PipelineStep:
    begun = timezone.now() - timedelta(minutes=90 - position)
    return PipelineStep.objects.create(
        execution=of,
        position=position,
        name=f"{kind}-{position}",
        kind=kind,
        status=status,
        started_at=begun,
        ended_at=begun + timedelta(minutes=1) if status != "Executing" else None,
        **values,
    )


def test_each_step_is_told_in_words(world: Any, as_role: Any) -> None:
    version = world.trial
    made = run(version)
    step(made, 1, "Training", resource_arn="arn:aws:sagemaker:us-east-1:111111111111:training-job/t")
    violation = {"feature": "income", "check": "completeness_check", "description": "<b>Value: 0.9</b>"}
    quality = {"CheckType": "DATA_QUALITY", "ViolationReport": "s3://reports/v.json"}
    step(made, 2, "QualityCheck", "Failed", check_details=quality, violations=[violation], failure_reason="Too bad")
    bias = {"CheckType": "MODEL_BIAS", "ViolationReport": "s3://reports/gone.json"}
    step(made, 3, "ClarifyCheck", check_details=bias, report_problem="There is no such object in S3.")
    step(made, 4, "Condition", outcome="False")
    step(made, 5, "Processing", cached_from=f"{PIPELINE}/train/execution/old")
    page = as_role("data_scientist").get(reverse("governance:version_pipeline", args=[version.pk])).content.decode()
    for words in (
        "Its step registered this version",
        "Trains the model",
        "Checks the quality of the data",
        "It found 1 violation.",
        "more missing values than the baseline allows",
        "&lt;b&gt;Value: 0.9&lt;/b&gt;",
        "Too bad",
        "could not be read",
        "There is no such object in S3.",
        "Was not met",
        "Was taken from an earlier run",
    ):
        assert words in page
    told = as_role("data_scientist").get(f"/api/v1/model-versions/{version.pk}/pipeline-executions/").json()
    (one,) = told
    assert (one["pipeline"], one["registered"], [s["type"] for s in one["steps"]][:2]) == (
        "train",
        True,
        ["Training", "QualityCheck"],
    )
    assert one["steps"][1]["violations"][0]["feature"] == "income"
    assert one["steps"][2]["violations"] is None, "null is not none"
    assert one["steps"][3]["outcome"] == "False"


def test_a_version_without_a_run_says_so(world: Any, as_role: Any) -> None:
    page = as_role("data_scientist").get(reverse("governance:version_pipeline", args=[world.trial.pk]))
    assert "No pipeline run is known" in page.content.decode()


def test_a_run_that_is_gone_or_half_read_says_so(world: Any) -> None:
    now = timezone.now()
    run(world.trial, "gone", status="", missing_since=now, begun_at=None)
    run(world.trial, "half", status="Failed", failure_reason="x", problem="Denied.")
    shown = {one.execution.pipeline: one for one in runs_of(SYSTEM, world.trial)}
    assert (shown["gone"].status, shown["gone"].took, shown["gone"].steps) == ("is not known to AWS any more", None, ())
    assert (shown["half"].status, shown["half"].execution.problem) == ("failed", "Denied.")


def waiting(version: ModelVersion, stage: str, execution_arn: str = "", token: str = "AbCdEf1234") -> WaitingCallback:
    account = AwsAccount.objects.get(account_id="333333333333")
    hub = AwsAccount.objects.get(account_id="111111111111")
    with operation(SYSTEM, "a pipeline waits"):
        row, _ = callback_rows.write(
            token=token,
            model_package_arn=version.arn,
            version=version,
            account=account,
            stage=stage,
            home=hub,
            region="us-east-1",
            execution_arn=execution_arn,
            step_name="",
            source=CallbackSource.QUEUE,
        )
    return row


def test_the_decision_page_says_what_waits_and_what_it_will_be_told(world: Any, as_role: Any) -> None:
    asked = world.version_request
    DeploymentChannel.objects.filter(account__account_id="333333333333").delete()
    channels.create(
        actor=world.people.admin.actor,
        account_id="333333333333",
        stage="pre_production",
        kind=ChannelKind.CALLBACK,
        runs_in=PipelineHome.HUB,
        queue_url="https://sqs.us-east-1.amazonaws.com/111111111111/asks",
    )
    made = run(world.trial, "deploy", registered=False, status="Executing")
    step(made, 1, "Callback", "Executing")
    waiting(world.trial, "pre_production", made.arn)
    waiting(world.trial, "production", token="ZyXwVu9876")
    page = as_role("governance_officer").get(reverse("governance:request", args=[asked.pk])).content.decode()
    for words in (
        "A pipeline waits here for this decision",
        "<strong>deploy</strong>, step Callback-1",
        "whether it may deploy to",
        "If approved: it is told to go on",
        "If approved: it goes on waiting. It asks about Production",
        "If rejected: it is told that it may not go on",
    ):
        assert words in page
    (shown,) = [one for one in runs_of(SYSTEM, world.trial) if not one.registered]
    assert shown.waits[0].since == made.steps.get().started_at


def test_after_the_decision_it_says_that_the_pipeline_was_told(world: Any, as_role: Any) -> None:
    asked = world.version_request
    released, gone = waiting(world.trial, "qa"), waiting(world.trial, "qa", token="ZyXwVu9876")
    approvals.decide(
        actor=world.people.officer.actor, request_id=asked.pk, verdict=Verdict.REJECT, comment="Not good enough."
    )
    asked = ApprovalRequest.objects.get(pk=asked.pk)
    told = standing.messages_of_request(asked)
    with operation(SYSTEM, "answer"):
        callback_rows.answer(callback=released, outcome=CallbackOutcome.REFUSED, message=told[-1], note="")
        callback_rows.answer(callback=gone, outcome=CallbackOutcome.GONE, message=told[-1], note="It timed out.")
    shown = waiting_steps.waiting_for_request(asked, told)
    assert [one.told for one in shown] == ["It was told that it may not go on", "It was not told: it waited no more"]
    page = as_role("auditor").get(reverse("governance:request", args=[asked.pk])).content.decode()
    assert "The pipelines that waited" in page
    assert "It timed out." in page


def test_a_pipeline_of_another_version_is_not_shown(world: Any, as_role: Any) -> None:
    run(world.fresh)
    told = as_role("data_scientist").get(f"/api/v1/model-versions/{world.trial.pk}/pipeline-executions/").json()
    assert told == []
    assert waiting_steps.waiting_for_request(world.use_case_request, []) == []


def test_whoever_decides_is_told_what_the_checks_found_and_what_waits(world: Any, as_role: Any) -> None:
    asked = world.version_request
    made = run(world.trial)
    quality = {"CheckType": "MODEL_QUALITY", "ViolationReport": "s3://reports/v.json"}
    step(made, 1, "QualityCheck", "Failed", check_details=quality, violations=[{"feature": "recall", "check": "odd"}])
    bias = {"CheckType": "MODEL_BIAS", "CalculatedBaselineConstraints": "s3://reports/analysis.json"}
    step(made, 2, "ClarifyCheck", check_details=bias)
    step(made, 3, "ClarifyCheck", "Executing", check_details={"CheckType": "DATA_BIAS"})
    asked.requirements = {**asked.requirements, "evidence": ["bias_report", "validation_metrics", "test_report"]}
    found = pipeline_checks.checks_of_request(world.people.officer.actor, asked)
    assert [(one.shown.step.position, one.is_bad, one.asked, one.missing) for one in found] == [
        (1, True, "validation_metrics", ("test_report",)),
        # Its package points at a bias report of its own.
        (2, False, "bias_report", ()),
    ]
    page = as_role("governance_officer").get(reverse("governance:request_evidence", args=[asked.pk])).content.decode()
    for words in (
        "What its pipeline checked",
        "Needs a look",
        "It found 1 violation.",
        "Its step failed",
        "Not among the evidence yet:",
        f"It waits for {asked.public_id} to end",
        "Result of ClarifyCheck-2",
    ):
        assert words in page
    assert pipeline_checks.checks_of_request(SYSTEM, world.use_case_request) == []
