"""Objects in S3 as evidence, and S3 as the store of the portal's own files, against the sandbox with real boto3."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import boto3
import pytest
from django.core.files.storage import storages

from governance.choices import FindingKind
from governance.models import Evidence, Finding
from governance.services import evidence, evidence_checks, evidence_store
from portal.core.errors import Forbidden, InvalidInput, NotFound, Unavailable
from portal.core.vocabulary import EvidenceKind
from portal.settings.environment import Environment, evidence_storage
from registry.models import AwsAccount, ModelVersion, UseCase
from registry.services import accounts
from tests.factories import Cast
from tests.factories.people import SYSTEM
from tests.sandbox import Sandbox

from . import files

pytestmark = pytest.mark.django_db
REGION = "us-east-1"


def client(account_id: str = "222222222222") -> Any:
    """Speak to S3 as somebody of an account, not as the portal."""
    role = f"arn:aws:iam::{account_id}:role/ModelGovernancePortal"
    given = boto3.client("sts", region_name=REGION).assume_role(RoleArn=role, RoleSessionName="somebody")["Credentials"]
    return boto3.client(
        "s3",
        region_name=REGION,
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
    )


@pytest.fixture
def bucket(aws: Sandbox, people: Cast) -> str:
    """A bucket of the development account that keeps versions, named among its artifact buckets."""
    name = f"reports-{uuid4().hex[:12]}"
    s3 = client()
    s3.create_bucket(Bucket=name)
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    development = AwsAccount.objects.get(account_id="222222222222")
    accounts.edit(actor=SYSTEM, account=development, artifact_buckets=[name])
    return name


@pytest.fixture
def attach(people: Cast) -> Callable[..., Evidence]:
    def make(about: UseCase | ModelVersion, uri: str, **values: Any) -> Evidence:
        given = {"actor": people.scientist.actor, "kind": EvidenceKind.EXPLAINABILITY_REPORT, **values}
        return evidence.attach_s3(subject_type=type(about), subject_id=about.pk, uri=uri, **given)

    return make


Attach = Callable[..., Evidence]


def put(bucket: str, body: bytes, key: str = "runs/7/analysis.json") -> dict[str, Any]:
    answer = client().put_object(Bucket=bucket, Key=key, Body=body, ContentType="application/json")
    return {"version_id": answer["VersionId"], "etag": answer["ETag"].strip('"')}


def test_an_object_is_pinned_by_what_s3_says_of_it(attach: Attach, model: ModelVersion, bucket: str) -> None:
    written = put(bucket, b'{"shap": 1}')
    row = attach(model, f"s3://{bucket}/runs/7/analysis.json", title="SHAP", note="Of run 7.")
    assert (row.s3_version_id, row.s3_etag) == (written["version_id"], written["etag"])
    assert (row.size, row.content_type, row.filename) == (11, "application/json", "analysis.json")
    assert (row.sha256, row.storage_name) == ("", "")
    assert row.account == AwsAccount.objects.get(account_id="222222222222")
    assert row.fingerprint == f"s3://{bucket}/runs/7/analysis.json|{written['version_id']}|{written['etag']}"


def test_another_version_may_be_meant(attach: Attach, model: ModelVersion, bucket: str) -> None:
    first = put(bucket, b'{"shap": 1}')
    put(bucket, b'{"shap": 22}')
    uri = f"s3://{bucket}/runs/7/analysis.json"
    row = attach(model, uri, version_id=first["version_id"], etag=f'"{first["etag"]}"')
    assert (row.s3_version_id, row.s3_etag, row.size) == (first["version_id"], first["etag"], 11)
    evidence_checks.check_one(actor=SYSTEM, evidence_id=row.pk)
    with pytest.raises(InvalidInput) as refusal:
        attach(model, uri, etag=first["etag"])
    assert list(refusal.value.errors) == ["s3_etag"]


def test_a_web_address_of_s3_is_kept_as_one_form(attach: Attach, model: ModelVersion, bucket: str) -> None:
    put(bucket, b"{}")
    row = attach(model, f"https://{bucket}.s3.us-east-1.amazonaws.com/runs/7/analysis.json")
    assert row.s3_uri == f"s3://{bucket}/runs/7/analysis.json"


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("s3://nobody-owns-this/report.json", "No registered account"),
        ("s3://{bucket}/absent.json", "no such object"),
        ("s3://{bucket}/runs/", "no such object"),
        ("s3://{bucket}", "does not name an object"),
        ("https://example.com/report.json", "does not name an object"),
        ("../../etc/passwd", "does not name an object"),
        ("", "does not name an object"),
        ("s3://{bucket}/a\x00b", "No object"),
        ("s3://{bucket}/" + "x" * 3000, "No object"),
    ],
)
def test_what_cannot_be_found_is_refused(
    uri: str, words: str, attach: Attach, model: ModelVersion, bucket: str
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        attach(model, uri.format(bucket=bucket))
    assert words in refusal.value.errors["s3_uri"][0]
    assert not Evidence.objects.exists()


@pytest.mark.parametrize("version_id", ["nonsense", "a" * 500])
def test_a_version_there_is_not(version_id: str, attach: Attach, model: ModelVersion, bucket: str) -> None:
    put(bucket, b"{}")
    with pytest.raises(InvalidInput):
        attach(model, f"s3://{bucket}/runs/7/analysis.json", version_id=version_id)


def test_a_deleted_and_an_empty_object(attach: Attach, model: ModelVersion, bucket: str) -> None:
    put(bucket, b"")
    with pytest.raises(InvalidInput, match="cannot be evidence"):
        attach(model, f"s3://{bucket}/runs/7/analysis.json")
    put(bucket, b"{}")
    client().delete_object(Bucket=bucket, Key="runs/7/analysis.json")
    with pytest.raises(InvalidInput) as refusal:
        attach(model, f"s3://{bucket}/runs/7/analysis.json")
    assert "no such object" in refusal.value.errors["s3_uri"][0]


def test_a_bucket_of_an_account_that_is_switched_off(attach: Attach, model: ModelVersion, bucket: str) -> None:
    put(bucket, b"{}")
    development = AwsAccount.objects.get(account_id="222222222222")
    accounts.edit(actor=SYSTEM, account=development, is_enabled=False)
    with pytest.raises(InvalidInput, match="cannot be evidence"):
        attach(model, f"s3://{bucket}/runs/7/analysis.json")


def test_access_that_is_denied(attach: Attach, model: ModelVersion, bucket: str, aws: Sandbox) -> None:
    put(bucket, b"{}")
    aws.fault(service="s3", operation="HeadObject", error="AccessDeniedException", times=None)
    with pytest.raises(InvalidInput) as refusal:
        attach(model, f"s3://{bucket}/runs/7/analysis.json")
    assert "may not read" in refusal.value.errors["s3_uri"][0]
    assert not Evidence.objects.exists()


def test_aws_that_does_not_answer(attach: Attach, model: ModelVersion, bucket: str, aws: Sandbox) -> None:
    put(bucket, b"{}")
    aws.fault(service="s3", operation="HeadObject", error="ServiceUnavailable", times=None)
    with pytest.raises(Unavailable, match="nothing was attached"):
        attach(model, f"s3://{bucket}/runs/7/analysis.json")
    assert not Evidence.objects.exists()


def test_nobody_asks_s3_for_who_may_not_attach(
    attach: Attach, model: ModelVersion, bucket: str, aws: Sandbox, people: Cast
) -> None:
    put(bucket, b"{}")
    aws.forget()
    for actor, refusal in ((people.stranger.actor, NotFound), (people.auditor.actor, Forbidden)):
        with pytest.raises(refusal):
            attach(model, f"s3://{bucket}/runs/7/analysis.json", actor=actor)
    assert not aws.calls(service="s3", operation="HeadObject")


def test_a_pinned_object_that_is_gone_or_another(
    attach: Attach, model: ModelVersion, bucket: str, aws: Sandbox
) -> None:
    written = put(bucket, b"{}")
    uri = f"s3://{bucket}/runs/7/analysis.json"
    row = attach(model, uri)
    put(bucket, b'{"later": true}')
    evidence_checks.check_one(actor=SYSTEM, evidence_id=row.pk)
    aws.fault(service="s3", operation="HeadObject", error="AccessDeniedException", times=1)
    with pytest.raises(Unavailable):
        evidence_checks.check_one(actor=SYSTEM, evidence_id=row.pk)
    client().delete_object(Bucket=bucket, Key="runs/7/analysis.json", VersionId=written["version_id"])
    with pytest.raises(evidence_store.EvidenceLost):
        evidence_checks.check_one(actor=SYSTEM, evidence_id=row.pk)
    assert Finding.objects.get(kind=FindingKind.EVIDENCE_ALTERED).version == model


# The portal's own files in S3


@pytest.fixture
def own_bucket(aws: Sandbox, settings: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """The evidence store as production configures it, pointed at the sandbox by AWS_ENDPOINT_URL alone."""
    name = f"evidence-{uuid4().hex[:12]}"
    boto3.client("s3", region_name=REGION).create_bucket(Bucket=name)
    monkeypatch.setenv("PORTAL_EVIDENCE_BUCKET", name)
    monkeypatch.setenv("PORTAL_EVIDENCE_REGION", REGION)
    monkeypatch.setenv("PORTAL_EVIDENCE_PREFIX", "portal/files")
    settings.STORAGES = {**settings.STORAGES, "evidence": evidence_storage(Environment())}
    return name


def upload(about: UseCase, people: Cast) -> Evidence:
    return evidence.attach_upload(
        actor=people.scientist.actor,
        subject_type=UseCase,
        subject_id=about.pk,
        kind=EvidenceKind.BIAS_REPORT,
        file=files.upload("report.pdf", files.PDF, "application/pdf"),
    )


def keys(bucket: str) -> list[str]:
    found = boto3.client("s3", region_name=REGION).list_objects_v2(Bucket=bucket)
    return [entry["Key"] for entry in found.get("Contents", ())]


def test_files_are_kept_in_the_bucket(own_bucket: str, subject: UseCase, people: Cast) -> None:
    row = upload(subject, people)
    assert keys(own_bucket) == [f"portal/files/{row.storage_name}"]
    assert storages["evidence"].__class__.__name__ == "EvidenceBucket"
    with evidence_store.verified_copy(row) as file:
        assert file.read() == files.PDF
    assert list(evidence_store.stored_names()) == [row.storage_name]
    assert list(evidence_checks.orphans()) == []
    assert evidence_checks.check_one(actor=SYSTEM, evidence_id=row.pk) == row


def test_what_is_altered_or_lost_in_the_bucket(own_bucket: str, subject: UseCase, people: Cast) -> None:
    row = upload(subject, people)
    s3 = boto3.client("s3", region_name=REGION)
    s3.put_object(Bucket=own_bucket, Key=f"portal/files/{row.storage_name}", Body=b"other")
    with pytest.raises(evidence_store.EvidenceAltered):
        evidence_store.verified_copy(row)
    s3.delete_object(Bucket=own_bucket, Key=f"portal/files/{row.storage_name}")
    with pytest.raises(evidence_store.EvidenceLost):
        evidence_store.verified_copy(row)


def test_a_bucket_that_takes_nothing(own_bucket: str, subject: UseCase, people: Cast, aws: Sandbox) -> None:
    aws.fault(service="s3", operation="PutObject", error="AccessDeniedException", times=None)
    with pytest.raises(Unavailable, match="could not be stored"):
        upload(subject, people)
    assert not Evidence.objects.exists()
    assert keys(own_bucket) == []


def test_a_bucket_that_cannot_be_read_back(own_bucket: str, subject: UseCase, people: Cast, aws: Sandbox) -> None:
    aws.fault(service="s3", operation="GetObject", error="ServiceUnavailable", times=None)
    with pytest.raises(Unavailable, match="could not be read back"):
        upload(subject, people)
    aws.forget()
    assert not Evidence.objects.exists()
    assert keys(own_bucket) == []


def test_a_bucket_there_is_not(own_bucket: str, subject: UseCase, people: Cast) -> None:
    boto3.client("s3", region_name=REGION).delete_bucket(Bucket=own_bucket)
    with pytest.raises(Unavailable):
        upload(subject, people)
    assert not Evidence.objects.exists()
