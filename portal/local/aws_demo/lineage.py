"""The lineage of the credit-risk model, as its pipeline would have left it in SageMaker."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from governance.services import readings
from portal.core.vocabulary import Stage, Status
from registry.aws.session import AwsSession
from registry.choices import SyncKind
from registry.models import ModelGroup, ModelVersion

from ..sandbox.accounts import PRODUCTION
from . import pipelines, training

if TYPE_CHECKING:
    from mypy_boto3_sagemaker.client import SageMakerClient
    from mypy_boto3_sagemaker.literals import AssociationEdgeTypeType

_REPOSITORY = "https://git.example.org/credit/credit-risk.git"
_VERSIONS = 3
_BUCKET = "s3://ml-artifacts-dev/credit-risk"


def show(session: AwsSession, group: ModelGroup) -> None:
    """Tell SageMaker where a group's newest versions come from, once, and have the portal read it."""
    for version in group.versions.present().select_related("group").order_by("-number")[:_VERSIONS]:
        if not session.sagemaker.list_artifacts(SourceUri=version.arn)["ArtifactSummaries"]:
            _tell(session.sagemaker, version)
    readings.read_account(account_id=session.account.account_id, kind=SyncKind.LINEAGE, requested_by="demo")


def _run_of(version: ModelVersion) -> str:
    """Return the run a version came of: the one its registration names, or one of the same pipeline."""
    named = version.described.get("MetadataProperties", {}).get("GeneratedBy", "")
    return named if ":pipeline/" in named else f"{pipelines.EXECUTION.rpartition('/')[0]}/{version.number:012d}"


def _job_of(version: ModelVersion) -> str:
    """Return the training job a version came of: the one it names, its run's, or one of the same kind."""
    if version.training_job_arn:
        return version.training_job_arn.rpartition("/")[2]
    name = f"{version.group.name}-{version.number}-train"
    return training.NEWEST if _run_of(version) == pipelines.EXECUTION else name


def _tell(client: SageMakerClient, version: ModelVersion) -> None:
    name = f"{version.group.name}-{version.number}"
    named = version.described.get("MetadataProperties", {})
    made: dict[str, Any] = {"CommitId": named.get("CommitId", pipelines.COMMIT), "Repository": _REPOSITORY}

    def artifact(title: str, uri: str, kind: str, **more: Any) -> str:
        answer = client.create_artifact(
            ArtifactName="-".join(re.findall("[A-Za-z0-9]+", title)),
            Source={"SourceUri": uri},
            ArtifactType=kind,
            **more,
        )
        return answer["ArtifactArn"]

    def action(title: str, uri: str, kind: str, **more: Any) -> str:
        answer = client.create_action(
            ActionName=f"{name}-{title}", Source={"SourceUri": uri}, ActionType=kind, Status="Completed", **more
        )
        return answer["ActionArn"]

    def context(title: str, uri: str, kind: str) -> str:
        answer = client.create_context(ContextName=f"{name}-{title}", Source={"SourceUri": uri}, ContextType=kind)
        return answer["ContextArn"]

    def component(title: str) -> str:
        return client.create_trial_component(TrialComponentName=title)["TrialComponentArn"]

    applications = artifact("applications 2023-2025", f"{_BUCKET}/raw/applications.parquet", "DataSet")
    bureau = artifact("credit bureau extract", f"{_BUCKET}/raw/bureau.parquet", "DataSet")
    code = artifact("training code", _REPOSITORY, "Code", MetadataProperties=made)
    image = artifact("XGBoost 1.7", "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1", "Image")
    prepare = component(f"{name}-prepare-aws-processing-job")
    train_set = artifact("training set", f"{_BUCKET}/{version.number}/train.csv", "DataSet")
    test_set = artifact("test set", f"{_BUCKET}/{version.number}/test.csv", "DataSet")
    train = component(f"{_job_of(version).lower()}-aws-training-job")
    evaluate = component(f"{name}-evaluate-aws-processing-job")
    run = action("pipeline-run", _run_of(version), "PipelineExecution")
    model = artifact("model archive", version.artifact_url or f"{_BUCKET}/model.tar.gz", "Model")
    package = artifact(version.name, version.arn, "ModelPackage", MetadataProperties=made)
    group = context("group", version.group.arn, "ModelGroup")
    associations: list[tuple[str, str, AssociationEdgeTypeType]] = [
        (applications, prepare, "ContributedTo"),
        (bureau, prepare, "ContributedTo"),
        (prepare, train_set, "Produced"),
        (prepare, test_set, "Produced"),
        (train_set, train, "ContributedTo"),
        (code, train, "ContributedTo"),
        (image, train, "ContributedTo"),
        (run, train, "AssociatedWith"),
        (train, model, "Produced"),
        (model, evaluate, "ContributedTo"),
        (test_set, evaluate, "ContributedTo"),
        (evaluate, package, "ContributedTo"),
        (model, package, "ContributedTo"),
        (group, package, "AssociatedWith"),
    ]
    last = package
    if version.stage != Stage.DEVELOPMENT:
        last = action("approval", version.arn, "Approval")
        associations.append((package, last, "ContributedTo"))
    if version.status == Status.DEPLOYED or version.number == 1:
        address = f"arn:aws:sagemaker:us-east-1:{PRODUCTION}:endpoint/{version.group.name}-live"
        deployment = action("deployment", address, "ModelDeployment")
        endpoint = context("endpoint", address, "Endpoint")
        associations += [(last, deployment, "ContributedTo"), (deployment, endpoint, "ContributedTo")]
    for source, destination, kind in associations:
        client.add_association(SourceArn=source, DestinationArn=destination, AssociationType=kind)
