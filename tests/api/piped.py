"""A pipeline run a version comes from, as a pass keeps it: a check that found something, and what it calculated."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from portal.core.operations import operation
from registry.models import AwsAccount, ModelVersion, PipelineExecution, PipelineRegistration, PipelineStep
from registry.models.pipeline import RegisteredBy
from tests.factories.people import SYSTEM


def piped(account: AwsAccount, version: ModelVersion) -> PipelineExecution:
    """Keep one execution of three steps that registered the version."""
    now = timezone.now()
    base = f"arn:aws:sagemaker:us-east-1:{account.account_id}"
    with operation(SYSTEM, "read pipeline executions"):
        execution = PipelineExecution.objects.create(
            arn=f"{base}:pipeline/nightly/execution/abcdef",
            account=account,
            region="us-east-1",
            pipeline="nightly",
            status="Succeeded",
            started_by=f"{base}:user-profile/d/ana",
            begun_at=now - timedelta(hours=2),
            ended_at=now - timedelta(hours=1),
            read_at=now,
            is_settled=True,
        )
        check = {
            "CheckType": "MODEL_BIAS",
            "ViolationReport": "s3://reports/violations.json",
            "CalculatedBaselineConstraints": "s3://reports/analysis.json",
        }
        PipelineStep.objects.create(
            execution=execution,
            position=1,
            name="CheckBias",
            kind="ClarifyCheck",
            status="Succeeded",
            check_details=check,
            violations=[{"feature": "gender", "check": "bias_drift_check", "description": "DI is 0.7"}],
            report_read_at=now,
            result={"rows": [{"what": "DI of gender = F", "value": None, "note": ""}], "left_out": 3},
            result_read_at=now,
        )
        PipelineStep.objects.create(execution=execution, position=2, name="Good", kind="Condition", outcome="True")
        PipelineStep.objects.create(
            execution=execution,
            position=3,
            name="Register",
            kind="RegisterModel",
            status="Succeeded",
            registered_arn=version.arn,
        )
        PipelineRegistration.objects.create(execution=execution, version=version, source=RegisteredBy.STEP)
    return execution
