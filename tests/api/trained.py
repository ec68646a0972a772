"""How a version was trained, and its lineage in SageMaker, as passes over an account leave them."""

from __future__ import annotations

from django.utils import timezone

from portal.core.operations import operation
from registry.models import AwsAccount, LabelingJob, ModelVersion, TrainingProvenance
from registry.services import lineage
from tests.factories.people import SYSTEM
from tests.registry.lineage.graphs import ARN, graph, vertex


def trained(version: ModelVersion) -> TrainingProvenance:
    """Return the training of a version that has everything: a job, a hub's model, AutoML and labeled data."""
    now, hub = timezone.now(), AwsAccount.objects.get(account_id="111111111111")
    job = f"{ARN}:training-job/world"
    lineage.take_in(
        actor=SYSTEM,
        version=version,
        graph=graph(
            ("data", "job"),
            ("job", "start"),
            vertices=(vertex("data", source_uri="s3://loans/train/"), vertex("job", "TrainingJob", source_uri=job)),
        ),
    )
    with operation(SYSTEM):
        labeling = LabelingJob.objects.create(
            account=hub,
            region="us-east-1",
            arn=f"{ARN}:labeling-job/repaid",
            name="repaid",
            status="Completed",
            output="s3://loans/labels/repaid/manifests/output/output.manifest",
            human=600,
            machine=300,
            read_at=now,
        )
        return TrainingProvenance.objects.create(
            version=version,
            source="pipeline",
            job_arn=job,
            job_name="world",
            account_id_copy=hub.account_id,
            region="us-east-1",
            status="Completed",
            ended_at=now,
            image="683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1",
            algorithm="XGBoost",
            hyperparameters={"eta": "0.1", "note": '1 < 2 & "3"'},
            metrics=[
                {"name": "validation:auc", "value": 0.91, "at": now.isoformat()},
                {"name": "loss", "value": "NaN"},
            ],
            inputs=[{"channel": "train", "uri": "s3://loans/train/", "content_type": "text/csv"}],
            network_isolation=True,
            vpc={"subnets": ["subnet-1"], "security_groups": []},
            hub={"name": "llama", "title": "Llama 3", "hub": "SageMakerPublicHub", "version": "1"},
            licence="Llama 3 Community License",
            eula_accepted=False,
            automl={"name": "Canvas1700000000", "status": "Completed", "objective": "F1", "canvas": True},
            labeling=labeling,
            read_at=now,
            tried_at=now,
        )
