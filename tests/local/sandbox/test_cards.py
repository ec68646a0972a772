"""Model cards of their own: versions by content, status beside them, and their export."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.local.sandbox.world import Aws, fresh_account, refused, running, unique

CONTENT = {
    "model_overview": {"model_name": "credit-risk", "model_version": 1},
    "intended_uses": {"risk_rating": "High"},
}


def chapter(story: Any) -> None:
    """Call every operation on cards once, for the comparison with botocore's model."""
    sagemaker, s3 = story.client("sagemaker"), story.aws.client("s3", story.owner)
    arn = card(sagemaker, "card", Tags=[{"Key": "project", "Value": "credit"}])
    sagemaker.update_model_card(ModelCardName="card", ModelCardStatus="PendingReview")
    sagemaker.update_model_card(ModelCardName=arn, Content=json.dumps({}))
    sagemaker.describe_model_card(ModelCardName="card")
    sagemaker.describe_model_card(ModelCardName="card", ModelCardVersion=1)
    sagemaker.list_model_cards(NameContains="CAR")
    sagemaker.list_model_card_versions(ModelCardName="card", SortBy="Version", SortOrder="Descending")
    sagemaker.list_tags(ResourceArn=arn)
    bucket = unique("exports")
    s3.create_bucket(Bucket=bucket)
    for place in (bucket, "no-such-bucket-anywhere"):
        job = export(sagemaker, "card", place)
        sagemaker.describe_model_card_export_job(ModelCardExportJobArn=job)
    sagemaker.list_model_card_export_jobs(ModelCardName="card", StatusEquals="Failed", SortBy="Status")
    sagemaker.delete_model_card(ModelCardName="card")


def card(sagemaker: Any, name: str, content: object = CONTENT, status: str = "Draft", **more: Any) -> str:
    made = sagemaker.create_model_card(ModelCardName=name, Content=json.dumps(content), ModelCardStatus=status, **more)
    return str(made["ModelCardArn"])


def export(sagemaker: Any, name: str, bucket: str) -> str:
    job = sagemaker.create_model_card_export_job(
        ModelCardName=name, ModelCardExportJobName=unique("export"), OutputConfig={"S3OutputPath": f"s3://{bucket}/out"}
    )
    return str(job["ModelCardExportJobArn"])


@pytest.fixture
def sagemaker(aws: Aws) -> Any:
    return aws.client("sagemaker", fresh_account())


def test_content_makes_a_version_and_a_status_does_not(sagemaker: Any) -> None:
    arn = card(sagemaker, "credit")
    sagemaker.update_model_card(ModelCardName=arn, ModelCardStatus="PendingReview")
    first = sagemaker.describe_model_card(ModelCardName="credit")
    assert (first["ModelCardVersion"], first["ModelCardStatus"]) == (1, "PendingReview")
    assert json.loads(first["Content"]) == CONTENT
    assert first["LastModifiedTime"] > first["CreationTime"]
    assert first["CreatedBy"]["IamIdentity"]["Arn"]
    sagemaker.update_model_card(ModelCardName="credit", Content=json.dumps({"model_overview": {}}))
    second = sagemaker.describe_model_card(ModelCardName=arn)
    assert (second["ModelCardVersion"], second["ModelCardStatus"]) == (2, "PendingReview")
    assert second["CreationTime"] == first["CreationTime"]
    assert json.loads(sagemaker.describe_model_card(ModelCardName=arn, ModelCardVersion=1)["Content"]) == CONTENT
    found = sagemaker.list_model_card_versions(ModelCardName=arn, SortOrder="Descending")
    assert [v["ModelCardVersion"] for v in found["ModelCardVersionSummaryList"]] == [2, 1]


def test_what_is_archived_keeps_its_content(sagemaker: Any) -> None:
    card(sagemaker, "old", status="Archived")
    with refused("ConflictException"):
        sagemaker.update_model_card(ModelCardName="old", Content="{}")
    sagemaker.update_model_card(ModelCardName="old", ModelCardStatus="Draft")
    sagemaker.update_model_card(ModelCardName="old", Content="{}")


@pytest.mark.parametrize("content", ["not json", "[]", '{"unknown": 1}', '{"intended_uses": {"risk_rating": "Huge"}}'])
def test_content_is_checked(sagemaker: Any, content: str) -> None:
    with refused("ValidationException"):
        sagemaker.create_model_card(ModelCardName="bad", Content=content, ModelCardStatus="Draft")
    card(sagemaker, "bad")
    with refused("ValidationException"):
        sagemaker.update_model_card(ModelCardName="bad", Content=content)
    assert sagemaker.describe_model_card(ModelCardName="bad")["ModelCardVersion"] == 1


def test_what_is_not_there_is_said(sagemaker: Any) -> None:
    arn = card(sagemaker, "mine")
    for name in ("other", arn.replace(arn.split(":")[4], "999999999999"), arn + "x"):
        with refused("ResourceNotFound"):
            sagemaker.describe_model_card(ModelCardName=name)
    with refused("ResourceNotFound"):
        sagemaker.describe_model_card(ModelCardName="mine", ModelCardVersion=2)
    with refused("ConflictException"):
        card(sagemaker, "mine")
    with refused("ValidationException"):
        sagemaker.update_model_card(ModelCardName="mine")


def test_cards_are_listed_in_pages(sagemaker: Any) -> None:
    for number in range(3):
        card(sagemaker, f"card-{number}", status="Approved" if number == 1 else "Draft")
    pages = sagemaker.get_paginator("list_model_cards").paginate(SortBy="Name", PaginationConfig={"PageSize": 2})
    assert [c["ModelCardName"] for page in pages for c in page["ModelCardSummaries"]] == ["card-0", "card-1", "card-2"]
    (approved,) = sagemaker.list_model_cards(ModelCardStatus="Approved")["ModelCardSummaries"]
    assert approved["ModelCardName"] == "card-1"


def test_cards_and_exports_survive_a_kill(tmp_path: Path) -> None:
    with running(tmp_path) as aws:
        account = fresh_account()
        sagemaker, s3 = aws.client("sagemaker", account), aws.client("s3", account)
        card(sagemaker, "kept")
        sagemaker.update_model_card(ModelCardName="kept", Content="{}")
        bucket = unique("exports")
        s3.create_bucket(Bucket=bucket)
        job = export(sagemaker, "kept", bucket)
        aws.stop(signal.SIGKILL)
        aws.start()
        assert sagemaker.describe_model_card(ModelCardName="kept")["ModelCardVersion"] == 2
        done = sagemaker.describe_model_card_export_job(ModelCardExportJobArn=job)
        assert (done["Status"], done["ModelCardVersion"]) == ("Completed", 2)
        key = done["ExportArtifacts"]["S3ExportArtifacts"].removeprefix(f"s3://{bucket}/")
        assert s3.get_object(Bucket=bucket, Key=key)["Body"].read().startswith(b"%PDF-1.4")
